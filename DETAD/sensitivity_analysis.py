"""Sensitivity: normalized mAP on the actions of one bucket at a time (DETAD, Sec. 4.2)."""

import numpy as np

from DETAD.normalized_precision import Ranking, areas


def sensitivity(ranking: Ranking, label: np.ndarray, bucket_of: dict) -> dict:
    """AP_N of every class on every bucket that holds an action.

    label: (n,) class of each action. bucket_of: characteristic -> (bucket labels, (n,)
    bucket of each action, -1 none). Returns characteristic -> bucket -> (K,) AP_N, mean
    over the thresholds; NaN for a class without an action in the bucket.
    """
    return {name: {text: _bucket_precision(ranking, label, bucket == index)
                   for index, text in enumerate(labels) if (bucket == index).any()}
            for name, (labels, bucket) in bucket_of.items()}


def bucket_means(per_class: dict) -> dict:
    """`sensitivity` averaged over the classes that have an action in the bucket, as floats."""
    return {name: {text: float(np.nanmean(values)) for text, values in buckets.items()}
            for name, buckets in per_class.items()}


def relative_change(means: dict, base: float) -> dict:
    """Least and greatest bucket relative to the base: characteristic -> {"min", "max"}.

    None where the base is 0, or no action is in a bucket.
    """
    result = {}
    for name, buckets in means.items():
        ratios = [value / base for value in buckets.values()] if base > 0 else []
        result[name] = {"min": min(ratios, default=None), "max": max(ratios, default=None)}
    return result


def _bucket_precision(ranking, label, inside):
    """AP_N (K,) on the actions `inside` (n,) bool, mean over the thresholds.

    A detection stays if, at every threshold, it is unmatched or matched to an action
    of the bucket.
    """
    counts = np.bincount(label[inside], minlength=len(ranking.num_instances))
    # Appended after the last action: index -1, no match.
    allowed = np.append(inside, True)
    keep = allowed[ranking.matched].all(axis=0)
    area = areas(ranking.only(keep), num_instances=counts)
    return np.where(counts > 0, area.mean(axis=0), np.nan)
