"""torchrun with two processes gives what one process gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from Evaluation.postprocessing.proposal_file import read_proposals

ROOT = Path(__file__).parents[2]
SMALL = ["--dataset", "demo", "--recipe", "paper", "--bb_hidden_dim", "32",
         "--num_head_layers", "1", "--train_lr", "1e-4", "--device", "cpu"]
# Two processes add up a gradient in another order, so the weights differ in a float's last digit.
# Without the graph it stays there. With it a node whose next neighbours are equally far (to 1e-6)
# takes another one after the first update, and the losses part a little: that is not an error.
TRAININGS = {
    "plain": ["--no-use_xGPN", "--num_epoch", "2", "--batch_size", "251"],
    "graph": ["--use_xGPN", "--num_epoch", "2", "--batch_size", "761"],     # a step per epoch
}


def run(script, folder, name, num_processes, flags):
    places = [f"--feature_path={folder}/data", f"--window_path={folder}/windows",
              f"--checkpoint_path={folder}/{name}", f"--output_path={folder}/{name}_out"]
    launcher = ["-m", "torch.distributed.run", "--standalone",
                f"--nproc_per_node={num_processes}"] if num_processes > 1 else []
    done = subprocess.run([sys.executable, *launcher, str(ROOT / script), *places, *flags],
                          capture_output=True, text=True, cwd=folder,
                          env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the trainings by one process (plain_1, graph_1) and by two (plain_2, ...)."""
    folder = tmp_path_factory.mktemp("distributed")
    run("Cut_long_videos.py", folder, "cut", 1, SMALL)
    for name, flags in TRAININGS.items():
        for num_processes in (1, 2):
            run("Train.py", folder, f"{name}_{num_processes}", num_processes, [*SMALL, *flags])
    return folder


def load(path):
    return torch.load(path, weights_only=True)


def checkpoints(folder, name):
    """The last checkpoints of the training by one process and by two."""
    return [load(folder / f"{name}_{count}" / "checkpoint.pth.tar") for count in (1, 2)]


def test_the_batch_of_the_graph_is_all_windows(trained):
    windows = json.loads((trained / "windows" / "train.json").read_text())["windows"]
    assert f"{len(windows)}" in TRAININGS["graph"]


def test_without_the_graph_two_processes_have_the_losses_of_one(trained):
    one, two = (found["history"] for found in checkpoints(trained, "plain"))
    for ours, theirs in zip(one, two, strict=True):
        for part in ("train", "val"):
            assert theirs[part] == pytest.approx(ours[part], rel=1e-6, abs=1e-6)


def test_with_the_graph_the_first_step_is_equal_and_later_ones_are_close(trained):
    (first, *one), (first_of_two, *two) = (found["history"]
                                           for found in checkpoints(trained, "graph"))
    assert first_of_two["train"] == pytest.approx(first["train"], rel=1e-6, abs=1e-6)
    assert first_of_two["val"] == pytest.approx(first["val"], rel=1e-3, abs=1e-3)
    for ours, theirs in zip(one, two, strict=True):
        for part in ("train", "val"):
            assert theirs[part] == pytest.approx(ours[part], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_end_with_the_weights_of_one(trained, name):
    one, two = (found["state_dict"] for found in checkpoints(trained, name))
    assert one.keys() == two.keys()
    # Adam turns rounding errors of near-zero gradients into steps of up to the learning rate.
    for key in one:
        assert torch.allclose(one[key], two[key], atol=5e-4), key


def test_two_processes_infer_every_window_once(trained):
    for name, num_processes in (("alone", 1), ("together", 2)):
        # The same weights for both: those that one process trained.
        flags = [f"--checkpoint_path={trained}/plain_1", "--batch_size", "50", "--device", "cpu"]
        run("Infer.py", trained, name, num_processes, flags)
    alone, together = (read_proposals(trained / f"{name}_out" / "proposals.h5")[0]
                       for name in ("alone", "together"))
    assert list(alone) == list(together)
    windows = json.loads((trained / "windows" / "infer.json").read_text())["windows"]
    assert set(alone) == {window["v_name"] for window in windows}
    for video in alone:
        ours, theirs = alone.file[video], together.file[video]
        assert np.array_equal(ours.attrs["windows"][:, :3], theirs.attrs["windows"][:, :3])
        assert np.allclose(alone[video].scores.sum(), together[video].scores.sum(), rtol=1e-4)


def test_each_line_of_the_log_is_printed_once(trained):
    flags = ["--dataset", "demo", "--recipe", "paper", "--device", "cpu",
             "--resume", "--num_epoch", "2"]
    assert run("Train.py", trained, "graph_2", 2, flags).count("is finished") == 1
