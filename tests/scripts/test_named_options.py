"""Refusals that name an option: what the message says to do is read from its words and done.

Then the script that refused succeeds.
"""

import json
import re
import shlex

import h5py
import numpy as np
import pytest
import torch
from scipy.io import savemat

import Prepare_data
from tests.scripts.test_bad_input import edited, features, nothing, video
from tests.small_data import entry, noise, write_annotations, write_hdf5
from tests.small_run import MAINS, call, copy_run, make_run, refusal


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("named") / "run"
    words = make_run(folder)
    np.save(folder / "one.npy", np.zeros((80, 5), np.float32))
    (folder / "videos").mkdir()
    return folder, words


@pytest.fixture()
def run(made, tmp_path, monkeypatch):
    """A copy of the run, in which the test starts."""
    folder = copy_run(made[0], tmp_path / "run")
    monkeypatch.chdir(folder)
    return folder, made[1]


# ---- how a message says it ----------------------------------------------------------------------

def adds(pattern, *values):
    """The words in the pattern's group are added, then values that the message leaves open."""
    return lambda words, said: [*words, *found(pattern, said).split(), *values]


def sets(pattern):
    """The pattern's groups are an option and its value, which may stand apart."""
    def follow(words, said):
        groups = re.search(pattern, said)
        assert groups, said
        return [*without(words, groups["option"]), groups["option"], groups["value"]]
    return follow


def leaves_out(pattern, *then):
    """The option in the pattern's group is taken out, with its values; what `then` does follows."""
    def follow(words, said):
        left = without(words, found(pattern, said))
        for step in then:
            left = step(left, said)
        return left
    return follow


def replaces(pattern):
    """The unknown option, which is the last but one word, becomes the one in the group."""
    return lambda words, said: [*words[:-2], found(pattern, said), words[-1]]


def found(pattern, said):
    match = re.search(pattern, said)
    assert match, said
    return match[1]


def without(words, option):
    """The words without the last of an option and its values."""
    at = len(words) - 1 - words[::-1].index(option)
    end = at + 1
    while end < len(words) and not words[end].startswith("--"):
        end += 1
    return words[:at] + words[end:]


# ---- damage -------------------------------------------------------------------------------------

def all_videos(**values):
    def change(content):
        for name in content["database"]:
            content["database"][name].update(values)
    return edited("data/annotations.json", change)


def one_training_video(folder):
    def change(content):
        for number in range(1, 5):
            del content["database"][f"train{number}"]
    edited("data/annotations.json", change)(folder)


def one_label_id(folder):
    video(annotations=[{"segment": [1, 2], "label": "run", "label_id": 0}])(folder)
    (folder / "classes.json").write_text(json.dumps({"jump": 1, "run": 2}))


def linked(folder):
    """One stream whose video is a link into another file."""
    (folder / "data" / "rgb.h5").rename(folder / "store.h5")
    with h5py.File(folder / "store.h5") as store, h5py.File(folder / "data/rgb.h5", "w") as file:
        for name in store:
            file[name] = h5py.ExternalLink(str(folder / "store.h5"), name)


def export_made(folder):
    (folder / "out" / "export").mkdir()
    (folder / "out" / "export" / "detections.csv").touch()


def result_made(folder):
    (folder / "found.csv").touch()


