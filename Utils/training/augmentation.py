"""Augmentation: training inputs that differ a little each time they are seen."""

import torch


class Augmentation:
    """Channel dropout.

    dropout: share of the channels of an input that are set to zero in all frames; the
    others are scaled up to compensate. The draw depends only on seed, epoch and process,
    so resuming repeats it.
    """

    def __init__(self, dropout, seed=0, rank=0, device="cpu"):
        self.dropout, self.seed, self.rank = dropout, seed, rank
        self.generator = torch.Generator(device)
        self.start(0)

    def start(self, epoch):
        """Begin an epoch."""
        self.generator.manual_seed(((self.seed * 1_000_003 + epoch) * 1_009 + self.rank) % 2 ** 63)

    def __call__(self, features):
        """features: (B, C, T) -> (B, C, T)."""
        if not self.dropout:
            return features
        kept = torch.empty_like(features[:, :, :1]).bernoulli_(1 - self.dropout,
                                                               generator=self.generator)
        return features * (kept / max(1 - self.dropout, 1e-6))
