"""Parity of the scores: golden/evaluation, golden/activitynet eval_*, and S-CNN's detections.

Where this project differs from the reference on purpose, and how it is compared nevertheless:
* equal scores: ours go by the order of the file, the reference sorts and turns around, so that the
  last comes first; the small case is compared with its rows turned around, the large one's order
  depends on the machine;
* a tIoU of 0/0 (reversed segments) is 0; the reference's NaN counts as a match;
* an unknown label is a false positive of no class; the reference fails.
"""

import functools
import gzip
import importlib.util
import json

import numpy as np

from Evaluation.average_recall import average_recall
from Evaluation.detection_file import read_detections
from Evaluation.metrics import (
    ActionTable,
    action_table,
    align,
    average_precision,
    mean_over_classes,
)
from Evaluation.scores import as_computed
from Evaluation.thumos14_protocol import read_ambiguous, thumos14_average_precision
from tests.parity import Row, differing, largest, stage
from Utils.config.presets import PRESETS
from Utils.config.resolve import parse_config
from Utils.data.ground_truth import load_ground_truth

TOLERANCE, PRINTED, EXACT = 1e-9, 1e-5, 0.0
TURNED_AROUND = {"ties_small_all_equal"}
NOT_COMPARED = {"ties_large_5_levels", "reversed_prediction", "unknown_label"}


def rows_table(database, annotations):
    """ActionTable of {video: entry}; annotations: the rows of an entry."""
    rows = [(video, row) for video, entry in database.items() for row in annotations(entry)]
    place = {video: index for index, video in enumerate(database)}
    classes = {label: index for index, label in enumerate(
        dict.fromkeys(row["label"] for _, row in rows))}
    scores = [row["score"] for _, row in rows if "score" in row]
    return ActionTable(tuple(database), tuple(classes),
                       np.array([place[video] for video, _ in rows], int),
                       np.array([classes[row["label"]] for _, row in rows], int),
                       np.array([row["segment"] for _, row in rows], float).reshape(-1, 2),
                       np.array(scores) if scores or not rows else None)


@functools.cache
def edge_cases(shared):
    return json.loads(gzip.decompress((shared / "golden/evaluation/edge_cases.json.gz"
                                       ).read_bytes()))


def edge_tables(case):
    """Ground truth and aligned detections of a small case."""
    truth = rows_table(case["ground_truth"]["database"], lambda entry: entry["annotations"])
    found = rows_table(case["predictions"]["results"], lambda rows: rows)
    return truth, align(found, truth)


@functools.cache
def ground_truth(path, *words):
    found = load_ground_truth(parse_config("Eval", ["--video_anno", str(path), *words]))
    return action_table(found.videos, found.classes)


def thumos(shared, name="thumos_gt.json"):
    return ground_truth(shared / "annotations/thumos14" / name, "--dataset", "thumos")


@functools.cache
def synthetic(shared, seed):
    """The detections of golden/evaluation/thumos_synth_seed*.json.gz."""
    path = shared / f"golden/evaluation/thumos_synth_seed{seed}.json.gz"
    content = json.loads(gzip.decompress(path.read_bytes()))
    rows = np.array(content["dets"])
    return ActionTable(tuple(content["videos"]), tuple(content["labels"]), rows[:, 0].astype(int),
                       rows[:, 1].astype(int), rows[:, 2:4], rows[:, 4] / 1e6)


def compare(what, precision, classes, expected, tolerance=TOLERANCE):
    """Rows of one table of average precision (T, K) against its golden."""
    golden = np.array([expected["ap_per_class"][name] for name in classes]).T
    yield Row(f"{what}, classes", largest(precision, golden), tolerance)
    yield Row(f"{what}, mean", largest(mean_over_classes(precision), np.array(expected["mAP"])),
              tolerance)


