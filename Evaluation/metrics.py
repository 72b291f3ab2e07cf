"""Tables of actions, matching, and average precision as in ActivityNet's evaluation.

Of detections with equal scores, the first in its file comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from Evaluation.matching import assign, overlapping_pairs
from Utils.segments import Floats, length

UNMATCHED = -1   # what `match` returns in place of an action's row
ROUNDING_SECONDS = 1e-6   # rounding error allowed for a length that is compared with a limit


class AnnotatedVideo(Protocol):
    """What is read of a Utils.data.annotations.Video.

    segments: (n, 2) s, labels: (n,) int.
    """
    name: str
    segments: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class ActionTable:
    """Actions or detections of many videos, one per row, in the order of their file.

    video, label: (n,) int, indices into videos and classes. segments: (n, 2) float64, seconds.
    scores: (n,) float64; None for a ground truth.
    """
    videos: tuple[str, ...]
    classes: tuple[str, ...]
    video: np.ndarray
    label: np.ndarray
    segments: np.ndarray
    scores: np.ndarray | None = None

    def __len__(self):
        return len(self.label)

    def __getitem__(self, rows):
        """The rows given by indices, a slice or a mask; videos and classes stay the same."""
        return replace(self, video=self.video[rows], label=self.label[rows],
                       segments=self.segments[rows],
                       scores=None if self.scores is None else self.scores[rows])


def action_table(videos: Sequence[AnnotatedVideo], classes: Sequence[str]) -> ActionTable:
    """The actions of annotated videos as one table. Label 0 stands for classes[0]."""
    counts = [len(video.labels) for video in videos]
    segments = [np.zeros((0, 2)), *(np.reshape(video.segments, (-1, 2)) for video in videos)]
    labels = [np.zeros(0, dtype=np.int64), *(np.asarray(video.labels, int) for video in videos)]
    return ActionTable(tuple(video.name for video in videos), tuple(classes),
                       np.repeat(np.arange(len(videos)), counts), np.concatenate(labels),
                       np.concatenate(segments))


def detection_table(detections: dict, classes: Sequence[str]) -> ActionTable:
    """Detections by video ({video: Detections}) as one table.

    Label 1 stands for classes[0].
    """
    tables = list(detections.values())
    empty = [np.zeros((0, 2)), np.zeros(0), np.zeros(0, dtype=np.int64)]
    segments, scores, labels = (
        np.concatenate([none, *(getattr(table, name) for table in tables)])
        for none, name in zip(empty, ("segments", "scores", "labels"), strict=True))
    return ActionTable(tuple(detections), tuple(classes),
                       np.repeat(np.arange(len(tables)), [len(table) for table in tables]),
                       labels.astype(np.int64) - 1, segments, scores)


def align(detections: ActionTable, truth: ActionTable) -> ActionTable:
    """Detections renumbered by the truth's videos and classes; others get higher numbers."""
    videos, video_ids = _joined(truth.videos, detections.videos)
    classes, class_ids = _joined(truth.classes, detections.classes)
    return replace(detections, videos=videos, classes=classes, video=video_ids[detections.video],
                   label=class_ids[detections.label])


def _joined(names, others):
    """All names, the given ones first, and the index of each of the others among them."""
    places = {name: place for place, name in enumerate(dict.fromkeys((*names, *others)))}
    return tuple(places), np.array([places[name] for name in others], np.int64)


def rank(detections: ActionTable) -> np.ndarray:
    """Rows by class, then by descending score; ties as in the file. -> (M,) int."""
    return np.lexsort((-detections.scores, detections.label))


