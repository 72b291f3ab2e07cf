"""Precision-recall curves, whose areas are ActivityNet's average precisions."""

from dataclasses import dataclass

import numpy as np

from Evaluation.metrics import (
    ActionTable,
    class_spans,
    envelope,
    instances,
    match,
    precision_curve,
)
from Utils.segments import Floats

RECALLS = np.linspace(0, 1, 101)     # where the curves of the classes are averaged


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """Interpolated precision against recall, per class with actions and averaged over them.

    thresholds: (T,) tIoU. corners: class -> T pairs (recall, precision) of (c,)
    arrays: the i-th precision holds from the previous recall up to and including the
    i-th; after the last it is 0. mean: (T, 101) at RECALLS.
    """
    thresholds: tuple[float, ...]
    corners: dict
    mean: np.ndarray


def precision_recall(truth: ActionTable, detections: ActionTable,
                     thresholds: Floats) -> PrecisionRecall:
    """The curves of detections (aligned to the truth). -> PrecisionRecall."""
    order, matched = match(truth, detections, thresholds)
    hit, number = matched[:, order] >= 0, instances(truth)
    spans = dict(class_spans(detections.label[order], len(number)))
    corners = {truth.classes[k]: _corners(hit[:, spans.get(k, slice(0))], number[k])
               for k in np.flatnonzero(number)}
    at_recalls = [[_sampled(*curve) for curve in of_class]
                  for of_class in corners.values()]
    mean = (np.mean(at_recalls, axis=0) if corners else
            np.zeros((len(thresholds), len(RECALLS))))
    return PrecisionRecall(tuple(float(value) for value in thresholds), corners, mean)


def _corners(hit, num_actions):
    """(recall, precision) at each threshold, from hits (T, m) by descending score."""
    best = envelope(precision_curve(hit))
    found = []
    for row, precision in zip(hit, best, strict=True):
        at_hits = precision[row]
        # Where each run of equal precision ends; the last one ends with the last hit.
        ends = np.flatnonzero(np.diff(at_hits, append=-1))
        found.append(((ends + 1) / num_actions, at_hits[ends]))
    return found


def _sampled(recall, precision):
    """Precision at RECALLS for a curve given by its corners: (101,)."""
    # 3 / 10 and 0.3 may differ in their last bit; they are the same recall.
    return np.append(precision, 0.0)[np.searchsorted(recall, RECALLS - 1e-9)]