@stage("scores")
def scores(shared):
    for name, case in edge_cases(shared).items():
        if name not in NOT_COMPARED:
            truth, found = edge_tables(case)
            found = found[::-1] if name in TURNED_AROUND else found
            yield from compare(name, average_precision(truth, found, case["map"]["tiou"]),
                               truth.classes, case["map"])
    truth = thumos(shared)
    for seed in (0, 1):
        golden = json.loads((shared / f"golden/evaluation/results_seed{seed}.json").read_text())
        found = align(synthetic(shared, seed), truth)
        for name in ("map_01_07", "map_05_095"):
            precision = average_precision(truth, found, as_computed(golden[name]["tiou"]))
            yield from compare(f"seed {seed} {name}", precision, truth.classes, golden[name])
            yield Row(f"seed {seed} {name}, counts", differing(
                [len(truth), len(found)], [golden[name]["n_gt"], golden[name]["n_pred"]]), EXACT)


@stage("activitynet scores")
def activitynet(shared):
    folder = shared / "golden/activitynet"
    truth = ground_truth(shared / "annotations/activitynet/anet_anno_action.json", "--dataset",
                         "activitynet")
    golden = json.loads((folder / "eval_map_seed1.json").read_text())
    golden_tiou = PRESETS["activitynet"]["tiou"]
    found = generated(shared, golden, truth)
    precision = average_precision(truth, found, as_computed(golden_tiou))
    columns = [truth.classes.index(name) for name in golden["classes"]]
    yield Row("mAP, classes", largest(precision[:, columns], np.array(golden["ap"])), TOLERANCE)
    yield Row("mAP, mean", largest(mean_over_classes(precision), np.array(golden["mAP"])),
              TOLERANCE)
    golden = json.loads((folder / "eval_ar_seed0.json").read_text())
    recall = average_recall(truth, generated(shared, golden, truth))
    yield Row("AR@AN, all points", largest(recall.recall, np.array(golden["recall"])), TOLERANCE)
    yield Row("AR@AN, proposals", largest(recall.proposals_per_video,
                                          np.array(golden["proposals_per_video"])), TOLERANCE)
    for number in (1, 5, 10, 100):
        yield Row(f"AR@{number}", abs(recall.at(number) - golden[f"AR{number}"]), TOLERANCE)
    yield Row("AUC", abs(recall.area - golden["AUC"] / 100), TOLERANCE)


def generated(shared, golden, truth):
    """The detections of an ActivityNet golden, made by the recipe beside it."""
    path = shared / "golden/activitynet/gen_eval_preds.py"
    module = importlib.util.module_from_spec(spec := importlib.util.spec_from_file_location(
        "gen_eval_preds", path))
    spec.loader.exec_module(module)
    annotations = shared / "annotations/activitynet"
    real = module.build_gt(annotations / "anet_anno_action.json",
                           annotations / "video_info_new.csv")
    made = module.gen_predictions(real, golden["seed"], golden["counts"], golden["noise"],
                                  golden["wrong_label"])
    return align(rows_table(made["results"], lambda rows: rows), truth)


@stage("published scores")
def published(shared):
    folder = shared / "real/scnn_detections"
    golden = json.loads((folder / "scores.json").read_text())
    found, _ = read_detections(folder / "THUMOS14_dets_nms0.4.json.gz")
    truth = thumos(shared)
    precision = average_precision(truth, align(found, truth), golden["tiou_thresholds"])
    yield from compare("S-CNN, ActivityNet's protocol", precision, truth.classes,
                       golden["activitynet_protocol"], PRINTED)
    truth = thumos(shared, "thumos14_test_extra_characteristics.json")
    precision = thumos14_average_precision(truth, align(found, truth), golden["tiou_thresholds"],
                                           read_ambiguous(folder / "Ambiguous_test.txt"))
    row = golden["thumos14_protocol"]
    yield Row("S-CNN, THUMOS14's protocol",
              largest(mean_over_classes(precision), np.array(row["mAP"])), PRINTED)
    yield Row("S-CNN, as published at 0.5", abs(mean_over_classes(precision)[4]
                                                - row["published_mAP_at_0.5"]), 5e-5)
