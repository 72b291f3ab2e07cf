"""The numbers in metrics.json, and their table."""

import numpy as np

from Evaluation.average_recall import REPORTED, THRESHOLDS, AverageRecall
from Evaluation.metrics import (
    ActionTable,
    average_precision,
    instances,
    is_short,
    mean_over_classes,
    short_average_precision,
)
from Evaluation.thumos14_protocol import thumos14_average_precision
from Utils.config.options import Config
from Utils.segments import Floats

PROTOCOLS = {"activitynet": average_precision, "thumos14": thumos14_average_precision}


def as_computed(thresholds: Floats) -> np.ndarray:
    """The thresholds as the exact floats that reference evaluations use: (T,).

    ActivityNet's 0.5:0.05:0.95 is computed with steps of 0.45 / 9: its 0.9 is a float
    below 0.9, which matters for segments in tenths of seconds.
    """
    thresholds = np.asarray(thresholds, np.float64)
    same = thresholds.shape == THRESHOLDS.shape and np.allclose(thresholds, THRESHOLDS)
    return THRESHOLDS if same else thresholds


def precision_scores(truth: ActionTable, detections: ActionTable, thresholds: Floats,
                     protocol: str = "activitynet", **options: object) -> dict:
    """Mean average precision and that of each class, as fractions.

    detections: aligned to the truth. options: of the protocol; thumos14 has `ambiguous`.
    """
    precision = PROTOCOLS[protocol](truth, detections, as_computed(thresholds), **options)
    return {"protocol": protocol, "tiou_thresholds": [float(value) for value in thresholds],
            **_means(truth, precision, thresholds)}


def short_scores(truth: ActionTable, detections: ActionTable, thresholds: Floats,
                 max_seconds: float) -> dict:
    """ActivityNet's scores on the actions of at most max_seconds alone (see `is_short`)."""
    precision = short_average_precision(truth, detections, as_computed(thresholds),
                                        max_seconds)
    return {"max_seconds": max_seconds,
            "num_ground_truth": int(is_short(truth.segments, max_seconds).sum()),
            **_means(truth, precision, thresholds)}


def recall_scores(recall: AverageRecall) -> dict:
    """AR@AN and AUC of an AverageRecall, as fractions."""
    return {"AR@AN": {str(number): recall.at(number)
                      for number in REPORTED}, "AUC": recall.area}


def counts(truth: ActionTable, detections: ActionTable) -> dict[str, int]:
    """The numbers of videos, actions and detections that were scored."""
    return {"num_videos": len(truth.videos), "num_ground_truth": len(truth),
            "num_classes": int((instances(truth) > 0).sum()), "num_detections": len(detections)}


def _means(truth, precision, thresholds):
    """mAP, its averages, and the average precision of each class with actions.

    precision: (T, K).
    """
    mean = mean_over_classes(precision)
    return {"mAP": mean.tolist(), "average_mAP": averages(mean, thresholds),
            "ap_per_class": {truth.classes[k]: precision[:, k].tolist()
                             for k in np.flatnonzero(~np.isnan(precision).any(axis=0))}}


def averages(mean: np.ndarray, thresholds: Floats) -> dict[str, float]:
    """Means over the thresholds, named by their range: {"0.1:0.7": x}.

    For the usual thresholds also "0.3:0.7", as in papers on THUMOS14.
    """
    first = (0, 2) if tuple(thresholds) == Config.tiou else (0,)
    return {f"{thresholds[start]:g}:{thresholds[-1]:g}": float(np.mean(mean[start:]))
            for start in first}


def format_table(scores: dict) -> str:
    """The scores as a few lines of text, in percent."""
    lines = []
    if "mAP" in scores:
        lines.append(_line("tIoU", [f"{value:.3g}"
                                    for value in scores["tiou_thresholds"]]))
        lines.append(_precision_line("mAP %", scores))
    if "short_actions" in scores:
        short = scores["short_actions"]
        lines.append(_precision_line(f"<= {short['max_seconds']:g} s", short))
    if "AR@AN" in scores:
        lines.append(_line("proposals", [*scores["AR@AN"], "AUC"]))
        lines.append(_line("recall %", [f"{100 * value:.2f}"
                                        for value in (*scores["AR@AN"].values(), scores["AUC"])]))
    return "\n".join(lines)


def _precision_line(name, scores):
    means = "   ".join(f"average {span}  {100 * value:.2f}"
                       for span, value in scores["average_mAP"].items())
    return _line(name, [f"{100 * value:.2f}" for value in scores["mAP"]]) + "   " + means


def _line(name, cells):
    return f"{name:<10}" + "".join(f"{cell:>7}" for cell in cells)
