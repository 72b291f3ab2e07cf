"""Inputs and batches: equal to the plain formulation, wherever the features are kept."""

import multiprocessing

import numpy as np
import pytest
import torch

from benchmarks.plain_data import plain_resize, plain_sliding_item
from tests.parity_data import ArrayStore
from tests.small_data import noise, write_hdf5
from Utils.config.resolve import resolve
from Utils.data.datasets import Video
from Utils.data.feature_places import open_features
from Utils.files import UserError
from Utils.inputs.dataset import MAX_ACTIONS, WindowDataset
from Utils.inputs.loader import WindowLoader
from Utils.inputs.resident import DeviceInputs, ResidentFeatures
from Utils.inputs.windows import Window

FRAMES = {"a": 100, "b": 41}
# Stitched where they have at most 25 of 64 frames.
WINDOWS = [Window("a", 0, 63, 10.0), Window("a", 60, 99, 10.0), Window("a", 30, 54, 10.0),
           Window("b", 5, 30, 10.0), Window("b", 12, 12, 10.0), Window("a", 70, 90, 10.0)]


def config(**options):
    return resolve({"dataset": "custom", "recipe": "paper", "framing": "sliding",
                    "temporal_scale": 64, "stitch_gap": 8, "short_ratio": 0.4, **options})


def video(name, segments, duration):
    return Video(name, "train", duration, np.array(segments, float).reshape(-1, 2),
                 np.arange(1, len(segments) + 1))


VIDEOS = [video("a", [[1, 2.5], [3.15, 4.05], [7.3, 8.9], [0, 10]], 10.0),
          video("b", [[1, 2]], 4.1)]


@pytest.fixture
def store(tmp_path):
    for stream, width in (("rgb", 5), ("flow", 3)):
        write_hdf5(tmp_path / f"{stream}.h5",
                   {name: noise(stream + name, n, width) for name, n in FRAMES.items()})
    return open_features(tmp_path)


@pytest.fixture
def dataset(store):
    return WindowDataset(WINDOWS, VIDEOS, store, config(), with_targets=True)


def assert_same(batch, other):
    for name in ("features", "num_frames", "stitched", "origin", "rate"):
        assert torch.equal(getattr(batch, name), getattr(other, name)), name
    assert batch.windows == other.windows and (batch.targets is None) == (other.targets is None)
    for name, tensor in vars(batch.targets).items() if batch.targets else ():
        same = getattr(other.targets, name)
        assert tensor is same is None or torch.equal(tensor, same), name


def test_items_are_those_of_the_plain_formulation(dataset, tmp_path):
    paths = [tmp_path / "rgb.h5", tmp_path / "flow.h5"]
    known = {video.name: video for video in VIDEOS}
    for row, window in enumerate(WINDOWS):
        item, targets, table, n = plain_sliding_item(paths, known[window.video], window, 64, 8, 0.4)
        batch = dataset[row]
        assert batch.features[0].numpy() == pytest.approx(item.numpy(), abs=1e-6)
        assert int(batch.num_frames) == n and bool(batch.stitched) == (n <= 25)
        count = int(batch.targets.counts)
        assert (table[:, 2] > 0).sum() == count
        assert batch.targets.segments[0, :count].numpy() / 64 == pytest.approx(table[:count, :2])
        assert (batch.targets.labels[0, :count].numpy() == table[:count, 2]).all()
        for name, plain in zip(("action", "start", "end"), targets, strict=True):
            assert getattr(batch.targets, name)[0].numpy() == pytest.approx(plain, abs=1e-6)


def test_positions_come_back_to_seconds(dataset):
    batch = dataset[1]
    assert (batch.origin.item(), batch.rate.item()) == (60, 10)
    seconds = (batch.targets.segments[0] + batch.origin) / batch.rate
    assert seconds.tolist() == pytest.approx(np.array([[7.3, 8.9]]))


