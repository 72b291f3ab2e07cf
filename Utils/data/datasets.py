"""One row per dataset, and the readers that turn its annotation files into `Video`s.

After the lookup in DATASETS, no code asks for the name of a dataset: all differences
are fields.
"""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from Utils.config.presets import PRESETS
from Utils.data.annotation_files import Record, class_ids, number, read_records, to_video
from Utils.data.annotations import Annotations, Video, canonical, check_units, videos_of
from Utils.data.matlab import MatlabError, struct_field
from Utils.files import REPOSITORY, UserError, counted, listed, read_text

__all__ = ["DATASETS", "DatasetSpec", "Video", "find_file", "load_annotations", "load_videos",
           "read_durations", "videos_of"]

HELD_OUT = 5   # one training video in HELD_OUT is held out


@dataclass(frozen=True)
class DatasetSpec:
    """What is special about a dataset.

    files: role (name of the flag) -> possible names of its file. origin: where to get
    the files. feature_files: subset -> stream -> file; None: whatever the folder
    holds. clip_rate: features per second assumed for cutting whole videos; None: that
    of the data.
    """
    read: Callable
    files: dict[str, tuple[str, ...]]
    origin: str = "you (docs/custom_dataset.md describes it)"
    feature_files: dict[str, dict[str, str]] | None = None
    skipped: frozenset[str] = field(default_factory=frozenset)
    result_prefix: str = ""        # stripped from names in result files
    version: str | None = None     # in result files
    clip_rate: float | None = None
    # which of DETAD's buckets (DETAD.characteristics.bucket_table)
    detad_table: str = "quantile"
    detad_tiou: tuple[float, ...] = (0.5,)
    is_built_in: bool = False      # Utils.data.demo writes its files if they are missing


def load_videos(config):
    """All annotated videos in file order, and the class names (label 1 is the first)."""
    annotations = load_annotations(config)
    return annotations.videos, annotations.classes


def load_annotations(config):
    """Videos, classes and notes of the config's dataset. -> Annotations."""
    spec = DATASETS[config.dataset]
    found = spec.read(config, spec)
    skipped = [video for video in found.videos if video.name in spec.skipped]
    found.videos = [video for video in found.videos if video.name not in spec.skipped]
    if skipped:
        found.notes.append(f"left out by name: {counted(len(skipped), 'video')}, "
                           f"{listed(video.name for video in skipped)}")
    if empty := [v.name for v in found.videos if v.duration is not None and v.duration <= 0]:
        raise UserError(f"{counted(len(empty), 'video')} without a duration above 0: "
                        f"{listed(empty)}; correct the annotations")
    check_units(found.videos)
    return found


def find_file(config, role, folder=None, optional=False):
    """Path of an annotation file: the one given by its flag, or else one with a usual name.

    role: a key of the spec's files. folder: where to look; by default
    Evaluation/<dataset>/annot below the working folder and below the repository.
    -> None if it is optional and missing. Raises UserError that says where to get it.
    """
    spec, given = DATASETS[config.dataset], getattr(config, role, None)
    if given is not None:
        if not Path(given).is_file():
            raise UserError(f"--{role} {given}: " + ("that is a folder; name the file in it"
                            if Path(given).is_dir() else "there is no such file"))
        return Path(given)
    usual = Path("Evaluation", config.dataset, "annot")
    folders = [Path(folder)] if folder else [usual, REPOSITORY / usual]
    names = spec.files.get(role, ())
    for path in (place / name for place in folders for name in names):
        if path.is_file():
            return path
    if optional:
        return None
    raise UserError(f"no {' or '.join(names)} in {folders[0]}; it comes from "
                    f"{spec.origin}; put it there or name it with --{role}")


def read_thumos(config, spec):
    """thumos_gt.json with durations from the two official .mat files. -> Annotations."""
    path = find_file(config, "video_anno")
    records = read_records(path)
    ids = class_ids(records, find_file(config, "class_index", path.parent, optional=True))
    folder = config.video_info or path.parent
    durations = {}
    for subset in {canonical(record.subset or "") for record in records}:
        if subset not in THUMOS_INFO:
            raise UserError(f"{path} has a subset {subset!r}; THUMOS14's are train and test")
        info = Path(folder) / THUMOS_INFO[subset]
        if not info.is_file():
            raise UserError(f"no {info.name} in {folder}; it comes from {spec.origin}; "
                            "put it there or name its folder with --video_info")
        durations[subset] = (info, read_durations(info))
    videos = [to_video(record, ids, record.subset, _thumos_duration(record, durations), order)
              for order, record in enumerate(records)]
    return Annotations(videos, tuple(ids))


def _thumos_duration(record, durations):
    """Seconds of one video; its row in the .mat file is its number minus 1."""
    path, seconds = durations[canonical(record.subset)]
    digits = record.name[-4:]
    if not digits.isdecimal() or int(digits) not in seconds:
        raise UserError(f"{path} has no row for video {record.name} (row = last four "
                        "digits of the name "
                        f"- 1; it has {counted(len(seconds), 'row')})")
    if not seconds[int(digits)] > 0:
        raise UserError(f"{path}: the duration of video {record.name} is {seconds[int(digits)]}")
    return seconds[int(digits)]


def read_durations(path):
    """Seconds in each row of an official THUMOS14 meta file, by video number (from 1).

    Raises UserError if the file is not one.
    """
    try:
        rows = struct_field(path, "video_duration_seconds")
    except FileNotFoundError:
        raise UserError(f"no file at {path}") from None
    except (OSError, MatlabError) as problem:
        raise UserError(f"{path} is not a THUMOS14 meta file (a MATLAB 5 file with the "
                        f"field video_duration_seconds): {problem}") from None
    return {row: number(value, f"{path}, row {row}") for row, value in enumerate(rows, 1)}


