"""Evaluation.report.timeline: what is drawn is what matching says."""

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from Evaluation.metrics import ActionTable, align, match
from Evaluation.report.curve_figures import drawable
from Evaluation.report.lanes import (
    draw_timeline,
    lanes_of,
)
from Evaluation.report.timeline import write_detected, write_timelines
from tests.figure_checks import drawn
from tests.report_data import random_run
from tests.tables import actions, detections
from Utils.figures import PNG_DOTS, STYLE

ODD_NAMES = ("$x^$", "two\nlines", "\ud800", "\0", "", "y" * 4000, "\u202etxt", "日本語")


def bars(axes):
    """[(start, end, is filled)] of all bars of a panel, from the top to the bottom."""
    return [(patch.get_x(), patch.get_x() + patch.get_width(), patch.get_facecolor()[3] == 1)
            for patch in sorted(axes.findobj(Rectangle), key=lambda patch: patch.get_y())
            if patch is not axes.patch]


# ---- parts --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Glyph")      # no font has every letter
@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_can_be_drawn(tmp_path, name):
    truth = ActionTable((name,), (name,), np.array([0]), np.array([0]), np.array([[1.0, 2.0]]))
    found = ActionTable((name,), (name,), np.array([0]), np.array([0]), np.array([[1.0, 2.0]]),
                        np.array([0.5]))
    assert write_timelines(truth, found, {}, tmp_path, [name])
    assert "\n" not in drawable(name) and len(drawable(name).replace("\\$", "$")) <= 28


# ---- figures ------------------------------------------------------------------------------------

def test_a_timeline_shows_actions_and_the_detections_of_the_score(tmp_path, monkeypatch):
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30), ("w", "x", 5, 9))
    found = align(detections(("v", "x", 21, 30, 0.5), ("v", "x", 40, 50, 0.4),
                             ("v", "x", 0, 9, 0.2)), truth)
    figure, _ = drawn(monkeypatch, write_timelines, truth, found, {"v": 60}, tmp_path, ["v", "w"],
                      0.5, 0.3)
    above, below = figure.axes
    assert bars(above) == [(0, 10, False), (20, 30, True), (21, 30, True), (40, 50, False)]
    assert above.get_xlim() == (0, 60) and above.get_title(loc="left") == "v"
    assert bars(below) == [(5, 9, False)] and below.get_xlim() == (0, 9)
    assert "at least 0.3" in figure.get_supxlabel() and "tIoU 0.5" in figure.get_supxlabel()


def test_every_class_of_a_video_has_its_name_beside_its_bars():
    truth, found, _ = random_run(2)
    _, (matched,) = match(truth, found, (0.5,))
    lanes = lanes_of(truth, found, matched, 0)
    with matplotlib.rc_context(STYLE):
        axes = Figure().subplots()
        draw_timeline(axes, lanes, 120)
    assert [label.get_text() for label in axes.get_yticklabels()] == [lane.name for lane in lanes]
    mine = [table.segments[table.video == 0] for table in (truth, found)]
    shown = np.array(sorted((start, end) for start, end, _ in bars(axes)))
    assert shown == pytest.approx(np.array(sorted(map(tuple, np.concatenate(mine)))))


def test_all_words_are_on_the_page(tmp_path, monkeypatch):
    truth, found, durations = random_run(5, classes=("A name of a class that is long", "b", "c"))
    figure, paths = drawn(monkeypatch, write_timelines, truth, found, durations, tmp_path,
                          ["v00", "v03"])
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
    png = next(path for path in paths if path.suffix == ".png").read_bytes()
    assert int.from_bytes(png[16:20], "big") == 7 * PNG_DOTS


def test_timelines_of_nothing_are_empty_not_wrong(tmp_path, monkeypatch):
    truth, found = actions(videos=("v",), classes=("x",)), detections(videos=("v",), classes=("x",))
    figure, _ = drawn(monkeypatch, write_timelines, truth, found, {}, tmp_path, ["v"])
    assert bars(figure.axes[0]) == []
    figure, _ = drawn(monkeypatch, write_detected, tmp_path / "video", [("v", 10.0, [])])
    assert bars(figure.axes[0]) == [] and figure.axes[0].get_xlim() == (0, 10)


# ---- one video, without ground truth ------------------------------------------------------------

def row(label, start, end, score):
    return {"label": label, "segment": [start, end], "score": score}


def test_detections_are_drawn_by_class_and_darker_with_higher_scores(tmp_path, monkeypatch):
    rows = [row("low", 0, 2, .2), row("high", 5, 9, .8), row("high", 6, 8, .4),
            row("none", 0, 9, .03)]
    figure, paths = drawn(monkeypatch, write_detected, tmp_path / "a.b", [("video", 20.0, rows)])
    axes, = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["high (0.80)", "low (0.20)"]
    patches = sorted((patch for patch in axes.patches), key=lambda patch: patch.get_y())
    assert [(bar.get_x(), bar.get_width()) for bar in patches] == [(5, 4), (6, 2), (0, 2)]
    dark, medium, pale = (bar.get_alpha() for bar in patches)
    assert dark == 1 and dark > medium > pale > 0
    # Those that overlap stand in rows, so that both are seen.
    assert patches[1].get_y() >= patches[0].get_y() + patches[0].get_height()
    assert "4 detections" in axes.get_title(loc="left") and axes.get_xlim() == (0, 20)
    assert [path.name for path in paths] == ["a.b.pdf", "a.b.png"]


def test_several_videos_have_a_panel_each(tmp_path, monkeypatch):
    videos = [("a", 20.0, [row("x", 1, 2, .5)]), ("b", 9.0, [])]
    figure, paths = drawn(monkeypatch, write_detected, tmp_path / "all", videos, ("png",))
    first, second = figure.axes
    assert first.get_title(loc="left").startswith("a: 1 detection;") and len(bars(first)) == 1
    assert second.get_title(loc="left").startswith("b: 0 ") and second.get_xlim() == (0, 9)
    assert [path.name for path in paths] == ["all.png"]
