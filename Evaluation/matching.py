"""Which detection gets which action: pairs that overlap enough, and who is assigned to whom.

All thresholds, classes and videos at once. Scores don't enter: the callers order the rows.
"""

from itertools import pairwise

import numpy as np

from Utils.segments import iou

PAIRS_AT_ONCE = 2 ** 21     # bounds the memory of the pairs looked at


def overlapping_pairs(segments_a, group_a, segments_b, group_b, least):
    """All pairs of one group whose tIoU is at least `least`.

    segments: (N, 2), (M, 2); group: (N,), (M,) int. Returns index into a, index into b, tIoU, each
    (P,), by index into a, then into b.
    """
    by_group = np.argsort(group_b, kind="stable")
    first, last = (np.searchsorted(group_b[by_group], group_a, side) for side in ("left", "right"))
    count = last - first
    ends = np.concatenate([[0], np.cumsum(count)])
    cuts = np.unique(np.searchsorted(ends, np.arange(0, ends[-1], PAIRS_AT_ONCE), "right") - 1)
    parts = [_pairs_of(slice(start, stop), segments_a, segments_b, by_group, first, count, least)
             for start, stop in pairwise([*cuts, len(count)])]
    empty = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    a, b, overlap = (np.concatenate(part) for part in zip(empty, *parts, strict=True))
    return a, b, overlap


def _pairs_of(part, segments_a, segments_b, by_group, first, count, least):
    """The pairs of a slice of a; see `overlapping_pairs`."""
    a = np.repeat(np.arange(part.start, part.stop), count[part])
    within = np.arange(len(a)) - np.repeat(np.cumsum(count[part]) - count[part], count[part])
    b = by_group[first[a] + within]
    overlap = _tiou(segments_a[a], segments_b[b])
    near = overlap >= least
    return a[near], b[near], overlap[near]


def _tiou(a, b):
    """tIoU row by row, (P, 2), (P, 2) -> (P,); 1 for the same point in time, which has no length.
    """
    same_point = (a == b).all(axis=1) & (a[:, 0] == a[:, 1])
    return np.where(same_point, 1, iou(a[:, None], b[:, None])[:, 0, 0])


def assign(row, column, overlap, thresholds, shape, strict=False):
    """Row after row takes the free column it overlaps most, at each threshold.

    row, column, overlap: (P,) the pairs, by row and within it by falling preference. thresholds:
    (T,); a pair counts where overlap >= threshold (strict: >). shape: numbers of rows and columns.
    Returns the column of each row (T, rows), -1 for none.

    Taking turns is the same as all asking at once, again and again, where a column holds the lowest
    row that has asked so far and a row refused asks the next (Gale and Shapley, 1962): a few rounds
    of arrays in place of a loop over the rows.
    """
    (rows, columns), thresholds = shape, np.asarray(thresholds, np.float64)
    asking = np.tile(np.searchsorted(row, np.arange(rows)), len(thresholds))
    enough = np.greater if strict else np.greater_equal
    end = asking + np.concatenate([np.bincount(row[enough(overlap, threshold)], minlength=rows)
                                   for threshold in thresholds])
    holder = np.full(len(thresholds) * columns, rows)
    active = np.flatnonzero(asking < end)
    while len(active):
        threshold, who = np.divmod(active, rows)
        slot = threshold * columns + column[asking[active]]
        before = holder[slot]
        np.minimum.at(holder, slot, who)
        won = holder[slot] == who
        ousted = (threshold * rows + before)[won & (before < rows)]
        active = np.concatenate([active[~won], ousted])
        asking[active] += 1
        active = active[asking[active] < end[active]]
    return _invert(holder.reshape(len(thresholds), columns), rows)


def _invert(holder, rows):
    """Row of each column (T, columns), `rows` for none -> column of each row (T, rows), -1."""
    found = np.full((len(holder), rows + 1), -1)
    found[np.arange(len(holder))[:, None], holder] = np.arange(holder.shape[1])
    return found[:, :rows]
