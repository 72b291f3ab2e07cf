"""Follow what Infer.py and Eval.py say to do about their results.

The remedy is taken from the words of the message, as in test_named_options.py.
"""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

import Prepare_data
from tests.scripts.test_named_options import adds, found, leaves_out, sets, without
from tests.small_data import noise
from tests.small_run import MAINS, call, copy_run, make_run, refusal
from Utils.files import write_json


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run, the features of three videos that it never saw, and detections from elsewhere."""
    folder = tmp_path_factory.mktemp("results") / "run"
    words = make_run(folder)
    (folder / "new").mkdir()
    for name in "ab":
        np.save(folder / "new" / f"{name}.npy", noise(name, 80, 5))
    (folder / "more").mkdir()
    shutil.copy(folder / "new/a.npy", folder / "more/a.npy")
    np.save(folder / "bad.npy", np.full((80, 5), np.nan, np.float32))
    np.save(folder / "wide.npy", noise("wide", 80, 6))
    detections(folder / "found.json", test0=[(3, 4)], test1=[(2, 4)])
    return folder, words


@pytest.fixture()
def run(made, tmp_path, monkeypatch):
    """A copy of the run, in which the test starts."""
    folder = copy_run(made[0], tmp_path / "run")
    monkeypatch.chdir(folder)
    return folder, made[1]


def detections(path, **segments):
    write_json(path, {"results": {video: [
        {"label": "run", "score": 0.5, "segment": segment} for segment in rows]
        for video, rows in segments.items()}})


# ---- videos without annotations ------------------------------------------------------------------

def infer(*words):
    return MAINS["Infer"](["--checkpoint_path", "run", "--device", "cpu", *words])


ONE, MANY = (["--feature_fps", "10", option] for option in ("--video", "--videos"))
BOTH = [*MANY, "new"]


def renamed(path):
    return str(Path(path).rename(Path(path).with_stem("other")))


# words, how the message is followed
VIDEOS = {
    "one is bad": ([*MANY, "new/a.npy", "bad.npy"], adds(r"or leave it out with (--\w+)")),
    "a folder among files": ([*MANY, "new/a.npy", "new"], lambda words, said: [
        *MANY, found(r"(new) is a folder; expected one folder, or files", said)]),
    "one name twice": ([*MANY, "new/a.npy", "more/a.npy"], lambda words, said: [
        *words[:-1], renamed(found(r"and (\S+) would both be video a; rename one", said))]),
    "no format": ([*BOTH, "--export", "xls"], sets(
        r"(?P<option>--export) xls is not one of (?P<value>\w+)")),
    "no weights": ([*ONE, "new/a.npy", "--checkpoint_path", "new"], lambda words, said: [
        *without(words, "--checkpoint_path"),
        found(r"run Train\.py (--checkpoint_path) new first, or name the folder of a", said),
        "run"]),
    "not for proposals": (["--output_path", "other", "--save_features", "kept"], leaves_out(
        r"or leave (--\w+) out")),
}


@pytest.mark.parametrize("case", VIDEOS)
def test_an_inference_goes_on_as_the_message_says(run, capsys, case):
    words, follow = VIDEOS[case]
    assert infer(*words) == 2
    followed = follow(words, refusal(capsys.readouterr()))
    assert infer(*followed) == 0, capsys.readouterr().err


def test_detections_go_to_label_studio_in_two_steps(run, capsys):
    assert infer(*BOTH, "--export", "labelstudio") == 2
    said = refusal(capsys.readouterr())
    option, command = (found(r"write the detections with (-o \S+),", said).split(),
                       found(r"then say `python Prepare_data.py (.*)`", said))
    assert infer(*BOTH, *option) == 0
    assert Prepare_data.main(shlex.split(command.replace("RATE", "25"))) == 0


def test_a_table_of_detections_is_written_with_the_option(run, capsys):
    assert infer(*BOTH) == 0
    option = found(r"(-o) FILE writes them all", capsys.readouterr().out)
    assert infer(*BOTH, option, "found.csv") == 0


def test_features_of_another_width_are_replaced_by_some_of_the_same(run, capsys):
    assert infer(*ONE, "wide.npy") == 2
    option = found(r"give (--feature_path) a folder of features extracted in the same way",
                   refusal(capsys.readouterr()))
    assert infer(option, "data") == 0


def test_a_folder_of_files_is_replaced_with_the_option(run, capsys):
    """Refused before a network is read, as an inference may take hours."""
    words = [*BOTH, "-o", "found.srt", "--min_score", "0"]
    assert infer(*words) == 0
    capsys.readouterr()
    assert infer(*words, "--checkpoint_path", "nowhere") == 2
    option = found(r"found/a\.srt already exists; (--\w+) replaces it",
                   refusal(capsys.readouterr()))
    assert infer(*words, option) == 0


# ---- scores --------------------------------------------------------------------------------------

def corrects(pattern, change):
    """The message says `pattern`; what it means is done to the folder by `change`."""
    def follow(folder, words, said):
        assert re.search(pattern, said), said
        change(folder)
        return words
    return follow


def by_words(follow):
    return lambda folder, words, said: follow(words, said)


def scored(*names):
    """Evaluations of found.json in these folders."""
    def evaluate(folder):
        for name in names:
            assert MAINS["Eval"]([*FOUND, "--output_path", name]) == 0
    return evaluate


def of_other_videos(folder):
    """The second evaluation is of fewer videos."""
    scored("one")(folder)
    content = json.loads((folder / "data/annotations.json").read_text())
    del content["database"]["test1"]
    write_json("fewer.json", content)
    assert MAINS["Eval"](["--detections", "found.json", "--video_anno", "fewer.json",
                          "--output_path", "two"]) == 0


def without_detections(folder):
    scored("one", "two")(folder)
    (folder / "found.json").rename(folder / "gone.json")


def back_again(folder):
    (folder / "gone.json").rename(folder / "found.json")
    scored("one", "two")(folder)


def video_scores(**scores):
    return lambda folder: write_json(folder / "scores.json", {
        "class": ["jump", "run"], "results": scores})


def again(pattern, folders=("two",)):
    """The words of Eval.py in the pattern's group are said for found.json."""
    def follow(folder, words, said):
        for option, name in [found(pattern, said).split()]:
            assert MAINS["Eval"]([*FOUND, option, name, "--overwrite"]) == 0
        return words
    return follow


