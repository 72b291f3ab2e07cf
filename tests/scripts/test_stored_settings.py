"""Checkpoints, window lists and proposals whose settings were changed: one sentence each."""

import json

import h5py
import numpy as np
import pytest
import torch

from tests.small_run import call, copy_run, make_run, refusal

CHANGES = [("use_xGPN", "false"), ("use_xGPN", 1), ("gcn_insert", []), ("gcn_insert", "both"),
           ("num_head_layers", 10 ** 7), ("num_head_layers", -1), ("num_head_layers", 2.5),
           ("temporal_scale", "64"), ("temporal_scale", True), ("temporal_scale", 65),
           ("anchor_scale", []), ("anchor_scale", 1.5), ("anchor_scale", [float("nan")]),
           ("anchor_scale", [1.0] * 2000), ("num_neigh", 0), ("num_neigh", 10 ** 9),
           ("bb_hidden_dim", 33), ("bb_hidden_dim", 32 * 10 ** 7), ("num_levels", 40),
           ("decoder_num_classes", 10 ** 12), ("decoder_num_classes", 1), ("dataset", "unknown"),
           ("dataset", ["custom"]), ("recipe", None), ("framing", "both"), ("agg_type", {}),
           ("nms_thr", "0.4"), ("nms_thr", float("inf")), ("vote_iou", [0.5]),
           ("iou_thr", [0.5]), ("stitch_gap", 10 ** 6), ("clip_win_size", -1), ("seed", -1),
           ("max_detections", 0), ("max_detections", None), ("edge_weight", "true"),
           ("nfeat_mode", "feat"), ("class_agnostic", 0), ("base_stride", 8),
           ("input_feat_dim", 2 ** 62)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored") / "run"
    return folder, make_run(folder)


def without(words, name):
    """The words of a command line without an option, so that the file decides."""
    at = words.index(f"--{name}") if f"--{name}" in words else None
    return words if at is None else words[:at] + words[at + 2:]


@pytest.mark.parametrize("name, value", CHANGES, ids=[f"{n}={str(v)[:12]}" for n, v in CHANGES])
def test_a_checkpoint_is_not_believed(made, tmp_path, capsys, name, value):
    folder = copy_run(made[0], tmp_path / "run")
    path = folder / "run" / "best.pth.tar"
    content = torch.load(path, weights_only=True)
    content["settings"][name] = value
    torch.save(content, path)
    before = (folder / "out" / "proposals.h5").read_bytes()
    words = ["--overwrite", *without(made[1], name)]
    assert call("Infer", folder, *words) == 2, capsys.readouterr().err
    refusal(capsys.readouterr())
    assert (folder / "out" / "proposals.h5").read_bytes() == before


@pytest.mark.parametrize("name, value", [("use_VSS", 1), ("use_VSS", "false"), ("dataset", []),
                                         ("temporal_scale", "64"), ("short_ratio", "0.4"),
                                         ("anchor_scale", [-1]), ("decoder_num_classes", 2.0)])
def test_a_window_list_is_not_believed(made, tmp_path, capsys, name, value):
    folder = copy_run(made[0], tmp_path / "run")
    path = folder / "windows" / "train.json"
    content = json.loads(path.read_text())
    content["settings"][name] = value
    path.write_text(json.dumps(content))
    assert call("Train", folder, *made[1], "--overwrite") == 2
    assert f"train.json says that it was made with --{name} " in refusal(capsys.readouterr())
    # The remedy: it is made again.
    assert call("Cut", folder, *made[1]) == 0
    assert call("Train", folder, *made[1], "--overwrite") == 0


@pytest.mark.parametrize("name, value", [("class_agnostic", "false"), ("nms_alpha_detect", []),
                                         ("nms_by_class", 1), ("max_detections", -1),
                                         ("dataset", "unknown"), ("vote_iou", "0.5")])
def test_proposals_are_not_believed(made, tmp_path, capsys, name, value):
    folder = copy_run(made[0], tmp_path / "run")
    with h5py.File(folder / "out" / "proposals.h5", "r+") as file:
        content = json.loads(file.attrs["settings"])
        content[name] = value
        del file.attrs["settings"]
        file.attrs["settings"] = np.bytes_(json.dumps(content))
    assert call("Eval", folder, *made[1], "--overwrite") == 2
    assert f"proposals.h5 says that it was made with --{name} " in refusal(capsys.readouterr())