def test_a_batch_is_its_items_joined(dataset):
    rows = [3, 0, 5, 4]
    batch = dataset.batch(rows)
    for place, row in enumerate(rows):
        item, count = dataset[row], int(batch.targets.counts[place])
        for name in ("features", "num_frames", "stitched", "origin", "rate"):
            assert torch.equal(getattr(batch, name)[place], getattr(item, name)[0]), name
        assert batch.windows[place] == item.windows[0]
        for name in ("segments", "labels"):
            one, own = getattr(batch.targets, name)[place], getattr(item.targets, name)[0]
            assert torch.equal(one[:count], own) and not one[count:].any(), name
        for name in ("counts", "action", "start", "end"):
            assert torch.equal(getattr(batch.targets, name)[place],
                               getattr(item.targets, name)[0]), name


def test_a_batch_without_targets(store):
    dataset = WindowDataset(WINDOWS, VIDEOS, store, config(), with_targets=False)
    assert dataset.batch([1, 2]).targets is None and dataset[0].targets is None


def test_without_self_stitching_short_windows_are_padded(store):
    batch = WindowDataset(WINDOWS, VIDEOS, store, config(use_VSS=False), True)[2]
    assert not batch.stitched and not batch.features[0, :, 25:].any()


def test_actions_beyond_the_cap_still_make_frame_targets():
    many = video("m", [[i, i + 0.5] for i in range(60)], 64.0)
    dataset = WindowDataset([Window("m", 0, 63, 1.0)], [many],
                            ArrayStore({"x": {"m": noise("m", 64, 2)}}), config(), True)
    targets = dataset[0].targets
    assert targets.counts.item() == targets.labels.shape[1] == MAX_ACTIONS
    assert targets.action[0, 59] == 60


def test_a_stream_a_few_frames_shorter_repeats_its_last_frame(tmp_path):
    rgb, flow = noise("r", 40, 2), noise("f", 37, 2)
    store = ArrayStore({"rgb": {"v": rgb}, "flow": {"v": flow}})
    plain = WindowDataset([Window("v", 10, 39, 10.0)], [video("v", [], 4.0)], store, config(),
                          False)[0].features[0]
    assert (plain[:2, :30].T.numpy() == rgb[10:]).all()
    assert (plain[2:, :27].T.numpy() == flow[10:]).all()
    assert (plain[2:, 27:30].T.numpy() == flow[-1]).all()
    behind = WindowDataset([Window("v", 38, 39, 10.0)], [video("v", [], 4.0)], store, config(),
                           False)[0].features[0]
    assert (behind[2:, :2].T.numpy() == flow[-1]).all()


def test_whole_videos_are_resized_in_each_stream():
    rgb, flow = noise("r", 200, 2), noise("f", 180, 2)
    store = ArrayStore({"rgb": {"v": rgb}, "flow": {"v": flow}})
    batch = WindowDataset([Window("v", 0, 40.0)], [video("v", [[10, 20]], 40.0)], store,
                          config(framing="whole"), True)[0]
    assert batch.features[0, :2].T.numpy() == pytest.approx(plain_resize(rgb, 64), abs=1e-5)
    assert batch.features[0, 2:].T.numpy() == pytest.approx(plain_resize(flow, 64), abs=1e-5)
    assert batch.targets.segments[0].tolist() == [[16, 32]]
    # Positions / rate are fractions of the duration.
    assert (batch.origin.item(), batch.rate.item()) == (0, 64)


def test_a_stretch_of_a_video_comes_back_to_fractions_of_the_whole():
    store = ArrayStore({"rgb": {"v": noise("r", 200, 2)}})
    batch = WindowDataset([Window("v", 10.0, 30.0)], [video("v", [[12, 20]], 40.0)], store,
                          config(framing="whole", use_VSS=False), True)[0]
    fractions = (batch.targets.segments[0] + batch.origin) / batch.rate
    assert fractions.tolist() == [[pytest.approx(0.3), pytest.approx(0.5)]]


