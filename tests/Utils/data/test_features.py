"""Feature files of every kind, partial reads, and a sentence for every fault."""

import os
import pickle

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_data import noise, write_hdf5
from Utils.data.datasets import Video
from Utils.data.feature_files import ArrayStream
from Utils.data.feature_places import open_features
from Utils.data.features import FeatureStore, check_width, with_features
from Utils.data.hdf5_stream import Hdf5Stream
from Utils.files import UserError


def videos(*names):
    return [Video(name, "train", 10.0, np.zeros((0, 2)), np.zeros(0, int)) for name in names]


def two_streams(folder, rgb, flow):
    write_hdf5(folder / "rgb.h5", rgb)
    write_hdf5(folder / "flow.h5", flow)
    return open_features(folder)


# ---- kinds of files -----------------------------------------------------------------------------

def test_two_hdf5_files_are_two_streams(tmp_path):
    rgb, flow = noise("r", 20, 3), noise("f", 19, 2)
    store = two_streams(tmp_path, {"a": rgb}, {"a": flow})
    assert store.streams == ("rgb", "flow") and store.widths == (3, 2)
    assert store.lengths("a") == (20, 19) and "a" in store and "b" not in store
    assert (store.read("a", "rgb", 5, 9) == rgb[5:9]).all()
    assert (store.read("a", "flow") == flow).all()


def test_deltas_are_half_the_difference_of_the_neighbours(tmp_path):
    store = FeatureStore({"features": ArrayStream({
        "a": np.array([[1, 0], [2, 0], [5, 8]], np.float32), "b": np.ones((1, 2), np.float32)})})
    store.deltas = True
    assert store.widths == (4,) and store.stored_widths == (2,)
    assert store.read("a", "features").tolist() == [[1, 0, 1, 0], [2, 0, 2, 4], [5, 8, 3, 8]]
    assert store.read("b", "features").tolist() == [[1, 1, 0, 0]]
    check_width(store, 2)


@pytest.mark.parametrize("start, stop", [(0, 1), (0, 9), (3, 5), (8, 9), (4, None), (7, 40)])
def test_parts_have_the_deltas_of_the_whole(start, stop):
    store = FeatureStore({"features": ArrayStream({"a": noise("a", 9, 3)})})
    store.deltas = True
    whole = store.read("a", "features")
    assert (store.read("a", "features", start, stop) == whole[start:stop]).all()
    assert len(store.read("a", "features", start, stop)) == len(whole[start:stop])


def test_files_split_by_subset_are_one_stream(tmp_path):
    for subset, name in (("val", "a"), ("test", "b")):
        write_hdf5(tmp_path / f"rgb_{subset}.h5", {name: noise(name, 9, 3)})
    store = open_features(tmp_path)
    assert store.streams == ("rgb",) and "a" in store and "b" in store


def test_one_hdf5_file_of_any_name_is_one_stream(tmp_path):
    path = write_hdf5(tmp_path / "i3d.hdf5", {"a": noise("a", 9, 3)})
    for where in (path, tmp_path):
        store = open_features(where)
        assert store.streams == ("features",) and store.lengths("a") == (9,)


def save_npy(path, array):
    np.save(path.with_suffix(".npy"), array)


def save_npz(path, array):
    np.savez(path.with_suffix(".npz"), feats=array, other=np.zeros(3))


def save_pt(path, array):
    torch.save(torch.from_numpy(array), path.with_suffix(".pt"))


def save_pt_dict(path, array):
    torch.save({"feats": torch.from_numpy(array)}, path.with_suffix(".pt"))


@pytest.mark.parametrize("save", [save_npy, save_npz, save_pt, save_pt_dict])
def test_a_file_for_each_video(tmp_path, save):
    array = noise("a", 12, 3)
    save(tmp_path / "a.b", array) if save is not save_npy else np.save(tmp_path / "a.b.npy", array)
    name = "a" if save is not save_npy else "a.b"
    store = open_features(tmp_path)
    assert store.lengths(name) == (12,) and (store.read(name, "features", 3, 7) == array[3:7]).all()


def test_folders_rgb_and_flow_are_two_streams(tmp_path):
    for stream, width in (("rgb", 3), ("flow", 2)):
        (tmp_path / stream).mkdir()
        np.save(tmp_path / stream / "a.npy", noise(stream, 12, width))
    assert open_features(tmp_path).widths == (3, 2)


def test_features_filed_under_a_v_prefix_are_found(tmp_path):
    store = open_features(write_hdf5(tmp_path / "f.h5", {"v_xyz": noise("a", 9, 3)}))
    assert store.lengths("xyz") == store.lengths("v_xyz") == (9,)


