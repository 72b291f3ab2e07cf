"""Tables of actions and detections, made by hand or at random, for the tests of the scores."""

import numpy as np

from Evaluation.metrics import ActionTable


def actions(*rows, videos=None, classes=None):
    """Ground truth of rows (video, label, start, end), named in order of appearance."""
    return _table(rows, videos, classes, None)


def detections(*rows, videos=None, classes=None):
    """Detections of rows (video, label, start, end, score)."""
    return _table([row[:4] for row in rows], videos, classes,
                  np.array([row[4] for row in rows], np.float64))


def _table(rows, videos, classes, scores):
    videos = tuple(videos or dict.fromkeys(row[0] for row in rows))
    classes = tuple(classes or dict.fromkeys(row[1] for row in rows))
    return ActionTable(videos, classes,
                       np.array([videos.index(row[0]) for row in rows], np.int64),
                       np.array([classes.index(row[1]) for row in rows], np.int64),
                       np.array([row[2:4] for row in rows], np.float64).reshape(-1, 2), scores)


def random_tables(seed, num_actions, num_detections, levels=6, span=12):
    """A ground truth and detections on a coarse grid, where all odd cases are common.

    Equal scores, equal tIoU, empty and reversed segments, unknown videos and labels.
    """
    rng = np.random.default_rng(seed)
    truth = ActionTable(("v", "a", "m"), ("x", "y"), rng.integers(0, 3, num_actions),
                        rng.integers(0, 2, num_actions),
                        np.sort(rng.integers(0, span, (num_actions, 2)), axis=1).astype(float))
    segments = rng.integers(0, span, (num_detections, 2)).astype(float)
    forward = rng.random(num_detections) < 0.95
    segments[forward] = np.sort(segments[forward], axis=1)
    found = ActionTable(("z", "m", "a", "v"), ("w", "y", "x"), rng.integers(0, 4, num_detections),
                        rng.integers(0, 3, num_detections), segments,
                        rng.integers(0, levels, num_detections) / levels)
    return truth, found
