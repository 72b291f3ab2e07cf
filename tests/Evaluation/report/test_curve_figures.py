"""Evaluation.report.curve_figures: what is drawn is what the curves say."""

import pytest

from Evaluation.curves import precision_recall
from Evaluation.metrics import average_precision, mean_over_classes
from Evaluation.report.curve_figures import drawable, write_precision_recall
from tests.figure_checks import drawn
from tests.report_data import THRESHOLDS, random_run
from tests.tables import actions, detections


def test_a_dollar_is_a_dollar():
    assert drawable("$a$") == r"\$a\$"
    assert drawable("ab", 2) == "ab" and drawable("abc", 2) == "a\u2026"


def test_the_curves_are_the_mean_over_classes_and_their_areas_the_map(tmp_path, monkeypatch):
    truth, found, _ = random_run()
    curves = precision_recall(truth, found, THRESHOLDS)
    figure, _ = drawn(monkeypatch, write_precision_recall, curves, tmp_path)
    axes, = figure.axes
    expected = mean_over_classes(average_precision(truth, found, THRESHOLDS))
    # Beside the axes, so that it covers no curve.
    assert axes.get_legend() is None
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        f"{threshold:.2g}: {100 * value:.1f}"
        for threshold, value in zip(THRESHOLDS, expected, strict=True)]
    for line, mean in zip(axes.lines, curves.mean, strict=True):
        assert line.get_ydata() == pytest.approx(100 * mean)


def test_curves_of_nothing_are_empty_not_wrong(tmp_path, monkeypatch):
    truth, found = actions(videos=("v",), classes=("x",)), detections(videos=("v",), classes=("x",))
    figure, _ = drawn(monkeypatch, write_precision_recall, precision_recall(truth, found, (0.5,)),
                      tmp_path)
    assert figure.legends[0].get_texts()[0].get_text() == "0.5: 0.0"
