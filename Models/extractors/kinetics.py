"""Torchvision's networks for Kinetics-400: their features before the classifier."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from Models.extractors.clips import ClipSampler, ClipShape, forward_clips, sha256_of_files
from Utils.files import UserError, reason

# Frames per clip and their rate, as in the training of the published weights or close to it;
# channels before the classifier; name of the classifying layer.
NETWORKS = {"r2plus1d_18": (16, 15.0, 512, "fc"), "s3d": (16, 15.0, 1024, "classifier"),
            "mvit_v2_s": (16, 7.5, 768, "head"), "swin3d_t": (32, 15.0, 768, "head"),
            "swin3d_s": (32, 15.0, 768, "head"), "swin3d_b": (32, 15.0, 1024, "head")}
LOAD_ERRORS = (OSError, RuntimeError, ValueError, EOFError, LookupError, TypeError, AttributeError,
               pickle.UnpicklingError)


class KineticsNetwork:
    """The extractor for the name of a network.

    setting: Models.extractors.registry.Setting.
    """

    def __init__(self, name, setting):
        models = _torchvision().models
        weights = models.get_model_weights(name).DEFAULT
        self.preset = weights.transforms()
        self.rate, self.device, self.precision = (setting.feature_fps, setting.device,
                                                  setting.precision)
        frames, fps, self.channels, classifier = NETWORKS[name]
        self.shape = ClipShape(frames, fps, tuple(self.preset.resize_size),
                               _pair(self.preset.crop_size))
        path = Path(setting.weights) if setting.weights else _fetched(weights)
        self.network = models.get_model(name, weights=None)
        _load(self.network, path, name)
        setattr(self.network, classifier, torch.nn.Identity())
        self.network.to(self.device).eval()
        self.identity = {
            "name": name, "code_version": 1, "weights": sha256_of_files([path]),
            "feature_fps": self.rate, "clip_length": frames, "size": list(self.shape.resize),
            "crop": list(self.shape.crop), "mean": list(self.preset.mean),
            "std": list(self.preset.std), "pooling": "mean", "precision": self.precision,
            "channels": self.channels}

    def sampler(self) -> ClipSampler:
        """A sampler that turns the frames of one video into clips, one per step."""
        return ClipSampler(self.shape, self.rate)

    def forward(self, items: Sequence) -> np.ndarray:
        """Features of clips (frames, height, width, 3) uint8.

        -> (n, channels) float32.
        """
        clips = [self.preset(torch.from_numpy(clip).permute(0, 3, 1, 2)) for clip in items]
        return forward_clips(self.network, clips, self.device, self.precision)


def _torchvision():
    try:
        import torchvision
    except ImportError:
        raise UserError("the Kinetics networks need torchvision: pip install torchvision, in the "
                        f"release that matches torch {torch.__version__}") from None
    except RuntimeError as problem:
        raise UserError(
            f"the installed torchvision does not match torch {torch.__version__} "
            f"({reason(problem)}); install the pair from one package index: pip install "
            "--force-reinstall torch torchvision") from None
    return torchvision


def _fetched(weights):
    """The file of torchvision's own weights, downloaded if necessary."""
    path = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
    if not path.is_file():
        try:
            weights.get_state_dict(progress=True, check_hash=True)
        except OSError as problem:
            raise UserError(f"the weights {weights} cannot be downloaded ({reason(problem)}); on a "
                            f"machine with a connection get {weights.url} and name the file with "
                            "--weights") from None
    return path


def _load(network, path, name):
    """Load a state dict file, which must match torchvision's network exactly."""
    if not path.is_file():
        raise UserError(f"no weights file at {path}; --weights names the state dict of {name}")
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except LOAD_ERRORS as problem:
        raise UserError(f"{path} holds no weights of torchvision's {name}: "
                        f"{reason(problem)}") from None


def _pair(sizes):
    sizes = tuple(sizes)
    return sizes if len(sizes) == 2 else sizes * 2
