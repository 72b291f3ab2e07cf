"""The sections on scores, classes and curves."""

from collections.abc import Sequence
from os.path import splitext

from Evaluation.average_recall import AverageRecall
from Evaluation.curves import PrecisionRecall
from Evaluation.report.sections.in_words import count, is_number, percent, plural, short
from Evaluation.report.sections.parts import (
    axis,
    bars,
    card,
    cell,
    class_table,
    grid,
    heat,
    lines,
    note,
    percent_axis,
    share_bar,
    table,
)

NO_FILES = ("Each figure can be saved as SVG; Eval.py --figures pdf (or png, both) writes figures "
            "for papers.")


# ---- scores -------------------------------------------------------------------------------------

def score_parts(scores: dict, provenance: dict, files: Sequence[str]) -> list:
    """The tiles, notes and chart of the scores.

    files: names of the files beside the page.
    """
    notes = provenance.get("notes")
    parts = [{"type": "tiles", "tiles": tiles(scores)},
             card("Mind when comparing", {"type": "list", "items": list(notes)}, kind="warning")
             if notes else None,
             _files(files) if files else note(NO_FILES, "note files"),
             _precision_card(scores, provenance) if scores.get("mAP") else
             note("These are proposals without classes: they have average recall, no mAP.")]
    return [part for part in parts if part]


def _files(names):
    """Links to the files, grouped by stem."""
    endings = {}
    for name in names:
        stem, ending = splitext(name)
        endings.setdefault(stem, []).append(ending)
    return {"type": "files", "groups": [{"stem": stem, "endings": own}
                                        for stem, own in endings.items()]}


def _precision_card(scores, provenance):
    fewer = scores.get("short_actions") or {}
    rows = [("all actions", scores["mAP"])]
    if fewer.get("mAP"):
        rows.append((f"up to {short(fewer['max_seconds'])} s", fewer["mAP"]))
    groups = [(f"tIoU ({name})", [share_bar(short(tiou), value, f"c{i}", [
        name if name.startswith("all") else f"actions {name}", f"tIoU {short(tiou)}",
        f"mAP {percent(value, 2)} %"])
        for tiou, value in zip(scores["tiou_thresholds"], values, strict=True)])
        for i, (name, values) in enumerate(rows)]
    protocol = ("The official THUMOS14" if scores.get("protocol") == "thumos14"
                else "ActivityNet's")
    return card("Mean average precision at each tIoU",
                bars("Mean average precision at each temporal IoU threshold", groups,
                     percent_axis("mAP (%)", [value for _, values in rows for value in values])),
                note(f"{protocol} protocol. {_sources(provenance)}"))


def _sources(provenance):
    """Sentences about the sources of the numbers."""
    truth, ties, commit = (provenance.get(name) for name in ("ground_truth", "ties", "git_commit"))
    parts = [f"ground truth {truth}" if truth else None, ties,
             f"commit {str(commit)[:10]}{', modified' if provenance.get('git_modified') else ''}"
             if commit else None]
    return " ".join(f"{str(part)[:1].upper()}{str(part)[1:]}." for part in parts if part)


def tiles(scores: dict) -> list:
    """[value in percent, name, detail] of the numbers on top."""
    found = [(value, "average mAP", f"tIoU {_spread(span)}")
             for span, value in reversed((scores.get("average_mAP") or {}).items())]
    for tiou, value in zip(scores.get("tiou_thresholds") or (), scores.get("mAP") or (),
                           strict=False):
        if abs(tiou - 0.5) < 1e-9:
            found.append((value, "mAP", "at tIoU 0.5"))
    fewer = scores.get("short_actions") or {}
    if fewer.get("mAP"):
        span, value = list(fewer["average_mAP"].items())[-1]
        found.append((value, "average mAP, short",
                      f"up to {short(fewer['max_seconds'])} s: "
                      f"{plural(fewer['num_ground_truth'], 'action')}, tIoU {_spread(span)}"))
    if is_number(recall := (scores.get("AR@AN") or {}).get("100")):
        found += [(recall, "AR@100", "average recall, 100 proposals per video"),
                  (scores.get("AUC"), "AUC", "area under average recall")]
    return [[percent(value, 2), name, detail] for value, name, detail in found]


def _spread(span):
    return span.replace(":", " to ")


# ---- classes and curves -------------------------------------------------------------------------

def class_parts(rows: list, labels: Sequence[str], thresholds: Sequence[float]) -> list:
    """A table of average precision. rows: of `report_data.class_rows`."""
    highest = max([1e-9, *(value for row in rows for value in row["ap"] or ())])

    def shaded(value):
        return cell(percent(value), kind="" if value is None else heat(value / highest))

    entries = []
    for row in rows:
        values = row["ap"] or [None] * len(thresholds)
        values = [*values, sum(values) / len(values) if row["ap"] else None]
        numbers = [row["actions"], row["detections"]]
        name = labels[row["label"]]
        entries.append({"label": row["label"], "keys": [name, *numbers, *values],
                        "cells": [name, *map(count, numbers), *map(shaded, values)]})
    header = ["Class", "Actions", "Detections", *map(short, thresholds), "Mean"]
    return [card(None, note("Average precision in percent at each tIoU. Choose a class to see it "
                            "on the timelines and its curves."),
                 class_table(header, entries, "Average precision of each class"))]


def curve_parts(curves: PrecisionRecall | None, recall: AverageRecall | None, scores: dict,
                labels: Sequence[str]) -> list:
    """The cards of the curves.

    curves: PrecisionRecall or None. recall: AverageRecall or None.
    """
    cards = [card("Precision and recall", _precision_recall(curves, labels),
                  note("Interpolated, matched by ActivityNet's protocol: the area under a curve is "
                       "the average precision.")) if curves else None,
             _recall_card(recall, scores) if recall else None]
    return [grid(*cards)] if any(cards) else []


def _precision_recall(curves, labels):
    """The mean curves, and those of each class for the reader to choose."""
    place = {name: label for label, name in enumerate(labels)}
    return {"type": "curves", "thresholds": curves.thresholds,
            "mean": (100 * curves.mean).round(2).tolist(),
            "classes": [{"label": place[name], "corners": [
                [(100 * part).round(2).tolist() for part in corner] for corner in corners]}
                for name, corners in curves.corners.items()]}


def _recall_card(recall, scores):
    points = [[number, 100 * value] for number, value in
              zip(recall.proposals_per_video.round(2).tolist(), recall.mean.round(5).tolist(),
                  strict=True)]
    at = scores.get("AR@AN") or {}
    return card("Average recall", lines(
        "Average recall over the number of proposals per video",
        [{"name": "mean over tIoU 0.5 to 0.95", "paint": "c0", "points": points}],
        axis("Proposals per video", 0, max(point[0] for point in points), whole=True),
        percent_axis("Recall (%)"), 340),
        table(["Proposals", *at, "AUC"],
              [["Recall (%)", *(percent(value, 2) for value in at.values()),
                percent(scores.get("AUC"), 2)]]))
