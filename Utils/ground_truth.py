"""The ground truth that results are scored against: videos as result files name them."""

import dataclasses
from pathlib import Path

from Utils.annotations import Annotations, Video, canonical, read_records, videos_of
from Utils.datasets import DATASETS, find_file, load_annotations, read_csv_rows
from Utils.files import UserError


def load_ground_truth(config):
    """Annotated videos of the evaluated subset, and the classes they show, from one file.

    -> Annotations; its notes begin with where the ground truth is from. Durations are None where
    the file has none. On ActivityNet the official file is taken, restricted to the videos that are
    inferred; where it is absent, one is built from the annotations.
    """
    spec = DATASETS[config.dataset]
    role = "ground_truth" if "ground_truth" in spec.files else "video_anno"
    path = _path(config, role)
    if path is None:
        return _built(config, spec)
    records = read_records(path)
    classes = tuple(sorted({label for record in records for label in record.labels}))
    label = {name: i for i, name in enumerate(classes)}
    videos = [Video(record.name, record.subset or config.subset, record.duration, record.segments,
                    [label[name] for name in record.labels]) for record in records]
    notes = [f"ground truth {path}"]
    if role == "ground_truth":
        videos = _restricted(config, spec, videos, path, notes)
    return _evaluated(config, videos, classes, notes)


def _path(config, role):
    """The ground truth's file: --video_anno, else the usual name; None if it must be built."""
    if config.video_anno is not None:
        return find_file(config, "video_anno")
    folder = config.feature_path if DATASETS[config.dataset].feature_files is None else None
    return find_file(config, role, folder, optional=role == "ground_truth")


def _restricted(config, spec, videos, path, notes):
    """The videos that the table of videos lists, less those left out by name."""
    info = find_file(config, "video_info", None if config.video_info else path.parent,
                     optional=True) or find_file(config, "video_info", optional=True)
    if info is None:
        notes.append("no table of videos (--video_info): every video of the file is scored, save "
                     "those left out by name")
        listed = None
    else:
        listed = {name.removeprefix(spec.result_prefix) for name in read_csv_rows(info)}
    return [video for video in videos if video.name not in spec.skipped
            and (listed is None or video.name in listed)]


def _built(config, spec):
    """A ground truth made of the annotations to train with, names as in result files."""
    found = load_annotations(config)
    videos = [dataclasses.replace(video, name=video.name.removeprefix(spec.result_prefix),
                                  labels=video.labels - 1) for video in found.videos]
    names = " or ".join(spec.files["ground_truth"])
    return _evaluated(config, videos, found.classes,
                      [f"ground truth built from the annotations: no {names}", *found.notes])


def _evaluated(config, videos, classes, notes):
    """The videos of the evaluated subset: if the user names none, test if there is one, else
    val; all if the file tells no subsets."""
    there = {canonical(video.subset) for video in videos}
    subset = config.subset
    if "subset" not in config.given and canonical(subset) not in there:
        subset = next((name for name in ("test", "val") if name in there), subset)
    if not videos:
        raise UserError("the ground truth has no videos left to score")
    return Annotations(videos_of(videos, subset), tuple(classes), notes)


def default_detad_file(config):
    """The file of DETAD's characteristics: --detad_anno, else the usual name; None if absent."""
    path = find_file(config, "detad_anno", optional=True)
    return Path(path) if path else None
