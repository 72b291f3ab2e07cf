"""Class scores and box codes of every anchor; one head for all levels of the pyramid.

Attribute names (cls_tower, bbox_tower, cls_logits, bbox_pred) are those of the
released weights.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

NORM_GROUPS = 32


class Head(nn.Module):
    """Two convolution towers, one for the scores and one for the boxes."""

    def __init__(self, channels, num_layers, num_scales, num_scores):
        super().__init__()
        self.num_scales = num_scales
        self.cls_tower = tower(channels, num_layers)
        self.bbox_tower = tower(channels, num_layers)
        self.cls_logits = nn.Conv1d(channels, num_scales * num_scores, 3, padding=1)
        self.bbox_pred = nn.Conv1d(channels, num_scales * 2, 3, padding=1)

    def forward(self, levels: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """levels: (B, C, L) each, in the order of the anchors' levels.

        Returns logits (B, M, N) and box codes (B, M, 2); M runs level, position, scale.
        """
        lengths = [x.shape[-1] for x in levels]
        joined = join(levels)
        return tuple(self._by_anchor(split(last(towered(tower, joined, lengths)), lengths))
                     for tower, last in ((self.cls_tower, self.cls_logits),
                                         (self.bbox_tower, self.bbox_pred)))

    def _by_anchor(self, outputs):
        """(B, scales * n, L) of each level -> (B, M, n)."""
        return torch.cat([output.unflatten(1, (self.num_scales, -1)).permute(0, 3, 1, 2)
                         .flatten(1, 2) for output in outputs], dim=1)


def towered(tower: nn.Sequential, joined: Tensor, lengths: Sequence[int]) -> Tensor:
    """The layers of a tower on joined levels; each level is normalized by itself."""
    for conv, norm, relu in zip(tower[::3], tower[1::3], tower[2::3], strict=True):
        joined = relu(join([norm(level) for level in split(conv(joined), lengths)]))
    return joined


def join(levels: Sequence[Tensor]) -> Tensor:
    """Levels one after another, with a column of zeros between them, as convolutions pad each.

    One convolution of all replaces one per level: short levels cost little more than
    starting it. (B, C, L) each -> (B, C, sum of L + gaps).
    """
    gap = levels[0].new_zeros(*levels[0].shape[:2], 1)
    return torch.cat([part for level in levels for part in (level, gap)][:-1], dim=2)


def split(joined: Tensor, lengths: Sequence[int]) -> tuple[Tensor, ...]:
    """Undo `join`: the levels, as views."""
    return joined.split([part for length in lengths
                         for part in (length, 1)][:-1], dim=2)[::2]


def tower(channels: int, num_layers: int) -> nn.Sequential:
    """num_layers x (convolution of width 3, GroupNorm, ReLU)."""
    layers = []
    for _ in range(num_layers):
        layers += [nn.Conv1d(channels, channels, 3, padding=1),
                   nn.GroupNorm(NORM_GROUPS, channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
