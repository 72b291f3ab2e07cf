"""Detection files of any method: `{"results": {video: [{label, score, segment}]}}`.

What cannot be scored raises a UserError that says where; what is odd is counted in a
warning.
"""

from array import array
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from Evaluation.detection_rows import (
    NO_CLASS,
    UNLABELLED,
    Kept,
    RowStore,
    checked_row,
    is_text,
)
from Evaluation.metrics import ActionTable
from Utils.files import UserError, agreeing, counted, listed, read_json
from Utils.names import difference

LAYOUT = '{"results": {video: [{"label": class, "score": x, "segment": [start, end]}, ...]}}'


def read_detections(path: str | Path) -> tuple[ActionTable, list[str]]:
    """The rows of a detection file, in its order. -> ActionTable, warnings (list of str).

    If no row has a label, the rows are proposals, and their only class is NO_CLASS.
    Reversed and empty segments are kept and counted; they are false positives.
    """
    store = RowStore()
    return _table(read_json(path, "detection file", store.hook), path, store)


def parse_detections(content: object, path: str | Path) -> tuple[ActionTable, list[str]]:
    """`read_detections` for content that is already loaded. path: where it came from."""
    return _table(content, path, RowStore())


def _table(content, path, store):
    """The same for content whose rows may already be in the store."""
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict):
        raise UserError(f'{path} has no object "results"; expected {LAYOUT}')
    has_labels, places = _first_has_label(results, store), array("q")
    for name, entries in results.items():
        if not is_text(name):
            raise UserError(f"{path}: the name of video {ascii(name)} cannot be used")
        if not isinstance(entries, list):
            raise UserError(f"{path}: the results of video {name!r} are not a list; "
                            f"expected {LAYOUT}")
        for row, entry in enumerate(entries):
            try:
                places.append(_place(entry, store, has_labels))
            except ValueError as fault:
                raise UserError(f"{path}: detection {row} of video {name!r} {fault}") from None
    counts = [len(entries) for entries in results.values()]
    video = np.repeat(np.arange(len(results)), counts)
    classes, *columns = store.columns(np.array(places, np.int64))
    found = ActionTable(tuple(results), classes, video, *columns)
    return found, _oddities(found, path)


def _place(entry, store, has_labels):
    """The place of a row in the store. A ValueError says what is wrong with the row."""
    if type(entry) is Kept:
        if (store.labels[entry] != UNLABELLED) == has_labels:
            return entry
        entry = store.row(entry)
    try:
        return store.add(*checked_row(entry, has_labels))
    except ValueError:      # say it again in the file's own words if it holds a row within a row
        return store.add(*checked_row(store.plain(entry), has_labels))


def rows_by_video(table: ActionTable) -> dict[str, list[dict]]:
    """An ActionTable of detections as the rows of a detection file. -> {video: rows}."""
    rows = {video: [] for video in table.videos}
    for video, label, segment, score in zip(table.video, table.label, table.segments.tolist(),
                                            table.scores.tolist(), strict=True):
        rows[table.videos[video]].append(
            {"label": table.classes[label], "score": score, "segment": segment})
    return rows


def _first_has_label(results, store):
    """Whether the file has labels, judging by its first row; True if there are no rows."""
    rows = (row for entries in results.values()
            if isinstance(entries, list) for row in entries)
    first = next(rows, None)
    if type(first) is Kept:
        return store.labels[first] != UNLABELLED
    return not isinstance(first, dict) or "label" in first or not {"score", "segment"} <= set(first)


def _oddities(table, path):
    """Lines that count what is odd about a detection file."""
    start, end = table.segments.T
    columns = (table.scores, end, start, table.label, table.video)
    order = np.lexsort(columns)
    is_copy = np.ones(max(len(order) - 1, 0), bool)
    for column in columns:
        is_copy &= np.diff(column[order]) == 0
    kinds = ((int((end < start).sum()), "ends before it starts", "end before they start"),
             (int((end == start).sum()), "has no length", "have no length"),
             (int((start < 0).sum()), "starts before 0", "start before 0"),
             (int(is_copy.sum()), "is a copy of another", "are copies of others"))
    found = [f"{path}: {count} of {counted(len(table), 'detection')} {agreeing(count, one, many)}"
             for count, one, many in kinds if count]
    return found if len(table) else [f"{path} holds no detections"]


