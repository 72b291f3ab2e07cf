"""Evaluation.report.timeline: what is drawn is what matching says."""

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from Evaluation.metrics import ActionTable, align, best_score, match
from Evaluation.report.curve_figures import drawable
from Evaluation.report.timeline import (
    MAX_ROWS,
    MOST_CLASSES,
    detected_lanes,
    draw_timeline,
    lanes_of,
    packed,
    write_detected,
    write_timelines,
)
from tests.figure_checks import drawn
from tests.report_data import random_run
from tests.tables import actions, detections, random_tables
from Utils.figures import PNG_DOTS, STYLE

ODD_NAMES = ("$x^$", "two\nlines", "\ud800", "\0", "", "y" * 4000, "\u202etxt", "日本語")


def bars(axes):
    """[(start, end, is filled)] of all bars of a panel, from the top to the bottom."""
    return [(patch.get_x(), patch.get_x() + patch.get_width(), patch.get_facecolor()[3] == 1)
            for patch in sorted(axes.findobj(Rectangle), key=lambda patch: patch.get_y())
            if patch is not axes.patch]


# ---- parts --------------------------------------------------------------------------------------

def test_spans_go_into_the_first_free_row():
    spans = np.array([[0, 10], [5, 15], [10, 20], [0, 4], [8, 9]], float)
    assert packed(spans).tolist() == [0, 1, 0, 1, 2]
    assert packed(np.zeros((0, 2))).tolist() == []
    assert packed(np.array([[0.0, 1.0]] * 20)).max() == MAX_ROWS - 1


def test_the_best_score_keeps_what_is_right_and_leaves_what_is_not():
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30))
    found = detections(("v", "x", 0, 10, 0.9), ("v", "x", 20, 30, 0.6), ("v", "x", 50, 60, 0.5))
    assert best_score(truth, align(found, truth), 0.5) == 0.6
    assert best_score(truth, align(detections(), truth), 0.5) == 0


@pytest.mark.parametrize("seed", range(6))
def test_no_score_has_a_higher_f1_than_the_best(seed):
    truth, found = random_tables(seed, 12, 40)
    found = align(found, truth)

    def f1(score):
        shown = found[found.scores >= score]
        _, matched = match(truth, shown, (0.4,))
        return (matched >= 0).sum() / (len(shown) + len(truth))

    best = best_score(truth, found, 0.4)
    assert f1(best) == pytest.approx(max(f1(score) for score in found.scores))


def test_lanes_hold_a_class_each_those_with_most_actions_first():
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


def test_the_detections_of_a_video_stand_by_class_darker_where_they_score_more(tmp_path,
                                                                               monkeypatch):
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


def test_only_the_best_classes_have_room_and_proposals_have_one_name():
    many = [row(f"class {i}", i, i + 1, i / 99) for i in range(30)]
    assert [lane.name.split(" (")[0] for lane in detected_lanes(many)] == [
        f"class {i}" for i in range(29, 29 - MOST_CLASSES, -1)]
    assert detected_lanes([{"segment": [0, 1], "score": .5}])[0].name == "action (0.50)"
