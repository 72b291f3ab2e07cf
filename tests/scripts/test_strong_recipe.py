"""The strong recipe through the four scripts: every framing, with classes and without."""

import json

import numpy as np
import pytest
import torch

from tests.small_run import call, copy_run, make_run, refusal
from Utils.inputs.window_file import read_windows

STRONG = ["--recipe", "strong", "--steps_per_epoch", "4", "--batch_size", "4", "--num_epoch", "2",
          "--warmup_steps", "2"]


@pytest.mark.parametrize("more", [[], ["--framing", "whole"],
                                  ["--framing", "whole", "--class_agnostic"], ["--no-use_VSS"]],
                         ids=["sliding", "whole", "class-agnostic", "not stitched"])
def test_from_data_to_scores(tmp_path, more):
    make_run(tmp_path, words=[*STRONG, *more])
    scores = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert scores["num_detections"] > 0
    assert scores["provenance"]["settings"]["recipe"] == "strong"
    checkpoint = torch.load(tmp_path / "run" / "checkpoint.pth.tar", weights_only=True)
    assert checkpoint["settings"]["random_windows"] and checkpoint["epoch"] == 2


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strong") / "run"
    return folder, make_run(folder, words=STRONG)


@pytest.fixture
def run(original, tmp_path):
    """A run of the strong recipe, and its options, to be worked on."""
    folder, words = original
    return copy_run(folder, tmp_path / "run"), words


def test_the_last_epoch_recommends_a_score_and_metrics_hold_it(run, tmp_path):
    folder, _ = run
    checkpoint = torch.load(folder / "run" / "checkpoint.pth.tar", weights_only=True)
    first, last = (epoch["val"] for epoch in checkpoint["history"])
    assert "threshold" not in first and 0 <= last["threshold"] <= 1
    scores = json.loads((folder / "out" / "metrics.json").read_text())
    assert scores["recommended_score"] == last["threshold"]


@pytest.mark.parametrize("more", [["--val_split", "test"],
                                  ["--val_split", "test", "--best_by", "map"],
                                  ["--train_subset", "test"]])
def test_no_score_is_recommended_that_the_evaluated_videos_chose(tmp_path, capsys, more):
    words = make_run(tmp_path, words=[*STRONG, *more])
    assert capsys.readouterr().out.count("no score is recommended, as it would be chosen on the "
                                         "evaluated videos") == 2      # Train and Eval
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert history[-1]["val"]["threshold"] is None
    assert ("mAP" in history[-1]["val"]) == ("map" in more)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["recommended_score"] is None
    assert call("Eval", tmp_path, *words, "--min_score", "auto") == 2
    assert "train with --val_split heldout --best_by map" in refusal(capsys.readouterr())
    # The remedy, followed.
    anew = [*words[:-len(more)], "--val_split", "heldout", "--best_by", "map", "--overwrite"]
    for script in ("Cut", "Train", "Infer"):
        assert call(script, tmp_path, *anew) == 0, script
    assert call("Eval", tmp_path, *anew, "--min_score", "auto") == 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["recommended_score"] >= 0


def test_a_note_says_that_no_held_out_video_chose_the_best_checkpoint(run, capsys):
    folder, words = run
    assert call("Infer", folder, *words, "--checkpoint", "best", "--overwrite") == 0
    assert "has the lowest loss on training videos" in capsys.readouterr().out
    assert call("Infer", folder, *words, "--overwrite") == 0
    assert "lowest loss on training videos" not in capsys.readouterr().out


def test_windows_are_few_and_clips_are_added(run):
    windows, settings = read_windows(run[0] / "windows" / "infer.json")
    assert settings["infer_windows"] == "cover" and settings["infer_clips"]
    # 100 frames, T = 64, clips of 24: two windows and eight clips of each of two videos.
    assert len(windows) == 2 * (2 + 8)


def test_windows_of_the_other_recipe_are_refused(run, capsys):
    folder, words = run
    assert call("Cut", folder, *words, "--recipe", "paper") == 0
    assert call("Infer", folder, *words) == 2
    assert "was cut with --infer_windows quarter" in capsys.readouterr().err
    assert call("Infer", folder, *words, "--recipe", "paper", "--overwrite") == 0


def test_training_by_another_recipe_than_was_cut_for_is_refused(run, capsys):
    folder, words = run
    assert call("Train", folder, *words, "--recipe", "paper", "--overwrite") == 2
    assert "was cut with --recipe strong, this run has paper" in capsys.readouterr().err


def test_a_network_of_the_strong_recipe_can_be_decoded_as_in_the_paper(run):
    folder, words = run
    for script in ("Cut", "Infer", "Eval"):
        assert call(script, folder, *words, "--recipe", "paper", "--overwrite") == 0
    scores = json.loads((folder / "out" / "metrics.json").read_text())
    assert scores["num_detections"] > 0


def test_one_video_is_detected_as_the_recipe_says(run, capsys):
    folder, _ = run
    np.save(folder / "new.npy", np.random.default_rng(0).standard_normal((150, 5)))
    assert call("Infer", folder, "--video", folder / "new.npy", "--feature_fps", 10, "-o",
                folder / "new.json") == 0
    assert "15 windows" in capsys.readouterr().out     # 3 of 64 frames, 12 clips of 24