def test_half_and_double_precision_and_whole_numbers_become_float32(tmp_path):
    for kind in (np.float16, np.float64, np.int16):
        array = (10 * noise("a", 9, 3)).astype(kind)
        store = open_features(write_hdf5(tmp_path / "f.h5", {"a": array}))
        found = store.read("a", "features")
        assert found.dtype == np.float32 and (found == array.astype(np.float32)).all()
        store.close()


def test_only_files_of_the_subsets_in_use_are_opened(tmp_path):
    layout = {"train": {"rgb": "rgb_val.h5"}, "test": {"rgb": "rgb_test.h5"}}
    write_hdf5(tmp_path / "rgb_test.h5", {"a": noise("a", 9, 3)})
    assert "a" in open_features(tmp_path, layout, ["test"])
    with pytest.raises(UserError, match="no feature file .*rgb_val.h5; check --feature_path"):
        open_features(tmp_path, layout, ["train", "test"])


def test_a_store_read_in_a_forked_process_opens_its_own_handles(tmp_path):
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": noise("a", 9, 3)}))
    expected = store.read("a", "features")
    child = os.fork()
    if not child:
        part = store.parts["features"]
        before = part._files[0].id.id
        same = (store.read("a", "features") == expected).all()
        os._exit(0 if same and part._files[0].id.id != before else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_store_can_be_sent_to_another_process(tmp_path):
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": noise("a", 9, 3)}))
    store.read("a", "features")
    again = pickle.loads(pickle.dumps(store))
    assert (again.read("a", "features") == store.read("a", "features")).all()


# ---- faults -------------------------------------------------------------------------------------

def test_a_missing_folder_and_one_without_features_are_refused(tmp_path):
    with pytest.raises(UserError, match="--feature_path is needed"):
        open_features(None)
    with pytest.raises(UserError, match="does not exist"):
        open_features(tmp_path / "none")
    with pytest.raises(UserError, match="no features in .*: expected rgb.h5 and flow.h5, one"):
        open_features(tmp_path)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "rgb.h5").mkdir()
    with pytest.raises(UserError, match="rgb.h5 is a folder, expected an HDF5 file"):
        "a" in open_features(tmp_path)  # noqa: B015


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", None])
def test_empty_foreign_and_truncated_hdf5_files_are_refused(tmp_path, content):
    path = write_hdf5(tmp_path / "rgb.h5", {"a": noise("a", 90, 30)})
    path.write_bytes(path.read_bytes()[:3000] if content is None else content)
    with pytest.raises(UserError, match="rgb.h5 cannot be read as HDF5"):
        "a" in open_features(tmp_path)  # noqa: B015


def test_missing_videos_are_counted_and_five_named(tmp_path):
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": noise("a", 9, 3)}))
    some = videos("a", *(f"m{i}" for i in range(7)))
    with pytest.raises(UserError, match="7 of 8 videos are not in the features: m0, m1, m2, m3, "
                                        "m4 and 2 more; .*/f.h5 has a; .*--skip_missing"):
        with_features(some, store, skip_missing=False)
    kept, wrong = with_features(some, store, skip_missing=True)
    assert [video.name for video in kept] == ["a"] and len(wrong) == 7


def test_a_video_missing_in_one_stream_names_the_stream(tmp_path):
    store = two_streams(tmp_path, {"a": noise("a", 9, 3)}, {"b": noise("a", 9, 3)})
    with pytest.raises(UserError, match="not in the flow features: a"):
        with_features(videos("a"), store, skip_missing=False)
    with pytest.raises(UserError, match="video a is not in the flow features"):
        store.lengths("a")


def test_streams_far_apart_in_length_are_an_error_a_few_frames_are_not(tmp_path):
    store = two_streams(tmp_path, {"a": noise("a", 100, 3), "b": noise("b", 100, 3)},
                        {"a": noise("a", 95, 3), "b": noise("b", 80, 3)})
    assert store.lengths("a") == (100, 95)
    with pytest.raises(UserError, match="video b: its streams differ too much in length .frames: "
                                        "100 of rgb, 80 of flow"):
        store.lengths("b")


@pytest.mark.parametrize("array, message", [
    (np.zeros((0, 3)), "features are empty"), (np.zeros((5, 0)), "features are empty"),
    (np.zeros(5), r"have the shape \(5,\), expected \[frames, channels\]"),
    (np.zeros((2, 3, 4)), "expected .frames, channels."),
    (np.array([[b"x"]]), "b is not an array of numbers"),
    (np.zeros((5, 4)), r"shape \(5, 4\), those of a have \(9, 3\); extract all of them")])
def test_arrays_of_the_wrong_kind_are_refused(tmp_path, array, message):
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": noise("a", 9, 3), "b": array}))
    store.lengths("a")
    with pytest.raises(UserError, match=message):
        store.lengths("b")


