"""Exported programs compute what the network does, without any code of this project."""

import contextlib
import dataclasses
import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import Export_model
from Engine.inference.network_export import OUTPUTS, agrees_from, ties_by_index
from Models import GCNs
from Models.VSGN import VSGN
from Utils.config.resolve import resolve, settings
from Utils.files import UserError
from Utils.training.checkpoints import LAST, save_checkpoint

CHANNELS, LENGTH = 6, 64
CONFIG = resolve({"dataset": "demo", "recipe": "strong", "input_feat_dim": CHANNELS,
                  "temporal_scale": LENGTH, "num_levels": 3, "bb_hidden_dim": 32,
                  "num_head_layers": 1, "num_neigh": 6})
CLASSES = [f"class {k}" for k in range(6)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Folder of a checkpoint with random weights, and the network in it."""
    folder = tmp_path_factory.mktemp("export")
    torch.manual_seed(3)
    model = VSGN(CONFIG).eval()
    save_checkpoint(folder / LAST, {"epoch": 1, "state_dict": model.state_dict(),
                                    "settings": settings(CONFIG), "classes": CLASSES})
    return folder, model


@pytest.fixture(scope="module")
def program(run):
    """What Export_model.py says, after it has written model.pt2 and model.json."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert export(run, "model.pt2") == 0
    return said.getvalue()


def export(run, name):
    return Export_model.main(["--checkpoint_path", str(run[0]), "--checkpoint", "last",
                              "-o", str(run[0] / name)])


def test_a_program_stands_alone_and_takes_any_batch(run, program):
    assert "agrees with the network: largest difference" in program
    folder, model = run
    features, num_frames = torch.randn(7, CHANNELS, LENGTH), torch.tensor([64, 40, 25, 20, 9, 3, 1])
    with torch.no_grad():
        expected = vars(model(features, num_frames))
    torch.save((features, num_frames), folder / "inputs.pt")
    subprocess.run([sys.executable, "-I", "-c", "import torch; program = torch.export.load("
                    "'model.pt2').module(); torch.save(program(*torch.load('inputs.pt')), "
                    "'outputs.pt')"], cwd=folder, check=True)
    for name, value in zip(OUTPUTS, torch.load(folder / "outputs.pt"), strict=True):
        assert torch.allclose(value.detach(), expected[name], atol=1e-4), name


def test_a_program_has_its_facts_beside_it(run, program):
    facts = json.loads((run[0] / "model.json").read_text())
    assert facts["classes"] == CLASSES and facts["standard"] is None
    assert facts["settings"]["temporal_scale"] == LENGTH
    assert facts["settings"]["boundary_power"] == 0.25
    assert facts["agrees_from"] == agrees_from(CONFIG) == 26


def test_a_program_of_another_network_is_refused(run, program):
    torch.manual_seed(4)
    with pytest.raises(UserError, match="differs from the network by"):
        Export_model.check_program(run[0] / "model.pt2", VSGN(CONFIG).eval(), (CHANNELS, LENGTH))


def test_a_program_agrees_on_clips_of_every_length(run, program):
    folder, model = run
    num_frames = torch.arange(1, LENGTH + 1)          # those up to 0.4 * LENGTH are stitched
    features = torch.randn(LENGTH, CHANNELS, LENGTH)
    with torch.no_grad():
        expected = vars(model(features, num_frames))
    found = torch.export.load(folder / "model.pt2").module()(features, num_frames)
    for name, value in zip(OUTPUTS, found, strict=True):
        assert torch.allclose(value.detach(), expected[name], atol=1e-4), name


@pytest.fixture(scope="module")
def onnx(run):
    """What Export_model.py says, after it has written model.onnx and model.json."""
    lacking = [name for name in ("onnx", "onnxscript", "onnxruntime")
               if importlib.util.find_spec(name) is None]
    if lacking:
        pytest.skip(f"ONNX IS NOT TESTED: {', '.join(lacking)} not installed")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert export(run, "model.onnx") == 0
    return said.getvalue()


def test_onnx_agrees_with_the_network_on_clips_of_every_length(run, onnx):
    """Of equal neighbours, such as those that a stitched clip excludes, ONNX takes the first."""
    assert "agrees with the network: largest difference" in onnx
    runner = Export_model.onnx_runner(run[0] / "model.onnx")
    features, num_frames = torch.randn(LENGTH, CHANNELS, LENGTH), torch.arange(1, LENGTH + 1)
    with torch.no_grad(), ties_by_index():
        expected = vars(run[1](features, num_frames)).values()
    for name, value, found in zip(OUTPUTS, expected, runner(features, num_frames), strict=True):
        assert torch.allclose(torch.from_numpy(found), value, atol=1e-4), name
    # Longer windows exclude none: there the rule makes no difference.
    whole = num_frames >= agrees_from(CONFIG)
    with torch.no_grad():
        expected = vars(run[1](features, num_frames)).values()
    for name, value, found in zip(OUTPUTS, expected, runner(features, num_frames), strict=True):
        assert torch.allclose(torch.from_numpy(found)[whole], value[whole], atol=1e-4), name
    assert "windows of fewer than 26 frames may lack neighbours" in onnx


def test_the_example_with_onnxruntime_runs(run, onnx, tmp_path, monkeypatch, capsys):
    """The lines of docs/python.md, unchanged."""
    text = (Path(__file__).parents[3] / "docs/python.md").read_text(encoding="utf-8")
    lines, = re.findall(r"^```\n(import json, numpy as np, onnxruntime\n.*?)^```$", text,
                        re.M | re.S)
    for name in ("model.onnx", "model.json"):
        shutil.copy(run[0] / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    np.save("video.npy", np.random.default_rng(0).normal(size=(40, CHANNELS)).astype(np.float32))
    found = {}
    exec(compile(lines, "docs/python.md", "exec"), found)      # noqa: S102
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 5 and any(name in said[0] for name in CLASSES)
    with torch.no_grad():
        features = torch.zeros(1, CHANNELS, LENGTH)
        features[0, :, :40] = torch.from_numpy(np.load("video.npy")).T
        expected = run[1](features, torch.tensor([40]))
    assert np.abs(found["boxes"] - expected.adjusted.numpy()).max() < 1e-3


def test_onnx_without_its_packages_is_refused_in_a_sentence(run, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name: None if name.startswith("onnx") else found(name))
    assert export(run, "none.onnx") == 2
    assert "pip install onnx onnxscript, or write a .pt2 file" in capsys.readouterr().err
    assert not (run[0] / "none.onnx").exists()


@pytest.mark.parametrize("name", ["model.pth", "model"])
def test_another_kind_of_file_is_refused(run, capsys, name):
    assert export(run, name) == 2
    assert "ends in .pt2 or .onnx" in capsys.readouterr().err


def test_ties_are_taken_by_index_for_a_while():
    distance = torch.tensor([[[1., torch.inf, 0., torch.inf, torch.inf]]])
    before = GCNs.nearest
    with ties_by_index():
        assert GCNs.nearest(distance, 4).tolist() == [[[2, 0, 1, 3]]]
    assert GCNs.nearest is before


@pytest.mark.parametrize("neighbours, least, is_stitched", [(6, 26, False), (3, 16, True),
                                                            (1, 1, True)])
def test_from_some_length_on_the_rule_for_ties_makes_no_difference(neighbours, least, is_stitched):
    """In stitched windows too, whatever their features; in shorter ones it does make one."""
    config = dataclasses.replace(CONFIG, num_neigh=neighbours)
    assert agrees_from(config) == least
    assert (least <= config.short_ratio * LENGTH) == is_stitched
    torch.manual_seed(5)
    model = VSGN(config).eval()
    num_frames = torch.arange(1, LENGTH + 1).repeat(3)
    features = torch.randn(len(num_frames), CHANNELS, LENGTH)
    with torch.no_grad():
        freely = model(features, num_frames).logits
        with ties_by_index():
            by_index = model(features, num_frames).logits
    differs = ((freely - by_index).abs() > 1e-5).flatten(1).any(dim=1)
    assert not differs[num_frames >= least].any()
    assert differs.any() == (least > 1)


def test_networks_without_stitching_or_graph_agree_everywhere():
    assert agrees_from(dataclasses.replace(CONFIG, use_VSS=False)) == 1
    assert agrees_from(dataclasses.replace(CONFIG, use_xGPN=False)) == 1
