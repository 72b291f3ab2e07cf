"""Average precision normalized for the number of instances (DETAD, Sec. 3.1), per class.

Precision weighs the hits of every class as if it had `normalizer` instances, so that
rare classes and small buckets can be compared with frequent ones. Matching is that of
mAP, done once for all analyses.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from Evaluation.metrics import (
    ActionTable,
    class_spans,
    envelope,
    instances,
    match,
    rank_in_class,
)
from Utils.segments import Floats


@dataclass(frozen=True)
class Ranking:
    """Detections of the classes in the ground truth, by class, then by descending score.

    rows (M,): row in the detections. label (M,): class. rank (M,): rank within the
    class, from 0. matched (T, M): the matched action at each threshold, or -1.
    num_instances (K,): actions per class. normalizer: their mean over the classes
    that have any.
    """
    rows: np.ndarray
    label: np.ndarray
    rank: np.ndarray
    matched: np.ndarray
    num_instances: np.ndarray
    normalizer: float

    @property
    def present(self) -> np.ndarray:
        """Whether each class has an instance: (K,) bool; only these enter a mean."""
        return self.num_instances > 0

    def only(self, keep: np.ndarray) -> Self:
        """The ranking of some detections, which keep their matches. keep: (M,) bool."""
        label = self.label[keep]
        return replace(self, rows=self.rows[keep], label=label, rank=rank_in_class(label),
                       matched=self.matched[:, keep])


def rank_detections(truth: ActionTable, detections: ActionTable,
                    thresholds: Floats) -> Ranking:
    """Match detections to the ground truth and sort them.

    truth, detections: aligned tables.
    """
    num_instances = instances(truth)
    order, matched = match(truth, detections, thresholds)
    known = detections.label[order] < len(num_instances)
    rows = order[known]
    rows = rows[num_instances[detections.label[rows]] > 0]
    label = detections.label[rows]
    return Ranking(rows, label, rank_in_class(label), matched[:, rows], num_instances,
                   num_instances.sum() / max(np.count_nonzero(num_instances), 1))


@dataclass(frozen=True)
class Curves:
    """Normalized precision and recall; precision, hit: (T, M), positions of a Ranking.

    area: AP_N (T, K). final_precision, final_recall: (T, K), after the last position
    of a class.
    """
    precision: np.ndarray
    hit: np.ndarray
    area: np.ndarray
    final_precision: np.ndarray
    final_recall: np.ndarray


def curves(ranking: Ranking, keep: np.ndarray | bool = True,
           num_instances: np.ndarray | None = None) -> Curves:
    """Normalized precision of the kept positions, and the area under it.

    keep: (M,) or (T, M) bool. num_instances: (K,) instead of the ranking's, for a bucket.
    A class without instances or detections has area 0. Formula: DETAD, Eq. 1:
    precision = recall * normalizer / (recall * normalizer + false positives).
    """
    counts = ranking.num_instances if num_instances is None else num_instances
    keep = np.broadcast_to(keep, ranking.matched.shape)
    hit = (ranking.matched >= 0) & keep
    hits, misses = _running(hit, ranking), _running(keep & ~hit, ranking)
    scaled = hits / np.maximum(counts, 1)[ranking.label] * ranking.normalizer
    with np.errstate(invalid="ignore"):
        precision = np.where(scaled + misses > 0, scaled / (scaled + misses), 0)
    area = np.zeros((len(hit), len(counts)))
    final_precision, final_recall = np.zeros_like(area), np.zeros_like(area)
    for label, span in class_spans(ranking.label, len(counts)):
        final_precision[:, label] = precision[:, span.stop - 1]
        final_recall[:, label] = hits[:, span.stop - 1] / max(counts[label], 1)
        area[:, label] = _area(precision[:, span], hit[:, span], counts[label])
    return Curves(precision, hit, area, final_precision, final_recall)


def areas(ranking: Ranking, num_instances: np.ndarray) -> np.ndarray:
    """Only the areas of `curves`, (T, K), in a fraction of the time: it looks at hits alone.

    num_instances: (K,) in place of the ranking's, for a bucket.
    """
    # (T, M), 0 where there is no hit; in the memory order in which `curves` adds,
    # to the last digit.
    best = np.zeros(ranking.matched.shape[::-1]).T
    for row, matched in zip(best, ranking.matched, strict=True):
        at = np.flatnonzero(matched >= 0)
        row[at] = _best_precision(ranking, at, num_instances)
    area = np.zeros((len(best), len(num_instances)))
    for label, span in class_spans(ranking.label, len(num_instances)):
        area[:, label] = best[:, span].sum(axis=1) / max(num_instances[label], 1)
    return area


def _best_precision(ranking, at, counts):
    """The best precision from each hit on in its class.

    at: (hits,) positions -> (hits,).
    """
    label = ranking.label[at]                                        # (hits,), and so on
    hits = rank_in_class(label) + 1
    misses = ranking.rank[at] + 1 - hits
    scaled = hits / np.maximum(counts, 1)[label] * ranking.normalizer
    precision = scaled / (scaled + misses)
    for _, span in class_spans(label, len(counts)):
        precision[span] = np.maximum.accumulate(precision[span][::-1])[::-1]
    return precision


def with_floor(ranking: Ranking, floor: float) -> Ranking:
    """The ranking in which positions with a precision of at most `floor` lose their match.

    Precision is not computed again after that.
    """
    weak = curves(ranking).precision <= floor
    return replace(ranking, matched=np.where(weak, -1, ranking.matched))


def _area(precision, hit, count):
    """Area under the interpolated precision: (T, m), (T, m) -> (T,); each hit adds 1 / count.

    Between hits, precision only falls, so the maximum from any position on is at a hit.
    """
    return np.where(hit, envelope(precision), 0).sum(axis=1) / max(count, 1)


def _running(flags, ranking):
    """How many `flags` (T, M) are set in the class up to and including each position: (T, M)."""
    total = np.concatenate([np.zeros((len(flags), 1), np.int64), flags.cumsum(axis=1)],
                           axis=1)
    start = np.arange(len(ranking.label)) - ranking.rank
    return total[:, 1:] - total[:, start]
