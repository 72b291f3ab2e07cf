"""vsgn.py, the door from Python: tables, threads, and refusals in a sentence."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.figure import Figure

import Extract_features
import vsgn
from Models.extractors.registry import Setting, build
from Models.VSGN import VSGN
from tests.small_data import entry, write_annotations
from tests.video_files import even_times, write_video
from Utils.config.resolve import resolve, settings
from Utils.data.features import ONLY
from Utils.files import UserError
from Utils.training.checkpoints import LAST, save_checkpoint

ROOT = Path(__file__).parents[2]
WORDS = {"dataset": "demo", "recipe": "strong", "input_feat_dim": 6, "temporal_scale": 64,
         "num_levels": 3, "bb_hidden_dim": 32, "num_head_layers": 1, "num_neigh": 6,
         "feature_fps": 5.0}
CONFIG = resolve(WORDS)
CLASSES = tuple("abcdef")
TABLE = pd.DataFrame({"start": [1.0, 5.0], "end": [2.0, 9.0], "label": ["run", "jump"],
                      "score": [0.9, 0.4]})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of a checkpoint with random weights."""
    folder = tmp_path_factory.mktemp("door")
    torch.manual_seed(3)
    save_checkpoint(folder / LAST, {"epoch": 1, "state_dict": VSGN(CONFIG).state_dict(),
                                    "settings": settings(CONFIG), "classes": list(CLASSES)})
    return folder


@pytest.fixture(scope="module")
def detector(folder):
    return vsgn.Detector.load(folder, device="cpu")


def features(frames, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 6)).astype(np.float32)


def test_threads_share_a_detector_and_nothing_is_printed(detector, capsys):
    arrays = [features(50 + 30 * seed, seed) for seed in range(4)]
    expected = [detector.detect(array) for array in arrays]
    found = [None] * len(arrays)

    def work(place):
        found[place] = detector.detect(arrays[place])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(arrays))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for table, other in zip(found, expected, strict=True):
        assert len(table) > 5 and list(table.columns) == ["start", "end", "label", "score"]
        pd.testing.assert_frame_equal(table, other)
    assert set(expected[0]["label"]) <= set(CLASSES) == set(detector.classes)
    assert capsys.readouterr() == ("", "")


def test_the_rate_scales_the_seconds(detector):
    table, slow = (detector.detect(features(60), feature_fps=rate) for rate in (10, 5))
    assert slow["end"].max() == pytest.approx(2 * table["end"].max())


def test_files_and_arrays_come_back_in_the_order_they_were_given(detector, tmp_path):
    np.save(tmp_path / "x.npy", features(60))
    seen = []
    tables = detector.detect_many({"b": features(60), "a": tmp_path / "x.npy"}, top=3,
                                  progress=lambda *step: seen.append(step))
    assert list(tables) == ["b", "a"] and len(tables["a"]) == 3
    pd.testing.assert_frame_equal(tables["a"], tables["b"])
    assert ("infer", 1, 1) in seen


@pytest.fixture(scope="module")
def of_videos(tmp_path_factory):
    """Folder of a checkpoint trained on features that Extract_features.py made of videos."""
    pytest.importorskip("av", reason="DETECTION IN VIDEO FILES LEFT OUT: no package av")
    extractor = build("motion", Setting(feature_fps=5.0))
    config = resolve(WORDS | {"input_feat_dim": extractor.channels})
    folder = tmp_path_factory.mktemp("films")
    torch.manual_seed(3)
    save_checkpoint(folder / LAST, {"epoch": 1, "state_dict": VSGN(config).state_dict(),
                                    "settings": settings(config), "classes": list(CLASSES),
                                    "extractors": {ONLY: extractor.identity}})
    write_video(folder / "clip.mp4", even_times(300, 25), rate=25)
    return folder


