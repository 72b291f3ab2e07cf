"""Inputs and targets in plain form: whole videos are read, with loops over frames.

Written straight from the definitions, slow on purpose: the baseline of the timings, and an oracle
of its tests.
"""

import math

import h5py
import numpy as np
import torch

REACH = 1.5
MAX_ACTIONS = 50


def plain_frame_targets(segments, labels, length):
    """Frame targets of one input. segments: (G, 2) positions. -> action, start, end (length,)."""
    action = np.zeros(length, dtype=np.float32)
    for (start, end), label in zip(segments, labels, strict=True):
        for position in range(max(round(start), 0), min(round(end), length - 1) + 1):
            action[position] = label
    return action, *(plain_boundary_targets(segments[:, edge], length) for edge in (0, 1))


def plain_boundary_targets(edges, length):
    """Largest share of each cell within reach of an edge. edges: (G,). -> (length,)."""
    targets = np.zeros(length, dtype=np.float32)
    first, last = edges - REACH, edges + REACH
    for position in range(length):
        shares = np.minimum(position + 1, last) - np.maximum(position, first)
        targets[position] = max(0.0, np.max(shares, initial=0.0))
    return targets


def plain_sliding_item(paths, video, window, length, gap, short_ratio):
    """Features and targets of one sliding window. paths: feature files in channel order.

    video: Utils.data.datasets.Video. -> features (C, length), targets, boxes (50, 3), frames.
    """
    streams = []
    for path in paths:
        with h5py.File(path, "r") as file:
            streams.append(file[video.name][:])
    features = np.concatenate(streams, axis=1).T
    frames, n = features.shape[1], window.end - window.start + 1
    item = torch.zeros(len(features), length)
    cut = torch.from_numpy(features[:, window.start:window.end + 1])
    item[:, :n] = cut
    is_stitched = n <= length * short_ratio
    if is_stitched:
        item[:, n + gap:] = torch.nn.functional.interpolate(
            cut[None], size=length - n - gap, mode="linear", align_corners=True)[0]
    boxes, labels = plain_boxes(video, window, frames, length, gap if is_stitched else None)
    table = np.zeros((MAX_ACTIONS, 3), dtype=np.float32)
    for row, (box, label) in enumerate(zip(boxes[:MAX_ACTIONS], labels, strict=False)):
        table[row] = box[0] / length, box[1] / length, label
    return item, plain_frame_targets(boxes, labels, length), table, n


def plain_boxes(video, window, frames, length, gap):
    """Boxes of one sliding window in positions; gap None: one copy. -> (G, 2), list of labels."""
    n, left, right, labels = window.end - window.start + 1, [], [], []
    for (start, end), label in zip(video.segments.tolist(), video.labels.tolist(), strict=True):
        first, last = round(start * window.fps), round(end * window.fps)
        if gap is None:
            first, last = max(0, first), min(last, frames - 1)
        if first < window.start or last > window.end:
            continue
        labels.append(label)
        edges = [(start * window.fps - window.start), (end * window.fps - window.start)]
        if gap is None:
            left.append([first - window.start, last - window.start])
            continue
        left.append([clamp(round(edge), n - 1) for edge in edges])
        copy = length - n - gap
        right.append([clamp(round(edge / n * copy), copy - 1) + n + gap for edge in edges])
    boxes = np.array(left + right, dtype=np.float64).reshape(-1, 2)
    return boxes, labels * (1 if gap is None else 2)


def clamp(value, most):
    return min(max(value, 0), most)


def plain_resize(frames, length):
    """Linear resize with aligned corners, position by position. frames: (n, C) -> (length, C)."""
    result = np.zeros((length, frames.shape[1]), dtype=np.float32)
    step = np.float32(len(frames) - 1) / np.float32(max(length - 1, 1))
    for position in range(length):
        at = step * np.float32(position)
        low = min(math.floor(at), len(frames) - 1)
        high, weight = min(low + 1, len(frames) - 1), at - np.float32(low)
        result[position] = frames[low] * (1 - weight) + frames[high] * weight
    return result
