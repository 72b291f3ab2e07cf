import pytest
import torch

from Models.matcher import match, matching_iou

ANCHORS = torch.tensor([[0.0, 9.0], [10.0, 19.0], [20.0, 29.0], [40.0, 49.0]])


def matched(actions, threshold=0.5, padding=0, anchors=ANCHORS):
    actions = torch.tensor(actions, dtype=torch.float32).reshape(1, -1, 2)
    is_action = torch.arange(actions.shape[1])[None] < actions.shape[1] - padding
    return match(matching_iou(anchors, actions), is_action, threshold)[0].tolist()


def test_only_the_box_counts_whole_frames():
    iou = matching_iou(ANCHORS[:1], torch.tensor([[0.0, 5.0]]))
    assert iou.item() == pytest.approx(5 / (10 + 5 - 5))


def test_a_box_takes_its_best_action_above_the_threshold():
    assert matched([[0, 9], [10, 18]]) == [0, 1, -1, -1]


def test_an_action_keeps_its_best_box_below_the_threshold():
    # IoU 3 / (10 + 3 - 3) with the third box only.
    assert matched([[22, 25]]) == [-1, -1, 0, -1]


def test_a_best_box_takes_its_own_best_action():
    # The short action's best box, the first, fits the long one better.
    assert matched([[0, 9], [1, 2]]) == [0, -1, -1, -1]


def test_equally_good_boxes_all_take_the_action():
    assert matched([[15, 24]], threshold=0.9) == [-1, 0, 0, -1]


@pytest.mark.parametrize("action", [[5, 5], [33, 38], [100, 120]])
def test_an_action_that_overlaps_nothing_has_no_positive(action):
    assert matched([action]) == [-1, -1, -1, -1]


def test_padding_is_not_an_action():
    assert matched([[0, 9], [20, 29]], padding=1) == [0, -1, -1, -1]


def test_no_action_at_all():
    assert matched([]) == [-1, -1, -1, -1]
    assert matched([[0, 9]], padding=1) == [-1, -1, -1, -1]


def test_degenerate_box_and_action_give_zero_and_no_nan():
    iou = matching_iou(torch.tensor([[5.0, 4.0]]), torch.tensor([[5.0, 5.0]]))
    assert iou.tolist() == [[0.0]]


def test_items_are_matched_on_their_own():
    actions = torch.tensor([[[0.0, 9.0]], [[40.0, 49.0]]])
    boxes = ANCHORS.expand(2, -1, -1)
    found = match(matching_iou(boxes, actions), torch.ones(2, 1, dtype=torch.bool), 0.5)
    assert found.tolist() == [[0, -1, -1, -1], [-1, -1, -1, 0]]
