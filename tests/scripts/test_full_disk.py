"""A full disk and a read-only folder: one sentence, exit code 2, and what was there stays."""

import json

import numpy as np
import pytest

from Evaluation.postprocessing.proposal_file import read_proposals
from tests.disks import full, read_only, small_disk
from tests.small_data import noise
from tests.small_run import call, make_run, refusal
from Utils.inputs.window_file import read_windows
from Utils.training.checkpoints import load_checkpoint


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose whole folder is a small disk, where one can be mounted: folder, options."""
    folder = tmp_path_factory.mktemp("disk") / "run"
    with small_disk(folder) as mounted:
        options = make_run(folder)
        np.save(folder / "one.npy", noise("one", 80, 5))
        call("Infer", folder, "--video", folder / "one.npy", "-o", folder / "one.json",
             "--feature_fps", "10")
        yield folder, options, mounted


def read_windows_of(folder):
    return [read_windows(folder / "windows" / f"{name}.json") for name in ("train", "val", "infer")]


def read_checkpoint_of(folder):
    checkpoint = load_checkpoint(folder / "run" / "checkpoint.pth.tar")
    return checkpoint["epoch"], [float(value.sum()) for value in checkpoint["state_dict"].values()]


def read_proposals_of(folder):
    proposals, settings = read_proposals(folder / "out" / "proposals.h5")
    with proposals:
        return settings, [proposals[video].segments.tolist() for video in proposals]


def read_scores_of(folder):
    return [json.loads((folder / "out" / name).read_text())
            for name in ("metrics.json", "detections_postNMS.json", "detad.json")]


def read_one_of(folder):
    return json.loads((folder / "one.json").read_text())


WRITERS = {
    "windows": ("Cut", ["--seed", "5"], read_windows_of),
    "checkpoints": ("Train", ["--resume", "--num_epoch", "2"], read_checkpoint_of),
    "a new training": ("Train", ["--overwrite", "--seed", "5"], read_checkpoint_of),
    "proposals": ("Infer", ["--nms_thr", "0.9", "--overwrite"], read_proposals_of),
    "detections and scores": ("Eval", ["--nms_alpha_detect", "0.1", "--overwrite"], read_scores_of),
    "detections of one video": ("Infer", ["--video", "one.npy", "-o", "one.json", "--feature_fps",
                                          "10", "--max_detections", "1"], read_one_of),
}


@pytest.mark.parametrize("limit", [full, read_only])
@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_reports_a_full_disk_and_leaves_what_was_there(run, capsys, monkeypatch,
                                                                    writer, limit):
    folder, options, mounted = run
    script, words, read = WRITERS[writer]
    monkeypatch.chdir(folder)
    before = read(folder)
    capsys.readouterr()
    with limit(folder, mounted) as reason:
        assert call(script, folder, *options, *words) == 2
        said = refusal(capsys.readouterr())
        assert reason in said and "cannot write" in said
        assert read(folder) == before
    assert not list(folder.rglob("*.part"))
    assert read(folder) == before


def test_room_for_the_curves_but_not_for_a_checkpoint(run, capsys):
    folder, options, mounted = run
    before = read_checkpoint_of(folder)
    with full(folder, mounted, room=2 ** 16):
        assert call("Train", folder, *options, "--resume", "--num_epoch", "2") == 2
        assert "cannot write" in (said := refusal(capsys.readouterr()))
        assert ".pth.tar" in said and "the earlier file is untouched" in said
        assert read_checkpoint_of(folder) == before
    assert call("Train", folder, *options, "--resume", "--num_epoch", "2") == 0
    assert read_checkpoint_of(folder)[0] == 2
