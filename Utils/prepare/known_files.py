"""The annotation files of THUMOS14 and ActivityNet-1.3.

For each: its purpose, its source, and the checksum and counts of a good copy. The files
are third-party data and not part of the project; only these facts about them are.
"""

import csv
import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from Utils.data.annotation_files import read_records
from Utils.data.datasets import read_durations
from Utils.files import UserError, read_json

VSGN_REPOSITORY = "github.com/coolbay/VSGN"
GTAD_REPOSITORY = "github.com/frostinassiky/gtad"
BSN_REPOSITORY = "github.com/wzmsltw/BSN-boundary-sensitive-network.pytorch"
DETAD_REPOSITORY = "github.com/HumamAlwassel/DETAD"


def count_actions(path):
    """Videos and actions (per subset, if the file has subsets) and classes.

    -> Counter.
    """
    counts, records = Counter(), read_records(path)
    for record in records:
        part = f"{record.subset} " if record.subset else ""
        counts[f"{part}videos"] += 1
        counts[f"{part}actions"] += len(record.labels)
    counts["classes"] = len({label for record in records for label in record.labels})
    return counts


def count_classes(path):
    """Classes of a JSON file {name: id}, not counting the background. -> Counter."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} is not a JSON object {{class name: id}}")
    return Counter({"classes": sum(name.lower() != "background" for name in content)})


def count_subsets(path):
    """Videos per subset of ActivityNet's csv. -> Counter."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            for column in ("video", "subset", "seconds"):
                if column not in (rows.fieldnames or ()):
                    raise UserError(f"{path} has no column {column!r}; it has "
                                    f"{', '.join(map(str, rows.fieldnames or ())) or 'none'}")
            return Counter(f"{row['subset']} videos" for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise UserError(f"cannot read {path}: {problem}") from None


def count_durations(path):
    """Rows (videos) of a THUMOS14 .mat file, and their total seconds. -> Counter."""
    durations = read_durations(path)
    return Counter({"videos": len(durations), "seconds": round(sum(durations.values()))})


def count_scores(path):
    """Classes in a file of video-level scores, and videos with another number.

    -> Counter.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not isinstance(content.get("results"), dict) \
            or not isinstance(content.get("class"), list):
        raise UserError(f"{path} has no 'results' {{video: scores}} and 'class' [names]")
    names = content["class"]
    odd = sum(not isinstance(scores, list) or len(scores) != len(names)
              for scores in content["results"].values())
    return Counter({"classes": len(names), "videos with another number of scores": odd})


@dataclass(frozen=True)
class KnownFile:
    """One annotation file. counts: those of a good copy, as returned by `count`."""
    name: str
    purpose: str
    source: str
    count: Callable[[Path], Counter]
    counts: dict[str, int]
    needed: bool = True
    other_names: tuple[str, ...] = ()

    @property
    def names(self):
        """The file names to search for."""
        return (self.name, *self.other_names)

    def find(self, folder):
        """The path of this file in `folder`, under any of its names, or None."""
        paths = (Path(folder) / name for name in self.names)
        return next((path for path in paths if path.exists()), None)


def digests(path):
    """sha256 of a file and, if it is gzipped, of its content. -> set of hex digests."""
    try:
        found = {sha256(path)}
        if Path(path).suffix == ".gz":
            with gzip.open(path) as file:
                found.add(hashlib.file_digest(file, "sha256").hexdigest())
    except (OSError, EOFError, zlib.error) as problem:
        raise UserError(f"cannot read {path}: {problem}") from None
    return found


def sha256(path):
    """sha256 of a file, as a hex digest."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# sha256 of the copies used in the tests.
COPIES = {
    "thumos_gt.json":
        "09ec867173d8532cd805769497633617f8a95519491c5558edd29a50731116a2",
    "val_info.mat":
        "69f25722f2fe9815c1f82c79afc0b15cea93686db1aead881141bfb649f3f16a",
    "test_info.mat":
        "073bed4af50a2d96f33f0e6f3eb4b16b46cd2895b1dc7ecac3c32d375381bcd1",
    "thumos14_test_extra_characteristics.json":
        "15a5de7fc97f50a0c3aa8d57897ccf77ebb2eba5d0e5d5098c59b074794dd589",
    "thumos14_val_extra_characteristics.json":
        "db1cdfb515b779de7e79ce714d337b7639719bc918e573d4b02513c112a23bb1",
    "thumos_classes_idx.json":
        "947560ac39feb89e9353e96e4748d64742db2ee1c3c7f9c74fe0688485774803",
    "anet_anno_action.json":
        "fa1433d2408f7985dd8f5914f292944794230ee2279633ad6013f16d7f9725e7",
    "video_info_new.csv":
        "13086bc4e870e2be4e71895847f077e9a97566231c3ef429bf46881796235d92",
    "anet_classes_idx.json":
        "aff0dba9ba9dd7407ceee08a44fcded431af22f2bd6847dca5e8e2c87c07dfd4",
    "anet_v1-3_validation_gt.json.gz":
        "651b7395b7e4b7e7c1236e5bf5180b32183cfed56724368f2619a052e4adaeb0",
    "anet_v1-3_validation_gt.json":
        "4b16b7d538b102f02dac0bb7aa64e2f6b36722d3c6ed17f3a344a7dea97f75e5",
}

THUMOS = (
    KnownFile(
        "thumos_gt.json", "actions of both subsets",
        f"{VSGN_REPOSITORY}, {GTAD_REPOSITORY}; or made by `Prepare_data.py convert` "
        "from the text annotations of the THUMOS14 challenge",
        count_actions,
        {"train videos": 200, "train actions": 3007, "test videos": 210, "test actions": 3311,
         "classes": 20}),
    KnownFile(
        "val_info.mat", "durations of the training videos",
        f"meta file of the THUMOS14 challenge (validation set), under this name in "
        f"{VSGN_REPOSITORY}",
        count_durations, {"videos": 1010, "seconds": 236008}),
    KnownFile(
        "test_info.mat", "durations of the test videos",
        f"meta file of the THUMOS14 challenge (test set), under this name in {VSGN_REPOSITORY}",
        count_durations, {"videos": 1574, "seconds": 293513}),
    KnownFile(
        "thumos14_test_extra_characteristics.json",
        "DETAD's ground truth with characteristics; computed from the annotations if missing",
        DETAD_REPOSITORY, count_actions,
        {"testing videos": 212, "testing actions": 3358, "classes": 20}, needed=False),
    KnownFile(
        "thumos14_val_extra_characteristics.json", "the same for the validation set",
        DETAD_REPOSITORY, count_actions,
        {"validation videos": 200, "validation actions": 3003, "classes": 20}, needed=False),
    KnownFile(
        "thumos_classes_idx.json", "class ids; without it, classes are numbered by name",
        VSGN_REPOSITORY, count_classes, {"classes": 20}, needed=False),
)

ACTIVITYNET = (
    KnownFile(
        "anet_anno_action.json", "durations and actions of all videos",
        f"{VSGN_REPOSITORY}, {BSN_REPOSITORY}", count_actions,
        {"videos": 19228, "actions": 22152, "classes": 200}),
    KnownFile(
        "video_info_new.csv", "subset of each video",
        f"{VSGN_REPOSITORY}, {BSN_REPOSITORY}", count_subsets,
        {"training videos": 9649, "validation videos": 4728, "testing videos": 4851}),
    KnownFile(
        "anet_classes_idx.json", "class ids",
        VSGN_REPOSITORY, count_classes, {"classes": 200}),
    KnownFile(
        "anet_v1-3_validation_gt.json.gz",
        "official ground truth of v1.3 for Eval.py; built from the annotations if missing",
        "activity-net.org: activity_net.v1-3.min.json",
        count_actions, {"validation videos": 4926, "validation actions": 7654}, needed=False,
        other_names=("anet_v1-3_validation_gt.json", "activity_net.v1-3.min.json")),
    KnownFile(
        "cuhk_val_simp_share.json",
        "video-level classes of the validation videos; without it, Eval.py only gives "
        "proposals and AR@AN",
        f"{GTAD_REPOSITORY}, {BSN_REPOSITORY}", count_scores,
        {"classes": 200, "videos with another number of scores": 0}, needed=False),
)

KNOWN_FILES = {"thumos": THUMOS, "activitynet": ACTIVITYNET}

FEATURE_SOURCES = {
    "thumos": f"your own extraction, or the TSN features linked from {GTAD_REPOSITORY}",
    "activitynet": "your own extraction, or the TSN or I3D features linked from the README of "
                   f"{VSGN_REPOSITORY}",
}
