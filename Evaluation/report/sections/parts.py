"""The parts that sections are made of.

A part says what to show, not how it looks. Names from data are always values, never
the name of a field.
"""

import math
from collections.abc import Sequence

from Evaluation.report.sections.in_words import is_number, percent

COLOURS = 6             # told apart: c0 to c5


# ---- parts --------------------------------------------------------------------------------------

def note(text: str, kind: str = "note") -> dict:
    """A line of text; kind: how it looks."""
    return {"type": "note", "text": text, "kind": kind}


def card(title: str, *parts: dict | None, kind: str = "") -> dict:
    """A box with an optional title; parts that are None are left out."""
    return {"type": "card", "title": title, "kind": kind, "parts": [*filter(None, parts)]}


def grid(*parts: dict | None, kind: str = "") -> dict:
    """Cards side by side. kind: "small" for more cards per row."""
    return {"type": "grid", "kind": kind, "parts": [*filter(None, parts)]}


def facts(entries: Sequence, kind: str = "") -> dict:
    """Names with their values: [(name, text)]."""
    return {"type": "facts", "kind": kind, "entries": [[name, text] for name, text in entries]}


def cell(text: object, small: str | None = None, kind: str = "") -> dict:
    """A cell of a table: its text, smaller words after it, and a style class of the page."""
    return {"text": text, "small": small, "kind": kind}


def table(header: Sequence, rows: Sequence, kind: str = "", *, name: str | None = None,
          caption: str | None = None, folded: bool = False) -> dict:
    """A table whose first column heads the rows.

    header: texts; rows: of texts or `cell`s.
    name: what a screen reader calls it. folded: closed at first, as for the numbers of
    a figure.
    """
    return {"type": "table", "header": header, "rows": rows, "kind": kind, "name": name,
            "caption": caption, "folded": folded}


def class_table(header: Sequence, rows: Sequence, name: str) -> dict:
    """A table of classes that a click on its head sorts; at first, by its last column.

    rows: {"label": number of the class, "keys": what each column is sorted by, None
    stands last, "cells": texts or `cell`s}.
    """
    return {"type": "classes", "header": header, "rows": rows, "name": name}


# ---- charts -------------------------------------------------------------------------------------

def axis(label: str, low: float, high: float, digits: int | None = None,
         whole: bool = False) -> dict:
    """An axis from low to high. digits: of exact values; None: four significant ones."""
    return {"label": label, "range": [low, high], "digits": digits, "whole": whole}


def percent_axis(label: str, values: Sequence = (1,)) -> dict:
    """An axis from 0 to a round value slightly above the highest of some shares."""
    highest = max((value for value in values if is_number(value)), default=0)
    return axis(label, 0, min(100, 5 * math.ceil((highest * 1.12 + 0.001) * 20)), digits=1)


def bar(label: str, value: object, paint: str, tip: str, text: str | None = None,
        low: float = 0) -> dict:
    """A bar from low to value, with text above it and words under the pointer.

    value: None for no bar. paint: c0 to c5 to tell apart, k0 to k7 for the kinds of
    detections and actions.
    """
    return {"label": label, "value": value if is_number(value) else None, "low": low,
            "paint": paint, "tip": tip, "text": text}


def share_bar(label: str, value: object, paint: str, tip: str) -> dict:
    """A bar of a share, in percent."""
    return bar(label, 100 * value if is_number(value) else None, paint, tip, percent(value))


def bars(label: str, groups: Sequence, y: dict, base: object = None, legend: Sequence = (),
         height: int = 300, slot: int = 30) -> dict:
    """A bar chart. groups: [(name, bars)]; bars with the same label are stacked.

    base: (value, name) of a dashed line. legend: [(name, paint)]. slot: least pixels
    per bar.
    """
    return {"type": "bars", "label": label, "y": y, "height": height, "slot": slot,
            "groups": [{"name": name, "bars": own} for name, own in groups],
            "base": base and {"value": base[0], "name": base[1]},
            "legend": [list(entry) for entry in legend]}


def lines(label: str, series: Sequence, x: dict, y: dict, height: int = 300,
          mark: object = None) -> dict:
    """A line chart.

    series: {name, paint, points, dashed, dots}; mark: an x to highlight.
    """
    return {"type": "lines", "label": label, "series": series, "x": x, "y": y, "height": height,
            "mark": mark}


def heat(share: float) -> str:
    """The style class of a cell as dark as a share from 0 to 1."""
    return f"h{round(9 * share)}"
