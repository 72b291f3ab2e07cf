"""What stops a training, what is left then, and how to go on without what is missing."""

import json

import h5py
import numpy as np
import pytest
import torch

from tests.small_run import call, copy_run, make_run, refusal
from Utils.run import locked


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training") / "run"
    return folder, make_run(folder)


@pytest.fixture()
def run(made, tmp_path):
    return copy_run(made[0], tmp_path / "run"), made[1]


def checkpoints(folder):
    return {path.name: path.read_bytes() for path in (folder / "run").glob("*.pth.tar")}


def scale(folder, stream, names, factor):
    with h5py.File(folder / "data" / f"{stream}.h5", "a") as file:
        for name in names:
            file[name][...] = file[name][()] * factor


# ---- losses and features that are not finite -----------------------------------------------------

@pytest.mark.parametrize("video, epoch", [("train1", 2), ("train4", 2)])
def test_huge_features_stop_the_training_and_leave_the_checkpoint(run, capsys, video, epoch):
    """train1 is trained on, train4 validated on: either way, the loss overflows."""
    folder, options = run
    before = checkpoints(folder)
    scale(folder, "rgb", [video], np.float32(1e37))
    assert call("Train", folder, *options, "--resume", "--num_epoch", "3") == 2
    said = refusal(capsys.readouterr())
    assert f"is not finite in epoch {epoch}, at videos " in said and video in said
    assert said.startswith("error: loss_") and "Lower --train_lr, or check" in said
    assert checkpoints(folder) == before


def test_a_huge_learning_rate_stops_the_training(run, capsys):
    folder, options = run
    before = checkpoints(folder)
    assert call("Train", folder, *options, "--resume", "--num_epoch", "9", "--train_lr",
                "1e30") == 2
    assert "is not finite in epoch 2, at videos " in refusal(capsys.readouterr())
    assert checkpoints(folder) == before
    assert call("Train", folder, *options, "--resume", "--num_epoch", "2") == 0
    weights = torch.load(folder / "run/checkpoint.pth.tar", weights_only=True)["state_dict"]
    assert all(value.isfinite().all() for value in weights.values())


def test_huge_features_stop_the_inference_and_leave_the_proposals(run, capsys):
    folder, options = run
    before = (folder / "out/proposals.h5").read_bytes()
    scale(folder, "rgb", ["test1"], np.float32(1e37))
    assert call("Infer", folder, *options) == 2
    assert "the predictions of test1 are not finite; look at" in refusal(capsys.readouterr())
    assert (folder / "out/proposals.h5").read_bytes() == before


# ---- two runs in one folder ----------------------------------------------------------------------

@pytest.mark.parametrize("script, name, words", [
    ("Train", "run", ("--resume", "--num_epoch", "2")), ("Infer", "out", ()), ("Eval", "out", ())])
def test_the_second_run_in_a_folder_is_refused(run, capsys, script, name, words):
    folder, options = run
    with locked(folder / name):
        assert call(script, folder, *options, *words) == 2
        assert f"another run is writing to {folder / name}; wait for it, or choose another" in (
            refusal(capsys.readouterr()))
    assert call(script, folder, *options, *words) == 0


# ---- --skip_missing ------------------------------------------------------------------------------

def test_skip_missing_goes_on_and_says_what_it_left_out(tmp_path, capsys):
    """One video is missing, one has NaN, one has streams that differ: each script counts them."""
    def change(database, arrays):
        del arrays["rgb"]["train1"]
        arrays["rgb"]["test0"][3, 1] = np.nan
        arrays["flow"]["train2"] = arrays["flow"]["train2"][:50]

    folder = tmp_path / "run"
    options = make_run(folder, change, ["--skip_missing"])
    said = capsys.readouterr().out
    assert "left out 3 videos without usable features: train1, train2, test0" in said
    assert "left out 2 videos without usable features" in said      # Train
    assert "left out 1 video without usable features" in said      # Infer
    assert {window["v_name"] for window in json.loads(
        (folder / "windows/train.json").read_text())["windows"]} == {"train0", "train3"}
    scores = json.loads((folder / "out/metrics.json").read_text())
    assert scores["num_videos"] == 2                                # of the ground truth
    assert any("test0" in warning for warning in scores["provenance"]["notes"])
    # Nothing goes on by itself.
    plain = [word for word in options if word != "--skip_missing"]
    assert call("Train", folder, *plain, "--overwrite") == 2
    assert "leave them out with --skip_missing" in refusal(capsys.readouterr())
