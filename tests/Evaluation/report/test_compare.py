"""Evaluation.report.compare and Evaluation.bootstrap: differences of runs, and chance."""

import json
import os
from datetime import datetime

import numpy as np
import pytest

from Evaluation.bootstrap import (
    class_mean,
    drawn_precision,
    draws,
    interval,
    number_of_draws,
    ranked,
)
from Evaluation.metrics import (
    ActionTable,
    align,
    average_precision,
    mean_over_classes,
    short_average_precision,
)
from Evaluation.report.compare import (
    compare,
    compared,
    differing_settings,
    verdict,
)
from Evaluation.report.evaluated_run import difference_of, read_truth, truth_content
from Evaluation.report.video_tables import aligned_together
from tests.report_data import THRESHOLDS, better, left_by_eval, random_run
from tests.tables import actions, detections
from Utils.files import UserError, write_json


def drawn_again(table, videos):
    """The rows of some videos, each as often as it is drawn, as a table of its own."""
    rows = [np.flatnonzero(table.video == video) for video in videos]
    names = tuple(f"{place}" for place in range(len(videos)))
    joined = np.concatenate(rows)
    counts = [len(own) for own in rows]
    return ActionTable(names, table.classes, np.repeat(np.arange(len(videos)), counts),
                       table.label[joined], table.segments[joined],
                       None if table.scores is None else table.scores[joined])


# ---- draws --------------------------------------------------------------------------------------

@pytest.mark.parametrize("seed", range(3))
def test_the_videos_as_they_are_have_the_scores_of_metrics(seed):
    truth, found, _ = random_run(seed=seed)
    once = np.ones((1, len(truth.videos)), int)
    area = drawn_precision(ranked(truth, found, THRESHOLDS), once)
    assert area[0] == pytest.approx(average_precision(truth, found, THRESHOLDS))
    assert class_mean(area)[0] == pytest.approx(
        mean_over_classes(average_precision(truth, found, THRESHOLDS)))
    short = drawn_precision(ranked(truth, found, THRESHOLDS, 6), once)
    assert short[0] == pytest.approx(short_average_precision(truth, found, THRESHOLDS, 6))


@pytest.mark.parametrize("seed", range(3))
def test_a_draw_scores_as_the_videos_drawn_would(seed):
    """With videos drawn once or not at all, no score occurs twice, so there is one right answer."""
    truth, found, _ = random_run(num_videos=9, seed=seed)
    videos = np.random.default_rng(seed).permutation(9)[:5]
    weights = np.zeros((1, 9), int)
    weights[0, videos] = 1
    area = drawn_precision(ranked(truth, found, THRESHOLDS), weights)[0]
    expected = average_precision(drawn_again(truth, videos), drawn_again(found, videos), THRESHOLDS)
    assert area == pytest.approx(expected, nan_ok=True)


def test_a_video_drawn_twice_counts_twice():
    truth = actions(("v", "x", 0, 10), ("w", "x", 0, 10))
    found = align(detections(("w", "x", 50, 60, 0.9), ("v", "x", 0, 10, 0.8)), truth)
    run = ranked(truth, found, (0.5,))
    # v alone: all right; w alone: nothing; v twice, w once: 2 of 3 found behind one wrong one.
    areas = drawn_precision(run, np.array([[1, 0], [0, 1], [2, 1]]))[:, 0, 0]
    assert areas.tolist() == pytest.approx([1, 0, 2 / 3 * 2 / 3])


def test_draws_take_as_many_videos_as_there_are_and_keep_those_the_truth_lacks():
    truth, _, _ = random_run(num_videos=7)
    weights = draws(truth, 9, 50)
    assert weights.shape == (51, 9) and (weights[0] == 1).all() and (weights[:, 7:] == 1).all()
    assert (weights[1:, :7].sum(axis=1) == 7).all() and len(np.unique(weights, axis=0)) > 40
    assert (draws(truth, 9, 50) == weights).all()


def test_large_runs_are_drawn_less_often():
    assert [number_of_draws(number) for number in (0, 50_000, 100_000, 10 ** 9)] == [
        1000, 1000, 500, 200]


