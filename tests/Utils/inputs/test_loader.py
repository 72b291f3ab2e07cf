"""Order, sharing and sizes of batches, and where features are kept."""

import pytest
import torch

from tests.parity_data import ArrayStore
from tests.small_data import noise
from tests.Utils.inputs.test_dataset import config, video
from Utils.files import UserError
from Utils.inputs import resident
from Utils.inputs.dataset import WindowDataset
from Utils.inputs.loader import AHEAD, WindowLoader, prepared_ahead
from Utils.inputs.resident import choose_place
from Utils.inputs.windows import Window


def dataset(count):
    store = ArrayStore({"x": {"v": noise("v", 80, 2)}})
    windows = [Window("v", row, row + 40, 10.0) for row in range(count)]
    return WindowDataset(windows, [video("v", [[1, 2]], 8.0)], store, config(), True)


def starts(loader):
    return [[window.start for window in batch.windows] for batch in loader]


def test_without_shuffling_batches_come_in_order_and_the_last_may_be_small():
    loader = WindowLoader(dataset(7), 3)
    assert starts(loader) == [[0, 1, 2], [3, 4, 5], [6]] and len(loader) == 3


def test_the_order_depends_on_seed_and_epoch_alone():
    loader, other = (WindowLoader(dataset(9), 4, shuffle=True, seed=5) for _ in range(2))
    first = starts(loader)
    loader.set_epoch(1)
    second = starts(loader)
    torch.rand(3)
    other.set_epoch(1)
    assert starts(other) == second != first
    assert sorted(sum(first, [])) == sorted(sum(second, [])) == list(range(9))
    assert starts(WindowLoader(dataset(9), 4, shuffle=True, seed=6)) != first


def test_iterating_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    starts(WindowLoader(dataset(9), 4, shuffle=True))
    assert torch.equal(state, torch.get_rng_state())


def test_the_last_batch_is_dropped_only_if_it_is_small_and_not_the_only_one():
    assert [len(WindowLoader(dataset(n), 4, drop_last=True)) for n in (3, 4, 7, 8)] == [1, 1, 1, 2]
    assert starts(WindowLoader(dataset(3), 4, drop_last=True)) == [[0, 1, 2]]
    assert starts(WindowLoader(dataset(7), 4, drop_last=True)) == [[0, 1, 2, 3]]


def test_processes_share_each_global_batch():
    whole = starts(WindowLoader(dataset(7), 4, shuffle=True, seed=2))
    shares = [starts(WindowLoader(dataset(7), 4, shuffle=True, seed=2, rank=rank, world=2))
              for rank in range(2)]
    assert [sorted(a + b) for a, b in zip(*shares, strict=True)] == [sorted(b) for b in whole]
    assert [len(batch) for batch in shares[0]] == [2, 2]
    assert [len(batch) for batch in shares[1]] == [2, 1]


def test_a_process_without_a_share_gets_an_empty_batch():
    batch = list(WindowLoader(dataset(1), 4, rank=1, world=2))[0]
    assert batch.features.shape == (0, 2, 64) and batch.targets.action.shape == (0, 64)
    assert batch.windows == []


def test_a_thread_prepares_in_order_a_little_ahead_and_passes_errors_on():
    made = []

    def make(request):
        made.append(request)
        if request == 7:
            raise UserError("seven")
        return -request

    results = prepared_ahead(make, range(9))
    assert made == [] and next(results) == 0 and len(made) <= AHEAD + 1
    assert [next(results) for _ in range(6)] == [-1, -2, -3, -4, -5, -6]
    with pytest.raises(UserError, match="seven"):
        next(results)
    assert list(prepared_ahead(make, [])) == []


def test_features_are_kept_in_memory_if_they_fit(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(resident, "_free_ram", lambda: 1000)
    assert choose_place("auto", 125, cpu).where == "ram"          # 500 bytes, half of what is free
    assert choose_place("auto", 126, cpu).where == "none"
    assert choose_place("auto", 125, cpu, world=2).where == "none"
    assert choose_place("none", 1, cpu).where == "none"
    assert choose_place("ram", 10 ** 6, cpu).where == "ram"       # the user insists


def test_a_gpu_keeps_full_precision_if_it_fits_else_half(monkeypatch):
    gpu = torch.device("cuda")
    monkeypatch.setattr(resident, "_free_ram", lambda: 10_000)
    monkeypatch.setattr(resident, "_free_gpu", lambda device: 1000)
    places = {n: choose_place("auto", n, gpu) for n in (150, 300, 301, 1251)}
    assert [(p.where, p.dtype) for p in places.values()] == [
        ("gpu", torch.float32), ("gpu", torch.float16), ("ram", torch.float32),
        ("none", torch.float32)]
    assert choose_place("auto", 150, gpu, half=True).dtype == torch.float16
    assert choose_place("gpu", 10 ** 6, gpu).dtype == torch.float16
    assert choose_place("ram", 150, gpu).where == "ram"


def test_a_gpu_cache_without_a_gpu_is_refused():
    with pytest.raises(UserError, match="--cache gpu needs a GPU"):
        choose_place("gpu", 1, torch.device("cpu"))


def test_a_line_says_where_the_features_are():
    lines = {cache: WindowLoader(dataset(1), 1, cache=cache).describe() for cache in
             ("ram", "none")}
    assert "kept in RAM (0.00 GiB of features" in lines["ram"]
    assert "when needed (--cache none)" in lines["none"]
