"""Networks of transformers, by name or from a folder: VideoMAE, V-JEPA 2, DINOv2, CLIP.

Features are the mean of the tokens; networks for single pictures see the middle of a
step.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from Models.extractors.clips import ClipSampler, ClipShape, forward_clips, sha256_of_files
from Utils.files import UserError, reason

PREFIX = "hf:"
CLIP_FPS = 15.0
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)      # unless the folder has its own
# Kinds of networks for clips: the setting with their number of frames, and the name of the input.
CLIPS = {"videomae": ("num_frames", "pixel_values"),
         "vjepa2": ("frames_per_clip", "pixel_values_videos")}


class HuggingFaceNetwork:
    """The extractor `hf:FOLDER_OR_NAME`. setting: Models.extractors.registry.Setting."""

    def __init__(self, name, setting):
        self.rate, self.device, self.precision = (setting.feature_fps, setting.device,
                                                  setting.precision)
        folder = _folder(setting.weights or name.removeprefix(PREFIX))
        model = _loaded(folder)
        config = getattr(model.config, "vision_config", model.config)
        frames, self.input_name = 1, "pixel_values"
        if config.model_type in CLIPS:
            count, self.input_name = CLIPS[config.model_type]
            frames = getattr(config, count)
        self.is_clip = config.model_type in CLIPS
        self.network = getattr(model, "vision_model", model).to(self.device).eval()
        looks = _looks(folder)
        size = getattr(config, "image_size", getattr(config, "crop_size", 224))
        self.mean, self.std = looks.get("image_mean", MEAN), looks.get("image_std", STD)
        self.shape = ClipShape(frames, CLIP_FPS, (size,), (size, size))
        self.channels = self.forward([np.zeros((frames, size, size, 3), np.uint8)]).shape[1]
        self.identity = {
            # Without the folder: the same weights elsewhere are the same network.
            "name": PREFIX + Path(name.removeprefix(PREFIX)).name, "code_version": 1,
            "weights": sha256_of_files(_weights(folder)), "feature_fps": self.rate,
            "clip_length": frames, "size": size, "crop": [size, size], "mean": list(self.mean),
            "std": list(self.std), "pooling": "mean of the tokens", "precision": self.precision,
            "channels": self.channels}

    def sampler(self) -> ClipSampler:
        """A sampler that turns the frames of one video into clips, one per step."""
        return ClipSampler(self.shape, self.rate)

    def forward(self, items: Sequence) -> np.ndarray:
        """Features of clips (frames, height, width, 3) uint8.

        -> (n, channels) float32.
        """
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        clips = [(torch.from_numpy(clip).permute(0, 3, 1, 2) / 255 - mean) / std for clip in items]
        return forward_clips(self._tokens, clips, self.device, self.precision)

    def _tokens(self, batch):
        """batch: (B, frames, 3, h, w) -> (B, channels)."""
        found = self.network(**{self.input_name: batch if self.is_clip else batch[:, 0]})
        return found.last_hidden_state.mean(dim=1)


def _transformers():
    try:
        import transformers
    except (ImportError, RuntimeError) as problem:
        raise UserError("extractors hf:... need transformers: pip install transformers "
                        f"({reason(problem)})") from None
    return transformers


def _folder(name):
    """The folder of a network: a local one, or one downloaded by name."""
    if Path(name).is_dir():
        return Path(name)
    _transformers()
    from huggingface_hub import snapshot_download
    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))
    except (OSError, ValueError, RuntimeError) as problem:
        raise UserError(f"hf:{name} is not a folder, and cannot be fetched by that name "
                        f"({reason(problem)}); name a folder that save_pretrained wrote") from None


def _loaded(folder):
    try:
        return _transformers().AutoModel.from_pretrained(folder, local_files_only=True)
    except ImportError as problem:
        raise UserError(f"transformers cannot load {folder} here: a package is missing or does not "
                        "fit the others, such as a torchvision for another torch "
                        f"({reason(problem)})") from None
    except (OSError, ValueError, RuntimeError, KeyError) as problem:
        raise UserError(f"{folder} holds no network that transformers can load: "
                        f"{reason(problem)}") from None


def _looks(folder):
    """Mean and standard deviation of pictures according to the folder. -> dict."""
    for name in ("video_preprocessor_config.json", "preprocessor_config.json"):
        if (folder / name).is_file():
            return json.loads((folder / name).read_text(encoding="utf-8"))
    return {}


def _weights(folder):
    """The weight files of a folder, in order."""
    found = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin"))
    if not found:
        raise UserError(f"{folder} has no weights (*.safetensors)")
    return found
