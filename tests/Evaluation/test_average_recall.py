import numpy as np
import pytest

from Evaluation.average_recall import average_recall
from Evaluation.metrics import align
from tests.tables import actions, detections


def recall(truth, found, *thresholds):
    return average_recall(truth, align(found, truth), thresholds or (0.5,))


def test_each_point_has_one_more_proposal_per_video():
    # 100 proposals; the third best finds one action, the hundredth the other.
    truth = actions(("v", "x", 0, 10), ("v", "y", 20, 30))
    rows = [("v", "any", 50 + i, 51 + i, 1 - i / 200) for i in range(100)]
    rows[2], rows[99] = ("v", "any", 0, 10, 1 - 2 / 200), ("v", "any", 20, 30, 1 - 99 / 200)
    found = recall(truth, detections(*rows))
    assert found.recall.tolist() == [[0] * 2 + [.5] * 97 + [1]]
    assert found.proposals_per_video == pytest.approx(np.arange(1, 101))
    assert (found.at(1), found.at(5), found.at(100)) == (0, .5, 1)
    # From 2 to 3 the curve rises from 0 to 1/2, from 99 to 100 from 1/2 to 1.
    assert found.area == pytest.approx((.25 + 96 * .5 + .75) / 100)


def test_the_mean_is_over_the_thresholds():
    truth, found = actions(("v", "x", 0, 10)), detections(("v", "x", 0, 8, 1))
    found = recall(truth, found, 0.5, 0.7, 0.9, 0.95)
    assert found.at(100) == .5


def test_few_proposals_are_spread_over_the_curve():
    # One proposal of two: fewer than 100, so that point i takes int(2 * i / 100 * 50) of them.
    truth = actions(("v", "x", 0, 10))
    found = recall(truth, detections(("v", "x", 50, 60, .9), ("v", "x", 0, 10, .8)))
    assert found.recall[0].tolist() == [0] + [1] * 99


def test_a_video_without_proposals_counts_as_not_found():
    truth = actions(("v", "x", 0, 10), ("w", "x", 0, 10))
    assert recall(truth, detections(("v", "x", 0, 10, 1))).at(100) == .5


def test_one_proposal_may_find_several_actions():
    truth = actions(("v", "x", 0, 10), ("v", "y", 1, 11))
    assert recall(truth, detections(("v", "x", 0, 11, 1))).at(100) == 1


def test_proposals_of_unknown_videos_only_take_room():
    truth = actions(("v", "x", 0, 10))
    strangers = [("new", "x", 0, 10, 1 - i / 1000) for i in range(199)]
    found = recall(truth, detections(*strangers, ("v", "x", 0, 10, .1)))
    # 100 of 200 proposals may be taken: int(1 * 100 / 200) = 0 of the one in v.
    assert found.at(100) == 0


def test_empty_tables():
    assert recall(actions(("v", "x", 0, 1)), detections()).recall.tolist() == [[0] * 100]
    assert recall(actions(), detections(("v", "x", 0, 1, 1))).area == 0
