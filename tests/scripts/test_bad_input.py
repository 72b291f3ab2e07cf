"""Mistakes that reach Cut, Train, Infer and Eval as users make them: one sentence, code 2.

test_cut_long_videos.py and test_eval.py have those of one script alone; the tests of
the readers check every sentence in detail.
"""

import json
import shutil

import h5py
import numpy as np
import pytest
import torch
from scipy.io import savemat

from tests.small_data import entry, write_annotations, write_hdf5
from tests.small_run import MAINS, call, copy_run, make_run, refusal


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a run in which all is well, and its options."""
    folder = tmp_path_factory.mktemp("well") / "run"
    return folder, make_run(folder)


@pytest.fixture()
def run(made, tmp_path, capsys):
    """Call a script on a damaged copy of the run; gives the one sentence that it said."""
    folder = copy_run(made[0], tmp_path / "run")

    def refused(script, damage, *words):
        damage(folder)
        before = contents(folder)
        assert call(script, folder, *made[1], *words) == 2
        assert contents(folder) == before
        return refusal(capsys.readouterr())
    return refused


def contents(folder):
    """All files of a folder but the locks and the curves, which a start may leave."""
    return {path: path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name != ".lock" and "tensorboard" not in path.parts}


# ---- kinds of damage ----------------------------------------------------------------------------

def nothing(folder):
    """No damage: the words are the mistake."""


def absent(name):
    def damage(folder):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return damage


def a_folder(name):
    def damage(folder):
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()
    return damage


def content(name, data):
    def damage(folder):
        (folder / name).write_bytes(data)
    return damage


def cut_short(name, share=0.4):
    def damage(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:int(len(data) * share)])
    return damage


def edited(name, change):
    """A JSON file whose content `change` has edited."""
    def damage(folder):
        found = json.loads((folder / name).read_text())
        change(found)
        (folder / name).write_text(json.dumps(found))
    return damage


def video(**values):
    """An annotation file in which train0 has other values."""
    return edited("data/annotations.json", lambda found: found["database"]["train0"].update(values))


def segment(start, end):
    return video(annotations=[{"segment": [start, end], "label": "run"}])


def one_class(folder):
    """Annotations without one of the two classes."""
    def change(found):
        for of_video in found["database"].values():
            of_video["annotations"] = [action for action in of_video["annotations"]
                                       if action["label"] == "run"]
    edited("data/annotations.json", change)(folder)


def features(stream, name, array):
    """Other features of a video; None: none."""
    def damage(folder):
        with h5py.File(folder / "data" / f"{stream}.h5", "a") as file:
            del file[name]
            if array is not None:
                file[name] = array
    return damage


def checkpoint(name, change):
    """A checkpoint whose content `change` has edited."""
    def damage(folder):
        path = folder / "run" / name
        found = torch.load(path, weights_only=True)
        change(found)
        torch.save(found, path)
    return damage


def other_network(found):
    weights = found["state_dict"]
    del weights["xGPN.conv0.0.bias"]
    weights["head_dec.bbox_pred.weight"] = torch.zeros(9, 9, 9)


def with_nan(found):
    found["state_dict"]["xGPN.conv0.0.bias"][3] = np.nan


def proposals(name, values):
    def damage(folder):
        with h5py.File(folder / "out" / "proposals.h5", "a") as file:
            file[f"test0/{name}"][...] = values
    return damage


def detections(*rows):
    return content("found.json", json.dumps({"results": {"test0": list(rows)}}).encode())


FOUND = ("--detections", "{folder}/found.json", "--output_path", "{folder}/out", "--overwrite")
ANEW = ("--overwrite",)
NAN = np.full((100, 3), np.nan, np.float32)
LAST, BEST = "checkpoint.pth.tar", "best.pth.tar"
ANNOTATIONS, WINDOWS = "data/annotations.json", "windows/train.json"

# script, damage, words, what the sentence says
CASES = {
    # files
    "a stream gone since cutting": ("Train", absent("data/rgb.h5"), ANEW, "--input_feat_dim"),
    "a stream gone": ("Infer", absent("data/rgb.h5"), (),
                      "the features have 2 channels (flow 2), the network was trained on 5"),
    "no folder of features": ("Cut", nothing, ("--feature_path", "nowhere"),
                              "--feature_path nowhere does not exist"),
    "a folder for features": ("Train", a_folder("data/rgb.h5"), ANEW, "rgb.h5 is a folder"),
    "empty HDF5": ("Train", content("data/rgb.h5", b""), ANEW, "rgb.h5 cannot be read as HDF5"),
    "foreign HDF5": ("Cut", content("data/rgb.h5", b"PK\3\4 no"), (), "cannot be read as HDF5"),
    "HDF5 cut short": ("Infer", cut_short("data/flow.h5"), (), "flow.h5 cannot be read as HDF5"),
    "HDF5 of something else": ("Infer", lambda folder: write_hdf5(
        folder / "data" / "rgb.h5", {"weights": np.zeros((3, 3))}), (),
        "2 of 2 videos are not in the rgb features: test0, test1"),
    "no annotations": ("Train", absent(ANNOTATIONS), ANEW, "json: there is no such file"),
    "a folder for annotations": ("Cut", a_folder(ANNOTATIONS), (), "that is a folder; name the"),
    "annotations not JSON": ("Infer", content(ANNOTATIONS, b'{"database":\n {,}}'), (),
                             "annotations.json is not valid JSON: line 2, column 3"),
    "no windows": ("Train", absent(WINDOWS), ANEW, "train.json; run Cut_long_videos.py first"),
    "a folder for windows": ("Train", a_folder(WINDOWS), ANEW, "cannot read window list"),
    "windows not JSON": ("Infer", cut_short("windows/infer.json"), (), "is not valid JSON: line 1"),
    "no checkpoint": ("Infer", absent(f"run/{BEST}"), (), "best.pth.tar; run Train.py "),
    "a folder for a checkpoint": ("Infer", a_folder(f"run/{BEST}"), (), "no checkpoint at"),
    "empty checkpoint": ("Infer", content(f"run/{BEST}", b""), (), "is not a readable checkpoint"),
    "checkpoint cut short": ("Train", cut_short(f"run/{LAST}"), ("--resume",),
                             "checkpoint.pth.tar is not a readable checkpoint"),
    "no proposals": ("Eval", absent("out/proposals.h5"), (), "no proposals at"),
    "proposals cut short": ("Eval", cut_short("out/proposals.h5"), (), "h5 can't be read"),
    # features
    "a video without features": ("Train", features("rgb", "train1", None), ANEW,
                                 "1 of 5 videos is not in the rgb features: train1"),
    "width": ("Infer", nothing, ("--input_feat_dim", "7"), "--input_feat_dim 7 contradicts"),
    "streams apart": ("Infer", features("flow", "test1", np.zeros((50, 2), np.float32)), (),
                      "video test1: its streams differ too much in length"),
    "NaN": ("Train", features("rgb", "train1", NAN), ANEW, "first at frame 0"),
    "NaN in inference": ("Infer", features("rgb", "test0", NAN), (),
                         "video test0: its rgb features have NaN or infinite values"),
    "no frames": ("Infer", features("rgb", "test0", NAN[:0]), (), "features are empty"),
    # annotations
    "words for seconds": ("Cut", segment("a", "b"), (), "video 'train0', annotation 0: expected a "
                          "number, found 'a'"),
    "no segment": ("Cut", video(annotations=[{"label": "run"}]), (), "expected [start, end]"),
    "NaN seconds": ("Train", segment(float("nan"), 3), ANEW, "expected a number, found 'nan'"),
    "no duration": ("Train", video(duration=0), ANEW, "duration is 0; it must be above 0"),
    "negative duration": ("Infer", video(duration=-3), (), "must be above 0"),
    "another subset": ("Train", nothing, (*ANEW, "--train_subset", "other"),
                       "no video is in subset other; the annotations have train (5 videos), test "),
    "more classes than scores": ("Train", video(annotations=[{"segment": [1, 2], "label": "swim"}]),
                                 (*ANEW, "--decoder_num_classes", "3"), "--decoder_num_classes 4"),
    "fewer classes than scores": ("Train", nothing, (*ANEW, "--decoder_num_classes", "7"),
                                  "--decoder_num_classes is 7; set --decoder_num_classes 3"),
    "fewer classes than trained": ("Infer", one_class, (), "the annotations have 1 class, 2 "
                                   "with background, but the network was trained on 3; annotate"),
    # what was stored
    "windows of another length": ("Train", nothing, (*ANEW, "--temporal_scale", "96"),
                                  "train.json was cut with --temporal_scale 64, this run has 96"),
    "windows cut for another network": ("Infer", edited("windows/infer.json", lambda found: (
        found["settings"].update(temporal_scale=96))), (),
        "infer.json was cut with --temporal_scale 96, this run has 64"),
    "validation cut without stitching": ("Train", edited("windows/val.json", lambda found: (
        found["settings"].update(use_VSS=False))), ANEW, "val.json was cut with --use_VSS false"),
    "windows of a video that is not there": ("Infer", edited("windows/infer.json", lambda found: (
        found["windows"][0].update(v_name="gone"))), (), "without annotations"),
    "windows past the end": ("Train", edited(WINDOWS, lambda found: (
        found["windows"][0].update(w_end=900))), ANEW, "ends after its 100 frames"),
    "no windows in the list": ("Train", edited(WINDOWS, lambda found: found["windows"].clear()),
                               ANEW, "no windows in"),
    "another network": ("Infer", checkpoint(BEST, other_network), (),
                        "another network: head_dec.bbox_pred.weight is (9, 9, 9), expected"),
    "another network to resume": ("Train", checkpoint(LAST, other_network),
                                  ("--resume", "--num_epoch", "2"), "xGPN.conv0.0.bias is missing"),
    "weights of NaN": ("Infer", checkpoint(BEST, with_nan), (), "have NaN or infinite values"),
    "another optimizer": ("Train", checkpoint(LAST, lambda found: found["optimizer"].update(
        param_groups=[])), ("--resume", "--num_epoch", "2"), "cannot be resumed: the state of its"),
    "no history": ("Train", checkpoint(LAST, lambda found: found.update(history=[])),
                   ("--resume", "--num_epoch", "2"), "cannot be resumed: its history"),
    "no optimizer": ("Train", checkpoint(LAST, lambda found: found.pop("optimizer")),
                     ("--resume", "--num_epoch", "2"), "cannot be resumed: its optimizer"),
    "released, to resume": ("Train", checkpoint(LAST, lambda found: found.pop("settings")),
                            ("--resume", "--num_epoch", "2"), "has no settings: it is a released"),
    "settings of another kind": ("Infer", checkpoint(BEST, lambda found: found.update(settings=3)),
                                 (), "its settings are not as Train.py writes them"),
    "network against the checkpoint": ("Train", nothing, ("--resume", "--num_neigh", "3"),
                                       "--num_neigh 3 contradicts"),
    "inference against the checkpoint": ("Infer", nothing, ("--bb_hidden_dim", "64"),
                                         "--bb_hidden_dim 64 contradicts"),
    "scores against the proposals": ("Eval", nothing, ("--num_levels", "2"),
                                     "--num_levels 2 contradicts"),
    "a run that is there": ("Train", nothing, (), "--resume continues it, --overwrite"),
    "--resume and --overwrite": ("Train", nothing, ("--resume", "--overwrite"), "contradict"),
    # results
    "NaN scores": ("Eval", proposals("scores", np.nan), (), "video test0 are damaged"),
    "labels beyond the classes": ("Eval", proposals("labels", 9), (), "the classes are 1 to 2"),
    "NaN in detections": ("Eval", detections({"label": "run", "score": float("nan"),
                                              "segment": [0, 1]}), FOUND, "a finite number"),
    "words in detections": ("Eval", detections({"label": "run", "score": 1,
                                                "segment": ["a", "1"]}), FOUND, "has 'a' for a"),
    # options
    "unknown option": ("Infer", nothing, ("--num_neigbh", "3"), "did you mean --num_neigh?"),
    "a word for a number": ("Train", nothing, (*ANEW, "--num_epoch", "many"),
                            "invalid int value: 'many'"),
    "no GPU": ("Infer", nothing, ("--cache", "gpu"), "--cache gpu needs a GPU"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_one_sentence_and_changes_nothing(run, tmp_path, case):
    script, damage, words, message = CASES[case]
    words = [word.format(folder=tmp_path / "run") for word in words]
    assert message in run(script, damage, *words)


def test_a_mat_file_without_the_video_is_one_sentence(tmp_path, capsys):
    annotations = write_annotations(tmp_path / "thumos_gt.json", {
        "video_test_0000099": entry("test", (1, 2, "Diving"))})
    seconds = np.zeros((1, 5), [("video_duration_seconds", object)])
    seconds["video_duration_seconds"] = 12.5
    savemat(tmp_path / "test_info.mat", {"videos": seconds})
    assert MAINS["Cut"](["--dataset", "thumos", "--video_anno", str(annotations)]) == 2
    assert "test_info.mat has no row for video video_test_0000099" in refusal(capsys.readouterr())


# ---- odd, but usable: said and counted ----------------------------------------------------------

@pytest.mark.parametrize("damage, message", [
    (segment(5, 3), "annotations that end before they start: 1, in train0"),
    (segment(-1, 3), "annotations that start before 0: 1, in train0"),
    (segment(8, 30), "annotations that end after their video: 1, in train0"),
    (segment(3, 3), "annotations that have no length: 1, in train0"),
    (video(annotations=[{"segment": [1, 3], "label": "run"}] * 2), "that occur twice: 1"),
    (video(annotations=[{"segment": [4, 6], "label": "run"}, {"segment": [1, 5], "label": "run"}]),
     "wrote "),
])
def test_odd_annotations_are_counted_and_trained_around(made, tmp_path, capsys, damage, message):
    folder = copy_run(made[0], tmp_path / "run")
    damage(folder)
    assert call("Cut", folder, *made[1]) == 0
    assert message in capsys.readouterr().out
    assert call("Train", folder, *made[1], "--overwrite") == 0


def test_detections_of_unknown_videos_and_labels_are_counted(made, tmp_path, capsys):
    folder = copy_run(made[0], tmp_path / "run")
    row = {"label": "run", "score": 0.5, "segment": [3, 4]}
    (folder / "found.json").write_text(json.dumps({"results": {
        "test0": [row, {**row, "label": "sleep"}], "elsewhere": [row]}}))
    words = [word.format(folder=folder) for word in FOUND]
    assert call("Eval", folder, *made[1], *words) == 0
    said = capsys.readouterr().out
    assert "elsewhere" in said and "sleep" in said
    assert "counts as a false positive" in said
