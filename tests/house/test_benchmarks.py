"""The benchmark runner measures what it says."""

import argparse

import pytest

from benchmarks import gpu
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


def test_the_gpu_script_runs_a_part_in_a_process_of_its_own():
    words = gpu.parse(["--device", "cpu", "--size", "small"])
    rows = gpu.measured("decoding", 300, 0, words)
    assert [setting for setting, _ in rows] == ["4 windows, on the device", "4 windows, in numpy"]
    assert all(value.endswith(" ms") for _, value in rows)


def test_the_gpu_script_says_what_it_left_out_and_what_failed(tmp_path):
    words = gpu.parse(["--device", "cpu", "--size", "small", "--annotations", str(tmp_path)])
    assert gpu.measured("network", 5, 20, words) == [("", "left out: 5 s were left, it wants 20 s")]
    (_, problem), = gpu.measured("whole recipe", 300, 0, words)
    assert problem.startswith("failed: ") and "thumos_gt.json" in problem
