"""The official THUMOS14 evaluation.

It differs from ActivityNet's in the matching, does not interpolate, and ignores
unmatched detections that overlap an ambiguous interval.
"""

from pathlib import Path

import numpy as np

from Evaluation.matching import assign, overlapping_pairs
from Evaluation.metrics import (
    ActionTable,
    align,
    class_pairs,
    instances,
    precision_by_class,
    rank,
)
from Utils.files import UserError, read_text
from Utils.segments import Floats


def thumos14_average_precision(truth: ActionTable, detections: ActionTable, thresholds: Floats,
                               ambiguous: ActionTable | None = None) -> np.ndarray:
    """Average precision as in the THUMOS14 challenge. -> (T, K), NaN without actions.

    In file order, each action takes the free detection of its video and class with the
    highest tIoU, if that is above the threshold. Ties in tIoU go to the higher score;
    ties in score by name of the video, then as in the file. Unmatched detections that
    overlap an ambiguous interval of their video are ignored. detections: aligned to
    the truth. ambiguous: ActionTable of intervals; their class does not matter.
    """
    ranked = by_video_name(detections)
    ranked = ranked[rank(ranked)]
    position, action, overlap = class_pairs(ranked, truth, min(thresholds, default=1))
    preferred = np.lexsort((position, -overlap, action))
    taken = assign(action[preferred], position[preferred], overlap[preferred], thresholds,
                   (len(truth), len(ranked)), strict=True)
    # One more place, for the -1 of unmatched actions.
    hit = np.zeros((len(thresholds), len(ranked) + 1), bool)
    np.put_along_axis(hit, taken, True, axis=1)
    hit = hit[:, :-1]
    counted = True if ambiguous is None else hit | ~overlaps_any(ranked, ambiguous)
    return precision_by_class(hit, counted, ranked.label, instances(truth),
                              interpolated=False)


def by_video_name(detections: ActionTable) -> ActionTable:
    """Detections sorted by the name of their video; within a video as in the file."""
    places = np.argsort(np.argsort(np.array(detections.videos, dtype=object)))
    return detections[np.argsort(places[detections.video], kind="stable")]


def overlaps_any(detections: ActionTable, intervals: ActionTable) -> np.ndarray:
    """Whether each detection overlaps an interval of its video. -> (M,) bool."""
    intervals = align(intervals, detections)
    found, _, overlap = overlapping_pairs(detections.segments, detections.video,
                                          intervals.segments, intervals.video, 0)
    overlapping = np.zeros(len(detections), bool)
    overlapping[found[overlap > 0]] = True
    return overlapping


def read_ambiguous(path: str | Path) -> ActionTable:
    """Intervals of a file whose lines are `video start end`, in seconds. -> ActionTable.

    Raises UserError for a missing file or another layout, naming the line.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"cannot read the ambiguous intervals {path}: {problem}") from None
    videos, segments = [], []
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        try:
            video, start, end = words
            segments.append((float(start), float(end)))
        except ValueError:
            segments.append((np.nan, np.nan))
        if not np.isfinite(segments[-1]).all():
            raise UserError(f"{path}, line {number}: expected `video start end` with "
                            f"finite seconds, found {line.strip()[:60]!r}")
        videos.append(video)
    names = tuple(dict.fromkeys(videos))
    place = {name: index for index, name in enumerate(names)}
    return ActionTable(names, ("Ambiguous",), np.array([place[name] for name in videos], np.int64),
                       np.zeros(len(videos), np.int64), np.array(segments).reshape(-1, 2))
