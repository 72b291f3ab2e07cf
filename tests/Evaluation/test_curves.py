"""Evaluation.curves: areas are the average precisions, corners are those worked out by hand."""

import numpy as np
import pytest

from Evaluation.curves import RECALLS, precision_recall
from Evaluation.metrics import align, average_precision
from tests.tables import actions, detections, random_tables


def areas(curves):
    """Area under every curve: (T, classes)."""
    return np.array([[(np.diff(recall, prepend=0) * precision).sum()
                      for recall, precision in of_class] for of_class in curves.corners.values()]).T


def test_right_wrong_right_has_two_corners():
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30))
    found = detections(("v", "x", 0, 10, 0.9), ("v", "x", 50, 60, 0.8), ("v", "x", 20, 30, 0.7))
    curves = precision_recall(truth, align(found, truth), (0.5,))
    (recall, precision), = curves.corners["x"]
    assert recall == pytest.approx([0.5, 1]) and precision == pytest.approx([1, 2 / 3])
    assert curves.mean[0] == pytest.approx(np.where(RECALLS <= 0.5, 1, 2 / 3))


def test_equal_precision_is_one_corner():
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30), ("v", "x", 40, 50))
    found = detections(("v", "x", 0, 10, 0.9), ("v", "x", 20, 30, 0.8))
    curves = precision_recall(truth, align(found, truth), (0.5,))
    (recall, precision), = curves.corners["x"]
    assert recall == pytest.approx([2 / 3]) and precision == pytest.approx([1])
    assert curves.mean[0][[66, 67]] == pytest.approx([1, 0])


def test_a_class_without_detections_counts_in_the_mean():
    truth = actions(("v", "x", 0, 10), ("v", "y", 0, 10))
    found = detections(("v", "x", 0, 10, 0.9), ("v", "z", 0, 10, 0.9))
    curves = precision_recall(truth, align(found, truth), (0.5,))
    assert set(curves.corners) == {"x", "y"}
    assert [len(part) for part in curves.corners["y"][0]] == [0, 0]
    assert curves.mean[0] == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_the_average_precision(seed):
    truth, found = random_tables(seed, 30, 200)
    found, thresholds = align(found, truth), (0.1, 0.5, 0.7)
    curves = precision_recall(truth, found, thresholds)
    expected = average_precision(truth, found, thresholds)
    assert areas(curves) == pytest.approx(expected[:, ~np.isnan(expected[0])], abs=1e-12)


def test_nothing_to_find_and_nothing_found():
    truth, found = actions(classes=("x",)), detections(("v", "x", 0, 1, 0.5))
    empty = precision_recall(truth, align(found, truth), (0.3, 0.5))
    assert empty.corners == {} and not empty.mean.any() and empty.mean.shape == (2, 101)
    truth = actions(("v", "x", 0, 1))
    nothing = precision_recall(truth, align(detections(), truth), (0.3, 0.5))
    assert not nothing.mean.any() and nothing.mean.shape == (2, 101)
