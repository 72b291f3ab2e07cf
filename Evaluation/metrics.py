"""Scores of detections against a ground truth: matching, average precision, and their means.

The protocol is ActivityNet's, which papers on temporal action localization use; the official one
of THUMOS14 is in `thumos14_protocol.py`. All segments are in seconds.
"""

from dataclasses import dataclass, replace

import numpy as np

from Utils.segments import length

UNMATCHED = -1


@dataclass(frozen=True, eq=False)
class ActionTable:
    """Actions of many videos, a row each: the ground truth, or, with scores, detections.

    video, label: (n,) int, index into videos and classes. segments: (n, 2) float64, seconds.
    scores: (n,) float64, None in a ground truth.
    """
    videos: tuple[str, ...]
    classes: tuple[str, ...]
    video: np.ndarray
    label: np.ndarray
    segments: np.ndarray
    scores: np.ndarray | None = None

    def __len__(self):
        return len(self.video)

    def rows(self, chosen):
        """The table with the rows `chosen` (indices or mask) alone."""
        scores = None if self.scores is None else self.scores[chosen]
        return replace(self, video=self.video[chosen], label=self.label[chosen],
                       segments=self.segments[chosen], scores=scores)


def align(detections, truth):
    """Detections with the truth's numbering of videos and classes; unknown ones come behind."""
    videos, video = _renumbered(detections.videos, truth.videos, detections.video)
    classes, label = _renumbered(detections.classes, truth.classes, detections.label)
    return replace(detections, videos=videos, classes=classes, video=video, label=label)


def _renumbered(names, first_names, index):
    """Names with `first_names` in front, and index (n,) into them instead of into `names`."""
    joined = {name: number for number, name in enumerate(dict.fromkeys((*first_names, *names)))}
    number = np.array([joined[name] for name in names], dtype=np.int64)
    return tuple(joined), number[index] if len(index) else index.astype(np.int64)


def match(truth, detections, thresholds):
    """Which detection finds which action.

    Per class, detections by falling score (equal ones in the order of the table): each takes the
    action of its video and class with the highest tIoU that no earlier one took, if that is at
    least the threshold. detections: aligned with the truth. thresholds: (t,).
    Returns order (M,), the detections by class and then by falling score, and matched (t, M),
    the row of the action a detection found or UNMATCHED; its columns are the detections' rows.
    """
    order = np.lexsort((-detections.scores, detections.label))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    detection, action, overlap = overlapping_pairs(truth, detections, least=min(thresholds))
    # Of equal tIoU the last action first, as the original's reversed sort has it.
    by_rank = np.lexsort((-action, -overlap, rank[detection]))
    detection, action, overlap = detection[by_rank], action[by_rank], overlap[by_rank]
    matched = np.full((len(thresholds), len(order)), UNMATCHED, dtype=np.int64)
    for row, threshold in zip(matched, thresholds, strict=True):
        near = overlap >= threshold
        _take(row, len(truth), detection[near].tolist(), action[near].tolist())
    return order, matched


def _take(matched, num_actions, detections, actions):
    """Go down the pairs (lists, best first); each side is taken once. Fills matched (M,)."""
    is_taken = bytearray(num_actions)
    found = {}
    for detection, action in zip(detections, actions, strict=True):
        if not is_taken[action] and detection not in found:
            is_taken[action] = True
            found[detection] = action
    matched[list(found)] = list(found.values())


def overlapping_pairs(truth, detections, any_class=False, least=0.0):
    """Every detection with every action of its video (and class) that it overlaps, by tIoU >= least.

    Returns detection (P,), action (P,), tIoU (P,), by detection and then by action.
    """
    keys = [table.video if any_class else _key(table, truth, detections)
            for table in (truth, detections)]
    by_key = np.argsort(keys[0], kind="stable")
    first = np.searchsorted(keys[0], keys[1], "left", sorter=by_key)
    count = np.searchsorted(keys[0], keys[1], "right", sorter=by_key) - first
    detection = np.repeat(np.arange(len(detections)), count)
    # 0, 1, ... within each detection's actions, from where they begin.
    place = np.arange(len(detection)) - np.repeat(np.cumsum(count) - count, count)
    action = by_key[np.repeat(first, count) + place]
    overlap = _pair_iou(detections.segments[detection], truth.segments[action])
    kept = (overlap > 0) & (overlap >= least)
    return detection[kept], action[kept], overlap[kept]


def _key(table, truth, detections):
    """One number for video and class of each row."""
    num_classes = max(len(truth.classes), len(detections.classes))
    return table.video * num_classes + table.label


def _pair_iou(a, b):
    """tIoU row by row, 0 where the union is empty: (P, 2), (P, 2) -> (P,)."""
    overlap = np.minimum(a[:, 1], b[:, 1]) - np.maximum(a[:, 0], b[:, 0])
    overlap = overlap.clip(min=0)
    union = length(a) + length(b) - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def interpolated_precision(is_true, num_actions):
    """Average precision with the precision made falling (its envelope), the area under it.

    is_true: (..., n) bool, a class's detections by falling score. -> (...), 0 where n is 0.
    """
    if is_true.shape[-1] == 0 or num_actions == 0:
        return np.zeros(is_true.shape[:-1])
    precision = is_true.cumsum(-1) / np.arange(1, is_true.shape[-1] + 1)
    envelope = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    return (envelope * is_true).sum(-1) / num_actions


def average_precision(truth, detections, thresholds, ignore=None):
    """Average precision of every class of the truth. -> (t, K), a class without detections 0.

    detections: aligned with the truth; those of classes or videos that the truth lacks are false
    positives, of no class that is counted. ignore: (t, M) bool or None, detections to leave out.
    Classes without an action are NaN.
    """
    order, matched = match(truth, detections, thresholds)
    return class_precisions(order, matched, detections.label, truth, ignore)


def class_precisions(order, matched, label, truth, ignore=None):
    """`average_precision` of matches already made (see `match`)."""
    num_actions = np.bincount(truth.label, minlength=len(truth.classes))
    precision = np.full((len(matched), len(truth.classes)), np.nan)
    ends = np.searchsorted(label[order], np.arange(len(truth.classes) + 1))
    for k in np.flatnonzero(num_actions):
        rows = order[ends[k]:ends[k + 1]]
        is_true = matched[:, rows] != UNMATCHED
        if ignore is None:
            precision[:, k] = interpolated_precision(is_true, num_actions[k])
            continue
        for t, left_out in enumerate(ignore[:, rows]):
            precision[t, k] = interpolated_precision(is_true[t, ~left_out], num_actions[k])
    return precision


def short_average_precision(truth, detections, thresholds, max_seconds):
    """Average precision of the actions of at most max_seconds. -> (t, K), NaN without one.

    Detections matched to a longer action are ignored, every unmatched one counts.
    """
    is_short = length(truth.segments) <= max_seconds
    order, matched = match(truth, detections, thresholds)
    # UNMATCHED is -1, and so picks the last entry: neither long nor an action.
    is_long = np.append(~is_short, False)[matched]
    return class_precisions(order, np.where(is_long, UNMATCHED, matched), detections.label,
                            truth.rows(is_short), ignore=is_long)


def precision_recall(order, matched, label, truth, class_index):
    """Precision and recall after each of a class's detections. -> (t, n) each."""
    rows = order[label[order] == class_index]
    found = (matched[:, rows] != UNMATCHED).cumsum(-1)
    num_actions = np.count_nonzero(truth.label == class_index)
    return found / np.arange(1, len(rows) + 1), found / max(num_actions, 1)
