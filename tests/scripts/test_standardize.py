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
    assert "features are standardised by channel" in capsys.readouterr().out
    assert call("Eval", plain, *words) == 0
    assert detections(plain) == before and any(before.values())


def test_without_sidecars_auto_leaves_features_alone(tmp_path, capsys):
    make_run(tmp_path / "run")
    assert "standardised" not in capsys.readouterr().out
    assert "standard" not in load(tmp_path / "run")


def test_the_strong_recipe_standardises_channels_of_several_units(tmp_path, capsys):
    def uneven(database, arrays):
        for videos in arrays.values():
            for name in videos:
                videos[name] = videos[name] * 100.0 ** (np.arange(videos[name].shape[1]) % 2)

    words = ["--recipe", "strong", "--steps_per_epoch", "1", "--num_epoch", "1",
             "--bb_hidden_dim", "32"]
    make_run(tmp_path / "run", uneven, words)
    assert "features are standardised by channel" in capsys.readouterr().out
    assert "standard" in load(tmp_path / "run")


def test_resuming_keeps_what_was_measured(plain, capsys):
    words = options(plain)
    before = load(plain)["standard"]
    assert call("Train", plain, *words, "--num_epoch", "2", "--resume",
                "--standardize", "on") == 0
    after = load(plain)
    assert after["epoch"] == 2
    for stream, part in before.items():
        assert all((after["standard"][stream][name] == part[name]).all() for name in part)
