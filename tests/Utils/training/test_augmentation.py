"""Channel dropout: how much it drops, and what it leaves alone."""

import torch

from Utils.training.augmentation import Augmentation


def features():
    torch.manual_seed(3)
    values = torch.randn(8, 20, 200) * torch.linspace(1, 5, 20)[:, None]
    values[:, :, 150:] = 0
    return values


def test_padding_stays_zeros():
    assert not Augmentation(0.5)(features())[:, :, 150:].any()


def test_channels_are_left_out_whole_and_the_others_scaled():
    before = features()
    after = Augmentation(0.25)(before)
    left_out = ~after.any(dim=2)
    assert 0.1 < left_out.float().mean() < 0.4
    assert torch.allclose(after[~left_out], before[~left_out] / 0.75)


def test_by_default_nothing_changes():
    before = features()
    assert Augmentation(0.0)(before) is before


def test_an_epoch_repeats_itself_and_differs_from_other_epochs_and_processes():
    def drawn(epoch, **options):
        augmentation = Augmentation(0.1, **options)
        augmentation(features())
        augmentation.start(epoch)
        return augmentation(features())

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    assert not torch.equal(drawn(1), drawn(1, rank=1))
    assert not torch.equal(drawn(1), drawn(1, seed=1))


def test_leaving_out_everything_gives_zeros():
    assert not Augmentation(1.0)(features()).any()
