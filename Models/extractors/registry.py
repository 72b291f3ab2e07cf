"""Extractors by name: `motion`, torchvision's Kinetics networks, `hf:...`, and joins `a+b`.

An extractor has an `identity` (plain values that tell it apart), `rate`
(features per second) and `channels`. Its `sampler()` takes the frames of one video:
`push(frame)` and, at the end, `finish(count)` return the items of the steps that are
complete, in order. `forward(items)` makes them features. Frames have `seconds`,
`width`, `height` and `pixels(width, height, colour)`, as those of Utils.video.reader.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from Utils.files import UserError

MOTION = "motion"       # the only one without a network
KINETICS = ("r2plus1d_18", "s3d", "mvit_v2_s", "swin3d_t", "swin3d_s", "swin3d_b")
HUGGING_FACE = "hf:"


@dataclass(frozen=True)
class Setting:
    """How to build an extractor.

    weights: a local file or folder; None for the library's own.
    """
    feature_fps: float = 5.0
    weights: str | None = None
    device: str = "cpu"
    precision: str = "fp32"


def build(name: str, setting: Setting) -> object:
    """The extractor of a name, ready to use.

    UserError if there is none or a library is missing.
    """
    if len(parts := split(name)) > 1:
        from Models.extractors.joined import Joined
        return Joined([build(part, setting) for part in parts])
    if name == MOTION:
        from Models.extractors.motion import Motion
        return Motion(setting.feature_fps)
    if name in KINETICS:
        from Models.extractors.kinetics import KineticsNetwork
        return KineticsNetwork(name, setting)
    if name.startswith(HUGGING_FACE):
        from Models.extractors.hugging_face import HuggingFaceNetwork
        return HuggingFaceNetwork(name, setting)
    known = (MOTION, *KINETICS)
    near = difflib.get_close_matches(name, known, n=1)
    raise UserError(f"unknown extractor {name!r}; " + (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}, hf:FOLDER_OR_NAME "
        "and joins of them such as motion+s3d"))


def split(name: str) -> list[str]:
    """The parts of a join: "motion+hf:a+b+s3d" -> ["motion", "hf:a+b", "s3d"].

    A + belongs to the name of a folder where what follows is not an extractor.
    """
    parts = []
    for word in name.split("+"):
        is_part = word in (MOTION, *KINETICS) or word.startswith(HUGGING_FACE)
        if is_part or not parts or not parts[-1].startswith(HUGGING_FACE):
            parts.append(word)
        else:
            parts[-1] += f"+{word}"
    return parts


def has_network(name: str) -> bool:
    """Whether an extractor has a network, which may run on a GPU."""
    return any(part != MOTION for part in split(name))


def forward(extractor: object, items: Sequence) -> np.ndarray:
    """Features of some items. -> (n, channels) float32."""
    if not items:
        return np.zeros((0, extractor.channels), np.float32)
    return np.ascontiguousarray(extractor.forward(items), dtype=np.float32)