FOUND = ("--detections", "found.json", "--video_anno", "data/annotations.json", "--dataset",
         "custom")
COMPARED = ("--compare", "one", "two")
# what is there, the words, how the message is followed
SCORES = {
    "one run": (scored("one", "two"), ("--compare", "one"), by_words(lambda words, said: [
        *found(r"such as (--compare) output_a output_b", said).split(), "one", "two"])),
    "never scored": (scored("one"), COMPARED, again(
        r"two has no metrics\.json; run Eval\.py (--output_path two) first")),
    "the page of a run": (scored("one", "two"), (*COMPARED, "--output_path", "two"), by_words(
        lambda words, said: [*words[:-2], found(r"give another (--\w+)", said), "three"])),
    "other videos": (of_other_videos, COMPARED, corrects(
        "evaluate both on the same videos", lambda folder: MAINS["Eval"](
            [*FOUND, "--output_path", "two", "--overwrite"]))),
    "no detections": (without_detections, COMPARED, corrects(
        "lacks found.json, .*; run Eval.py on them again, with --output_path one", back_again)),
    "no runs": (scored(), ("--list", "nowhere"), by_words(lambda words, said: [
        words[0], found(r"no folder nowhere; name one that holds (run)s", said)])),
    "milliseconds": (lambda folder: detections(folder / "found.json", test0=[(3000, 4000)]), FOUND,
                     corrects("give them in seconds", lambda folder: detections(
                         folder / "found.json", test0=[(3, 4)]))),
    "an impossible value": (scored(), ("--sweep", "nms_alpha_detect=0"), by_words(
        lambda words, said: [*words[:-1], "nms_alpha_detect=" + found(
            r"must be above (0)", said) + ".3"])),
    "a score of nobody": (video_scores(test0=[0.1, 0.9]), ("--video_scores", "scores.json",
                                                          "--overwrite"), corrects(
        "has no scores of 1 of 2 videos: test1; .* or add them",
        video_scores(test0=[0.1, 0.9], test1=[0.3, 0.7]))),
    "left out": (video_scores(test0=[0.1, 0.9]), ("--overwrite", "--video_scores", "scores.json"),
                 by_words(leaves_out(r"leave (--\w+) out"))),
    "a score below 0": (video_scores(test0=[-1, 0.9], test1=[0.3, 0.7]), (
        "--overwrite", "--video_scores", "scores.json"), corrects(
        "of video test0 is not a number of 0 or above; correct the file",
        video_scores(test0=[0.1, 0.9], test1=[0.3, 0.7]))),
    "no layout of DETAD": (lambda folder: write_json(folder / "d.json", {}), (
        "--overwrite", "--detad_anno", "d.json"), by_words(lambda words, said: (
            without(words, "--detad_anno") if "give a file of DETAD's layout" in said else words))),
}


@pytest.mark.parametrize("case", SCORES)
def test_an_evaluation_goes_on_as_the_message_says(run, capsys, case):
    damage, words, follow = SCORES[case]
    folder, _ = run
    damage(folder)
    capsys.readouterr()
    words = [*words] if {"--detections", "--compare", "--list"} & {*words} else [
        "--output_path", "out", *words]
    assert MAINS["Eval"](words) == 2
    followed = follow(folder, words, refusal(capsys.readouterr()))
    assert MAINS["Eval"](followed) == 0, capsys.readouterr().err


def test_another_subset_is_scored_from_the_beginning(run, capsys):
    folder, words = run
    assert call("Eval", folder, *words, "--overwrite", "--subset", "train") == 2
    scripts, option = re.search(r"run (.*) with it as (--subset)", refusal(
        capsys.readouterr())).groups()
    assert scripts == "Cut_long_videos.py, Infer.py and Eval.py"
    for script in ("Cut", "Infer", "Eval"):
        assert call(script, folder, *words, "--overwrite", option, "train") == 0, script
