"""Where actions lie in an input, and frame targets, by hand and against loops over positions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plain_data import plain_frame_targets
from Utils.inputs.targets import (
    frame_targets,
    plain_actions,
    stitched_actions,
    whole_actions,
    whole_stitched_actions,
)

ONE = np.array([3])


def segments(*rows):
    return np.array(rows, dtype=float).reshape(-1, 2)


def test_plain_actions_are_frames_from_the_start_of_the_window():
    found, labels = plain_actions(segments([1, 2]), ONE, 4, 30, 10.0, 100, 27)
    assert found.tolist() == [[6, 16]] and labels.tolist() == [3]


def test_plain_actions_are_clipped_to_the_video_before_the_containment_test():
    # 10.4 s = frame 104, but the video has frames 0 .. 99: it counts as ending at 99.
    found, _ = plain_actions(segments([-1, 10.4]), ONE, 0, 99, 10.0, 100, 100)
    assert found.tolist() == [[0, 99]]


def test_stitched_actions_are_not_clipped_before_the_containment_test():
    found, _ = stitched_actions(segments([9, 10.4]), ONE, 60, 99, 10.0, 200, 10)
    assert found.tolist() == []


def test_rounding_is_half_to_even_as_pythons():
    found, _ = plain_actions(segments([0.25, 0.35]), ONE, 0, 9, 10.0, 10, 10)
    assert found.tolist() == [[2, 4]]


def test_both_copies_hold_an_action_left_copies_first():
    # 20 frames, a gap of 10, 70 frames for the magnified copy: 3.5 per frame of the clip.
    found, labels = stitched_actions(segments([2, 3], [3, 3.4]), np.array([1, 2]), 15, 34, 10.0,
                                     100, 10)
    assert found.tolist() == [[5, 15], [15, 19], [48, 82], [82, 96]]
    assert labels.tolist() == [1, 2, 1, 2]


def test_reversed_empty_and_outside_annotations_have_no_place():
    odd = segments([2, 1], [1, 1], [200, 300], [-5, -4])
    labels = np.arange(4)
    assert len(plain_actions(odd, labels, 0, 99, 10.0, 100, 100)[0]) == 0
    assert len(stitched_actions(odd, labels, 0, 39, 10.0, 200, 10)[0]) == 0
    assert len(whole_actions(odd, labels, (0, 10.0, 10.0), 100)[0]) == 0
    assert len(whole_stitched_actions(odd, labels, (0, 10.0, 10.0), 3.0, 30, 100, 5)[0]) == 0


def test_whole_actions_keep_fractions_and_end_with_the_video():
    found, _ = whole_actions(segments([1.23, 99]), ONE, (0, 10.0, 10.0), 50)
    assert found.tolist() == [[pytest.approx(6.15), 49]]


def test_whole_stitched_actions_have_a_rate_for_each_copy():
    # 10 s from second 20 on, at 3 frames per second: 30 frames, and 65 columns for the same 10 s.
    found, _ = whole_stitched_actions(segments([22, 24], [15, 24]), np.array([1, 2]),
                                      (20, 30, 40.0), 3.0, 30, 100, 5)
    assert found.tolist() == [[6, 12], [48, 61]]


def batch(rows, labels):
    return (torch.tensor([rows], dtype=torch.float64).reshape(1, -1, 2),
            torch.tensor([labels], dtype=torch.int64), torch.tensor([len(labels)]))


def test_start_and_end_are_positive_on_two_frames_only():
    action, start, end = frame_targets(*batch([[4, 8]], [5]), 12)
    assert action[0].tolist() == [0, 0, 0, 0, 5, 5, 5, 5, 5, 0, 0, 0]
    assert start[0].tolist() == [0, 0, .5, 1, 1, .5, 0, 0, 0, 0, 0, 0]
    assert end[0].tolist() == [0, 0, 0, 0, 0, 0, .5, 1, 1, .5, 0, 0]
    assert (start > 0.5).sum() == (end > 0.5).sum() == 2


def test_a_cell_covered_by_half_is_negative_at_any_position():
    position = torch.arange(2, 1270, dtype=torch.float64)
    rows = torch.stack([position, position + 3], dim=-1)[:, None]
    count = torch.ones(len(rows), dtype=torch.int64)
    _, start, _ = frame_targets(rows, count[:, None], count, 1280)
    assert ((start > 0.5).sum(dim=1) == 2).all()


def test_later_actions_overwrite_earlier_ones():
    action, _, _ = frame_targets(*batch([[1, 6], [3, 4]], [2, 7]), 8)
    assert action[0].tolist() == [0, 2, 2, 7, 7, 2, 2, 0]


def test_padding_has_no_targets():
    rows, labels, _ = batch([[0, 3], [0, 0], [0, 0]], [2, 0, 0])
    padded = frame_targets(rows, labels, torch.tensor([1]), 8)
    alone = frame_targets(*batch([[0, 3]], [2]), 8)
    assert all(torch.equal(a, b) for a, b in zip(padded, alone, strict=True))


def test_no_actions_give_zeros():
    targets = frame_targets(torch.zeros(2, 0, 2).double(), torch.zeros(2, 0).long(),
                            torch.zeros(2).long(), 8)
    assert [target.shape for target in targets] == [(2, 8)] * 3
    assert not any(target.any() for target in targets)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 39), st.floats(0, 39)), max_size=6))
def test_frame_targets_are_those_of_the_loops(rows):
    rows = [sorted(row) for row in rows]
    found = frame_targets(*batch(rows, list(range(1, len(rows) + 1))), 40)
    expected = plain_frame_targets(np.array(rows).reshape(-1, 2), np.arange(1, len(rows) + 1), 40)
    for mine, plain in zip(found, expected, strict=True):
        assert mine[0].numpy() == pytest.approx(plain, abs=1e-6)
