"""What the report shows, as plain lists and numbers that its page reads.

Nothing that comes from a file is the name of a field: names of classes and videos are values.
"""

from dataclasses import replace
from pathlib import PurePath

import numpy as np

from Evaluation.metrics import UNMATCHED, align, instances, match

TICKS = 100             # times are whole hundredths of a second
FARTHEST = 1e8          # seconds; what lies farther is drawn there
SCORE_DIGITS = 5
DETAD_PARTS = ("num_instances", "average_mAP_N", "tiou_thresholds", "false_positives", "buckets",
               "sensitivity", "false_negatives", "false_negative_pairs", "num_missed",
               "videos_without_detections")
OWN_SECTIONS = ("settings", "versions", "notes")     # of the provenance


def page_data(scores, truth, detections, durations, history=None, detad=None, curves=None,
              recall=None):
    """All that the page reads; arguments as of `write_report`."""
    thresholds = scores.get("tiou_thresholds") or [0.5]
    detections = align(detections, truth)
    provenance = scores.get("provenance") or {}
    return {
        "title": _title(scores, provenance),
        "scores": {key: scores.get(key) for key in (
            "dataset", "subset", "protocol", "tiou_thresholds", "mAP", "average_mAP", "num_videos",
            "num_ground_truth", "num_detections", "AR@AN", "AUC")},
        "short": _short(scores.get("short_actions")),
        "classes": class_rows(scores, truth, detections),
        "curves": _curve_data(curves, list(detections.classes)),
        "recall": _recall_data(recall),
        "history": history or [],
        "detad": detad and {key: detad.get(key) for key in DETAD_PARTS},
        "provenance": {"facts": pairs(provenance, OWN_SECTIONS),
                       **{key: pairs(provenance.get(key) or {}) for key in OWN_SECTIONS[:2]},
                       "notes": list(provenance.get("notes") or [])},
        "labels": list(detections.classes),
        "thresholds": [float(value) for value in thresholds],
        "videos": video_rows(truth, detections, durations, thresholds),
    }


def _title(scores, provenance):
    source = PurePath(str(provenance.get("detections") or "")).name
    return {"dataset": scores.get("dataset") or "detections", "subset": scores.get("subset"),
            "source": source}


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


# ---- videos -------------------------------------------------------------------------------------

def video_rows(truth, detections, durations, thresholds):
    """A row for each video: its actions, its detections by falling score, and who finds whom.

    detections: aligned to the truth. actions: [start, end, label, ...], found: [start, end, label,
    ...], scores: [...]; taken: for each threshold the place among `found` of the detection that
    each action has, or -1.
    """
    by_score = np.lexsort((-detections.scores, detections.video))
    detections = detections[by_score]
    truth = truth[np.argsort(truth.video, kind="stable")]
    count = len(detections.videos)
    first, last = (np.searchsorted(detections.video, np.arange(count), side)
                   for side in ("left", "right"))
    taken = _taken(truth, detections, thresholds, first)
    action_edges = np.searchsorted(truth.video, np.arange(count + 1))
    found, actions = _flat(detections), _flat(truth)
    scores = _shortened(detections.scores)
    rows = []
    for video, name in enumerate(detections.videos):
        mine = slice(first[video], last[video])
        own = slice(*action_edges[video:video + 2])
        rows.append({"name": name, "known": video < len(truth.videos),
                     "duration": _duration(durations.get(name), truth[own], detections[mine]),
                     "actions": actions[own].ravel().tolist(),
                     "found": found[mine].ravel().tolist(), "scores": scores[mine].tolist(),
                     "taken": taken[:, own].tolist()})
    return rows


def _taken(truth, detections, thresholds, first):
    """(T, n) place in its video of the detection that takes each action, or -1."""
    if not set(detections.label.tolist()) & set(truth.label.tolist()):
        # Proposals have no class that an action could have.
        truth, detections = (replace(table, label=np.zeros_like(table.label))
                             for table in (truth, detections))
    _, matched = match(truth, detections, thresholds)
    taken = np.full((len(thresholds), len(truth)), UNMATCHED)
    threshold, row = np.nonzero(matched >= 0)
    taken[threshold, matched[threshold, row]] = row - first[detections.video[row]]
    return taken


def _flat(table):
    """[start, end, label] of every row in ticks: (n, 3) int."""
    ticks = np.rint(table.segments.clip(-FARTHEST, FARTHEST) * TICKS).astype(np.int64)
    return np.column_stack([ticks, table.label])


def _duration(duration, actions, detections):
    """Seconds that a timeline spans: the duration, else up to the last end that is known."""
    if duration is not None and 0 < duration < FARTHEST:
        return float(duration)
    ends = np.concatenate([actions.segments.ravel(), detections.segments.ravel(), [0.0]])
    return float(ends.max().clip(1 / TICKS, FARTHEST))


def _shortened(scores):
    """Scores with a few digits, so that the file is small; still by falling score."""
    with np.errstate(divide="ignore"):
        size = np.floor(np.log10(np.abs(scores)))
    power = 10.0 ** (SCORE_DIGITS - 1 - np.where(np.isfinite(size), size, 0).clip(-200, 200))
    return np.rint(scores * power) / power
