"""The features and the scores of the SBHAR benchmark, by hand."""

import json

import numpy as np
import pytest

from benchmarks.sbhar import as_features, by_length, figures, truth_of

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
