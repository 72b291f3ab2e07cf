"""Interval arithmetic, written once.

Segments are (..., 2) [start, end], numpy or torch, in any unit. `add_one` counts whole
frames (end - start + 1), as in the training of the released weights.
"""

from collections.abc import Sequence

import numpy as np

Floats = np.ndarray | Sequence[float]     # in hints: a few numbers, such as thresholds
GREEDY_EPSILON = 1e-7   # added to the union in greedy suppression, as in the original


def length(segments, add_one=False):
    """end - start (+ 1) of each segment: (..., 2) -> (...)."""
    return segments[..., 1] - segments[..., 0] + (1 if add_one else 0)


def intersection(a, b):
    """Overlap of every pair, never negative.

    a: (..., N, 2), b: (..., M, 2) -> (..., N, M).
    """
    start = a[..., :, None, 0].clip(min=b[..., None, :, 0])
    end = a[..., :, None, 1].clip(max=b[..., None, :, 1])
    return (end - start).clip(min=0)


def iou(a, b, epsilon=0.0):
    """Intersection over union of every pair, (N, 2), (M, 2) -> (N, M); 0 where the union is 0."""
    overlap = intersection(a, b)
    union = length(a)[..., :, None] + length(b)[..., None, :] - overlap + epsilon
    return overlap / (union + (union == 0))


def inside(segments, start, end, share=1.0):
    """Whether at least a share of each segment lies in [start, end]: (..., 2) -> (...) bool.

    share: by default, the whole segment.
    """
    if share >= 1:
        return (segments[..., 0] >= start) & (segments[..., 1] <= end)
    held = segments[..., 1].clip(max=end) - segments[..., 0].clip(min=start)
    return (held >= 0) & (held >= share * length(segments))
