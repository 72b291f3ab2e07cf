"""Suppression and proposals in plain form: Python lists, one box at a time.

Written straight from the definitions: the baseline of the benchmarks and an oracle of the tests.
Segments are lists of [start, end]; ties go to the lowest index.
"""

import math


def plain_overlap(a, b, epsilon=0.0):
    """IoU of two segments; 0 where the union is 0."""
    inter = max(0.0, min(a[1], b[1]) - max(a[0], b[0]))
    union = (a[1] - a[0]) + (b[1] - b[0]) - inter + epsilon
    return inter / union if union else 0.0


def plain_nms(segments, scores, threshold):
    """Greedy suppression -> list of kept indices by descending score."""
    left = sorted(range(len(scores)), key=lambda i: -scores[i])
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if plain_overlap(segments[best], segments[i], 1e-7) <= threshold]
    return kept


def plain_soft_nms(segments, scores, sigma, limit, damp_above=None, lose_last=False, exp=math.exp):
    """Gaussian soft-NMS on shrinking lists -> kept indices and new scores, by descending score.

    exp: numpy's differs from math's in the last bit on some machines, which can turn a tie.
    """
    segments, scores, index = list(segments), list(scores), list(range(len(scores)))
    kept, new_scores = [], []
    while len(scores) > (1 if lose_last else 0) and len(kept) < limit:
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] <= 0:
            break
        segment = segments.pop(best)
        kept.append(index.pop(best))
        new_scores.append(scores.pop(best))
        for i, other in enumerate(segments):
            overlap = plain_overlap(segment, other)
            if damp_above is None or overlap > (
                    damp_above[0] + (damp_above[1] - damp_above[0]) * (segment[1] - segment[0])):
                scores[i] *= exp(-overlap * overlap / sigma)
    return kept, new_scores


def plain_window_proposals(scores, adjusted, startness, endness, num_frames, stitched, origin, rate,
                           *, gap, score_threshold, nms_threshold):
    """Proposals of one window with classes -> list of (start s, end s, score, label)."""
    columns = len(startness)
    boxes, at_edges = [], []
    for start, end in adjusted:
        start, end = (min(max(x, 0.0), columns - 1) for x in (start, end))
        at_edges.append(_around(startness, start) * _around(endness, end))
        if stitched and start >= num_frames:
            start, end = ((x - num_frames - gap) / (columns - num_frames - gap) * num_frames
                          for x in (start, end))
        boxes.append([min(max(x, 0.0), num_frames - 1) for x in (start, end)])
    rows = []
    for label in range(1, len(scores[0])):
        taking = [i for i, box in enumerate(boxes)
                  if scores[i][label] > score_threshold and box[1] > box[0]]
        weighted = [scores[i][label] * at_edges[i] for i in taking]
        for kept in plain_nms([boxes[i] for i in taking], weighted, nms_threshold):
            start, end = boxes[taking[kept]]
            rows.append(((start + origin) / rate, (end + origin) / rate, weighted[kept], label))
    return rows


def _around(curve, position):
    return (curve[math.floor(position)] + curve[math.ceil(position)]) / 2
