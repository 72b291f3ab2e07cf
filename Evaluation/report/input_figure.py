"""The figure of one network input: features, labels and, if stitched, both copies.

See Sec. 3.2 of the paper.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.patches import Rectangle

from Evaluation.report.curve_figures import drawable
from Utils.figures import BLUE, CYCLE, GREEN, GREY, INK, PAGE_WIDTH, RED, figure_files

MAX_CHANNELS = 64       # rows of features drawn
CONTRAST = 2.5          # standard deviations from the mean of a channel to the darkest colour
TARGETS = (("action", GREEN), ("start", BLUE), ("end", RED))


def write_input_figure(stem: str | Path, features: np.ndarray, num_frames: int, gap: int | None,
                       segments: np.ndarray, names: Sequence[str],
                       targets: dict | None = None) -> list[Path]:
    """Draw one input to stem.pdf and stem.png. -> their paths.

    features: (C, T). num_frames: frames before the padding or gap. gap: frames between
    the copies of a stitched input; None for an input with one copy. segments: (G, 2)
    input frames. names: G class names. targets: {"action" | "start" | "end": (T,)},
    labels of single frames, or None.
    """
    stem, length = Path(stem), features.shape[1]
    classes = list(dict.fromkeys(names))
    colours = dict(zip(classes, (CYCLE[i % len(CYCLE)] for i in range(len(classes))), strict=True))
    parts = ["copies", "features", "labels", *(["targets"] if targets else [])]
    ratios = {"copies": 1, "features": 4, "labels": 1.1, "targets": 1.6}
    with figure_files(stem, PAGE_WIDTH, 0.43 * sum(ratios[part] for part in parts) + 0.5) as figure:
        axes = dict(zip(parts, figure.subplots(
            len(parts), 1, sharex=True, height_ratios=[ratios[part] for part in parts]),
            strict=True))
        _draw_copies(axes["copies"], num_frames, gap, length)
        _draw_features(axes["features"], features, num_frames, gap)
        _draw_labels(axes["labels"], segments, names, colours,
                     numbers_of(segments, 0 if gap is None else num_frames + gap))
        if targets:
            _draw_targets(axes["targets"], targets, length)
        axes["copies"].set_xlim(0, length)
        axes[parts[-1]].set_xlabel("position in the input")
    return [stem.with_suffix(".pdf"), stem.with_suffix(".png")]


def spans_of(num_frames: int, gap: int | None, length: int) -> list[tuple]:
    """[(name, first, end)] for the parts of an input, in frames."""
    if gap is None:
        return [(f"{num_frames} frames", 0, num_frames), ("padding", num_frames, length)]
    second = num_frames + gap
    factor = (length - second) / num_frames
    return [(f"clip, {num_frames} frames", 0, num_frames), ("gap", num_frames, second),
            (f"the same, magnified {factor:.1f} times", second, length)]


def numbers_of(segments: np.ndarray, second: int) -> np.ndarray:
    """The number of the action in each box, from 1 by time; the same in both copies.

    segments: (G, 2) input frames. second: first frame of the magnified copy, 0 without
    one.
    """
    numbers = np.zeros(len(segments), np.int64)
    in_second = segments[:, 0] >= second
    for copy in (in_second, ~in_second):
        places = np.flatnonzero(copy)
        numbers[places[np.lexsort(segments[places].T[::-1])]] = np.arange(len(places)) + 1
    return numbers


def _draw_copies(axes, num_frames, gap, length):
    for name, first, end in spans_of(num_frames, gap, length):
        if end <= first:
            continue
        is_empty = name in ("gap", "padding")
        axes.add_patch(Rectangle((first, 0), end - first, 1, facecolor="#EFEFEF" if is_empty
                                 else "#CFE3F1", edgecolor="white", linewidth=1.5))
        axes.text((first + end) / 2, 0.5, name, ha="center", va="center", fontsize=8,
                  rotation=90 if end - first < length / 20 else 0,
                  color=GREY if is_empty else INK)
    axes.set_ylim(0, 1)
    _bare(axes)


def _draw_features(axes, features, num_frames, gap):
    """Draw every channel minus its mean, in units of its spread; padding stays white."""
    features = np.asarray(features, np.float64)
    chosen = np.unique(np.linspace(0, len(features) - 1, min(len(features), MAX_CHANNELS)).round())
    rows = features[chosen.astype(int)]
    length = rows.shape[1]
    own = np.zeros(length, bool)
    for name, first, end in spans_of(num_frames, gap, length):
        own[first:end] = name not in ("gap", "padding")
    centred = rows - rows[:, own].mean(axis=1, keepdims=True)
    shown = centred / np.maximum(rows[:, own].std(axis=1, keepdims=True), 1e-12)
    axes.imshow(np.ma.masked_array(shown, np.broadcast_to(~own, shown.shape)), aspect="auto",
                cmap="RdBu_r", vmin=-CONTRAST, vmax=CONTRAST, interpolation="nearest",
                extent=(0, length, len(rows), 0))
    axes.set_ylabel(f"{len(rows)} features" if len(rows) == len(features) else
                    f"{len(rows)} of\n{len(features)} features")
    _bare(axes)


def _draw_labels(axes, segments, names, colours, numbers):
    for (start, end), name, number in zip(segments, names, numbers, strict=True):
        axes.add_patch(Rectangle((start, 0), end - start, 0.62, facecolor=colours[name],
                                 edgecolor="white", linewidth=0.8))
        axes.text((start + end) / 2, 0.66, number, ha="center", va="bottom", fontsize=7)
    axes.set_ylim(0, 1)
    axes.set_ylabel("actions", rotation=0, ha="right", va="center")
    _bare(axes)
    handles = [Rectangle((0, 0), 1, 1, facecolor=colour) for colour in colours.values()]
    if handles:
        axes.figure.legend(handles, [drawable(name) for name in colours],
                           loc="outside upper center",
                           ncols=min(6, len(handles)), handlelength=1)


def _draw_targets(axes, targets, length):
    for name, colour in TARGETS:
        if name in targets:
            values = np.asarray(targets[name], float)
            # Any class in the action target means an action.
            height = (values > 0.5).astype(float) if name == "action" else values
            axes.fill_between(np.arange(length) + 0.5, height, step="mid", color=colour,
                              alpha=0.25 if name == "action" else 0.8, linewidth=0, label=name)
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0, 1])
    axes.set_ylabel("targets", rotation=0, ha="right", va="center")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1.1), handlelength=1)


def _bare(axes):
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0)
    axes.spines[:].set_visible(False)
