"""Annotated videos: what all layouts of annotation files are read into."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from Utils.files import UserError, agreeing, counted

SUBSET_ALIASES = {"training": "train", "testing": "test", "validation": "val", "valid": "val"}


@dataclass(frozen=True)
class Video:
    """One video and its actions as annotated, never clamped.

    segments: (G, 2) float64, seconds. labels: (G,) int, from 1. order: position in the
    inference list. fps: images per second of the video file. rate: features per
    second; None: number of features / duration. shift: feature k lies at
    k / rate + shift seconds.
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
        """(G, 2) actions on the clock of the features, where feature k lies at k / rate."""
        return self.segments - self.shift if self.shift else self.segments


@dataclass
class Annotations:
    """Videos in file order, class names (label 1 is classes[0]), and notes for the user."""
    videos: list[Video]
    classes: tuple[str, ...]
    notes: list[str] = field(default_factory=list)


def frames_per_second(video, num_frames):
    """Features per second of a video: its own rate, or else num_frames / duration."""
    if video.rate is not None:
        return video.rate
    if video.duration is None:
        raise UserError(f"video {video.name} has no duration; give one in the "
                        "annotations, or the rate of the features with --feature_fps")
    return num_frames / video.duration


def canonical(subset):
    """The canonical name of a subset: Training, training and train are the same."""
    name = subset.lower().strip()
    return SUBSET_ALIASES.get(name, name)


def videos_of(videos, subset, flag="subset"):
    """The videos of a subset, in order. If it is unknown, a UserError lists the subsets.

    flag: the option that selects a subset, for the message.
    """
    found = [video for video in videos if canonical(video.subset) == canonical(subset)]
    if not found:
        counts = Counter(video.subset for video in videos)
        there = ", ".join(f"{name} ({counted(count, 'video')})"
                          for name, count in counts.items()) or "none"
        raise UserError(f"no video is in subset {subset}; the annotations have {there}; "
                        f"choose one of these with --{flag}")
    return found


def check_units(videos):
    """Refuse actions that are not in seconds: most of them begin after their video has ended."""
    known = [video for video in videos if video.duration is not None]
    behind = [(video, start) for video in known for start in video.segments[:, 0].tolist()
              if start >= video.duration]
    count = sum(len(video.labels) for video in known)
    if 2 * len(behind) > count:
        video, start = behind[0]
        begin = agreeing(len(behind), "begins after the end of its video",
                         "begin after the end of their videos")
        raise UserError(f"{len(behind)} of {counted(count, 'action')} {begin}, such as "
                        f"one of {video.name} at {start:g} of {video.duration:g} s: are "
                        "the segments in frames or milliseconds? give them in seconds, "
                        "as the durations")
