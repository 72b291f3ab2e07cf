"""How a window becomes an input: sampling plan, actions in input frames, way back to seconds.

There are two framings. Sliding windows are counted in feature frames and keep the rate
of the features; whole videos are resized to at most T frames.
"""

from dataclasses import dataclass

import numpy as np

from Utils.data.annotations import frames_per_second
from Utils.files import UserError
from Utils.inputs.targets import (
    plain_actions,
    stitched_actions,
    whole_actions,
    whole_stitched_actions,
)
from Utils.stitching import is_stitched, plain_plan, stitched_plan, whole_plan


@dataclass(frozen=True)
class InputShape:
    """What shapes inputs: their T frames, stitching, and which actions count.

    A window may be short enough to be stitched, and must hold a share of an action for
    it to count.
    """
    length: int
    gap: int
    short_ratio: float
    use_vss: bool
    min_inside: float = 1.0

    @classmethod
    def of(cls, config):
        """The InputShape of a Config."""
        return cls(config.temporal_scale, config.stitch_gap, config.short_ratio, config.use_VSS,
                   config.min_inside)

    def stitches(self, num_frames):
        """Whether a window of so many frames is stitched.

        Labels, graph and inference all follow this decision.
        """
        return self.use_vss and is_stitched(num_frames, self.length, self.short_ratio)


@dataclass(frozen=True)
class Layout:
    """One input: plan (streams, 2, 6), frames before padding or gap, segments (G, 2).

    Segments are in input frames. Seconds = (input frame + origin) / rate; with
    whole-video framing these "seconds" are shares of the duration.
    """
    plan: np.ndarray
    num_frames: int
    is_stitched: bool
    origin: float
    rate: float
    segments: np.ndarray
    labels: np.ndarray


def sliding_layout(window, video, stream_lengths, shape):
    """The input for a sliding window.

    stream_lengths: frames of the video in each stream.
    """
    start, end = int(window.start), int(window.end)
    if end >= stream_lengths[0]:
        raise UserError(f"window {start} .. {end} of {video.name} ends after its "
                        f"{stream_lengths[0]} frames of features; run "
                        "Cut_long_videos.py again")
    streams, count = len(stream_lengths), end - start + 1
    rate = window.fps or frames_per_second(video, stream_lengths[0])
    actions = video.feature_segments, video.labels, start, end, rate
    origin = start + video.shift * rate
    if shape.stitches(count):
        return Layout(stitched_plan(start, count, shape.length, shape.gap, streams), count, True,
                      origin, rate,
                      *stitched_actions(*actions, shape.length, shape.gap, shape.min_inside))
    count = min(count, shape.length)
    return Layout(plain_plan(start, count, streams), count, False, origin, rate,
                  *plain_actions(*actions, stream_lengths[0], count, shape.min_inside))


def whole_layout(window, video, stream_lengths, shape):
    """The input for a whole video, or for a part of it, given in seconds."""
    duration, num_frames = video.duration, stream_lengths[0]
    seconds = window.start, min(window.end, duration), duration
    if not seconds[0] < seconds[1]:
        raise UserError(f"window {window.start} .. {window.end} s of {video.name} is "
                        f"outside its {duration} s; run Cut_long_videos.py again")
    rate, segments = num_frames / duration, video.feature_segments
    first = min(round(seconds[0] * rate), num_frames - 1)
    span = first, min(max(round(seconds[1] * rate), first + 1), num_frames)
    count, stitched = span[1] - span[0], shape.stitches(span[1] - span[0])
    gap = shape.gap if stitched else None
    plan = whole_plan(span, seconds, stream_lengths, shape.length, gap)
    if stitched:
        actions = whole_stitched_actions(segments, video.labels, seconds, rate, count,
                                         shape.length, gap, shape.min_inside)
    else:
        count = min(count, shape.length)
        actions = whole_actions(segments, video.labels, seconds, count, shape.min_inside)
    frames_per_video = count * duration / (seconds[1] - seconds[0])
    return Layout(plan, count, stitched, (seconds[0] + video.shift) / duration * frames_per_video,
                  frames_per_video, *actions)


LAYOUTS = {"sliding": sliding_layout, "whole": whole_layout}
