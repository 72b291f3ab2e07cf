"""Training inputs made a little different each time they are seen."""

import torch


class Augmentation:
    """Adds noise to features and leaves out channels at random.

    noise: standard deviation of what is added to every value, as a share of the deviation of its
    channel in the batch. dropout: share of the channels of an input that are zeros throughout; the
    others are scaled up to make up for it. What is drawn depends on seed, epoch and process alone,
    so that resuming repeats it.
    """

    def __init__(self, noise, dropout, seed=0, rank=0, device="cpu"):
        self.noise, self.dropout, self.seed, self.rank = noise, dropout, seed, rank
        self.generator = torch.Generator(device)
        self.start(0)

    def start(self, epoch):
        """Begin an epoch."""
        self.generator.manual_seed(((self.seed * 1_000_003 + epoch) * 1_009 + self.rank) % 2 ** 63)

    def __call__(self, features):
        """features: (B, C, T) -> the same; padding and gap, zeros in all channels, stay zeros."""
        if self.noise:
            is_real = features.any(dim=1, keepdim=True)
            deviation = features.std(dim=(0, 2), keepdim=True)
            noise = torch.empty_like(features).normal_(generator=self.generator)
            features = features + noise * (self.noise * deviation * is_real)
        if self.dropout:
            kept = torch.empty_like(features[:, :, :1]).bernoulli_(1 - self.dropout,
                                                                   generator=self.generator)
            features = features * (kept / max(1 - self.dropout, 1e-6))
        return features
