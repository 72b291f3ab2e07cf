"""Evaluation.report.lanes: which lanes a video has, and how full they are."""

import numpy as np

from Evaluation.metrics import align, match
from Evaluation.report.lanes import MAX_ROWS, MOST_CLASSES, detected_lanes, lanes_of, packed
from tests.tables import actions, detections


def test_spans_go_into_the_first_free_row():
    spans = np.array([[0, 10], [5, 15], [10, 20], [0, 4], [8, 9]], float)
    assert packed(spans).tolist() == [0, 1, 0, 1, 2]
    assert packed(np.zeros((0, 2))).tolist() == []
    assert packed(np.array([[0.0, 1.0]] * 20)).max() == MAX_ROWS - 1


def test_each_class_has_a_lane_and_those_with_most_actions_come_first():
    truth = actions(("v", "x", 0, 10), ("v", "y", 0, 10), ("v", "y", 20, 30), ("w", "z", 0, 1))
    found = align(detections(("v", "z", 0, 5, 0.9), ("v", "y", 21, 30, 0.5), ("v", "y", 0, 4, 0.8),
                             ("w", "y", 0, 10, 0.7)), truth)
    _, (matched,) = match(truth, found, (0.5,))
    first, second, third = lanes_of(truth, found, matched, 0)
    assert [lane.name for lane in (first, second, third)] == ["y", "x", "z"]
    assert first.actions.tolist() == [[0, 10], [20, 30]] and first.found.tolist() == [False, True]
    assert first.detections.tolist() == [[0, 4], [21, 30]] and first.right.tolist() == [False, True]
    assert len(second.detections) == 0 and second.found.tolist() == [False]
    assert len(third.actions) == 0 and third.right.tolist() == [False]


def test_only_the_best_classes_have_room_and_proposals_have_one_name():
    many = [{"label": f"class {i}", "segment": [i, i + 1], "score": i / 99} for i in range(30)]
    assert [lane.name.split(" (")[0] for lane in detected_lanes(many)] == [
        f"class {i}" for i in range(29, 29 - MOST_CLASSES, -1)]
    assert detected_lanes([{"segment": [0, 1], "score": .5}])[0].name == "action (0.50)"
