"""Actions and detections of every video, as the columns that a report's page reads.

A column is packed: the bytes of an array in base64, in the smallest type that holds
it. Times are whole hundredths of a second. A place is counted from 1 within its video;
0 stands for none.
"""

import base64
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from Evaluation.matching import overlapping_pairs
from Evaluation.metrics import UNMATCHED, ActionTable, align, match, score_of_best_f1
from Evaluation.scores import as_computed
from Utils.segments import Floats

TICKS = 100             # in a second
FARTHEST = 2e7          # seconds; what lies farther is drawn there, as 32 bits hold no more ticks
LEAST_TIOU = 0.1        # below it, a wrong detection is background, as in DETAD
TYPES = {"u1": np.uint8, "u2": np.uint16, "i4": np.int32}


def aligned_together(truth: ActionTable, tables: Sequence[ActionTable]) -> list[ActionTable]:
    """Detection tables with one numbering of videos and classes, starting with the truth's."""
    base = truth
    for table in tables:
        base = align(table, base)
    return [align(table, base) for table in tables]


def video_tables(truth: ActionTable, runs: Sequence[ActionTable], durations: dict,
                 thresholds: Floats) -> dict:
    """Every video with its actions and the detections of every run.

    runs: detection tables, aligned together. durations: {video: seconds or None}.
    """
    truth = truth[np.argsort(truth.video, kind="stable")]
    names = runs[0].videos
    count = len(names)
    return {"names": list(names), "known": len(truth.videos),
            "durations": packed(_durations(names, durations, truth, runs)),
            "actions": {"edges": packed(_edges(truth, count)), **_times(truth)},
            "runs": [found_table(truth, run, thresholds, count) for run in runs]}


def found_table(truth: ActionTable, detections: ActionTable, thresholds: Floats,
                count: int) -> dict:
    """The detections of one run, and how they match the actions.

    The detections go by video and descending score. truth: sorted by video. closest:
    place of the action that a detection overlaps most. level: how well,
    4 * (thresholds that its tIoU reaches) + 2 * (it reaches LEAST_TIOU) + (the action
    is of its class). taken: at each threshold, one after another, the place of the
    detection that each action has; taken_any: the same regardless of class. best: at
    each threshold, the score with the highest F1.
    """
    detections = detections[np.lexsort((-detections.scores, detections.video))]
    edges, thresholds = _edges(detections, count), as_computed(thresholds)
    anyone = [replace(table, label=np.zeros_like(table.label)) for table in (truth, detections)]
    # Proposals have no class.
    has_classes = np.isin(detections.label, truth.label).any()
    _, matched_any = match(*anyone, thresholds)
    matched = match(truth, detections, thresholds)[1] if has_classes else matched_any
    taken, taken_any = (_taken(rows, detections.video, len(truth), edges)
                        for rows in (matched, matched_any))
    overlap, closest = closest_actions(truth, detections)
    same = detections.label == np.append(truth.label, -1)[closest] if has_classes else closest >= 0
    reached = (overlap[:, None] >= thresholds).sum(axis=1)
    places = closest - _edges(truth, count)[detections.video] + 1
    return {"edges": packed(edges), **_times(detections), "score": packed(detections.scores),
            "closest": packed(np.where(closest >= 0, places, 0)),
            "level": packed(4 * reached + 2 * (overlap >= LEAST_TIOU) + same),
            "taken": packed(taken), "taken_any": packed(taken_any),
            "best": [score_of_best_f1(detections.scores, right, len(truth))
                     for right in matched != UNMATCHED]}


def closest_actions(truth: ActionTable, detections: ActionTable) -> tuple[np.ndarray, np.ndarray]:
    """For each detection, the action of any class with the highest tIoU; of ties, the first.

    -> tIoU (M,), row of the truth (M,), -1 for a detection that overlaps none.
    """
    row, action, overlap = overlapping_pairs(
        detections.segments, detections.video, truth.segments, truth.video, 1e-9)
    best, closest = np.zeros(len(detections)), np.full(len(detections), -1)
    np.maximum.at(best, row, overlap)
    top = np.flatnonzero(overlap == best[row])[::-1]
    closest[row[top]] = action[top]      # the first of equals is written last
    return best, closest


def packed(values: np.ndarray) -> dict[str, str]:
    """A numpy array as the page reads it: {"type", "bytes"}; floats keep all digits."""
    if values.dtype.kind == "f":
        name, values = "f8", values.astype("<f8")
    else:
        low, high = values.min(initial=0), values.max(initial=0)
        name = next(name for name, kind in TYPES.items()
                    if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
        values = values.astype(f"<{name}")
    return {"type": name, "bytes": base64.b64encode(values.tobytes()).decode("ascii")}


def _edges(table, count):
    """Where the rows of each video begin, and the end: (count + 1,).

    table: sorted by video.
    """
    return np.searchsorted(table.video, np.arange(count + 1))


def _times(table):
    start, end = np.rint(table.segments.clip(-FARTHEST, FARTHEST) * TICKS).astype(np.int64).T
    return {"start": packed(start), "end": packed(end), "label": packed(table.label)}


def _taken(matched, video, num_actions, edges):
    """(T, n) place in its video of the detection that each action has.

    matched: (T, M).
    """
    taken = np.zeros((len(matched), num_actions), np.int64)
    threshold, row = np.nonzero(matched != UNMATCHED)
    taken[threshold, matched[threshold, row]] = row - edges[video[row]] + 1
    return taken


def _durations(names, durations, truth, runs):
    """Length of each timeline in seconds: the duration, or else the last known end."""
    last = np.zeros(len(names))
    for table in (truth, *runs):
        np.maximum.at(last, table.video, table.segments.max(axis=1, initial=0))
    known = np.array([durations.get(name) or 0 for name in names], np.float64)
    return np.where((known > 0) & (known < FARTHEST), known, last.clip(1 / TICKS, FARTHEST))