def read_activitynet(config, spec):
    """anet_anno_action.json, with subsets from the csv, whose order inference follows."""
    path = find_file(config, "video_anno")
    records = {record.name: record for record in read_records(path)}
    info = find_file(config, "video_info", path.parent)
    rows = read_csv_rows(info)
    ids = class_ids(records.values(),
                    find_file(config, "class_index", path.parent, optional=True))
    # Videos that are only in the csv can be inferred without annotations.
    records |= {name: Record(name) for name in rows if name not in records}
    videos, unlisted, notes = [], [], []
    for name, record in records.items():
        if name in rows:
            row = rows[name]
            seconds = _seconds(record, row, info)
            videos.append(to_video(record, ids, row["subset"], seconds, row["order"]))
        else:
            unlisted.append(name)
    if unlisted:
        notes.append(f"left out, not in {info}: {counted(len(unlisted), 'video')}, "
                     f"{listed(unlisted)}")
    return Annotations(videos, tuple(ids), notes)


def _seconds(record, row, path):
    if record.duration is not None:
        return record.duration
    return number(row.get("seconds"), f"{path}: seconds of {record.name}")


def read_csv_rows(path):
    """Rows of the csv by the name of their video, each with its `order`."""
    try:
        table = csv.DictReader(io.StringIO(read_text(path), newline=""))
        columns, rows = table.fieldnames or (), list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise UserError(f"cannot read {path}: {problem}") from None
    for column in ("video", "subset"):
        if column not in columns:
            raise UserError(f"{path} has no column {column!r}; it has "
                            f"{listed(columns, 12) or 'none'}")
    for order, row in enumerate(rows):
        if not row["video"] or not row["subset"]:
            raise UserError(f"{path}, row {order + 1}: a video or its subset is missing")
        row["order"] = order
    return {row["video"]: row for row in rows}


def read_custom(config, spec):
    """One JSON file with everything: subset, duration and actions of each video."""
    path = find_file(config, "video_anno", config.feature_path)
    records = read_records(path)
    ids = class_ids(records, find_file(config, "class_index", path.parent, optional=True))
    subsets, notes = split_subsets(records, path)
    videos = [to_video(record, ids, subset, record.duration, order)
              for order, (record, subset) in enumerate(zip(records, subsets, strict=True))]
    return Annotations(videos, tuple(ids), notes)


def split_subsets(records, path):
    """The subset of each record.

    Also a note if one in five training videos became `val`.
    """
    if all(record.subset is None for record in records):
        subsets = ["train"] * len(records)
    else:
        lacking = [record.name for record in records if record.subset is None]
        if lacking:
            raise UserError(f"{path}: {counted(len(lacking), 'video')} without 'subset': "
                            f"{listed(lacking)}")
        subsets = [record.subset for record in records]
    if {canonical(subset) for subset in subsets} != {"train"} or len(subsets) < 2:
        return subsets, []
    held = held_out(range(len(subsets)))
    note = (f"all videos are for training, so one in {HELD_OUT} ({len(held)} in all) "
            "becomes subset val, to evaluate on")
    return ["val" if i in held else subset for i, subset in enumerate(subsets)], [note]


def held_out(videos):
    """One in five of a sequence (at least one), the same ones on every call. -> list."""
    return list(videos[HELD_OUT - 1::HELD_OUT]) or list(videos[-1:])


THUMOS_INFO = {"train": "val_info.mat", "test": "test_info.mat"}
# Broken or missing in the features on which the original was trained.
_ACTIVITYNET_SKIPPED = ("Bg-0ibLZrgg", "0dkIbKXXFzI", "fmtW5lcdT_0", "x0PE_98UO3s")
_STREAMS = {"rgb": "rgb.h5", "flow": "flow.h5"}

DATASETS = {
    "thumos": DatasetSpec(
        read=read_thumos,
        files={"video_anno": ("thumos_gt.json",), "class_index": ("thumos_classes_idx.json",),
               "detad_anno": ("thumos14_test_extra_characteristics.json",)},
        origin="github.com/coolbay/VSGN, Evaluation/thumos/annot (see docs/data.md)",
        feature_files={"train": {"rgb": "rgb_val.h5", "flow": "flow_val.h5"},
                       "test": {"rgb": "rgb_test.h5", "flow": "flow_test.h5"}},
        version="THUMOS14", detad_table="thumos"),
    "activitynet": DatasetSpec(
        read=read_activitynet,
        files={"video_anno": ("anet_anno_action.json",), "video_info": ("video_info_new.csv",),
               "class_index": ("anet_classes_idx.json",),
               "ground_truth": ("activity_net.v1-3.min.json", "anet_v1-3_validation_gt.json",
                                "anet_v1-3_validation_gt.json.gz"),
               "video_scores": ("cuhk_val_simp_share.json",)},
        origin="github.com/coolbay/VSGN, Evaluation/activitynet/annot (see docs/data.md)",
        feature_files={subset: _STREAMS for subset in ("train", "val", "test")},
        skipped=frozenset(name for bare in _ACTIVITYNET_SKIPPED for name in (bare, f"v_{bare}")),
        result_prefix="v_", version="VERSION 1.3", clip_rate=5.0, detad_table="activitynet",
        detad_tiou=PRESETS["activitynet"]["tiou"]),
    "custom": DatasetSpec(read=read_custom, files={"video_anno": ("annotations.json",)}),
    "demo": DatasetSpec(read=read_custom, files={"video_anno": ("annotations.json",)},
                        is_built_in=True),
}
