"""One encoder level of the pyramid: a convolution and a graph over the most similar positions.

Attribute names (tconv1, nconv1.mlp) are those of the released weights.
"""

import contextlib
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class GraphOptions:
    """How a graph layer is built; the names are the flags'."""
    num_neigh: int
    nfeat_mode: str
    agg_type: str
    edge_weight: bool
    gcn_insert: str


class XGN(nn.Module):
    """Convolution and graph, side by side (par) or one behind the other (seq), then halving.

    Paper Sec. 3.3.
    """

    def __init__(self, channels, out_channels, options):
        super().__init__()
        self.is_parallel = options.gcn_insert == "par"
        self.tconv1 = nn.Conv1d(channels, out_channels, 3, padding=1)
        self.nconv1 = GraphConv(channels if self.is_parallel else out_channels, out_channels,
                                options)

    def forward(self, x, second_copy=None):
        """x: (B, C, L); second_copy: as in `neighbours` -> (B, C, L / 2)."""
        convolved = self.tconv1(x)
        if self.is_parallel:
            out = convolved + self.nconv1(x, second_copy)
        else:
            out = self.nconv1(convolved, second_copy)
        # Pooling first halves the work of the ReLU; the two commute.
        return F.relu(F.max_pool1d(out, 2))


class GraphConv(nn.Module):
    """Graph convolution over the K nearest positions.

    The mlp is linear, so it is applied to nodes instead of edges: with weights [W1, W2] and bias b,
    max_k(W1 x_k + W2 x_i + b) = max_k(W1 x_k) + W2 x_i + b.
    """

    def __init__(self, channels, out_channels, options):
        super().__init__()
        self.options = options
        self.mlp = nn.Linear(2 * channels, out_channels)

    def forward(self, x, second_copy=None):
        """x: (B, C, L); second_copy: as in `neighbours` -> (B, C', L)."""
        nearest = neighbours(x.detach(), self.options.num_neigh, second_copy)
        nodes = x.transpose(1, 2)
        neighbour_weight, centre_weight = self.mlp.weight.chunk(2, dim=1)
        if self.options.nfeat_mode == "dif_ctr":
            centre_weight = centre_weight - neighbour_weight
        from_neighbour = F.linear(nodes, neighbour_weight)
        from_centre = F.linear(nodes, centre_weight, self.mlp.bias)
        if self.options.edge_weight:
            out = self._weighted(from_neighbour, from_centre, nearest, similarity(x, nearest))
        elif self.options.agg_type == "mean":
            out = neighbour_mean(from_neighbour, nearest) + from_centre
        else:
            out = NeighbourMax.apply(from_neighbour, nearest)[0] + from_centre
        return out.transpose(1, 2)

    def _weighted(self, from_neighbour, from_centre, nearest, weights):
        """Edges times their weights, aggregated. The edge sums can't be avoided here."""
        rows = flat_rows(nearest, nearest.shape[1])
        flat, total = from_neighbour.flatten(0, 1), None
        for k in range(len(rows)):
            edge = flat.index_select(0, rows[k]).view_as(from_centre) + from_centre
            edge = edge * weights[..., k, None]
            if total is None:
                total = edge
            elif self.options.agg_type == "mean":
                total = total + edge
            else:
                total = torch.maximum(total, edge)
        return total / len(rows) if self.options.agg_type == "mean" else total


@torch.no_grad()
def neighbours(x, count, second_copy=None):
    """The `count` nearest positions of each position by Euclidean distance, itself included.

    x: (B, C, L). second_copy: (B,) int64, the position where the magnified copy of a stitched item
    begins, L for an item that is not stitched; None if none is. Half of the neighbours of such a
    position are the nearest outside the magnified copy (cross-scale edges, paper Sec. 3.3).
    Returns (B, L, count) int64: the nearest half first, by rising distance.
    """
    with full_precision(x.device.type):
        distance = relative_distance(x.float())
    nearest = distance.topk(count, largest=False).indices
    if second_copy is None:
        return nearest
    position = torch.arange(x.shape[-1], device=x.device)
    is_second = position >= second_copy[:, None]
    kept, rest = nearest.split([count // 2, count - count // 2], dim=-1)
    # +inf, above every real distance: where too few positions are left, an excluded one is taken.
    distance.masked_fill_(is_second[:, :, None] & is_second[:, None, :], torch.inf)
    distance.scatter_(2, kept, torch.inf)
    across = distance.topk(count - count // 2, largest=False).indices
    return torch.cat([kept, torch.where(is_second[:, :, None], across, rest)], dim=-1)


def relative_distance(x):
    """Squared distance of positions i and j, less |x_i|^2, which is the same in a row.

    One Gram product instead of a (B, C, L, L) tensor of differences. The mean over time is taken
    off first: it cancels, and a large offset would cost digits. (B, C, L) -> (B, L, L).
    """
    x = x - x.mean(dim=-1, keepdim=True)
    square = x.square().sum(dim=1)
    return torch.baddbmm(square[:, None, :], x.transpose(1, 2), x, alpha=-2)


@contextlib.contextmanager
def full_precision(device_type):
    """float32 products, whatever autocast or tf32 setting holds outside.

    In bf16 or tf32 other neighbours would be chosen.
    """
    outside = torch.get_float32_matmul_precision()
    with torch.autocast(device_type, enabled=False):
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(outside)


def similarity(x, nearest):
    """Cosine of each position's features and its neighbours'. (B, C, L), (B, L, K) -> (B, L, K)."""
    with full_precision(x.device.type):
        unit = F.normalize(x.float(), dim=1)
        return torch.bmm(unit.transpose(1, 2), unit).gather(2, nearest)


def neighbour_mean(values, nearest):
    """Mean over each position's neighbours. values: (B, L, C), nearest: (B, L, K) -> (B, L, C)."""
    count = nearest.shape[-1]
    shares = values.new_zeros(*nearest.shape[:2], nearest.shape[1])
    return torch.bmm(shares.scatter_(2, nearest, 1 / count), values)


class NeighbourMax(torch.autograd.Function):
    """Maximum over each position's neighbours, as a running maximum.

    Keeps one byte an output for the backward pass, not the (B, L, K, C) gathered values.
    """

    @staticmethod
    def forward(values, nearest):
        """values: (B, L, C), nearest: (B, L, K) -> maximum (B, L, C), which k (B, L, C) uint8."""
        rows = flat_rows(nearest, nearest.shape[1])
        flat = values.flatten(0, 1)
        best = flat.index_select(0, rows[0])
        winner = torch.zeros_like(best, dtype=torch.uint8)
        for k in range(1, len(rows)):
            candidate = flat.index_select(0, rows[k])
            # k rises, so the last to be better is the highest k that ever was.
            torch.maximum(winner, (candidate > best).view(torch.uint8).mul_(k), out=winner)
            torch.maximum(best, candidate, out=best)
        return best.view_as(values), winner.view_as(values)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs[1], output[1])

    @staticmethod
    def backward(ctx, grad, _):
        """Each output's gradient goes to the neighbour that gave the maximum."""
        nearest, winner = ctx.saved_tensors
        source = nearest.gather(2, winner.long())
        spread = torch.zeros_like(grad, dtype=torch.float32)
        return spread.scatter_add_(1, source, grad.float()).to(grad.dtype), None


def flat_rows(nearest, length):
    """Neighbours as rows of the flattened (B * L) batch: (B, L, K) -> (K, B * L)."""
    first = torch.arange(len(nearest), device=nearest.device) * length
    return (nearest + first[:, None, None]).flatten(0, 1).t().contiguous()
