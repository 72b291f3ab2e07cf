"""The section of a comparison: differences between runs, and whether they exceed chance."""

from collections.abc import Sequence

from Evaluation.report.sections.in_words import NONE, count, percent, short, words
from Evaluation.report.sections.parts import (
    COLOURS,
    bars,
    card,
    cell,
    class_table,
    note,
    percent_axis,
    share_bar,
    table,
)
from Evaluation.report.sections.records import shown

MINUS = "\u2212"


def comparison_parts(content: dict, labels: Sequence[str]) -> list:
    """The cards of the section.

    content: what `compare.compared` returns, with settings. labels: names of the classes.
    """
    settings = [[words(name), *map(shown, values)] for name, values in content["settings"]]
    names = [run["name"] for run in content["runs"]]
    return [
        card("Is the difference real?", *(note(line, "verdict") for line in content["verdicts"]),
             note(f"Intervals cover 95 % of {count(content['resamples'])} draws of the videos with "
                  "replacement. They show what other videos would change. What another seed of "
                  "the training would change, only more trainings can show.")),
        card("Mean average precision (%)", _runs_table(content), _runs_bars(content)),
        card("Settings that differ", table(["Setting", *names], settings, "differing")
             if settings else note("None.")),
        card("Classes", note("Average precision in percent, averaged over the tIoU. By chance, "
                             "about 1 interval in 20 misses zero."),
             _classes(content, names, labels))]


def _runs_bars(content):
    runs = content["runs"]
    groups = [(f"tIoU {short(tiou)}", [share_bar("", run["mAP"][t], f"c{r % COLOURS}", [
        run["name"], f"tIoU {short(tiou)}", f"mAP {percent(run['mAP'][t], 2)} %"])
        for r, run in enumerate(runs)]) for t, tiou in enumerate(content["thresholds"])]
    return bars("Mean average precision of each run at each tIoU", groups,
                percent_axis("mAP (%)", [value for run in runs for value in run["mAP"]]),
                legend=[(run["name"], f"c{r % COLOURS}") for r, run in enumerate(runs)])


def interval_cell(difference: Sequence[float] | None) -> dict:
    """A difference in points with its interval.

    difference: [value, low, high] or None.
    """
    if not difference:
        return cell(NONE)
    middle, low, high = (f"{100 * value:+.1f}" for value in difference)
    kind = "better" if difference[1] > 0 else "worse" if difference[2] < 0 else ""
    return cell(middle, f"{low} to {high}", kind)


def _runs_table(content):
    """mAP of each run, and its difference from the first."""
    runs, has_short = content["runs"], any(run["short"] is not None for run in content["runs"])
    header = ["Run", *map(short, content["thresholds"]), "Average"]
    if has_short:
        header.append(f"Up to {short(content['short_seconds'])} s")
    rows = []
    for run in runs:
        rows.append([run["name"], *map(percent, run["mAP"]), percent(run["average"]),
                     *([percent(run["short"])] if has_short else [])])
        if difference := run["difference"]:
            rows.append([f"{run['name']} {MINUS} {runs[0]['name']}",
                         *map(interval_cell, difference["mAP"]),
                         interval_cell(difference["average"]),
                         *([interval_cell(difference["short"])] if has_short else [])])
    return table(header, rows, "runs", name="Scores of the runs")


def _classes(content, names, labels):
    rows = [{"label": row["label"],
             "keys": [labels[row["label"]], row["actions"], *row["ap"],
                      *(difference and difference[0] for difference in row["differences"])],
             "cells": [labels[row["label"]], count(row["actions"]), *map(percent, row["ap"]),
                       *map(interval_cell, row["differences"])]} for row in content["classes"]]
    return class_table(["Class", "Actions", *names,
                        *(f"{name} {MINUS} {names[0]}" for name in names[1:])], rows,
                       "Classes of the runs")
