"""The three analyses of DETAD as numbers: the content of detad.json."""

import math
from itertools import pairwise

import numpy as np

from DETAD.characteristics import UNITS, usable_actions
from DETAD.error_profile import (
    TYPES,
    best_per_class,
    count_by_rank,
    count_types,
    error_types,
    impacts,
    miss_rates,
    missed_actions,
    nearest_actions,
    pairs,
)
from DETAD.normalized_precision import curves, rank_detections, with_floor
from DETAD.sensitivity_analysis import bucket_means, relative_change, sensitivity
from Evaluation.metrics import ActionTable, align
from Utils.segments import Floats


def diagnose(truth: ActionTable, characteristics: dict[str, np.ndarray], detections: ActionTable,
             thresholds: Floats, buckets: dict, limit: float = 10, min_tiou: float = 0.1,
             floor: float = 0.05) -> dict:
    """Sensitivity, false positives and false negatives of a detection table.

    truth, detections: ActionTable. characteristics: name -> (n,) of the truth's actions.
    thresholds: tIoU. buckets: name -> Buckets. limit: detections per class for the false
    positives, as a multiple of its instances. min_tiou: below it, a false positive is
    background. floor: precision at which a false-negative match no longer counts. Returns
    the content of detad.json; buckets without an action are left out.
    """
    usable = usable_actions(truth, characteristics)
    kept = truth[usable]
    detections = align(detections, kept)
    ranking = rank_detections(kept, detections, thresholds)
    bucket_of = _assign(buckets, characteristics, usable)
    base = curves(ranking)
    average = _class_mean(base.area, ranking)
    return {
        "average_mAP_N": average,
        "tiou_thresholds": [float(value) for value in thresholds],
        **_sensitivity(ranking, kept, bucket_of, average),
        "false_positives": _false_positives(best_per_class(ranking, limit), kept, detections,
                                            thresholds, limit, min_tiou),
        **_false_negatives(with_floor(ranking, floor), len(kept.label), bucket_of),
        "classes": _class_report(base, ranking, kept.classes),
        "buckets": {name: _bucket_report(buckets[name], bucket)
                    for name, (_, bucket) in bucket_of.items()},
        "num_instances": int(usable.sum()),
        "num_dropped_instances": int((~usable).sum()),
        "num_detections": len(ranking.rows),
        "settings": {"limit": limit, "min_tiou": min_tiou, "floor": floor},
        "videos_without_detections": _videos_without(kept, detections),
    }


def _assign(buckets, characteristics, usable):
    """Characteristic -> (bucket labels, bucket of each usable action), unless all are empty."""
    bucket_of = {name: (buckets[name].labels, buckets[name].assign(values[usable]))
                 for name, values in characteristics.items() if name in buckets}
    return {name: entry for name, entry in bucket_of.items() if (entry[1] >= 0).any()}


def _sensitivity(ranking, truth, bucket_of, average):
    """Means per bucket, their range around the average, and the values per class."""
    per_class = sensitivity(ranking, truth.label, bucket_of)
    means = bucket_means(per_class)
    return {
        "sensitivity": means,
        "relative_change": relative_change(means, average),
        "sensitivity_per_class": {
            name: {text: {truth.classes[k]: float(values[k])
                          for k in np.flatnonzero(~np.isnan(values))}
                   for text, values in columns.items()}
            for name, columns in per_class.items()},
    }


def _false_positives(ranking, truth, detections, thresholds, limit, min_tiou):
    """Counts, fractions and cost of each type, and the profile over the ranks."""
    overlap, nearest = nearest_actions(truth, detections)
    overlap, nearest = overlap[ranking.rows], nearest[ranking.rows]
    # -1 (no action in the video) indexes the class -1 appended at the end.
    same_class = np.append(truth.label, -1)[nearest] == ranking.label
    types = error_types(ranking, overlap, same_class, thresholds, min_tiou)
    counts, gained = count_types(types), impacts(ranking, types)
    return {
        **_type_report(counts),
        "impact": {kind: _class_mean(gain, ranking)
                   for kind, gain in zip(TYPES[1:], gained, strict=True)},
        "top_kG": [{"group": group, **_type_report(part)} for group, part in
                   enumerate(count_by_rank(types, ranking, limit), start=1)],
        "per_threshold": [_by_type(row) for row in counts],
        "average_mAP_N": _class_mean(curves(ranking).area, ranking),
        "num_detections": len(ranking.rows),
    }


def _false_negatives(ranking, num_actions, bucket_of):
    """Misses per bucket, per pair of buckets, and in total."""
    missed = missed_actions(ranking, num_actions)
    return {
        "false_negatives": miss_rates(missed, bucket_of),
        "false_negative_pairs": miss_rates(missed, pairs(bucket_of)),
        "num_missed": missed.sum(axis=1).tolist(),
    }


def _class_report(found, ranking, classes):
    """For each class with instances: AP_N, final recall and precision per threshold.

    Also the number of its instances.
    """
    return {classes[k]: {"num_instances": int(ranking.num_instances[k]),
                         "AP_N": found.area[:, k].tolist(),
                         "final_recall": found.final_recall[:, k].tolist(),
                         "final_precision_N": found.final_precision[:, k].tolist()}
            for k in np.flatnonzero(ranking.present)}


def _bucket_report(buckets, bucket):
    """The intervals of a characteristic, also as text, with the number of actions in each.

    null means no upper edge.
    """
    edges = [None if edge == math.inf else edge for edge in buckets.edges]
    rows = zip(buckets.labels, pairwise(edges), buckets.limits, strict=True)
    return {label: {"interval": list(interval), "limits": limits,
                    "unit": UNITS.get(buckets.name, ""),
                    "num_instances": int((bucket == index).sum())}
            for index, (label, interval, limits) in enumerate(rows)}


def _type_report(counts):
    """Counts and fractions per type, averaged over thresholds; 0 of 0 is 0.

    counts: (T, 6).
    """
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return {"counts": _by_type(counts.mean(axis=0)),
            "fraction": _by_type((counts / total).mean(axis=0))}


def _by_type(values):
    return dict(zip(TYPES, values.tolist(), strict=True))


def _class_mean(values, ranking):
    """Mean over thresholds and classes with instances: (T, K) -> float; 0 if there are none."""
    return float(values[:, ranking.present].mean()) if ranking.present.any() else 0.0


def _videos_without(truth, detections):
    """Names of the videos in the ground truth that have no detections."""
    seen = set(detections.video.tolist())
    return [name for index, name in enumerate(truth.videos) if index not in seen]