def test_windows_that_do_not_fit_the_data_are_refused(store):
    with pytest.raises(UserError, match="the windows are of 1 video without annotations .*: z"):
        WindowDataset([Window("z", 0, 9, 1.0)], VIDEOS, store, config(), True)
    with pytest.raises(UserError, match="window 0 .. 100 of a ends after its 100 frames"):
        WindowDataset([Window("a", 0, 100, 1.0)], VIDEOS, store, config(), True)
    with pytest.raises(UserError, match="window 11 .. 12 s of a is outside its 10.0 s"):
        WindowDataset([Window("a", 11, 12)], VIDEOS, store, config(framing="whole"), True)


def test_no_windows_make_an_empty_dataset(store):
    dataset = WindowDataset([], VIDEOS, store, config(), True)
    assert len(dataset) == 0 and list(WindowLoader(dataset, 4)) == []


# ---- places -------------------------------------------------------------------------------------

def test_items_from_memory_equal_items_from_disk(dataset, store):
    from_disk = dataset.batch(list(range(len(WINDOWS))))
    resident = ResidentFeatures(store, ["a", "b"])
    dataset.features = resident
    assert_same(dataset.batch(list(range(len(WINDOWS)))), from_disk)


def test_items_gathered_on_a_device_equal_items_from_disk(dataset, store):
    requests = [[5, 1, 2], [0], [], [4, 3]]
    inputs = DeviceInputs(dataset, ResidentFeatures(store, ["b", "a"]))
    for rows, batch in zip(requests, inputs.batches(requests), strict=True):
        assert_same(batch, dataset.batch(rows))
    assert list(inputs.batches([])) == []


def test_gathered_items_of_a_shorter_stream_equal_those_of_disk():
    store = ArrayStore({"rgb": {"v": noise("r", 40, 2), "w": noise("s", 50, 2)},
                        "flow": {"v": noise("f", 37, 2), "w": noise("g", 50, 2)}})
    windows = [Window("v", 10, 39, 10.0), Window("v", 38, 39, 10.0), Window("v", 20, 39, 10.0)]
    dataset = WindowDataset(windows, [video("v", [], 4.0), video("w", [], 5.0)], store, config(),
                            False)
    inputs = DeviceInputs(dataset, ResidentFeatures(store, ["v", "w"]))
    assert_same(next(inputs.batches([[0, 1, 2]])), dataset.batch([0, 1, 2]))


def test_half_precision_differs_by_its_rounding_only(dataset, store):
    inputs = DeviceInputs(dataset, ResidentFeatures(store, ["a", "b"], dtype=torch.float16))
    difference = next(inputs.batches([[0, 2]])).features - dataset.batch([0, 2]).features
    assert 0 < difference.abs().max() < 4e-3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_items_gathered_on_a_gpu_equal_items_from_disk(dataset):
    expected = dataset.batch([0, 1, 2, 3, 4, 5])
    for cache in ("gpu", "ram", "none"):
        loader = WindowLoader(dataset, 6, "cuda", cache=cache)
        batch = next(iter(loader)).to("cpu")
        assert (batch.features - expected.features).abs().max() < 1e-6
        assert torch.equal(batch.targets.start, expected.targets.start)


def test_records_move_as_one(dataset):
    moved = dataset[0].to("meta")
    assert moved.features.is_meta and moved.targets.action.is_meta
    assert moved.windows == [WINDOWS[0]]


def test_processes_that_prepare_batches_give_the_same_ones(dataset):
    if multiprocessing.get_start_method() != "fork":
        pytest.skip("workers are started another way")
    alone = list(WindowLoader(dataset, 4, shuffle=True, seed=1, cache="none"))
    state = torch.get_rng_state()
    helped = list(WindowLoader(dataset, 4, shuffle=True, seed=1, cache="none", num_workers=1))
    assert torch.equal(state, torch.get_rng_state())
    for batch, other in zip(alone, helped, strict=True):
        assert_same(batch, other)
