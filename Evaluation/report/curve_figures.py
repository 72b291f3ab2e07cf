"""The figure of precision against recall, and the names shown in figures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps

from Evaluation.curves import RECALLS, PrecisionRecall
from Utils.figures import COLUMN_WIDTH, FORMATS, figure_files, paths_of


def write_precision_recall(curves: PrecisionRecall, folder: str | Path,
                           formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write precision_recall.pdf, .png. curves: PrecisionRecall; -> their paths.

    It shows the mean over the classes at each tIoU, with its area, the mAP.
    """
    stem = Path(folder) / "precision_recall"
    # The areas of the steps, not of the 101 points drawn.
    areas = [np.mean([_area(*corners[t]) for corners in curves.corners.values()] or [0.0])
             for t in range(len(curves.thresholds))]
    with figure_files(stem, COLUMN_WIDTH, 3.0, formats) as figure:
        axes = figure.subplots()
        shades = np.linspace(0.05, 0.82, len(curves.thresholds))
        for threshold, mean, area, shade in zip(curves.thresholds, curves.mean, areas, shades,
                                                strict=True):
            axes.plot(100 * RECALLS, 100 * mean, color=colormaps["plasma"](shade),
                      label=f"{threshold:.2g}: {100 * area:.1f}")
        axes.set_xlabel("recall (%)")
        axes.set_ylabel("precision (%)")
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
        axes.grid()
        # Above the axes, since curves may be anywhere inside.
        figure.legend(title="tIoU: mAP (%)", title_fontsize=8, fontsize=7, ncols=3,
                      loc="outside upper center", handlelength=1.2, labelspacing=0.3,
                      columnspacing=1.2)
    return paths_of(stem, formats)


def drawable(name: str, most: int = 28) -> str:
    """A name for a figure: one short line without formulas."""
    line = "".join(letter if letter.isprintable() else " " for letter in name)
    if len(line) > most:
        line = line[:most - 1] + "\u2026"
    return line.replace("$", r"\$")


def _area(recall, precision):
    return float((np.diff(recall, prepend=0) * precision).sum())
