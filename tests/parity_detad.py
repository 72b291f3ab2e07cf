"""Parity of DETAD with golden/evaluation: THUMOS14's real test annotations, and odd small cases."""

import functools
import gzip
import json
import math

import numpy as np

from DETAD import diagnose
from DETAD.characteristics import bucket_table, read_characteristics
from DETAD.error_profile import TYPES
from Evaluation.metrics import ActionTable
from tests.parity import Row, stage

TOLERANCE, EXACT = 1e-9, 0.0
TYPE_NAMES = ("True Positive", "Double Detection Err", "Wrong Label Err", "Localization Err",
              "Confusion Err", "Background Err")
THUMOS = ("sensitivity_official", "sensitivity_vsgn", "sensitivity_10tiou",
          "false_positive_official", "false_positive_10tiou", "false_positive_limit3_mintiou0.2",
          "false_negative_official", "false_negative_10tiou")
# The reference's own ten: its 0.9 is a float below 0.9.
TEN_THRESHOLDS = np.linspace(0.5, 0.95, 10)
# Entries (case, beginning of the name) that ours differ from, on purpose:
DIFFERENT = (
    # The reference's tIoU is 0/0 there, which it takes for a match; ours is 0.
    ("reversed_prediction", "sensitivity"), ("reversed_prediction", "false_positive"),
    ("reversed_prediction", "false_negative_minprec"),
    # Equal scores: ours go by the order of the file, the reference by its sort, bucket by bucket.
    ("ties_small_all_equal", "sensitivity"), ("ties_small_all_equal", "false_positive"),
    ("ties_small_all_equal", "false_negative_minprec"),
    ("ties_large_5_levels", "sensitivity"), ("ties_large_5_levels", "false_positive"),
    ("ties_large_5_levels", "false_negative_minprec"),
    # It labels the false positives of an unknown video by another one; the golden's own correction
    # is compared instead.
    ("unknown_video_stale_bug", "false_positive"),
    # Several annotators' segments of one instance at once: not part of our analysis.
    ("anet_like", "sensitivity_multi_segments_3"),
)


@stage("detad")
def detad(shared):
    for seed in (0, 1):
        golden = json.loads((shared / f"golden/evaluation/results_seed{seed}.json").read_text())
        for name in THUMOS:
            found = diagnose_thumos(shared, seed, name, golden[name]["tiou"])
            yield from compare(f"thumos_synth_seed{seed} {name}", name, found, golden[name])
    for key, case in edge_cases(shared).items():
        for name, expected in case.items():
            if comparable(key, name, expected):
                found = diagnose_edge(case, name, expected["tiou"])
                yield from compare(f"{key} {name}", name, found, expected)
    for key in ("class_without_prediction", "unknown_video_sorts_first", "unknown_video_stale_bug"):
        yield from compare_corrected(key, edge_cases(shared)[key])


def comparable(key, name, expected):
    """Whether an entry of a case holds numbers of the reference that ours should equal."""
    return (name.startswith(tuple(COMPARE)) and "reference_raises" not in expected
            and not any(key == case and name.startswith(start) for case, start in DIFFERENT))


# ---- inputs -------------------------------------------------------------------------------------

@functools.cache
def thumos_truth(shared):
    path = shared / "annotations/thumos14/thumos14_test_extra_characteristics.json"
    return read_characteristics(json.loads(path.read_text()), "testing")


@functools.cache
def thumos_detections(shared, seed):
    file = shared / f"golden/evaluation/thumos_synth_seed{seed}.json.gz"
    content = json.loads(gzip.decompress(file.read_bytes()))
    rows = np.array(content["dets"])
    return ActionTable(tuple(content["videos"]), tuple(content["labels"]),
                       rows[:, 0].astype(int), rows[:, 1].astype(int), rows[:, 2:4],
                       rows[:, 4] / 1e6)


@functools.cache
def edge_cases(shared):
    file = shared / "golden/evaluation/edge_cases.json.gz"
    return json.loads(gzip.decompress(file.read_bytes()))


def detection_table(results):
    """ActionTable of a prediction file's `results`."""
    rows = [(video, row) for video, rows in results.items() for row in rows]
    videos, classes = tuple(results), tuple(dict.fromkeys(row["label"] for _, row in rows))
    return ActionTable(
        videos, classes,
        np.array([videos.index(video) for video, _ in rows], int),
        np.array([classes.index(row["label"]) for _, row in rows], int),
        np.array([row["segment"] for _, row in rows], float).reshape(-1, 2),
        np.array([row["score"] for _, row in rows], float))


def diagnose_thumos(shared, seed, name, tiou):
    """Our numbers for an entry of results_seed*.json."""
    buckets = bucket_table("thumos", "vsgn" if "vsgn" in name else "official")
    options = {"limit": 3, "min_tiou": 0.2} if "limit3" in name else {}
    thresholds = TEN_THRESHOLDS if len(tiou) == len(TEN_THRESHOLDS) else tiou
    return diagnose(*thumos_truth(shared), thumos_detections(shared, seed), thresholds, buckets,
                    **options)