def test_a_class_without_actions_in_a_draw_is_left_out_of_the_mean():
    truth = actions(("v", "x", 0, 10), ("w", "y", 0, 10))
    found = align(detections(("v", "x", 0, 10, 0.8)), truth)
    area = drawn_precision(ranked(truth, found, (0.5,)), np.array([[1, 0], [1, 1]]))
    assert np.isnan(area[0, 0, 1]) and class_mean(area)[:, 0].tolist() == [1, 0.5]


def test_an_interval_holds_95_of_100_draws():
    assert interval(np.array([7, *range(1001)], float)) == [7, 25, 975]
    assert interval(np.array([np.nan, 1.0])) is None


# ---- what is said -------------------------------------------------------------------------------

def test_a_better_run_is_called_better_and_the_same_run_no_different():
    truth, found, _ = random_run(num_videos=40)
    content = compared(truth, aligned_together(truth, [found, better(truth, found), found]),
                       ["a", "b", "c"], THRESHOLDS, short_seconds=6, resamples=200)
    first, second, third = content["runs"]
    assert first["difference"] is None
    value, low, high = second["difference"]["average"]
    assert value == pytest.approx(second["average"] - first["average"]) and 0 < low < value < high
    assert third["difference"]["average"] == [0, 0, 0]
    assert "b is better than a, and the difference is real: +" in content["verdicts"][0]
    assert "c and a do not differ by more than chance" in content["verdicts"][1]
    rows = {truth.classes[row["label"]]: row for row in content["classes"]}
    expected = average_precision(truth, found, THRESHOLDS).mean(axis=0)
    assert [rows[name]["ap"][0] for name in truth.classes] == pytest.approx(expected.tolist())
    assert all(len(row["differences"]) == 2 for row in rows.values())


def test_a_verdict_on_few_videos_says_that_they_are_few():
    assert "5 videos are few" in verdict("a", "b", [0.1, 0.05, 0.2], 5)
    assert "few" not in verdict("a", "b", [0.1, 0.05, 0.2], 50)
    assert verdict("a", "b", [-0.1, -0.2, -0.05], 50).startswith("b is worse than a")


def test_only_settings_that_differ_are_listed():
    runs = [{"settings": {"recipe": "paper", "seed": 1, "ema": None}, "epoch": 3},
            {"settings": {"recipe": "strong", "seed": 1, "ema": 0.99}, "epoch": 3}]
    assert differing_settings(runs) == [["recipe", ["paper", "strong"]], ["ema", [None, 0.99]]]


# ---- folders ------------------------------------------------------------------------------------

@pytest.fixture
def folders(tmp_path):
    truth, found, durations = random_run(num_videos=12)
    return [left_by_eval(tmp_path / "output_a", truth, found, durations),
            left_by_eval(tmp_path / "output_b", truth, better(truth, found), durations)]


def test_a_ground_truth_is_read_as_it_was_written(tmp_path):
    truth, _, durations = random_run(num_videos=5)
    write_json(tmp_path / "t.json", truth_content(truth, durations | {"v00": None}, "test"))
    again, seconds = read_truth(tmp_path / "t.json")
    assert difference_of(truth, again) is None and seconds == durations | {"v00": None}


def test_runs_are_compared_by_their_folders(folders, tmp_path):
    content = compare(folders, tmp_path / "page.html")
    assert [run["name"] for run in content["runs"]] == ["a", "b"]
    page = (tmp_path / "page.html").read_text()
    assert "b is better than a" in page and "a and b custom test: detection report" in page


