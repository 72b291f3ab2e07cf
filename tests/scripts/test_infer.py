"""Inference on one video alone, and from checkpoints of all kinds."""

import json

import h5py
import numpy as np
import pytest
import torch

import Cut_long_videos
import Infer
import Train
from Utils.data.demo import CLASSES, write_demo
from Utils.inference import network
from Utils.training.checkpoints import BEST, load_checkpoint, save_checkpoint

TINY = ["--dataset", "demo", "--num_epoch", "1", "--bb_hidden_dim", "32", "--num_head_layers", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Folder of a tiny trained network, and the features of a test video as features.npy."""
    folder = tmp_path_factory.mktemp("infer")
    write_demo(folder / "data", num_train=8, num_test=3)
    places = [f"--feature_path={folder}/data", f"--window_path={folder}/windows",
              f"--checkpoint_path={folder}/run"]
    assert Cut_long_videos.main(TINY + places) == 0
    assert Train.main(TINY + places) == 0
    with h5py.File(folder / "data/rgb.h5") as rgb, h5py.File(folder / "data/flow.h5") as flow:
        name = next(name for name in rgb if "test" in name)
        np.save(folder / "features.npy", np.concatenate([rgb[name][()], flow[name][()]], axis=1))
        np.save(folder / "narrow.npy", rgb[name][()])
    return folder, places, name


def detect(run, *flags, video="features.npy"):
    folder, _, _ = run
    return Infer.main(["--video", str(folder / video), "--checkpoint_path", str(folder / "run"),
                       "-o", str(folder / "out.json"), *flags])


def test_one_video_needs_neither_annotations_nor_windows(run):
    assert detect(run, "--feature_fps", "10") == 0
    results = json.loads((run[0] / "out.json").read_text())["results"]
    assert list(results) == ["features"]
    assert {row["label"] for row in results["features"]} <= set(CLASSES)
    assert (run[0] / "out.png").read_bytes().startswith(b"\x89PNG")


def test_another_rate_than_in_training_is_said(run, capsys):
    content = load_checkpoint(run[0] / "run" / BEST)
    content["settings"]["feature_fps"] = 10.
    save_checkpoint(run[0] / BEST, content)
    other = ["--checkpoint_path", str(run[0])]
    assert detect(run, *other) == 0 and "warning" not in capsys.readouterr().out
    assert detect(run, *other, "--feature_fps", "25") == 0
    assert ("--feature_fps is 25, the network was trained on 10 features a second: actions will "
            "seem 2.5 times as long") in capsys.readouterr().out


def test_one_video_alone_is_detected_as_among_the_others(run):
    folder, places, name = run
    assert detect(run, "--feature_fps", "10") == 0
    assert Infer.main([*places, f"--output_path={folder}/all"]) == 0
    from Evaluation.postprocessing.detections import detection_rows, video_detections
    from Evaluation.postprocessing.proposal_file import read_proposals
    proposals, settings = read_proposals(folder / "all" / "proposals.h5")
    among = detection_rows(video_detections(proposals[name], proposals.duration(name), sigma=0.46,
                                            limit=200, rounded=False), settings["classes"])
    alone = json.loads((folder / "out.json").read_text())["results"]["features"]
    assert [row["label"] for row in alone] == [row["label"] for row in among]
    numbers = [[(row["score"], *row["segment"]) for row in rows] for rows in (alone, among)]
    assert np.array(numbers[0]) == pytest.approx(np.array(numbers[1]), abs=1e-5)


def test_batches_decoded_at_once_give_the_same_proposals(run, monkeypatch):
    """What a GPU does, done on the CPU."""
    from Evaluation.postprocessing.proposal_file import read_proposals
    from Models.BatchDecoding import Decoder
    folder, places, _ = run
    assert Infer.main([*places, f"--output_path={folder}/one"]) == 0
    monkeypatch.setattr(network, "gpu_decoder", lambda config, device: Decoder(config))
    assert Infer.main([*places, f"--output_path={folder}/batch"]) == 0
    expected, found = (read_proposals(folder / name / "proposals.h5")[0]
                       for name in ("one", "batch"))
    assert list(found) == list(expected) and len(found) == 3
    for name in expected:
        assert len(found[name]) == len(expected[name]) > 100
        assert np.array_equal(found[name].labels, expected[name].labels)
        assert np.abs(found[name].segments - expected[name].segments).max() < 1e-9
        assert found[name].scores == pytest.approx(expected[name].scores, rel=1e-5)


def test_the_rate_of_the_features_must_be_told(run, capsys):
    assert detect(run) == 2
    assert "--feature_fps" in capsys.readouterr().err


def test_features_of_another_width_are_refused(run, capsys):
    assert detect(run, "--feature_fps", "10", video="narrow.npy") == 2
    assert "16" in capsys.readouterr().err


def test_a_missing_file_is_named(run, capsys):
    assert detect(run, "--feature_fps", "10", video="nowhere.npy") == 2
    assert "nowhere.npy" in capsys.readouterr().err


def test_a_released_checkpoint_takes_its_options_from_the_flags(run, capsys):
    folder, places, _ = run
    weights = torch.load(folder / "run" / "best.pth.tar", weights_only=True)["state_dict"]
    released = {"epoch": 3, "state_dict": {f"module.{name}": value
                                           for name, value in weights.items()}}
    (folder / "released").mkdir(exist_ok=True)
    torch.save(released, folder / "released" / "best.pth.tar")
    places = [*places, f"--checkpoint_path={folder}/released", f"--output_path={folder}/released"]
    assert Infer.main(TINY + places) == 0
    assert "has no settings" in capsys.readouterr().out
    assert Infer.main(["--dataset", "demo", *places]) == 2
    assert "weights of another network" in capsys.readouterr().err


def test_annotations_of_other_classes_are_refused(run, capsys):
    folder, places, _ = run
    content = (folder / "data/annotations.json").read_text()
    (folder / "other.json").write_text(content.replace(f'"{CLASSES[0]}"', '"zzz"'))
    words = [*places, f"--output_path={folder}/other", f"--video_anno={folder}/other.json"]
    assert Infer.main(words) == 2
    assert "was trained on the classes" in capsys.readouterr().err


def test_a_network_option_that_contradicts_the_checkpoint_is_refused(run, capsys):
    folder, places, _ = run
    assert Infer.main([*places, f"--output_path={folder}/all", "--num_neigh", "4"]) == 2
    assert "--num_neigh 4 contradicts" in capsys.readouterr().err
