"""The training losses. All sums run over the padded batch, without waiting for the CPU.

Every loss is a sum of means over some anchors or frames, so a single function divides
sums by counts; with several processes, by the counts of all of them.
"""

from typing import NamedTuple, Protocol

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from Models.matcher import NO_MATCH, match, matching_iou
from Models.VSGN import Predictions, config_anchors

FOCAL_GAMMA = 2.0
GIOU_EPSILON = 1e-7
ACTION_EPSILON = 1e-5


class TrainingTargets(Protocol):
    """What is read of Utils.inputs.Targets: B inputs of T frames, at most G actions each."""
    segments: Tensor        # (B, G, 2) frames
    labels: Tensor          # (B, G) int
    counts: Tensor          # (B,) int, actions of each input
    action: Tensor          # (B, T) label of each frame, 0 for the background
    start: Tensor           # (B, T), in 0 .. 1
    end: Tensor             # (B, T), in 0 .. 1


class Share(NamedTuple):
    """A mean before the division: the sum of some entries, and their number."""
    total: torch.Tensor
    count: torch.Tensor


class Criterion(nn.Module):
    """Losses of a batch of predictions against its targets (paper Sec. 3.5)."""

    def __init__(self, config):
        super().__init__()
        self.thresholds = config.iou_thr
        self.focal_alpha = config.focal_alpha if config.class_agnostic else None
        self.score_weight = config.score_loss_weight
        self.boundary_epsilon = config.boundary_loss_epsilon
        self.register_buffer("anchors", config_anchors(config), persistent=False)

    def forward(self, predictions: Predictions,
                targets: TrainingTargets) -> dict[str, Tensor]:
        """Losses of a batch by name, unweighted scalars.

        predictions: Models.VSGN.Predictions. targets: segments (B, G, 2) in frames,
        labels (B, G) int, counts (B,) actions per item, action, start, end (B, T), and
        optionally the padding mask (B, T) bool, False on frames that must not serve as
        negatives.

        With several processes, the mean over processes is the loss of the whole batch;
        the same holds for gradients.
        """
        matches = self._matches(predictions.boxes.detach(), targets)
        return normalize({
            "loss_cls_dec": self._class_shares(predictions.logits, matches["class"], targets),
            "loss_reg_dec": box_shares(predictions.boxes, matches["box"], targets),
            "loss_bd_adjust": box_shares(predictions.adjusted, matches["adjusted"], targets),
            **self._frame_shares(predictions, targets)})

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """The weighted sum that training minimizes."""
        frame_level = losses["loss_action"] + losses["loss_start"] + losses["loss_end"]
        return (losses["loss_cls_dec"] + losses["loss_reg_dec"] + losses["loss_bd_adjust"]
                + self.score_weight * frame_level)

    def _matches(self, boxes, targets):
        """The action on which each anchor is trained, for the three anchor losses: (B, M) each."""
        segments = targets.segments.float()
        is_action = torch.arange(segments.shape[1], device=boxes.device) < targets.counts[:, None]
        of_boxes = matching_iou(boxes, segments)                # (B, M, G)
        of_anchors = matching_iou(self.anchors, segments)       # (B, M, G)
        _, stage1, stage2 = self.thresholds
        return {"class": match(of_boxes, is_action, stage1),
                "box": match(of_anchors, is_action, stage1),
                "adjusted": match(of_boxes, is_action, stage2)}

    def _class_shares(self, logits, matches, targets):
        """Cross-entropy or focal loss of the class scores.

        logits: (B, M, N), matches: (B, M).
        """
        positive = matches != NO_MATCH
        negative = ~positive & self._visible_anchors(targets, matches)
        if self.focal_alpha is None:
            labels = torch.where(positive, pick(targets.labels, matches), 0)
            entropy = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
            return [share(entropy, positive), share(entropy, negative)]
        loss = sigmoid_focal(logits[..., 0], positive, self.focal_alpha)
        return [Share(total_of(loss, positive | negative), positive.sum())]

    def _visible_anchors(self, targets, matches):
        """(B, M) bool: False for anchors whose centre lies on a masked frame."""
        mask = getattr(targets, "mask", None)
        if mask is None:
            return torch.ones_like(matches, dtype=torch.bool)
        return mask[:, self.anchors.mean(dim=-1).long()]

    def _frame_shares(self, predictions, targets):
        """Balanced binary cross-entropy of the action, start and end scores."""
        visible = getattr(targets, "mask", None)
        edge = self.boundary_epsilon
        return {
            "loss_action": frame_shares(predictions.actionness, targets.action, visible,
                                        ACTION_EPSILON),
            "loss_start": frame_shares(predictions.startness, targets.start, visible, edge),
            "loss_end": frame_shares(predictions.endness, targets.end, visible, edge)}


