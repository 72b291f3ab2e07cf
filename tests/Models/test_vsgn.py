import dataclasses

import pytest
import torch

from benchmarks.plain_network import PlainVSGN
from Models.VSGN import VSGN
from tests.golden import fill, golden_config
from Utils.files import UserError

SMALL = {"temporal_scale": 128, "input_feat_dim": 12, "bb_hidden_dim": 32, "num_levels": 3,
         "num_head_layers": 2, "num_neigh": 6, "stitch_gap": 8}
NUM_FRAMES = torch.tensor([40, 128, 20])


def small(dataset="thumos", **options):
    return golden_config(dataset, {**SMALL, **options})


def features(seed=0, batch=3):
    return torch.randn(batch, 12, 128, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dataset, scores", [("thumos", 21), ("activitynet", 1)])
def test_shapes_of_the_predictions(dataset, scores):
    found = VSGN(small(dataset))(features(), NUM_FRAMES)
    anchors = 2 * (32 + 16 + 8)
    assert found.logits.shape == (3, anchors, scores)
    assert found.boxes.shape == found.adjusted.shape == (3, anchors, 2)
    for scores in (found.actionness, found.startness, found.endness):
        assert scores.shape == (3, 128) and (scores > 0).all() and (scores < 1).all()


@pytest.mark.parametrize("options", [{}, {"use_VSS": False}, {"use_xGPN": False},
                                     {"class_agnostic": True, "anchor_scale": (1.0, 2.0, 4.0)}])
def test_network_is_the_plain_one(options):
    config = small(**options)
    model, plain = fill(VSGN(config)), fill(PlainVSGN(config))
    with torch.no_grad():
        found, expected = model(features(), NUM_FRAMES), plain(features(), NUM_FRAMES)
    for field in dataclasses.fields(found):
        torch.testing.assert_close(getattr(found, field.name), expected[field.name],
                                   rtol=1e-4, atol=1e-4)


def test_an_item_does_not_depend_on_its_batch():
    model = fill(VSGN(small()))
    with torch.no_grad():
        together, alone = model(features(), NUM_FRAMES), model(features()[:1], NUM_FRAMES[:1])
    torch.testing.assert_close(together.adjusted[:1], alone.adjusted, rtol=1e-4, atol=1e-4)


def test_stitching_follows_the_number_of_frames_at_the_border():
    model = fill(VSGN(small(short_ratio=0.25)))
    assert model._second_copy(torch.tensor([32, 33])).tolist() == [40, 128]
    assert VSGN(small(use_VSS=False))._second_copy(NUM_FRAMES) is None


def test_bfloat16_convolutions_give_float32_predictions():
    model = fill(VSGN(small()))
    with torch.no_grad():
        expected = model(features(), NUM_FRAMES)
        with torch.autocast("cpu", torch.bfloat16):
            found = model(features(), NUM_FRAMES)
    for field in dataclasses.fields(found):
        assert getattr(found, field.name).dtype == torch.float32
    assert (found.actionness - expected.actionness).abs().max() < 0.05
    assert not torch.equal(found.actionness, expected.actionness)


def test_empty_batch():
    found = VSGN(small())(features(batch=0), torch.zeros(0, dtype=torch.int64))
    assert found.boxes.shape == (0, 112, 2) and found.actionness.shape == (0, 128)


@pytest.mark.parametrize("options, message", [
    ({"num_neigh": 17}, "num_neigh 17 is more than the 16 positions"),
    ({"num_neigh": 300, "temporal_scale": 3200}, "num_neigh 300 .* must be from 1 to 256"),
    ({"temporal_scale": 120}, "temporal_scale 120 is not divisible by 16"),
    ({"bb_hidden_dim": 40}, "bb_hidden_dim 40 is impossible: it must be a multiple of 32"),
    ({"nfeat_mode": "feat"}, "nfeat_mode feat is not one of feat_ctr, dif_ctr")])
def test_a_network_that_cannot_be_built_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        VSGN(small(**options))
