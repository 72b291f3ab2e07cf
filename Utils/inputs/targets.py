"""Labels of an input: seconds -> input frames, and targets for every frame.

`*_actions` place the actions of a video in one input (numpy, float64): segments in
seconds (G, 2) and labels (G,) -> segments in input frames (H, 2) and labels (H,).
Reversed and empty annotations are dropped. `frame_targets` computes the targets of a
batch (torch, any device).
"""

import numpy as np
import torch

from Utils.segments import inside
from Utils.stitching import copy_length

BOUNDARY_REACH = 1.5   # frames on each side of a boundary that count as it


def plain_actions(segments, labels, start, end, fps, num_frames, count, min_inside=1.0):
    """Actions in frames start .. end (inclusive) of a video with num_frames frames.

    count: frames in the input. min_inside, here and below: share of an action that
    must be inside.
    """
    frames = np.rint(segments * fps)
    # Clipped to the video before the containment test, unlike in a stitched clip:
    # released weights were trained this way. An action that starts after the end of the
    # video is in no window.
    frames = np.stack([frames[:, 0].clip(min=0), frames[:, 1].clip(max=num_frames - 1)],
                      axis=-1)
    kept = (inside(frames, start, end, min_inside) & (frames[:, 0] <= frames[:, 1])
            & _has_length(segments))
    return (frames[kept] - start).clip(0, count - 1), labels[kept]


def stitched_actions(segments, labels, start, end, fps, length, gap, min_inside=1.0):
    """Actions in both copies of the clip start .. end (inclusive), those of the left first."""
    frames = segments * fps
    kept = inside(np.rint(frames), start, end, min_inside) & _has_length(segments)
    frames, count = frames[kept] - start, end - start + 1
    return _both_copies(frames, frames / count * copy_length(count, length, gap), labels[kept],
                        count, length, gap)


def whole_actions(segments, labels, seconds, count, min_inside=1.0):
    """Actions of a video, or a part of it, resized to `count` frames; not rounded.

    seconds: (start, end, duration of the video).
    """
    segments, labels = _within(segments, labels, *seconds, min_inside)
    rate = count / (seconds[1] - seconds[0])
    return (segments * rate).clip(0, count - 1), labels


def whole_stitched_actions(segments, labels, seconds, rate, count, length, gap,
                           min_inside=1.0):
    """Actions in both copies of a part of a video: `count` frames, at `rate` per second."""
    segments, labels = _within(segments, labels, *seconds, min_inside)
    copy_rate = copy_length(count, length, gap) / (seconds[1] - seconds[0])
    return _both_copies(segments * rate, segments * copy_rate, labels, count, length, gap)


def _within(segments, labels, start, end, duration, min_inside):
    """Actions in [start, end] after clamping to the video, in seconds after `start`."""
    segments = segments.clip(0, duration)
    kept = inside(segments, start, end, min_inside) & _has_length(segments)
    return segments[kept] - start, labels[kept]


def _both_copies(left, right, labels, count, length, gap):
    # Rounded before the origin of the copy is added,
    # so halves are rounded to even clip frames.
    left = np.rint(left).clip(0, count - 1)
    right = np.rint(right).clip(0, copy_length(count, length, gap) - 1) + count + gap
    return np.concatenate([left, right]), np.concatenate([labels, labels])


def _has_length(segments):
    return segments[:, 1] > segments[:, 0]


def real_frames(num_frames, stitched, length, gap):
    """False on padding and gap.

    num_frames (B,) int, stitched (B,) bool -> (B, length) bool.
    """
    position = torch.arange(length, device=num_frames.device)
    end = num_frames[:, None]
    return (position < end) | (stitched[:, None] & (position >= end + gap))


def frame_targets(segments, labels, counts, length):
    """Action class, start and end target of each of `length` frames of a batch.

    segments: (B, G, 2) float64, input frames. labels: (B, G) int. counts: (B,) int,
    actions per input. Returns action, start, end (B, length) float32; all zeros if
    there is no action. float64 matters: a frame at the edge of a boundary's reach is
    covered by exactly 0.5, which is negative.
    """
    is_real = torch.arange(segments.shape[1], device=segments.device) < counts[:, None]
    return (_action_targets(segments, labels, is_real, length),
            *(_boundary_targets(segments[..., edge], is_real, length) for edge in (0, 1)))


def _action_targets(segments, labels, is_real, length):
    """Class of the last action that covers each frame, else 0. -> (B, length) float32."""
    # position (T,) against first, last (B, G, 1): covered is (B, G, T). A row of True for
    # background goes first, so the largest row number that covers a frame is its class.
    position = torch.arange(length, device=segments.device)
    first = segments[..., 0].round().clamp(min=0)[..., None]
    last = segments[..., 1].round().clamp(max=length - 1)[..., None]
    covered = (position >= first) & (position <= last) & is_real[..., None]
    nobody = covered.new_ones(len(labels), 1, length)
    rank = torch.arange(labels.shape[1] + 1, device=labels.device, dtype=torch.int32)
    latest = (torch.cat([nobody, covered], dim=1) * rank[:, None]).amax(dim=1)
    return torch.cat([labels.new_zeros(len(labels), 1), labels], dim=1).gather(
        1, latest.long()).float()


def _boundary_targets(edges, is_real, length):
    """How much of each frame lies within reach of an edge, at most.

    edges: (B, G) -> (B, length) float32.
    """
    # cell, share: (B, G, R), the R frames that may touch the reach of each edge.
    reach = torch.arange(int(2 * BOUNDARY_REACH) + 1, device=edges.device)
    cell = (edges - BOUNDARY_REACH).floor()[..., None] + reach
    share = (torch.minimum(cell + 1, edges[..., None] + BOUNDARY_REACH)
             - torch.maximum(cell, edges[..., None] - BOUNDARY_REACH)).clamp(min=0)
    share = share * (is_real[..., None] & (cell >= 0) & (cell < length))
    targets = edges.new_zeros(len(edges), length)
    return targets.scatter_reduce_(1, cell.clamp(0, length - 1).long().flatten(1),
                                   share.flatten(1), "amax").float()
