"""--standardize through the scripts: measured in training, stored, applied by everything later."""

import json

import numpy as np
import pytest
import torch

from tests.small_run import call, make_run, options


def detections(folder):
    return json.loads((folder / "out" / "detections_postNMS.json").read_text())["results"]


def scaled(factor):
    def change(database, arrays):
        for videos in arrays.values():
            for name in videos:
                videos[name] = videos[name] * factor
    return change


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain") / "run"
    make_run(folder, words=["--standardize", "on"])
    return folder


def load(folder):
    return torch.load(folder / "run" / "checkpoint.pth.tar", weights_only=True)


def test_the_scale_of_the_features_changes_nothing(plain, tmp_path):
    """Powers of two, so that not even the last bit differs."""
    make_run(tmp_path / "run", scaled(64), ["--standardize", "on"])
    assert detections(tmp_path / "run") == detections(plain)
    assert load(plain)["standard"].keys() == {"rgb", "flow"}


def test_inference_takes_it_from_the_checkpoint(plain, capsys):
    words = options(plain)
    before = detections(plain)
    assert call("Infer", plain, *words, "--overwrite") == 0
    assert "features are standardized per channel" in capsys.readouterr().out
    assert call("Eval", plain, *words) == 0
    assert detections(plain) == before and any(before.values())


def test_without_sidecars_auto_leaves_features_alone(tmp_path, capsys):
    make_run(tmp_path / "run")
    assert "standardized" not in capsys.readouterr().out
    assert "standard" not in load(tmp_path / "run")


def test_the_strong_recipe_standardizes_channels_of_several_units(tmp_path, capsys):
    def uneven(database, arrays):
        for videos in arrays.values():
            for name in videos:
                videos[name] = videos[name] * 100.0 ** (np.arange(videos[name].shape[1]) % 2)

    more = ["--recipe", "strong", "--steps_per_epoch", "1", "--num_epoch", "1",
            "--bb_hidden_dim", "32", "--deltas", "auto"]
    words = make_run(tmp_path / "run", uneven, more)
    said = capsys.readouterr().out
    assert "features are standardized per channel" in said
    assert "deltas are added to the feature channels" in said
    assert "deltas on" in said and "feature_dropout 0.3" in said
    checkpoint = load(tmp_path / "run")
    assert checkpoint["settings"]["deltas"] == "on"
    measured = sum(len(part["mean"]) for part in checkpoint["standard"].values())
    assert measured == 2 * checkpoint["settings"]["input_feat_dim"]
    assert detections(tmp_path / "run")
    assert call("Train", tmp_path / "run", *words, "--resume") == 0
    assert "is finished" in capsys.readouterr().out
    for name in ("Train", "Infer"):
        resume = ["--resume"] * (name == "Train")
        assert call(name, tmp_path / "run", *words, *resume, "--deltas", "off") == 2
        assert "--deltas off contradicts" in capsys.readouterr().err


def test_a_run_without_deltas_gets_none_later(plain, capsys):
    assert call("Train", plain, *options(plain), "--num_epoch", "3", "--resume",
                "--standardize", "on", "--deltas", "on") == 2
    assert "--deltas on contradicts" in (said := capsys.readouterr().err) and "off" in said


def test_deltas_on_another_scale_are_refused(tmp_path, capsys):
    assert call("Train", tmp_path, "--deltas", "on", "--standardize", "off") == 2
    assert "leave --standardize off out, or give --deltas off" in capsys.readouterr().err


def test_resuming_keeps_what_was_measured(plain, capsys):
    words = options(plain)
    before = load(plain)["standard"]
    assert call("Train", plain, *words, "--num_epoch", "2", "--resume",
                "--standardize", "on") == 0
    after = load(plain)
    assert after["epoch"] == 2
    for stream, part in before.items():
        assert all((after["standard"][stream][name] == part[name]).all() for name in part)
