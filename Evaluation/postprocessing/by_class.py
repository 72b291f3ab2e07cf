"""Suppression class by class, and voting: how the strong recipe turns proposals into detections."""

import numpy as np

from Evaluation.nms import soft_nms_each
from Utils.segments import iou

AT_ONCE = 64   # detections compared with all proposals of their video at once


def best_of_classes(proposals, limit):
    """The `limit` best proposals of each class, in the order they came in; None: all."""
    if limit is None:
        return proposals
    order = np.lexsort((-proposals.scores, proposals.labels))
    label = proposals.labels[order]
    place = np.arange(len(order)) - np.searchsorted(label, label)
    return proposals[np.sort(order[place < limit])]


def soft_nms_by_class(segments, scores, labels, sigma, limit):
    """`soft_nms` of each class for itself, and the best of all of them together.

    segments: (M, 2), scores, labels: (M,); limit: how many are kept at most.
    Returns kept (n,) int, by falling score, and their new scores (n,) float64.
    """
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    found = soft_nms_each([(segments[rows], scores[rows]) for rows in classes], sigma, limit)
    kept = [rows[chosen] for rows, (chosen, _) in zip(classes, found, strict=True)]
    kept = np.concatenate([np.zeros(0, np.int64), *kept])
    new_scores = np.concatenate([np.zeros(0), *(new for _, new in found)])
    best = np.argsort(-new_scores, kind="stable")[:limit]
    return kept[best], new_scores[best]


def voted(proposals, kept, threshold):
    """Segments of the `kept` proposals, each the mean of those of its class around it.

    All proposals of the class with an IoU of `threshold` or more vote, the kept one among them,
    with weights score * IoU. kept: (n,) int -> (n, 2).
    """
    segments, labels = proposals.segments, proposals.labels
    means = np.empty((len(kept), 2))
    for label in np.unique(labels[kept]):
        own, voters = labels[kept] == label, np.flatnonzero(labels == label)
        overlap = iou(segments[kept[own]], segments[voters])
        weight = overlap * (overlap >= threshold) * proposals.scores[voters]
        means[own] = weight @ segments[voters] / weight.sum(axis=1, keepdims=True)
    return means


def agreement(found, proposals, threshold):
    """How far the proposals around each detection agree with its class, from 0 to 1: the share of
    its class in the score * IoU of all proposals with an IoU of `threshold` or more.

    found: Detections (n,); proposals: those of all classes. -> (n,), 1 where nothing is around.
    """
    shares = np.ones(len(found))
    for first in range(0, len(found), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        overlap = iou(found.segments[part], proposals.segments)
        weight = overlap * (overlap >= threshold) * proposals.scores
        own = (weight * (found.labels[part, None] == proposals.labels)).sum(axis=1)
        total = weight.sum(axis=1)
        np.divide(own, total, out=shares[part], where=total > 0)
    return shares


def without_copies(found):
    """The first of those with the same segment and class, where votes have made copies."""
    named = np.column_stack([found.segments, found.labels])
    return found[np.sort(np.unique(named, axis=0, return_index=True)[1])]
