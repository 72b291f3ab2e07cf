"""The benchmark runner measures what it says."""

import argparse

import pytest

from benchmarks.cases import CASES
from benchmarks.profile_step import NAMES, REST, build, flops, main, seconds_by_part
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


def test_the_profile_finds_every_part_and_counts_the_backward_pass_for_it(capsys):
    step, forward = build(argparse.Namespace(size="small", batch=2, device="cpu"))
    both, alone = seconds_by_part(step, "cpu"), seconds_by_part(forward, "cpu")
    assert set(both) - {REST} == NAMES and min(both.values()) > 0
    assert both[REST] < 0.2 * sum(both.values())
    assert {"losses", "optimizer"}.isdisjoint(alone)
    # Two products behind each of the forward pass, but none for the Gram product and the input.
    assert 2 < flops(step) / flops(forward) < 3
    assert main(["--size", "small", "--batch", "2"]) == 0
    assert "of the rate" in capsys.readouterr().out
