"""The benchmark runner measures what it says."""

import argparse
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import evaluation, gpu
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


def test_the_channels_of_descriptors_are_those_of_what_they_see():
    """A noisy picture that does not move has edges, but no motion and no change of light.

    Its margin is plain, since beside the edges of a textured picture the flow is not
    quite 0.
    """
    pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")
    from benchmarks.descriptors import DESCRIPTORS, channels
    from Models.extractors.motion import Motion
    noise = np.random.default_rng(1).integers(0, 255, (80, 120)).astype(np.uint8)
    gray = np.pad(noise, 20, constant_values=128)
    sampler = Motion().sampler()
    for seconds in (0, 0.1):
        sampler.push(SimpleNamespace(seconds=seconds, width=160, height=120,
                                     pixels=lambda *_: gray))
    item, = sampler.finish(1)
    hof, with_mbh, with_hog, everything = (set(channels(name)) for name in DESCRIPTORS)
    assert hof < with_mbh < with_hog < everything and len(everything) == len(item)
    still = {channel for channel in hof if item[channel] == 1}
    assert len(still) == 2 * 10     # mean and maximum of one cell and of nine
    assert (item[[*(with_hog - with_mbh)]] > 0).all()
    for others in (hof - still, with_mbh - hof, everything - with_hog):
        assert np.allclose(item[[*others]], 0, atol=1e-3)


def test_steps_are_told_apart_by_what_their_neighbours_show():
    pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")
    from benchmarks.steps import recall, result, with_neighbours
    assert with_neighbours(np.arange(3)[:, None]).tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2]]
    assert recall(np.array([[3, 1, 0], [0, 1, 1], [0, 0, 0]])) == 62.5      # (3/4 + 1/2) / 2
    rng = np.random.default_rng(2)
    videos = []
    for _ in range(12):
        signs = rng.choice([-1.0, 1.0], 60)
        labels = np.concatenate([[0], signs[:-1] > 0]).astype(int)      # the sign one step before
        videos.append((np.stack([signs, rng.normal(size=60)], axis=1).astype(np.float32), labels))
    assert result(videos[:8], videos[8:], np.array([0]), 2)["recall"] > 95
    assert result(videos[:8], videos[8:], np.array([1]), 2)["recall"] < 65
    assert result(videos, [], np.array([0]), 2)["recall"] > 95      # by cross-validation
    assert result(videos, [], np.array([1]), 2)["recall"] < 65


def test_a_row_of_eval_is_a_whole_process_on_inputs_that_are_kept(tmp_path, monkeypatch, capsys):
    rows = {"few": (lambda folder: evaluation.write_detections(folder, 3, 5), "a few detections")}
    monkeypatch.setattr(evaluation, "ROWS", rows)
    assert evaluation.main(["--only", "few", "--runs", "2", "--data", str(tmp_path)]) == 0
    (*_, row), found = capsys.readouterr().out.splitlines(), tmp_path / "few" / "results.json"
    seconds, cpu, peak = map(float, row.split("|")[2:5])
    assert seconds > 0 and cpu > 0 and peak > 0 and row.startswith("| a few detections |")
    assert sum(map(len, evaluation.read_json(found)["results"].values())) == 15
    assert [path.name for path in (tmp_path / "few" / "run").iterdir()] == []


def test_eval_that_fails_gives_no_figures(tmp_path):
    evaluation.write_detections(tmp_path / "few", 1, 2)
    (tmp_path / "few" / "annotations.json").unlink()
    with pytest.raises(SystemExit, match="Eval.py failed on "):
        evaluation.measure(evaluation.ROOT, tmp_path / "few")
