"""Numbers in words, and what charts get: limits, units, values."""

import math

import pytest

from Evaluation.report.sections.comparison import interval_cell
from Evaluation.report.sections.detad_cards import false_positives, impact
from Evaluation.report.sections.in_words import NONE, count, listed, percent, plural, short
from Evaluation.report.sections.parts import percent_axis, share_bar
from Evaluation.report.sections.records import shown, training_parts


def part_of(card, kind):
    found, = [part for part in card["parts"] if part["type"] == kind]
    return found


def test_numbers_in_words():
    assert [short(value) for value in (0, 1, 0.5, 0.12345, 12345, 1e6, 2e-5, -0.5)] == [
        "0", "1", "0.5", "0.1235", "12340", "1.00e+06", "2.00e-05", "-0.5"]
    assert [word(value) for word in (short, percent, count) for value in (None, math.nan)] == [
        NONE] * 6
    assert percent(0.4567, 2) == "45.67" and count(12345) == "12,345"
    assert plural(1, "video") == "1 video" and plural(0, "video") == "0 videos"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"


def test_settings_read_as_sentences():
    assert [shown(value) for value in (None, True, [], [1, "a"], {"a": False}, 1e-5)] == [
        NONE, "yes", "none", "1, a", "a: no", "1e-05"]


@pytest.mark.parametrize("highest, top", [(0.05, 10), (0.5, 60), (0.97, 100), (None, 5)])
def test_an_axis_of_shares_ends_a_little_above_the_highest(highest, top):
    assert percent_axis("mAP (%)", [0.01, highest])["range"] == [0, top]


def test_a_share_that_there_is_not_has_no_bar_and_a_dash():
    assert share_bar("x", None, "c0", [])["value"] is None
    assert share_bar("x", math.nan, "c0", [])["text"] == NONE
    assert share_bar("x", 0.25, "c0", [])["value"] == 25


def test_shares_of_kinds_are_stacked():
    kinds = {"true_positive": 0.5, "background": 0.25, "odd_kind": 0.25}
    part = {"top_kG": [{"group": 1, "counts": {kind: 4 for kind in kinds}, "fraction": kinds},
                       {"group": 2, "counts": dict.fromkeys(kinds, 0), "fraction": kinds}],
            "counts": dict.fromkeys(kinds, 4)}
    chart = part_of(false_positives(part), "bars")
    bars = chart["groups"][0]["bars"]
    assert [(bar["label"], bar["low"], bar["value"]) for bar in bars] == [
        ("1G", 0, 50), ("1G", 50, 75), ("1G", 75, 100)]       # the second rank is empty
    assert chart["legend"] == [["right", "k0"], ["background", "k5"], ["odd kind", "k5"]]


def test_a_loss_without_an_error_has_room_below_zero():
    part = {"impact": {"background": 0.02, "confusion": -0.01},
            "counts": {"background": 3, "confusion": 1}, "fraction": {"background": 0.75,
                                                                       "confusion": 0.25}}
    chart = part_of(impact(part), "bars")
    low, high = chart["y"]["range"]
    assert low < -1 and high > 2
    assert [bar["text"] for bar in chart["groups"][0]["bars"]] == ["+2.0", "-1.0"]


def test_the_axis_of_gains_has_a_length_even_if_no_error_costs_anything():
    kinds = dict.fromkeys(("background", "confusion"), 0)
    chart = part_of(impact({"impact": kinds, "counts": kinds, "fraction": kinds}), "bars")
    low, high = chart["y"]["range"]
    assert low == 0 and 0.5 <= high < 1


def test_losses_that_are_not_numbers_have_no_curve():
    history = [{"epoch": 1, "train": {"total": 2.0, "odd": math.nan}, "val": {"total": math.inf}}]
    parts = training_parts(history, None)
    assert [part["type"] for part in parts] == ["grid", "table"]
    assert [card["title"] for card in parts[0]["parts"]] == ["total loss"]
    assert training_parts([], 3) == []


def test_an_interval_on_one_side_of_zero_has_a_colour():
    assert interval_cell([0.1, 0.05, 0.2]) == {"text": "+10.0", "small": "+5.0 to +20.0",
                                               "kind": "better"}
    assert interval_cell([-0.1, -0.2, -0.05])["kind"] == "worse"
    assert interval_cell([0.1, -0.05, 0.2])["kind"] == ""
    assert interval_cell(None)["text"] == NONE
