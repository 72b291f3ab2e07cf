"""The script as a user runs it: what it writes and says, and exit code 2 for every error."""

import json
from pathlib import Path

import numpy as np
import pytest

import Train
from Cut_long_videos import main
from tests.small_data import entry, noise, write_annotations, write_custom, write_hdf5
from Utils.inputs.window_file import read_windows


def cut(tmp_path, *words, change=None, **data):
    """Exit code of a cut of a small dataset into tmp_path/windows."""
    named = write_custom(tmp_path / "data", change=change, **data)
    return main([*named, "--window_path", str(tmp_path / "windows"), *words])


def lists(tmp_path):
    return {name: read_windows(tmp_path / "windows" / f"{name}.json")
            for name in ("train", "val", "infer")}


def test_the_three_lists_are_written_and_counted(tmp_path, capsys):
    assert cut(tmp_path) == 0
    found = lists(tmp_path)
    assert {w.video for w in found["train"][0]} == {"train0", "train1", "train2", "train3"}
    assert {w.video for w in found["val"][0]} == {"train4"}          # one in five is held out
    assert [(w.video, w.index) for w in found["infer"][0]] == [
        (f"test{i}", n) for i in (0, 1) for n in range(7)]
    said = capsys.readouterr().out
    assert "dataset custom" in said and "read 7 videos, 2 classes" in said
    assert f"wrote {len(found['train'][0])} windows of 4 videos to" in said


def test_lists_hold_what_shaped_them(tmp_path):
    cut(tmp_path, "--seed", "3", "--no-use_VSS")
    found = lists(tmp_path)
    shaped = {"dataset": "custom", "framing": "sliding", "temporal_scale": 64, "subset": "test",
              "input_feat_dim": 5, "feature_fps": None, "feature_stride": None,
              "clip_length": None}
    assert found["infer"][1] == {**shaped, "infer_windows": "quarter", "infer_clips": False}
    assert found["train"][1] == {
        **shaped, "recipe": "paper", "train_subset": "train", "val_split": "heldout",
        "use_VSS": False, "short_ratio": 0.4, "clip_win_size": 0.38, "seed": 3,
        "anchor_scale": [1.5, 2.25], "decoder_num_classes": 3}


def test_clips_are_there_with_self_stitching_and_only_then(tmp_path):
    counts = {}
    for flag in ("--use_VSS", "--no-use_VSS"):
        cut(tmp_path, flag)
        counts[flag] = [len(windows) for windows, _ in lists(tmp_path).values()]
    assert counts["--use_VSS"][0] > counts["--no-use_VSS"][0]
    assert counts["--use_VSS"][2] == counts["--no-use_VSS"][2]


def test_validation_on_the_evaluated_subset(tmp_path):
    cut(tmp_path, "--val_split", "test")
    found = lists(tmp_path)
    assert {w.video for w in found["train"][0]} == {f"train{i}" for i in range(5)}
    assert {w.video for w in found["val"][0]} == {"test0", "test1"}


def test_the_strong_recipe_trains_on_every_video_and_watches_a_part_of_them(tmp_path):
    cut(tmp_path, "--recipe", "strong")
    found = lists(tmp_path)
    assert {w.video for w in found["train"][0]} == {f"train{i}" for i in range(5)}
    assert {w.video for w in found["val"][0]} == {"train4"}
    assert found["train"][1]["val_split"] == "none"


def test_whole_videos_of_own_data_are_cut_at_their_own_rate(tmp_path):
    # 10 frames per second: a video of 100 frames is longer than 0.4 * 128 frames, and gets clips.
    cut(tmp_path, "--framing", "whole", "--temporal_scale", "128")
    windows = [w for w in lists(tmp_path)["train"][0] if w.video == "train0"]
    assert windows[-1].end == 10 and len(windows) > 1
    assert all(w.end - w.start <= 0.38 * 12.8 + 1e-9 for w in windows[:-1])


def test_the_feature_rate_may_be_given(tmp_path):
    cut(tmp_path, "--feature_fps", "10.5")
    assert {w.fps for w in lists(tmp_path)["train"][0]} == {10.5}


