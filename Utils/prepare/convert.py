"""Convert other layouts of the THUMOS14 annotations to thumos_gt.json and two .mat files.

Reads the text files of the THUMOS14 challenge (one per class and subset, rows `video
start end`) and the JSON files of ActionFormer and OpenTAD.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.io import savemat

from Utils.data.annotation_files import number, read_records
from Utils.data.annotations import canonical
from Utils.files import UserError, read_text, replacing, write_json

# The challenge mislabelled these two;
# thumos_gt.json and the papers based on it leave them out.
LEFT_OUT_VIDEOS = ("video_test_0000270", "video_test_0001496")
CLASSES = (
    "BaseballPitch", "BasketballDunk", "Billiards", "CleanAndJerk", "CliffDiving",
    "CricketBowling", "CricketShot", "Diving", "FrisbeeCatch", "GolfSwing", "HammerThrow",
    "HighJump", "JavelinThrow", "LongJump", "PoleVault", "Shotput", "SoccerPenalty",
    "TennisSwing", "ThrowDiscus", "VolleyballSpiking")
AMBIGUOUS = "Ambiguous"
# The challenge trains on its validation videos; OpenTAD calls its test videos validation.
SUBSETS = ({"val": "train", "test": "test"}, {"train": "train", "val": "test"},
           {"train": "train", "test": "test"})
INFO_ROWS = {"val": 1010, "test": 1574}


@dataclass
class Conversion:
    """Annotations in our layout, and what was left out (reason -> count)."""
    videos: dict[str, dict]
    left_out: Counter = field(default_factory=Counter)

    def counts(self):
        """Videos and actions per subset, named as in `known_files.count_database`.

        -> Counter.
        """
        counts = Counter()
        for video in self.videos.values():
            counts[f"{video['subset']} videos"] += 1
            counts[f"{video['subset']} actions"] += len(video["annotations"])
        return counts


def convert(source, all_videos=False):
    """Annotations from a folder of text files or a JSON file. -> Conversion.

    Videos are sorted by name, training first. all_videos: keep the two mislabelled
    test videos.
    """
    source = Path(source)
    if not source.exists():
        raise UserError(f"there is no {source}; name the folder of the text annotations or a JSON")
    found = read_texts(source) if source.is_dir() else read_json_annotations(source)
    for name in () if all_videos else LEFT_OUT_VIDEOS:
        if video := found.videos.pop(name, None):
            found.left_out[f"actions of {name} (mislabelled)"] = len(video["annotations"])
    if not found.videos:
        raise UserError(f"{source} holds no annotated video")
    _check(found.videos, source)
    order = sorted(found.videos,
                   key=lambda name: (found.videos[name]["subset"] == "test", name))
    return Conversion({name: found.videos[name] for name in order}, found.left_out)


def _check(videos, source):
    """Before anything is written, refuse {name: entry} that could not be written or used."""
    for name, video in videos.items():
        for action in video["annotations"]:
            _known_label(action["label"], f"{source}: video {name}")
    for subset in ("train", "test"):
        places = {}
        for name, video in videos.items():
            if video["subset"] == subset and "duration" in video:
                places.setdefault(_place(name), []).append(name)
        if twice := [names for names in places.values() if len(names) > 1]:
            raise UserError(f"{source}: {' and '.join(twice[0])} have the same number; "
                            "the table of durations has one row per number: leave one "
                            "of them out")


def read_texts(folder):
    """The challenge's `<Class>_val.txt` and `<Class>_test.txt`, in subfolders too.

    -> Conversion.
    The actions of a video are sorted by class name, then as listed in the file.
    """
    found = Conversion({})
    paths = [path for path in sorted(Path(folder).rglob("*.txt")) if _named(path)[1]]
    if not paths:
        raise UserError(f"{folder} holds no files named like BaseballPitch_val.txt or "
                        "BaseballPitch_test.txt; name the folder of the challenge's "
                        "annotations")
    _refuse_incomplete(paths, folder)
    for path in paths:
        label, subset = _named(path)
        if label == AMBIGUOUS:
            found.left_out["ambiguous intervals (for Eval.py --ambiguous)"] += len(_rows(path))
        else:
            _add_rows(found.videos, path, _known_label(label, path), subset)
    return found


def read_json_annotations(path):
    """The `database` JSON of ActionFormer, OpenTAD or ours.
    -> Conversion with durations."""
    records = read_records(path)
    meaning = _subset_meaning({record.subset or "none" for record in records}, path)
    found = Conversion({})
    for record in records:
        actions = [{"segment": segment, "label": label} for segment, label
                   in zip(record.segments.tolist(), record.labels, strict=True)
                   if label != AMBIGUOUS]
        found.left_out["ambiguous intervals"] += len(record.labels) - len(actions)
        found.left_out["videos without actions"] += not actions
        if actions:
            duration = {"duration": record.duration} if record.duration else {}
            found.videos[record.name] = {"subset": meaning[canonical(record.subset)], **duration,
                                         "annotations": actions}
    found.left_out = +found.left_out
    return found


def write_annotations(conversion, path):
    """Write the annotations as `thumos_gt.json`."""
    write_json(path, {"database": conversion.videos})


def write_durations(conversion, folder):
    """Write `val_info.mat` and `test_info.mat` if they are missing. -> the paths written.

    They hold the durations from the annotations, and 0 for other videos.
    """
    written = []
    for part, subset in (("val", "train"), ("test", "test")):
        durations = {name: video["duration"] for name, video in conversion.videos.items()
                     if video["subset"] == subset and "duration" in video}
        path = Path(folder) / f"{part}_info.mat"
        if durations and not path.exists():
            _write_info(path, durations, INFO_ROWS[part])
            written.append(path)
    return written


def _write_info(path, durations, rows):
    """Write the layout of the challenge's meta files: a video's row is its number - 1."""
    places = {name: _place(name) for name in durations}
    videos = np.zeros((1, max(rows, *places.values())),
                      [("video_name", object), ("video_duration_seconds", object)])
    videos["video_name"], videos["video_duration_seconds"] = "", 0.0
    for name, place in places.items():
        videos[0, place - 1] = (name, durations[name])
    with replacing(path) as part:
        savemat(part, {"videos": videos}, appendmat=False)


def _place(name):
    match = re.fullmatch(r"video_(?:validation|test)_(\d{4,7})", name)
    place = int(match[1][-4:]) if match else 0
    if not place:
        raise UserError(f"video {name}: not a THUMOS14 name such as video_test_0000004; "
                        "other data need no conversion, see docs/custom_dataset.md")
    return place


def _named(path):
    """Class and subset (train, test) from the name of a text file, or (None, None)."""
    label, _, ending = path.stem.rpartition("_")
    subset = {"val": "train", "test": "test"}.get(ending)
    return (label, subset) if label and subset else (None, None)


def _known_label(label, path):
    if label not in CLASSES:
        raise UserError(f"{path}: {label} is not a class of THUMOS14; "
                        f"its 20 are {', '.join(CLASSES)}")
    return label


def _refuse_incomplete(paths, folder):
    """Refuse a file that is there twice, and a subset that has only some of the classes."""
    name, times = Counter(path.name for path in paths).most_common(1)[0]
    if times > 1:
        where = ", ".join(str(path.parent) for path in paths if path.name == name)
        raise UserError(f"{name} was found {times} times ({where}); name the folder of one copy")
    for subset, ending in (("train", "val"), ("test", "test")):
        labels = {label for label, part in map(_named, paths) if part == subset}
        missing = [f"{label}_{ending}.txt" for label in CLASSES if label not in labels]
        if labels and missing:
            raise UserError(f"{folder} lacks {', '.join(missing)}; get the files of all classes")


def _add_rows(videos, path, label, subset):
    """Add the rows of one text file to {video: entry}."""
    for video, start, end in _rows(path):
        entry = videos.setdefault(video, {"subset": subset, "annotations": []})
        if entry["subset"] != subset:
            raise UserError(f"{path}: {video} is in a validation and in a test file; a "
                            "video belongs to one subset")
        entry["annotations"].append({"segment": [start, end], "label": label})


def _rows(path):
    """Rows `video start end` (seconds) of a text file. -> list of (str, float, float)."""
    try:
        lines = read_text(path).splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"cannot read {path}: {problem}") from None
    return [_row(words, f"{path}, line {number}")
            for number, line in enumerate(lines, 1) if (words := line.split())]


def _row(words, where):
    if len(words) != 3:
        raise UserError(f"{where}: expected 'video start end', found {' '.join(words)[:80]!r}")
    return words[0], number(words[1], where), number(words[2], where)


def _subset_meaning(names, path):
    """What the subset names of a JSON mean. -> {canonical name: train | test}."""
    found = {canonical(name) for name in names}
    fitting = [meaning for meaning in SUBSETS if found <= set(meaning)]
    if not fitting:
        raise UserError(f"{path}: cannot tell training from test by the subsets "
                        f"{', '.join(sorted(names))}; known are validation and test, "
                        "training and validation, train and test")
    if any(meaning[name] != fitting[0][name] for meaning in fitting for name in found):
        raise UserError(f"{path} has only the subset {', '.join(names)}, which means "
                        "training in the challenge and test in OpenTAD; give a file "
                        "with both subsets")
    return fitting[0]
