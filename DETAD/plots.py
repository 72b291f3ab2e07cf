"""The figures of DETAD, drawn from the content of detad.json."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from DETAD.characteristics import NAMES
from DETAD.error_profile import TYPES
from Utils.figures import (
    BLUE,
    FORMATS,
    GREEN,
    GREY,
    INK,
    MAGENTA,
    ORANGE,
    PAGE_WIDTH,
    PINK,
    RED,
    SEQUENTIAL,
    SKY,
    figure_files,
    paths_of,
)

TYPE_COLOURS = dict(zip(TYPES, (GREEN, SKY, BLUE, ORANGE, RED, GREY), strict=True))
NAME_COLOURS = dict(zip(NAMES, (PINK, SKY, RED, BLUE, ORANGE, GREEN), strict=True))
BAR, GROUP_GAP = 0.82, 0.9       # widths, in units of one bar
FEWEST_BARS = 9                  # a row has room for at least so many
GROUPS_A_ROW, HEATMAPS_A_ROW = 2, 3


def figure_jobs(report: dict, folder: str | Path) -> list[tuple]:
    """One job of Utils.figures.draw_all per figure for which `report` has numbers."""
    return [(write_figure, name, report, folder) for name in figures_of(report)]


def write_figure(name: str, report: dict, folder: str | Path,
                 formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write one of the figures of `figures_of`. -> its paths."""
    stem, (height, draw) = Path(folder) / name, figures_of(report)[name]
    with figure_files(stem, PAGE_WIDTH, height, formats) as figure:
        draw(figure, report)
    return paths_of(stem, formats)


def figures_of(report: dict) -> dict:
    """The figures for which `report` has numbers: name -> height in inches, drawing function."""
    figures = {"detad_false_positives": (3.1, draw_false_positives)}
    rows = len(_rows(report["buckets"], GROUPS_A_ROW))
    if rows:
        figures |= {"detad_sensitivity": (0.4 + 2.5 * rows, draw_sensitivity),
                    "detad_false_negatives": (0.4 + 3.4 * rows, draw_false_negatives)}
    rows = len(_rows(report["false_negative_pairs"], HEATMAPS_A_ROW))
    if rows:
        figures["detad_false_negative_pairs"] = (0.3 + 2.5 * rows, draw_pairs)
    return figures


def draw_sensitivity(figure: Figure, report: dict) -> None:
    """Normalized mAP per bucket; beside it, the lowest and highest relative to all actions."""
    rows = _rows(report["buckets"], GROUPS_A_ROW)
    left, right = figure.subfigures(1, 2, width_ratios=(7, 3))
    values = {name: {label: 100 * value for label, value in buckets.items()}
              for name, buckets in report["sensitivity"].items()}
    base = 100 * report["average_mAP_N"]
    panels = left.subplots(len(rows), 1, sharey=True, squeeze=False)[:, 0]
    for axes, names in zip(panels, rows, strict=True):
        _grouped_bars(axes, report["buckets"], names, values)
        _base_line(axes, base)
        axes.set_ylabel("average mAP$_\\mathrm{N}$ (%)")
    _spread_bars(right.subplots(), report["relative_change"], list(report["buckets"]))


def draw_false_positives(figure: Figure, report: dict) -> None:
    """Types of the top kG detections; beside it, the gain from removing each kind of error."""
    part = report["false_positives"]
    stack, impact = figure.subplots(1, 2, width_ratios=(3, 2))
    groups = [group for group in part["top_kG"] if sum(group["counts"].values())]
    bottom = np.zeros(len(groups))
    for kind in TYPES:
        share = np.array([100 * group["fraction"][kind] for group in groups])
        stack.bar(range(len(groups)), share, BAR, bottom, color=TYPE_COLOURS[kind],
                  edgecolor="white", linewidth=0.5, label=_words(kind))
        bottom += share
    stack.set_xticks(range(len(groups)), [f"{group['group']}G" for group in groups])
    stack.set_xlabel("detections by rank (G: instances of the class)")
    stack.set_ylabel("share of detections (%)")
    stack.set_ylim(0, 100)
    figure.legend(*stack.get_legend_handles_labels(), loc="outside upper center", ncols=6,
                  handlelength=1, handletextpad=0.5, columnspacing=1.4)
    _impact_bars(impact, part["impact"])


def draw_false_negatives(figure: Figure, report: dict) -> None:
    """Rate of missed actions per bucket; below it, the share of all actions in the bucket."""
    rows = _rows(report["buckets"], GROUPS_A_ROW)
    missed = 100 * np.mean(report["num_missed"]) / max(report["num_instances"], 1)
    rates, shares = ({name: {label: 100 * entry[key] for label, entry in buckets.items()}
                      for name, buckets in report["false_negatives"].items()}
                     for key in ("miss_rate", "share"))
    panels = figure.subplots(2 * len(rows), 1, height_ratios=(2, 1) * len(rows))
    for rate, share, names in zip(panels[::2], panels[1::2], rows, strict=True):
        _grouped_bars(rate, report["buckets"], names, rates, colour=MAGENTA, named=False)
        _grouped_bars(share, report["buckets"], names, shares, colour=GREY)
        _base_line(rate, missed)
        rate.set_ylabel("missed (%)")
        share.set_ylabel("share of\nactions (%)")
    for kind in (panels[::2], panels[1::2]):
        top = max(1, *(axes.get_ylim()[1] for axes in kind))
        for axes in kind:
            axes.set_ylim(0, top)


