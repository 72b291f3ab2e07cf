"""Features as other tools lay them out: groups, folders, axes, names; and what is refused."""

import pickle
import re

import numpy as np
import pytest
import torch

from tests.small_data import noise, write_hdf5
from Utils.data.feature_places import open_features
from Utils.data.features import ONLY
from Utils.files import UserError

A, B = noise("a", 12, 3), noise("b", 9, 3)


def holds(folder, name="a", array=A, stream=ONLY):
    """Whether a video's features are those, whole and in part."""
    store = open_features(folder)
    try:
        assert name in store and name in store.parts[stream].names()
        return store.shape(name, stream) == array.shape and (
            store.read(name, stream) == array).all() and (
            store.read(name, stream, 2, 5) == array[2:5]).all()
    finally:
        store.close()


# ---- HDF5 ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("keys", [("a/feats", "b/feats"), ("a/x", "b/x"), ("a/a", "b/b"),
                                  ("train/a", "train/b"), ("train/a/x", "train/b/x"),
                                  ("train/v_a", "train/b")])
def test_groups_with_one_array_and_groups_of_videos(tmp_path, keys):
    write_hdf5(tmp_path / "f.h5", dict(zip(keys, (A, B), strict=True)))
    store = open_features(tmp_path)
    assert (store.read("a", ONLY) == A).all() and (store.read("b", ONLY) == B).all()
    assert "c" not in store and "x" not in store.parts[ONLY].names()
    assert {name.removeprefix("v_") for name in store.parts[ONLY].names()} == {"a", "b"}


def test_a_group_with_more_beside_the_features(tmp_path):
    write_hdf5(tmp_path / "f.h5", {"a/features": A, "a/times": np.arange(12.0), "b": B})
    assert holds(tmp_path)


def test_videos_of_two_groups_are_found_and_one_in_both_is_refused(tmp_path):
    write_hdf5(tmp_path / "f.h5", {"train/a": A, "train/c": B, "test/b": B, "test/c": A})
    assert holds(tmp_path) and holds(tmp_path, "b", B)
    with pytest.raises(UserError, match="video c occurs 2 times: .*f.h5: t.*/c, .*; keep one"):
        open_features(tmp_path).lengths("c")


@pytest.mark.parametrize("key", ["features", "{name}", "embedding", "deep/feats"])
def test_an_hdf5_file_for_each_video(tmp_path, key):
    for name, array in (("a", A), ("b", B), ("c", A)):
        write_hdf5(tmp_path / f"{name}.h5", {key.format(name=name): array})
    assert holds(tmp_path) and holds(tmp_path, "b", B)


def test_hdf5_files_in_folders_below(tmp_path):
    for folder, name, array in (("train", "a", A), ("test", "b", B)):
        (tmp_path / folder).mkdir()
        write_hdf5(tmp_path / folder / f"{name}.h5", {"features": array})
    assert holds(tmp_path) and holds(tmp_path, "b", B)


# ---- axes ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("shape", [(1, 12, 3), (12, 3, 1, 1), (12, 1, 3), (1, 12, 1, 3, 1)])
@pytest.mark.parametrize("save", ["npy", "h5", "pt"])
def test_axes_of_length_1_are_left_out(tmp_path, shape, save):
    array = A.reshape(shape)
    if save == "h5":
        write_hdf5(tmp_path / "f.h5", {"a": array, "b": B})
    elif save == "npy":
        np.save(tmp_path / "a.npy", array)
    else:
        torch.save(torch.from_numpy(array), tmp_path / "a.pt")
    assert holds(tmp_path)


def test_one_frame_and_one_channel_stay_what_they_are(tmp_path):
    for name, array, shape in (("a", np.ones((1, 1, 5)), (1, 5)), ("b", np.ones((5, 1, 1)), (5, 1)),
                               ("c", np.ones((1, 5)), (1, 5))):
        np.save(tmp_path / f"{name}.npy", array)
        assert open_features(tmp_path).parts[ONLY].shape(name) == shape
    np.save(tmp_path / "d.npy", np.ones((2, 3, 4)))
    with pytest.raises(UserError, match=r"have the shape \(2, 3, 4\), expected \[frames, channels"):
        open_features(tmp_path).lengths("d")


# ---- folders and names --------------------------------------------------------------------------

def test_two_streams_by_the_ends_of_names(tmp_path):
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}_rgb.npy", A)
        np.save(tmp_path / f"{name}_flow.npy", B)
    store = open_features(tmp_path)
    assert store.streams == ("rgb", "flow") and store.parts["rgb"].names() == ["a", "b"]
    assert (store.read("a", "rgb") == A).all() and (store.read("b", "flow") == B).all()


