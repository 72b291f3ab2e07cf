"""Which action each anchor or box is trained on. Batched and padded; nothing waits for the host."""

import torch

from Utils.segments import intersection, length

NO_MATCH = -1


def matching_iou(boxes, actions):
    """IoU of every pair in frames. boxes: (..., M, 2), actions: (..., G, 2) -> (..., M, G).

    Only the box's length counts whole frames (+ 1): the released weights were trained this way.
    """
    overlap = intersection(boxes, actions)
    union = length(boxes, add_one=True)[..., :, None] + length(actions)[..., None, :] - overlap
    return overlap / (union + (union == 0))


def match(ious, is_action, threshold):
    """The action each box is trained on: its best, if that is good or the box is an action's best.

    ious: (B, M, G); is_action: (B, G) bool, False on padding; threshold: least IoU.
    A box that attains an action's highest IoU takes its own best action even below the threshold,
    so that every action is learnt by some box. An action that overlaps no box has no best.
    Returns (B, M) int64 indices into G, NO_MATCH where there is none.
    """
    if ious.shape[-1] == 0:
        return ious.new_full(ious.shape[:-1], NO_MATCH, dtype=torch.int64)
    ious = ious.masked_fill(~is_action[:, None, :], -1.0)
    best, action = ious.max(dim=-1)
    highest = ious.amax(dim=1, keepdim=True)
    is_best_of_an_action = ((ious == highest) & (highest > 0)).any(dim=-1)
    return action.masked_fill(~((best >= threshold) | is_best_of_an_action), NO_MATCH)
