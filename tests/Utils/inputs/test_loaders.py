"""How much of the validation list a training reads."""

import pytest
import torch

from Cut_long_videos import main as cut
from tests.small_data import write_custom
from Utils.config.resolve import parse_config
from Utils.inputs import loaders
from Utils.inputs.loaders import training_loaders
from Utils.training.process import Processes


@pytest.mark.parametrize(("val_split", "share"), [("none", 2), ("heldout", 1)])
def test_a_loss_that_chooses_nothing_uses_fewer_windows(tmp_path, monkeypatch, val_split, share):
    words = [*write_custom(tmp_path / "data"), "--recipe", "strong",
             "--val_split", val_split, "--window_path", str(tmp_path / "windows")]
    assert cut(words) == 0
    config, process = parse_config("Train", words), Processes(0, 1, torch.device("cpu"))
    _, (_, every), _ = training_loaders(config, process)
    monkeypatch.setattr(loaders, "SHOWN", -(-len(every.dataset) // 2))
    _, (_, val), lines = training_loaders(config, process)
    windows = every.dataset.windows
    assert len(windows) > 1
    assert val.dataset.windows == windows[::share]
    assert f"{len(windows[::share])} for validation" in lines[-1]
