"""Sampling plans: known frames, torch's own interpolation as the oracle, and the way back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from Utils.files import UserError
from Utils.stitching import (
    copy_length,
    expand_plan,
    from_copy,
    is_stitched,
    plain_plan,
    stitched_plan,
    to_copy,
    whole_plan,
)


def sampled(frames, plan, length):
    """The frames of an input by the definition: x[i] * (1 - w) + x[i + 1] * w, -1 is zero."""
    index, weight = expand_plan(plan, length)
    following = np.minimum(index + 1, len(frames) - 1)
    return np.where(index < 0, 0, frames[index] * (1 - weight) + frames[following] * weight)


def test_a_clip_of_exactly_the_short_share_is_stitched():
    assert is_stitched(512, 1280, 0.4)
    assert not is_stitched(513, 1280, 0.4)


def test_to_copy_starts_after_the_gap_and_comes_back():
    actions = np.array([[0., 10.], [50., 99.]])
    moved = to_copy(actions, num_frames=100, length=1280, gap=30)
    assert moved.min() == 130
    assert from_copy(moved, 100, 1280, 30) == pytest.approx(actions)


def test_plain_plan_copies_and_pads_with_zeros():
    frames = np.arange(100., 120.)
    assert sampled(frames, plain_plan(3, 4)[0], 6).tolist() == [103, 104, 105, 106, 0, 0]


def test_stitched_plan_by_hand():
    frames = np.arange(10., 20.)
    # 3 frames, a gap of 2, and 5 frames that show the 3 in steps of half a frame.
    assert sampled(frames, stitched_plan(4, 3, 10, 2)[0], 10).tolist() == [
        14, 15, 16, 0, 0, 14, 14.5, 15, 15.5, 16]


def test_every_stream_of_a_sliding_window_has_the_same_plan():
    plan = stitched_plan(4, 3, 10, 2, streams=3)
    assert plan.shape == (3, 2, 6)
    assert (plan == plan[0]).all()


def test_whole_video_longer_than_the_input_is_resized_in_each_stream():
    plan = whole_plan((0, 9), (0, 30., 30.), (9, 5), 5)
    assert sampled(np.arange(9.), plan[0], 5).tolist() == [0, 2, 4, 6, 8]
    assert sampled(np.arange(5.), plan[1], 5).tolist() == [0, 1, 2, 3, 4]


def test_whole_video_shorter_than_the_input_keeps_its_frames_and_stretches_the_other_stream():
    plan = whole_plan((0, 5), (0, 30., 30.), (5, 3), 7)
    assert sampled(np.arange(5.), plan[0], 7).tolist() == [0, 1, 2, 3, 4, 0, 0]
    assert sampled(np.arange(3.), plan[1], 7).tolist() == [0, .5, 1, 1.5, 2, 0, 0]


def test_second_stream_of_a_stitched_clip_meets_the_first_in_time():
    # Seconds 10 to 20 of 40 seconds; streams of 40 and 20 frames; 10 frames become 28.
    plan = whole_plan((10, 20), (10., 20., 40.), (40, 20), 40, gap=2)
    first, second = (sampled(np.linspace(0, 40, n), row, 40)
                     for n, row in zip((40, 20), plan, strict=True))
    assert np.abs(first - second)[:10].max() < 0.6
    assert np.abs(first - second)[12:].max() < 0.6
    assert (first[10:12] == 0).all() and (second[10:12] == 0).all()


def test_a_second_stream_cut_at_the_end_of_the_video_stays_inside_it():
    # 19 frames for 14.82 of 58.11 s: 74.5 samples, rounded to 74, of which the last 19 start at
    # 55; the start of the clip is at sample 55.5, rounded to 56.
    plan = whole_plan((43, 58), (43.29, 58.11, 58.11), (58, 60), 42, gap=8)
    assert plan[1, 1].tolist() == [23, 19, 0, 55, 60, 74]


def test_torch_and_numpy_expand_alike():
    plans = np.stack([stitched_plan(4, 37, 256, 30), plain_plan(0, 200)])
    index, weight = expand_plan(plans, 256)
    torch_index, torch_weight = expand_plan(torch.from_numpy(plans), 256)
    assert torch_weight.dtype == torch.float32 and weight.dtype == np.float32
    assert (torch_index.numpy() == index).all()
    assert (torch_weight.numpy() == weight).all()


@given(st.integers(1, 600), st.integers(1, 1280))
def test_resizing_is_that_of_torch(in_length, out_length):
    frames = torch.arange(in_length, dtype=torch.float32) ** 1.5
    expected = torch.nn.functional.interpolate(frames[None, None], size=out_length, mode="linear",
                                               align_corners=True)[0, 0]
    plan = np.array([[[0, out_length, 0, 0, in_length, out_length], [0] * 6]])
    assert sampled(frames.numpy(), plan[0], out_length) == pytest.approx(expected.numpy(), rel=1e-6)


@given(st.integers(1, 1280), st.integers(1, 1280))
def test_no_frame_after_the_stretch_is_touched(in_length, out_length):
    index, weight = expand_plan(np.array([[7, out_length, 0, 0, in_length, out_length]]),
                                out_length + 7)
    assert (index + (weight > 0)).max() <= in_length - 1
    assert ((weight >= 0) & (weight < 1)).all()


def test_an_empty_plan_is_all_zeros():
    index, weight = expand_plan(np.zeros((2, 6), dtype=np.int64), 4)
    assert index.tolist() == [-1] * 4 and weight.tolist() == [0] * 4


def test_clip_and_gap_that_fill_the_input_are_an_error():
    assert copy_length(30, 64, 33) == 1
    with pytest.raises(UserError, match="leave no room.*64 frames; lower --stitch_gap"):
        stitched_plan(0, 31, 64, 33)
