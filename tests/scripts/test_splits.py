"""Subsets as people bring them: hidden test videos, one training video, other names.

Every remedy that a message names is followed here.
"""

import json

import pytest

from tests.small_data import entry, noise
from tests.small_run import call, copy_run, make_run, options, refusal


def hidden(subset_of_labelled=None):
    """Test videos without actions; two more, labelled ones, of another subset."""
    def change(database, arrays):
        for name in ("test0", "test1"):
            database[name]["annotations"] = []
        for number in range(2 if subset_of_labelled else 0):
            name = f"more{number}"
            database[name] = entry(subset_of_labelled, (2, 4, "run"), (5, 6, "jump"))
            for stream, width in (("rgb", 3), ("flow", 2)):
                arrays[stream][name] = noise(stream + name, 100, width)
    return change


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory):
    """A run whose test videos have no actions, up to its proposals; and its options."""
    folder = tmp_path_factory.mktemp("hidden") / "run"
    folder.mkdir()
    words = options(folder, hidden())
    for script in ("Cut", "Train", "Infer"):
        assert call(script, folder, *words) == 0
    return folder, words


def test_hidden_test_videos_are_detected_in_and_the_remedy_scores(unlabelled, tmp_path, capsys):
    folder, words = copy_run(unlabelled[0], tmp_path / "run"), unlabelled[1]
    assert call("Eval", folder, *words) == 2
    said = refusal(capsys.readouterr())
    assert "nothing to score, since no video of subset test (2 in all) has an action" in said
    assert "with --subset, in Cut_long_videos.py, Infer.py and Eval.py" in said
    found = json.loads((folder / "out/detections_postNMS.json").read_text())["results"]
    assert set(found) == {"test0", "test1"} and "detections_postNMS.json" in said
    assert not (folder / "out/metrics.json").exists()
    # Eval.py alone would score videos that have no detections.
    assert call("Eval", folder, *words, "--subset", "train") == 2
    assert "none of its 2 videos is among those of subset train" in refusal(capsys.readouterr())
    for script in ("Cut", "Infer", "Eval"):
        assert call(script, folder, *words, "--subset", "train", "--overwrite") == 0, script
    assert json.loads((folder / "out/metrics.json").read_text())["num_videos"] == 5


def test_cut_and_check_say_that_there_is_nothing_to_score(unlabelled, tmp_path, capsys):
    folder, words = copy_run(unlabelled[0], tmp_path / "run"), unlabelled[1]
    line = "no video of subset test has an action: Infer.py and Eval.py write"
    assert call("Cut", folder, *words) == 0
    assert line in capsys.readouterr().out
    assert call("Cut", folder, *words, "--check") == 2
    said = capsys.readouterr().out
    assert line in said and "there is nothing to score, since no video of subset test" in " ".join(
        said.split())


def test_labelled_val_videos_are_evaluated_in_place_of_hidden_ones(tmp_path, capsys):
    folder = tmp_path / "run"
    make_run(folder, hidden("validation"))
    said = capsys.readouterr().out
    assert "no video of subset test has an action: val is evaluated instead" in said
    scores = json.loads((folder / "out/metrics.json").read_text())
    assert scores["num_videos"] == 2 and scores["subset"] == "val"
    infer = json.loads((folder / "windows/infer.json").read_text())
    assert {w["v_name"] for w in infer["windows"]} == {"more0", "more1"}


# ---- few videos, other names --------------------------------------------------------------------

def only(names, subset=None):
    """Only these of the small data's videos, all of one subset."""
    def change(database, arrays):
        for name in set(database) - set(names):
            for videos in (database, *arrays.values()):
                del videos[name]
        for name in names:
            database[name]["subset"] = subset or database[name]["subset"]
    return change


def cut(folder, change, *words):
    folder.mkdir(exist_ok=True)
    return call("Cut", folder, *options(folder, change), *words)


def test_one_training_video_is_enough(tmp_path, capsys):
    folder = tmp_path / "run"
    make_run(folder, only(["train0", "test0"]), ["--recipe", "paper"])
    assert "subset train has one video: nothing is held out" in capsys.readouterr().out
    assert json.loads((folder / "windows/val.json").read_text())["settings"]["val_split"] == "none"
    assert call("Cut", folder, *options(folder, only(["train0", "test0"])), "--recipe", "paper",
                "--val_split", "heldout") == 2
    assert "leave --val_split out, or give --val_split none" in refusal(capsys.readouterr())
    for words in ((), ("--val_split", "none")):
        assert cut(folder, only(["train0", "test0"]), "--recipe", "paper", *words) == 0


