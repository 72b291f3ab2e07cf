"""Windows, the parts of videos that become inputs, and how they are cut.

Sliding windows are counted in frames, with the end included; windows of whole videos
in seconds.
"""

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """A part of a video: frames start .. end if sliding, else seconds.

    `index` counts per video.
    """
    video: str
    start: float
    end: float
    fps: float | None = None
    duration: float | None = None
    index: int | None = None


@dataclass(frozen=True)
class ClipRule:
    """From which windows short clips are cut, and how long the clips are."""
    long_from: float       # longer windows get clips
    max_length: float      # of a clip
    random: random.Random

    @classmethod
    def of(cls, length, short_ratio, clip_win_size, rng, rate=1.0):
        """The rule for inputs of `length` frames, in frames or, given a rate, in seconds."""
        return cls(length * short_ratio / rate, length * clip_win_size / rate, rng)


def cut_sliding(video, num_frames, fps, length, clips=None):
    """Training windows of one video: those that hold a whole action, and clips of long ones.

    video: Video. clips: ClipRule in frames, None without self-stitching. -> list of
    Window.
    """
    windows = []
    frames = [(round(start * fps), round(end * fps))
              for start, end in video.feature_segments.tolist()]
    for first, last in sliding_spans(num_frames, length):
        held = [(start, end) for start, end in frames if start >= first and end <= last]
        spans = [(first, last)] if held else []
        if held and clips and last - first + 1 > clips.long_from:
            spans += frame_clips(held, first, last, clips)
        windows += [Window(video.name, *span, fps, video.duration) for span in spans]
    return windows


def inference_clip(config):
    """Length in frames of the additional clips for inference; None if there are none."""
    return (int(config.temporal_scale * config.clip_win_size)
            if config.infer_clips and config.use_VSS else None)


def cut_sliding_inference(video, num_frames, fps, length, rule="quarter",
                          clip_length=None):
    """The numbered windows of one video for inference. -> list of Window.

    rule: "quarter" or "cover", see SPANS. clip_length: frames of the additional clips;
    by default there are none, nor for a video that is no longer than a clip.
    """
    spans = SPANS[rule](num_frames, length)
    if clip_length and num_frames > clip_length:
        spans += covering_spans(num_frames, clip_length, clip_length // 2)
    return [Window(video.name, first, last, fps, video.duration, index)
            for index, (first, last) in enumerate(spans)]


def sliding_spans(num_frames, length):
    """(first, last) frame of each window: one every quarter of `length`, shorter at the end."""
    return [(first, min(first + length, num_frames) - 1)
            for first in range(0, num_frames, max(1, length // 4))]


def covering_spans(num_frames, length, overlap=None):
    """(first, last) frames of the fewest windows of `length` that cover a video evenly.

    Neighbours share at least `overlap` frames, by default a quarter of `length`, so
    every action up to that length lies entirely within a window. A video of at most
    `length` is one window.
    """
    step = length - (length // 4 if overlap is None else overlap)
    more = max(0, math.ceil((num_frames - length) / step))
    if not more:
        return [(0, num_frames - 1)]
    firsts = [(num_frames - length) * index // more for index in range(more + 1)]
    return [(first, first + length - 1) for first in firsts]


SPANS = {"quarter": sliding_spans, "cover": covering_spans}


def cut_whole(video, clips=None):
    """Clips of a long video, then the whole video.

    clips: ClipRule in seconds. -> Windows.
    """
    spans = []
    if clips and video.duration > clips.long_from:
        # Raw annotations as in the original,
        # including those that pass the end of the video.
        spans = second_clips(video.feature_segments.tolist(), video.duration, clips)
    return [Window(video.name, *span) for span in [*spans, (0, video.duration)]]


def cut_whole_inference(video, clip_seconds=None):
    """The whole video, and clips that overlap by half if it is longer than one.

    -> Windows.
    """
    spans = [(0, video.duration)]
    if clip_seconds and video.duration > clip_seconds:
        more = math.ceil((video.duration - clip_seconds) / (clip_seconds / 2))
        starts = [(video.duration - clip_seconds) * index / more
                  for index in range(more + 1)]
        spans += [(start, min(start + clip_seconds, video.duration)) for start in starts]
    return [Window(video.name, *span) for span in spans]


def frame_clips(segments, first, last, clips):
    """Clips of a window first .. last (inclusive), in frames. -> list of (start, end)."""
    limit = round(clips.max_length)

    def place(drawn, previous_end):
        start = round(max(first, drawn, previous_end))
        return start, round(min(start + limit, last))

    return _scan(segments, limit, 1, place, clips.random)


def second_clips(segments, duration, clips):
    """Clips of a whole video in seconds, neither rounded nor with the end included."""
    def place(drawn, previous_end):
        start = max(0, drawn, previous_end)
        return start, min(start + clips.max_length, duration)

    return _scan(segments, clips.max_length, 0, place, clips.random)


def _scan(segments, limit, add_one, place, rng):
    """Clips around actions of at most `limit` that no earlier clip holds (paper Sec. 3.2).

    add_one: 1 if lengths count both ends. place: function (drawn start, end of the
    previous action) -> (start, end) of a clip.
    """
    found, clip, previous_end = [], None, 0
    for start, end in segments:
        if start < previous_end:
            continue
        if clip and end <= clip[1]:
            previous_end = end
            continue
        if clip:
            found.append((clip[0], min(clip[1], start)))
            clip = None
        length = end - start + add_one
        if length <= limit:
            clip = place(rng.uniform(start - (limit - length), start), previous_end)
        previous_end = end
    # Annotations that end before they start,
    # or start after their video, leave empty clips.
    return [clip for clip in (*found, *([clip] if clip else [])) if clip[0] < clip[1]]
