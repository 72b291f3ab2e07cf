"""How many decoding processes an extraction starts beside others of torchrun."""

import joblib
import pytest
import torch

from Engine.inference.sharing import chosen_workers, sharing
from Utils.training.process import Processes


@pytest.mark.parametrize("world, here, expected", [(1, "1", 3), (2, "2", 2), (4, "2", 2),
                                                   (2, None, 2), (8, "8", 1)])
def test_processes_of_torchrun_share_the_cores_of_their_machine(monkeypatch, world, here, expected):
    """Five cores, three videos. If torchrun says nothing, all processes are on this machine."""
    monkeypatch.setattr(joblib, "cpu_count", lambda: 5)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    if here:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", here)
    processes = sharing(Processes(0, world, torch.device("cpu")))
    assert chosen_workers(None, 3, processes) == expected
    assert chosen_workers(7, 9, processes) == 7
