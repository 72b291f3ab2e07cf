"""The sampling plan of an input: which source frames fill its T frames, and the inverse.

Self-stitching (paper Sec. 3.2) puts a short clip into the input twice: at its own rate
and, after a gap of zeros, as a magnified copy that fills the remaining frames. One plan
determines the features, the labels and the way back to seconds. Arrays are numpy;
`expand_plan` also takes torch.
"""

from typing import NamedTuple

import numpy as np

from Utils.files import UserError

PIECES = 2   # an input holds one run of source frames, or two copies of it


class Piece(NamedTuple):
    """Input frames that one linear resize (aligned corners) of a run of source frames fills.

    Source frames [source, source + in_length) are resized to out_length samples;
    samples offset .. offset + count - 1 fill input frames first .. first + count - 1.
    Equal lengths mean a copy.
    """
    first: int
    count: int
    source: int
    offset: int
    in_length: int
    out_length: int


def is_stitched(num_frames, length, short_ratio):
    """Whether a window is short enough to enter an input of `length` frames twice."""
    return num_frames <= length * short_ratio


def copy_length(num_frames, length, gap):
    """Frames of the magnified copy.

    Raises UserError if clip and gap leave no room for it.
    """
    if num_frames + gap >= length:
        raise UserError(f"a clip of {num_frames} frames and a gap of {gap} leave no "
                        f"room for its magnified copy in {length} frames; lower "
                        "--stitch_gap or --short_ratio, or raise --temporal_scale")
    return length - num_frames - gap


def to_copy(segments, num_frames, length, gap):
    """Clip frames -> input frames of the magnified copy.

    segments: (..., 2) -> (..., 2).
    """
    scale = (length - num_frames - gap) / num_frames
    return segments * scale + num_frames + gap


def from_copy(segments, num_frames, length, gap):
    """Undo `to_copy`."""
    return (segments - num_frames - gap) / (length - num_frames - gap) * num_frames


def plain_plan(start, count, streams=1):
    """`count` source frames from `start` on, as they are. -> (streams, 2, 6) int."""
    return _plan([[Piece(0, count, start, 0, count, count)]] * streams)


def stitched_plan(start, count, length, gap, streams=1):
    """As `plain_plan`, followed by the gap and the magnified copy.

    -> (streams, 2, 6) int.
    """
    magnified = copy_length(count, length, gap)
    copies = [Piece(0, count, start, 0, count, count),
              Piece(count + gap, magnified, start, 0, count, magnified)]
    return _plan([copies] * streams)


def whole_plan(span, seconds, stream_lengths, length, gap=None):
    """A part of a video, resized to at most `length` input frames.

    -> (streams, 2, 6) int.
    span: [first, end) frames of the first stream. seconds: (start, end, duration of
    the video). stream_lengths: frames of each stream. gap: None for one copy, else
    stitched with that gap. Streams may differ in rate: the first one is resized from
    `span`, the others from their whole length, so that all are aligned in time, as the
    original does on ActivityNet.
    """
    count = span[1] - span[0]
    # (first input frame, number of input frames) of each copy.
    copies = ([(0, min(count, length))] if gap is None else
              [(0, count), (count + gap, copy_length(count, length, gap))])
    main = [Piece(first, width, span[0], 0, count, width) for first, width in copies]
    others = [[_aligned_piece(first, width, span, seconds, stream_lengths[0], frames)
               for first, width in copies] for frames in stream_lengths[1:]]
    return _plan([main, *others])


def _aligned_piece(first, width, span, seconds, main_length, frames):
    """The piece of another stream, of `frames` frames, for `width` input frames from `first`."""
    start, end, duration = seconds
    if width == span[1] - span[0]:
        total, offset = main_length, span[0]
    else:
        total = max(width, round(width * duration / (end - start)))
        offset = min(round(start * width / (end - start)), total - width)
    return Piece(first, width, 0, offset, frames, total)


def _plan(streams):
    """Pieces of each stream -> (streams, 2, 6); unused ones are zeros."""
    plan = np.zeros((len(streams), PIECES, len(Piece._fields)), dtype=np.int64)
    for row, pieces in zip(plan, streams, strict=True):
        row[:len(pieces)] = pieces
    return plan


def expand_plan(plan, length):
    """Source frame and weight for every input frame.

    plan: (..., 2, 6) int, numpy or torch.
    Returns index (..., T) int, -1 for a frame of zeros, and weight (..., T) float32:
    input frame = x[index] * (1 - weight) + x[index + 1] * weight. No weight reaches
    past the run of source frames. Positions are float32, as in
    torch.nn.functional.interpolate.
    """
    frame = np.arange(length) if isinstance(plan, np.ndarray) else _range_like(plan, length)
    # (..., 2, 1) each, against frame (T,): everything up to the sums is (..., 2, T).
    first, count, source, offset, in_length, out_length = (plan[..., i, None]
                                                           for i in range(6))
    is_filled = (frame >= first) & (frame < first + count)
    sample = (frame - first + offset).clip(min=0)
    last = (in_length - 1).clip(min=0)
    position = _float32(last) / _float32((out_length - 1).clip(min=1)) * _float32(sample)
    low = _int64(position).clip(max=last)
    weight = (position - _float32(low)) * (low < last) * is_filled
    # At most one piece fills a frame, so the sum over pieces selects it.
    return ((source + low + 1) * is_filled).sum(-2) - 1, weight.sum(-2)


def _range_like(plan, length):
    return plan.new_ones(length).cumsum(0) - 1


def _float32(array):
    return array.astype(np.float32) if isinstance(array, np.ndarray) else array.float()


def _int64(array):
    return array.astype(np.int64) if isinstance(array, np.ndarray) else array.long()
