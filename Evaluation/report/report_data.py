"""The content of the report, as plain lists and numbers for its page.

No text from a file becomes the name of a field: names of classes and videos are values.
"""

from collections.abc import Sequence

import numpy as np

from Evaluation.average_recall import AverageRecall
from Evaluation.curves import PrecisionRecall
from Evaluation.metrics import ActionTable, align
from Evaluation.report.sections.detad_cards import KINDS, diagnosis_parts
from Evaluation.report.sections.records import settings_parts, training_parts
from Evaluation.report.sections.score_cards import class_parts, curve_parts, score_parts
from Evaluation.report.sections.title import title_of
from Evaluation.report.video_tables import video_tables
from Utils.segments import Floats


def page_data(scores: dict, truth: ActionTable, detections: ActionTable, durations: dict,
              history: list | None = None, detad: dict | None = None,
              curves: PrecisionRecall | None = None, recall: AverageRecall | None = None,
              own: Sequence[str] = (), links: Sequence = (), files: Sequence[str] = ()) -> dict:
    """The data of the page; arguments as in `write_report`."""
    thresholds = scores.get("tiou_thresholds") or [0.5]
    detections = align(detections, truth)
    labels = detections.classes
    provenance, history = scores.get("provenance") or {}, history or []
    epoch = provenance.get("epoch")
    rows = class_rows(scores, truth, detections)
    return {
        "title": title_of(scores, provenance),
        "protocol": scores.get("protocol"), "isScored": bool(scores.get("mAP")), "isJudged": True,
        "validated": [validated_score(history, provenance)],
        "sections": {
            "scores": score_parts(scores, provenance, files),
            "classes": class_parts(rows, labels, thresholds) if scores.get("mAP") else [],
            "curves": curve_parts(curves, recall, scores, labels),
            "diagnosis": diagnosis_parts(detad) if detad else [],
            "training": training_parts(history, epoch),
            "settings": settings_parts(provenance, own)},
        **shown_videos(truth, [detections], durations, thresholds, [""], links),
    }


def shown_videos(truth: ActionTable, runs: Sequence[ActionTable], durations: dict,
                 thresholds: Floats, names: Sequence[str], links: Sequence = ()) -> dict:
    """The timelines of one run or of several. tables: aligned together, one per name.

    links: (stem, address) of the videos themselves.
    """
    used = np.unique(np.concatenate([table.label for table in (truth, *runs)]))
    return {"kinds": KINDS, "labels": list(runs[0].classes),
            "usedLabels": used.tolist(),
            "thresholds": [float(value) for value in thresholds],
            "runs": list(names), "links": [list(link) for link in links],
            "isProposals": not any(np.isin(run.label, truth.label).any() for run in runs),
            "videos": video_tables(truth, runs, durations, thresholds)}


def validated_score(history: list, provenance: dict) -> float | None:
    """The score with the best F1 on held-out videos after the epoch used.

    None if there are no such videos. history: training curves, as in `write_report`.
    """
    if (provenance.get("settings") or {}).get("val_split") != "heldout":
        return None
    epoch = provenance.get("epoch")
    entry = next((entry for entry in history if entry.get("epoch") == epoch), {})
    return (entry.get("val") or {}).get("threshold")


def class_rows(scores: dict, truth: ActionTable, detections: ActionTable) -> list[dict]:
    """A row per class with actions or detections: label, counts, AP per tIoU."""
    precision = scores.get("ap_per_class") or {}
    actions, found = (np.bincount(table.label, minlength=len(detections.classes))
                      for table in (truth, detections))
    return [{"label": int(label), "actions": int(actions[label]), "detections": int(found[label]),
             "ap": precision.get(detections.classes[label])}
            for label in np.flatnonzero(actions + found)]