def test_a_video_file_is_detected_as_its_features(of_videos, tmp_path, capsys):
    detector = vsgn.Detector.load(of_videos, device="cpu")
    found = detector.detect_video(of_videos / "clip.mp4")
    assert len(found) and list(found.columns) == ["start", "end", "label", "score"]
    assert found["end"].max() <= 12 and capsys.readouterr().out == ""
    assert Extract_features.main([str(of_videos / "clip.mp4"), "--out", str(tmp_path),
                                  "--extractor", "motion", "--feature_fps", "5"]) == 0
    pd.testing.assert_frame_equal(found, detector.detect(tmp_path / "clip.npy"))
    best = detector.detect_video(of_videos / "clip.mp4", top=3)
    assert len(best) == 3 and best["score"].min() == found["score"].nlargest(3).min()


def test_a_video_file_that_cannot_be_is_refused(of_videos, detector, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match="broken.mp4 has no features: "):
        vsgn.Detector.load(of_videos, device="cpu").detect_video(tmp_path / "broken.mp4")
    with pytest.raises(UserError, match="what extracted the features"):
        detector.detect_video(of_videos / "clip.mp4")


@pytest.mark.parametrize(("given", "said"), [
    (np.zeros((5, 7)), "trained on 6"), (np.zeros(5), "expected [frames, channels]"),
    (np.array(["x"]), "expected an array of numbers"), ("nowhere.npy", "no file or folder nowhere"),
    (np.full((30, 6), np.nan), "NaN"), (np.zeros((0, 6)), "empty")])
def test_features_that_cannot_be_are_refused(detector, given, said):
    with pytest.raises(vsgn.UserError, match=said.replace("[", r"\[")):
        detector.detect(given)


def test_options_that_cannot_be_are_refused(folder):
    with pytest.raises(vsgn.UserError, match="unknown option 'num_epochs'; did you mean"):
        vsgn.train(dataset="custom", num_epochs=3)
    with pytest.raises(vsgn.UserError, match="train: num_epoch is 'three', expected int"):
        vsgn.train(dataset="custom", num_epoch="three")
    with pytest.raises(vsgn.UserError, match="no checkpoint at"):
        vsgn.Detector.load(folder / "nowhere")


def test_detections_of_every_form_are_scored_alike(tmp_path):
    truth = write_annotations(tmp_path / "truth.json", {
        "v": entry("test", (1, 2, "run"), (5, 8, "jump")), "w": entry("test", (0, 3, "run"))})
    rows = [{"label": label, "score": score, "segment": [start, end]}
            for start, end, label, score in TABLE.itertuples(index=False)]
    joined = TABLE.assign(video="v")
    joined.to_csv(tmp_path / "found.csv", index=False)
    (tmp_path / "found.json").write_text(json.dumps({"results": {"v": rows}}))
    scores = [vsgn.evaluate(form, truth, tiou=(0.5,), short_seconds=2) for form in (
        {"v": TABLE}, {"v": rows}, {"results": {"v": rows}}, joined, tmp_path / "found.csv",
        str(tmp_path / "found.json"))]
    assert all(other == scores[0] for other in scores[1:])
    # One of the two runs is found, and the jump: (1/2 + 1) / 2.
    assert scores[0]["mAP"] == [0.75] and scores[0]["ap_per_class"]["jump"] == [1.0]
    assert scores[0]["short_actions"]["num_ground_truth"] == 1
    assert "detad" in vsgn.evaluate({"v": TABLE}, truth, detad=True)
    with pytest.raises(vsgn.UserError, match="no column 'video'; it has start"):
        vsgn.evaluate(TABLE, truth)


def test_detections_that_eval_would_refuse_or_warn_of_are_no_silent_zeros(tmp_path):
    truth = write_annotations(tmp_path / "truth.json", {"v": entry("test", (1, 2, "run"))})
    with pytest.raises(vsgn.UserError, match="none of its 1 video is among those of subset test"):
        vsgn.evaluate({"v.mp4": TABLE}, truth)
    with pytest.warns(UserWarning, match="label"):
        scores = vsgn.evaluate({"v": TABLE.assign(label="RUN")}, truth)
    assert scores["average_mAP"]["0.3:0.7"] == 0


