"""DETAD.diagnose: cases worked out by hand, odd input, and the plain formulation as oracle."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.plain_detad import plain_diagnose
from DETAD import diagnose
from DETAD.characteristics import Buckets, bucket_table, compute_characteristics
from DETAD.normalized_precision import areas, curves, rank_detections, with_floor
from Evaluation.metrics import ActionTable
from tests.parity_detad import difference

BUCKETS = {"length": Buckets((0, 5, math.inf), ("short", "long")),
           "num-instances": Buckets((-1, 1, math.inf), ("one", "more"))}


def table(rows, videos=("a", "b"), classes=("jump", "run")):
    """ActionTable of (video, class, start, end[, score]) rows, given by name."""
    segments = np.array([row[2:4] for row in rows], float).reshape(-1, 2)
    scores = np.array([row[4] for row in rows], float) if rows and len(rows[0]) == 5 else None
    return ActionTable(tuple(videos), tuple(classes),
                       np.array([videos.index(row[0]) for row in rows], int),
                       np.array([classes.index(row[1]) for row in rows], int), segments,
                       np.zeros(0) if scores is None and not rows else scores)


def run(truth, detections, thresholds=(0.5,), **options):
    return diagnose(truth, compute_characteristics(truth, {"a": 100.0, "b": 100.0}), detections,
                    thresholds, BUCKETS, **options)


TRUTH = table([("a", "jump", 0, 4), ("a", "jump", 10, 20), ("b", "run", 0, 10)])


def test_perfect_detections_have_no_error():
    found = run(TRUTH, table([("a", "jump", 0, 4, .9), ("a", "jump", 10, 20, .8),
                              ("b", "run", 0, 10, .7)]))
    assert found["average_mAP_N"] == 1
    assert found["sensitivity"] == {"length": {"short": 1, "long": 1},
                                    "num-instances": {"one": 1, "more": 1}}
    assert found["false_positives"]["counts"]["true_positive"] == 3
    assert found["false_negatives"]["length"] == {
        "short": {"share": pytest.approx(1 / 3), "miss_rate": 0},
        "long": {"share": pytest.approx(2 / 3), "miss_rate": 0}}
    assert found["false_negative_pairs"]["length|num-instances"]["long|one"]["miss_rate"] == 0
    assert found["num_missed"] == [0] and found["videos_without_detections"] == []


def test_each_kind_of_error_is_named():
    detections = table([
        ("a", "jump", 10, 20, .99),         # true positive
        ("a", "jump", 10, 19, .90),         # the same action again
        ("a", "run", 10, 20, .80),          # the right place, another class
        ("a", "jump", 16, 24, .70),         # tIoU 4 / 14
        ("a", "run", 16, 24, .60),          # the same of another class
        ("a", "jump", 50, 60, .50),         # nothing there
        ("b", "jump", 0, 0.5, .40),         # tIoU 0.05
    ])
    part = run(TRUTH, detections)["false_positives"]
    assert part["counts"] == {"true_positive": 1, "double_detection": 1, "wrong_label": 1,
                              "localization": 1, "confusion": 1, "background": 2}
    assert part["fraction"]["background"] == pytest.approx(2 / 7)
    # jump: ranks 1 and 2 of two actions, the rest behind; run: one a slice.
    assert [sum(group["counts"].values()) for group in part["top_kG"][:3]] == [3, 3, 1]
    assert part["top_kG"][0]["counts"]["true_positive"] == 1


def test_impact_is_what_removing_a_type_gains():
    detections = table([("a", "jump", 50, 60, .9), ("a", "jump", 0, 4, .8),
                        ("a", "jump", 10, 20, .7), ("b", "run", 0, 10, .9)])
    found = run(TRUTH, detections)
    # normalizer 3 actions / 2 classes; jump behind its first error: 1.5 r / (1.5 r + 1), r 1/2, 1
    best = 1.5 / 2.5
    assert found["classes"]["jump"]["AP_N"] == [pytest.approx(best)]
    assert found["average_mAP_N"] == pytest.approx((best + 1) / 2)
    assert found["false_positives"]["impact"]["background"] == pytest.approx((1 - best) / 2)
    assert found["false_positives"]["impact"]["confusion"] == 0


def test_a_bucket_keeps_unmatched_detections_and_its_own():
    detections = table([("a", "jump", 10, 20, .9), ("a", "jump", 50, 60, .8),
                        ("a", "jump", 0, 4, .7), ("b", "run", 0, 10, .9)])
    found = run(TRUTH, detections)["sensitivity_per_class"]["length"]
    assert found["long"] == {"jump": 1, "run": 1}
    # Alone with one error before it, of one action: 1.5 / (1.5 + 1)
    assert found["short"] == {"jump": pytest.approx(0.6)}


def test_the_limit_keeps_the_best_of_each_class():
    detections = table([("a", "jump", 50 + i, 51 + i, .5) for i in range(9)]
                       + [("b", "run", 50 + i, 51 + i, .5) for i in range(9)])
    part = run(TRUTH, detections, limit=3)["false_positives"]
    assert part["num_detections"] == 3 * 2 + 3 * 1
    assert len(part["top_kG"]) == 3


def test_the_floor_takes_matches_away_once():
    truth = table([("a", "jump", 0, 4), ("a", "jump", 10, 20)])
    rows = [("a", "jump", 50 + i, 51 + i, .9 - i / 1000) for i in range(3)]
    detections = table([("a", "jump", 0, 4, .99), *rows, ("a", "jump", 10, 20, .1)])
    ranking = rank_detections(truth, detections, (0.5,))
    assert curves(ranking).precision[0].tolist() == pytest.approx([1, .5, 1 / 3, .25, .4])
    assert areas(ranking, ranking.num_instances).tolist() == curves(ranking).area.tolist()
    assert with_floor(ranking, 0.39).matched[0].tolist() == [0, -1, -1, -1, 1]
    assert with_floor(ranking, 0.4).matched[0].tolist() == [0, -1, -1, -1, -1]
    assert run(truth, detections, floor=0.4)["num_missed"] == [1]


def test_a_class_without_detections_counts_as_zero():
    found = run(TRUTH, table([("a", "jump", 0, 4, .9), ("a", "jump", 10, 20, .8)]))
    assert found["classes"]["run"] == {"num_instances": 1, "AP_N": [0.0], "final_recall": [0.0],
                                       "final_precision_N": [0.0]}
    assert found["average_mAP_N"] == 0.5
    assert found["videos_without_detections"] == ["b"]


def test_without_detections_everything_is_missed():
    found = run(TRUTH, table([]))
    assert found["average_mAP_N"] == 0 and found["num_missed"] == [3]
    assert found["sensitivity"]["length"] == {"short": 0, "long": 0}
    assert found["relative_change"]["length"] == {"min": None, "max": None}
    assert set(found["false_positives"]["fraction"].values()) == {0}
    assert found["videos_without_detections"] == ["a", "b"]


def test_without_actions_nothing_is_claimed():
    found = run(table([]), table([("a", "jump", 0, 4, .9)]))
    assert found["average_mAP_N"] == 0 and found["num_instances"] == 0
    assert found["sensitivity"] == {} and found["classes"] == {}


def test_unknown_videos_are_background_and_unknown_classes_are_left_out():
    detections = table([("x", "jump", 0, 4, .9), ("a", "swim", 0, 4, .9)], videos=("a", "x"),
                       classes=("swim", "jump"))
    found = run(TRUTH, detections)
    assert found["num_detections"] == 1
    assert found["false_positives"]["counts"]["background"] == 1


def test_dropped_actions_are_counted_and_their_class_leaves_the_mean():
    truth = table([("a", "jump", 0, 4), ("b", "run", 7, 7)])
    found = run(truth, table([("a", "jump", 0, 4, .9), ("b", "run", 7, 7, .9)]))
    assert found["num_instances"] == 1 and found["num_dropped_instances"] == 1
    assert list(found["classes"]) == ["jump"] and found["average_mAP_N"] == 1


def test_unknown_characteristics_have_no_buckets():
    characteristics = {"length": np.array([4, np.nan, 10]), "num-instances": np.full(3, np.nan)}
    found = diagnose(TRUTH, characteristics, table([]), (0.5,), BUCKETS)
    assert list(found["sensitivity"]) == ["length"]
    assert found["false_negatives"]["length"]["long"]["share"] == pytest.approx(1 / 3)
    assert found["buckets"]["length"]["long"] == {
        "interval": [5, None], "limits": ">5", "unit": "", "num_instances": 1}


def test_the_report_is_plain_json():
    found = run(TRUTH, table([("a", "jump", 0, 4, .9)]), np.linspace(0.5, 0.95, 10))
    assert json.loads(json.dumps(found, allow_nan=False)) == found


# ---- random input -------------------------------------------------------------------------------

def random_case(seed, num_actions, num_detections):
    """Actions, and detections near or far from them, with no two overlaps or scores alike."""
    rng = np.random.default_rng(seed)
    videos, classes = ("a", "b", "c"), ("x", "y", "z")
    start = rng.uniform(0, 40, num_actions)
    truth = ActionTable(videos, classes, rng.integers(0, 3, num_actions),
                        rng.integers(0, 3, num_actions),
                        np.stack([start, start + rng.uniform(0.5, 20, num_actions)], 1), None)
    near = rng.integers(0, max(num_actions, 1), num_detections)
    segments = rng.uniform(0, 40, (num_detections, 1)) + np.array([0, 5.0])
    video, label = rng.integers(0, 3, (2, num_detections))
    if num_actions:
        close = rng.random(num_detections) < 0.8
        segments[close] = truth.segments[near[close]] + rng.normal(0, 1.5, (close.sum(), 2))
        video[close], label[close] = truth.video[near[close]], truth.label[near[close]]
        segments.sort(axis=1)
    return truth, ActionTable((*videos[::-1], "unknown"), classes,
                              np.where(rng.random(num_detections) < 0.05, 3, 2 - video), label,
                              segments, rng.permutation(num_detections) / 100)


def plain_rows(action_table, buckets=None, characteristics=None):
    """The same actions or detections as lists of dicts."""
    rows = []
    for i, (video, label) in enumerate(zip(action_table.video, action_table.label, strict=True)):
        row = {"video": action_table.videos[video], "label": action_table.classes[label],
               "segment": action_table.segments[i].tolist()}
        if action_table.scores is not None:
            row["score"] = action_table.scores[i]
        else:
            row["buckets"] = {name: buckets[name].labels[index] if index >= 0 else None
                              for name, index in ((name, buckets[name].assign(values[i:i + 1])[0])
                                                  for name, values in characteristics.items())}
        rows.append(row)
    return rows


@pytest.mark.parametrize(("seed", "num_actions"), [(0, 12), (1, 3), (2, 0)])
def test_areas_alone_are_those_of_the_curves_to_the_last_bit(seed, num_actions):
    truth, detections = random_case(seed, num_actions, 400)
    ranking = rank_detections(truth, detections, (0.1, 0.3, 0.5))
    for part in (ranking, ranking.only(np.arange(len(ranking.rows)) % 3 > 0)):
        found = areas(part, ranking.num_instances)
        assert np.array_equal(found, curves(part).area)
    assert (found.max() > 0) == (num_actions > 0)


@settings(max_examples=150, deadline=None)
@example(2, 2, 0, (0.5,), 1)        # no action has both characteristics of a pair
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 60),
       st.sampled_from([(0.5,), (0.3, 0.5, 0.7)]), st.sampled_from([1, 2, 10]))
def test_the_plain_formulation_agrees(seed, num_actions, num_detections, thresholds, limit):
    truth, detections = random_case(seed, num_actions, num_detections)
    characteristics = compute_characteristics(truth, {"a": 60.0, "b": 600.0})
    characteristics["num-instances"][::4] = math.nan
    buckets = bucket_table("activitynet")
    options = {"limit": limit, "min_tiou": 0.1, "floor": 0.3}
    found = diagnose(truth, characteristics, detections, thresholds, buckets, **options)
    plain = plain_diagnose(plain_rows(truth, buckets, characteristics), plain_rows(detections),
                           thresholds, **options)
    for key in ("average_mAP_N", "sensitivity", "false_negatives", "false_negative_pairs"):
        assert difference(found[key], plain[key]) < 1e-9, key
    for key in ("counts", "impact"):
        assert difference(found["false_positives"][key], plain["false_positives"][key]) < 1e-9, key
    assert difference([group["counts"] for group in found["false_positives"]["top_kG"]],
                      plain["false_positives"]["top_kG"]) < 1e-9


def test_the_order_of_videos_and_classes_changes_nothing():
    truth, detections = random_case(5, 10, 50)
    turned = replace(detections, videos=detections.videos[::-1], classes=detections.classes[::-1],
                     video=len(detections.videos) - 1 - detections.video,
                     label=len(detections.classes) - 1 - detections.label)
    assert run(truth, detections) == run(truth, turned)
