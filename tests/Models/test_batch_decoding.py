"""Proposals of whole batches: window by window in numpy is the reference."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from Evaluation.postprocessing.decoding import decoded
from Evaluation.postprocessing.proposals import window_proposals
from Models.BatchDecoding import (
    Decoder,
    class_scores,
    gpu_decoder,
    one_behind,
    overlapping,
    suppressed,
)
from Models.VSGN import Predictions
from Utils.config.resolve import parse_config
from Utils.files import UserError
from Utils.inputs.dataset import Batch
from Utils.inputs.windows import Window

COLUMNS, GAP = 64, 16
CONFIG = replace(parse_config("Infer", ["--dataset", "demo", "--recipe", "paper"]),
                 temporal_scale=COLUMNS, stitch_gap=GAP, score_threshold=0.05)
RULES = ("score_threshold", "boundary_power", "max_per_class")


def random_batch(seed, items, anchors, num_scores):
    """Predictions with many ties, and their Batch; every other window is stitched."""
    rng = np.random.default_rng(seed)

    def tensor(array):
        return torch.from_numpy(np.asarray(array, dtype=np.float32))

    boxes = tensor(rng.integers(-8, 150, (items, anchors, 2)) / 2)
    curves = [tensor(rng.integers(0, 9, (items, COLUMNS)) / 8) for _ in range(3)]
    predictions = Predictions(tensor(rng.integers(-4, 5, (items, anchors, num_scores)) / 2), boxes,
                              boxes, *curves)
    frames = torch.tensor([16 if row % 2 else 1 + row for row in range(items)])
    return predictions, Batch(
        torch.zeros(items, 1, COLUMNS), frames, frames == 16,
        torch.arange(items).double() * 7, torch.full((items,), 3.0, dtype=torch.float64),
        [Window(f"video{row}", row, row + 9, 3.0) for row in range(items)])


def distinct(launched):
    """The same with distinct class scores, so that rounding changes no order."""
    logits = launched[0].logits
    logits.copy_(torch.randn(logits.shape, generator=torch.Generator().manual_seed(0)))
    return launched


def reference(predictions, batch, config):
    """Window by window, from the same class scores."""
    scores = class_scores(predictions.logits).numpy()
    rules = {name: getattr(config, name) for name in RULES}
    for row, window in enumerate(batch.windows):
        yield window, window_proposals(
            scores[row], *(part[row].numpy() for part in (
                predictions.adjusted, predictions.startness, predictions.endness)),
            *(fact[row].item() for fact in (batch.num_frames, batch.stitched, batch.origin,
                                            batch.rate)),
            gap=GAP, nms_threshold=config.nms_thr, **rules)


def assert_same(found, expected):
    for (window, ours), (other, theirs) in zip(found, expected, strict=True):
        assert window is other
        for name in ("segments", "scores", "labels"):
            one, two = getattr(ours, name), getattr(theirs, name)
            assert one.dtype == two.dtype and one.shape == two.shape
            assert np.array_equal(one, two), name


@given(st.integers(0, 10 ** 6), st.integers(1, 5), st.integers(0, 60), st.integers(1, 5),
       st.sampled_from([0.0, 0.4, 0.5 - 1e-9, 1.0]), st.sampled_from([None, 1, 3]))
@example(seed=0, items=3, anchors=60, num_scores=4, threshold=0.4, most=None)
@example(seed=0, items=2, anchors=0, num_scores=3, threshold=0.4, most=2)
@example(seed=0, items=2, anchors=5, num_scores=1, threshold=0.4, most=2)
def test_a_batch_is_its_windows_one_by_one(seed, items, anchors, num_scores, threshold, most):
    config = replace(CONFIG, nms_thr=threshold, max_per_class=most, class_agnostic=num_scores == 1)
    launched = random_batch(seed, items, anchors, num_scores)
    assert_same(decoded([launched], config, Decoder(config)), reference(*launched, config))


def test_the_power_of_the_boundary_scores_and_the_softmax_differ_by_rounding_only():
    config = replace(CONFIG, boundary_power=0.25)
    launched = distinct(random_batch(3, 4, 40, 5))
    both = list(zip(decoded([launched], config, Decoder(config)), decoded([launched], config),
                    strict=True))
    assert sum(len(ours) for (_, ours), _ in both) > 30
    for (_, ours), (_, theirs) in both:
        assert np.array_equal(ours.segments, theirs.segments)
        assert np.array_equal(ours.labels, theirs.labels)
        assert ours.scores == pytest.approx(theirs.scores, rel=1e-6)


def test_batches_of_all_sizes_come_in_order():
    launched = [random_batch(seed, items, 20, 4) for seed, items in enumerate((3, 1, 0, 2))]
    expected = [pair for part in launched for pair in reference(*part, CONFIG)]
    assert len(expected) == 6
    assert_same(decoded(launched, CONFIG, Decoder(CONFIG)), expected)
    assert [window for window, _ in decoded(launched, CONFIG)] == [w for w, _ in expected]
    assert list(decoded([], CONFIG, Decoder(CONFIG))) == []


def test_no_candidates_leave_no_proposals():
    config = replace(CONFIG, score_threshold=1.0)
    found = decoded([random_batch(0, 2, 20, 4)], config, Decoder(config))
    assert [len(proposals) for _, proposals in found] == [0, 0]


def test_a_score_at_the_threshold_is_not_a_candidate():
    launched = random_batch(0, 2, 20, 2)
    launched[0].logits.zero_()
    counts = {}
    for threshold in (0.49, 0.5):
        config = replace(CONFIG, score_threshold=threshold)
        counts[threshold] = sum(len(found) for _, found in decoded([launched], config,
                                                                   Decoder(config)))
    assert counts[0.49] > 0 and counts[0.5] == 0


@pytest.mark.parametrize("part", ["logits", "adjusted", "startness", "endness"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("make", [Decoder, lambda config: None], ids=["batch", "windows"])
def test_videos_whose_predictions_are_not_finite_are_named(part, bad, make):
    launched = random_batch(0, 3, 20, 4)
    getattr(launched[0], part)[1].flatten()[2] = bad
    with pytest.raises(UserError, match="predictions of video1 are not finite; look at their"):
        list(decoded([launched], CONFIG, make(CONFIG)))


def test_a_suppressed_box_suppresses_nothing():
    # 0 covers 1 by more than .4, 1 covers 2, but 0 does not cover 2.
    boxes = torch.tensor([[[0.0, 10], [4, 14], [8, 18]]])
    overlaps = overlapping(boxes, 0.4)
    assert overlaps[0].int().tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    order = torch.tensor([[[0, 1, 2], [1, 0, 2]]])
    assert suppressed(overlaps, order).tolist() == [[[False, True, False], [False, True, True]]]


def test_the_network_stays_one_batch_ahead():
    made = []

    def launched():
        for number in range(3):
            made.append(number)
            yield number

    behind = one_behind(launched())
    assert next(behind) == 0 and made == [0, 1]
    assert next(behind) == 1 and made == [0, 1, 2]
    assert list(behind) == [2]
    assert list(one_behind([])) == []


def test_networks_run_two_batches_ahead_of_the_proposals():
    seen = []

    def launched():
        for seed in range(4):
            seen.append(f"network {seed}")
            yield random_batch(seed, 1, 5, 3)

    for window, _ in decoded(launched(), CONFIG, Decoder(CONFIG)):
        seen.append(window.video)
    assert seen == ["network 0", "network 1", "network 2", "video0", "network 3", *["video0"] * 3]


def test_only_a_gpu_decodes_whole_batches():
    assert gpu_decoder(CONFIG, torch.device("cpu")) is None
    assert isinstance(gpu_decoder(CONFIG, torch.device("cuda")), Decoder)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_finds_what_the_processor_finds():
    launched = distinct(random_batch(5, 4, 60, 5))
    moved = Predictions(*(part.cuda() for part in vars(launched[0]).values()))
    found = decoded([(moved, launched[1].to("cuda"))] * 3, CONFIG, Decoder(CONFIG))
    for (_, ours), (_, theirs) in zip(found, list(reference(*launched, CONFIG)) * 3, strict=True):
        assert np.array_equal(ours.segments, theirs.segments)
        assert ours.scores == pytest.approx(theirs.scores, rel=1e-6)