@pytest.mark.parametrize("choice, why", [
    ({"feature_fps": -5}, "feature_fps -5 is impossible: it must be above 0"),
    ({"feature_fps": 0}, "feature_fps 0 is impossible"),
    ({"feature_fps": "5"}, "feature_fps is '5', expected a number"),
    ({"min_score": "auto"}, "min_score is 'auto', expected a number"),
    ({"top": 0}, "top 0 is impossible"), ({"top": 1.5}, "top is 1.5, expected a number")])
def test_what_a_detector_cannot_be_asked_is_refused(choice, why):
    with pytest.raises(vsgn.UserError, match=re.escape(why)):
        vsgn.check_choice(**{"feature_fps": None, "min_score": None, "top": None} | choice)


def test_timelines_show_what_is_right_if_it_is_known():
    truth = [{"segment": [1, 2], "label": "run"}, {"segment": [20, 22], "label": "run"}]
    plain, judged = vsgn.plot_timeline(TABLE, duration=30), vsgn.plot_timeline(TABLE, truth)
    assert isinstance(plain, Figure) and plain.axes[0].get_xlim() == (0, 30)
    assert [text.get_text() for text in plain.axes[0].get_yticklabels()] == [
        "run (0.90)", "jump (0.40)"]
    # Two actions and the one detection above the best threshold.
    assert len(judged.axes[0].patches) == 3 and judged.axes[0].get_xlim() == (0, 22)
    as_table = pd.DataFrame({"start": [1, 20], "end": [2, 22], "label": "run"})
    assert len(vsgn.plot_timeline(TABLE, as_table).axes[0].patches) == 3


# ---- installed ----------------------------------------------------------------------------------

TRAINED = """
import json, vsgn
assert vsgn.__file__.startswith({site!r}), vsgn.__file__
run = vsgn.train(dataset="custom", recipe="strong", feature_path="data", num_epoch=1,
                 bb_hidden_dim=32, num_head_layers=1, num_neigh=4, batch_size=4)
table = vsgn.Detector.load(run.folder).detect("data/v9.npy")
print(len(run.history), list(table.columns))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with this project as pip installs it from a wheel, and without its checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("Utils", "Models", "Evaluation", "DETAD", "Engine"):
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns(
            "__pycache__", "annot"))
    for path in (*ROOT.glob("*.py"), ROOT / "run_vsgn.sh", ROOT / "pyproject.toml"):
        shutil.copy(path, folder / "source")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index"]
    subprocess.run([*pip, "wheel", *alone, "--no-build-isolation", "-w", str(folder),
                    str(folder / "source")], check=True)
    shutil.rmtree(folder / "source")
    wheel, = folder.glob("vsgn-*.whl")
    assert wheel.name.startswith(f"vsgn-{vsgn.__version__}-")
    subprocess.run([*pip, "install", *alone, "--target", str(folder / "site"), str(wheel)],
                   check=True)
    return folder / "site"


def installed(site, folder, *words):
    """What a program says that finds this project in `site` alone."""
    done = subprocess.run(list(map(str, words)), cwd=folder, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(site)})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_wheel_trains_detects_and_reports_away_from_the_checkout(site, tmp_path):
    (tmp_path / "data").mkdir()
    for number in range(10):
        np.save(tmp_path / "data" / f"v{number}.npy", features(100, number))
    write_annotations(tmp_path / "data/annotations.json", {
        f"v{number}": entry("train" if number < 8 else "test", (1, 2, "run"), duration=20)
        for number in range(10)})
    said = installed(site, tmp_path, sys.executable, "-c", TRAINED.format(site=str(site)))
    assert said == "1 ['start', 'end', 'label', 'score']\n"      # training said nothing
    command = [sys.executable, site / "bin" / "vsgn"]
    for verb in ("infer", "eval"):
        installed(site, tmp_path, *command, verb, "custom", "--dataset", "custom", "--feature_path",
                  "data")
    page = (tmp_path / "output_custom/report.html").read_text(encoding="utf-8")
    assert "</html>" in page
    run, = installed(site, tmp_path, *command, "runs").splitlines()[1:]
    assert run.split()[:5] == ["checkpoint_custom", "custom", "(data)", "strong", "1/1"]
    assert "traininfereval" in installed(site, tmp_path, *command, "help")
