"""DETAD.characteristics: buckets, the official file, and what is computed without it."""

import json
import math

import numpy as np
import pytest

from DETAD.characteristics import (
    Buckets,
    bucket_table,
    compute_characteristics,
    notes_on,
    read_characteristics,
    usable_actions,
)
from Evaluation.metrics import ActionTable
from Utils.files import UserError


def table(segments, video=None, videos=("a", "b")):
    count = len(segments)
    return ActionTable(tuple(videos), ("jump",), np.array(video or [0] * count),
                       np.zeros(count, int), np.array(segments, float).reshape(-1, 2), None)


def official(**characteristics):
    annotation = {"label": "jump", "segment": [1.0, 4.0], **characteristics}
    return {"database": {"a": {"subset": "testing", "annotations": [annotation]}}}


def test_a_bucket_holds_its_right_edge_and_the_first_both():
    buckets = Buckets((0, 3, 6), ("S", "L"))
    assert buckets.assign([0, 1e-9, 3, 3.1, 6, 6.1, -1, math.nan]).tolist() == [
        0, 0, 0, 1, 1, -1, -1, -1]


def test_counts_start_below_their_first_edge():
    buckets = bucket_table("activitynet")
    assert buckets["num-instances"].assign([1, 2, 4, 5, 9]).tolist() == [0, 1, 1, 2, 3]
    assert buckets["context-size"].assign([0, 1, 6]).tolist() == [0, 1, 6]
    assert [buckets["context-distance"].labels[i]
            for i in buckets["context-distance"].assign([0, 1, 2, 3])] == ["Inf", "N", "M", "F"]


def test_no_value_at_all_gives_no_bucket():
    assert Buckets((0, 1), ("all",)).assign([]).shape == (0,)


def test_thumos_has_shorter_lengths_and_no_context():
    assert set(bucket_table("thumos")) == {"coverage", "length", "num-instances"}
    assert bucket_table("thumos")["length"].edges == (0, 3, 6, 12, 18, math.inf)
    assert bucket_table("thumos", "vsgn")["length"].edges == (0, 30, 60, 120, 180, math.inf)


def test_quantiles_put_a_fifth_of_the_actions_in_each_bucket():
    lengths = np.arange(1.0, 101.0)
    buckets = bucket_table("quantile", characteristics={"length": lengths})
    assert np.bincount(buckets["length"].assign(lengths)).tolist() == [20] * 5
    assert buckets["coverage"] == bucket_table("activitynet")["coverage"]
    assert buckets["length"].describe() == (
        "XS 0-20.8, S 20.8-40.6, M 40.6-60.4, L 60.4-80.2, XL >80.2 s")


def test_limits_of_numbers_are_whole_and_have_no_minus():
    buckets = bucket_table("activitynet")
    assert buckets["num-instances"].limits == ("1", "2-4", "5-8", ">8")
    assert buckets["num-instances"].describe() == "XS 1, S 2-4, M 5-8, L >8 per video"
    assert bucket_table("thumos")["num-instances"].limits == ("1", "2-40", "41-80", ">80")
    assert buckets["context-size"].describe() == "0, 1, 2, 3, 4, 5, 6"


def test_coverage_follows_the_data_if_all_fall_into_one_official_bucket():
    coverage = np.linspace(0.001, 0.01, 50)
    buckets = bucket_table("thumos", characteristics={"coverage": coverage})
    assert np.bincount(buckets["coverage"].assign(coverage)).tolist() == [10] * 5
    assert len(notes_on("thumos", buckets)) == 1
    spread = bucket_table("thumos", characteristics={"coverage": coverage * 5})
    assert spread["coverage"] == bucket_table("thumos")["coverage"]
    assert notes_on("thumos", spread) == []


def test_equal_lengths_share_one_bucket():
    lengths = np.full(9, 7.0)
    buckets = bucket_table("quantile", characteristics={"length": lengths})
    assert set(buckets["length"].assign(lengths)) == {0}


def test_quantiles_of_nothing_are_activitynets():
    nothing = bucket_table("quantile", characteristics={"length": np.zeros(0)})
    assert nothing == bucket_table("activitynet")


def test_both_spellings_of_num_instances_are_read():
    for name in ("num-instances", "num_instances"):
        _, characteristics = read_characteristics(official(**{name: 5}), "testing")
        assert characteristics["num-instances"].tolist() == [5]


def test_null_is_unknown():
    _, characteristics = read_characteristics(official(agreement=None), "testing")
    assert np.isnan(characteristics["agreement"]).all()
    assert np.isnan(characteristics["context-size"]).all()


def test_the_subset_may_be_named_by_its_beginning():
    truth, _ = read_characteristics(official(), "test")
    assert truth.videos == ("a",) and truth.classes == ("jump",)
    assert truth.segments.tolist() == [[1.0, 4.0]]


def test_a_video_without_actions_is_still_a_video():
    content = {"database": {"a": {"subset": "testing", "annotations": []}}}
    truth, characteristics = read_characteristics(content, "testing")
    assert truth.videos == ("a",) and truth.segments.shape == (0, 2)
    assert all(values.shape == (0,) for values in characteristics.values())


@pytest.mark.parametrize("content, words", [
    ([], "no object \"database\""),
    ({"database": []}, "no object \"database\""),
    ({"database": {}}, "no video of subset testing; it has: none"),
    ({"database": {"a": {"subset": "training", "annotations": []}}}, "it has: training"),
    ({"database": {"a": {"annotations": []}}}, "'subset'"),
    ({"database": {"a": 3}}, "an entry lacks"),
    (official(segment=[1, 2, 3]), "two seconds of a segment"),
    (official(label=["jump"]), "a label"),
    (official(coverage="much"), "or a number"),
])
def test_a_file_of_another_layout_is_refused(content, words):
    with pytest.raises(UserError, match="DETAD file") as found:
        read_characteristics(content, "testing", "the DETAD file")
    assert words in str(found.value)


def test_characteristics_are_computed_if_no_file_has_them():
    truth = table([[0, 5], [10, 20], [0, 8]], video=[0, 0, 1])
    found = compute_characteristics(truth, {"a": 100.0})
    assert found["length"].tolist() == [5, 10, 8]
    assert found["num-instances"].tolist() == [2, 2, 1]
    assert found["coverage"][:2].tolist() == [0.05, 0.1] and math.isnan(found["coverage"][2])


def test_computed_characteristics_are_those_of_the_official_file(shared):
    content = json.loads((shared / "annotations/thumos14/thumos14_test_extra_characteristics.json")
                         .read_text())
    truth, official_ones = read_characteristics(content, "testing")
    durations = {truth.videos[video]: length / coverage for video, length, coverage in zip(
        truth.video, official_ones["length"], official_ones["coverage"], strict=True)}
    found = compute_characteristics(truth, durations)
    assert found["num-instances"].tolist() == official_ones["num-instances"].tolist()
    assert found["length"] == pytest.approx(official_ones["length"], abs=1e-9)
    assert found["coverage"] == pytest.approx(official_ones["coverage"], rel=1e-6)


def test_actions_that_cannot_be_are_dropped():
    truth = table([[0, 12], [5, 5], [6, 5], [1, 2]])
    coverage = np.array([1.2, 0, -0.1, math.nan])
    assert usable_actions(truth, {"coverage": coverage}).tolist() == [False, False, False, True]
    assert usable_actions(truth, {}).tolist() == [True, False, False, True]
