"""Noise and left-out channels: their size, and what they leave alone."""

import pytest
import torch

from Utils.augmentation import augmented


def features():
    torch.manual_seed(3)
    values = torch.randn(8, 20, 200) * torch.linspace(1, 5, 20)[:, None]
    values[:, :, 150:] = 0
    return values


def test_noise_is_a_share_of_each_channels_deviation():
    before = features()
    noise = augmented(before, 0.1, 0)[:, :, :150] - before[:, :, :150]
    assert noise.std(dim=(0, 2)) == pytest.approx(0.1 * before.std(dim=(0, 2)), rel=0.15)


def test_padding_stays_zeros():
    assert not augmented(features(), 0.5, 0.5)[:, :, 150:].any()


def test_channels_are_left_out_whole_and_the_others_scaled():
    before = features()
    after = augmented(before, 0, 0.25)
    left_out = ~after.any(dim=2)
    assert 0.1 < left_out.float().mean() < 0.4
    assert torch.allclose(after[~left_out], before[~left_out] / 0.75)


def test_by_default_nothing_changes_nor_is_drawn():
    before, state = features(), torch.get_rng_state()
    assert augmented(before, 0.0, 0.0) is before and torch.equal(state, torch.get_rng_state())
