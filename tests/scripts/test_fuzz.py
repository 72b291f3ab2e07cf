"""Thousands of damaged files, each read or refused with a sentence; none crashes a reader.

Cases are drawn from a seed and bounded by their number.
"""

import json
import random
import shutil

import numpy as np
import pytest
import torch

from Evaluation.detection_file import read_detections
from Evaluation.postprocessing.proposal_file import read_proposals
from Evaluation.postprocessing.video_scores import read_video_scores
from tests.small_data import entry, noise, write_annotations, write_hdf5
from tests.small_run import make_run
from Utils.data.annotation_files import read_records
from Utils.data.datasets import read_csv_rows, read_durations
from Utils.data.feature_places import open_features
from Utils.files import UserError
from Utils.inputs.window_file import read_windows
from Utils.training.checkpoints import LAST, check_resumable, load_checkpoint

WORDS = (b"NaN", b"Infinity", b"-1", b"1e999", b"null", b"[]", b"{}", b'""', b"\0", b"\xff\xfe",
         b'"a"', b"true", b"9" * 400, b"\xf0\x9f", b"[" * 50, b",", b":", b"0")


def damaged(content, rng):
    """A copy of some bytes with one to four faults."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(content) + 1) if content else 0
        match rng.randrange(7):
            case 0:
                content[at:at + 1] = bytes([rng.randrange(256)])
            case 1:
                content[at:at + 1] = bytes([content[at] ^ 1 << rng.randrange(8)] if at < len(
                    content) else [0])
            case 2:
                del content[at:]
            case 3:
                del content[at:at + rng.randint(1, 40)]
            case 4:
                content[at:at + rng.randint(0, 8)] = rng.choice(WORDS)
            case 5:
                content[at:at] = content[at:at + rng.randint(1, 60)]
            case 6:
                content[at:at + 8] = rng.choice([0, 1, 2 ** 31, 2 ** 63, 2 ** 64 - 1]).to_bytes(
                    8, "little")
    return bytes(content)


def finite(*arrays):
    """Whether nothing is NaN or infinite."""
    return all(np.isfinite(array).all() for array in arrays)


# ---- readers: what was read, checked to be usable -----------------------------------------------

def features(path):
    store = open_features(path.parent if path.suffix != ".h5" else path)
    try:
        for name in store.parts["features"].names():
            lengths = store.lengths(name)
            store.read_through(name)
            for stream in store.streams:
                found = store.read(name, stream)
                assert found.shape[0] in lengths and finite(found)
    finally:
        store.close()


def annotations(path):
    for record in read_records(path):
        assert finite(record.segments) and record.segments.shape == (len(record.labels), 2)
        assert record.duration is None or 0 < record.duration < np.inf


def windows(path):
    for window in read_windows(path)[0]:
        assert 0 <= window.start <= window.end < np.inf


def results(path):
    table, _ = read_detections(path)
    assert finite(table.segments, table.scores)


def video_scores(path):
    assert all(finite(row) and (row >= 0).all() for row in read_video_scores(
        path, ("run", "jump")).values())


def proposals(path):
    found, _ = read_proposals(path)
    with found:
        for video in found:
            assert finite(found[video].segments, found[video].scores)
            found.duration(video)


def checkpoint(path, expected):
    """A checkpoint that can be read at all has the very weights that were written."""
    content = load_checkpoint(path)
    assert content["state_dict"].keys() == expected.keys()
    for name, value in content["state_dict"].items():
        assert torch.equal(value, expected[name]), name
    check_resumable(content, path)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Good files of all kinds by name, and their readers: {name: (path, reader)}."""
    folder = tmp_path_factory.mktemp("good")
    make_run(folder / "run")
    path = folder / "run" / "run" / LAST
    weights = load_checkpoint(path)["state_dict"]
    small = {"epoch": 1, "state_dict": {name: weights[name] for name in list(weights)[-4:]},
             "optimizer": {}, "settings": {"a": [1]}, "history": [{}], "best_loss": 1.5,
             "random_states": {}}
    torch.save(small, folder / "small.pth.tar")
    found = {"checkpoint": (folder / "small.pth.tar",
                            lambda path: checkpoint(path, small["state_dict"])),
             "annotations": (write_annotations(folder / "annotations.json", {
                 "a": entry("train", (1, 2, "run")), "b": entry("test", (3, 4.5, "jump"))}),
                 annotations),
             "windows": (folder / "run/windows/train.json", windows),
             "results": (folder / "run/out/detections_postNMS.json", results),
             "proposals": (folder / "run/out/proposals.h5", proposals),
             "hdf5": (write_hdf5(folder / "f.h5", {"a": noise("a", 9, 3), "b": noise("b", 7, 3)}),
                      features)}
    (folder / "scores.json").write_text(json.dumps({
        "results": {"a": [0.5, 0.25], "b": [1, 0]}, "class": ["jump", "run"]}))
    found["video scores"] = folder / "scores.json", video_scores
    for name, save in (("npy", np.save), ("npz", np.savez), ("pt", save_pt)):
        (folder / name).mkdir()
        save(folder / name / f"a.{name}", noise("a", 9, 3))
        found[name] = folder / name / f"a.{name}", features
    (folder / "info.csv").write_text("video,subset,seconds\na,training,10\nb,validation,3.5\n")
    found["csv"] = folder / "info.csv", read_csv_rows
    from scipy.io import savemat
    seconds = np.zeros((1, 5), [("video_name", object), ("video_duration_seconds", object)])
    seconds["video_name"], seconds["video_duration_seconds"] = "a", 12.5
    for name, compressed in (("mat", False), ("mat, compressed", True)):
        path = folder / f"{name}.mat"
        savemat(path, {"videos": seconds}, do_compression=compressed)
        found[name] = path, durations
    return found


def durations(path):
    assert finite(np.array([*read_durations(path).values()]))


def save_pt(path, array):
    torch.save(torch.from_numpy(array), path)


# How many damaged files of each kind; those of HDF5 and torch take longer to read.
COUNTS = {"annotations": 900, "windows": 400, "results": 400, "video scores": 900, "csv": 900,
          "mat": 900, "mat, compressed": 600, "npy": 700, "npz": 500, "pt": 400, "hdf5": 500,
          "proposals": 250, "checkpoint": 500}


@pytest.mark.parametrize("kind", COUNTS)
def test_damaged_files_are_refused_with_a_sentence_or_read_right(good, tmp_path, kind):
    path, reader = good[kind]
    content, rng = path.read_bytes(), random.Random(kind)
    reader(path)
    refused = 0
    for number in range(COUNTS[kind]):
        # A folder for each, as a reader may keep a file open.
        target = tmp_path / str(number) / path.name
        target.parent.mkdir()
        target.write_bytes(damaged(content, rng))
        try:
            reader(target)
        except UserError as problem:
            refused += 1
            assert str(problem) and "\n" not in str(problem), str(problem)
        # Any other exception fails the test, and leaves the file in tmp_path.
        shutil.rmtree(target.parent)
    assert refused > COUNTS[kind] // 10
