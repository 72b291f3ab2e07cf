import torch

from benchmarks.plain_network import PlainXGPN
from Models.VSGN import graph_options
from Models.XGPN import XGPN
from tests.golden import fill, golden_config

SMALL = {"temporal_scale": 128, "input_feat_dim": 12, "bb_hidden_dim": 32, "num_levels": 3,
         "num_neigh": 6, "stitch_gap": 8}


def small_pyramid(**options):
    config = golden_config("thumos", {**SMALL, **options})
    graph = graph_options(config) if config.use_xGPN else None
    return fill(XGPN(12, 32, 3, graph)), fill(PlainXGPN(config))


def test_levels_run_coarse_to_fine():
    pyramid, _ = small_pyramid()
    levels = pyramid(torch.randn(2, 12, 128))
    assert [tuple(level.shape) for level in levels] == [(2, 32, 8), (2, 32, 16), (2, 32, 32)]
    encoded = pyramid.encode(torch.randn(2, 12, 128))
    assert [level.shape[-1] for level in encoded] == [32, 16, 8]


def test_pyramid_is_the_plain_one():
    pyramid, plain = small_pyramid()
    x, num_frames = torch.randn(3, 12, 128), torch.tensor([40, 128, 30])
    with torch.no_grad():
        found = pyramid(x, torch.tensor([48, 128, 38]))
        for level, expected in zip(found, plain(x, num_frames), strict=True):
            torch.testing.assert_close(level, expected, rtol=1e-4, atol=1e-5)


def test_without_graph_the_second_copy_makes_no_difference():
    pyramid, plain = small_pyramid(use_xGPN=False)
    x = torch.randn(1, 12, 128)
    with torch.no_grad():
        found, expected = pyramid(x, torch.tensor([48])), plain(x, torch.tensor([40]))
    assert all(torch.equal(*pair) for pair in zip(found, pyramid(x), strict=True))
    for pair in zip(found, expected, strict=True):
        torch.testing.assert_close(*pair)


def test_stitching_changes_the_graph():
    pyramid, _ = small_pyramid()
    x = torch.randn(1, 12, 128)
    with torch.no_grad():
        assert not torch.allclose(pyramid(x, torch.tensor([48]))[-1], pyramid(x)[-1])
