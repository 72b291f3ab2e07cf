"""Annotated videos, and the parts of annotation files that every layout shares.

Read are JSON objects `database -> video -> {subset, duration, annotations: [{segment, label}]}`,
with or without the outer `database`, in the spellings of ActivityNet, OpenTAD and ActionFormer.
"""

import contextlib
import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from Utils.files import UserError, listed, read_json

SUBSET_ALIASES = {"training": "train", "testing": "test", "validation": "val", "valid": "val"}
BACKGROUND = ("background", "bg")     # the network has a class of its own for it
DURATIONS = ("duration", "duration_second")
FRAMES = ("frame", "frames", "duration_frame", "num_frames")


@dataclass(frozen=True)
class Video:
    """One video and its actions as annotated, never clamped: segments (G, 2) float64 seconds,
    labels (G,) int from 1. `order` is its place in the list of inference. fps: images per second
    of the video file. Feature k lies at k / rate + shift seconds; no rate: features / duration.
    """
    name: str
    subset: str
    duration: float | None
    segments: np.ndarray
    labels: np.ndarray
    order: int = 0
    fps: float | None = None
    rate: float | None = None
    shift: float = 0.0

    @property
    def feature_segments(self):
        """The actions on the clock of the features, where feature k lies at k / rate. (G, 2)."""
        return self.segments - self.shift if self.shift else self.segments


@dataclass
class Annotations:
    """Videos in file order, class names (label 1 is classes[0]), and what the user should know."""
    videos: list[Video]
    classes: tuple[str, ...]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Record:
    """One video as its file has it: labels are names, label_ids None where there are none."""
    name: str
    subset: str | None = None
    duration: float | None = None
    segments: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    labels: list[str] = field(default_factory=list)
    label_ids: list[int | None] = field(default_factory=list)
    fps: float | None = None


def frames_per_second(video, num_frames):
    """Rate of a video's features: its own, else num_frames / duration."""
    if video.rate is not None:
        return video.rate
    if video.duration is None:
        raise UserError(f"video {video.name} has no duration; give one in the annotations, or the "
                        "rate of the features with --feature_fps")
    return num_frames / video.duration


def canonical(subset):
    """A subset's name without its spelling: Training, training and train are one."""
    name = subset.lower().strip()
    return SUBSET_ALIASES.get(name, name)


def videos_of(videos, subset, flag="subset"):
    """The videos of a subset, in order; where it is unknown, a UserError lists the subsets.

    flag: that chooses one.
    """
    found = [video for video in videos if canonical(video.subset) == canonical(subset)]
    if not found:
        counts = Counter(video.subset for video in videos)
        there = ", ".join(f"{name} ({count} videos)" for name, count in counts.items()) or "none"
        raise UserError(f"no video is of subset {subset}; the annotations have {there}; choose "
                        f"one of these with --{flag}")
    return found


def read_records(path):
    """Every video of an annotation file. -> list of Record, in file order."""
    return records_of(read_json(path, "annotation file", unique_names=True), path)


def records_of(content, path):
    """Every video of the content of an annotation file. path: for messages."""
    database = content.get("database", content) if isinstance(content, dict) else None
    if not isinstance(database, dict) or not database:
        raise UserError(f"{path} holds no videos: expected "
                        '{"database": {video: {subset, duration, annotations}}}')
    return [_record(name, entry, f"{path}: video {name!r}") for name, entry in database.items()]


def _record(name, entry, where):
    """One video of its JSON entry; `where` starts the message of a fault."""
    check_name(name, where)
    actions = entry.get("annotations") if isinstance(entry, dict) else None
    if not isinstance(actions, list):
        raise UserError(f"{where} has no list of 'annotations'")
    subset = entry.get("subset", entry.get("split"))
    if subset is not None and not isinstance(subset, str):
        raise UserError(f"{where}: subset is {subset!r}, not a name")
    rows = [_action(action, f"{where}, annotation {i}") for i, action in enumerate(actions)]
    segments = np.array([row[0] for row in rows], dtype=np.float64).reshape(-1, 2)
    return Record(name, subset, duration_of(entry, where), segments, [row[1] for row in rows],
                  [row[2] for row in rows], fps_of(entry, where))


def check_name(name, where):
    """Refuse a name that no file can hold or show: empty, with a NUL, not text in UTF-8."""
    try:
        is_good = bool(name) and "\0" not in name and bool(name.encode("utf-8"))
    except UnicodeEncodeError:
        is_good = False
    if not is_good:
        raise UserError(f"{ascii(where)[1:-1]}: the name cannot be used")


def duration_of(entry, where):
    """Seconds of a video's JSON entry, or frames / fps; None where it has neither."""
    for key in DURATIONS:
        if entry.get(key) is not None:
            return _positive(entry[key], f"{where}: {key}")
    frames, fps = _frames_of(entry, where), entry.get("fps")
    if frames is None or fps is None:
        return None
    return frames / _positive(fps, f"{where}: fps")


def fps_of(entry, where):
    """Images per second of a video's JSON entry: fps, or frames / duration; else None.

    Most do without it: what cannot be one counts as none.
    """
    with contextlib.suppress(UserError):
        if entry.get("fps") is not None:
            return _positive(entry["fps"], where)
        frames, duration = _frames_of(entry, where), duration_of(entry, where)
        return frames / duration if frames and duration else None
    return None