def without_prefix(table: ActionTable, prefix: str, truth: ActionTable,
                   path: str | Path) -> tuple[ActionTable, list[str]]:
    """The table without `prefix` in the names of videos that the truth knows without it.

    Also returns a list with a line that counts them, empty if there are none. Raises
    UserError where a video has both names.
    """
    known = set(truth.videos)
    bare = {name: name.removeprefix(prefix) for name in table.videos if name not in known}
    renamed = {name: short for name, short in bare.items() if short in known}
    names = tuple(renamed.get(name, name) for name in table.videos)
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(f"{path} has videos with and without {prefix!r} before their "
                        f"names: {listed(twice)}; merge them")
    return replace(table, videos=names), [
        f"{len(renamed)} of {counted(len(names), 'video')} of {path} "
        f"{agreeing(len(renamed), 'was', 'were')} renamed: the ground truth has "
        f"{agreeing(len(renamed), 'it', 'them')} without {prefix!r}"] * bool(renamed)


def check_seconds(table: ActionTable, truth: ActionTable, durations: dict,
                  path: str | Path) -> list[str]:
    """Warn about detections after the end of their video; a UserError if most of them are.

    durations: {video: seconds or None}. Where they are unknown, it raises only if
    nearly all detections begin after the last action of their video.
    """
    last = np.full(len(truth.videos), np.nan)
    np.fmax.at(last, truth.video, truth.segments[:, 1])
    place = {name: index for index, name in enumerate(truth.videos)}
    ends = np.array([durations.get(name) or np.nan for name in table.videos])
    actions = np.array([last[place[name]] if name in place else np.nan
                        for name in table.videos])
    for limit, most, what in ((ends, 0.5, "end"), (actions, 0.9, "last action")):
        known = ~np.isnan(limit[table.video])
        is_behind = table.segments[:, 0] >= limit[table.video]
        count = int(is_behind.sum())
        if count > most * known.sum():
            row = int(np.flatnonzero(is_behind)[0])
            whose = agreeing(count, "its video", "their videos")
            raise UserError(f"{path}: {count} of {counted(known.sum(), 'detection')} "
                            f"{agreeing(count, 'begins', 'begin')} after the {what} of "
                            f"{whose}, such as one of {table.videos[table.video[row]]} "
                            f"at {table.segments[row, 0]:g}, where "
                            f"{limit[table.video[row]]:g} s is the end: are they in "
                            "frames or milliseconds? give them in seconds")
        if known.any():
            begin = agreeing(count, "begins", "begin")
            return [f"{path}: {counted(count, 'detection')} {begin} after the end of the video"] * (
                count > 0 and what == "end")
    return []


def mismatches(detections: ActionTable, truth: ActionTable) -> list[str]:
    """Warnings that count what detections and ground truth do not share.

    detections: aligned.
    """
    strange = detections.video >= len(truth.videos)
    unknown = detections.label >= len(truth.classes)
    found = np.isin(np.arange(len(truth.videos)), detections.video)
    warnings = []
    if strange.any():
        names = [detections.videos[index]
                 for index in np.unique(detections.video[strange])]
        why = difference(names, truth.videos, "the ground truth")
        number = strange.sum()
        wrong = agreeing(number, "counts as a false positive", "count as false positives")
        warnings.append(f"{counted(number, 'detection')} "
                        f"{agreeing(number, 'is', 'are')} in "
                        f"{counted(len(names), 'video')} that the ground truth lacks, "
                        f"and {wrong}: {listed(names)}" + f"; {why}" * bool(why))
    if unknown.any() and detections.classes[-1] != NO_CLASS:
        names = [detections.classes[index]
                 for index in np.unique(detections.label[unknown])]
        number = unknown.sum()
        warnings.append(f"{counted(number, 'detection')} "
                        f"{agreeing(number, 'has', 'have')} "
                        f"{counted(len(names), 'label')} that the ground truth lacks, "
                        f"and {agreeing(number, 'belongs', 'belong')} to no class "
                        f"scored: {listed(names)}")
    if not found.all():
        names = [truth.videos[index] for index in np.flatnonzero(~found)]
        warnings.append(f"{len(names)} of {counted(len(truth.videos), 'video')} of the "
                        f"ground truth {agreeing(len(names), 'has', 'have')} no "
                        f"detections: {listed(names)}")
    return warnings
