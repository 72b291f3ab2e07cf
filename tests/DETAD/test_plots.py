"""DETAD.plots: every figure comes from detad.json alone and keeps its words on the page."""

import json
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from DETAD import diagnose, plots
from DETAD.characteristics import NAMES, bucket_table
from Evaluation.metrics import ActionTable
from Evaluation.report.lanes import MISSED
from Utils.figures import PAGE_WIDTH, STYLE, draw_all

THREE = ("coverage", "length", "num-instances")
DRAWN = {"detad_sensitivity", "detad_false_positives", "detad_false_negatives",
         "detad_false_negative_pairs"}


def report(names=NAMES, num_actions=60, num_detections=300, thresholds=(0.5, 0.75)):
    """A diagnosis of random detections, as read back from its file."""
    rng = np.random.default_rng(3)
    start = rng.uniform(0, 500, num_actions)
    truth = ActionTable(("a", "b"), ("x", "y", "z"), rng.integers(0, 2, num_actions),
                        rng.integers(0, 3, num_actions),
                        np.stack([start, start + rng.uniform(1, 90, num_actions)], 1), None)
    near = rng.integers(0, max(num_actions, 1), num_detections)
    detections = ActionTable(
        truth.videos, truth.classes, truth.video[near], rng.integers(0, 3, num_detections),
        truth.segments[near] + rng.normal(0, 3, (num_detections, 2)), rng.random(num_detections))
    buckets = bucket_table("activitynet")
    ranges = {"context-size": 7, "context-distance": 4, "num-instances": 12, "length": 200}
    values = {name: rng.uniform(0, ranges.get(name, 1), num_actions) for name in names}
    found = diagnose(truth, values, detections, thresholds, buckets)
    return json.loads(json.dumps(found, allow_nan=False))


def figure_of(draw, found, height=4.0):
    """The figure laid out, and the box in inches around all that is seen on it."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(PAGE_WIDTH, height), layout="constrained")
        draw(figure, found)
        figure.draw_without_rendering()
        return figure, figure.get_tightbbox()


def words(draw, found):
    figure, _ = figure_of(draw, found)
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def test_every_figure_is_written(tmp_path):
    paths = draw_all(plots.figure_jobs(report(THREE), tmp_path))
    assert {path.name for path in paths} == {f"{name}.{kind}" for name in DRAWN
                                             for kind in ("pdf", "png")}
    assert all(path.stat().st_size > 5000 for path in paths)


@pytest.mark.parametrize("draw, names, height", [
    (plots.draw_sensitivity, NAMES, 5), (plots.draw_false_positives, NAMES, 3),
    (plots.draw_false_negatives, NAMES, 6), (plots.draw_pairs, THREE, 3)])
def test_no_word_leaves_the_page_or_touches_another(draw, names, height):
    figure, box = figure_of(draw, report(names), height)
    assert min(box.x0, box.y0) > -0.01
    assert box.x1 < PAGE_WIDTH + 0.01 and box.y1 < height + 0.01
    words = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    boxes = [(word.get_text(), word.get_window_extent()) for word in words]
    touching = [(one, other) for (one, a), (other, b) in combinations(boxes, 2)
                if a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1]
    assert len(boxes) > 10 and touching == []


def test_bars_of_missed_actions_have_the_colour_of_missed_actions():
    figure, _ = figure_of(plots.draw_false_negatives, report(THREE))
    bars = [bar for axes in figure.axes if axes.get_ylabel() == "missed (%)"
            for bar in axes.patches]
    assert bars and {to_hex(bar.get_facecolor()) for bar in bars} == {MISSED.lower()}


def test_the_bars_are_the_numbers():
    found = report(THREE)
    written = words(plots.draw_sensitivity, found)
    for buckets in found["sensitivity"].values():
        for value in buckets.values():
            assert f"{100 * value:.1f}" in written
    assert f"all\n{100 * found['average_mAP_N']:.1f}" in written
    written = words(plots.draw_false_positives, found)
    for gain in found["false_positives"]["impact"].values():
        assert f"{100 * gain:.1f}" in written


def test_the_stack_fills_every_column():
    figure, _ = figure_of(plots.draw_false_positives, report(THREE))
    stack = figure.axes[0]
    tops = {}
    for bar in stack.patches:
        tops[round(bar.get_x(), 3)] = bar.get_y() + bar.get_height()
    assert list(tops.values()) == pytest.approx([100] * len(tops))


def test_a_bucket_without_actions_gets_a_dash():
    found = report(("length",))
    label = next(iter(found["sensitivity"]["length"]))
    del found["sensitivity"]["length"][label]
    assert "-" in words(plots.draw_sensitivity, found)


def test_there_are_only_figures_of_what_is_known():
    assert list(plots.figures_of(report(()))) == ["detad_false_positives"]
    assert set(plots.figures_of(report(("length",)))) == DRAWN - {"detad_false_negative_pairs"}


def test_without_detections_everything_can_be_drawn():
    found = report(THREE, num_detections=0)
    figures = plots.figures_of(found)
    assert set(figures) == DRAWN
    assert all(figure_of(draw, found, height)[0].axes for height, draw in figures.values())
    assert "all\n100.0" in words(plots.draw_false_negatives, found)
    assert "all\n0.0" in words(plots.draw_sensitivity, found)


def test_a_characteristic_of_ones_own_can_be_drawn():
    found = report(("length",))
    for key in ("sensitivity", "relative_change", "false_negatives", "buckets"):
        found[key] = {"blur": found[key]["length"]}
    assert "blur (s)" in words(plots.draw_sensitivity, found)
    assert "blur (s)" in words(plots.draw_false_negatives, found)
