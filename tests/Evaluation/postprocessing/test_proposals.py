"""Proposals of a window: by hand on small inputs, and the plain formulation as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.plain_nms import plain_window_proposals
from Evaluation.postprocessing.proposals import Proposals, class_scores, window_proposals

RULES = {"gap": 16, "score_threshold": 0.005, "nms_threshold": 0.4}


def decode(scores, boxes, num_frames=64, stitched=False, origin=0, rate=1, edges=None, **rules):
    """Proposals of a window in an input of 64 columns; boundary scores of 1 unless given."""
    start, end = edges if edges is not None else np.ones((2, 64), np.float32)
    return window_proposals(np.array(scores, np.float32), np.array(boxes, np.float32), start, end,
                            num_frames, stitched, origin, rate, **{**RULES, **rules})


def test_class_scores_are_softmax_or_one_sigmoid():
    assert class_scores(np.log([[1., 2., 5.]])) == pytest.approx(np.array([[.125, .25, .625]]))
    assert class_scores([[0.], [np.log(3)], [-200.], [200.]]) == pytest.approx(
        np.array([[.5], [.75], [0.], [1.]]))
    assert class_scores(np.full((2, 3), 1000.)) == pytest.approx(1 / 3)
    assert class_scores(np.zeros((0, 3))).shape == (0, 3)


def test_boundary_scores_are_means_of_the_two_frames_around():
    start, end = np.zeros((2, 64), np.float32)
    start[[2, 3]] = .4, .8
    end[[10, 11]] = .5, 1
    found = decode([[0, .5]], [[2.25, 10]], edges=(start, end))
    assert found.scores == pytest.approx([.5 * .6 * .5])
    assert found.labels.tolist() == [1]


def test_seconds_count_from_the_start_of_the_window():
    found = decode([[0, .5]], [[3, 13]], origin=320, rate=30)
    assert found.segments == pytest.approx(np.array([[323 / 30, 333 / 30]]))


def test_boxes_are_clamped_to_the_input_and_the_window():
    found = decode([[0, .5], [0, .4]], [[-5, 10], [40, 80]], num_frames=50)
    assert found.segments.tolist() == [[0, 10], [40, 49]]


def test_only_the_start_decides_which_copy_a_box_belongs_to():
    # 16 frames, a gap of 16, 32 columns for the copy: position 32 + x is frame x / 2.
    found = decode([[0, .5, 0], [0, .4, 0], [0, 0, .3]], [[36, 44], [8, 12], [10, 60]],
                   num_frames=16, stitched=True)
    assert found.segments.tolist() == [[2, 6], [8, 12], [10, 15]]
    # Starts in the gap: taken for the copy, and clamped.
    assert decode([[0, .5]], [[20, 48]], num_frames=16, stitched=True).segments.tolist() == [[0, 8]]


def test_rows_go_by_class_and_then_by_score():
    boxes = [[0, 5], [10, 15], [20, 25]]
    found = decode([[.3, .1, .6], [.3, .5, .2], [.3, .6, .005]], boxes)
    assert found.labels.tolist() == [1, 1, 1, 2, 2]
    assert found.scores == pytest.approx([.6, .5, .1, .6, .2])
    assert found.segments[:, 0].tolist() == [20, 10, 0, 0, 10]


def test_segments_without_length_go_and_those_pushed_out_of_the_window_too():
    found = decode([[0, .5]] * 4, [[5, 5], [7, 3], [55, 60], [1, 4]], num_frames=50)
    assert found.segments.tolist() == [[1, 4]]


def test_one_frame_leaves_no_proposals():
    assert len(decode([[0, .5]] * 2, [[0, 9], [0, 0]], num_frames=1)) == 0
    assert len(decode(np.zeros((0, 3)), np.zeros((0, 2)))) == 0
    assert decode(np.zeros((0, 3)), np.zeros((0, 2))).segments.shape == (0, 2)


def test_without_classes_every_anchor_is_a_row():
    found = decode([[.5], [.001], [.9]], [[0, 32], [8, 8], [0, 32]], rate=64)
    assert found.segments.tolist() == [[0, .5], [.125, .125], [0, .5]]
    assert found.scores == pytest.approx([.5, .001, .9])
    assert found.labels.tolist() == [0, 0, 0]


def test_joining_nothing_gives_nothing():
    nothing = Proposals.joined([])
    assert (nothing.segments.shape, nothing.scores.shape, nothing.labels.shape) == (
        (0, 2), (0,), (0,))


def test_rows_are_chosen_together():
    three = Proposals(np.arange(6.).reshape(3, 2), np.arange(3.), np.arange(3))
    assert three[three.scores > 0].segments.tolist() == [[2, 3], [4, 5]]
    assert three[[2, 0]].labels.tolist() == [2, 0]


@given(st.integers(0, 10 ** 6), st.integers(0, 60), st.integers(2, 5), st.booleans())
def test_a_window_is_that_of_the_plain_formulation(seed, count, num_classes, stitched):
    # Eighths and sixty-fourths: exact in float32 and float64 alike, with many ties.
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 65, (count, num_classes)) / 64
    boxes = rng.integers(-8, 150, (count, 2)) / 2
    edges = rng.integers(0, 9, (2, 64)).astype(np.float32) / 8
    num_frames = 16 if stitched else 50
    found = decode(scores, boxes, num_frames, stitched, 7, 2, edges)
    plain = plain_window_proposals(scores.tolist(), boxes.tolist(), *edges.tolist(), num_frames,
                                   stitched, 7, 2, **RULES) if count else []
    columns = (*found.segments.T, found.scores, found.labels)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == plain


def test_the_power_of_the_boundary_scores():
    edges = np.full((2, 64), .25, np.float32)
    found = decode([[0, .5]], [[2, 10]], edges=edges, boundary_power=.25)
    assert found.scores == pytest.approx([.5 * .25 ** .5])


def test_only_the_best_of_each_class_are_kept():
    boxes = [[0, 5], [10, 15], [20, 25]]
    found = decode([[.3, .1, .6], [.3, .5, .2], [.3, .6, .005]], boxes, max_per_class=1)
    assert found.labels.tolist() == [1, 2]
    assert found.scores == pytest.approx([.6, .6])
    assert len(decode(np.zeros((0, 3)), np.zeros((0, 2)), max_per_class=1)) == 0


def test_a_threshold_of_1_suppresses_nothing():
    twice = [[0, .5], [0, .4]], [[0, 5], [0, 5]]
    assert len(decode(*twice, nms_threshold=.99)) == 1
    assert len(decode(*twice, nms_threshold=1)) == 2