def test_transposed_arrays_are_recognized(tmp_path):
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": np.zeros((3, 9)),
                                                         "b": np.zeros((3, 12))}))
    store.lengths("a")
    with pytest.raises(UserError, match=r"if they are stored \[channels, frames\], store \[frames"):
        store.lengths("b")


def test_a_group_of_several_arrays_is_refused(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["a/b"], file["a/c"], file["d"] = (noise(name, 9, 3) for name in "bcd")
    with pytest.raises(UserError, match=r"f.h5: a holds b \(9 x 3\), c \(9 x 3\); expected one "):
        open_features(tmp_path).lengths("a")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_name_video_and_frame(tmp_path, value):
    array = noise("a", 90, 3)
    array[71, 2] = value
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": array}))
    assert len(store.read("a", "features", 0, 71)) == 71
    with pytest.raises(UserError, match="video a: its features have NaN or infinite "
                                        "values, first at frame 71"):
        store.read("a", "features", 50, 80)


def test_large_but_finite_values_pass(tmp_path):
    array = np.full((90, 30), 3e38, dtype=np.float32)
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": array}))
    assert (store.read("a", "features") == array).all()


def test_skip_missing_also_finds_values_that_are_not_finite(tmp_path):
    bad = noise("a", 9, 3)
    bad[8, 0] = np.nan
    store = open_features(write_hdf5(tmp_path / "f.h5", {"a": noise("a", 9, 3), "b": bad}))
    assert len(with_features(videos("a", "b"), store, skip_missing=False)[0]) == 2
    kept, wrong = with_features(videos("a", "b"), store, skip_missing=True)
    assert [video.name for video in kept] == ["a"] and "NaN" in wrong["b"]


def test_another_width_suggests_the_flag(tmp_path):
    store = two_streams(tmp_path, {"a": noise("a", 9, 3)}, {"a": noise("a", 9, 2)})
    check_width(store, 5)
    with pytest.raises(UserError, match=r"5 channels \(rgb 3 \+ flow 2\), but --input_feat_dim is "
                                        "2048; set --input_feat_dim 5"):
        check_width(store, 2048)


def test_features_stored_the_other_way_round_are_recognized_by_the_option(tmp_path):
    store = two_streams(tmp_path, {"a": noise("a", 3, 9)}, {"a": noise("a", 2, 9)})
    with pytest.raises(UserError, match=r"seem to be stored \[channels, frames\]: 5 frames"):
        check_width(store, 5)


def test_names_that_look_like_paths_never_leave_the_folder(tmp_path):
    outside = tmp_path / "secret.npy"
    np.save(outside, noise("a", 9, 3))
    folder = tmp_path / "features"
    folder.mkdir()
    np.save(folder / "a.npy", noise("a", 9, 3))
    store = open_features(folder)
    for name in ("../secret", str(outside.with_suffix("")), "x" * 5000, "a/../a"):
        assert name not in store
    write_hdf5(folder / "f.h5", {"a": noise("a", 9, 3)})
    assert "../secret" not in open_features(folder)


def test_pickles_are_not_executed(tmp_path):
    class Boom:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    for name, save in (("a.pt", torch.save), ("b.npy", np.save)):
        content = [Boom()] if name == "a.pt" else np.array([Boom()], dtype=object)
        save(*((content, tmp_path / name) if name == "a.pt" else (tmp_path / name, content)))
    store = open_features(tmp_path)
    for name in ("a", "b"):
        with pytest.raises(UserError, match=f"the features of {name} in .* cannot be read"):
            store.lengths(name)
    assert not (tmp_path / "executed").exists()


@settings(max_examples=80)
@given(st.data())
def test_garbled_files_are_refused_with_a_sentence(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "garbled"
    folder.mkdir(exist_ok=True)
    kind = data.draw(st.sampled_from([".h5", ".npy", ".npz", ".pt"]))
    path = folder / f"a{kind}"
    array = noise("a", 9, 3)
    if kind == ".h5":
        write_hdf5(path, {"a": array})
    else:
        {".npy": save_npy, ".npz": save_npz, ".pt": save_pt}[kind](path, array)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[:data.draw(st.integers(0, len(content)))])
    try:
        store = open_features(folder if kind != ".h5" else path)
        if "a" in store:
            store.lengths("a")
            store.read_through("a")
        store.close()
    except UserError as problem:
        assert str(problem)
    finally:
        path.unlink()


def test_closed_files_open_again(tmp_path):
    store = FeatureStore({"x": Hdf5Stream([write_hdf5(tmp_path / "f.h5",
                                                      {"a": noise("a", 9, 3)})])})
    first = store.read("a", "x")
    store.close()
    store.close()
    assert (store.read("a", "x") == first).all()
