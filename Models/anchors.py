"""Anchors of the pyramid, and the encoding of boxes relative to them.

An anchor or box of n whole frames runs from s to s + n - 1, so its length is end -
start + 1.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from Utils.segments import length

CENTRE_WEIGHT = 10.0
LENGTH_WEIGHT = 5.0
# Limit on the growth of boxes over their anchors,
# so that exp() cannot overflow early in training.
MAX_LOG_GROWTH = math.log(1000 / 16)


def make_anchors(num_frames: int, strides: Sequence[int],
                 scales: Sequence[float]) -> Tensor:
    """Anchors of all levels in frames, in the order level (as in `strides`), cell, scale.

    num_frames: input length T; strides: frames per cell, for each level; scales: lengths
    in cells. Returns (M, 2) float32, M = len(scales) * sum(T / stride).
    """
    return torch.cat([_level_anchors(num_frames, stride, scales) for stride in strides])


def _level_anchors(num_frames, stride, scales):
    centre = torch.arange(num_frames // stride, dtype=torch.float32) * stride + stride / 2
    # -1, since whole frames are counted: the released weights were trained this way.
    reach = (torch.tensor(scales, dtype=torch.float32) * stride - 1) / 2
    # (L, S, 2)
    edges = torch.stack([centre[:, None] - reach, centre[:, None] + reach], dim=-1)
    return edges.reshape(-1, 2)


def encode(segments: Tensor, anchors: Tensor) -> Tensor:
    """The code that `decode` turns back into `segments`.

    (..., 2) in frames -> (..., 2).
    """
    anchor_length = length(anchors, add_one=True)
    shift = (centre(segments) - centre(anchors)) / anchor_length
    growth = torch.log(length(segments, add_one=True) / anchor_length)
    return torch.stack([CENTRE_WEIGHT * shift, LENGTH_WEIGHT * growth], dim=-1)


def decode(code: Tensor, anchors: Tensor) -> Tensor:
    """Boxes in frames from the head's (shift, growth) of each anchor.

    (..., 2) -> (..., 2).
    """
    shift, growth = code.unbind(-1)
    anchor_length = length(anchors, add_one=True)
    middle = shift / CENTRE_WEIGHT * anchor_length + centre(anchors)
    growth = (growth / LENGTH_WEIGHT).clamp(max=MAX_LOG_GROWTH)
    reach = (growth.exp() * anchor_length - 1) / 2
    return torch.stack([middle - reach, middle + reach], dim=-1)


def centre(segments: Tensor) -> Tensor:
    """(start + end) / 2: (..., 2) -> (...)."""
    return segments.sum(-1) / 2
