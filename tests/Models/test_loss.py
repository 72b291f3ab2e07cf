import math
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch._subclasses.fake_tensor import FakeTensorMode

from benchmarks.plain_network import plain_losses
from Models.Loss import Criterion, frame_shares, giou, normalize, sigmoid_focal
from Models.VSGN import VSGN, Predictions
from tests.golden import fill, golden_config

SMALL = {"temporal_scale": 128, "input_feat_dim": 12, "bb_hidden_dim": 32, "num_levels": 3,
         "num_head_layers": 2, "num_neigh": 6, "stitch_gap": 8}
NAMES = ["loss_cls_dec", "loss_reg_dec", "loss_bd_adjust", "loss_action", "loss_start", "loss_end"]


def small(dataset="thumos"):
    return golden_config(dataset, SMALL)


def batch_of(counts, seed=0, width=6):
    """Features, frames and targets of a batch with `counts` actions in its items."""
    generator = torch.Generator().manual_seed(seed)
    size = len(counts)
    start = torch.rand(size, width, generator=generator) * 90
    length = torch.rand(size, width, generator=generator) * 35
    curves = (torch.rand(3, size, 128, generator=generator) > 0.8).float()
    targets = SimpleNamespace(
        segments=torch.stack([start, start + length], dim=-1), counts=torch.tensor(counts),
        labels=torch.randint(1, 21, (size, width), generator=generator),
        action=curves[0] * 7, start=curves[1], end=curves[2])
    return (torch.randn(size, 12, 128, generator=generator),
            torch.tensor([40, 128, 20, 100][:size]), targets)


def losses_of(config, features, num_frames, targets):
    model, criterion = fill(VSGN(config)), Criterion(config)
    losses = criterion(model(features, num_frames), targets)
    criterion.total(losses).backward()
    return losses, {name: value.grad for name, value in model.named_parameters()}


def balanced(scores, truth, epsilon=0.0, visible=None):
    scores, truth = torch.tensor([scores]), torch.tensor([truth])
    shares = frame_shares(scores, truth, visible, epsilon)
    return normalize({"loss": shares})["loss"].item()


def test_balanced_cross_entropy_by_hand():
    # One positive of four frames; each side weighs one half.
    expected = -0.5 * math.log(0.5) - 0.5 * (math.log(0.9) + 2 * math.log(0.8)) / 3
    assert balanced([0.5, 0.1, 0.2, 0.2], [7.0, 0.0, 0.5, 0.0]) == pytest.approx(expected)


def test_a_side_without_frames_contributes_nothing():
    assert balanced([0.5, 0.5], [0.0, 0.0]) == pytest.approx(-0.5 * math.log(0.5))
    assert balanced([0.5, 0.5], [1.0, 1.0]) == pytest.approx(-0.5 * math.log(0.5))


def test_certain_frames_stay_finite():
    assert balanced([0.0, 1.0], [1.0, 0.0], epsilon=1e-5) == pytest.approx(-math.log(1e-5), 1e-2)


def test_masked_frames_do_not_count():
    visible = torch.tensor([[True, True, False, False]])
    assert balanced([0.5, 0.1, 0.9, 0.9], [1.0, 0.0, 0.0, 1.0], visible=visible) == pytest.approx(
        balanced([0.5, 0.1], [1.0, 0.0]))


@pytest.mark.parametrize("box, expected", [
    ([0.0, 10.0], 1.0), ([10.0, 0.0], 1.0), ([0.0, 5.0], 0.5), ([20.0, 30.0], -1 / 3)])
def test_giou_by_hand(box, expected):
    assert giou(torch.tensor(box), torch.tensor([0.0, 10.0])).item() == pytest.approx(expected)


def test_giou_of_points_is_finite():
    point = torch.tensor([5.0, 5.0], requires_grad=True)
    value = giou(point, torch.tensor([5.0, 5.0]))
    value.backward()
    assert value.isfinite() and point.grad.isfinite().all()


def test_focal_loss_by_hand():
    found = sigmoid_focal(torch.zeros(2), torch.tensor([True, False]), 0.35)
    expected = [0.35 * 0.25 * math.log(2), 0.65 * 0.25 * math.log(2)]
    assert found.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("dataset", ["thumos", "activitynet"])
@pytest.mark.parametrize("counts", [[3, 6, 1], [0, 2, 0], [0, 0, 0]])
def test_losses_are_the_plain_ones(dataset, counts):
    config = small(dataset)
    features, num_frames, targets = batch_of(counts)
    predictions = fill(VSGN(config))(features, num_frames)
    criterion = Criterion(config)
    found = criterion(predictions, targets)
    assert list(found) == NAMES
    expected = plain_losses(vars(predictions), targets, config)
    found["total"] = criterion.total(found)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6, msg=name)


