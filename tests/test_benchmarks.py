"""The benchmark runner measures what it says."""

import argparse

import pytest

from benchmarks.cases import CASES
from benchmarks.run import LIMITS, TARGETS, markdown, measure

WORDS = argparse.Namespace(size="small", runs=1)


def test_every_row_has_a_target():
    assert set(CASES) == set(TARGETS) | set(LIMITS)


@pytest.mark.parametrize("name", ["forward", "step", "targets", "stitched-ram", "window"])
def test_a_row_has_both_times_and_their_ratio(name):
    row = measure(name, WORDS)
    assert row["ours_cpu"] > 0 and row["plain_wall"] > 0
    assert row["ratio_wall"] == pytest.approx(row["plain_wall"] / row["ours_wall"])
    assert markdown(row).count("|") == 7
