"""The lanes of a timeline: one class of one video each, and how they are drawn."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MultipleLocator

from Evaluation.metrics import ActionTable, instances
from Evaluation.report.curve_figures import drawable
from Utils.figures import BLUE, GREEN, GREY, MAGENTA, SLATE

ACTION, DETECTION, GAP = 1.0, 0.55, 0.5    # heights in a timeline; 1 is 0.13 inches
MAX_ROWS = 6                               # of detections of a class, with the best in the first
TIME_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)   # s
MAX_TICKS = 9
FOUND, MISSED, RIGHT, WRONG, UNJUDGED = SLATE, MAGENTA, GREEN, GREY, BLUE
KEY = (("action, found", FOUND, True), ("action, missed", MISSED, False),
       ("detection, right", RIGHT, True), ("detection, wrong", WRONG, False))
MOST_CLASSES, MOST_BARS = 12, 200          # of a video without ground truth
LEAST_SHARE = 0.05                         # of the best score: what scores less is not drawn


@dataclass(frozen=True)
class Lane:
    """One class in one video.

    actions: (n, 2) seconds, found: (n,) bool. detections: (m, 2) by descending score;
    right: (m,) bool, None without ground truth; shades: (m,) from 0 to 1, how dark the
    detections are then.
    """
    name: str
    actions: np.ndarray
    found: np.ndarray
    detections: np.ndarray
    right: np.ndarray | None = None
    shades: np.ndarray | None = None

    @cached_property
    def rows(self) -> np.ndarray:
        """The row in which each detection is drawn: (m,) int."""
        return packed(self.detections)

    @property
    def looks(self) -> list[dict]:
        """How each detection is drawn, as options of a patch."""
        if self.right is None:
            return [{"facecolor": UNJUDGED, "alpha": shade, "linewidth": 0}
                    for shade in self.shades]
        return [_look(is_right, RIGHT, WRONG) for is_right in self.right]

    @property
    def above(self) -> float:
        """The height of its actions; 0 without actions."""
        return ACTION + 0.1 if len(self.actions) else 0.0

    @property
    def height(self) -> float:
        """Its height in units of the height of an action; at least that of its name."""
        return max(self.above + DETECTION * (self.rows.max(initial=-1) + 1), ACTION) + GAP


def detected_lanes(rows: list[dict]) -> list[Lane]:
    """One Lane per class of the best detections, best first.

    rows: see `write_detected`.
    """
    best = max((row["score"] for row in rows), default=0)
    shown = [row for row in rows if row["score"] >= LEAST_SHARE * best]
    by_class = {}
    for row in sorted(shown, key=lambda row: -row["score"])[:MOST_BARS]:
        by_class.setdefault(row.get("label", "action"), []).append(row)
    lanes = []
    for label, own in list(by_class.items())[:MOST_CLASSES]:
        scores = np.array([row["score"] for row in own], np.float64)
        lanes.append(Lane(f"{drawable(label)} ({scores[0]:.2f})", np.zeros((0, 2)), np.zeros(0),
                          np.array([row["segment"] for row in own], np.float64),
                          shades=(scores / max(best, 1e-9)).clip(LEAST_SHARE, 1)))
    return lanes


def height_of(lanes: list[Lane]) -> float:
    """The height of a panel with title and axis, in units of the height of an action."""
    return sum(lane.height for lane in lanes) + 4.5


def lanes_of(truth: ActionTable, detections: ActionTable, matched: np.ndarray,
             video: int) -> list[Lane]:
    """One Lane per class with actions in a video, then one per class with only detections.

    matched: (M,) row of the truth that each detection has, or -1. video: index.
    """
    mine, own = (np.flatnonzero(table.video == video) for table in (truth, detections))
    taken = np.isin(np.arange(len(truth)), matched)
    with_actions = instances(truth[mine])
    labels = [*np.flatnonzero(with_actions)[np.argsort(-with_actions[with_actions > 0])],
              *np.setdiff1d(detections.label[own], truth.label[mine])]
    lanes = []
    for label in labels:
        actions = mine[truth.label[mine] == label]
        found = own[detections.label[own] == label]
        found = found[np.argsort(-detections.scores[found], kind="stable")]
        lanes.append(Lane(drawable(detections.classes[label]), truth.segments[actions],
                          taken[actions], detections.segments[found], matched[found] >= 0))
    return lanes


def packed(spans: np.ndarray) -> np.ndarray:
    """The first row in which each span overlaps no earlier one; the last row takes the rest.

    spans: (n, 2) -> (n,) int from 0.
    """
    rows, filled = np.zeros(len(spans), np.int64), [[] for _ in range(MAX_ROWS)]
    for i, (start, end) in enumerate(spans):
        free = [all(end <= other[0] or start >= other[1] for other in row) for row in filled]
        rows[i] = free.index(True) if True in free else MAX_ROWS - 1
        filled[rows[i]].append((start, end))
    return rows


def draw_timeline(axes: Axes, lanes: list[Lane], duration: float) -> None:
    """Draw the lanes of a video of `duration` seconds, the first one on top."""
    top, names = 0.0, []
    for lane in lanes:
        names.append((top + (lane.above or DETECTION) / 2, lane.name))
        _draw_spans(axes, lane.actions, np.full(len(lane.actions), top), ACTION,
                    [_look(is_found, FOUND, MISSED) for is_found in lane.found])
        _draw_spans(axes, lane.detections, top + lane.above + DETECTION * lane.rows,
                    DETECTION - 0.15, lane.looks)
        top += lane.height
    axes.set_yticks([place for place, _ in names], [name for _, name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(top, ACTION), -0.4)
    axes.set_xlim(0, duration)
    step = next((step for step in TIME_STEPS if step * MAX_TICKS >= duration),
                duration / MAX_TICKS)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(_clock))
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)


def _draw_spans(axes, spans, tops, height, looks):
    for (start, end), top, look in zip(spans, tops, looks, strict=True):
        axes.add_patch(Rectangle((start, top), end - start, height, **look))


def _look(is_solid, colour, other):
    """The look of a bar: filled with one colour, or outlined with the other."""
    if is_solid:
        return {"facecolor": colour, "edgecolor": colour, "linewidth": 0.3}
    return {"facecolor": to_rgba(other, 0.25), "edgecolor": other, "linewidth": 0.7}


def last_end(lanes: list[Lane]) -> float:
    """When the last action or detection ends, in seconds; 1 if there are none."""
    ends = [part[:, 1].max(initial=0) for lane in lanes for part in (lane.actions, lane.detections)]
    return max(ends, default=0) or 1.0


def _clock(seconds, _):
    whole = round(seconds * 10) / 10
    minutes, rest = divmod(whole, 60)
    return f"{int(minutes)}:{rest:02.0f}" if rest == int(rest) else f"{int(minutes)}:{rest:04.1f}"


def key_patch(name: str, colour: str, is_solid: bool) -> Patch:
    """An entry of the legend. The arguments are those of an entry of KEY."""
    return Patch(label=name, **_look(is_solid, colour, colour))
