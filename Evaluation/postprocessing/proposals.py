"""Proposals: the scored segments of one window, from the network's predictions for it.

Here input frames become seconds of the video (with whole-video framing: shares of it).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from Evaluation.metrics import rank_in_class
from Evaluation.nms import nms_by_class
from Utils.segments import length
from Utils.stitching import from_copy


class CutWindow(Protocol):
    """The part of Utils.inputs.windows.Window that is used here."""
    video: str
    start: float
    end: float
    fps: float | None
    duration: float | None
    index: int | None


@dataclass(frozen=True, eq=False)
class Proposals:
    """Scored segments of one window or of many.

    segments: (M, 2) float64, scores: (M,) float32, labels: (M,) int32. Label 0: the
    network is class-agnostic.
    """
    segments: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.scores)

    def __getitem__(self, rows):
        """The rows given by indices, a slice or a mask."""
        return type(self)(self.segments[rows], self.scores[rows], self.labels[rows])

    @classmethod
    def joined(cls, parts: Iterable["Proposals"]) -> Self:
        """All parts concatenated; empty without parts."""
        parts = list(parts)
        return cls(np.concatenate([np.zeros((0, 2)), *(part.segments for part in parts)]),
                   np.concatenate([np.zeros(0, np.float32), *(part.scores for part in parts)]),
                   np.concatenate([np.zeros(0, np.int32), *(part.labels for part in parts)]))


def class_scores(logits: np.ndarray) -> np.ndarray:
    """Class scores: softmax over (..., N) logits, or sigmoid if N is 1. float32."""
    logits = np.asarray(logits, dtype=np.float32)
    if logits.shape[-1] == 1:
        power = np.exp(-np.abs(logits))
        return np.where(logits < 0, power, 1) / (1 + power)
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def window_proposals(scores: np.ndarray, adjusted: np.ndarray, startness: np.ndarray,
                     endness: np.ndarray, num_frames: int, stitched: bool, origin: float,
                     rate: float, *, gap: int, score_threshold: float, nms_threshold: float,
                     boundary_power: float = 1.0, max_per_class: int | None = None) -> Proposals:
    """Proposals of one window from the network's outputs for it.

    scores: (M, N) for the classes, background first; N = 1: class-agnostic.
    adjusted: (M, 2) boxes in input frames; startness, endness: (T,); all float32
    and finite. num_frames: of the window; stitched: the input holds two copies,
    with `gap` frames between. Seconds = (frame + origin) / rate. Score = class *
    (start * end)^boundary_power.
    With classes: boxes with a class score above score_threshold, after NMS (none at a
    threshold of 1), at most max_per_class of each, by class and then descending score.
    N = 1: one row per anchor, including empty segments, which are dropped later.
    """
    boxes = adjusted.clip(0, len(startness) - 1)
    at_edges = _mean_around(startness, boxes[:, 0]) * _mean_around(endness, boxes[:, 1])
    boxes = _in_frames(boxes, num_frames, stitched, len(startness), gap)
    seconds = (boxes.astype(np.float64) + origin) / rate
    weighted = scores * (at_edges ** boundary_power)[:, None]
    if scores.shape[1] == 1:
        return Proposals(seconds, weighted[:, 0], np.zeros(len(seconds), dtype=np.int32))
    candidates = (scores > score_threshold) & (length(boxes) > 0)[:, None]
    candidates[:, 0] = False
    index, label = nms_by_class(boxes.astype(np.float64), weighted, candidates,
                                nms_threshold)
    kept = rank_in_class(label) < (max_per_class or len(label))
    index, label = index[kept], label[kept]
    return Proposals(seconds[index], weighted[index, label], label.astype(np.int32))


def _mean_around(curve, positions):
    """Mean of a curve (T,) at the two frames around each position."""
    return (curve[np.floor(positions).astype(int)] + curve[np.ceil(positions).astype(int)]) / 2


def _in_frames(boxes, num_frames, stitched, input_length, gap):
    """Input frames -> frames of the window, clamped to it. (M, 2) -> (M, 2)."""
    if stitched:
        # As in the original, only the start decides in which copy a box was found.
        magnified = boxes[:, :1] >= num_frames
        boxes = np.where(magnified,
                         from_copy(boxes, num_frames, input_length, gap), boxes)
    return boxes.clip(0, num_frames - 1)