def test_the_title_says_what_made_each_run_and_when(tmp_path):
    truth, found, durations = random_run(num_videos=3)
    run = left_by_eval(tmp_path / "output_a", truth, found, durations, provenance={
        "epoch": 30, "settings": {"recipe": "strong", "checkpoint": "best", "best_by": "map"}})
    plain = left_by_eval(tmp_path / "output_b", truth, found, durations)
    day = datetime(2026, 3, 4, 12).timestamp()
    for folder in (run, plain):
        os.utime(folder / "metrics.json", (day, day))
    compare([run, plain], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert '"a: strong recipe, best checkpoint by map, epoch 30, 2026-03-04"' in page
    assert '"b: 2026-03-04"' in page


def test_a_score_from_validation_videos_is_offered_for_the_runs_that_have_one(tmp_path):
    truth, found, durations = random_run(num_videos=3)
    run = left_by_eval(tmp_path / "output_a", truth, found, durations, provenance={
        "epoch": 2, "settings": {"val_split": "heldout"}})
    write_json(run / "history.json", [{"epoch": epoch, "val": {"threshold": epoch / 4}}
                                      for epoch in (1, 2, 3)])
    other = left_by_eval(tmp_path / "output_b", truth, found, durations)
    compare([run, other], tmp_path / "page.html")
    assert '"validated":[0.5,null]' in (tmp_path / "page.html").read_text()


def test_runs_of_the_same_name_are_named_by_their_folders(folders, tmp_path):
    (tmp_path / "other").mkdir()
    moved = folders[1].rename(tmp_path / "other" / "output_a")
    names = [run["name"] for run in compare([folders[0], moved], tmp_path / "p.html")["runs"]]
    assert names == [str(folders[0]), str(moved)]


def test_runs_may_have_any_name(tmp_path):
    """Even names that a page has for its own parts."""
    truth, found, durations = random_run(num_videos=3)
    folders = [left_by_eval(tmp_path / f"output_{name}", truth, found, durations)
               for name in ("settings", "versions", "notes", "is_true")]
    compare(folders, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    for folder in folders:
        assert f'["{folder.name.removeprefix("output_")}","{folder}"]' in page


def changed(folder, change):
    content = json.loads((folder / "ground_truth.json").read_text())
    change(content["database"])
    (folder / "ground_truth.json").write_text(json.dumps(content))


@pytest.mark.parametrize("change, sentence", [
    (lambda videos: videos.pop("v03"), "1 video is in one of them alone, such as 'v03'"),
    (lambda videos: videos["v03"]["annotations"].pop(), "video 'v03' has 4 and 3 actions"),
    (lambda videos: videos["v03"]["annotations"][0].update(label="Jump or so"),
     "video 'v03' has other actions or classes"),
])
def test_other_ground_truths_are_refused(folders, tmp_path, change, sentence):
    changed(folders[1], change)
    with pytest.raises(UserError, match="ground truths differ") as caught:
        compare(folders, tmp_path / "p.html")
    assert sentence in str(caught.value) and not (tmp_path / "p.html").exists()


def test_what_cannot_be_compared_is_refused(folders, tmp_path):
    first, second = folders
    for chosen, path, sentence in (
            ([first], "p.html", "at least two runs"), ([first, first], "p.html", "at least two"),
            ([first, second], "output_a/report.html", "give another --output_path"),
            ([first, tmp_path / "none"], "p.html", "run Eval.py --output_path")):
        with pytest.raises(UserError, match=sentence):
            compare(chosen, tmp_path / path)
    (second / "found.json").rename(tmp_path / "elsewhere.json")
    with pytest.raises(UserError, match="output_b lacks found.json"):
        compare(folders, tmp_path / "p.html")
    (tmp_path / "elsewhere.json").rename(second / "found.json")
    content = json.loads((second / "found.json").read_text())
    last = content["results"].popitem()
    (second / "found.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="output_b have changed since they were scored"):
        compare(folders, tmp_path / "p.html")
    (second / "found.json").write_text(json.dumps({"results": dict([*content["results"].items(),
                                                                    last])}))
    scores = json.loads((second / "metrics.json").read_text())
    (second / "metrics.json").write_text(json.dumps(scores | {"tiou_thresholds": [0.5]}))
    with pytest.raises(UserError, match="--tiou of the other"):
        compare(folders, tmp_path / "p.html")
    del scores["mAP"]
    (second / "metrics.json").write_text(json.dumps(scores))
    with pytest.raises(UserError, match="proposals without classes"):
        compare(folders, tmp_path / "p.html")
