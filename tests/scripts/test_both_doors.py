"""--check is as strict as the scripts: every refusal about the data, in the same words."""

import h5py
import numpy as np
import pytest

from tests.scripts.test_splits import hidden, only
from tests.small_data import entry
from tests.small_run import call, options

NAN, ZEROS = np.full((100, 3), np.nan, np.float32), np.zeros((100, 3), np.float32)


def video(**values):
    return lambda database, arrays: database["train1"].update(values)


def rgb(name, array):
    return lambda database, arrays: arrays["rgb"].update({name: array})


def segment(start, end, label="run", **more):
    return video(annotations=[{"segment": [start, end], "label": label, **more}])


def everywhere(**values):
    def change(database, arrays):
        for entry_ in database.values():
            entry_.update(values)
    return change


def frames(database, arrays):
    for name in database:
        database[name] = entry(name[:-1], (100, 200, "run"), (300, 400, "jump"))


def missing(database, arrays):
    del arrays["flow"]["train3"], arrays["rgb"]["test1"]


def transposed(database, arrays):
    for name in database:
        arrays["rgb"][name], arrays["flow"][name] = (
            np.zeros((width, 100), np.float32) for width in (32, 33))


def no_annotations(database, arrays):
    database["train0"]["annotations"] = None


def long_actions(database, arrays):
    for name in database:
        database[name] = entry(name[:-1], (0, 9.9, "run"))


# change of the data, words, the script that refuses (Train and Infer after a cut of good data)
CASES = {
    "words for seconds": (segment("a", "b"), (), "Cut"),
    "no segment": (video(annotations=[{"label": "run"}]), (), "Cut"),
    "no label": (segment(1, 2, None), (), "Cut"),
    "no annotations": (no_annotations, (), "Cut"),
    "duration of 0": (video(duration=0), (), "Cut"),
    "duration of words": (video(duration="long"), (), "Cut"),
    "no duration": (video(duration=None), (), "Cut"),
    "no fps": (None, ("--feature_stride", "4"), "Cut"),
    "subset of a number": (video(subset=3), (), "Cut"),
    "no subset": (video(subset=None), (), "Cut"),
    "unknown subset": (None, ("--subset", "other"), "Cut"),
    "unknown training subset": (None, ("--train_subset", "other"), "Cut"),
    "one video held out": (only(["train0", "test0"]), ("--val_split", "heldout"), "Cut"),
    "a single video": (only(["train0"]), (), "Cut"),
    "one label_id": (segment(1, 2, label_id=0), (), "Cut"),
    "frames for seconds": (frames, (), "Cut"),
    "milliseconds": (everywhere(duration=10000.0), (), "Cut"),
    "another rate": (everywhere(duration=13.0), ("--feature_fps", "10"), "Cut"),
    "no features": (missing, (), "Cut"),
    "of another shape": (rgb("train2", np.zeros((100, 3, 4))), (), "Cut"),
    "of another width": (rgb("train2", np.zeros((100, 4))), (), "Cut"),
    "empty": (rgb("train2", ZEROS[:0]), (), "Cut"),
    "of text": (rgb("train2", np.full((100, 3), b"a")), (), "Cut"),
    "streams apart": (rgb("train2", ZEROS[:40]), (), "Cut"),
    "transposed": (transposed, ("--feature_fps", "10"), "Cut"),
    "channels": (None, ("--input_feat_dim", "7"), "Cut"),
    "classes": (segment(1, 2, "swim"), ("--decoder_num_classes", "3"), "Cut"),
    "fewer classes": (None, ("--decoder_num_classes", "7"), "Cut"),
    "NaN": (rgb("train2", NAN), (), "Train"),
    "no training windows": (long_actions, (), "warning"),
    "nothing to score": (hidden(), (), "Eval"),
}


def said_by(capsys):
    """What was printed, on one line."""
    captured = capsys.readouterr()
    return " ".join(captured.out.split()), " ".join(captured.err.split())


