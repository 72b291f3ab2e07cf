"""Average precision normalized for the number of instances (DETAD, Sec. 3.1), class by class.

Precision counts every class's hits as if it had `normalizer` instances, so that rare classes and
small buckets compare with frequent ones. Matching is that of mAP, once for all analyses.
"""

from dataclasses import dataclass, replace

import numpy as np

from Evaluation.metrics import class_spans, envelope, instances, match


@dataclass(frozen=True)
class Ranking:
    """Detections of the classes that the ground truth holds, by class, then by falling score.

    rows (M,): their rows in the detections. label (M,): class. rank (M,): place in the class, from
    0. matched (T, M): the action each holds at each threshold, -1 none. num_instances (K,): actions
    of each class. normalizer: their mean over the classes that have any.
    """
    rows: np.ndarray
    label: np.ndarray
    rank: np.ndarray
    matched: np.ndarray
    num_instances: np.ndarray
    normalizer: float

    @property
    def present(self):
        """Classes with an instance: (K,) bool; only these enter a mean."""
        return self.num_instances > 0

    def only(self, keep):
        """The same without some detections; the rest keep what they matched. keep: (M,) bool."""
        label = self.label[keep]
        return replace(self, rows=self.rows[keep], label=label, rank=_rank(label),
                       matched=self.matched[:, keep])


def rank_detections(truth, detections, thresholds):
    """Match detections to the ground truth and sort them. Tables aligned -> Ranking."""
    num_instances = instances(truth)
    order, matched = match(truth, detections, thresholds)
    known = detections.label[order] < len(num_instances)
    rows = order[known]
    rows = rows[num_instances[detections.label[rows]] > 0]
    label = detections.label[rows]
    return Ranking(rows, label, _rank(label), matched[:, rows], num_instances,
                   num_instances.sum() / max(np.count_nonzero(num_instances), 1))


@dataclass(frozen=True)
class Curves:
    """Normalized precision and recall; precision, hit: (T, M), positions of a Ranking.

    area: AP_N (T, K). final_precision, final_recall: (T, K), behind the last position of a class.
    """
    precision: np.ndarray
    hit: np.ndarray
    area: np.ndarray
    final_precision: np.ndarray
    final_recall: np.ndarray


def curves(ranking, keep=True, num_instances=None):
    """Normalized precision of the kept positions, and the area under it.

    keep: (M,) or (T, M) bool. num_instances: (K,) in place of the ranking's, for a bucket.
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


def with_floor(ranking, floor):
    """The ranking whose positions of precision `floor` or less lose their match, once."""
    weak = curves(ranking).precision <= floor
    return replace(ranking, matched=np.where(weak, -1, ranking.matched))


def _area(precision, hit, count):
    """Area under the interpolated precision. (T, m), (T, m) -> (T,); each hit adds 1 / count.

    Between hits precision only falls, so the best one from here on is that of a hit.
    """
    return np.where(hit, envelope(precision), 0).sum(axis=1) / max(count, 1)


def _running(flags, ranking):
    """How many of `flags` (T, M) are set in the class so far, this position included -> (T, M)."""
    total = np.concatenate([np.zeros((len(flags), 1), np.int64), flags.cumsum(axis=1)], axis=1)
    start = np.arange(len(ranking.label)) - ranking.rank
    return total[:, 1:] - total[:, start]


def _rank(label):
    """Place of each position in its class: (M,) sorted -> (M,)."""
    return np.arange(len(label)) - np.searchsorted(label, label)
