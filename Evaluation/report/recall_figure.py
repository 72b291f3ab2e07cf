"""The figure of average recall against the number of proposals."""

from collections.abc import Sequence
from pathlib import Path

from Evaluation.average_recall import MOST, AverageRecall
from Utils.figures import COLUMN_WIDTH, CYCLE, FORMATS, INK, figure_files, paths_of
from Utils.segments import Floats

SHOWN = (0, 2, 4, 6, 8)     # of the ten thresholds, beside their mean


def write_recall_figure(recall: AverageRecall, thresholds: Floats, folder: str | Path,
                        formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write average_recall.pdf, .png to `folder`.

    recall: AverageRecall; -> their paths.
    """
    stem = Path(folder) / "average_recall"
    with figure_files(stem, COLUMN_WIDTH, 3.0, formats) as figure:
        axes = figure.subplots()
        x = recall.proposals_per_video
        for colour, index in zip(CYCLE, SHOWN, strict=False):
            axes.plot(x, 100 * recall.recall[index], color=colour, linewidth=1,
                      label=f"tIoU {thresholds[index]:.2g}")
        axes.plot(x, 100 * recall.mean, color=INK, linewidth=2,
                  label=f"mean (AUC {100 * recall.area:.1f} %)")
        axes.set_xlabel("proposals per video, on average")
        axes.set_ylabel("recall (%)")
        axes.set_xlim(0, MOST)
        axes.set_ylim(0, 100)
        axes.grid()
        figure.legend(loc="outside upper center", fontsize=7, ncols=3, handlelength=1.2,
                      columnspacing=1.2)
    return paths_of(stem, formats)
