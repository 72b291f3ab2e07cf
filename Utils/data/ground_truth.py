"""The ground truth that results are scored against, with videos named as in result files."""

import dataclasses

import numpy as np

from Utils.data.annotation_files import number, read_records
from Utils.data.annotations import Annotations, Video, canonical, check_units, videos_of
from Utils.data.datasets import (
    DATASETS,
    find_file,
    load_annotations,
    read_csv_rows,
    split_subsets,
)
from Utils.data.odd_annotations import odd_lines
from Utils.files import UserError


def load_ground_truth(config):
    """Annotated videos of the evaluated subset, and their classes. -> Annotations.

    The first of its notes says where the ground truth is from. Durations are None if
    the file has none. On ActivityNet it is the official file, restricted to the videos
    of the inference; if that is missing, one is built from the annotations.
    """
    spec = DATASETS[config.dataset]
    role = "ground_truth" if "ground_truth" in spec.files else "video_anno"
    path = _path(config, role)
    if path is None:
        return _built(config, spec)
    records = read_records(path)
    classes = tuple(sorted({label for record in records for label in record.labels}))
    label = {name: i for i, name in enumerate(classes)}
    subsets, split_notes = _subsets(config, records, path)
    videos = []
    for record, subset in zip(records, subsets, strict=True):
        labels = np.array([label[name] for name in record.labels], dtype=np.int64)
        videos.append(Video(record.name, subset, record.duration,
                            record.segments, labels))
    notes = [f"ground truth {path}", *split_notes]
    if role == "ground_truth":
        videos = _restricted(config, spec, videos, path, notes)
    return _evaluated(config, videos, classes, notes)


def _path(config, role):
    """The file: --video_anno, or else one with the usual name; None if it must be built."""
    if config.video_anno is not None:
        return find_file(config, "video_anno")
    folder = config.feature_path if DATASETS[config.dataset].feature_files is None else None
    return find_file(config, role, folder, optional=role == "ground_truth")


def _subsets(config, records, path):
    """The subset of each record; if all are for training, `val` are the held-out ones.

    -> list, notes.
    """
    there = {canonical(record.subset) for record in records if record.subset is not None}
    if canonical(config.subset) == "val" and there <= {"train"}:
        return split_subsets(records, path)
    return [record.subset or config.subset for record in records], []


def _restricted(config, spec, videos, path, notes):
    """The videos that the table of videos lists, except those left out by name."""
    if all(video.name.startswith(spec.result_prefix) for video in videos):
        videos = [_named_as_result(video, spec) for video in videos]
    videos = [video for video in videos if video.name not in spec.skipped]
    info = find_file(config, "video_info", None if config.video_info else path.parent,
                     optional=True) or find_file(config, "video_info", optional=True)
    if info is None:
        notes.append("no table of videos (--video_info): every video of the file is "
                     "scored, except those left out by name")
        return videos
    rows = {name.removeprefix(spec.result_prefix): row
            for name, row in read_csv_rows(info).items()}
    return [_completed(video, rows[video.name], info)
            for video in videos if video.name in rows]


def _named_as_result(video, spec):
    return dataclasses.replace(video, name=video.name.removeprefix(spec.result_prefix))


def _completed(video, row, path):
    """The video with the subset of its row, and with its duration if it has none."""
    duration = video.duration
    if duration is None and row.get("seconds"):
        duration = number(row["seconds"], f"{path}: seconds of {video.name}")
    return dataclasses.replace(video, subset=row["subset"], duration=duration)


def _built(config, spec):
    """A ground truth built from the training annotations, named as in result files."""
    found = load_annotations(config)
    videos = [dataclasses.replace(_named_as_result(video, spec), labels=video.labels - 1)
              for video in found.videos]
    names = " or ".join(spec.files["ground_truth"])
    return _evaluated(config, videos, found.classes,
                      [f"ground truth built from the annotations: no {names}", *found.notes,
                       *odd_lines(found, config.train_subset)])


def _evaluated(config, videos, classes, notes):
    """The videos of the evaluated subset; all videos if the file has no subsets.

    The subset is the one that the user names, else test if it exists, else val.
    """
    there = {canonical(video.subset) for video in videos}
    subset = config.subset
    if "subset" not in config.given:
        if canonical(subset) not in there:
            subset = next((name for name in ("test", "val") if name in there), subset)
        labelled = {canonical(video.subset) for video in videos if len(video.labels)}
        # For Infer.py's proposals, the subset was decided before they were made.
        if config.detections and canonical(subset) not in labelled and "val" in labelled:
            notes.append(f"no video of subset {subset} has an action: val is scored instead")
            subset = "val"
    if not videos:
        raise UserError("the ground truth has no videos left to score")
    check_units(videos)
    return Annotations(videos_of(videos, subset), tuple(classes), notes)


def check_actions(annotations):
    """Refuse a ground truth (of `load_ground_truth`) that has no actions."""
    if not any(len(video.labels) for video in annotations.videos):
        count, subset = len(annotations.videos), annotations.videos[0].subset
        raise UserError(f"{annotations.notes[0]}: there is nothing to score, since no "
                        f"video of subset {subset} ({count} in all) has an action; to "
                        "score others, name their subset with --subset")

