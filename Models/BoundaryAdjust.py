"""Shift the start and end of each box according to the finest features around them.

Attribute names (start_conv, end_conv) are those of the released weights.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from Utils.segments import length


class BoundaryAdjust(nn.Module):
    """Offsets of the two edges of a box, from three cells around each (paper Sec. 3.4)."""

    def __init__(self, channels, stride):
        super().__init__()
        self.stride = stride
        self.start_conv = edge_conv(channels)
        self.end_conv = edge_conv(channels)

    def forward(self, finest: Tensor, boxes: Tensor) -> Tensor:
        """Adjust boxes.

        finest: (B, C, L); boxes: (B, M, 2) in frames -> (B, M, 2) in frames.
        """
        num_cells = finest.shape[-1]
        cells = edge_cells(boxes.detach(), self.stride, num_cells)
        nodes = finest.transpose(1, 2)
        offsets = [edge_offset(conv, nodes, cells[..., edge, :])
                   for edge, conv in enumerate((self.start_conv, self.end_conv))]
        return boxes + torch.stack(offsets, dim=-1)


def edge_cells(boxes: Tensor, stride: int, num_cells: int) -> Tensor:
    """The cells an eighth of the box's length before, at, and after each of its edges.

    boxes: (B, M, 2) in frames -> (B, M, 2, 3) int64, all within the level.
    """
    inside = boxes.clamp(0, stride * num_cells - 1)
    reach = length(inside, add_one=True)[..., None, None] / 8
    frames = inside[..., None] + reach * torch.arange(-1, 2, device=boxes.device)
    return (frames / stride).long().clamp(0, num_cells - 1)


def edge_offset(conv: nn.Module, nodes: Tensor, cells: Tensor) -> Tensor:
    """The output of `conv` for three cells per box.

    (B, L, C), (B, M, 3) int64 -> (B, M) float32. The three taps of its first layer are
    applied to every cell and then gathered, instead of to every box: there are four
    times as many boxes as cells.
    """
    first, _, last = conv
    channels = first.out_channels
    # The bias belongs to the sum of the taps; the middle one carries it.
    taps = F.linear(nodes, first.weight.permute(2, 0, 1).flatten(0, 1),
                    F.pad(first.bias, (channels, channels)))
    # (B L 3, C): a row per cell and tap
    taps = taps.unflatten(2, (3, channels)).flatten(0, 2)
    item = torch.arange(cells.shape[0], device=cells.device)[:, None, None]
    rows = (item * nodes.shape[1] + cells) * 3 + torch.arange(3, device=cells.device)
    # embedding_bag sums the three rows of each box in one pass.
    hidden = F.relu(F.embedding_bag(rows.flatten(0, 1), taps, mode="sum"), inplace=True)
    offset = F.linear(hidden, last.weight[:, :, 0], last.bias)
    return offset.float().view(cells.shape[:2])


def edge_conv(channels: int) -> nn.Sequential:
    """The layers from three cells to one offset."""
    return nn.Sequential(nn.Conv1d(channels, channels, 3, stride=2), nn.ReLU(),
                         nn.Conv1d(channels, 1, 1))