def box_shares(boxes: Tensor, matches: Tensor, targets: TrainingTargets) -> list:
    """1 - GIoU of matched boxes and their actions. boxes: (B, M, 2), matches: (B, M)."""
    actions = pick(targets.segments.float(), matches)           # (B, M, 2)
    return [share(1 - giou(boxes, actions), matches != NO_MATCH)]


def frame_shares(scores: Tensor, truth: Tensor, visible: Tensor, epsilon: float) -> list:
    """Balanced binary cross-entropy: positive and negative frames each have half the weight.

    scores, truth: (B, T), positive where truth > 0.5; visible: (B, T) bool or None for
    all. Equal to the usual form with weights c1 = r / 2 and c0 = r / (2 (r - 1)),
    r = frames/positives.
    """
    positive, negative = truth > 0.5, truth <= 0.5
    if visible is not None:
        positive, negative = positive & visible, negative & visible
    return [share(-0.5 * torch.log(scores + epsilon), positive),
            share(-0.5 * torch.log(1 - scores + epsilon), negative)]


def giou(boxes: Tensor, actions: Tensor) -> Tensor:
    """Generalized IoU of each box and its action, in one dimension: (..., 2), (..., 2) -> (...)."""
    start, end = boxes.amin(dim=-1), boxes.amax(dim=-1)
    first, last = actions.unbind(-1)
    overlap = (torch.minimum(end, last) - torch.maximum(start, first)).clamp(min=0)
    union = (end - start) + (last - first) - overlap + GIOU_EPSILON
    enclosing = torch.maximum(end, last) - torch.minimum(start, first) + GIOU_EPSILON
    return overlap / union - (enclosing - union) / enclosing


def sigmoid_focal(logits: Tensor, positive: Tensor, alpha: float) -> Tensor:
    """Focal loss of one score per anchor: logits (...), positive (...) bool -> (...)."""
    entropy = F.binary_cross_entropy_with_logits(logits, positive.float(),
                                                 reduction="none")
    probability = logits.sigmoid()
    wrong = torch.where(positive, 1 - probability, probability)
    return torch.where(positive, alpha, 1 - alpha) * wrong ** FOCAL_GAMMA * entropy


def pick(values: Tensor, matches: Tensor) -> Tensor:
    """The values of the matched action, arbitrary ones if there is no match.

    values: (B, G) or (B, G, 2), matches: (B, M) -> (B, M) or (B, M, 2); zeros if G is 0.
    """
    if values.shape[1] == 0:
        return values.new_zeros(*matches.shape, *values.shape[2:])
    index = matches.clamp(min=0)
    if values.dim() == 3:
        return values.gather(1, index[..., None].expand(-1, -1, values.shape[2]))
    return values.gather(1, index)


def share(values: Tensor, chosen: Tensor) -> Share:
    """Sum and count of the chosen entries. values: (...), chosen: (...) bool."""
    return Share(total_of(values, chosen), chosen.sum())


def total_of(values: Tensor, chosen: Tensor) -> Tensor:
    """Sum of the chosen entries."""
    return torch.where(chosen, values, 0).sum()


def normalize(losses: dict[str, list]) -> dict[str, Tensor]:
    """Sums divided by counts (0 counts as 1): dict of lists of Share -> dict of scalars.

    With several processes, counts are summed over them. As gradients are averaged over
    processes, each process divides its sum by its mean share of the count.
    """
    counts = torch.stack([part.count for parts in losses.values() for part in parts])
    num_processes = 1
    if dist.is_available() and dist.is_initialized():
        num_processes = dist.get_world_size()
        dist.all_reduce(counts)
    shares = iter((counts.clamp(min=1) / num_processes).unbind())
    return {name: sum(part.total / next(shares) for part in parts)
            for name, parts in losses.items()}
