"""The features and the scores of the SBHAR benchmark, by hand."""

import json

import numpy as np
import pytest

from benchmarks import sbhar_cost
from benchmarks.sbhar import (
    as_features,
    by_length,
    detections_of,
    figures,
    resampled,
    truth_of,
)
from benchmarks.variants import append

ACTIONS = [([0, 2], "sit-to-stand"), ([2, 20], "standing"), ([20, 45], "standing")]


def test_windows_of_50_samples_begin_every_25_and_hold_one_axis_after_the_other():
    samples = np.arange(300, dtype=np.int16).reshape(100, 3)
    features = as_features(samples)
    assert features.shape == (2, 150) and features.dtype == np.float32    # 50 is not < 100 - 50
    assert features[1] * 720 == pytest.approx(samples[25:75].T.ravel(), rel=1e-6)


def detected(folder, *rows):
    path = folder / "found.json"
    path.write_text(json.dumps({"results": {"me": [
        {"segment": segment, "label": label, "score": score} for segment, label, score in rows]}}))
    return [path]


@pytest.fixture
def truth(tmp_path):
    annotations = [{"segment": segment, "label": label} for segment, label in ACTIONS]
    content = {"database": {"me": {"subset": "testing", "annotations": annotations}}}
    (tmp_path / "me.json").write_text(json.dumps(content))
    return truth_of(tmp_path, ["me"])


def test_right_detections_score_100_and_only_the_published_figure_cuts_them(truth, tmp_path):
    paths = detected(tmp_path, *((*action, 0.9) for action in ACTIONS))
    assert set(figures(truth, paths).values()) == {100}
    assert by_length(truth, paths) == {"XS": 100, "L": 100, "XL": 100}
    faint = figures(truth, detected(tmp_path, *((*action, 0.2) for action in ACTIONS)))
    assert faint == {"mAP": 100, "mAP@0.5": 100, "mAP_N": 100, "mAP_N, score > 0.3": 0}


def test_a_missed_action_of_two_halves_its_class(truth, tmp_path):
    found = figures(truth, detected(tmp_path, *((*action, 0.9) for action in ACTIONS[:2])))
    assert found["mAP"] == found["mAP_N"] == 75


def test_people_are_drawn_again_with_all_that_is_theirs(tmp_path):
    # All actions of one person are found, none of the other's.
    annotations = [{"segment": segment, "label": label} for segment, label in ACTIONS]
    people = {name: {"subset": "testing", "annotations": annotations} for name in ("me", "you")}
    (tmp_path / "me.json").write_text(json.dumps({"database": people}))
    (tmp_path / "found").mkdir()
    for name, score in (("me", 0.9), ("you", 0.1)):
        rows = [{**action, "score": score} for action in annotations]
        (tmp_path / "found" / f"{name}.json").write_text(json.dumps({"results": {name: rows}}))
    drawn = resampled(tmp_path, tmp_path / "found", ["me", "you"])
    assert set(drawn.round(6)) == {0, 50, 100}
    assert 0.4 < (drawn.round(6) == 50).mean() < 0.6


def test_a_row_fits_into_an_older_table(tmp_path):
    path = tmp_path / "table.csv"
    append(path, [{"seed": 1, "average": 2.5}])
    append(path, [{"seed": 2, "cpu_seconds": 3, "average": 4.5}])
    assert path.read_text().split() == ["seed,average", "1,2.5", "2,4.5"]


def test_each_finished_length_of_training_is_a_point_of_the_chart(truth, tmp_path, monkeypatch):
    cheap, default = "strong, 168 steps", "strong"
    append(tmp_path / "rows.csv", [{"variant": variant, "seed": 21, "person": "me",
                                    "cpu_seconds": seconds} for variant, seconds in
                                   ((default, 80.0), (cheap, 20.0), ("strong, 84 steps", 9.0))])
    monkeypatch.setattr(sbhar_cost, "PATH", tmp_path / "rows.csv")
    for variant, rows in ((default, ACTIONS), (cheap, ACTIONS[1:])):
        place = detections_of(tmp_path, variant, 21, "me")
        place.parent.mkdir(parents=True)
        detected(tmp_path, *((*action, 0.9) for action in rows))[0].rename(place)
    sbhar_cost.main(["--folder", str(tmp_path), "--stem", str(tmp_path / "chart")])
    points = sbhar_cost.measured(tmp_path, 21)
    assert points.values.tolist() == [[cheap, 20, 50, 0], [default, 80, 100, 100]]
    assert (tmp_path / "chart.png").stat().st_size > 10_000
