"""Timelines as figures: detections of a video, with or without its ground truth."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from Evaluation.metrics import ActionTable, align, best_score, match
from Evaluation.report.curve_figures import drawable
from Evaluation.report.lanes import (
    KEY,
    LEAST_SHARE,
    Lane,
    detected_lanes,
    draw_timeline,
    height_of,
    key_patch,
    lanes_of,
    last_end,
)
from Utils.figures import (
    FORMATS,
    PAGE_WIDTH,
    STYLE,
    figure_files,
    paths_of,
)
from Utils.files import counted

UNIT_INCHES = 0.13       # the height of an action


def write_timelines(truth: ActionTable, detections: ActionTable, durations: dict,
                    folder: str | Path, videos: Sequence[str], threshold: float = 0.5,
                    least_score: float | None = None,
                    formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write timelines.pdf, .png: a panel for each of `videos` (names). -> their paths.

    detections: aligned to the truth. durations: {video: seconds}; without one, up to
    the last end. Shown are detections of at least least_score; None: the score at
    which F1 is highest. Found and right are as matched at the tIoU `threshold`.
    """
    if least_score is None:
        least_score = best_score(truth, detections, threshold)
    detections = detections[detections.scores >= least_score]
    _, (matched,) = match(truth, detections, (threshold,))
    panels = [lanes_of(truth, detections, matched, truth.videos.index(video)) for video in videos]
    heights = [height_of(lanes) for lanes in panels]
    stem = Path(folder) / "timelines"
    height = UNIT_INCHES * sum(heights) + 0.4
    with figure_files(stem, PAGE_WIDTH, height, formats) as figure:
        grid = figure.subplots(len(videos), 1, height_ratios=heights, squeeze=False)[:, 0]
        for axes, video, lanes in zip(grid, videos, panels, strict=True):
            draw_timeline(axes, lanes, durations.get(video) or last_end(lanes))
            axes.set_title(drawable(video, 80), loc="left", fontweight="bold")
        _explain(figure, least_score, threshold)
    return paths_of(stem, formats)


def write_detected(stem: str | Path, videos: Sequence[tuple],
                   formats: Sequence[str] = FORMATS) -> list[Path]:
    """Draw the detections of a few videos without ground truth. -> paths.

    videos: (name, duration in s, rows of a detection file: {score, segment, label or
    none}). Shown are the classes with the best detections, MOST_CLASSES at most, darker
    where the score is higher; what scores less than LEAST_SHARE of the best is left out.
    """
    lanes = [detected_lanes(rows) for _, _, rows in videos]
    with figure_files(stem, PAGE_WIDTH, detected_height(lanes), formats) as figure:
        draw_detected(figure, videos, lanes)
    return paths_of(stem, formats)


def detected_figure(videos: Sequence[tuple]) -> Figure:
    """The figure of `write_detected`, without writing it."""
    lanes = [detected_lanes(rows) for _, _, rows in videos]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(PAGE_WIDTH, detected_height(lanes)), layout="constrained")
        draw_detected(figure, videos, lanes)
    return figure


def judged_figure(name: str, duration: float, rows: list[dict], actions: list[dict],
                  threshold: float = 0.5, least_score: float | None = None) -> Figure:
    """Detections of one video against its actions, drawn as in `write_timelines`.

    -> Figure.
    rows, actions: as in detection and annotation files ({segment, label, and for rows
    score}).
    """
    truth, found = (_table(name, part) for part in (actions, rows))
    found = align(found, truth)
    if least_score is None:
        least_score = best_score(truth, found, threshold)
    found = found[found.scores >= least_score]
    _, (matched,) = match(truth, found, (threshold,))
    lanes = lanes_of(truth, found, matched, 0)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(PAGE_WIDTH, UNIT_INCHES * height_of(lanes) + 0.4),
                        layout="constrained")
        draw_timeline(axes := figure.subplots(), lanes, duration)
        axes.set_title(drawable(name, 80), loc="left", fontweight="bold")
        _explain(figure, least_score, threshold)
    return figure


def _explain(figure, least_score, threshold):
    """Add the legend, and which detections are shown and which of them are right."""
    figure.legend(handles=[key_patch(*entry) for entry in KEY], ncols=len(KEY),
                  loc="outside upper center", handlelength=1.5)
    figure.supxlabel(f"time (min:s); detections with a score of at least {least_score:.3g}, "
                     f"right at tIoU {threshold:g}", fontsize=8)


def _table(name, rows):
    """Rows of one video as an ActionTable."""
    classes = tuple(dict.fromkeys(row.get("label", "action") for row in rows))
    label = np.array([classes.index(row.get("label", "action")) for row in rows], np.int64)
    segments = np.array([row["segment"] for row in rows], np.float64).reshape(-1, 2)
    return ActionTable((name,), classes, np.zeros(len(rows), np.int64), label, segments,
                       np.array([row.get("score", 1.0) for row in rows], np.float64))


def detected_height(lanes: Sequence[list[Lane]]) -> float:
    """The height of a figure with one panel per list of lanes, in inches."""
    return UNIT_INCHES * sum(map(height_of, lanes)) + 0.4


def draw_detected(figure: Figure, videos: Sequence[tuple], lanes: Sequence[list[Lane]]) -> None:
    """Draw a panel for each video.

    videos: as in `write_detected`; lanes: one list per video.
    """
    panels = figure.subplots(len(videos), 1, squeeze=False,
                             height_ratios=list(map(height_of, lanes)))[:, 0]
    for axes, own, (name, duration, rows) in zip(panels, lanes, videos, strict=True):
        draw_timeline(axes, own, duration)
        axes.set_title(f"{drawable(name, 60)}: {counted(len(rows), 'detection')}; "
                       "in brackets the best score", loc="left", fontweight="bold")
    panels[-1].set_xlabel(f"time (min:s); detections with at least {100 * LEAST_SHARE:g} % of the "
                          "best score, darker where it is higher")
