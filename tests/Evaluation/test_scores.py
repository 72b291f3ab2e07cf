import json

import pytest

from Evaluation.average_recall import average_recall
from Evaluation.metrics import align
from Evaluation.scores import (
    as_computed,
    averages,
    counts,
    format_table,
    precision_scores,
    recall_scores,
    short_scores,
)
from tests.tables import actions, detections
from Utils.segments import iou

TRUTH = actions(("v", "x", 0, 10), ("v", "y", 0, 4), ("w", "x", 0, 10), classes=("x", "y", "none"))
FOUND = align(detections(("v", "x", 0, 10, .9), ("v", "y", 0, 8, .8), ("v", "new", 0, 1, .7)),
              TRUTH)


def test_scores_by_hand():
    scores = precision_scores(TRUTH, FOUND, (0.5, 0.6))
    assert scores["ap_per_class"] == {"x": [.5, .5], "y": [1, 0]}
    assert scores["mAP"] == [.75, .25] and scores["average_mAP"] == {"0.5:0.6": .5}
    assert scores["tiou_thresholds"] == [.5, .6] and scores["protocol"] == "activitynet"
    assert counts(TRUTH, FOUND) == {"num_videos": 2, "num_ground_truth": 3, "num_classes": 2,
                                    "num_detections": 3}


def test_the_other_protocol_and_its_intervals():
    scores = precision_scores(TRUTH, FOUND, (0.5,), "thumos14", ambiguous=actions())
    assert scores["ap_per_class"] == {"x": [.5], "y": [0]} and scores["protocol"] == "thumos14"


def test_scores_of_short_actions():
    scores = short_scores(TRUTH, FOUND, (0.5, 0.6), 5)
    assert scores == {"max_seconds": 5, "num_ground_truth": 1, "mAP": [1, 0],
                      "average_mAP": {"0.5:0.6": .5}, "ap_per_class": {"y": [1, 0]}}
    assert short_scores(TRUTH, FOUND, (0.5,), 1)["mAP"] == [0]
    tenths = actions(("v", "x", 0.7, 2.2))
    assert short_scores(tenths, align(FOUND, tenths), (0.5,), 1.5)["num_ground_truth"] == 1


def test_the_thresholds_of_activitynet_are_its_own_floats():
    ten = as_computed((0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95))
    assert ten[8] == 0.8999999999999999 and ten[9] == 0.95
    assert as_computed((0.5, 0.9)).tolist() == [0.5, 0.9]
    truth, found = actions(("v", "x", 0, 7)), detections(("v", "x", 0, 6.3, 1))
    assert iou(found.segments, truth.segments) < 0.9
    scores = precision_scores(truth, found, (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95))
    assert scores["mAP"][8:] == [1, 0] and scores["tiou_thresholds"][8] == 0.9


def test_averages_are_named_by_their_range():
    thumos = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    assert averages([7, 6, 5, 4, 3, 2, 1], thumos) == {"0.1:0.7": 4, "0.3:0.7": 3}
    assert averages([1, 3], (0.5, 0.95)) == {"0.5:0.95": 2}
    assert averages([1], (0.5,)) == {"0.5:0.5": 1}


def test_recall_is_named_by_the_number_of_proposals():
    scores = recall_scores(average_recall(TRUTH, FOUND))
    assert list(scores["AR@AN"]) == ["1", "5", "10", "100"] and 0 < scores["AUC"] < 1
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_the_table_shows_percent():
    scores = precision_scores(TRUTH, FOUND, (0.5, 0.6)) | {
        "short_actions": short_scores(TRUTH, FOUND, (0.5, 0.6), 5)} | {
        "AR@AN": {"1": 1 / 3, "100": 1}, "AUC": .5}
    assert format_table(scores).splitlines() == [
        "tIoU          0.5    0.6",
        "mAP %       75.00  25.00   average 0.5:0.6  50.00",
        "<= 5 s     100.00   0.00   average 0.5:0.6  50.00",
        "proposals       1    100    AUC",
        "recall %    33.33 100.00  50.00"]


def test_a_table_of_proposals_alone():
    assert format_table({"AR@AN": {"1": 0.5}, "AUC": 0.25}).splitlines()[1].split() == [
        "recall", "%", "50.00", "25.00"]


def test_an_unknown_protocol_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        precision_scores(TRUTH, FOUND, (0.5,), "other")
