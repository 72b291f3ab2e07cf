"""Suppression per class, and voting: how the strong recipe makes detections of proposals."""

import numpy as np

from Evaluation.metrics import rank_in_class
from Evaluation.nms import overlaps, soft_nms_each
from Evaluation.postprocessing.proposals import Proposals
from Utils.segments import iou

AT_ONCE = 16   # detections compared with all proposals of their video: as many as fit the cache


def best_of_classes(proposals: Proposals, limit: int | None) -> Proposals:
    """The `limit` best proposals of each class, in their order; None: all."""
    if limit is None:
        return proposals
    order = np.lexsort((-proposals.scores, proposals.labels))
    rank = rank_in_class(proposals.labels[order])
    return proposals[np.sort(order[rank < limit])]


def soft_nms_by_class(segments: np.ndarray, scores: np.ndarray, labels: np.ndarray, sigma: float,
                      limit: int) -> tuple[np.ndarray, np.ndarray]:
    """`soft_nms` per class, then the best of all classes together.

    segments: (M, 2), scores, labels: (M,); limit: how many are kept at most.
    Returns kept (n,) int, by descending score, and their new scores (n,) float64.
    """
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    found = soft_nms_each([(segments[rows], scores[rows])
                           for rows in classes], sigma, limit)
    kept = [rows[chosen] for rows, (chosen, _) in zip(classes, found, strict=True)]
    kept = np.concatenate([np.zeros(0, np.int64), *kept])
    new_scores = np.concatenate([np.zeros(0), *(new for _, new in found)])
    best = np.argsort(-new_scores, kind="stable")[:limit]
    return kept[best], new_scores[best]


def voted(proposals: Proposals, kept: np.ndarray, threshold: float) -> np.ndarray:
    """Segments of the `kept` proposals, each the weighted mean of its class around it.

    All proposals of its class with an IoU of at least `threshold` vote, including
    itself, with weights score * IoU. kept: (n,) int -> (n, 2).
    """
    segments, labels = proposals.segments, proposals.labels
    means = np.empty((len(kept), 2))
    for label in np.unique(labels[kept]):
        own, voters = labels[kept] == label, np.flatnonzero(labels == label)
        overlap = iou(segments[kept[own]], segments[voters])    # (own, voters)
        weight = overlap * (overlap >= threshold) * proposals.scores[voters]
        means[own] = weight @ segments[voters] / weight.sum(axis=1, keepdims=True)
    return means


def agreement(found: Proposals, proposals: Proposals, threshold: float) -> np.ndarray:
    """How much the proposals around each detection agree with its class, from 0 to 1.

    That is the share of its class in the score * IoU of all proposals with an IoU of
    at least `threshold`. found: Detections (n,); proposals: those of all classes.
    -> (n,), 1 where there are none around.
    """
    shares = np.ones(len(found))
    start, end = proposals.segments.T.copy()                                   # (M,) each
    for first in range(0, len(found), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        own_start, own_end = found.segments[part].T[..., None]  # (16, 1) each
        weight = overlaps(start, end, end - start, own_start, own_end)         # (16, M)
        weight *= weight >= threshold
        weight *= proposals.scores
        total = weight.sum(axis=1)
        weight *= found.labels[part, None] == proposals.labels
        np.divide(weight.sum(axis=1), total, out=shares[part], where=total > 0)
    return shares


def without_copies(found: Proposals) -> Proposals:
    """Of detections with the same segment and class, which voting may create, the first."""
    named = np.column_stack([found.segments, found.labels])
    return found[np.sort(np.unique(named, axis=0, return_index=True)[1])]
