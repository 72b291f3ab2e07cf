"""The sampling plan of an input: which source frames fill its T columns, and the way back.

Self-stitching (paper Sec. 3.2) puts a short clip into the input twice: at its own rate, and, behind
a gap of zeros, magnified to the columns that remain. One plan gives the features, the labels and
the way back to seconds. Arrays are numpy; `expand_plan` takes torch as well.
"""

from typing import NamedTuple

import numpy as np

from Utils.files import UserError

PIECES = 2   # an input is one stretch of frames, or two copies of one


class Piece(NamedTuple):
    """Columns filled from one linear resize (aligned corners) of a stretch of source frames.

    Frames [source, source + in_length) are resized to out_length samples; samples offset ..
    offset + count - 1 fill columns first .. first + count - 1. Equal lengths copy.
    """
    first: int
    count: int
    source: int
    offset: int
    in_length: int
    out_length: int


def is_stitched(num_frames, length, short_ratio):
    """True for a window short enough to be put into an input of `length` columns twice."""
    return num_frames <= length * short_ratio


def copy_length(num_frames, length, gap):
    """Columns of the magnified copy; a UserError where clip and gap leave none."""
    if num_frames + gap >= length:
        raise UserError(f"a clip of {num_frames} frames and a gap of {gap} leave no room for its "
                        f"magnified copy in {length} frames; lower --stitch_gap or --short_ratio, "
                        "or raise --temporal_scale")
    return length - num_frames - gap


def to_copy(segments, num_frames, length, gap):
    """Clip frames -> columns of the magnified copy. segments: (..., 2) -> (..., 2)."""
    scale = (length - num_frames - gap) / num_frames
    return segments * scale + num_frames + gap


def from_copy(segments, num_frames, length, gap):
    """Undo `to_copy`."""
    return (segments - num_frames - gap) / (length - num_frames - gap) * num_frames


def plain_plan(start, count, streams=1, columns=None):
    """`count` frames from `start` on, at their own rate or in `columns`. -> (streams, 2, 6) int."""
    columns = columns or count
    return _plan([[Piece(0, columns, start, 0, count, columns)]] * streams)


def stitched_plan(start, count, length, gap, streams=1, columns=None):
    """As `plain_plan`, and their magnified copy. -> (streams, 2, 6) int."""
    columns = columns or count
    magnified = copy_length(columns, length, gap)
    copies = [Piece(0, columns, start, 0, count, columns),
              Piece(columns + gap, magnified, start, 0, count, magnified)]
    return _plan([copies] * streams)


def whole_plan(span, seconds, stream_lengths, length, gap=None):
    """A stretch of a video whose streams differ in rate, resized to at most `length` columns.

    span: [first, end) frames of the first stream. seconds: (start, end, duration of the video).
    stream_lengths: frames of each stream. gap: None for one copy, else stitched with that gap.
    The first stream is resized from `span`, the others from their whole length, so that they meet
    it in time (spec: ActivityNet). -> (streams, 2, 6) int.
    """
    count = span[1] - span[0]
    copies = ([(0, min(count, length))] if gap is None else
              [(0, count), (count + gap, copy_length(count, length, gap))])
    first = [Piece(column, width, span[0], 0, count, width) for column, width in copies]
    others = [[_aligned_piece(column, width, span, seconds, stream_lengths[0], frames)
               for column, width in copies] for frames in stream_lengths[1:]]
    return _plan([first, *others])


def _aligned_piece(column, width, span, seconds, main_length, frames):
    """The piece of a further stream of `frames` frames beside `width` columns of the first."""
    start, end, duration = seconds
    if width == span[1] - span[0]:
        total, offset = main_length, span[0]
    else:
        total = max(width, round(width * duration / (end - start)))
        offset = min(round(start * width / (end - start)), total - width)
    return Piece(column, width, 0, offset, frames, total)


def _plan(streams):
    """Pieces of each stream -> (streams, 2, 6); unused ones count no columns."""
    plan = np.zeros((len(streams), PIECES, len(Piece._fields)), dtype=np.int64)
    for row, pieces in zip(plan, streams, strict=True):
        row[:len(pieces)] = pieces
    return plan


def expand_plan(plan, length):
    """Source frame and weight of every column. plan: (..., 2, 6) int, numpy or torch.

    Returns index (..., T) int, -1 for a column of zeros, and weight (..., T) float32:
    column = x[index] * (1 - weight) + x[index + 1] * weight, where no weight reaches past the
    stretch. Positions are float32 as in torch.nn.functional.interpolate.
    """
    columns = np.arange(length) if isinstance(plan, np.ndarray) else _columns_like(plan, length)
    first, count, source, offset, in_length, out_length = (plan[..., i, None] for i in range(6))
    is_filled = (columns >= first) & (columns < first + count)
    sample = (columns - first + offset).clip(min=0)
    last = (in_length - 1).clip(min=0)
    position = _float32(last) / _float32((out_length - 1).clip(min=1)) * _float32(sample)
    low = _int64(position).clip(max=last)
    weight = (position - _float32(low)) * (low < last) * is_filled
    # A column belongs to one piece at most, so the sum over pieces picks it.
    return ((source + low + 1) * is_filled).sum(-2) - 1, weight.sum(-2)


def _columns_like(plan, length):
    return plan.new_ones(length).cumsum(0) - 1


def _float32(array):
    return array.astype(np.float32) if isinstance(array, np.ndarray) else array.float()


def _int64(array):
    return array.astype(np.int64) if isinstance(array, np.ndarray) else array.long()
