"""Extractors with networks, loaded from local weights.

The weights are random: they give no useful features, but test the way to them. Some
builds of torchvision do not fit the torch beside them, for lack of one operator that
nothing here uses; the tests put in a stand-in for it, so that the networks can be
imported.
"""

import functools
import importlib.util
import re
import shutil
import sys

import numpy as np
import pytest
import torch

from Models.extractors.registry import Setting, build, split
from tests.video_files import even_times, write_video
from Utils.data.sidecars import differences
from Utils.files import UserError

STAND_INS = []


@functools.cache
def torchvision():
    """Torchvision, or a loud skip."""
    while True:
        try:
            return importlib.import_module("torchvision")
        except ImportError:
            pytest.skip("TORCHVISION ABSENT: pip install torchvision")
        except RuntimeError as problem:
            lacking = re.search(r"operator torchvision::(\w+) does not exist", str(problem))
            if not lacking:
                raise
            if not STAND_INS:
                STAND_INS.append(torch.library.Library("torchvision", "DEF"))
            STAND_INS[0].define(f"{lacking[1]}(Tensor x) -> Tensor")
            for name in [name for name in sys.modules if name.startswith("torchvision")]:
                del sys.modules[name]


def transformers():
    """Transformers, which imports torchvision if it is installed, or a loud skip."""
    if importlib.util.find_spec("torchvision"):
        torchvision()
    return pytest.importorskip("transformers", reason="TRANSFORMERS ABSENT: pip install "
                                                      "transformers")


@pytest.fixture(scope="module")
def state_dict(tmp_path_factory):
    """A file of random weights of r2plus1d_18, in torchvision's layout."""
    torch.manual_seed(3)
    network = torchvision().models.get_model("r2plus1d_18", weights=None)
    path = tmp_path_factory.mktemp("weights") / "r2plus1d_18.pth"
    torch.save(network.state_dict(), path)
    return path


def clip(extractor, seed=0):
    shape = extractor.shape
    return np.random.default_rng(seed).integers(
        0, 255, (shape.frames, *shape.crop, 3)).astype(np.uint8)


def test_features_are_those_before_the_classifier(state_dict):
    extractor = build("r2plus1d_18", Setting(weights=str(state_dict)))
    assert extractor.channels == 512 and extractor.identity["clip_length"] == 16
    network = torchvision().models.get_model("r2plus1d_18", weights=None)
    network.load_state_dict(torch.load(state_dict, weights_only=True))
    pictures = torch.from_numpy(clip(extractor)).permute(0, 3, 1, 2)
    weights = torchvision().models.get_model_weights("r2plus1d_18").DEFAULT
    with torch.inference_mode():
        scores = network.eval()(weights.transforms()(pictures)[None])
        again = network.fc(torch.from_numpy(extractor.forward([clip(extractor)])))
    assert torch.allclose(scores, again, atol=1e-5)


def test_batches_change_nothing(state_dict):
    extractor = build("r2plus1d_18", Setting(weights=str(state_dict)))
    clips = [clip(extractor, seed) for seed in range(2)]
    assert (extractor.forward(clips)[1] == extractor.forward(clips[1:])[0]).all()


def test_other_weights_are_another_extractor(state_dict, tmp_path):
    content = torch.load(state_dict, weights_only=True)
    content["fc.bias"] += 1
    torch.save(content, tmp_path / "other.pth")
    first, second = (build("r2plus1d_18", Setting(weights=str(path))).identity
                     for path in (state_dict, tmp_path / "other.pth"))
    assert differences(first, second).startswith("weights (")


@pytest.mark.parametrize("name", ["s3d", "mvit_v2_s"])
def test_other_networks_have_the_channels_announced(name, tmp_path):
    torch.save(torchvision().models.get_model(name, weights=None).state_dict(),
               tmp_path / "w.pth")
    extractor = build(name, Setting(weights=str(tmp_path / "w.pth")))
    assert extractor.forward([clip(extractor)]).shape == (1, extractor.channels)