def _frames_of(entry, where):
    """Images of the video file by its JSON entry, or None."""
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
    """A finite float of a JSON number or of a string of one (THUMOS14 has strings)."""
    try:
        result = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not math.isfinite(result):
        raise UserError(f"{where}: expected a number, found {str(value)[:60]!r}")
    return result


def class_ids(records, index_path=None):
    """Class name -> id from 1: of the file, else by the annotations' label_id, else by name."""
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
        raise UserError(f"annotations of {len(lacking)} videos have no label_id, while others have "
                        f"one: {listed(lacking)}; give it to all of them or to none, or name the "
                        "classes with --class_index")
    if len(pairs) != len(names) or len(set(numbers.values())) != len(names):
        odd = next(iter(name for name, times in Counter(n for n, _ in pairs).items() if times > 1),
                   names[0])
        raise UserError(f"labels and label_ids of the annotations do not go together: see {odd}")
    return {name: i for i, name in enumerate(sorted(names, key=numbers.get), 1)}


def _read_class_index(path):
    """{name: id} of a JSON file, without the background (0); ids must run from 1."""
    index = read_json(path, "class index")
    if not isinstance(index, dict):
        raise UserError(f"{path} is no class index: expected {{class name: id}}")
    index = {name: number(identity, f"{path}: {name}") for name, identity in index.items()}
    ids = {name: int(identity) for name, identity in index.items() if identity != 0}
    if sorted(ids.values()) != list(range(1, len(ids) + 1)):
        raise UserError(f"{path}: the ids of its {len(ids)} classes are not 1 .. {len(ids)}")
    return dict(sorted(ids.items(), key=lambda item: item[1]))


def to_video(record, ids, subset, duration, order):
    """A Video of its record; a UserError names a label that is no class."""
    for label in record.labels:
        if label not in ids:
            raise UserError(f"video {record.name} has the label {label!r}, which is none of the "
                            f"{len(ids)} classes ({listed(ids)})")
    labels = np.array([ids[label] for label in record.labels], dtype=np.int64)
    return Video(record.name, subset, duration, record.segments, labels, order, record.fps)


def check_units(videos):
    """Refuse actions that are not in seconds: most begin behind the end of their video."""
    known = [video for video in videos if video.duration is not None]
    behind = [(video, start) for video in known for start in video.segments[:, 0].tolist()
              if start >= video.duration]
    count = sum(len(video.labels) for video in known)
    if 2 * len(behind) > count:
        video, start = behind[0]
        raise UserError(f"{len(behind)} of {count} actions begin behind the end of their video, "
                        f"such as one of {video.name} at {start:g} of {video.duration:g} s: are "
                        "the segments in frames or milliseconds? give them in seconds, as the "
                        "durations")


def odd_lines(annotations, train_subset):
    """What is odd about annotations and classes, in sentences."""
    return [*(f"{len(names)} annotations {kind}, in {listed(dict.fromkeys(names))}"
              for kind, names in odd_annotations(annotations.videos).items()),
            *(f"{kind}: {listed(names)}"
              for kind, names in odd_classes(annotations, train_subset).items())]


def odd_classes(annotations, train_subset):
    """What is odd about the classes: {words: [class and its actions, ...]}."""
    classes = annotations.classes
    counts = _actions_of_classes(annotations.videos, len(classes))
    training = _actions_of_classes([video for video in annotations.videos if canonical(
        video.subset) == canonical(train_subset)], len(classes))
    texts = [f"{name!r} ({count} action{'s' * (count != 1)})"
             for name, count in zip(classes, counts.tolist(), strict=True)]
    spellings = {}
    for name, text in zip(classes, texts, strict=True):
        plain = unicodedata.normalize("NFKC", name).casefold()
        spellings.setdefault(" ".join(re.split(r"[\s_-]+", plain)).strip(), []).append(text)
    kinds = {
        "a class is called background, which needs no annotations": [
            text for plain in BACKGROUND for text in spellings.get(plain, ())],
        "classes differ in case, spaces or hyphens alone": [
            " and ".join(same) for same in spellings.values() if len(same) > 1],
        "classes have no action in training": [
            text for text, count, seen in zip(texts, counts, training, strict=True)
            if count and not seen and training.any()]}
    return {kind: names for kind, names in kinds.items() if names}


def _actions_of_classes(videos, num_classes):
    """How many actions each class has. -> (num_classes,) int."""
    labels = np.concatenate([np.zeros(0, np.int64), *(video.labels for video in videos)])
    return np.bincount(labels - 1, minlength=num_classes)


def odd_annotations(videos):
    """Annotations that make no box or a clamped one, by kind: {words: [video, ...]}."""
    kinds = {"end before they start": [], "have no length": [], "start before 0": [],
             "end after their video": [], "are there twice": []}
    for video in videos:
        start, end = video.segments.T
        rows = [*map(tuple, np.column_stack([video.segments, video.labels]).tolist())]
        counts = {"end before they start": (end < start).sum(),
                  "have no length": (end == start).sum(), "start before 0": (start < 0).sum(),
                  "end after their video": (end > (video.duration or math.inf)).sum(),
                  "are there twice": len(rows) - len(set(rows))}
        for kind, count in counts.items():
            kinds[kind] += [video.name] * int(count)
    return {kind: names for kind, names in kinds.items() if names}
