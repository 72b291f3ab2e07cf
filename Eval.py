"""Score and diagnose: proposals of Infer.py, or any method's detection file, against annotations."""

import sys
from pathlib import Path

import numpy as np

from DETAD import diagnose
from DETAD.characteristics import bucket_table, compute_characteristics
from DETAD.plots import write_figures
from Evaluation.detections import detection_rows, video_detections, write_detections
from Evaluation.metrics import (
    action_table,
    align,
    average_precision,
    detection_table,
    short_average_precision,
)
from Evaluation.proposal_file import read_proposals
from Evaluation.results import read_results, unknown_notes
from Utils.config import adopt, describe, parse_config
from Utils.datasets import DATASETS
from Utils.files import write_json
from Utils.ground_truth import load_ground_truth
from Utils.run import Stopwatch, script_main


@script_main
def main(argv=None):
    watch = Stopwatch()
    config = parse_config("Eval", argv)
    folder = Path(config.output_path)
    if config.detections:
        detections, notes = read_results(config.detections)
    else:
        proposals, stored = read_proposals(folder / "proposals.h5")
        config = adopt(config, stored, folder / "proposals.h5")
        detections, notes = make_detections(config, proposals, stored["classes"], folder)
    print(f"Eval.py\n{describe(config)}")
    truth = load_ground_truth(config)
    table = action_table(truth.videos, truth.classes)
    detections = align(detections, table)
    scores = score(config, table, detections)
    notes = [*truth.notes, *notes, *unknown_notes(detections, table)]
    write_json(folder / "metrics.json", scores | {"notes": notes})
    print(*notes, sep="\n")
    print(" ".join(f"{t:g}: {100 * m:.2f}" for t, m in zip(scores["tiou_thresholds"], scores["mAP"])),
          scores["average_mAP"])
    print(watch.summary("done"))
    return 0


def make_detections(config, proposals, classes, folder):
    """Detections of every video from its proposals; written to detections_postNMS.json."""
    found = {video: video_detections(proposals[video], proposals.duration(video),
                                     sigma=config.nms_alpha_detect, limit=config.max_detections,
                                     max_seconds=config.max_seconds) for video in proposals}
    spec = DATASETS[config.dataset]
    write_detections(folder / "detections_postNMS.json",
                     {video: detection_rows(rows, classes) for video, rows in found.items()},
                     spec.version)
    return detection_table(found, classes), []


def score(config, truth, detections):
    """The content of metrics.json."""
    precision = average_precision(truth, detections, config.tiou)
    mean = np.nanmean(precision, axis=1)
    averages = {}
    for first in (config.tiou[0], 0.3):
        chosen = [t >= first - 1e-9 for t in config.tiou]
        averages[f"{first:g}:{config.tiou[-1]:g}"] = float(mean[chosen].mean())
    scores = {"tiou_thresholds": list(config.tiou), "mAP": mean.tolist(), "average_mAP": averages}
    if config.short_seconds is not None:
        short = short_average_precision(truth, detections, config.tiou, config.short_seconds)
        scores["short_actions"] = {"max_seconds": config.short_seconds,
                                   "mAP": np.nanmean(short, axis=1).tolist()}
    return scores


if __name__ == "__main__":
    sys.exit(main())