def test_files_without_weights_are_refused(state_dict, tmp_path):
    torchvision()
    (tmp_path / "w.pth").write_bytes(b"nothing")
    torch.save({"a": torch.zeros(1)}, tmp_path / "v.pth")
    for path, words in ((tmp_path / "absent.pth", "no weights file at"),
                        (tmp_path / "w.pth", "holds no weights of torchvision's r2plus1d_18"),
                        (tmp_path / "v.pth", "holds no weights of torchvision's r2plus1d_18")):
        with pytest.raises(UserError, match=words):
            build("r2plus1d_18", Setting(weights=str(path)))


def test_weights_that_cannot_be_downloaded_have_a_remedy(monkeypatch, tmp_path):
    torchvision()
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")     # nobody listens there
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(UserError, match="cannot be downloaded .* name the file with --weights"):
        build("r2plus1d_18", Setting())


def test_a_join_has_the_channels_of_both(state_dict, tmp_path):
    pytest.importorskip("av")
    pytest.importorskip("cv2")
    from Engine.inference.extraction import features_of
    path = write_video(tmp_path / "a.mp4", even_times(4, 15), rate=15)
    setting = Setting(weights=str(state_dict))
    parts = [build(name, setting) for name in ("motion", "r2plus1d_18")]
    joined = build("motion+r2plus1d_18", setting)
    assert joined.channels == sum(part.channels for part in parts)
    assert joined.identity["weights"] == [None, parts[1].identity["weights"]]
    expected = np.concatenate([features_of(path, part)[0] for part in parts], axis=1)
    assert (features_of(path, joined)[0] == expected).all() and len(expected) == 2


@pytest.mark.parametrize("name, parts", [
    ("motion", ["motion"]), ("motion+s3d", ["motion", "s3d"]),
    ("hf:a/b+motion", ["hf:a/b", "motion"]), ("motion+hf:a+b+s3d", ["motion", "hf:a+b", "s3d"]),
    ("motoin+s3d", ["motoin", "s3d"])])
def test_parts_of_a_join(name, parts):
    assert split(name) == parts


def folder_of(kind, tmp_path):
    """A folder with a tiny random network, as save_pretrained writes it."""
    library = transformers()
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 16}
    if kind == "VideoMAE":
        model = library.VideoMAEModel(library.VideoMAEConfig(
            image_size=32, patch_size=16, num_frames=4, **small))
    elif kind == "Dinov2":
        model = library.Dinov2Model(library.Dinov2Config(image_size=28, patch_size=14, **small))
    elif kind == "VJEPA2":
        model = library.VJEPA2Model(library.VJEPA2Config(
            crop_size=32, patch_size=16, frames_per_clip=4, hidden_size=16, num_hidden_layers=1,
            num_attention_heads=2, pred_hidden_size=16, pred_num_attention_heads=2,
            pred_num_hidden_layers=1))
    else:
        model = library.CLIPModel(library.CLIPConfig(
            vision_config={"image_size": 32, "patch_size": 16, **small},
            text_config={**small, "vocab_size": 50}))
    model.save_pretrained(tmp_path / kind)
    return tmp_path / kind


@pytest.mark.parametrize("kind, frames", [("VideoMAE", 4), ("VJEPA2", 4), ("Dinov2", 1),
                                          ("CLIP", 1)])
def test_networks_of_a_folder(kind, frames, tmp_path):
    folder = folder_of(kind, tmp_path)
    extractor = build(f"hf:{folder}", Setting())
    assert extractor.channels == 16 and extractor.identity["clip_length"] == frames
    found = extractor.forward([clip(extractor, seed) for seed in range(2)])
    assert found.shape == (2, 16) and np.isfinite(found).all() and (found[0] != found[1]).any()
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / kind)
    assert build(f"hf:{moved}", Setting()).identity == extractor.identity


def test_a_folder_without_a_network_is_refused(tmp_path):
    transformers()
    with pytest.raises(UserError, match="holds no network that transformers can load"):
        build(f"hf:{tmp_path}", Setting())
