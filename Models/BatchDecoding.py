"""Proposals of a whole batch, computed on the network's device in two steps.

Neither step waits for the device. Rules and order are those of the reference,
`Evaluation.postprocessing.proposals.window_proposals`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import torch
from torch import Tensor

from Models.VSGN import Predictions
from Utils.config.options import Config
from Utils.segments import GREEDY_EPSILON, iou, length
from Utils.stitching import from_copy

PAIRS_AT_ONCE = 2 ** 23   # pairs of boxes, with IoU in float64


class DecodableBatch(Protocol):
    """What is read of a batch of Utils.inputs: B windows."""
    num_frames: Tensor          # (B,) int
    stitched: Tensor            # (B,) bool
    origin: Tensor              # (B,) frames
    rate: Tensor                # (B,) frames per second
    windows: Sequence           # B of Utils.inputs.windows.Window


@dataclass(frozen=True)
class Candidates:
    """Boxes of a batch that may become proposals: K classes without background, or one score."""
    seconds: torch.Tensor       # (B, M, 2) float64
    boxes: torch.Tensor         # (B, M, 2) float32, frames of the window
    scores: torch.Tensor        # (B, M, K) float32
    is_candidate: torch.Tensor  # (B, M, K) bool
    finite: torch.Tensor        # (B,) bool: the predictions are finite
    most: "Arriving"  # largest number of candidates: boxes per window, and per class
    has_classes: bool           # False for a class-agnostic network


@dataclass(frozen=True)
class BatchProposals:
    """Proposals of a batch: per class, R ranks by descending score, of which some are kept."""
    seconds: torch.Tensor       # (B, M, 2) float64
    scores: torch.Tensor        # (B, K, R) float32
    box: torch.Tensor           # (B, K, R) int32, index of its segment in `seconds`
    kept: torch.Tensor          # (B, K, R) bool
    finite: torch.Tensor        # (B,) bool: the predictions are finite


class Arriving:
    """Tensors on their way to CPU memory."""

    def __init__(self, *tensors):
        # Tensors that are not contiguous would be copied through unpinned memory,
        # blocking.
        self.tensors = [tensor.contiguous().to("cpu", non_blocking=True)
                        for tensor in tensors]
        is_on_gpu = any(tensor.is_cuda for tensor in tensors)
        self.event = torch.cuda.Event() if is_on_gpu else None
        if self.event:
            self.event.record()

    def arrived(self) -> list[Tensor]:
        """The tensors, once they have arrived; later work on the GPU may still be running."""
        if self.event:
            self.event.synchronize()
        return self.tensors


class Decoder:
    """Turns predictions of a batch into proposals, by the options of a config."""

    def __init__(self, config):
        self.gap, self.boundary_power = config.stitch_gap, config.boundary_power
        self.score_threshold, self.nms_threshold = config.score_threshold, config.nms_thr
        self.max_per_class = config.max_per_class

    def stream(self, launched: Iterable[tuple]) -> Iterator[tuple]:
        """(windows, BatchProposals on the CPU) for (predictions, batch) pairs, in order.

        Steps that need a number from the device run one batch behind the network, and
        steps that need the proposals two, so the GPU has work while the CPU waits.
        """
        begun = ((batch.windows, self.candidates(predictions, batch))
                 for predictions, batch in launched if batch.windows)
        moving = ((windows, self.proposals(found))
                  for windows, found in one_behind(begun))
        sent = ((windows, Arriving(*(getattr(found, field.name) for field in fields(found))))
                for windows, found in moving)
        for windows, found in one_behind(sent):
            yield windows, BatchProposals(*found.arrived())

    def candidates(self, predictions: Predictions, batch: DecodableBatch) -> Candidates:
        """First step: boxes, scores and which are candidates. -> Candidates.

        batch: has num_frames, stitched, origin and rate, (B,) each, B > 0.
        """
        finite, (logits, adjusted, startness, endness) = only_finite((
            predictions.logits, predictions.adjusted, predictions.startness, predictions.endness))
        input_length, has_classes = startness.shape[1], logits.shape[2] > 1
        boxes = adjusted.clamp(0, input_length - 1)
        at_edges = mean_around(startness, boxes[..., 0]) * mean_around(endness, boxes[..., 1])
        boxes = in_frames(boxes, batch.num_frames, batch.stitched, input_length, self.gap)
        seconds = (boxes.double() + batch.origin[:, None, None]) / batch.rate[:, None, None]
        scores = class_scores(logits)
        weighted = scores * (at_edges ** self.boundary_power)[..., None]
        is_candidate = torch.ones_like(scores, dtype=torch.bool)
        if has_classes:
            is_candidate = (scores > self.score_threshold) & (length(boxes) > 0)[..., None]
            weighted, is_candidate = weighted[..., 1:], is_candidate[..., 1:]
        most = Arriving(is_candidate.any(dim=2).sum(dim=1).amax(),
                        is_candidate.sum(dim=1).amax())
        return Candidates(seconds, boxes, weighted, is_candidate, finite, most,
                          has_classes)

    def proposals(self, found: Candidates) -> BatchProposals:
        """Second step: the candidates that survive suppression. -> BatchProposals."""
        if not found.has_classes:
            scores = found.scores.transpose(1, 2)
            box = torch.arange(scores.shape[2], device=scores.device).expand(scores.shape)
            return BatchProposals(found.seconds, scores, box.int(),
                                  torch.ones_like(box, dtype=torch.bool), found.finite)
        most_boxes, places = (int(number) for number in found.most.arrived())
        suppresses = self.nms_threshold < 1      # no IoU exceeds 1
        if self.max_per_class and not suppresses:
            places = min(places, self.max_per_class)
        # used (B, M'): boxes that are candidates of any class, first;
        # then by class (B, K, R).
        used = found.is_candidate.any(dim=2).to(torch.uint8).argsort(
            dim=1, descending=True, stable=True)[:, :most_boxes]
        scores = torch.where(found.is_candidate, found.scores, -1).gather(
            1, used[..., None].expand(-1, -1, found.scores.shape[2]))
        scores, order = (part[..., :places] for part in scores.transpose(1, 2).sort(
            dim=2, descending=True, stable=True))
        kept = scores >= 0
        if suppresses:
            boxes = found.boxes.gather(1, used[..., None].expand(-1, -1, 2))
            kept &= ~suppressed(overlapping(boxes, self.nms_threshold), order)
        if self.max_per_class:
            kept &= kept.cumsum(dim=2) <= self.max_per_class
        box = used.gather(1, order.flatten(1)).view_as(order)
        return BatchProposals(found.seconds, scores, box.int(), kept, found.finite)


def gpu_decoder(config: Config, device: torch.device) -> Decoder | None:
    """A Decoder for a network on a GPU; None on a CPU, where window by window is faster."""
    return Decoder(config) if device.type == "cuda" else None


def one_behind(items: Iterable) -> Iterator:
    """The items, each yielded once the next one has been fetched (the last at the end)."""
    waiting = []
    for item in items:
        waiting.append(item)
        if len(waiting) > 1:
            yield waiting.pop(0)
    yield from waiting


def only_finite(parts: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Which items of a batch are finite, (B,) bool, and the parts with the others set to 0."""
    finite = torch.stack([part.flatten(1).isfinite().all(dim=1)
                          for part in parts]).all(dim=0)
    return finite, [torch.where(finite.view(-1, *[1] * (part.dim() - 1)), part, 0)
                    for part in parts]