def match(truth: ActionTable, detections: ActionTable,
          thresholds: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Match each detection to the free action of its video and class with the highest tIoU.

    detections: aligned to the truth; they choose class by class, by descending score.
    thresholds: (T,), an action can be taken where tIoU >= threshold; of equal tIoU,
    the last in the file.
    Returns order (M,), see `rank`, and matched (T, M): for each row of the detections
    the row of the truth, or -1.
    """
    order = rank(detections)                                    # (M,)
    row, column, overlap = class_pairs(detections[order], truth, min(thresholds, default=1))
    # Of equal tIoU, the last action first: the original reverses an ascending sort.
    preferred = np.lexsort((-column, -overlap, row))
    matched = np.empty((len(thresholds), len(order)), np.int32)
    matched[:, order] = assign(row[preferred], column[preferred], overlap[preferred], thresholds,
                               (len(order), len(truth)))
    return order, matched


def best_score(truth: ActionTable, detections: ActionTable, threshold: float) -> float:
    """The score limit with the highest F1 = 2 right / (detections + actions).

    0 without detections.
    """
    _, (matched,) = match(truth, detections, (threshold,))
    return score_of_best_f1(detections.scores, matched >= 0, len(truth))


def score_of_best_f1(scores: np.ndarray, right: np.ndarray, num_actions: int) -> float:
    """`best_score` of detections that are matched already. scores, right: (M,)."""
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    f1 = right[order].cumsum() / (np.arange(len(order)) + 1 + num_actions)
    # A limit admits all detections of its score, so only the last of equal ones counts.
    f1[:-1][scores[1:] == scores[:-1]] = -1
    return float(scores[f1.argmax()]) if len(scores) else 0.0


def class_pairs(detections: ActionTable, truth: ActionTable,
                least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of one video and class with a tIoU of at least `least`."""
    count = max(len(detections.classes), len(truth.classes))
    return overlapping_pairs(
        detections.segments, detections.video * count + detections.label,
        truth.segments, truth.video * count + truth.label, least)


def average_precision(truth: ActionTable, detections: ActionTable,
                      thresholds: Floats) -> np.ndarray:
    """Interpolated average precision, as in ActivityNet's evaluation.

    detections: aligned to the truth. Returns (T, K): 0 for a class without detections,
    NaN for one without actions.
    """
    order, matched = match(truth, detections, thresholds)
    hit = matched[:, order] >= 0
    return precision_by_class(hit, True, detections.label[order], instances(truth))


def short_average_precision(truth: ActionTable, detections: ActionTable, thresholds: Floats,
                            short_seconds: float) -> np.ndarray:
    """`average_precision` on the short actions alone (see `is_short`).

    All actions are matched. Detections matched to longer ones are ignored; unmatched
    ones count.
    """
    order, matched = match(truth, detections, thresholds)
    short = is_short(truth.segments, short_seconds)
    taken = matched[:, order]                                   # (T, M)
    hit = (taken >= 0) & np.append(short, False)[taken]
    return precision_by_class(hit, hit | (taken < 0), detections.label[order],
                               instances(truth[short]))


def is_short(segments: np.ndarray, short_seconds: float) -> np.ndarray:
    """Whether segments last at most short_seconds, give or take a microsecond.

    As floats, the segment from 0.7 to 2.2 s is a little longer than 1.5 s. segments:
    (n, 2), s. -> (n,) bool.
    """
    return length(segments) <= short_seconds + ROUNDING_SECONDS


def instances(truth: ActionTable) -> np.ndarray:
    """Number of actions of each class: (K,) int."""
    return np.bincount(truth.label, minlength=len(truth.classes))


def mean_over_classes(precision: np.ndarray) -> np.ndarray:
    """Mean over the classes with actions: (T, K), NaN for the others -> (T,).

    0 if no class has any.
    """
    known = ~np.isnan(precision)
    return np.where(known, precision, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def class_spans(label: np.ndarray, num_classes: int) -> list[tuple[int, slice]]:
    """(class, slice of its rows) for every class that has some. label: (M,) sorted."""
    edges = np.searchsorted(label, np.arange(num_classes + 1))
    return [(k, slice(edges[k], edges[k + 1])) for k in np.flatnonzero(np.diff(edges))]


def rank_in_class(label: np.ndarray) -> np.ndarray:
    """How many rows of the same class precede each: 4 7 7 -> 0 0 1.

    label: (M,) sorted.
    """
    return np.arange(len(label)) - np.searchsorted(label, label)


def precision_curve(hit: np.ndarray, counted: np.ndarray | bool = True) -> np.ndarray:
    """Precision after each detection: (T, m) bool by descending score -> (T, m).

    counted: (T, m) bool; what is not counted is neither right nor wrong.
    """
    right = hit.cumsum(axis=1)
    seen = np.broadcast_to(counted, hit.shape).cumsum(axis=1)
    return right / np.maximum(seen, 1)


def envelope(precision: np.ndarray) -> np.ndarray:
    """The highest precision from each detection on: (T, m) -> (T, m)."""
    return np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]


def precision_by_class(hit: np.ndarray, counted: np.ndarray | bool, label: np.ndarray,
                       num_actions: np.ndarray, interpolated: bool = True) -> np.ndarray:
    """Average precision (T, K) from hits (T, M), sorted by class, then by descending score.

    Every hit adds 1 / actions of recall at its own precision; interpolated, at the
    highest precision from there on.
    """
    counted = np.broadcast_to(counted, hit.shape)
    area = np.tile(np.where(num_actions > 0, 0.0, np.nan), (len(hit), 1))
    for k, span in class_spans(label, len(num_actions)):
        precision = precision_curve(hit[:, span], counted[:, span])
        if interpolated:
            precision = envelope(precision)
        if num_actions[k]:
            area[:, k] = np.where(hit[:, span], precision, 0).sum(axis=1) / num_actions[k]
    return area
