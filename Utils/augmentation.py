"""Training inputs made a little different each time they are seen."""

import torch
import torch.nn.functional as F


def augmented(features, noise, dropout):
    """Features with noise, and with channels left out at random.

    features: (B, C, T). noise: standard deviation of what is added to every value, as a share of
    the deviation of its channel in the batch; padding and gap, zeros in all channels, stay zeros.
    dropout: share of the channels of an input that are zeros throughout; the others are scaled up
    to make up for it. Draws from torch's generator, so that resuming repeats it.
    """
    if noise:
        is_real = features.any(dim=1, keepdim=True)
        deviation = features.std(dim=(0, 2), keepdim=True)
        features = features + torch.randn_like(features) * (noise * deviation * is_real)
    if dropout:
        features = F.dropout1d(features, dropout)
    return features