def diagnose_edge(case, name, tiou):
    """Our numbers for a small case; its entry's name may hold an option."""
    options = {}
    if "limit" in name:
        options["limit"] = int(name.rsplit("limit", 1)[1])
    if "minprec" in name:
        options["floor"] = float(name.rsplit("minprec", 1)[1])
    table = "activitynet" if case["what"].startswith("synthetic ActivityNet") else "thumos"
    return diagnose(*read_characteristics(case["ground_truth"], "testing"),
                    detection_table(case["predictions"]["results"]), tiou, bucket_table(table),
                    **options)


# ---- comparisons --------------------------------------------------------------------------------

def difference(found, golden):
    """Largest difference of numbers in equal nests of dicts and lists; infinite if they differ."""
    if isinstance(golden, dict):
        if set(found) != set(golden):
            return math.inf
        return max((difference(found[key], golden[key]) for key in golden), default=0.0)
    if isinstance(golden, list):
        if len(found) != len(golden):
            return math.inf
        return max((difference(a, b) for a, b in zip(found, golden, strict=True)), default=0.0)
    error = abs(found - golden)
    return math.inf if math.isnan(error) else error


def compare(what, name, found, golden):
    """Rows of one entry: its fractions, and its counts."""
    values, counts = next(part for start, part in COMPARE.items() if name.startswith(start))(
        found, golden)
    yield Row(what, max(difference(*pair) for pair in values), TOLERANCE)
    yield Row(f"{what}: counts", max(difference(*pair) for pair in counts), EXACT)


def compare_sensitivity(found, golden):
    values = [(column(found, ours), golden[theirs]) for ours, theirs in
              (("AP_N", "ap_N_per_class"), ("final_recall", "final_recall_per_class"),
               ("final_precision_N", "final_precision_N_per_class"))]
    values += [(found["average_mAP_N"], golden["average_mAP_N"]),
               (found["sensitivity"], golden["bucket_average_mAP_N"]),
               (found["sensitivity_per_class"], golden["bucket_ap_N_per_class"]),
               (found["relative_change"], golden["relative_change"])]
    instances = {name: {label: bucket["num_instances"] for label, bucket in buckets.items()}
                 for name, buckets in found["buckets"].items()}
    return values, [(found["num_instances"], golden["n_gt"]),
                    (found["num_detections"], golden["n_pred"]),
                    (instances, golden["gt_bucket_counts"])]


def compare_false_positives(found, golden):
    part = found["false_positives"]
    filled = [group for group in golden["topkG"] if group["n"]]     # the reference's 0/0 is NaN
    values = [(part["average_mAP_N"], golden["average_mAP_N"]),
              (part["counts"], renamed(golden["error_counts"]["avg"])),
              (part["fraction"], renamed(golden["error_fraction"]["avg"])),
              (part["impact"], renamed(golden["average_mAP_N_gain"])),
              ([group["counts"] for group in part["top_kG"]],
               [renamed(group["counts"]["avg"]) for group in golden["topkG"]]),
              ([group["fraction"] for group in part["top_kG"][:len(filled)]],
               [renamed(group["fraction"]["avg"]) for group in filled])]
    return values, [(part["num_detections"], golden["n_pred"]),
                    (part["per_threshold"],
                     [renamed(golden["error_counts"][str(tiou)]) for tiou in golden["tiou"]])]


def compare_false_negatives(found, golden):
    values = [(found[ours], {name: {label: {"share": entry["all"], "miss_rate": entry["unmatched"]}
                                    for label, entry in columns["avg"].items()}
                             for name, columns in golden[theirs].items()})
              for ours, theirs in (("false_negatives", "false_negative"),
                                   ("false_negative_pairs", "false_negative_pairwise"))]
    return values, [(found["num_missed"], golden["unmatched_gt_count"])]


COMPARE = {"sensitivity": compare_sensitivity, "false_positive": compare_false_positives,
           "false_negative": compare_false_negatives}


def compare_corrected(key, case):
    """Rows of a case where the reference fails or errs, against the golden's sensible values."""
    found = diagnose_edge(case, "", [0.3, 0.5, 0.7])
    part = found["false_positives"]
    counts = case.get("suggested_error_counts_limit10") or case["correct_error_counts"]
    gains = case.get("suggested_gain_limit10") or case["correct_average_mAP_N_gain"]
    errors = [difference(part["impact"], renamed(gains))]
    expected = case.get("suggested_sensitivity_when_reference_raises")
    if expected:
        errors += [difference(found["average_mAP_N"], expected["average_mAP_N"]),
                   difference(found["sensitivity"], expected["bucket_average_mAP_N"])]
    yield Row(f"{key} corrected", max(errors), TOLERANCE)
    yield Row(f"{key} corrected: counts",
              difference(part["per_threshold"], [renamed(row) for row in counts.values()]), EXACT)


def column(found, name):
    """One entry of every class."""
    return {label: entry[name] for label, entry in found["classes"].items()}


def renamed(values):
    """The golden's types under our names."""
    ours = dict(zip(TYPE_NAMES, TYPES, strict=True))
    return {ours[name]: value for name, value in values.items()}
