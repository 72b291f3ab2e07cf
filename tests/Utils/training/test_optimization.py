"""Optimizer, learning rate, clipping, averaging: known values by hand."""

import math

import pytest
import torch
from torch import nn

from Utils.config.resolve import resolve
from Utils.training.optimization import Updates, learning_rate


def config(**options):
    return resolve({"dataset": "thumos", "train_lr": 1e-2, **options})


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2))


def rates(options, total, batches=10):
    return [learning_rate(options, done // batches, done, total) for done in range(total)]


def test_the_rate_falls_in_steps_of_epochs():
    found = rates(config(step_size=2, step_gamma=0.1), 50)
    assert found == pytest.approx([1e-2] * 20 + [1e-3] * 20 + [1e-4] * 10)


def test_the_rate_rises_and_falls_as_a_cosine():
    found = rates(config(schedule="cosine", warmup_steps=10), 110)
    assert found[:10] == pytest.approx([1e-3 * (i + 1) for i in range(10)])
    assert found[10] == pytest.approx(1e-2)
    assert found[60] == pytest.approx(1e-2 * (0.01 + 0.99 * 0.5))
    assert found[-1] == pytest.approx(1e-2 * (0.01 + 0.99 * (1 + math.cos(math.pi * .99)) / 2))
    assert learning_rate(config(schedule="cosine"), 11, 110, 110) == pytest.approx(1e-4)


def test_a_warm_up_may_be_as_long_as_the_training():
    assert rates(config(schedule="cosine", warmup_steps=20), 10)[-1] == pytest.approx(5e-3)


def test_vectors_do_not_decay():
    net = model()
    before = [p.detach().clone() for p in net.parameters()]
    updates = Updates(net, config(optimizer="adamw", weight_decay=0.5, warmup_steps=0))
    updates.step(sum(p.sum() for p in net.parameters()) * 0, 0, 0, 10)
    for old, new in zip(before, net.parameters(), strict=True):
        share = 1 - 1e-2 * 0.5 if old.dim() > 1 else 1
        assert torch.allclose(new, old * share)


def test_adam_is_the_plain_one():
    nets = [model(), model()]
    plain = torch.optim.Adam(nets[1].parameters(), 1e-2, weight_decay=1e-4)
    updates = Updates(nets[0], config())
    for step in range(3):
        inputs = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
        updates.step(nets[0](inputs).square().sum(), 0, step, 10)
        plain.zero_grad()
        nets[1](inputs).square().sum().backward()
        plain.step()
    for one, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-7)


def test_long_gradients_are_clipped():
    net = model()
    updates = Updates(net, config(clip_norm=1.0))
    updates.step(1000 * sum(p.sum() for p in net.parameters()), 0, 0, 10)
    norm = sum(p.grad.square().sum() for p in net.parameters()).sqrt()
    assert norm.item() == pytest.approx(1, rel=1e-4)


def test_the_average_follows_the_weights():
    net = model()
    updates = Updates(net, config(ema=0.4))
    average = net[0].weight.detach().clone()
    for step, decay in enumerate([0.1, 2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 0.4, 0.4]):
        updates.step(net(torch.ones(1, 3)).sum(), 0, step, 10)
        average = decay * average + (1 - decay) * net[0].weight.detach()
        assert torch.allclose(updates.averaged[0].weight, average, atol=1e-6), step
    state = updates.state()
    assert torch.equal(state["state_dict"]["0.weight"], updates.averaged[0].weight)
    assert torch.equal(state["trained_state_dict"]["0.weight"], net[0].weight)
    assert not any(p.requires_grad for p in updates.averaged.parameters())


def test_without_averaging_there_is_one_set_of_weights():
    updates = Updates(model(), config())
    assert updates.averaged is None and "trained_state_dict" not in updates.state()
