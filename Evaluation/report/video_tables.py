"""Actions and detections of every video as the columns that the page of a report reads.

A column is packed: the bytes of an array in base64, in the smallest type that holds it. Times are
whole hundredths of a second. A place is counted from 1 within its video; 0 stands for none.
"""

import base64
from dataclasses import replace

import numpy as np

from Evaluation.matching import overlapping_pairs
from Evaluation.metrics import UNMATCHED, align, match
from Evaluation.scores import as_computed

TICKS = 100             # in a second
FARTHEST = 2e7          # seconds; what lies farther is drawn there, as 32 bits hold no more ticks
LEAST_TIOU = 0.1        # below it a wrong detection is background, as DETAD has it
TYPES = {"u1": np.uint8, "u2": np.uint16, "i4": np.int32}


def aligned_together(truth, tables):
    """Detection tables with one numbering of videos and classes, that of the truth first."""
    base = truth
    for table in tables:
        base = align(table, base)
    return [align(table, base) for table in tables]


def video_tables(truth, runs, durations, thresholds):
    """Every video with its actions, and with the detections of every run.

    runs: detection tables, aligned together. durations: {video: seconds or None}.
    """
    truth = truth[np.argsort(truth.video, kind="stable")]
    names = runs[0].videos
    count = len(names)
    return {"names": list(names), "known": len(truth.videos),
            "durations": packed(_durations(names, durations, truth, runs)),
            "actions": {"edges": packed(_edges(truth, count)), **_times(truth)},
            "runs": [found_table(truth, run, thresholds, count) for run in runs]}


def found_table(truth, detections, thresholds, count):
    """The detections of one run, by video and falling score, and how they meet the actions.

    truth: sorted by video. closest: place of the action that a detection overlaps most. level:
    how well, 4 * (thresholds that its tIoU reaches) + 2 * (it reaches LEAST_TIOU) + (the action is
    of its class). taken: at each threshold, one after another, the place of the detection that
    each action has; taken_any: the same where classes do not count.
    """
    detections = detections[np.lexsort((-detections.scores, detections.video))]
    edges, thresholds = _edges(detections, count), as_computed(thresholds)
    anyone = [replace(table, label=np.zeros_like(table.label)) for table in (truth, detections)]
    # Proposals have no class that an action could have.
    has_classes = np.isin(detections.label, truth.label).any()
    taken_any = _taken(*anyone, thresholds, edges)
    taken = _taken(truth, detections, thresholds, edges) if has_classes else taken_any
    overlap, closest = closest_actions(truth, detections)
    same = detections.label == np.append(truth.label, -1)[closest] if has_classes else closest >= 0
    reached = (overlap[:, None] >= thresholds).sum(axis=1)
    places = closest - _edges(truth, count)[detections.video] + 1
    return {"edges": packed(edges), **_times(detections), "score": packed(detections.scores),
            "closest": packed(np.where(closest >= 0, places, 0)),
            "level": packed(4 * reached + 2 * (overlap >= LEAST_TIOU) + same),
            "taken": packed(taken), "taken_any": packed(taken_any)}


def closest_actions(truth, detections):
    """The action of any class that each detection overlaps most, the first of equals.

    -> tIoU (M,), row of the truth (M,), -1 for a detection that overlaps none.
    """
    row, action, overlap = overlapping_pairs(
        detections.segments, detections.video, truth.segments, truth.video, 1e-9)
    best, closest = np.zeros(len(detections)), np.full(len(detections), -1)
    np.maximum.at(best, row, overlap)
    top = np.flatnonzero(overlap == best[row])[::-1]
    closest[row[top]] = action[top]      # the first of equals is written last
    return best, closest


def packed(values):
    """A numpy array as the page reads it: {"type", "bytes"}; of floats all digits."""
    if values.dtype.kind == "f":
        name, values = "f8", values.astype("<f8")
    else:
        low, high = values.min(initial=0), values.max(initial=0)
        name = next(name for name, kind in TYPES.items()
                    if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
        values = values.astype(f"<{name}")
    return {"type": name, "bytes": base64.b64encode(values.tobytes()).decode("ascii")}


def _edges(table, count):
    """Where the rows of each video begin, and the end: (count + 1,). table: sorted by video."""
    return np.searchsorted(table.video, np.arange(count + 1))


def _times(table):
    start, end = np.rint(table.segments.clip(-FARTHEST, FARTHEST) * TICKS).astype(np.int64).T
    return {"start": packed(start), "end": packed(end), "label": packed(table.label)}


def _taken(truth, detections, thresholds, edges):
    """(T, n) place in its video of the detection that each action has."""
    _, matched = match(truth, detections, thresholds)
    taken = np.zeros((len(thresholds), len(truth)), np.int64)
    threshold, row = np.nonzero(matched != UNMATCHED)
    taken[threshold, matched[threshold, row]] = row - edges[detections.video[row]] + 1
    return taken


def _durations(names, durations, truth, runs):
    """Seconds that each timeline spans: the duration, else up to the last end that is known."""
    last = np.zeros(len(names))
    for table in (truth, *runs):
        np.maximum.at(last, table.video, table.segments.max(axis=1, initial=0))
    known = np.array([durations.get(name) or 0 for name in names], np.float64)
    return np.where((known > 0) & (known < FARTHEST), known, last.clip(1 / TICKS, FARTHEST))
