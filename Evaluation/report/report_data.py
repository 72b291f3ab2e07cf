"""What the report shows, as plain lists and numbers that its page reads.

Nothing that comes from a file is the name of a field: names of classes and videos are values.
"""

from pathlib import PurePath

import numpy as np

from Evaluation.metrics import align, instances
from Evaluation.report.video_tables import video_tables

DETAD_PARTS = ("num_instances", "average_mAP_N", "tiou_thresholds", "false_positives", "buckets",
               "sensitivity", "false_negatives", "false_negative_pairs", "num_missed",
               "videos_without_detections", "bucket_notes")
OWN_SECTIONS = ("settings", "versions", "notes")     # of the provenance


def page_data(scores, truth, detections, durations, history=None, detad=None, curves=None,
              recall=None, own=(), links=(), files=()):
    """All that the page reads; arguments as of `write_report`."""
    thresholds = scores.get("tiou_thresholds") or [0.5]
    detections = align(detections, truth)
    provenance = scores.get("provenance") or {}
    epoch, history = provenance.get("epoch"), history or []
    return {
        "title": _title(scores, provenance),
        "scores": {key: scores.get(key) for key in (
            "dataset", "subset", "protocol", "tiou_thresholds", "mAP", "average_mAP", "num_videos",
            "num_ground_truth", "num_detections", "AR@AN", "AUC")},
        "short": _short(scores.get("short_actions")),
        "classes": class_rows(scores, truth, detections),
        "curves": _curve_data(curves, list(detections.classes)),
        "recall": _recall_data(recall),
        "history": history, "epoch": epoch,
        "validated": [_validated(history, epoch, provenance.get("settings") or {})],
        "detad": detad and {key: detad.get(key) for key in DETAD_PARTS},
        "provenance": {"facts": pairs(provenance, OWN_SECTIONS), "own": list(own),
                       **{key: pairs(provenance.get(key) or {}) for key in OWN_SECTIONS[:2]},
                       "notes": list(provenance.get("notes") or [])},
        "files": list(files), "comparison": None,
        **shown_videos(truth, [detections], durations, thresholds, [""], links),
    }


def shown_videos(truth, runs, durations, thresholds, names, links=()):
    """The timelines of one run or of several. runs: tables, aligned together; names: of the runs.

    links: (stem, address) of the videos themselves.
    """
    return {"labels": list(runs[0].classes), "thresholds": [float(value) for value in thresholds],
            "runs": list(names), "links": [list(link) for link in links],
            "isProposals": not any(np.isin(run.label, truth.label).any() for run in runs),
            "videos": video_tables(truth, runs, durations, thresholds)}


def _title(scores, provenance):
    """What the page is about: run, data set, and the facts under it."""
    setting = provenance.get("settings") or {}
    recipe, epoch = setting.get("recipe"), provenance.get("epoch")
    which = {"best": f"best checkpoint by {setting.get('best_by')}",
             "last": "last checkpoint"}.get(setting.get("checkpoint"), "checkpoint")
    facts = [f"{recipe} recipe" if recipe else None,
             f"{which}, epoch {epoch}" if epoch is not None else None,
             PurePath(str(provenance.get("detections") or "")).name or None,
             provenance.get("date")]
    return {"run": provenance.get("run"), "dataset": scores.get("dataset") or "detections",
            "subset": scores.get("subset"), "facts": [str(fact) for fact in facts if fact]}


def _validated(history, epoch, setting):
    """The score with the best F1 on videos held out of the training, after the epoch used; None
    where there are none."""
    if setting.get("val_split") != "heldout":
        return None
    entry = next((entry for entry in history if entry.get("epoch") == epoch), {})
    return (entry.get("val") or {}).get("threshold")


def _short(short):
    return short and {key: short.get(key) for key in (
        "max_seconds", "num_ground_truth", "mAP", "average_mAP")}


def pairs(content, without=()):
    """The entries of a dict as [name, value] pairs."""
    return [[str(name), value] for name, value in content.items() if name not in without]


def class_rows(scores, truth, detections):
    """A row for each class with an action or a detection: label, counts, AP at each tIoU."""
    precision = scores.get("ap_per_class") or {}
    actions = np.append(instances(truth), np.zeros(len(detections.classes) - len(truth.classes),
                                                   np.int64))
    found = instances(detections)
    return [{"label": int(label), "actions": int(actions[label]), "detections": int(found[label]),
             "ap": precision.get(detections.classes[label])}
            for label in np.flatnonzero(actions + found)]


def _curve_data(curves, classes):
    if curves is None:
        return None
    place = {name: label for label, name in enumerate(classes)}
    return {"thresholds": curves.thresholds, "mean": curves.mean.round(4).tolist(),
            "classes": [{"label": place[name], "corners": [
                [part.round(4).tolist() for part in corner] for corner in corners]}
                for name, corners in curves.corners.items()]}


def _recall_data(recall):
    return recall and {"proposals": recall.proposals_per_video.round(2).tolist(),
                       "mean": recall.mean.round(5).tolist()}
