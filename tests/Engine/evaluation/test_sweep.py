"""Which settings a sweep tries, and what its table shows."""

import pytest

from Engine.evaluation.sweep import combinations, format_sweep
from Utils.files import UserError


def test_every_combination_is_tried():
    assert combinations(["nms_alpha_detect=0.3,0.5", "max_detections=100,200"]) == [
        {"nms_alpha_detect": 0.3, "max_detections": 100},
        {"nms_alpha_detect": 0.3, "max_detections": 200},
        {"nms_alpha_detect": 0.5, "max_detections": 100},
        {"nms_alpha_detect": 0.5, "max_detections": 200}]


@pytest.mark.parametrize(("word", "sentence"), [
    ("max_detections=1.5", "expected numbers separated by commas, whole ones"),
    ("nms_alpha_detect=", "expected numbers separated by commas"),
    ("max_detections", "expected numbers separated by commas"),
    ("max_seconds=nan", "nan is impossible, --max_seconds must be above 0"),
    ("nms_alpha_detect=0.3,0", "0 is impossible, --nms_alpha_detect must be above 0"),
    ("vote_iou=0.7,1.5", "1.5 is impossible, --vote_iou must be above 0 and at most 1"),
])
def test_a_value_outside_the_limit_of_its_option_is_refused(word, sentence):
    with pytest.raises(UserError) as caught:
        combinations([word])
    assert sentence in str(caught.value)


def test_what_inference_has_applied_cannot_be_swept():
    with pytest.raises(UserError, match="'nms_thr' is not applied by Eval.py"):
        combinations(["nms_thr=0.4"])


def test_the_best_stands_first():
    table = format_sweep([
        ({"max_detections": 100, "nms_alpha_detect": 0.3}, {"0.1:0.7": 0.25, "0.3:0.7": 0.2}),
        ({"max_detections": 200, "nms_alpha_detect": 0.3}, {"0.1:0.7": 0.5, "0.3:0.7": 0.4})])
    assert [line.split() for line in table.splitlines()] == [
        ["max_detections", "nms_alpha_detect", "0.1:0.7", "0.3:0.7"],
        ["200", "0.3", "50.00", "40.00"], ["100", "0.3", "25.00", "20.00"]]