def test_activitynet_needs_no_features(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "Evaluation/activitynet/annot"
    folder.mkdir(parents=True)
    actions = [{"segment": [20, 24], "label": "Zumba"}, {"segment": [80, 90], "label": "Polo"}]
    (folder / "anet_anno_action.json").write_text(json.dumps({
        f"v_{i}": {"duration_second": 120.0, "annotations": actions} for i in "abc"}))
    (folder / "video_info_new.csv").write_text(
        "video,subset\nv_c,validation\nv_a,training\nv_b,validation\n")
    assert main([]) == 0
    found = {name: read_windows(Path("windows/activitynet") / f"{name}.json")[0]
             for name in ("train", "val", "infer")}
    assert [w.video for w in found["infer"]] == ["v_c", "v_b"]
    # The second action starts inside the first clip or gets its own; the whole video comes last.
    assert found["train"][-1].end == 120 and len(found["train"]) in (2, 3)
    assert found["train"][0].start == found["val"][0].start      # a fresh generator for each list


def test_demo_data_are_written_and_cut(tmp_path):
    assert main(["--dataset", "demo", "--feature_path", str(tmp_path / "demo"), "--window_path",
                 str(tmp_path / "windows")]) == 0
    assert {w.video.split("_")[1] for w in lists(tmp_path)["infer"][0]} == {"test"}


def test_skip_missing_goes_on_and_counts(tmp_path, capsys):
    def change(database, arrays):
        del arrays["rgb"]["train1"]
        arrays["flow"]["test0"][5, 1] = np.nan
        arrays["flow"]["train2"] = arrays["flow"]["train2"][:50]

    assert cut(tmp_path, "--skip_missing", change=change) == 0
    assert "left out 3 videos without usable features: " in capsys.readouterr().out
    assert {w.video for w in lists(tmp_path)["infer"][0]} == {"test1"}


def change_features(stream, video, array):
    def change(database, arrays):
        arrays[stream][video] = array
    return change


def drop(stream, video):
    def change(database, arrays):
        del arrays[stream][video]
    return change


def annotate(video, *actions):
    def change(database, arrays):
        database[video] = entry("train", *actions)
    return change


def no_actions(database, arrays):
    for name in database:
        database[name] = entry(name[:-1])


def only_training(database, arrays):
    for name in ("test0", "test1"):
        del arrays["rgb"][name]


def only_test(database, arrays):
    for i in range(5):
        del database[f"train{i}"]


@pytest.mark.parametrize("change, why", [
    (no_actions, ("no action of its 4 videos lies", "no action of its 1 video lies")),
    (only_test, ("there are no videos for it",) * 2)])
def test_without_actions_to_train_on_there_is_still_inference(tmp_path, capsys, change, why):
    assert cut(tmp_path, change=change) == 0
    said = capsys.readouterr().out
    for name, reason in zip(("train", "val"), why, strict=True):
        assert f"warning: no windows for {name}.json, so Train.py cannot run: {reason}" in said
    assert [len(windows) for windows, _ in lists(tmp_path).values()] == [0, 0, 14]
    words = ["--dataset", "custom", "--feature_path", str(tmp_path / "data"), "--window_path",
             str(tmp_path / "windows"), "--checkpoint_path", str(tmp_path / "run")]
    assert Train.main(words) == 2
    assert capsys.readouterr().err.startswith(f"error: no windows in {tmp_path}/windows/train.json")


@pytest.mark.parametrize("words, change, message", [
    ([], drop("rgb", "train1"), "1 of 7 videos is not in the rgb features: train1"),
    ([], change_features("flow", "test1", noise("x", 50, 2)), "streams differ too much in length"),
    ([], change_features("flow", "test1", noise("x", 0, 2)), "are empty"),
    ([], change_features("rgb", "train3", noise("x", 99, 4)), "extract all of them"),
    (["--input_feat_dim", "2048"], None, "set --input_feat_dim 5"),
    (["--decoder_num_classes", "2"], None, "set --decoder_num_classes 3"),
    (["--subset", "dev"], None, "subset dev; the annotations have train (5 videos), test (2"),
    (["--train_subset", "all"], None, "no video is in subset all"),
    ([], annotate("train0", (1, "b", "run")), "video 'train0', annotation 0: expected a number"),
    (["--skip_missing"], only_training, "no windows for infer.json: no video of subset test has"),
    (["--video_anno", "nowhere.json"], None, "--video_anno nowhere.json: there is no such file"),
    (["--feature_path", "nowhere"], None, "nowhere"),
    (["--is_train", "maybe"], None, "is_train"),
])
def test_a_mistake_is_one_sentence_and_exit_code_2(tmp_path, capsys, words, change, message):
    assert cut(tmp_path, *words, change=change) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and message in captured.err
    assert captured.err.count("\n") == 1 and not (tmp_path / "windows").exists()


def test_thumos_needs_its_features_to_cut(tmp_path, capsys, shared):
    annotations = str(shared / "annotations/thumos14/thumos_gt.json")
    assert main(["--dataset", "thumos", "--video_anno", annotations]) == 2
    assert "error: --feature_path is needed" in capsys.readouterr().err
    assert main(["--dataset", "thumos", "--video_anno", annotations, "--feature_path",
                 str(tmp_path)]) == 2
    assert "no feature file" in capsys.readouterr().err


def test_one_training_video_cannot_be_split(tmp_path, capsys):
    folder = tmp_path / "data"
    folder.mkdir()
    write_annotations(folder / "annotations.json", {"a": entry("train", (1, 2, "x")),
                                                    "b": entry("test")})
    write_hdf5(folder / "f.h5", {"a": noise("a", 100, 3), "b": noise("b", 100, 3)})
    assert main(["--dataset", "custom", "--feature_path", str(folder), "--val_split",
                 "heldout"]) == 2
    assert "none can be held out; leave --val_split out" in capsys.readouterr().err
    assert main(["--dataset", "custom", "--feature_path", str(folder), "--val_split", "none",
                 "--window_path", str(tmp_path / "windows")]) == 0


def test_names_that_look_like_paths_stay_names(tmp_path):
    def change(database, arrays):
        database["../../evil"] = database.pop("test0")
        for videos in arrays.values():
            videos["evil"] = videos.pop("test0")

    assert cut(tmp_path, "--skip_missing", change=change) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "windows"]


def test_lists_of_the_authors_are_kept_unless_told_otherwise(tmp_path, capsys):
    cut(tmp_path)
    path = tmp_path / "windows" / "train.json"
    path.write_text("[]")
    cut(tmp_path)
    assert path.read_text() == "[]"
    assert "kept" in capsys.readouterr().out
    cut(tmp_path, "--overwrite")
    assert path.read_text().startswith("{")
