"""Random tables scored as by the slow, obvious code of benchmarks/plain_scores.py.

And files full of mistakes.
"""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plain_scores import (
    frame,
    plain_average_precision,
    plain_average_recall,
    plain_thumos14,
)
from Evaluation.average_recall import average_recall
from Evaluation.detection_file import mismatches, read_detections
from Evaluation.metrics import align, average_precision, instances, short_average_precision
from Evaluation.scores import precision_scores
from Evaluation.thumos14_protocol import thumos14_average_precision
from tests.tables import random_tables
from Utils.files import UserError

THRESHOLDS = (0.1, 1 / 3, 0.5, 1.0)
seeds, few, many = st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 40)


def assert_same(found, plain, truth):
    """found (T, K) is what the plain formulation has for every class."""
    for column, label in zip(found.T, truth.classes, strict=True):
        if label in plain:
            assert column == pytest.approx(plain[label], abs=1e-12)
        else:
            assert np.isnan(column).all()


@settings(max_examples=60)
@given(seeds, few, many)
def test_average_precision(seed, num_actions, num_detections):
    truth, found = random_tables(seed, num_actions, num_detections)
    assert_same(average_precision(truth, align(found, truth), THRESHOLDS),
                plain_average_precision(frame(truth), frame(found), THRESHOLDS), truth)
    assert instances(truth).sum() == num_actions


@settings(max_examples=40)
@given(seeds, few, many, st.integers(0, 8))
def test_average_precision_of_short_actions(seed, num_actions, num_detections, seconds):
    truth, found = random_tables(seed, num_actions, num_detections)
    assert_same(short_average_precision(truth, align(found, truth), THRESHOLDS, seconds),
                plain_average_precision(frame(truth), frame(found), THRESHOLDS, seconds), truth)


@settings(max_examples=40)
@given(seeds, few, many)
def test_the_thumos14_protocol(seed, num_actions, num_detections):
    truth, found = random_tables(seed, num_actions, num_detections)
    ambiguous, _ = random_tables(seed + 1, 3, 0)
    rows = [(ambiguous.videos[video], *segment)
            for video, segment in zip(ambiguous.video, ambiguous.segments, strict=True)]
    assert_same(thumos14_average_precision(truth, align(found, truth), THRESHOLDS, ambiguous),
                plain_thumos14(frame(truth), frame(found), THRESHOLDS, rows), truth)


@settings(max_examples=25)
@given(seeds, few, many)
def test_average_recall(seed, num_actions, num_detections):
    truth, found = random_tables(seed, num_actions, num_detections)
    plain = plain_average_recall(frame(truth), truth.videos, frame(found), THRESHOLDS)
    recall = average_recall(truth, align(found, truth), THRESHOLDS).recall
    assert recall.tolist() == [plain[threshold] for threshold in THRESHOLDS]


# ---- files --------------------------------------------------------------------------------------

TRUTH, _ = random_tables(3, 12, 0)
seconds = st.integers(-2, 12).map(lambda value: value / 2)
row = st.fixed_dictionaries({"label": st.sampled_from("xyw"), "score": st.integers(0, 4),
                             "segment": st.lists(seconds, min_size=2, max_size=2)})
junk = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["label", "score", "segment", "results"]),
                                      inner, max_size=4), max_leaves=8)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("files") / "detections.json"


@settings(max_examples=60)
@given(results=st.dictionaries(st.sampled_from("vamz"), st.lists(row, max_size=12)))
def test_a_random_file(path, results):
    path.write_text(json.dumps({"results": results}))
    found, _ = read_detections(path)
    rows = pd.DataFrame([(video, r["label"], *r["segment"], r["score"])
                         for video, own in results.items() for r in own],
                        columns=["video", "label", "start", "end", "score"])
    assert_same(average_precision(TRUTH, align(found, TRUTH), THRESHOLDS),
                plain_average_precision(frame(TRUTH), rows, THRESHOLDS), TRUTH)


def is_scored_or_refused(path):
    """Whether a detection file gets scores from 0 to 1, or one sentence about what is wrong."""
    try:
        found = align(read_detections(path)[0], TRUTH)
        mismatches(found, TRUTH)
        scores = precision_scores(TRUTH, found, THRESHOLDS)
    except UserError as problem:
        return bool(str(problem)) and "\n" not in str(problem)
    return (np.isfinite(found.segments).all() and np.isfinite(found.scores).all()
            and all(0 <= value <= 1 for value in scores["mAP"]))


@settings(max_examples=150)
@given(results=st.dictionaries(st.text(max_size=3), st.lists(row | junk, max_size=4) | junk,
                               max_size=4) | junk, layout=st.booleans())
def test_a_file_of_mistakes_is_scored_or_refused_with_a_sentence(path, results, layout):
    path.write_text(json.dumps({"results": results} if layout else results))
    assert is_scored_or_refused(path)


@settings(max_examples=150)
@given(position=st.integers(0, 200), change=st.binary(max_size=3), cut=st.booleans())
def test_a_garbled_file_is_scored_or_refused_with_a_sentence(path, position, change, cut):
    whole = json.dumps({"results": {"v": [{"label": "x", "score": 0.5, "segment": [0, 7]}] * 3}})
    rest = b"" if cut else whole[position + len(change):].encode()
    path.write_bytes(whole[:position].encode() + change + rest)
    assert is_scored_or_refused(path)
