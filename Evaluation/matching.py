"""Matching of detections and actions: pairs that overlap enough, and their assignment.

All thresholds, classes and videos are handled at once. Scores are not used: callers
sort the rows.
"""

from itertools import pairwise

import numpy as np

from Utils.segments import Floats, iou

PAIRS_AT_ONCE = 2 ** 18     # bounds the memory of the pairs looked at


def overlapping_pairs(segments_a: np.ndarray, group_a: np.ndarray, segments_b: np.ndarray,
                      group_b: np.ndarray,
                      least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs within a group whose tIoU is at least `least`.

    segments: (N, 2), (M, 2); group: (N,), (M,) int. Returns index into a, index into
    b, tIoU, each (P,), by index into a, then into b.
    """
    by_group = np.argsort(group_b, kind="stable")
    first, last = (np.searchsorted(group_b[by_group], group_a, side)
                   for side in ("left", "right"))
    count = last - first  # (N,) of b in the group of each a
    ends = np.concatenate([[0], np.cumsum(count)])
    cuts = np.unique(np.searchsorted(ends, np.arange(0, ends[-1], PAIRS_AT_ONCE),
                                     "right") - 1)
    parts = [_pairs_of(slice(start, stop), segments_a, segments_b, by_group, first, count, least)
             for start, stop in pairwise([*cuts, len(count)])]
    empty = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    a, b, overlap = (np.concatenate(part) for part in zip(empty, *parts, strict=True))
    return a, b, overlap


def _pairs_of(part, segments_a, segments_b, by_group, first, count, least):
    """The pairs of a slice of a; see `overlapping_pairs`."""
    a = np.repeat(np.arange(part.start, part.stop), count[part])  # (pairs,), and so on
    # 0, 1, ... count - 1 for each row of a: its partner's place in the group.
    within = np.arange(len(a)) - np.repeat(np.cumsum(count[part]) - count[part],
                                           count[part])
    b = by_group[first[a] + within]
    overlap = _tiou(segments_a[a], segments_b[b])
    near = overlap >= least
    return a[near], b[near], overlap[near]


def _tiou(a, b):
    """tIoU row by row, (P, 2), (P, 2) -> (P,); 1 for two equal points without length."""
    same_point = (a == b).all(axis=1) & (a[:, 0] == a[:, 1])
    return np.where(same_point, 1, iou(a[:, None], b[:, None])[:, 0, 0])


def assign(row: np.ndarray, column: np.ndarray, overlap: np.ndarray, thresholds: Floats,
           shape: tuple[int, int], strict: bool = False) -> np.ndarray:
    """Rows take turns: each takes the free column it overlaps most, at each threshold.

    row, column, overlap: (P,) the pairs, by row and within it by descending preference.
    thresholds: (T,); a pair counts where overlap >= threshold (strict: >). shape: numbers
    of rows and columns. Returns the column of each row (T, rows), or -1.

    Taking turns is equivalent to rounds in which all rows ask at once, each column
    holds the lowest row that has asked so far, and a refused row asks its next column
    (Gale and Shapley, 1962): a few rounds on arrays instead of a loop over rows.
    """
    rows, columns = shape
    first = np.bincount(row, minlength=rows)
    first = first.cumsum() - first                              # (rows,) into the pairs
    enough = np.greater if strict else np.greater_equal
    # A threshold at a time: with a million rows each array
    # of all would take 50 MB or more.
    found = np.full((len(thresholds), rows), -1, np.int32)
    for column_of, threshold in zip(found, thresholds, strict=True):
        count = np.bincount(row[enough(overlap, threshold)], minlength=rows)
        holder = _holders(first, first + count, column, (rows, columns))
        held = np.flatnonzero(holder < rows)
        column_of[holder[held]] = held
    return found


def _holders(first, end, column, shape):
    """The row that ends up with each column, or `rows` if none does: (columns,).

    first, end: (rows,), the pairs that a row may ask for, by descending preference.
    """
    rows, columns = shape
    asking, holder = first.copy(), np.full(columns, rows)
    active = np.flatnonzero(asking < end)  # rows that ask in this round
    while len(active):
        wanted = column[asking[active]]  # (active,) each, from here on
        before = holder[wanted]
        np.minimum.at(holder, wanted, active)
        won = holder[wanted] == active
        ousted = before[won & (before < rows)]
        active = np.concatenate([active[~won], ousted])
        asking[active] += 1
        active = active[asking[active] < end[active]]
    return holder
