"""Scores of random tables against the slow, obvious formulation of benchmarks/plain_scores.py."""

import numpy as np
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
from Evaluation.metrics import align, average_precision, instances, short_average_precision
from Evaluation.thumos14_protocol import thumos14_average_precision
from tests.tables import random_tables

THRESHOLDS = (0.1, 1 / 3, 0.5, 1.0)
seeds, few, many = st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 40)


def check(found, plain, truth):
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
    check(average_precision(truth, align(found, truth), THRESHOLDS),
          plain_average_precision(frame(truth), frame(found), THRESHOLDS), truth)
    assert instances(truth).sum() == num_actions


@settings(max_examples=40)
@given(seeds, few, many, st.integers(0, 8))
def test_average_precision_of_short_actions(seed, num_actions, num_detections, seconds):
    truth, found = random_tables(seed, num_actions, num_detections)
    check(short_average_precision(truth, align(found, truth), THRESHOLDS, seconds),
          plain_average_precision(frame(truth), frame(found), THRESHOLDS, seconds), truth)


@settings(max_examples=40)
@given(seeds, few, many)
def test_the_thumos14_protocol(seed, num_actions, num_detections):
    truth, found = random_tables(seed, num_actions, num_detections)
    ambiguous, _ = random_tables(seed + 1, 3, 0)
    rows = [(ambiguous.videos[video], *segment)
            for video, segment in zip(ambiguous.video, ambiguous.segments, strict=True)]
    check(thumos14_average_precision(truth, align(found, truth), THRESHOLDS, ambiguous),
          plain_thumos14(frame(truth), frame(found), THRESHOLDS, rows), truth)


@settings(max_examples=25)
@given(seeds, few, many)
def test_average_recall(seed, num_actions, num_detections):
    truth, found = random_tables(seed, num_actions, num_detections)
    plain = plain_average_recall(frame(truth), truth.videos, frame(found), THRESHOLDS)
    recall = average_recall(truth, align(found, truth), THRESHOLDS).recall
    assert recall.tolist() == [plain[threshold] for threshold in THRESHOLDS]
