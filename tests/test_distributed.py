"""torchrun with two processes gives what one process gives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from Evaluation.proposal_file import read_proposals

ROOT = Path(__file__).parents[1]
# Large batches, few steps: a float's last digit decides which anchor is matched now and then, and
# over many steps the two runs drift apart as any two roundings do.
SMALL = ["--dataset", "demo", "--num_epoch", "2", "--bb_hidden_dim", "32", "--num_head_layers", "1",
         "--batch_size", "251", "--train_lr", "1e-4", "--device", "cpu"]


def run(script, folder, name, num_processes, flags):
    places = [f"--feature_path={folder}/data", f"--window_path={folder}/windows",
              f"--checkpoint_path={folder}/{name}", f"--output_path={folder}/{name}_out"]
    launcher = ["-m", "torch.distributed.run", "--standalone",
                f"--nproc_per_node={num_processes}"] if num_processes > 1 else []
    done = subprocess.run([sys.executable, *launcher, str(ROOT / script), *places, *flags],
                          capture_output=True, text=True, timeout=300, cwd=folder,
                          env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folders of the same training by one and by two processes."""
    folder = tmp_path_factory.mktemp("distributed")
    run("Cut_long_videos.py", folder, "one", 1, SMALL)
    for name, num_processes in (("one", 1), ("two", 2)):
        run("Train.py", folder, name, num_processes, SMALL)
    return folder


def load(path):
    return torch.load(path, weights_only=True)


def test_two_processes_have_the_losses_of_one(trained):
    one, two = (load(trained / name / "checkpoint.pth.tar")["history"] for name in ("one", "two"))
    for ours, theirs in zip(one, two, strict=True):
        for part in ("train", "val"):
            assert theirs[part] == pytest.approx(ours[part], rel=1e-5, abs=1e-5)


def test_two_processes_end_with_the_weights_of_one(trained):
    one, two = (load(trained / name / "checkpoint.pth.tar")["state_dict"]
                for name in ("one", "two"))
    assert one.keys() == two.keys()
    # Adam turns rounding errors of near-zero gradients into steps of up to the learning rate.
    for name in one:
        assert torch.allclose(one[name], two[name], atol=5e-4), name


def test_two_processes_infer_every_window_once(trained):
    for name, num_processes in (("alone", 1), ("together", 2)):
        # The same weights for both: those that one process trained.
        flags = [f"--checkpoint_path={trained}/one", "--batch_size", "50", "--device", "cpu"]
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
    flags = ["--dataset", "demo", "--device", "cpu", "--resume"]
    assert run("Train.py", trained, "two", 2, flags).count("is finished") == 1
