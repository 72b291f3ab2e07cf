"""The table of runs: found below a folder, best first."""

import json
import os

import numpy as np
import pytest

import Eval
from Evaluation.runs import runs_table, shown_runs
from Utils.data.annotations import Video
from Utils.files import UserError
from Utils.inputs.loaders import few_to_choose_by


def write_run(folder, name, mean=None, epochs=2, minute=0):
    """A folder of checkpoints and, with a mean, one of results."""
    run = folder / f"checkpoint_{name}"
    run.mkdir(parents=True)
    (run / "checkpoint.pth.tar").touch()
    os.utime(run / "checkpoint.pth.tar", (1_700_000_000 + 60 * minute,) * 2)
    config = {"dataset": "custom", "recipe": "strong", "num_epoch": 5,
              "feature_path": "/data/birds"}
    (run / "config.json").write_text(json.dumps(config))
    (run / "history.json").write_text(json.dumps([{"epoch": epoch} for epoch in range(epochs)]))
    if mean is not None:
        out = folder / f"output_{name}"
        out.mkdir()
        (out / "config.json").write_text(json.dumps(config | {"checkpoint_path": str(run)}))
        (out / "metrics.json").write_text(json.dumps({"mAP": [mean - .1, mean + .1]}))


def test_runs_are_shown_best_first_and_unscored_ones_last(tmp_path, monkeypatch, capsys):
    write_run(tmp_path / "deep" / "er", "good", .75, epochs=5)
    write_run(tmp_path, "older", minute=1)
    write_run(tmp_path, "newer", minute=2)
    write_run(tmp_path, "bad", .25)
    table = runs_table([tmp_path])
    assert [name.rpartition("_")[2] for name in table["run"]] == ["good", "bad", "newer", "older"]
    assert table["mAP %"][:2].tolist() == pytest.approx([75, 25]) and np.isnan(table["mAP %"][2])
    assert table["epochs"].tolist() == ["5/5", "2/5", "2/5", "2/5"]
    assert set(table["data"]) == {"custom (birds)"} and set(table["recipe"]) == {"strong"}
    assert table["date"][2] > table["date"][3]
    monkeypatch.chdir(tmp_path)
    assert Eval.main(["--list"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[1].split() == ["deep/er/checkpoint_good", "custom", "(birds)",
                                            "strong", "5/5", "75.00",
                                            *table["date"][0].split()]
    assert Eval.main(["--list", "deep"]) == 0 and "bad" not in capsys.readouterr().out


def test_folders_without_runs_and_broken_files_are_not_an_error(tmp_path):
    assert "no runs in" in shown_runs([tmp_path])
    write_run(tmp_path, "odd", .5)
    (tmp_path / "checkpoint_odd" / "config.json").write_text("[")
    (tmp_path / "checkpoint_odd" / "history.json").write_text("{}")
    assert runs_table([tmp_path])["epochs"].tolist() == ["?/?"]
    with pytest.raises(UserError, match="no folder .*nowhere"):
        runs_table([tmp_path / "nowhere"])


def test_choosing_an_epoch_by_few_actions_gives_a_warning():
    video = Video("v", "val", 10.0, np.zeros((60, 2)), np.ones(60, np.int64))
    assert few_to_choose_by([video, video]) == []
    line, = few_to_choose_by([video])
    assert "by 60 actions of 1 validation video;" in line and "--checkpoint last" in line
