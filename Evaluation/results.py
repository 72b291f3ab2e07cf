"""Detection files of any method: `{"results": {video: [{label, score, segment}]}}`, read with care.

What can't be scored is a UserError that says where; what is odd is counted in a warning.
"""

import contextlib
import math
from collections import Counter
from dataclasses import replace

import numpy as np

from Evaluation.metrics import ActionTable
from Utils.files import UserError, listed, read_json
from Utils.names import difference

LAYOUT = '{"results": {video: [{"label": class, "score": x, "segment": [start, end]}, ...]}}'
NO_CLASS = "(no class)"     # stands for the label of proposals, which have none


def read_results(path):
    """The rows of a detection file, in its order. Returns ActionTable, warnings (list of str).

    Where no row has a label they are proposals: their only class is NO_CLASS. Segments reversed or
    without length are kept and counted: they are false positives.
    """
    return results_table(read_json(path, "detection file", unique_names=True), path)


def results_table(content, path):
    """As `read_results`, of the content of a detection file. path: where it is from, for messages.
    """
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict):
        raise UserError(f'{path} has no object "results"; expected {LAYOUT}')
    has_labels = _first_has_label(results)
    labels, rows, video = {}, [], []
    for index, (name, entries) in enumerate(results.items()):
        if not _is_text(name):
            raise UserError(f"{path}: the name of video {ascii(name)} cannot be used")
        if not isinstance(entries, list):
            raise UserError(f"{path}: the results of video {name!r} are no list; expected {LAYOUT}")
        for row, entry in enumerate(entries):
            try:
                label, *numbers = _row(entry, has_labels)
            except ValueError as fault:
                raise UserError(f"{path}: detection {row} of video {name!r} {fault}") from None
            rows.append((labels.setdefault(label, len(labels)), *numbers))
        video += [index] * len(entries)
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    found = ActionTable(tuple(results), tuple(labels), np.array(video, dtype=np.int64),
                        table[:, 0].astype(np.int64), table[:, 1:3], table[:, 3])
    return found, _oddities(found, path)


def rows_by_video(table):
    """An ActionTable of detections as the rows of a detection file. -> {video: rows}."""
    rows = {video: [] for video in table.videos}
    for video, label, segment, score in zip(table.video, table.label, table.segments.tolist(),
                                            table.scores.tolist(), strict=True):
        rows[table.videos[video]].append(
            {"label": table.classes[label], "score": score, "segment": segment})
    return rows


def _first_has_label(results):
    """Whether the file has labels, by its first row; True where there is none."""
    rows = (row for entries in results.values() if isinstance(entries, list) for row in entries)
    first = next(rows, None)
    return not isinstance(first, dict) or "label" in first or not {"score", "segment"} <= set(first)


def _row(entry, has_label):
    """(label, start, end, score) of one row; a ValueError says what is wrong with it."""
    if not isinstance(entry, dict):
        raise ValueError(f"is {str(entry)[:60]!r}, expected an object with label, score, segment")
    for key in ("label", "score", "segment"):
        if key not in entry and (key != "label" or has_label):
            raise ValueError(f"has no {key!r}; it has "
                             f"{listed(sorted(map(ascii, entry))) or 'nothing'}")
    label, segment = entry.get("label", NO_CLASS), entry["segment"]
    if not has_label and "label" in entry:
        raise ValueError(f"has the label {str(label)[:60]!r}, while those before it have none")
    if not isinstance(label, str) or not _is_text(label):
        raise ValueError(f"has the label {ascii(label)[:60]}, expected the name of a class")
    if not isinstance(segment, list) or len(segment) != 2:
        raise ValueError(f"has the segment {str(segment)[:60]!r}, expected [start, end] in seconds")
    return label, _finite(segment[0]), _finite(segment[1]), _finite(entry["score"])


