"""Features are standardized by the training videos, wherever they are read."""

import numpy as np
import pytest
import torch

from tests.small_data import noise, write_hdf5
from Utils.data.feature_places import open_features
from Utils.data.standard import Standard, check_streams, is_uneven
from Utils.files import UserError


def store_of(folder, arrays):
    write_hdf5(folder / "f.h5", arrays)
    return open_features(folder)


def test_training_videos_get_mean_0_and_deviation_1(tmp_path):
    arrays = {name: 5 + 3 * noise(name, frames, 4) for name, frames in (("a", 5000), ("b", 70))}
    store = store_of(tmp_path, arrays)
    store.standard = Standard.measured(store, ["a", "b"])
    read = np.concatenate([store.read("a", "features"), store.read("b", "features")])
    assert read.dtype == np.float32
    assert read.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert read.std(axis=0) == pytest.approx(1, abs=1e-5)


def test_known_answer(tmp_path):
    store = store_of(tmp_path, {"a": np.array([[1., 10.], [3., 10.]]), "b": np.array([[5., 10.]])})
    store.standard = Standard.measured(store, ["a"])
    assert store.read("b", "features").tolist() == [[3.0, 0.0]]
    assert store.read("a", "features", 0, 1).tolist() == [[-1.0, 0.0]]


@pytest.mark.parametrize("value", [0.0, 1e8, -3.3e-7, 1e-30])
def test_a_constant_channel_becomes_zeros_even_if_another_video_varies(tmp_path, value):
    varied = noise("b", 9, 2)
    store = store_of(tmp_path, {"a": np.full((50, 2), value, np.float32), "b": varied})
    store.standard = Standard.measured(store, ["a"])
    assert store.standard.num_constant == 2
    assert (store.read("b", "features") == 0).all() and (store.read("a", "features") == 0).all()


def test_a_small_deviation_far_from_zero_is_kept(tmp_path):
    frames = (1000 + noise("a", 9000, 1)).astype(np.float32)
    store = store_of(tmp_path, {"a": frames})
    standard = Standard.measured(store, ["a"])
    assert 1 / standard.factors["features"][0] == pytest.approx(frames.std(dtype=float), rel=1e-4)


def test_deltas_are_standardized_like_channels(tmp_path):
    store = store_of(tmp_path, {"a": noise("a", 300, 3)})
    store.deltas = True
    store.standard = Standard.measured(store, ["a"])
    read = store.read("a", "features")
    assert read.shape == (300, 6) and read.std(axis=0) == pytest.approx(1, abs=1e-5)
    check_streams(store.standard, store)


def test_joined_streams_are_refused_if_deltas_lie_between_them(tmp_path):
    arrays = {"rgb": noise("rgb", 30, 3), "flow": noise("flow", 30, 2)}
    for name, frames in arrays.items():
        write_hdf5(tmp_path / f"{name}.h5", {"a": frames})
    store = open_features(tmp_path)
    store.deltas = True
    standard = Standard.measured(store, ["a"])
    other = tmp_path / "other"
    other.mkdir()
    joined = store_of(other, {"a": np.concatenate([*arrays.values()], axis=1)})
    joined.deltas = True
    with pytest.raises(UserError, match="give it features of the same streams"):
        check_streams(standard.fitting(joined), joined)


def test_a_standard_comes_back_from_a_checkpoint(tmp_path):
    store = store_of(tmp_path, {"a": noise("a", 30, 3)})
    standard = Standard.measured(store, ["a"])
    torch.save({"standard": standard.state()}, tmp_path / "c.pt")
    back = Standard.of(torch.load(tmp_path / "c.pt", weights_only=True)["standard"])
    frames = noise("b", 5, 3)
    assert (back("features", frames) == standard("features", frames)).all()
    assert Standard.of(None) is None


def test_other_streams_are_refused(tmp_path):
    standard = Standard.measured(store_of(tmp_path, {"a": noise("a", 30, 3)}), ["a"])
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UserError, match="channels features 4, the checkpoint .* features 3"):
        check_streams(standard, store_of(other, {"a": noise("a", 30, 4)}))
    with pytest.raises(UserError, match="not as Train.py writes them"):
        Standard.of({"features": {"mean": 1}})


def test_channels_of_several_units_are_uneven_and_scores_are_not(tmp_path):
    arrays = {name: noise(name, 200, 10) for name in "abc"}
    (tmp_path / "even").mkdir()
    assert not is_uneven(store_of(tmp_path / "even", arrays), list(arrays))
    scale = np.array([1.] * 5 + [30.] * 4 + [0.], np.float32)      # a constant one has no say
    store = store_of(tmp_path, {name: array * scale for name, array in arrays.items()})
    assert is_uneven(store, list(arrays))
    assert not is_uneven(store, [])