GONE, ANEW = features("rgb", "train1", None), ("--overwrite",)
DETECTIONS = ("--detections", "out/detections_postNMS.json", "--overwrite")
ONE = ("--video", "one.npy", "--feature_fps", "10")
# damage, the script, words that it refuses, how the message is followed
CASES = {
    # the message has option and value
    "channels": (nothing, "Cut", ("--input_feat_dim", "7"), adds(r"set (--input_feat_dim \d+)")),
    "scores": (nothing, "Cut", ("--decoder_num_classes", "7"),
               adds(r"set (--decoder_num_classes \d+)")),
    "length": (nothing, "Train", (*ANEW, "--temporal_scale", "60"), sets(
        r"(?P<option>--temporal_scale) 60 is not .* (?P<value>\d+) fit")),
    "neighbours": (nothing, "Train", (*ANEW, "--num_neigh", "99"), sets(
        r"(?P<option>--num_neigh) 99 is more .* at most (?P<value>\d+) fit")),
    "subset": (nothing, "Cut", ("--subset", "other"), sets(
        r"(?P<value>\w+) \(2 videos\); choose one of these with (?P<option>--\w+)")),
    "training subset": (nothing, "Cut", ("--train_subset", "other"), sets(
        r"(?P<value>\w+) \(5 videos\), .*; choose one of these with (?P<option>--\w+)")),
    "as it was cut": (nothing, "Train", (*ANEW, "--temporal_scale", "96"),
                      adds(r"was cut with (--temporal_scale 64), .* give --temporal_scale as it")),
    "a choice": (nothing, "Train", (*ANEW, "--val_split", "some"), sets(
        r"argument (?P<option>--\w+): .* \(choose from .*(?P<value>heldout)")),
    "is_train": (nothing, "Train", (*ANEW, "--is_train", "false"),
                 adds(r"or give (--is_train true)")),
    "no GPU": (nothing, "Infer", (*ANEW, "--cache", "gpu"), adds(r"use (--cache auto)")),
    "no Apple GPU": (nothing, "Infer", (*ANEW, "--device", "mps"), adds(r"use (--device cpu)")),
    "a sweep": (nothing, "Eval", ("--sweep", "nms_thr=0.5"), lambda words, said: [
        *without(words, "--sweep"), *found(r"as in (--sweep \S+)", said).split()]),
    "held out, none": (one_training_video, "Cut", ("--val_split", "heldout"),
                       adds(r"or give (--val_split none)")),
    # the message has the option; what fits is up to the user
    "no duration": (video(duration=None), "Cut", (), adds(r"of the features with (--\w+)", "10")),
    "thresholds": (nothing, "Train", (*ANEW, "--iou_thr", "0.5"),
                   adds(r"(--iou_thr) takes three thresholds", "0.4", "0.5", "0.6")),
    "rising": (nothing, "Eval", (*ANEW, "--tiou", "0.5", "0.3"),
               adds(r"(--tiou) 0.5 0.3: give ascending thresholds", "0.3", "0.5")),
    "classes by file": (one_label_id, "Cut", (),
                        adds(r"name the classes with (--\w+)", "classes.json")),
    "shorter clips": (nothing, "Cut", ("--random_windows", "--min_clip", "0.5"),
                      adds(r"lower (--min_clip) or", "0.2")),
    "longer clips": (nothing, "Cut", ("--random_windows", "--min_clip", "0.5"),
                     adds(r"or raise (--clip_win_size)", "0.6")),
    "room for a copy": (nothing, "Cut", ("--stitch_gap", "60"),
                        adds(r"and (--stitch_gap) 60 .* lower one of them", "8")),
    "room, by the clip": (nothing, "Cut", ("--short_ratio", "0.9"),
                          adds(r"(--short_ratio) 0.9 and .* lower one of them", "0.4")),
    "no folder": (nothing, "Cut", ("--feature_path", "nowhere"),
                  adds(r"(--feature_path) nowhere does not exist", "data")),
    "no annotations": (nothing, "Cut", ("--video_anno", "data"),
                       adds(r"(--video_anno) data: .* name the file", "data/annotations.json")),
    "no films": (nothing, "Eval", (*ANEW, "--video_folder", "nowhere"),
                 adds(r"(--video_folder) names the folder", "videos")),
    "a number for auto": (nothing, "Eval", (*ANEW, "--min_score", "auto"),
                          adds(r"(--min_score) auto: .* give a number", "0.2")),
    "a format": (nothing, "Infer", (*ONE, "-o", "found.xyz"), lambda words, said: [
        *words[:-1], "found" + found(r"known are \.json, (\.\w+)", said)]),
    "a file, not a folder": (nothing, "Infer", (*ONE, "-o", "videos"), lambda words, said: [
        *words[:-1], found(r"-o (\w+) is a folder; name a file in it", said) + "/a.json"]),
    "a limit": (nothing, "Train", (*ANEW, "--num_levels", "0"), sets(
        r"(?P<option>--num_levels) 0 is impossible: it must be from (?P<value>\d+) to")),
    # an option without value
    "left out": (GONE, "Cut", (), adds(r"leave them out with (--\w+)")),
    "links": (linked, "Cut", (), adds(r"give (--follow_links) to read it")),
    "resume": (nothing, "Train", (), adds(r"(--resume) continues it")),
    "overwrite": (nothing, "Train", (), adds(r"(--overwrite) replaces it")),
    "other settings": (nothing, "Infer", ("--nms_thr", "0.9"), adds(r"; (--overwrite) replaces")),
    "another place": (nothing, "Infer", ("--nms_thr", "0.9"),
                      adds(r"another (--output_path) leaves it alone", "elsewhere")),
    "other scores": (nothing, "Eval", ("--tiou", "0.5"), adds(r"; (--overwrite) replaces it")),
    "an export": (export_made, "Eval", (*ANEW[1:], "--export", "csv"),
                  adds(r"(--overwrite) replaces what an earlier --export wrote")),
    "a result": (result_made, "Infer", (*ONE, "-o", "found.csv"), adds(r"(--overwrite) replaces")),
    "of videos alone": (nothing, "Infer", ("--top", "3"),
                        adds(r"detections of (--video) or", *ONE[1:])),
    # an option to be left out
    "a rate too many": (all_videos(fps=30), "Cut",
                        ("--feature_fps", "10", "--feature_stride", "2"),
                        leaves_out(r"and (--\w+) 2 contradict .* leave one of them out")),
    "a stride too many": (all_videos(fps=20), "Cut",
                          ("--feature_fps", "13", "--feature_stride", "2"),
                          leaves_out(r"(--\w+) 13 and .* leave one of them out")),
    "a wrong rate": (nothing, "Cut", ("--feature_fps", "13"),
                     leaves_out(r"(--\w+) is 13, .* leave the option out")),
    "images": (nothing, "Cut", ("--feature_stride", "4"), leaves_out(
        r"or leave (--\w+) out and give", adds(r"out and give (--\w+)", "10"))),
    "held out": (one_training_video, "Cut", ("--val_split", "heldout"),
                 leaves_out(r"leave (--\w+) out")),
    "training or not": (nothing, "Infer", (*ANEW, "--is_train", "true"),
                        leaves_out(r"(--is_train) true .* leave it out")),
    "one of two": (nothing, "Train", ("--resume", "--overwrite"),
                   leaves_out(r"(--\w+) and .* contradict each other; give one of them")),
    "the other of two": (nothing, "Train", ("--resume", "--overwrite"),
                         leaves_out(r"and (--\w+) contradict each other; give one of them")),
    "of another script": (nothing, "Train", (*ANEW, "--check"),
                          leaves_out(r"(--\w+) belongs to Cut_long_videos.py; Train.py cannot")),
    "of the network": (nothing, "Infer", (*ANEW, "--num_neigh", "3"),
                       leaves_out(r"(--\w+) 3 contradicts .* leave the option out")),
    "of the proposals": (nothing, "Eval", (*ANEW, "--nms_thr", "0.9"),
                         leaves_out(r"(--\w+) 0.9 contradicts .* leave the option out")),
    "what is made already": (nothing, "Eval", (*DETECTIONS, "--sweep", "nms_alpha_detect=0.3"),
                             leaves_out(r"(--sweep) varies .* leave one of them out")),
    "what is to be made": (nothing, "Eval", (*DETECTIONS, "--sweep", "nms_alpha_detect=0.3"),
                           leaves_out(r"and (--detections) are made .* leave one of them out")),
    # another name
    "a slip": (nothing, "Infer", (*ANEW, "--num_neigbh", "2"), replaces(r"did you mean (--\w+)\?")),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_message_names_works(run, capsys, case):
    damage, script, words, follow = CASES[case]
    folder, chosen = run
    damage(folder)
    capsys.readouterr()
    words = [*chosen, *words]
    assert call(script, folder, *words) == 2
    followed = follow(words, refusal(capsys.readouterr()))
    assert followed != words and call(script, folder, *followed) == 0, capsys.readouterr().err


# ---- remedies of several steps ------------------------------------------------------------------

def test_proposals_are_inferred_again_with_the_option(run, capsys):
    """Of the two remedies of an option that shaped the proposals, the longer one."""
    folder, words = run
    assert call("Eval", folder, *words, "--nms_thr", "0.9") == 2
    option = found(r"error: (--\w+ 0.9) contradicts .* or infer again with it",
                   refusal(capsys.readouterr())).split()
    assert call("Infer", folder, *words, *option) == 2
    again = found(r"(--overwrite) replaces it", refusal(capsys.readouterr()))
    assert call("Infer", folder, *words, *option, again) == 0
    assert call("Eval", folder, *words, *option, again) == 0


def test_a_network_is_trained_again_with_the_option(run, capsys):
    folder, words = run
    assert call("Infer", folder, *words, "--num_neigh", "3") == 2
    option = found(r"error: (--\w+ 3) contradicts .* or train again with it",
                   refusal(capsys.readouterr())).split()
    assert call("Train", folder, *words, *option, "--overwrite") == 0
    assert call("Infer", folder, *words, *option, "--overwrite") == 0


def test_the_command_for_label_studio_works(run, capsys):
    folder, words = run
    assert call("Eval", folder, *words, "--export", "labelstudio") == 2
    command = found(r"then say `(.*)`", refusal(capsys.readouterr())).replace("RATE", "25")
    assert call("Eval", folder, *words) == 0
    python, script, *rest = shlex.split(command)
    assert (python, script) == ("python", "Prepare_data.py") and Prepare_data.main(rest) == 0
    assert json.loads((folder / "out/export/labelstudio_predictions.json").read_text())


# ---- files that are to be saved in another way --------------------------------------------------

def test_a_compressed_checkpoint_is_saved_again_by_torch(run, capsys):
    import zipfile

    folder, words = run
    path = folder / "run" / "best.pth.tar"
    content = torch.load(path, weights_only=True)
    with zipfile.ZipFile(path) as parts:
        members = {part.filename: parts.read(part) for part in parts.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    assert call("Infer", folder, *words, "--overwrite") == 2
    assert "save it again with torch.save" in refusal(capsys.readouterr())
    torch.save(content, path)
    assert call("Infer", folder, *words, "--overwrite") == 0


def test_features_in_a_pt_are_saved_as_the_message_writes_it(run, capsys):
    folder, _ = run
    torch.save([1.0, 2.0], folder / "one.pt")
    words = ["--video", "one.pt", "--feature_fps", "10", "--checkpoint_path", "run", "--device",
             "cpu"]
    assert MAINS["Infer"](words) == 2
    command = found(r"save one: (torch\.save\(tensor, 'one\.pt'\))", refusal(capsys.readouterr()))
    exec(command, {"torch": torch, "tensor": torch.zeros(80, 5)})
    assert MAINS["Infer"](words) == 0


def thumos(folder, duration_file):
    """Two videos of THUMOS14 with features; duration_file(path) writes each meta file."""
    names = ("video_validation_0000001", "video_validation_0000002", "video_test_0000001")
    write_annotations(folder / "thumos_gt.json", {
        name: entry("test" if "test" in name else "train", (1, 2.5, "Diving"), (4, 8, "Shotput"))
        for name in names})
    for part in ("val", "test"):
        for stream in ("rgb", "flow"):
            write_hdf5(folder / f"{stream}_{part}.h5", {
                name: noise(name, 100, 4) for name in names if f"_{part}" in name})
        duration_file(folder / f"{part}_info.mat")
    return ["--dataset", "thumos", "--video_anno", str(folder / "thumos_gt.json"),
            "--feature_path", str(folder), "--window_path", str(folder / "windows"),
            "--input_feat_dim", "8", "--decoder_num_classes", "3", "--temporal_scale", "64",
            "--stitch_gap", "8", "--num_neigh", "2"]


def save_v7(path):
    """What MATLAB's save -v7 writes, by scipy."""
    seconds = np.zeros((1, 2), [("video_duration_seconds", object)])
    seconds["video_duration_seconds"] = 10.0
    savemat(path, {"videos": seconds}, do_compression=True)


def save_v73(path):
    """The beginning of a file of save -v7.3, which is HDF5 behind 512 bytes."""
    words = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Jan  1 00:00:00 2024 HDF5"
    path.write_bytes(words.ljust(124) + b"\x00\x02IM" + bytes(384) + b"\x89HDF\r\n\x1a\n")


def test_a_mat_file_of_version_73_is_saved_as_the_message_says(tmp_path, capsys):
    words = thumos(tmp_path, save_v73)
    assert MAINS["Cut"](words) == 2
    assert "but 7.3: save it in MATLAB with -v7" in refusal(capsys.readouterr())
    for part in ("val", "test"):
        save_v7(tmp_path / f"{part}_info.mat")
    assert MAINS["Cut"](words) == 0


def test_mat_files_elsewhere_are_named_with_the_option(tmp_path, capsys):
    words = thumos(tmp_path, save_v7)
    (tmp_path / "elsewhere").mkdir()
    for part in ("val", "test"):
        (tmp_path / f"{part}_info.mat").rename(tmp_path / "elsewhere" / f"{part}_info.mat")
    assert MAINS["Cut"](words) == 2
    option = found(r"name its folder with (--\w+)", refusal(capsys.readouterr()))
    assert MAINS["Cut"]([*words, option, str(tmp_path / "elsewhere")]) == 0