def _is_text(name):
    """Whether a name can be shown and written: JSON may hold halves of characters."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _finite(value):
    if isinstance(value, str):     # as in the annotations of THUMOS14
        with contextlib.suppress(ValueError):
            value = float(value)
    is_number = type(value) in (int, float)
    # Whole numbers of JSON may be longer than any float.
    if not is_number or not abs(value) < 1e300 or not math.isfinite(value):
        raise ValueError(f"has {str(value)[:60]!r} for a score or a second, expected a finite "
                         "number")
    return float(value)


def _oddities(table, path):
    """What is odd about a detection file, counted."""
    start, end = table.segments.T
    rows = np.column_stack([table.video, table.label, table.segments, table.scores])
    counts = {"end before they start": int((end < start).sum()),
              "have no length": int((end == start).sum()),
              "start before 0": int((start < 0).sum()),
              "are there more than once": len(rows) - len(np.unique(rows, axis=0))}
    found = [f"{path}: {count} of {len(table)} detections {kind}"
             for kind, count in counts.items() if count]
    return found if len(table) else [f"{path} holds no detections"]


def without_prefix(table, prefix, truth, path):
    """The ActionTable with `prefix` off the videos that the truth has without it alone, and a line
    that counts them, if there are any. Raises UserError where a video has both names."""
    known = set(truth.videos)
    bare = {name: name.removeprefix(prefix) for name in table.videos if name not in known}
    renamed = {name: short for name, short in bare.items() if short in known}
    names = tuple(renamed.get(name, name) for name in table.videos)
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(f"{path} has videos with and without {prefix!r} before their names: "
                        f"{listed(twice)}; merge them")
    return replace(table, videos=names), [
        f"{len(renamed)} of {len(names)} videos of {path} were renamed: the ground truth has them "
        f"without {prefix!r}"] * bool(renamed)


def check_seconds(table, truth, durations, path):
    """Warnings about detections behind the end of their video; a UserError where most of them are.

    durations: {video: seconds or None}. Where they are unknown, nearly all must lie behind the last
    action of their video.
    """
    last = np.full(len(truth.videos), np.nan)
    np.fmax.at(last, truth.video, truth.segments[:, 1])
    place = {name: index for index, name in enumerate(truth.videos)}
    ends = np.array([durations.get(name) or np.nan for name in table.videos])
    actions = np.array([last[place[name]] if name in place else np.nan for name in table.videos])
    for limit, most, what in ((ends, 0.5, "end"), (actions, 0.9, "last action")):
        known = ~np.isnan(limit[table.video])
        is_behind = table.segments[:, 0] >= limit[table.video]
        count = int(is_behind.sum())
        if count > most * known.sum():
            row = int(np.flatnonzero(is_behind)[0])
            raise UserError(f"{path}: {count} of {known.sum()} detections begin behind the {what} "
                            f"of their video, such as one of {table.videos[table.video[row]]} at "
                            f"{table.segments[row, 0]:g}, where {limit[table.video[row]]:g} s is "
                            "the end: are they in frames or milliseconds? give them in seconds")
        if known.any():
            return [f"{path}: {count} detections begin behind their video's end"] * (
                count > 0 and what == "end")
    return []


def mismatches(detections, truth):
    """What detections and ground truth do not share, counted, as warnings. detections: aligned."""
    strange = detections.video >= len(truth.videos)
    unknown = detections.label >= len(truth.classes)
    found = np.isin(np.arange(len(truth.videos)), detections.video)
    warnings = []
    if strange.any():
        names = [detections.videos[index] for index in np.unique(detections.video[strange])]
        why = difference(names, truth.videos, "the ground truth")
        warnings.append(f"{strange.sum()} detections are in {len(names)} videos that the ground "
                        f"truth lacks, and count as false positives: {listed(names)}"
                        + f"; {why}" * bool(why))
    if unknown.any() and detections.classes[-1] != NO_CLASS:
        names = [detections.classes[index] for index in np.unique(detections.label[unknown])]
        warnings.append(f"{unknown.sum()} detections have {len(names)} labels that the ground "
                        f"truth lacks, and belong to no class scored: {listed(names)}")
    if not found.all():
        names = [truth.videos[index] for index in np.flatnonzero(~found)]
        warnings.append(f"{len(names)} of {len(truth.videos)} videos of the ground truth have no "
                        f"detections: {listed(names)}")
    return warnings