@pytest.mark.parametrize("door", [(), ("--check",)])
def test_a_single_video_is_refused_with_a_remedy_that_works(tmp_path, capsys, door):
    change = only(["train0"], "training")
    assert cut(tmp_path / "run", change, *door) == 2
    said = "".join(capsys.readouterr())
    assert "no video is in subset test; the annotations have training (1 video); choose one of " \
           "these with --subset" in " ".join(said.split())
    assert cut(tmp_path / "run", change, "--subset", "training", *door) == 0


@pytest.mark.parametrize("count", [2, 3])
def test_a_few_training_videos_are_split(tmp_path, capsys, count):
    names = [f"train{i}" for i in range(count)]
    assert cut(tmp_path / "run", only(names, "train")) == 0
    said = capsys.readouterr().out
    assert "all videos are for training, so one in 5 (1 in all) becomes subset val" in said
    assert cut(tmp_path / "run", only(names, "train"), "--check") == 0
    assert "so one in 5 (1 in all) becomes subset val" in capsys.readouterr().out


@pytest.mark.parametrize("door", [(), ("--check",)])
def test_a_subset_that_nothing_uses_is_reported(tmp_path, capsys, door):
    def change(database, arrays):
        database["train4"]["subset"] = "holdout"

    assert cut(tmp_path / "run", change, *door) == 0
    assert "not used: 1 video of subset holdout (see --train_subset" in capsys.readouterr().out


def test_split_is_another_word_for_subset(tmp_path, capsys):
    def change(database, arrays):
        for video in database.values():
            video["split"] = {"train": "Training", "test": "Testing"}[video.pop("subset")]

    assert cut(tmp_path / "run", change) == 0
    assert "2 videos to" in capsys.readouterr().out


# ---- names --------------------------------------------------------------------------------------

@pytest.mark.parametrize("rename, words", [
    (lambda name: f"{name}.mp4", "h5 they end in .mp4: train0.mp4"),
    (lambda name: f"video_{name}", "h5 they begin with video_: video_train0"),
    (str.upper, "h5 they differ in upper and lower case: TRAIN0")])
def test_missing_features_show_the_names_that_are_there(tmp_path, capsys, rename, words):
    def change(database, arrays):
        for stream in arrays:
            arrays[stream] = {rename(name): array for name, array in arrays[stream].items()}

    assert cut(tmp_path / "run", change) == 2
    said = refusal(capsys.readouterr())
    assert words in said and f"h5 has {rename('test0')}, {rename('test1')}" in said
    assert cut(tmp_path / "run", change, "--check") == 2
    assert words in " ".join(capsys.readouterr().out.split())


def test_detections_of_other_names_are_refused_with_the_difference(tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    words = options(folder)
    row = {"label": "run", "score": "0.5", "segment": ["3", 4.0]}
    (folder / "found.json").write_text(json.dumps({"results": {"test0.mp4": [row]}}))
    words += ["--detections", folder / "found.json"]
    assert call("Eval", folder, *words) == 2
    said = refusal(capsys.readouterr())
    assert "it has test0.mp4, the ground truth has test0, test1" in said
    assert "outside the ground truth they end in .mp4" in said
    (folder / "found.json").write_text(json.dumps({"results": {"test0": [row], "test1.mp4": []}}))
    assert call("Eval", folder, *words) == 0
    assert json.loads((folder / "out/metrics.json").read_text())["mAP"][0] > 0.4


def test_a_run_of_other_videos_scores_nothing(unlabelled, tmp_path, capsys):
    folder, words = copy_run(unlabelled[0], tmp_path / "run"), unlabelled[1]
    database = {f"other{i}": entry("test", (1, 2, "run")) for i in range(2)}
    (folder / "data/annotations.json").write_text(json.dumps({"database": database}))
    assert call("Eval", folder, *words) == 2
    assert "none of its 2 videos is among those of subset test in the ground truth: it has test0," \
           in refusal(capsys.readouterr())
    assert not (folder / "out/metrics.json").exists()
