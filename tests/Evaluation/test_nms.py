"""Suppression: known answers by hand, and the plain formulation as the oracle, ties included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plain_nms import plain_nms, plain_soft_nms
from Evaluation.nms import nms, nms_by_class, soft_nms, soft_nms_each


def random_boxes(seed, count, grid, levels):
    """Segments on a coarse grid and scores of few levels: ties, duplicates, reversed and empty."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, grid, count)
    length = rng.integers(-1, grid // 2 + 2, count)
    return (np.column_stack([start, start + length]).astype(float),
            rng.integers(0, levels + 1, count) / levels)


BOXES = st.builds(random_boxes, st.integers(0, 10 ** 6), st.integers(0, 60), st.integers(1, 40),
                  st.sampled_from([1, 3, 1000]))


def numpy_exp(value):
    return float(np.exp(value))


def test_greedy_keeps_the_better_of_two_that_overlap():
    segments = np.array([[0., 10.], [1., 11.], [20., 30.]])
    # IoU of the first two: 9 / 11 = 0.82
    assert nms(segments, np.array([.5, .9, .1]), 0.8).tolist() == [1, 2]
    assert nms(segments, np.array([.5, .9, .1]), 0.83).tolist() == [1, 0, 2]


def test_greedy_of_equal_scores_takes_the_lowest_index():
    assert nms(np.array([[0., 4.], [0., 4.], [9., 10.]]), np.ones(3), 0.5).tolist() == [0, 2]


def test_the_union_is_a_little_larger_in_greedy_suppression():
    twice = np.array([[0., 1e-7], [0., 1e-7]])   # IoU 1 / (1 + 1), not 1
    assert nms(twice, np.ones(2), 0.6).tolist() == [0, 1]
    index, _ = nms_by_class(twice, np.ones((2, 1)), np.ones((2, 1), bool), 0.6)
    assert index.tolist() == [0, 1]
    assert nms(twice, np.ones(2), 0.4).tolist() == [0]


def test_a_suppressed_segment_suppresses_nothing():
    # IoU of neighbours 1/3, of the outer two 0.
    chain = np.array([[0., 2.], [1., 3.], [2., 4.]])
    assert nms(chain, np.array([.9, .8, .7]), 0.3).tolist() == [0, 2]


def test_nothing_suppresses_a_segment_without_length():
    segments = np.array([[0., 10.], [5., 5.], [5., 5.], [8., 3.]])
    assert nms(segments, np.array([.9, .8, .7, .6]), 0.0).tolist() == [0, 1, 2, 3]


def test_nothing_comes_of_nothing():
    none, no_scores = np.zeros((0, 2)), np.zeros(0)
    assert nms(none, no_scores, 0.5).shape == (0,)
    assert nms(none, no_scores, 0.5).dtype.kind == "i"
    index, label = nms_by_class(none, np.zeros((0, 3)), np.zeros((0, 3), bool), 0.5)
    assert index.shape == label.shape == (0,)
    index, label = nms_by_class(np.ones((2, 2)), np.ones((2, 3)), np.zeros((2, 3), bool), 0.5)
    assert index.shape == label.shape == (0,)
    kept, scores = soft_nms(none, no_scores, 0.5, 10)
    assert kept.shape == scores.shape == (0,)
    assert kept.dtype.kind == "i"
    assert len(soft_nms(none, no_scores, 0.5, 10, lose_last=True)[0]) == 0


@given(BOXES, st.sampled_from([0.0, 0.25, 0.4, 0.5, 0.99]))
def test_greedy_is_the_plain_formulation(boxes, threshold):
    segments, scores = boxes
    assert nms(segments, scores, threshold).tolist() == plain_nms(
        segments.tolist(), scores.tolist(), threshold)


@given(BOXES, st.integers(1, 4), st.sampled_from([0.0, 0.25, 0.4, 0.5, 0.99]), st.integers(0, 99))
def test_all_classes_at_once_equal_each_class_alone(boxes, num_classes, threshold, seed):
    segments, first = boxes
    rng = np.random.default_rng(seed)
    scores = np.column_stack([rng.permutation(first) for _ in range(num_classes)])
    candidates = rng.random(scores.shape) < 0.7
    expected = []
    for label in range(num_classes):
        taking = np.nonzero(candidates[:, label])[0]
        kept = plain_nms(segments[taking].tolist(), scores[taking, label].tolist(), threshold)
        expected += [(i, label) for i in taking[kept].tolist()]
    index, label = nms_by_class(segments, scores, candidates, threshold)
    assert list(zip(index.tolist(), label.tolist(), strict=True)) == expected


def test_soft_suppression_by_hand():
    segments = np.array([[0., 2.], [1., 3.], [5., 6.]])
    kept, scores = soft_nms(segments, np.array([.9, .8, .1]), sigma=0.5, limit=3)
    assert kept.tolist() == [0, 1, 2]
    assert scores == pytest.approx([.9, .8 * np.exp(-(1 / 3) ** 2 / 0.5), .1])


def test_soft_suppression_can_change_the_order():
    segments = np.array([[0., 10.], [0., 10.], [50., 60.]])
    assert soft_nms(segments, np.array([.9, .8, .7]), 0.5, 3)[0].tolist() == [0, 2, 1]


def test_scores_damped_to_a_tie_go_by_index():
    segments, sigma = np.array([[0., 2.], [50., 60.], [1., 3.]]), 0.5
    damped = .9 * np.exp(-(1 / 3) * (1 / 3) / sigma)
    kept, scores = soft_nms(segments, np.array([1., damped, .9]), sigma, 3)
    assert scores[1] == scores[2]
    assert kept.tolist() == [0, 1, 2]


@pytest.mark.parametrize("copies", [254, 400])
def test_a_tie_with_one_that_waits_in_the_queue_goes_by_index(copies):
    # Copies of the best, damped to nothing, stand before number 0 in the queue; 254 of them fill
    # the first places, so that it is the next to be looked at.
    sigma, damped = 0.01, .99 * np.exp(-(1 / 3) * (1 / 3) / 0.01)
    segments = np.array([[50., 60.], [1., 3.]] + (copies + 1) * [[0., 2.]])
    scores = np.array([damped, .99, 1.] + copies * [.98])
    kept, new_scores = soft_nms(segments, scores, sigma, 3)
    assert kept.tolist() == [2, 0, 1]
    assert new_scores[1] == new_scores[2]


def test_soft_suppression_takes_limit_at_most_and_keeps_the_last_one():
    segments, scores = np.array([[0., 1.], [2., 3.], [4., 5.]]), np.array([.1, .3, .2])
    assert soft_nms(segments, scores, 0.5, 2)[0].tolist() == [1, 2]
    assert soft_nms(segments, scores, 0.5, 9)[0].tolist() == [1, 2, 0]
    assert soft_nms(segments, scores, 0.5, 9, lose_last=True)[0].tolist() == [1, 2]
    assert soft_nms(segments[:1], scores[:1], 0.5, 9)[0].tolist() == [0]


def test_soft_suppression_ends_at_score_zero():
    segments, scores = np.array([[0., 1.], [2., 3.], [4., 5.]]), np.array([0., .3, 0.])
    assert soft_nms(segments, scores, 0.5, 3)[0].tolist() == [1]
    assert len(soft_nms(segments, np.zeros(3), 0.5, 3)[0]) == 0


def test_long_segments_are_damped_only_by_close_ones():
    # IoU 0.8. Limit 0.65 + 0.25 * width: 0.675 for width 0.1, 0.9 for width 1.
    for width, damped in ((0.1, True), (1.0, False)):
        segments = np.array([[0., width], [0., 0.8 * width]])
        _, scores = soft_nms(segments, np.array([.9, .5]), 0.75, 2, damp_above=(0.65, 0.9))
        assert scores[1] == pytest.approx(.5 * np.exp(-0.64 / 0.75) if damped else .5)


def test_the_arguments_are_left_as_they_were():
    segments, scores = np.array([[0., 2.], [1., 3.]]), np.array([.9, .8])
    soft_nms(segments, scores, 0.5, 2)
    assert scores.tolist() == [.9, .8]


@given(BOXES, st.integers(0, 70), st.sampled_from([0.1, 0.46, 5.0]), st.booleans(), st.booleans())
def test_soft_suppression_is_the_plain_formulation(boxes, limit, sigma, lose_last, widths):
    segments, scores = boxes
    damp_above = (0.65, 0.9) if widths else None
    segments = segments / 40
    kept, new_scores = soft_nms(segments, scores, sigma, limit, damp_above, lose_last)
    plain = plain_soft_nms(segments.tolist(), scores.tolist(), sigma, limit, damp_above, lose_last,
                           exp=numpy_exp)
    assert kept.tolist() == plain[0]
    assert new_scores.tolist() == plain[1]


@settings(max_examples=15)
@given(st.integers(0, 10 ** 6), st.integers(300, 1500), st.sampled_from([20, 100, 2000]),
       st.sampled_from([2, 50, 10 ** 6]))
def test_boxes_that_wait_in_the_queue_come_in_time(seed, count, grid, levels):
    segments, scores = random_boxes(seed, count, grid, levels)
    kept, new_scores = soft_nms(segments, scores, 0.1, 40)
    plain = plain_soft_nms(segments.tolist(), scores.tolist(), 0.1, 40, exp=numpy_exp)
    assert kept.tolist() == plain[0]
    assert new_scores.tolist() == plain[1]


@given(st.lists(BOXES, max_size=5), st.integers(1, 12), st.sampled_from([None, (.65, .9), (0, 0)]))
def test_videos_suppressed_together_equal_each_video_alone(videos, limit, damp_above):
    videos = [(segments / 40, scores) for segments, scores in videos]
    together = soft_nms_each(videos, 0.5, limit, damp_above)
    assert len(together) == len(videos)
    for (kept, scores), video in zip(together, videos, strict=True):
        expected, expected_scores = soft_nms(*video, 0.5, limit, damp_above)
        assert kept.tolist() == expected.tolist()
        assert scores.tolist() == expected_scores.tolist()
