"""Which settings a sweep tries, and what its table shows."""

import pytest

from Evaluation.sweep import combinations, format_sweep
from Utils.files import UserError


def test_every_combination_is_tried():
    assert combinations(["nms_alpha_detect=0.3,0.5", "max_detections=100,200"]) == [
        {"nms_alpha_detect": 0.3, "max_detections": 100},
        {"nms_alpha_detect": 0.3, "max_detections": 200},
        {"nms_alpha_detect": 0.5, "max_detections": 100},
        {"nms_alpha_detect": 0.5, "max_detections": 200}]


@pytest.mark.parametrize("word", ["max_detections=1.5", "nms_alpha_detect=", "max_seconds=nan",
                                  "nms_alpha_detect=0", "max_detections"])
def test_what_is_no_number_is_refused(word):
    with pytest.raises(UserError, match="expected numbers above 0"):
        combinations([word])


def test_what_inference_has_applied_cannot_be_swept():
    with pytest.raises(UserError, match="'nms_thr' is not applied by Eval.py"):
        combinations(["nms_thr=0.4"])


def test_the_best_stands_first():
    table = format_sweep([({"max_detections": 100}, {"0.1:0.7": 0.25}),
                          ({"max_detections": 200}, {"0.1:0.7": 0.5})])
    first, second = table.splitlines()
    assert "max_detections 200" in first and "50.00" in first
    assert "max_detections 100" in second
