"""The demo data: what the annotations say, and that its classes depend on the order of frames."""

import json

import h5py
import numpy as np
import pytest

from Utils.data import demo
from Utils.data.demo import CLASSES, FPS, ensure_demo, write_demo
from Utils.files import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    return folder


@pytest.fixture(scope="module")
def database(folder):
    return json.loads((folder / "annotations.json").read_text())["database"]


@pytest.fixture(scope="module")
def actions(folder, database):
    """{subset: [(features (n, 32) of one action, class number)]}."""
    found = {"train": [], "test": []}
    with h5py.File(folder / "rgb.h5") as rgb, h5py.File(folder / "flow.h5") as flow:
        for name, video in database.items():
            features = np.concatenate([rgb[name][:], flow[name][:]], axis=1)
            for action in video["annotations"]:
                start, end = (round(x * FPS) for x in action["segment"])
                found[video["subset"]].append((features[start:end],
                                               CLASSES.index(action["label"])))
    return found

FIRST_VIDEO = (32.7, {"segment": [1.3, 2.4], "label": "A-C-B"})
LAST_FEATURES = [-0.18318, 0.01358]


def segments_of(database):
    return [np.array([action["segment"] for action in video["annotations"]])
            for video in database.values()]


def test_videos_are_as_many_and_as_long_as_described(folder, database):
    subsets = [video["subset"] for video in database.values()]
    assert (subsets.count("train"), subsets.count("test"), len(subsets)) == (60, 30, 90)
    for stream in ("rgb", "flow"):
        with h5py.File(folder / f"{stream}.h5") as file:
            assert list(file) == sorted(database)
            for name, video in database.items():
                frames, dim = file[name].shape
                assert dim == 16 and file[name].dtype == np.float32
                assert 260 <= frames <= 620
                assert frames == pytest.approx(video["duration"] * 10)


def test_actions_are_in_order_apart_and_inside_their_video(database):
    for video, segments in zip(database.values(), segments_of(database), strict=True):
        assert len(segments) > 0
        edges = segments.ravel()
        assert (np.diff(edges) > 0).all()
        assert edges[0] > 0 and edges[-1] <= video["duration"]


def test_sixty_per_cent_of_the_actions_are_short(database):
    frames = np.concatenate([np.diff(s).ravel() for s in segments_of(database)]).round(6) * FPS
    is_short = frames <= 15
    assert frames[is_short].min() >= 5
    assert frames[~is_short].min() >= 60 and frames[~is_short].max() <= 150
    assert is_short.mean() == pytest.approx(0.6, abs=0.05)


def test_the_six_classes_are_the_six_orders():
    assert sorted(CLASSES) == ["A-B-C", "A-C-B", "B-A-C", "B-C-A", "C-A-B", "C-B-A"]
    parts = demo._action_parts(CLASSES.index("C-A-B"), 6)
    assert parts == [2, 2, 0, 0, 1, 1]


def accuracy(train, test):
    """Of the nearest class mean. train, test: (descriptions (n, d), classes (n,))."""
    means = np.stack([train[0][train[1] == k].mean(axis=0) for k in range(len(CLASSES))])
    distance = ((test[0][:, None] - means) ** 2).sum(axis=2)
    return (distance.argmin(axis=1) == test[1]).mean()


def test_a_single_frame_is_at_chance_over_the_classes(actions):
    frames = {subset: (np.concatenate([features for features, _ in found]),
                       np.concatenate([[label] * len(features) for features, label in found]))
              for subset, found in actions.items()}
    assert accuracy(frames["train"], frames["test"]) == pytest.approx(1 / 6, abs=0.04)


def test_the_mean_of_an_action_is_at_chance_and_its_thirds_are_not(actions):
    def describe(subset, pieces):
        labels = np.array([label for _, label in actions[subset]])
        return np.stack([np.concatenate([part.mean(axis=0)
                                         for part in np.array_split(features, pieces)])
                         for features, _ in actions[subset]]), labels

    assert accuracy(describe("train", 1), describe("test", 1)) < 0.25
    assert accuracy(describe("train", 3), describe("test", 3)) > 0.95


def test_lone_sub_actions_lie_in_the_background():
    rng = np.random.RandomState(0)
    kinds = [set(demo._background(rng)) for _ in range(400)]
    alone = [kind for kind in kinds if kind != {-1}]
    assert len(alone) == pytest.approx(200, abs=40)
    assert {part for kind in alone for part in kind} == {-1, 0, 1, 2}
    assert all(len(kind) == 2 for kind in alone)


def test_every_run_writes_the_same_data(tmp_path):
    for run in ("first", "second"):
        write_demo(tmp_path / run, num_train=3, num_test=2)
    first, second = tmp_path / "first", tmp_path / "second"
    assert ((first / "annotations.json").read_bytes()
            == (second / "annotations.json").read_bytes())
    with h5py.File(first / "rgb.h5") as a, h5py.File(second / "rgb.h5") as b:
        for name in a:
            assert np.array_equal(a[name], b[name])


def test_the_data_are_those_of_version_1(folder, database):
    """If the data change, so do these: raise VERSION, so that old files are replaced."""
    assert demo.VERSION == "VSGN demo 1"
    first = database["demo_train_000"]
    assert (first["duration"], first["annotations"][0]) == FIRST_VIDEO
    with h5py.File(folder / "flow.h5") as file:
        assert file["demo_test_029"][:2, 0] == pytest.approx(LAST_FEATURES, abs=1e-4)


def test_existing_data_are_left_alone(tmp_path):
    write_demo(tmp_path, num_train=2, num_test=1)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert ensure_demo(tmp_path) is False
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("lost", demo.FILES)
def test_incomplete_data_are_written_again(tmp_path, lost):
    write_demo(tmp_path, num_train=2, num_test=1)
    (tmp_path / lost).unlink()
    assert ensure_demo(tmp_path) is True
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(demo.FILES)
    assert ensure_demo(tmp_path) is False


def test_data_of_another_version_are_written_again(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(demo, "VERSION", "VSGN demo 0")
        write_demo(tmp_path, num_train=2, num_test=1)
    assert ensure_demo(tmp_path) is True


@pytest.mark.parametrize("content", ["{}", "[]", "not JSON"])
def test_annotations_of_another_are_not_replaced(tmp_path, content):
    theirs = tmp_path / "annotations.json"
    theirs.write_text(content)
    with pytest.raises(UserError, match="annotations.json, not written by the demo"):
        ensure_demo(tmp_path)
    assert theirs.read_text() == content


def test_features_of_another_are_not_replaced(tmp_path):
    with h5py.File(tmp_path / "rgb.h5", "w") as file:
        file["v_mine"] = np.ones((4, 2))
    (tmp_path / "flow.h5").write_bytes(b"not HDF5")
    with pytest.raises(UserError, match="rgb.h5, flow.h5, not written by the demo"):
        ensure_demo(tmp_path)
    with h5py.File(tmp_path / "rgb.h5") as file:
        assert "v_mine" in file