def test_one_stream_by_the_ends_of_names(tmp_path):
    np.save(tmp_path / "a_rgb.npy", A)
    assert holds(tmp_path)
    assert "a_rgb" in open_features(tmp_path)
    np.save(tmp_path / "b.npy", B)      # then it is a part of the name
    assert holds(tmp_path, "a_rgb") and "a" not in open_features(tmp_path)


def test_folders_of_subsets_are_one_stream(tmp_path):
    for folder, name, array in (("train", "a", A), ("test", "b", B), ("deep/er", "c", A)):
        (tmp_path / folder).mkdir(parents=True)
        np.save(tmp_path / folder / f"{name}.npy", array)
    assert holds(tmp_path) and holds(tmp_path, "b", B)
    store = open_features(tmp_path)
    assert "train/a" in store and "deep/er/c" in store and "test/a" not in store
    np.save(tmp_path / "test" / "a.npy", B)
    with pytest.raises(UserError, match="video a has several files: .*test/a.npy, .*train/a.npy; "
                                        "keep one"):
        open_features(tmp_path).lengths("a")


def test_folders_of_subsets_and_streams(tmp_path):
    for place in ("train/rgb", "train/flow", "test/rgb", "test/flow"):
        (tmp_path / place).mkdir(parents=True)
        np.save(tmp_path / place / f"{place[:2]}.npy", A)
    store = open_features(tmp_path)
    assert store.streams == ("rgb", "flow") and "tr" in store and "te" in store


def test_hidden_files_are_not_features(tmp_path):
    (tmp_path / ".cache").mkdir()
    np.save(tmp_path / ".cache" / "a.npy", A)
    np.save(tmp_path / "b.npy", B)
    assert "a" not in open_features(tmp_path)


# ---- what is refused, and its remedy ------------------------------------------------------------

def follow(message, folder, monkeypatch):
    """Run the line of Python that a message ends with."""
    monkeypatch.chdir(folder)
    line = re.search(r"(?:np|torch)\.save.*", message)[0]
    eval(line, {"np": np, "torch": torch, "pickle": pickle})  # noqa: S307


@pytest.mark.parametrize("ending, why", [(".csv", "does not say which are its header"),
                                         (".txt", "does not say which are its header"),
                                         (".pkl", "may run any code")])
def test_other_files_are_refused_with_the_reason(tmp_path, monkeypatch, ending, why):
    if ending == ".pkl":
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(A))
    else:
        np.savetxt(tmp_path / f"a{ending}", A, delimiter="," if ending == ".csv" else " ",
                   fmt="%.9g")
    with pytest.raises(UserError, match=f"a{ending} is a {ending} file, which is not read .*{why}"
                       ) as refused:
        open_features(tmp_path)
    follow(str(refused.value), tmp_path, monkeypatch)
    store = open_features(tmp_path)
    assert store.read("a", ONLY) == pytest.approx(A)


def test_a_dict_in_a_npy_is_refused_with_what_it_holds(tmp_path, monkeypatch):
    np.save(tmp_path / "a.npy", {"feats": A, "stride": 4})
    with pytest.raises(UserError, match="pickled object, apparently a dict of feats, stride, which "
                                        "could run any code") as refused:
        open_features(tmp_path).lengths("a")
    follow(str(refused.value), tmp_path, monkeypatch)
    assert holds(tmp_path)


def test_a_dict_in_a_pt_is_opened_or_says_what_it_holds(tmp_path):
    torch.save({"features": torch.from_numpy(A), "times": torch.zeros(12)}, tmp_path / "a.pt")
    assert holds(tmp_path)
    torch.save({"video": {"x": torch.from_numpy(A), "fps": 25}}, tmp_path / "a.pt")
    assert holds(tmp_path)
    torch.save({"x": torch.zeros(2, 3), "y": torch.zeros(4), "fps": 25}, tmp_path / "a.pt")
    with pytest.raises(UserError, match=r"a.pt holds x \(2 x 3\), y \(4\), fps \(int\); expected "
                                        "one array, or one called feats"):
        open_features(tmp_path).lengths("a")
    torch.save({"fps": 25, "name": "a"}, tmp_path / "a.pt")
    with pytest.raises(UserError, match=r"a.pt holds fps \(int\), name \(str\)"):
        open_features(tmp_path).lengths("a")
    torch.save([1, 2], tmp_path / "a.pt")
    with pytest.raises(UserError, match=r"holds a list, expected a tensor; save one: torch.save"):
        open_features(tmp_path).lengths("a")


def test_nested_groups_survive_a_second_process(tmp_path):
    write_hdf5(tmp_path / "f.h5", {"train/a": A, "train/b": B})
    store = open_features(tmp_path)
    store.lengths("a")
    again = pickle.loads(pickle.dumps(store))
    assert (again.read("a", ONLY) == A).all()
