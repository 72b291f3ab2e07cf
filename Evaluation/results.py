"""Detection files of any method: `{"results": {video: [{label, score, segment}]}}`, read with care.

What can't be scored is a UserError that says where; what is odd is counted in a note.
"""

import math

import numpy as np

from Evaluation.metrics import ActionTable
from Utils.files import UserError, listed, read_json


def read_results(path):
    """The rows of a detection file, in its order. Returns ActionTable and notes (list of str).

    Segments without length or reversed are kept (they can match nothing) and counted.
    """
    content = read_json(path, "detection file")
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict):
        raise UserError(f'{path} has no "results": expected {{"results": {{video: [{{"label", '
                        '"score", "segment": [start, end]}]}}')
    labels, numbers, video = {}, [], []
    for index, (name, rows) in enumerate(results.items()):
        if not isinstance(rows, list):
            raise UserError(f"{path}: the results of video {name!r} are no list")
        for row, entry in enumerate(rows):
            label, *figures = _entry(entry, path, name, row)
            numbers.append((labels.setdefault(label, len(labels)), *figures))
        video += [index] * len(rows)
    table = np.array(numbers, dtype=np.float64).reshape(-1, 4)
    found = ActionTable(tuple(results), tuple(labels), np.array(video, dtype=np.int64),
                        table[:, 0].astype(np.int64), table[:, 1:3], table[:, 3])
    return found, _notes(found, path)


def _entry(entry, path, video, row):
    """(label, start, end, score) of one detection, checked."""
    where = f"{path}: detection {row} of video {video!r}"
    if not isinstance(entry, dict):
        raise UserError(f"{where} is no object with label, score and segment")
    for key in ("label", "score", "segment"):
        if key not in entry:
            raise UserError(f"{where} has no {key!r}; it has {', '.join(sorted(entry)) or 'none'}")
    segment = entry["segment"]
    if not isinstance(segment, list) or len(segment) != 2:
        raise UserError(f"{where}: segment is {str(segment)[:60]!r}, expected [start, end] seconds")
    if not isinstance(entry["label"], str):
        raise UserError(f"{where}: label is {str(entry['label'])[:60]!r}, expected a class name")
    return (entry["label"], *(_finite(edge, f"{where}: segment") for edge in segment),
            _finite(entry["score"], f"{where}: score"))


def _finite(value, where):
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Whole numbers of JSON may be longer than any float.
    if not is_number or not abs(value) < 1e300 or not math.isfinite(value):
        raise UserError(f"{where} is {str(value)[:60]}, expected a finite number")
    return float(value)


def _notes(table, path):
    """What is odd about a detection file, counted."""
    notes, (start, end) = [], table.segments.T
    rows = np.column_stack([table.video, table.label, table.segments, table.scores])
    odd = {"end before they start": int((end < start).sum()),
           "have no length": int((end == start).sum()),
           "start before 0": int((start < 0).sum()),
           "are there more than once": len(rows) - len(np.unique(rows, axis=0))}
    notes += [f"{path}: {count} detections {kind}" for kind, count in odd.items() if count]
    return notes if len(table) else [*notes, f"{path} holds no detections"]


def unknown_notes(detections, truth):
    """What detections and ground truth do not share, counted. detections: aligned."""
    strangers = np.unique(detections.video[detections.video >= len(truth.videos)])
    unknown = np.unique(detections.label[detections.label >= len(truth.classes)])
    found = np.isin(np.arange(len(truth.videos)), detections.video)
    missing = [truth.videos[index] for index in np.flatnonzero(~found)]
    notes = []
    if len(strangers):
        count = int((detections.video >= len(truth.videos)).sum())
        notes.append(f"{count} detections are in {len(strangers)} videos that the ground truth "
                     f"lacks and count as false positives: "
                     f"{listed(detections.videos[i] for i in strangers)}")
    if len(unknown):
        count = int((detections.label >= len(truth.classes)).sum())
        notes.append(f"{count} detections have {len(unknown)} labels that the ground truth lacks "
                     f"and belong to no class scored: "
                     f"{listed(detections.classes[i] for i in unknown)}")
    if missing:
        notes.append(f"{len(missing)} of {len(truth.videos)} videos of the ground truth have no "
                     f"detections: {listed(missing)}")
    return notes

