"""Real videos, from mp4 files to detections: a few of UR Fall Detection, by run_vsgn.sh.

Sizes are the project's own choices; only the training is shortened.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")
pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")

import Infer  # noqa: E402

ROOT = Path(__file__).parents[2]
TRAIN, TEST = ("adl-10-cam0", "fall-01-cam0", "fall-03-cam0"), ("fall-19-cam0", "fall-20-cam0")
LABELS = {"fall", "lying", "lie_down"}
SHORTENED = ["--num_epoch", "1", "--steps_per_epoch", "4"]


@pytest.fixture(scope="module")
def run(shared, tmp_path_factory):
    """The folder of a run on five of the videos, three to train."""
    source = shared / "real/falls"
    if not source.is_dir():
        pytest.skip(f"REAL VIDEOS ABSENT: no {source}")
    folder = tmp_path_factory.mktemp("falls")
    (folder / "videos").mkdir()
    database = json.loads((source / "annotations.json").read_text())["database"]
    for name in (*TRAIN, *TEST):
        (folder / "videos" / f"{name}.mp4").symlink_to(source / "videos" / f"{name}.mp4")
    (folder / "annotations.json").write_text(json.dumps(
        {"database": {name: database[name] for name in (*TRAIN, *TEST)}}))
    done = subprocess.run(
        ["bash", str(ROOT / "run_vsgn.sh"), "traininfereval", "falls", "--video_anno",
         "annotations.json", *SHORTENED], cwd=folder, capture_output=True, text=True,
        env={**os.environ, "DATASET": "custom", "DATA_PATH": "videos", "OMP_NUM_THREADS": "1",
             "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_mp4_files_become_detections_and_scores(run):
    features = {path.stem: np.load(path) for path in (run / "data/falls/features").glob("*.npy")}
    assert {name: len(rows) for name, rows in features.items()} == {
        "adl-10-cam0": 50, "fall-01-cam0": 27, "fall-03-cam0": 36, "fall-19-cam0": 17,
        "fall-20-cam0": 19}
    found = json.loads((run / "output_falls/detections_postNMS.json").read_text())["results"]
    assert set(found) == set(TEST) and {row["label"] for row in found[TEST[0]]} <= LABELS
    metrics = json.loads((run / "output_falls/metrics.json").read_text())
    assert metrics["num_videos"] == 2 and len(metrics["mAP"]) == 7
    assert f"{TEST[1]}.mp4" in (run / "output_falls/report.html").read_text(encoding="utf-8")


def test_an_mp4_file_and_its_features_give_the_same_detections(run):
    found = []
    for path in (run / f"videos/{TEST[0]}.mp4", run / f"data/falls/features/{TEST[0]}.npy"):
        out = run / "found.json"
        assert Infer.main(["--video", str(path), "--checkpoint_path", str(run / "checkpoint_falls"),
                           "--device", "cpu", "-o", str(out), "--overwrite"]) == 0
        found.append(json.loads(out.read_text())["results"])
    assert found[0] == found[1] and found[0][TEST[0]]
