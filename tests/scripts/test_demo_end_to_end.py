"""Cut, Train, Infer, Eval by run_vsgn.sh on part of the demo data, as a newcomer runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from Utils.data.demo import CLASSES, write_demo

ROOT = Path(__file__).parents[2]
EPOCHS = 6


def run(folder, *words, code=0):
    """Call run_vsgn.sh from `folder` in this environment; gives stdout and stderr together."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {key: value for key, value in os.environ.items()
                   if key not in ("DATASET", "DATA_PATH")}
    done = subprocess.run(["bash", ROOT / "run_vsgn.sh", *words], cwd=folder, text=True,
                          env={**environment, "PATH": path},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == code, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the demo ran with fewer test videos and epochs, and its output."""
    folder = tmp_path_factory.mktemp("newcomer")
    write_demo(folder / "data" / "demo", num_train=60, num_test=10)
    said = run(folder, "traininfereval", "--recipe", "paper", "--num_epoch", str(EPOCHS),
               "--train_lr", "2e-3")
    (folder / "said.txt").write_text(said)
    return folder


@pytest.fixture(scope="module")
def database(folder):
    return json.loads((folder / "data/demo/annotations.json").read_text())["database"]


def test_every_step_says_what_it_did(folder):
    said = (folder / "said.txt").read_text()
    for words in ("read 70 videos, 6 classes", f"epoch {EPOCHS}/{EPOCHS}:", "proposals of",
                  "peak memory"):
        assert words in said
    assert "warning" not in said.lower()


@pytest.mark.parametrize("file", [
    "windows/demo/train.json", "windows/demo/val.json", "windows/demo/infer.json",
    "checkpoint_demo/checkpoint.pth.tar", "checkpoint_demo/best.pth.tar",
    "output_demo/proposals.h5", "output_demo/detections_postNMS.json", "output_demo/metrics.json",
    "output_demo/detad.json", "output_demo/report.html", "output_demo/ground_truth.json",
])
def test_every_step_leaves_its_file(folder, file):
    assert (folder / file).stat().st_size > 0
    assert not list(folder.rglob("*.part"))


def test_windows_hold_clips_only_where_they_are_trained_on(folder):
    def is_clip(window):
        return window["w_start"] % 64 != 0              # whole windows begin every T/4 frames

    lists = {kind: json.loads((folder / f"windows/demo/{kind}.json").read_text())["windows"]
             for kind in ("train", "val", "infer")}
    assert sum(map(is_clip, lists["train"])) > 100
    assert not any(map(is_clip, lists["infer"]))
    assert {window["v_name"].split("_")[1] for window in lists["train"]} == {"train"}
    assert {window["v_name"].split("_")[1] for window in lists["infer"]} == {"test"}


def test_scores_are_far_above_chance(folder):
    """Correct segments with random classes would score about a sixth."""
    metrics = json.loads((folder / "output_demo/metrics.json").read_text())
    precision = dict(zip(metrics["tiou_thresholds"], metrics["mAP"], strict=True))
    assert list(precision) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert precision[0.5] > 0.6
    assert list(precision.values()) == sorted(precision.values(), reverse=True)
    assert metrics["average_mAP"]["0.3:0.7"] == pytest.approx(np.mean(metrics["mAP"][2:]))


def test_metrics_count_what_was_scored(folder, database):
    metrics = json.loads((folder / "output_demo/metrics.json").read_text())
    results = json.loads((folder / "output_demo/detections_postNMS.json").read_text())["results"]
    tested = [video for video in database.values() if video["subset"] == "test"]
    assert (metrics["dataset"], metrics["subset"], metrics["num_videos"]) == ("demo", "test", 10)
    assert metrics["num_ground_truth"] == sum(len(video["annotations"]) for video in tested)
    assert metrics["num_detections"] == sum(map(len, results.values()))
    assert sorted(metrics["ap_per_class"]) == sorted(CLASSES)
    assert np.mean(list(metrics["ap_per_class"].values()), axis=0) == pytest.approx(metrics["mAP"])


def test_detections_are_segments_of_the_test_videos(folder, database):
    results = json.loads((folder / "output_demo/detections_postNMS.json").read_text())["results"]
    assert set(results) == {name for name, video in database.items() if video["subset"] == "test"}
    for name, detections in results.items():
        scores = [detection["score"] for detection in detections]
        assert 0 < len(detections) <= 200 and scores == sorted(scores, reverse=True)
        for detection in detections:
            start, end = detection["segment"]
            assert 0 <= start < end <= round(database[name]["duration"], 1)
            assert detection["label"] in CLASSES


def test_the_best_detections_are_actions_with_their_class(folder, database):
    """Of each video's two best: most lie on an action of their class (tIoU above one half)."""
    results = json.loads((folder / "output_demo/detections_postNMS.json").read_text())["results"]
    hits = [any(action["label"] == detection["label"] and overlap(action, detection) > 0.5
                for action in database[name]["annotations"])
            for name, detections in results.items() for detection in detections[:2]]
    assert np.mean(hits) > 0.8


def overlap(first, second):
    """Intersection over union of two entries with a segment."""
    (s1, e1), (s2, e2) = first["segment"], second["segment"]
    shared = max(0, min(e1, e2) - max(s1, s2))
    return shared / (e1 - s1 + e2 - s2 - shared)


def test_a_finished_run_is_refused_but_resuming_it_is_not_an_error(folder):
    checkpoint = folder / "checkpoint_demo/checkpoint.pth.tar"
    before = checkpoint.read_bytes()
    assert "--resume" in run(folder, "traininfereval", code=2)
    assert "finished" in run(folder, "train", "--resume")
    assert checkpoint.read_bytes() == before
