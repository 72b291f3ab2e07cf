"""The stages of parity_evaluation.py are within tolerance; what differs, differs as stated."""

import numpy as np
import pytest

from Evaluation.metrics import average_precision
from tests.parity import STAGES
from tests.parity_evaluation import NOT_COMPARED, edge_cases, edge_tables


@pytest.mark.parametrize("name, least", [
    ("scores", 40), ("activitynet scores", 9), ("published scores", 4)])
def test_stage_is_within_its_tolerances(shared, name, least):
    rows = list(STAGES[name](shared))
    assert len(rows) >= least
    assert not [row for row in rows if not row.error <= row.tolerance]


def test_only_three_small_cases_are_not_compared(shared):
    assert len(edge_cases(shared)) == 17 and set(edge_cases(shared)) >= NOT_COMPARED


def test_a_reversed_prediction_is_a_false_positive(shared):
    case = edge_cases(shared)["reversed_prediction"]
    truth, found = edge_tables(case)
    forward = found.segments[:, 0] <= found.segments[:, 1]
    moved = found.segments + np.where(forward, 0, 1e6)[:, None]
    far_away = type(found)(found.videos, found.classes, found.video, found.label, moved,
                           found.scores)
    tiou = case["map"]["tiou"]
    assert not forward.all()
    np.testing.assert_array_equal(average_precision(truth, found, tiou),
                                  average_precision(truth, far_away, tiou))


def test_an_unknown_label_changes_no_score(shared):
    case = edge_cases(shared)["unknown_label"]
    truth, found = edge_tables(case)
    known = found[found.label < len(truth.classes)]
    tiou = edge_cases(shared)["normal_small"]["map"]["tiou"]
    assert len(known) < len(found)
    np.testing.assert_array_equal(average_precision(truth, found, tiou),
                                  average_precision(truth, known, tiou))
