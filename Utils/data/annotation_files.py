"""The parts of annotation files that all layouts share.

Files are JSON objects `database -> video -> {subset, duration, annotations:
[{segment, label}]}`, with or without the outer `database`, as written by ActivityNet,
OpenTAD and ActionFormer.
"""

import contextlib
import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from Utils.data.annotations import Video
from Utils.files import UserError, counted, listed, read_json, unique

DURATIONS = ("duration", "duration_second")
FRAMES = ("frame", "frames", "duration_frame", "num_frames")


@dataclass(frozen=True)
class Record:
    """One video as in its file: labels are names, and a missing label_id is None."""
    name: str
    subset: str | None = None
    duration: float | None = None
    segments: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    labels: list[str] = field(default_factory=list)
    label_ids: list[int | None] = field(default_factory=list)
    fps: float | None = None


def read_records(path):
    """Every video of an annotation file. -> list of Record, in file order."""
    return records_of(read_json(path, "annotation file", unique), path)


def records_of(content, path):
    """Every video in the content of an annotation file. path: for messages."""
    database = content.get("database", content) if isinstance(content, dict) else None
    if not isinstance(database, dict) or not database:
        raise UserError(f"{path} holds no videos: expected "
                        '{"database": {video: {subset, duration, annotations}}}')
    return [_record(name, entry, f"{path}: video {name!r}")
            for name, entry in database.items()]


def _record(name, entry, where):
    """One video, from its JSON entry. where: start of the message about a fault."""
    check_name(name, where)
    actions = entry.get("annotations") if isinstance(entry, dict) else None
    if not isinstance(actions, list):
        raise UserError(f"{where} has no list of 'annotations'")
    subset = entry.get("subset", entry.get("split"))
    if subset is not None and not isinstance(subset, str):
        raise UserError(f"{where}: subset is {subset!r}, not a name")
    rows = [_action(action, f"{where}, annotation {i}")
            for i, action in enumerate(actions)]
    segments = np.array([row[0] for row in rows], dtype=np.float64).reshape(-1, 2)
    return Record(name, subset, duration_of(entry, where), segments, [row[1] for row in rows],
                  [row[2] for row in rows], fps_of(entry, where))


def check_name(name, where):
    """Refuse a name that no file can hold or show: empty, with a NUL, or not valid UTF-8."""
    try:
        is_good = bool(name) and "\0" not in name and bool(name.encode("utf-8"))
    except UnicodeEncodeError:
        is_good = False
    if not is_good:
        raise UserError(f"{ascii(where)[1:-1]}: the name cannot be used")


def duration_of(entry, where):
    """Seconds of a video's JSON entry, or frames / fps; None if it has neither."""
    for key in DURATIONS:
        if entry.get(key) is not None:
            return _positive(entry[key], f"{where}: {key}")
    frames, fps = _frames_of(entry, where), entry.get("fps")
    if frames is None or fps is None:
        return None
    return frames / _positive(fps, f"{where}: fps")


def fps_of(entry, where):
    """Images per second of a video's JSON entry: fps, or frames / duration; else None.

    It is rarely needed, so an invalid value counts as none.
    """
    with contextlib.suppress(UserError):
        if entry.get("fps") is not None:
            return _positive(entry["fps"], where)
        frames, duration = _frames_of(entry, where), duration_of(entry, where)
        return frames / duration if frames and duration else None
    return None


def _frames_of(entry, where):
    """Number of images of the video file, from its JSON entry; None if unknown."""
    frames = next((entry[key] for key in FRAMES if entry.get(key) is not None), None)
    return None if frames is None else _positive(frames, f"{where}: frames")


def _positive(value, where):
    seconds = number(value, where)
    if not seconds > 0:
        raise UserError(f"{where} is {value}; it must be above 0")
    return seconds


def _action(action, where):
    """(start, end), label, label_id of one annotation."""
    segment = action.get("segment") if isinstance(action, dict) else None
    if not isinstance(segment, list) or len(segment) != 2:
        raise UserError(f"{where}: segment is {str(segment)[:60]!r}, expected [start, end] seconds")
    identity = action.get("label_id")
    if identity is not None and (isinstance(identity, bool) or not isinstance(identity, int)):
        raise UserError(f"{where}: label_id is {str(identity)[:60]!r}, not a whole number")
    label = action.get("label", None if identity is None else str(identity))
    if not isinstance(label, str) or not label:
        raise UserError(f"{where}: label is {str(label)[:60]!r}, expected the name of a class")
    check_name(label, f"{where}: label {label!r}")
    return tuple(number(edge, where) for edge in segment), label, identity


def number(value, where):
    """A finite float from a JSON number, or from a string with one, as THUMOS14 has."""
    try:
        result = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not math.isfinite(result):
        raise UserError(f"{where}: expected a number, found {str(value)[:60]!r}")
    return result


def class_ids(records, index_path=None):
    """Class name -> id from 1.

    The ids are those in the file, else the label_ids of the annotations, else by name.
    """
    if index_path is not None:
        return _read_class_index(index_path)
    pairs = {(label, identity) for record in records
             for label, identity in zip(record.labels, record.label_ids, strict=True)}
    names = sorted({label for label, _ in pairs})
    numbers = {label: identity for label, identity in pairs if identity is not None}
    if not numbers:
        return {name: i for i, name in enumerate(names, 1)}
    lacking = [record.name for record in records if None in record.label_ids]
    if lacking:
        raise UserError(f"annotations of {counted(len(lacking), 'video')} have no "
                        f"label_id, while others have one: {listed(lacking)}; give it "
                        "to all of them or to none, or name the classes with "
                        "--class_index")
    if len(pairs) != len(names) or len(set(numbers.values())) != len(names):
        odd = next(iter(name for name, times in Counter(n for n, _ in pairs).items() if times > 1),
                   names[0])
        raise UserError(f"labels and label_ids of the annotations contradict each other: see {odd}")
    return {name: i for i, name in enumerate(sorted(names, key=numbers.get), 1)}


def _read_class_index(path):
    """{name: id} of a JSON file, without the background (0); ids must run from 1."""
    index = read_json(path, "class index")
    if not isinstance(index, dict):
        raise UserError(f"{path} is not a class index: expected {{class name: id}}")
    index = {name: number(identity, f"{path}: {name}")
             for name, identity in index.items()}
    ids = {name: int(identity) for name, identity in index.items() if identity != 0}
    if sorted(ids.values()) != list(range(1, len(ids) + 1)):
        raise UserError(f"{path}: the ids of its {counted(len(ids), 'class', 'classes')} "
                        f"are not 1 .. {len(ids)}")
    return dict(sorted(ids.items(), key=lambda item: item[1]))


def to_video(record, ids, subset, duration, order):
    """The Video of a Record. Raises UserError for a label that is not a class."""
    for label in record.labels:
        if label not in ids:
            raise UserError(f"video {record.name} has the label {label!r}, which is not "
                            f"one of the classes: {listed(ids)}")
    labels = np.array([ids[label] for label in record.labels], dtype=np.int64)
    return Video(record.name, subset, duration, record.segments, labels,
                 order, record.fps)
