"""Utils.parallel: how many processes share work, and that all of it is done."""

import os
from pathlib import Path

import joblib
import pytest

from Utils.parallel import PARALLEL_FROM, at_once, processes_for


def test_cores_are_counted_even_if_the_system_reports_none(monkeypatch):
    """As on macOS and Windows."""
    monkeypatch.delattr(os, "sched_getaffinity")
    assert processes_for(PARALLEL_FROM, 10 ** 6) == joblib.cpu_count() >= 1


def test_there_are_no_more_processes_than_jobs(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 16)
    assert [processes_for(PARALLEL_FROM, jobs) for jobs in (0, 1, 2, 99)] == [1, 1, 2, 16]
    assert processes_for(PARALLEL_FROM - 1, 99) == 1


def test_a_process_of_a_pool_works_alone(monkeypatch):
    """It may not start any of its own."""
    monkeypatch.setattr(joblib, "cpu_count", lambda: 16)
    in_pool = joblib.Parallel(2, "multiprocessing")(
        joblib.delayed(processes_for)(PARALLEL_FROM, 9) for _ in range(2))
    assert in_pool == [1, 1] and processes_for(PARALLEL_FROM, 9) == 9


@pytest.mark.parametrize("processes", [1, 2])
def test_jobs_are_done_by_one_process_or_two(tmp_path, processes):
    jobs = [(tmp_path / name, name * 3) for name in "ab"]
    at_once(Path.write_text, jobs, processes)
    assert [path.read_text() for path, _ in jobs] == ["aaa", "bbb"]
    with pytest.raises(FileNotFoundError):
        at_once(Path.write_text, [(tmp_path / "none" / "x", "")] * 2, processes)