def class_scores(logits: Tensor) -> Tensor:
    """Class scores: softmax over (..., N) logits, or sigmoid if N is 1."""
    return logits.sigmoid() if logits.shape[-1] == 1 else logits.softmax(dim=-1)


def mean_around(curves: Tensor, positions: Tensor) -> Tensor:
    """Mean of each curve at the two frames around positions. (B, T), (B, M) -> (B, M)."""
    return (curves.gather(1, positions.floor().long())
            + curves.gather(1, positions.ceil().long())) / 2


def in_frames(boxes: Tensor, num_frames: Tensor, stitched: Tensor, input_length: int,
              gap: int) -> Tensor:
    """Input frames -> frames of the window, clamped to it. (B, M, 2) -> (B, M, 2).

    input_length: T, the length of the input.
    """
    num_frames, stitched = num_frames[:, None, None], stitched[:, None, None]
    # As in the original, only the start decides in which copy a box was found.
    magnified = stitched & (boxes[..., :1] >= num_frames)
    boxes = torch.where(magnified, from_copy(boxes, num_frames, input_length, gap), boxes)
    return boxes.clamp(min=0).minimum(num_frames - 1)


def overlapping(boxes: Tensor, threshold: float) -> Tensor:
    """Pairs with IoU above the threshold. boxes: (B, M, 2) -> (B, M, M) bool."""
    at_once = max(1, PAIRS_AT_ONCE // max(1, boxes.shape[1] ** 2))
    return torch.cat([iou(part, part, GREEDY_EPSILON) > threshold
                      for part in boxes.double().split(at_once)])


def suppressed(overlaps: Tensor, order: Tensor) -> Tensor:
    """Which boxes a better, kept one of their class suppresses, rank by rank in all classes.

    overlaps: (B, M, M) bool; order: (B, K, R) int64, boxes of a class by descending
    score. Returns (B, K, R) bool.
    """
    num_items, num_classes, places = order.shape
    item = torch.arange(num_items, device=order.device).repeat_interleave(num_classes)
    boxes = order.flatten(0, 1).t().contiguous()              # (R, B K)
    rows = boxes + item * overlaps.shape[1]                   # (R, B K), rows of `table`
    table = overlaps.flatten(0, 1)
    gone = overlaps.new_zeros(len(item), overlaps.shape[1])   # (B K, M), so far
    found = []
    for box, row in zip(boxes[..., None].unbind(), rows.unbind(), strict=True):
        found.append(gone.gather(1, box))
        # a suppressed box suppresses none
        gone |= table.index_select(0, row) > found[-1]
    if not found:
        return torch.zeros_like(order, dtype=torch.bool)
    return torch.cat(found, dim=1).view(num_items, num_classes, places)