def draw_pairs(figure: Figure, report: dict) -> None:
    """Miss rate and number of actions for every pair of buckets, as heat maps."""
    pairs = report["false_negative_pairs"]
    rows = len(_rows(pairs, HEATMAPS_A_ROW))
    grid = figure.subplots(rows, min(len(pairs), HEATMAPS_A_ROW), squeeze=False).ravel()
    for axes in grid[len(pairs):]:
        axes.remove()
    for axes, (name, cells) in zip(grid, pairs.items(), strict=False):
        image = _heat_map(axes, name.split("|"), cells, report)
    bar = figure.colorbar(image, ax=list(grid[:len(pairs)]), shrink=0.9 / rows, pad=0.01)
    bar.set_label("missed (%); small: actions")
    bar.outline.set_visible(False)


def _rows(names, width):
    """The names in lists of `width`."""
    names = list(names)
    return [names[i:i + width] for i in range(0, len(names), width)]


def _grouped_bars(axes, buckets, names, values, colour=None, named=True):
    """Bars of name -> bucket -> value, one group per name; a dash where a bucket is empty."""
    ticks, labels = [], []
    position = 0.0
    for name in names:
        for label in buckets[name]:
            _bar(axes, position + len(ticks), values[name].get(label),
                 colour or NAME_COLOURS.get(name, INK))
            ticks.append(position + len(ticks))
            labels.append(f"{label}\n{buckets[name][label]['limits']}" if named else label)
        middle = ticks[-1] - (len(buckets[name]) - 1) / 2
        axes.annotate(_with_unit(name, buckets[name]) if named else "", (middle, 0), (0, -25),
                      ha="center", va="top", xycoords=("data", "axes fraction"),
                      textcoords="offset points", fontsize=8)
        position += GROUP_GAP
    axes.set_xticks(ticks, labels)
    # Limits such as 180.5-1200 have the width of a bar.
    axes.tick_params(axis="x", length=0, labelsize=6)
    axes.set_xlim(-0.7, max(ticks[-1], FEWEST_BARS) + 0.7)
    axes.margins(y=0.14)
    axes.grid(axis="y")


def _with_unit(name, buckets):
    """The name of a characteristic, with the unit of its limits."""
    unit = next(iter(buckets.values()))["unit"]
    return f"{name} ({unit})" if unit else name


def _bar(axes, position, value, colour):
    """A bar with its value on top, or a dash."""
    if value is not None:
        axes.bar(position, value, BAR, color=colour)
    axes.annotate("-" if value is None else f"{value:.1f}", (position, value or 0), (0, 2),
                  textcoords="offset points", ha="center", va="bottom", fontsize=7,
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})


def _base_line(axes, value):
    """A dashed line at the value of all actions, which is written to the right of it."""
    axes.axhline(value, color=INK, linestyle="--", linewidth=1, zorder=1.5)
    axes.annotate(f"all\n{value:.1f}", (1, value), (3, 0), xycoords=("axes fraction", "data"),
                  textcoords="offset points", ha="left", va="center", fontsize=8)


def _spread_bars(axes, change, names):
    """A bar per characteristic from the least to the greatest bucket, with both values."""
    ends = [1.0]
    for position, name in enumerate(names):
        low, high = change[name]["min"], change[name]["max"]
        if low is None:
            continue
        ends += [low, high]
        axes.barh(position, high - low, 0.5, low, color=NAME_COLOURS.get(name, INK))
        for value, offset, side in ((low, -3, "right"), (high, 3, "left")):
            axes.annotate(f"{value:.2f}", (value, position), (offset, 0), va="center", ha=side,
                          textcoords="offset points", fontsize=7,
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4})
    axes.axvline(1, color=INK, linestyle="--", linewidth=1, zorder=1.5)
    room = 0.35 * (max(ends) - min(ends)) + 0.05
    axes.set_xlim(min(ends) - room, max(ends) + room)
    axes.set_yticks(range(len(names)), [name.replace("-", "-\n") for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("relative to all actions")


def _impact_bars(axes, impact):
    """Gain in points of average mAP_N for each kind of error."""
    for position, (kind, gain) in enumerate(impact.items()):
        axes.barh(position, 100 * gain, BAR, color=TYPE_COLOURS[kind])
        axes.annotate(f"{100 * gain:.1f}", (max(100 * gain, 0), position), (3, 0),
                      textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(impact)), [_words(kind) for kind in impact])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("gain in average mAP$_\\mathrm{N}$ (points)")


def _heat_map(axes, names, cells, report):
    """One pair of characteristics; a cell reads: miss rate, below it the number of actions."""
    labels = [list(report["buckets"][name]) for name in names]
    table = np.full((len(labels[0]), len(labels[1])), np.nan)
    for (row, first), (column, second) in product(*map(enumerate, labels)):
        cell = cells.get(f"{first}|{second}")
        if cell:
            table[row, column] = 100 * cell["miss_rate"]
            ink = "white" if table[row, column] > 60 else INK
            count = round(cell["share"] * report["num_instances"])
            axes.text(column, row, f"{table[row, column]:.0f}", ha="center", va="bottom",
                      fontsize=8, color=ink)
            axes.text(column, row + 0.06, str(count), ha="center", va="top", fontsize=6, color=ink)
    image = axes.imshow(table, cmap=SEQUENTIAL, vmin=0, vmax=100, aspect="auto")
    axes.set_facecolor("#EEEEEE")
    axes.set_yticks(range(len(labels[0])), labels[0])
    axes.set_xticks(range(len(labels[1])), labels[1])
    axes.set_xticks(np.arange(len(labels[1]) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(labels[0]) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.set_ylabel(names[0])
    axes.set_xlabel(names[1])
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    return image


def _words(kind):
    return kind.replace("_", " ")
