"""One encoder level of the pyramid: a convolution, and a graph over the most similar cells.

Attribute names (tconv1, nconv1.mlp) are those of the released weights.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx


@dataclass(frozen=True)
class GraphOptions:
    """How a graph layer is built; the names are those of the flags."""
    num_neigh: int
    nfeat_mode: str
    agg_type: str
    edge_weight: bool
    gcn_insert: str


class XGN(nn.Module):
    """Convolution and graph, in parallel or in sequence, then pooling (paper Sec. 3.3)."""

    def __init__(self, channels, out_channels, options):
        super().__init__()
        self.is_parallel = options.gcn_insert == "par"
        self.tconv1 = nn.Conv1d(channels, out_channels, 3, padding=1)
        self.nconv1 = GraphConv(channels if self.is_parallel else out_channels, out_channels,
                                options)

    def forward(self, x: Tensor, second_copy: Tensor | None = None) -> Tensor:
        """x: (B, C, L); second_copy: as in `neighbours` -> (B, C, L / 2)."""
        convolved = self.tconv1(x)
        if self.is_parallel:
            out = convolved + self.nconv1(x, second_copy)
        else:
            out = self.nconv1(convolved, second_copy)
        # Pooling first halves the work of the ReLU; the two commute.
        return F.relu(F.max_pool1d(out, 2))


class GraphConv(nn.Module):
    """Graph convolution over the K nearest cells.

    The mlp is linear, so it is applied to nodes instead of edges: with weights [W1, W2]
    and bias b, max_k(W1 x_k + W2 x_i + b) = max_k(W1 x_k) + W2 x_i + b.
    """

    def __init__(self, channels, out_channels, options):
        super().__init__()
        self.options = options
        self.mlp = nn.Linear(2 * channels, out_channels)

    def forward(self, x: Tensor, second_copy: Tensor | None = None) -> Tensor:
        """x: (B, C, L); second_copy: as in `neighbours` -> (B, C', L)."""
        nearest = neighbours(x.detach(), self.options.num_neigh, second_copy)
        nodes = x.transpose(1, 2)
        neighbour_weight, centre_weight = self.mlp.weight.chunk(2, dim=1)  # (C', C) each
        if self.options.nfeat_mode == "dif_ctr":
            centre_weight = centre_weight - neighbour_weight
        from_neighbour = F.linear(nodes, neighbour_weight)      # (B, L, C')
        from_centre = F.linear(nodes, centre_weight, self.mlp.bias)
        if self.options.edge_weight:
            out = self._weighted(from_neighbour, from_centre, nearest,
                                 similarity(x, nearest))
        elif self.options.agg_type == "mean":
            out = neighbour_mean(from_neighbour, nearest) + from_centre
        else:
            out = neighbour_max(from_neighbour, nearest) + from_centre
        return out.transpose(1, 2)

    def _weighted(self, from_neighbour, from_centre, nearest, weights):
        """Weighted edges, aggregated. Here the sum per edge cannot be avoided."""
        total = None
        for k, candidate in enumerate(candidates(from_neighbour, nearest)):
            edge = (candidate + from_centre) * weights[..., k, None]  # (B, L, C')
            if total is None:
                total = edge
            elif self.options.agg_type == "mean":
                total = total + edge
            else:
                total = torch.maximum(total, edge)
        return total / nearest.shape[-1] if self.options.agg_type == "mean" else total


@torch.no_grad()
def neighbours(x: Tensor, count: int, second_copy: Tensor | None = None) -> Tensor:
    """The `count` nearest cells of each cell by Euclidean distance, including itself.

    x: (B, C, L). second_copy: (B,) int64, first cell of the magnified copy of a
    stitched item, or L if an item is not stitched; None if none is. For cells in a
    magnified copy, the second half of the neighbours are the nearest cells outside it
    (cross-scale edges, paper Sec. 3.3). Returns (B, L, count) int64: the nearest half
    first, by increasing distance.
    """
    distance = torch.ops.vsgn.relative_distance(x.float())      # (B, L, L)
    kept = nearest(distance, count // 2)                        # (B, L, count // 2)
    # Excluded cells get +inf. If too few others are left, topk still takes excluded ones.
    distance.scatter_(2, kept, torch.inf)
    if second_copy is not None:
        # (B, L)
        is_second = torch.arange(x.shape[-1], device=x.device) >= second_copy[:, None]
        distance.masked_fill_(is_second[:, :, None] & is_second[:, None, :], torch.inf)
    rest = nearest(distance, count - count // 2)                # (B, L, the rest)
    return torch.cat([kept, rest], dim=-1)


def nearest(distance: Tensor, count: int) -> Tensor:
    """The `count` smallest of each row, by increasing distance: (B, L, L) -> (B, L, count) int64.

    Ties, as among excluded cells, are left to torch.topk: released weights were
    trained this way.
    """
    return distance.topk(count, largest=False).indices


def relative_distance(x: Tensor) -> Tensor:
    """Squared distance of cells i and j minus |x_i|^2, which is constant in a row.

    One Gram product instead of a (B, C, L, L) tensor of differences. The mean over time
    is subtracted first: it cancels out, and a large offset would cost precision. (B, C,
    L) -> (B, L, L) float32.
    """
    with full_precision(x.device.type):
        return plain_distance(x)


def plain_distance(x: Tensor) -> Tensor:
    """`relative_distance` in the current arithmetic."""
    x = x - x.mean(dim=-1, keepdim=True)
    square = x.square().sum(dim=1)                              # (B, L)
    return torch.baddbmm(square[:, None, :], x.transpose(1, 2), x, alpha=-2)


# bf16 or tf32 would choose other neighbours. As a custom operator, the distance is
# computed in full float32 under any setting, also in a compiled network.
torch.library.define("vsgn::relative_distance", "(Tensor x) -> Tensor")
torch.library.impl("vsgn::relative_distance", "default", relative_distance)


@torch.library.register_fake("vsgn::relative_distance")
def _(x):
    return x.new_empty(x.shape[0], x.shape[2], x.shape[2])


@contextlib.contextmanager
def full_precision(device_type: str) -> Iterator[None]:
    """float32 products under any autocast or tf32 setting."""
    outside = torch.get_float32_matmul_precision()
    with torch.autocast(device_type, enabled=False):
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(outside)


def similarity(x: Tensor, nearest: Tensor) -> Tensor:
    """Cosine similarity of each cell and its neighbours.

    (B, C, L), (B, L, K) -> (B, L, K).
    """
    unit = F.normalize(x, dim=1)                                # (B, C, L)
    return torch.bmm(unit.transpose(1, 2), unit).gather(2, nearest)


def neighbour_mean(values: Tensor, nearest: Tensor) -> Tensor:
    """Mean over the neighbours of each cell.

    values: (B, L, C), nearest: (B, L, K) -> (B, L, C).
    """
    count = nearest.shape[-1]
    shares = values.new_zeros(*nearest.shape[:2], nearest.shape[1])  # (B, L, L)
    return torch.bmm(shares.scatter_(2, nearest, 1 / count), values)


def neighbour_max(values: Tensor, nearest: Tensor) -> Tensor:
    """Maximum over the neighbours of each cell.

    values: (B, L, C), nearest: (B, L, K) -> (B, L, C). With a running maximum, the
    gathered values (B, L, K, C) never exist at once.
    """
    if torch.is_grad_enabled() and values.requires_grad:
        return NeighbourMax.apply(values, nearest)[0]
    best = None
    for candidate in candidates(values, nearest):
        best = candidate if best is None else torch.maximum(best, candidate, out=best)
    return best


class NeighbourMax(torch.autograd.Function):
    """`neighbour_max` that keeps one byte per output for the backward pass."""

    @staticmethod
    def forward(values: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
        """values: (B, L, C), nearest: (B, L, K) -> maximum (B, L, C), which k (B, L, C) uint8."""
        best = winner = None
        for k, candidate in enumerate(candidates(values, nearest)):
            if best is None:
                best, winner = candidate, torch.zeros_like(candidate, dtype=torch.uint8)
                continue
            # k increases, so the winner is the largest k that improved on all before it.
            torch.maximum(winner,
                          (candidate > best).view(torch.uint8).mul_(k), out=winner)
            torch.maximum(best, candidate, out=best)
        return best, winner

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple, output: tuple) -> None:
        """Keep what the backward pass needs."""
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(inputs[1], output[1])

    @staticmethod
    def backward(ctx: FunctionCtx, grad: Tensor, _: Tensor) -> tuple[Tensor, None]:
        """The gradient of each output goes to the neighbour that gave the maximum."""
        nearest, winner = ctx.saved_tensors
        source = nearest.gather(2, winner.long())               # (B, L, C)
        spread = torch.zeros_like(grad, dtype=torch.float32)
        return spread.scatter_add_(1, source, grad.float()).to(grad.dtype), None


def candidates(values: Tensor, nearest: Tensor) -> Iterator[Tensor]:
    """Each cell's 1st, 2nd, ... neighbour's values: K tensors (B, L, C), one at a time."""
    flat, item = values.flatten(0, 1), torch.arange(values.shape[0], device=values.device)
    # (B, L, K), rows of flat (B L, C)
    rows = nearest + item[:, None, None] * values.shape[1]
    for row in rows.flatten(0, 1).t().contiguous():             # (B * L,), K times
        yield flat.index_select(0, row).view_as(values)
