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
            out = neighbour_max(from_neighbour, nearest) + from_centre
        return out.transpose(1, 2)

    def _weighted(self, from_neighbour, from_centre, nearest, weights):
        """Edges times their weights, aggregated. The edge sums can't be avoided here."""
        total = None
        for k, candidate in enumerate(candidates(from_neighbour, nearest)):
            edge = (candidate + from_centre) * weights[..., k, None]
            if total is None:
                total = edge
            elif self.options.agg_type == "mean":
                total = total + edge
            else:
                total = torch.maximum(total, edge)
        return total / nearest.shape[-1] if self.options.agg_type == "mean" else total


@torch.no_grad()
def neighbours(x, count, second_copy=None):
    """The `count` nearest positions of each position by Euclidean distance, itself included.

    x: (B, C, L). second_copy: (B,) int64, the position where the magnified copy of a stitched item
    begins, L for an item that is not stitched; None if none is. Half of the neighbours of such a
    position are the nearest outside the magnified copy (cross-scale edges, paper Sec. 3.3).
    Returns (B, L, count) int64: the nearest half first, by rising distance.
    """
    distance = torch.ops.vsgn.relative_distance(x.float())
    kept = nearest(distance, count // 2)
    # +inf, above every real distance: where too few positions are left, an excluded one is taken.
    distance.scatter_(2, kept, torch.inf)
    if second_copy is not None:
        is_second = torch.arange(x.shape[-1], device=x.device) >= second_copy[:, None]
        distance.masked_fill_(is_second[:, :, None] & is_second[:, None, :], torch.inf)
    rest = nearest(distance, count - count // 2)
    return torch.cat([kept, rest], dim=-1)


def nearest(distance, count):
    """The `count` smallest of each row, by rising distance: (B, L, L) -> (B, L, count) int64.

    Of equal ones, as the excluded are, those that torch.topk takes: released weights were trained
    that way.
    """
    return distance.topk(count, largest=False).indices


def relative_distance(x):
    """Squared distance of positions i and j, less |x_i|^2, which is the same in a row.

    One Gram product instead of a (B, C, L, L) tensor of differences. The mean over time is taken
    off first: it cancels, and a large offset would cost digits. (B, C, L) -> (B, L, L) float32.
    """
    with full_precision(x.device.type):
        return plain_distance(x)


def plain_distance(x):
    """`relative_distance` in the arithmetic that holds outside."""
    x = x - x.mean(dim=-1, keepdim=True)
    square = x.square().sum(dim=1)
    return torch.baddbmm(square[:, None, :], x.transpose(1, 2), x, alpha=-2)


# In bf16 or tf32 other neighbours would be chosen. As an operator of its own the distance is in
# full float32 whatever holds outside, in a compiled network too.
torch.library.define("vsgn::relative_distance", "(Tensor x) -> Tensor")
torch.library.impl("vsgn::relative_distance", "default", relative_distance)


@torch.library.register_fake("vsgn::relative_distance")
def _(x):
    return x.new_empty(x.shape[0], x.shape[2], x.shape[2])


@contextlib.contextmanager
def full_precision(device_type):
    """float32 products, whatever autocast or tf32 setting holds outside."""
    outside = torch.get_float32_matmul_precision()
    with torch.autocast(device_type, enabled=False):
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(outside)


def similarity(x, nearest):
    """Cosine of each position's features and its neighbours'. (B, C, L), (B, L, K) -> (B, L, K)."""
    unit = F.normalize(x, dim=1)
    return torch.bmm(unit.transpose(1, 2), unit).gather(2, nearest)


def neighbour_mean(values, nearest):
    """Mean over each position's neighbours. values: (B, L, C), nearest: (B, L, K) -> (B, L, C)."""
    count = nearest.shape[-1]
    shares = values.new_zeros(*nearest.shape[:2], nearest.shape[1])
    return torch.bmm(shares.scatter_(2, nearest, 1 / count), values)


def neighbour_max(values, nearest):
    """Maximum over each position's neighbours. values: (B, L, C), nearest: (B, L, K) -> (B, L, C).

    A running maximum: the (B, L, K, C) gathered values are never there at once.
    """
    if torch.is_grad_enabled() and values.requires_grad:
        return NeighbourMax.apply(values, nearest)[0]
    best = None
    for candidate in candidates(values, nearest):
        best = candidate if best is None else torch.maximum(best, candidate, out=best)
    return best


class NeighbourMax(torch.autograd.Function):
    """`neighbour_max` that keeps one byte an output for the backward pass."""

    @staticmethod
    def forward(values, nearest):
        """values: (B, L, C), nearest: (B, L, K) -> maximum (B, L, C), which k (B, L, C) uint8."""
        best = winner = None
        for k, candidate in enumerate(candidates(values, nearest)):
            if best is None:
                best, winner = candidate, torch.zeros_like(candidate, dtype=torch.uint8)
                continue
            # k rises, so the largest k that was ever better than those before it is the winner.
            torch.maximum(winner, (candidate > best).view(torch.uint8).mul_(k), out=winner)
            torch.maximum(best, candidate, out=best)
        return best, winner

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


def candidates(values, nearest):
    """The values of each position's 1st, 2nd, ... neighbour, one (B, L, C) after the other."""
    flat, first = values.flatten(0, 1), torch.arange(values.shape[0], device=values.device)
    rows = nearest + first[:, None, None] * values.shape[1]
    for row in rows.flatten(0, 1).t().contiguous():
        yield flat.index_select(0, row).view_as(values)
