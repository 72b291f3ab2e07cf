"""Draw accuracy on SBHAR against the CPU time of a training, beside the published detectors.

    python benchmarks/sbhar_cost.py --folder RUN       # the folder of benchmarks/sbhar.py
    python benchmarks/sbhar_cost.py --folder RUN --stem docs/sbhar_cost

A point is one length of training: the detections of all people pooled, against the mean CPU
seconds of a fold's training. What the published trainings cost is not known, so their figures
(Bock et al. 2024, arXiv 2311.15831) are lines.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.sbhar import PATH, VARIANTS, by_length, detections_of, figures, truth_of
from Utils.figures import BLUE, GREEN, INK, PAGE_WIDTH, RED, SKY, figure_files

ALL, SHORT = "all actions", "actions under 3 s"
PUBLISHED = {"ActionFormer": ({ALL: 94.3, SHORT: 63.8}, GREEN),
             "TriDet": ({ALL: 94.0, SHORT: 75.7}, RED),
             "TemporalMaxer": ({ALL: 93.9, SHORT: 77.0}, SKY)}


def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, help="where benchmarks/sbhar.py ran")
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--stem", default="docs/sbhar_cost", help="the figure, without .png")
    words = parser.parse_args(argv)
    points = measured(Path(words.folder).resolve(), words.seed)
    print(points.to_string(index=False, float_format="{:.1f}".format))
    with figure_files(words.stem, PAGE_WIDTH, 2.8, formats=("png",)) as figure:
        draw(figure, points)
    return 0


def measured(folder, seed):
    """What each length of training reaches, cheapest first.

    -> table with the columns variant, cpu_seconds (mean of a fold), ALL and SHORT in percent.
    """
    people = sorted(path.stem for path in folder.glob("*.json"))
    truth, rows = truth_of(folder, people), pd.read_csv(PATH)
    found = []
    for variant in (name for name in VARIANTS if name.startswith("strong")):
        paths = [detections_of(folder, variant, seed, person) for person in people]
        if all(path.exists() for path in paths):
            own = rows[(rows.variant == variant) & (rows.seed == seed)]
            found.append({"variant": variant, "cpu_seconds": own.cpu_seconds.mean(),
                          ALL: figures(truth, paths)["mAP_N, score > 0.3"],
                          SHORT: by_length(truth, paths)["XS"]})
    return pd.DataFrame(found).sort_values("cpu_seconds")


def draw(figure, points):
    """Two charts beside each other: all actions, and the short ones."""
    for axes, kind in zip(figure.subplots(1, 2), (ALL, SHORT), strict=True):
        for name, (score, color) in PUBLISHED.items():
            axes.axhline(score[kind], color=color, linewidth=1, linestyle="--",
                         label=f"{name}, published")
        axes.plot(points.cpu_seconds, points[kind], color=BLUE, marker="o",
                  label="strong recipe")
        axes.set(title=kind, xlabel="CPU seconds of a fold's training", xscale="log")
        ticks = points.cpu_seconds.to_numpy()
        axes.set_xticks(ticks, [f"{second:.0f}" for second in ticks])
        axes.set_xticks([], minor=True)
        low, high = axes.get_ylim()
        axes.set_ylim(np.floor(low) - 1, min(100, np.ceil(high) + 1))
        axes.grid(axis="y")
    figure.axes[0].set_ylabel("average mAP$_N$, tIoU 0.3 to 0.7", color=INK)
    figure.axes[1].legend(loc="lower right")


if __name__ == "__main__":
    sys.exit(main())
