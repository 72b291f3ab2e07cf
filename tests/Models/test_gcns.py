import pytest
import torch

from benchmarks.plain_network import PlainXGN
from Models.GCNs import XGN, GraphConv, NeighbourMax, neighbour_max, neighbour_mean, neighbours
from Models.VSGN import graph_options
from tests.golden import fill, golden_config

OPTIONS = [("feat_ctr", "max", False), ("feat_ctr", "mean", False), ("dif_ctr", "max", False),
           ("dif_ctr", "mean", False), ("feat_ctr", "max", True), ("feat_ctr", "mean", True),
           ("dif_ctr", "max", True)]


def on_a_line(*places):
    """One item whose single feature is a place on a line: (1, 1, L)."""
    return torch.tensor([[places]], dtype=torch.float32)


def test_nearest_first_itself_included():
    found = neighbours(on_a_line(0, 10, 11, 30), 3)
    assert found[0].tolist() == [[0, 1, 2], [1, 2, 0], [2, 1, 0], [3, 2, 1]]


def test_magnified_copy_takes_its_second_half_from_the_other_copy():
    x = on_a_line(0, 1, 5, 100, 101, 102)
    found = neighbours(x, 4, torch.tensor([3]))[0]
    assert found[:3].tolist() == neighbours(x, 4)[0, :3].tolist()
    assert found[3].tolist() == [3, 4, 2, 1]
    assert found[5].tolist() == [5, 4, 2, 1]


def test_an_item_without_a_second_copy_has_the_plain_neighbours():
    x = torch.randn(2, 8, 32, generator=torch.Generator().manual_seed(0))
    found = neighbours(x, 6, torch.tensor([32, 20]))
    assert torch.equal(found[0], neighbours(x, 6)[0])
    assert (found[1, 20:, 3:] < 20).all()


def test_excluded_positions_are_taken_when_too_few_are_left():
    found = neighbours(on_a_line(0, 1, 2, 3, 4, 5, 6, 7), 8, torch.tensor([2]))[0]
    assert all(sorted(row) == list(range(8)) for row in found[:2].tolist())
    assert all({0, 1} <= set(row) for row in found[2:].tolist())


def test_a_large_common_offset_changes_no_neighbour():
    x = torch.randn(2, 16, 64, generator=torch.Generator().manual_seed(1))
    assert torch.equal(neighbours(x + 1000, 6).sort().values, neighbours(x, 6).sort().values)


def test_neighbours_are_searched_in_full_precision_under_autocast_and_tf32():
    x = torch.randn(1, 64, 128, generator=torch.Generator().manual_seed(2))
    expected = neighbours(x, 8)
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(neighbours(x, 8), expected)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_maximum_known_by_hand():
    values = torch.tensor([[[1.0, 9.0], [2.0, 8.0], [3.0, 7.0]]])
    nearest = torch.tensor([[[0, 1], [1, 2], [2, 0]]])
    assert neighbour_max(values, nearest)[0].tolist() == [[2, 9], [3, 8], [3, 9]]
    assert neighbour_mean(values, nearest)[0].tolist() == [[1.5, 8.5], [2.5, 7.5], [2, 8]]


def test_maximum_and_its_gradient_are_those_of_gathering():
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(2, 10, 5, generator=generator, requires_grad=True)
    nearest = torch.randint(10, (2, 10, 4), generator=generator)
    weights = torch.randn(2, 10, 5, generator=generator)
    expected = values[torch.arange(2)[:, None, None], nearest].max(dim=2).values
    found = neighbour_max(values, nearest)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad((out * weights).sum(), values)[0] for out in (found, expected)]
    torch.testing.assert_close(*gradients)
    with torch.no_grad():
        assert torch.equal(neighbour_max(values, nearest), expected)


def test_the_maximum_keeps_one_byte_per_output():
    values = torch.randn(1, 8, 4, requires_grad=True)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        NeighbourMax.apply(values, torch.zeros(1, 8, 2, dtype=torch.int64))
    assert sorted(t.dtype.itemsize for t in kept) == [1, 8]
    assert max(t.numel() for t in kept if t.dtype == torch.uint8) == values.numel()


@pytest.mark.parametrize("insert", ["par", "seq"])
@pytest.mark.parametrize("mode, aggregation, weighted", OPTIONS)
def test_level_is_the_plain_one_with_its_gradients(insert, mode, aggregation, weighted):
    config = golden_config("thumos", {
        "temporal_scale": 128, "bb_hidden_dim": 32, "num_neigh": 5, "stitch_gap": 8,
        "nfeat_mode": mode, "agg_type": aggregation, "edge_weight": weighted,
        "gcn_insert": insert})
    ours, plain = fill(XGN(32, 32, graph_options(config))), fill(PlainXGN(config))
    x = torch.randn(3, 32, 64, generator=torch.Generator().manual_seed(4), requires_grad=True)
    num_frames = torch.tensor([40, 128, 20])
    found, expected = ours(x, torch.tensor([24, 64, 14])), plain(x, num_frames)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(5))
    gradients = [torch.autograd.grad((out * weights).sum(), [x, *module.parameters()])
                 for out, module in ((found, ours), (expected, plain))]
    for ours_gradient, plain_gradient in zip(*gradients, strict=True):
        torch.testing.assert_close(ours_gradient, plain_gradient, rtol=1e-3, atol=1e-4)


def test_identical_positions_stay_finite():
    options = graph_options(golden_config("thumos", {"num_neigh": 4, "edge_weight": True}))
    x = torch.zeros(1, 32, 16, requires_grad=True)
    out = GraphConv(32, 32, options)(x)
    out.sum().backward()
    assert out.isfinite().all() and x.grad.isfinite().all()
