"""Scores of a video-level classifier, one per class and video, to fuse with detections.

The layout is that of cuhk_val_simp_share.json:
{"results": {video: [scores]}, "class": [names]}.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from Utils.files import UserError, counted, listed, read_json

LARGEST = sys.float_info.max


def read_video_scores(path: str | Path, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """{video: (K + 1,) float64 by label, 0 for the background}, in the file's order.

    classes: the K class names of the dataset, label 1 first. Raises UserError for a
    file of another layout, for classes other than the dataset's, and for rows of the
    wrong length or with anything but numbers from 0 up.
    """
    content = read_json(path, "file of video-level scores")
    if not isinstance(content, Mapping) or not isinstance(content.get("results"), Mapping) \
            or not isinstance(content.get("class"), list):
        raise UserError(f'{path} holds no video-level scores: expected {{"results": {{video: '
                        '[scores]}, "class": [names]}')
    labels = _labels(path, content["class"], classes)
    scores = {}
    for video, row in content["results"].items():
        scores[video] = np.zeros(len(classes) + 1)
        scores[video][labels] = _row(path, video, row, len(labels))
    return scores


def check_covered(path: str | Path, video_scores: dict, videos: Collection[str]) -> None:
    """Refuse a file of video-level scores that lacks a video to be fused."""
    if missing := [video for video in videos if video not in video_scores]:
        raise UserError(f"{path} has no scores of {len(missing)} of "
                        f"{counted(len(videos), 'video')}: {listed(missing)}; leave "
                        "--video_scores out, or add them")


def _labels(path, names, classes):
    """Labels of the classes in the file, which must be those of the dataset in any order."""
    known = {name: label for label, name in enumerate(classes, start=1)}
    unknown = [name for name in names if not isinstance(name, str) or name not in known]
    if unknown:
        raise UserError(f"{path} names {counted(len(unknown), 'class', 'classes')} that "
                        f"the dataset does not have: {listed(unknown)}; it has "
                        f"{listed(classes)}")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(f"{path} names {counted(len(twice), 'class', 'classes')} more "
                        f"than once: {listed(twice)}")
    if missing := [name for name in classes if name not in names]:
        raise UserError(f"{path} has no scores for {len(missing)} of the dataset's "
                        f"classes: {listed(missing)}")
    return np.array([known[name] for name in names], dtype=int)


def _row(path, video, row, count):
    """The scores of one video, checked."""
    if not isinstance(row, list) or len(row) != count:
        found = counted(len(row), "score") if isinstance(row, list) else f"{str(row)[:40]!r}"
        raise UserError(f"{path}: video {video} has {found}, expected a list of "
                        f"{count}, one per class")
    scores = np.full(count, -1.0)
    if set(map(type, row)) <= {int, float}:
        with contextlib.suppress(OverflowError):     # whole numbers may be larger than any float
            scores = np.array(row, np.float64)
    if not ((scores >= 0) & (scores <= LARGEST)).all():
        raise UserError(f"{path}: a score of video {video} is not a number of 0 or "
                        "above; correct the file")
    return scores
