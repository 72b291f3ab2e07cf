"""Class scores and box codes of every anchor; one head for all levels of the pyramid.

Attribute names (cls_tower, bbox_tower, cls_logits, bbox_pred) are those of the released weights.
"""

import torch
from torch import nn

NORM_GROUPS = 32


class Head(nn.Module):
    """Two towers of convolutions, one for the scores, one for the boxes."""

    def __init__(self, channels, num_layers, num_scales, num_scores):
        super().__init__()
        self.num_scales = num_scales
        self.cls_tower = tower(channels, num_layers)
        self.bbox_tower = tower(channels, num_layers)
        self.cls_logits = nn.Conv1d(channels, num_scales * num_scores, 3, padding=1)
        self.bbox_pred = nn.Conv1d(channels, num_scales * 2, 3, padding=1)

    def forward(self, levels):
        """levels: (B, C, L) each, in the order of the anchors' levels.

        Returns logits (B, M, N) and box codes (B, M, 2); M runs level, position, scale.
        """
        logits = [self.cls_logits(self.cls_tower(x)) for x in levels]
        codes = [self.bbox_pred(self.bbox_tower(x)) for x in levels]
        return self._by_anchor(logits), self._by_anchor(codes)

    def _by_anchor(self, outputs):
        """(B, scales * n, L) of each level -> (B, M, n)."""
        return torch.cat([output.unflatten(1, (self.num_scales, -1)).permute(0, 3, 1, 2)
                         .flatten(1, 2) for output in outputs], dim=1)


def tower(channels, num_layers):
    """num_layers x (convolution of three positions, GroupNorm, ReLU)."""
    layers = []
    for _ in range(num_layers):
        layers += [nn.Conv1d(channels, channels, 3, padding=1),
                   nn.GroupNorm(NORM_GROUPS, channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
