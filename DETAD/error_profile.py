"""Kinds of false positives, the cost of each, and missed actions (DETAD, Sec. 4.1, 4.3)."""

from itertools import combinations

import numpy as np

from DETAD.normalized_precision import Ranking, curves
from Evaluation.metrics import ActionTable
from Utils.segments import Floats, iou

TYPES = ("true_positive", "double_detection", "wrong_label", "localization", "confusion",
         "background")
(TRUE_POSITIVE, DOUBLE_DETECTION, WRONG_LABEL, LOCALIZATION, CONFUSION,
 BACKGROUND) = range(len(TYPES))


def best_per_class(ranking: Ranking, limit: float) -> Ranking:
    """The int(limit * instances) best detections of each class."""
    quota = (limit * ranking.num_instances).astype(np.int64)
    return ranking.only(ranking.rank < quota[ranking.label])


def nearest_actions(truth: ActionTable,
                    detections: ActionTable) -> tuple[np.ndarray, np.ndarray]:
    """For each detection, the action of any class in its video with the highest tIoU.

    Returns tIoU (M,) and row of the action (M,): the first one for ties, -1 without
    actions.
    """
    overlap, nearest = np.zeros(len(detections)), np.full(len(detections), -1)
    edges = np.arange(len(truth.videos) + 1)
    by_video, actions_by_video = (np.argsort(table.video, kind="stable")
                                  for table in (detections, truth))
    ends = np.searchsorted(detections.video[by_video], edges)
    action_ends = np.searchsorted(truth.video[actions_by_video], edges)
    for video in np.flatnonzero(np.diff(ends) * np.diff(action_ends)):
        own = by_video[ends[video]:ends[video + 1]]
        actions = actions_by_video[action_ends[video]:action_ends[video + 1]]
        table = iou(detections.segments[own], truth.segments[actions])
        best = table.argmax(axis=1)
        overlap[own], nearest[own] = table[np.arange(len(own)), best], actions[best]
    return overlap, nearest


def error_types(ranking: Ranking, overlap: np.ndarray, same_class: np.ndarray, thresholds: Floats,
                min_tiou: float) -> np.ndarray:
    """Type of every detection at every threshold: index into TYPES, (T, M).

    overlap: (M,) highest tIoU with any action; same_class: (M,) bool, whether that
    action has the predicted class.
    """
    reached = overlap >= np.asarray(thresholds)[:, None]
    near = np.where(same_class, LOCALIZATION, CONFUSION)
    found = np.where(reached, np.where(same_class, DOUBLE_DETECTION, WRONG_LABEL),
                     np.where(overlap >= min_tiou, near, BACKGROUND))
    return np.where(ranking.matched >= 0, TRUE_POSITIVE, found)


def count_types(types: np.ndarray) -> np.ndarray:
    """Number of detections of each type: (T, M) -> (T, 6) int."""
    return (types[..., None] == np.arange(len(TYPES))).sum(axis=1)


def count_by_rank(types: np.ndarray, ranking: Ranking, limit: float) -> np.ndarray:
    """`count_types` per slice of the ranks [g*N, (g + 1)*N) of every class: (limit, T, 6)."""
    group = ranking.rank // ranking.num_instances[ranking.label]
    return np.stack([count_types(types[:, group == index])
                     for index in range(int(limit))])


def impacts(ranking: Ranking, types: np.ndarray) -> np.ndarray:
    """Gain in AP_N if all errors of one type are removed: (5, T, K), all types but the first."""
    base = curves(ranking).area
    return np.stack([curves(ranking, keep=types != kind).area - base
                     for kind in range(1, len(TYPES))])


def missed_actions(ranking: Ranking, num_actions: int) -> np.ndarray:
    """Whether each action has no matched detection: (T, num_actions) bool."""
    missed = np.ones((len(ranking.matched), num_actions), bool)
    threshold, position = np.nonzero(ranking.matched >= 0)
    missed[threshold, ranking.matched[threshold, position]] = False
    return missed


def miss_rates(missed: np.ndarray, bucket_of: dict) -> dict:
    """Share of all actions and rate of misses per bucket, averaged over thresholds.

    bucket_of: characteristic -> (labels, (n,) bucket of each action). Returns
    characteristic -> bucket -> {"share", "miss_rate"}; empty buckets are left out.
    """
    rate = missed.mean(axis=0)
    return {name: {text: _share_and_rate(bucket == index, rate)
                   for index, text in enumerate(labels) if (bucket == index).any()}
            for name, (labels, bucket) in bucket_of.items()}


def pairs(bucket_of: dict) -> dict:
    """Combined buckets of two characteristics, as in `bucket_of`, with names `a|b`.

    Pairs without a common action are left out.
    """
    result = {}
    for (name_a, (labels_a, a)), (name_b, (labels_b, b)) in combinations(bucket_of.items(), 2):
        both = np.where((a >= 0) & (b >= 0), a * len(labels_b) + b, -1)
        if (both >= 0).any():
            labels = tuple(f"{x}|{y}" for x in labels_a for y in labels_b)
            result[f"{name_a}|{name_b}"] = labels, both
    return result


def _share_and_rate(inside, rate):
    return {"share": float(inside.mean()), "miss_rate": float(rate[inside].mean())}
