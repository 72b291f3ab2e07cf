"""What a new user does, end to end: annotations of two tools in, a training, a folder of new videos
detected, and the detections opened again by the reader of the tool's own format."""

import csv

import numpy as np
import pympi
import pytest

import Infer
import Prepare_data
import vsgn

FPS = 5
BORIS = ("Observation id", "Source", "Time offset (s)", "Media duration (s)", "FPS (frame/s)",
         "Subject", "Behavior", "Behavioral category", "Behavior type", "Start (s)", "Stop (s)",
         "Duration (s)", "Media file name", "Comment start", "Comment stop")


@pytest.fixture
def truth(tmp_path, monkeypatch):
    """Videos of noise with two kinds of actions: the first six annotated in ELAN, six in a table
    of BORIS, two new ones in a folder of their own. -> {video: [(start, end, label)]}."""
    monkeypatch.chdir(tmp_path)
    for folder in ("features", "new", "elan"):
        (tmp_path / folder).mkdir()
    rng, truth = np.random.default_rng(0), {}
    patterns = {"wave": rng.normal(size=16) * 2, "jump": rng.normal(size=16) * 2}
    for number in range(14):
        name, features = f"clip_{number:02d}", rng.normal(size=(120, 16))
        truth[name] = []
        for start in range(5, 90, 30):
            label, length = str(rng.choice(list(patterns))), int(rng.integers(8, 25))
            features[start:start + length] += patterns[label]
            truth[name].append((start / FPS, (start + length) / FPS, label))
        np.save(f"{'features' if number < 12 else 'new'}/{name}.npy", features.astype(np.float32))
    for name in list(truth)[:6]:
        write_elan(tmp_path / "elan" / f"{name}.eaf", name, truth[name])
    write_boris(tmp_path / "boris.tsv", {name: truth[name] for name in list(truth)[6:12]})
    return truth


def write_elan(path, video, rows):
    eaf = pympi.Elan.Eaf()
    eaf.add_linked_file(f"file:///C:/{video}.mp4", f"./{video}.mp4", "video/mp4")
    eaf.add_tier("behaviour")
    for start, end, label in rows:
        eaf.add_annotation("behaviour", round(1000 * start), round(1000 * end), label)
    eaf.to_file(str(path))


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


def test_from_two_tools_to_detections_that_a_third_reader_opens(truth, tmp_path, capsys):
    assert Prepare_data.main(["import", *map(str, sorted((tmp_path / "elan").iterdir())),
                              "boris.tsv", "--to", "annotations.json"]) == 0
    assert "12 videos, 36 actions, 2 classes" in capsys.readouterr().out
    run = vsgn.train(dataset="custom", recipe="strong", feature_path="features",
                     video_anno="annotations.json", feature_fps=FPS, num_epoch=4,
                     bb_hidden_dim=32, num_head_layers=1, num_neigh=4)
    assert Infer.main(["--videos", "new", "--checkpoint_path", str(run.folder), "-o", "found.eaf",
                       "--min_score", "0.5"]) == 0
    for name in ("clip_12", "clip_13"):
        eaf = pympi.Elan.Eaf(f"found/{name}.eaf")
        found = [(start / 1000, end / 1000, label) for tier in ("wave", "jump")
                 if tier in eaf.get_tier_names()
                 for start, end, label in eaf.get_annotation_data_for_tier(tier)]
        right = sum(any(label == other and max(abs(start - first), abs(end - last)) < 1
                        for first, last, other in found) for start, end, label in truth[name])
        assert right >= 2, (truth[name], found)