@pytest.mark.parametrize("case", CASES)
def test_check_refuses_in_the_words_of_the_scripts(tmp_path, capsys, case):
    change, words, script = CASES[case]
    folder = tmp_path / "run"
    folder.mkdir()
    chosen = [*options(folder, change), *words]
    if script == "Train":
        assert call("Cut", folder, *chosen) == 0
        capsys.readouterr()
        assert call("Train", folder, *chosen) == 2
        sentence = said_by(capsys)[1]
    elif script == "Eval":
        (folder / "found.json").write_text('{"results": {}}')
        assert call("Eval", folder, *chosen, "--detections", folder / "found.json") == 2
        sentence = said_by(capsys)[1].partition("; to score")[0]
    elif script == "warning":
        assert call("Cut", folder, *chosen) == 0
        out = said_by(capsys)[0]
        sentence = out[out.index("no windows for train"):].partition(" warning: ")[0]
    else:
        code = call("Cut", folder, *chosen)
        sentence = said_by(capsys)[1]
        assert (code == 2) == (script == "Cut"), sentence
    assert call("Cut", folder, *chosen, "--check") == (2 if script else 0)
    out, err = said_by(capsys)
    assert sentence.removeprefix("error: ") in out + err


def test_check_finds_what_a_first_refusal_hides(tmp_path, capsys):
    def change(database, arrays):
        missing(database, arrays)
        everywhere(duration=10000.0)(database, arrays)

    folder = tmp_path / "run"
    folder.mkdir()
    assert call("Cut", folder, *options(folder, change), "--check") == 2
    out = said_by(capsys)[0]
    assert "train3" in out and "are the durations in frames or milliseconds?" in out


def test_check_reports_values_classes_and_lengths(tmp_path, capsys):
    def change(database, arrays):
        for name in database:
            arrays["flow"][name][:, 1] = 4
        arrays["rgb"]["train1"], arrays["flow"]["train1"] = (
            arrays[stream]["train0"] for stream in ("rgb", "flow"))
        arrays["rgb"]["train2"][7, 1] = 2e4
        arrays["rgb"]["train3"][:] = 1
        arrays["flow"]["train3"][:] = 4

    folder = tmp_path / "run"
    folder.mkdir()
    assert call("Cut", folder, *options(folder, change), "--check") == 1
    out = capsys.readouterr().out
    for line in ("channels with the same value in all videos (1)\n  1 of flow features: 1\n",
                 "videos with the same features (1)\n  train0 = train1\n",
                 "features beyond 10000 (1)\n  train2 (2e+04)\n",
                 "videos whose features never change (1)\n  train3\n",
                 "  jump: 5 actions, 5 in training, 1.5 to 1.5 s, median 1.5\n",
                 "  run: 7 actions, 5 in training, 1 to 4 s, median 4\n"):
        assert line in out


def test_check_asks_about_videos_of_equal_length(tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    words = options(folder)
    for name, shape in (("rgb", (32, 100)), ("flow", (33, 100))):
        with h5py.File(folder / f"data/{name}.h5", "a") as file:
            for video_name in list(file):
                del file[video_name]
                file[video_name] = np.random.default_rng(len(file)).normal(size=shape)
    assert call("Cut", folder, *words, "--check") == 1
    assert ("all 7 have 32 frames of 100 channels: if that is 32 channels of 100 frames, they are "
            "stored [channels, frames]") in said_by(capsys)[0]


def test_equal_findings_are_one_sentence_with_a_count(tmp_path, capsys):
    def change(database, arrays):
        for name in ("train1", "train2", "test0"):
            arrays["rgb"][name] = NAN

    folder = tmp_path / "run"
    folder.mkdir()
    assert call("Cut", folder, *options(folder, change), "--check") == 2
    out = said_by(capsys)[0]
    assert out.count("NaN or infinite") == 1 and "(and 2 more like it: train2, test0)" in out
