"""Assign an action to each anchor or box, in padded batches, without waiting for the CPU."""

import torch
from torch import Tensor

from Utils.segments import intersection, length

NO_MATCH = -1


def matching_iou(boxes: Tensor, actions: Tensor) -> Tensor:
    """IoU of every pair in frames.

    boxes: (..., M, 2), actions: (..., G, 2) -> (..., M, G).
    Only the box's length counts whole frames (+ 1): the released weights were trained
    this way.
    """
    overlap = intersection(boxes, actions)
    union = length(boxes, add_one=True)[..., :, None] + length(actions)[..., None, :] - overlap
    return overlap / (union + (union == 0))


def match(ious: Tensor, is_action: Tensor, threshold: float) -> Tensor:
    """The action on which each box is trained, or NO_MATCH.

    A box is matched to its best action if their IoU is at least the threshold, or if the
    box has the highest IoU of all boxes with some action, so that some box learns every
    action. An action that overlaps no box has no best box.

    ious: (B, M, G); is_action: (B, G) bool, False on padding.
    Returns (B, M) int64 indices into G.
    """
    if ious.shape[-1] == 0:
        return ious.new_full(ious.shape[:-1], NO_MATCH, dtype=torch.int64)
    ious = ious.masked_fill(~is_action[:, None, :], -1.0)
    best, action = ious.max(dim=-1)                  # (B, M): of each box
    highest = ious.amax(dim=1, keepdim=True)         # (B, 1, G): of each action
    is_best_of_an_action = ((ious == highest) & (highest > 0)).any(dim=-1)  # (B, M)
    return action.masked_fill(~((best >= threshold) | is_best_of_an_action), NO_MATCH)
