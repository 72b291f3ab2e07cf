"""The figure of average recall over the number of proposals."""

from pathlib import Path

from Evaluation.average_recall import MOST
from Utils.figures import COLUMN_WIDTH, CYCLE, INK, figure_files

SHOWN = (0, 2, 4, 6, 8)     # of the ten thresholds, beside their mean


def write_recall_figure(recall, thresholds, folder):
    """Write average_recall.pdf and .png to `folder`. recall: AverageRecall; -> their paths."""
    stem = Path(folder) / "average_recall"
    with figure_files(stem, COLUMN_WIDTH, 2.6) as figure:
        axes = figure.subplots()
        x = recall.proposals_per_video
        for colour, index in zip(CYCLE, SHOWN, strict=False):
            axes.plot(x, 100 * recall.recall[index], color=colour, linewidth=1,
                      label=f"tIoU {thresholds[index]:.2g}")
        axes.plot(x, 100 * recall.mean, color=INK, linewidth=2,
                  label=f"mean (AUC {100 * recall.area:.1f} %)")
        axes.set_xlabel("proposals a video, on average")
        axes.set_ylabel("recall (%)")
        axes.set_xlim(0, MOST)
        axes.set_ylim(0, 100)
        axes.grid()
        axes.legend(loc="lower right", fontsize=7)
    return [stem.with_suffix(".pdf"), stem.with_suffix(".png")]
