"""What a new user does, end to end.

Import annotations of two tools, train, detect in a folder of new videos, and open the
detections with the reader of the tool's own format.
"""

import csv
import json
from pathlib import Path

import pympi
import pytest

import Cut_long_videos
import Eval
import Infer
import Prepare_data
import Train
import vsgn
from tests.annotated_clips import FPS, make_clips, write_elan

BORIS = ("Observation id", "Source", "Time offset (s)", "Media duration (s)", "FPS (frame/s)",
         "Subject", "Behavior", "Behavioral category", "Behavior type", "Start (s)", "Stop (s)",
         "Duration (s)", "Media file name", "Comment start", "Comment stop")


@pytest.fixture
def truth(tmp_path, monkeypatch):
    """Clips of two kinds of action. -> {video: [(start, end, label)]}.

    The first six are annotated in ELAN, six in a table of BORIS, and two new ones are
    in a folder of their own.
    """
    monkeypatch.chdir(tmp_path)
    for folder in ("features", "new", "elan"):
        (tmp_path / folder).mkdir()
    names = [f"clip_{number:02d}" for number in range(14)]
    truth = make_clips({name: tmp_path / ("features" if number < 12 else "new")
                        for number, name in enumerate(names)}, apart=30)
    for name in names[:6]:
        write_elan(tmp_path / "elan" / f"{name}.eaf", name, truth[name])
    write_boris(tmp_path / "boris.tsv", {name: truth[name] for name in names[6:12]})
    return truth


def write_boris(path, videos):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, BORIS, delimiter="\t", restval="")
        writer.writeheader()
        for name, rows in videos.items():
            for start, end, label in rows:
                writer.writerow({
                    "Observation id": name, "Source": f"player #1:{name}.mp4",
                    "Time offset (s)": "0.0", "Media duration (s)": "24.000",
                    "FPS (frame/s)": "25", "Subject": "No focal subject", "Behavior": label,
                    "Behavior type": "STATE", "Start (s)": start, "Stop (s)": end,
                    "Duration (s)": end - start, "Media file name": f"{name}.mp4"})


SMALL = {"bb_hidden_dim": 32, "num_head_layers": 1, "num_neigh": 4, "num_epoch": 4}
DATA = {"dataset": "custom", "recipe": "strong", "feature_path": "features",
        "video_anno": "annotations.json", "feature_fps": FPS}


def words(options):
    """Options as words of a command line."""
    return [str(word) for name, value in options.items() for word in (f"--{name}", value)]


@pytest.fixture
def imported(truth, tmp_path, capsys):
    """Both tools' annotations in one file, three of the twelve videos for testing."""
    assert Prepare_data.main(["import", *map(str, sorted((tmp_path / "elan").iterdir())),
                              "boris.tsv", "--to", "annotations.json", "--test_share",
                              "0.25"]) == 0
    assert "12 videos, 36 actions, 2 classes" in capsys.readouterr().out
    return truth


def found_in_elan(path):
    """[(start, end, label)] of an .eaf, in seconds, by ELAN's own reader."""
    eaf = pympi.Elan.Eaf(str(path))
    return [(start / 1000, end / 1000, label) for tier in ("wave", "jump")
            if tier in eaf.get_tier_names()
            for start, end, label in eaf.get_annotation_data_for_tier(tier)]


def assert_found(truth, found):
    """At least two of the three actions are among the detections, to a second."""
    right = sum(any(label == other and max(abs(start - first), abs(end - last)) < 1
                    for first, last, other in found) for start, end, label in truth)
    assert right >= 2, (truth, found)


def test_commands_lead_from_two_tools_to_detections_that_elan_opens(imported, tmp_path):
    run = ["--checkpoint_path", "run", "--window_path", "windows"]
    assert Cut_long_videos.main([*words(DATA), *run[2:]]) == 0
    assert Train.main([*words(DATA | SMALL), *run]) == 0
    assert Infer.main(["--checkpoint_path", "run", "--output_path", "out"]) == 0
    assert Eval.main(["--output_path", "out", "--export", "elan", "--min_score", "0.5"]) == 0
    scores = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert scores["num_videos"] == 3 and scores["average_mAP"]["0.3:0.7"] > 0.3
    tested = sorted((tmp_path / "out" / "export").iterdir())
    assert len(tested) == 3
    for path in tested:
        assert_found(imported[path.stem], found_in_elan(path))
    assert Infer.main(["--videos", "new", "--checkpoint_path", "run", "-o", "found.eaf",
                       "--min_score", "0.5"]) == 0
    for name in ("clip_12", "clip_13"):
        assert_found(imported[name], found_in_elan(tmp_path / "found" / f"{name}.eaf"))


def test_a_notebook_leads_to_the_same_detections(imported, tmp_path):
    run = vsgn.train(**DATA, **SMALL)
    detector = vsgn.Detector.load(run.folder)
    tables = detector.detect_many({path.stem: path for path in sorted(Path("new").iterdir())},
                                  min_score=0.5)
    for name, table in tables.items():
        assert_found(imported[name], table[["start", "end", "label"]].to_numpy().tolist())
    database = json.loads(Path("annotations.json").read_text())["database"]
    tested = [name for name, video in database.items() if video["subset"] == "testing"]
    found = detector.detect_many({name: f"features/{name}.npy" for name in tested})
    scores = vsgn.evaluate(found, "annotations.json")
    assert scores["num_videos"] == 3 and scores["average_mAP"]["0.3:0.7"] > 0.3
    assert vsgn.plot_timeline(found[tested[0]], truth=database[tested[0]]["annotations"]).axes