@pytest.mark.parametrize("dataset", ["thumos", "activitynet"])
@pytest.mark.parametrize("case", ["no actions", "no room for any", "zero length", "no curves"])
def test_edge_cases_are_finite_with_their_gradients(dataset, case):
    features, num_frames, targets = batch_of([2, 6, 1], width=6)
    if case == "no actions":
        targets.counts.zero_()
    elif case == "no room for any":
        targets.counts.zero_()
        targets.segments, targets.labels = targets.segments[:, :0], targets.labels[:, :0]
    elif case == "zero length":
        targets.segments[..., 1] = targets.segments[..., 0]
    else:
        targets.action, targets.start, targets.end = torch.zeros(3, 3, 128)
    losses, gradients = losses_of(small(dataset), features, num_frames, targets)
    assert all(value.isfinite() for value in losses.values())
    assert all(value.isfinite().all() for value in gradients.values())
    if case != "no curves":
        assert losses["loss_reg_dec"] == losses["loss_bd_adjust"] == 0


def test_an_empty_batch_has_losses_of_zero():
    losses, _ = losses_of(small(), *batch_of([]))
    assert [value.item() for value in losses.values()] == [0] * 6


def predictions_of(boxes, logits):
    curve = torch.full((1, 128), 0.5)
    return Predictions(logits, boxes, boxes, curve, curve, curve)


@pytest.mark.parametrize("dataset, sure, expected", [
    # 0.65 / 4 * ln 2 of each of the anchors on the 64 frames that are left, over max(1, 0).
    ("thumos", -50.0, math.log(21)), ("activitynet", 50.0, 56 * 0.65 / 4 * math.log(2))])
def test_anchors_on_masked_frames_are_not_negatives(dataset, sure, expected):
    config = small(dataset)
    criterion = Criterion(config)
    boxes = criterion.anchors[None].clone()
    targets = batch_of([0])[2]
    logits = torch.zeros(1, len(boxes[0]), config.num_scores)
    is_late = criterion.anchors.mean(dim=-1) >= 64
    logits[0, is_late, 0] = sure                       # of an action where there is none
    found = criterion(predictions_of(boxes, logits), targets)["loss_cls_dec"]
    assert found > expected + 10
    targets.mask = torch.arange(128)[None] < 64
    found = criterion(predictions_of(boxes, logits), targets)["loss_cls_dec"]
    assert found.item() == pytest.approx(expected)


def test_a_masked_positive_still_counts():
    config = small()
    criterion = Criterion(config)
    targets = batch_of([1])[2]
    targets.segments[0, 0] = criterion.anchors[0]
    logits = torch.zeros(1, len(criterion.anchors), 21)
    logits[0, :, targets.labels[0, 0]] = 100.0         # right where positive, wrong elsewhere
    targets.mask = torch.zeros(1, 128, dtype=torch.bool)
    found = criterion(predictions_of(criterion.anchors[None], logits), targets)
    assert found["loss_cls_dec"].item() == pytest.approx(0.0, abs=1e-6)
    assert found["loss_action"] == 0


def test_no_gradient_reaches_the_matching():
    features, num_frames, targets = batch_of([2, 3, 1])
    _, gradients = losses_of(small(), features, num_frames, targets)
    assert all(value is not None for value in gradients.values())


def test_nothing_waits_for_the_host():
    with FakeTensorMode():
        features, num_frames, targets = batch_of([3, 6, 1])
        config = small()
        model, criterion = VSGN(config), Criterion(config)
        # A fake tensor has no values: reading one, as `if` or .item() does, raises an error.
        total = criterion.total(criterion(model(features, num_frames), targets))
        total.backward()
    assert total.shape == () and all(weight.grad is not None for weight in model.parameters())


def half_of(targets, rows):
    return SimpleNamespace(**{name: value[rows] for name, value in vars(targets).items()})


def run_rank(rank, place, results):
    dist.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=2)
    torch.set_num_threads(1)
    features, num_frames, targets = batch_of([3, 0, 1, 5])
    # The shares differ in size and in positives, as in the last batch of an epoch.
    rows = slice(0, 3) if rank == 0 else slice(3, 4)
    means = {}
    for dataset in ("thumos", "activitynet"):
        losses, gradients = losses_of(small(dataset), features[rows], num_frames[rows],
                                      half_of(targets, rows))
        means[dataset] = {name: value.detach() / 2 for name, value in (losses | gradients).items()}
        for value in means[dataset].values():
            dist.all_reduce(value)
    if rank == 0:
        torch.save(means, results)
    dist.destroy_process_group()


def test_two_processes_give_the_losses_and_gradients_of_one(tmp_path):
    mp.spawn(run_rank, (tmp_path / "store", tmp_path / "results"), nprocs=2)
    for dataset, means in torch.load(tmp_path / "results", weights_only=True).items():
        losses, gradients = losses_of(small(dataset), *batch_of([3, 0, 1, 5]))
        for name, value in (losses | gradients).items():
            torch.testing.assert_close(means[name], value.detach(), rtol=1e-4, atol=1e-6)
