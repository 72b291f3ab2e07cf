"""Suppression class by class and voting: by hand, and soft-NMS itself as the oracle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from Evaluation.nms import soft_nms
from Evaluation.postprocessing.by_class import (
    agreement,
    best_of_classes,
    soft_nms_by_class,
    voted,
)
from Evaluation.postprocessing.detections import video_detections
from Evaluation.postprocessing.proposals import Proposals
from Utils.config.presets import RECIPES


def proposals(*rows):
    """Proposals of rows (start, end, score, label)."""
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Proposals(table[:, :2], table[:, 2].astype(np.float32), table[:, 3].astype(np.int32))


def test_the_best_of_each_class_stay_in_their_order():
    rows = proposals((0, 1, .1, 2), (0, 2, .9, 1), (0, 3, .3, 2), (0, 4, .2, 2), (0, 5, .8, 1))
    assert best_of_classes(rows, 2).segments[:, 1].tolist() == [2, 3, 4, 5]
    assert best_of_classes(rows, None) is rows
    assert len(best_of_classes(proposals(), 2)) == 0


def test_classes_do_not_damp_each_other():
    two = proposals((0, 2, .5, 1), (1, 3, .4, 2))
    kept, scores = soft_nms_by_class(two.segments, two.scores, two.labels, .5, 9)
    assert kept.tolist() == [0, 1] and scores == pytest.approx([.5, .4])


def test_no_proposals_no_detections():
    none = proposals()
    kept, scores = soft_nms_by_class(none.segments, none.scores, none.labels, .5, 9)
    assert kept.shape == scores.shape == (0,)
    assert len(video_detections(none, 9., sigma=.5, limit=9, by_class=True, vote_iou=.7)) == 0


@given(st.integers(0, 2 ** 32), st.integers(1, 60), st.integers(1, 30))
def test_each_class_is_suppressed_as_if_alone(seed, count, limit):
    random = np.random.default_rng(seed)
    segments = np.sort(random.uniform(0, 20, (count, 2)), axis=1)
    scores, labels = random.uniform(size=count), random.integers(1, 4, count)
    kept, found = soft_nms_by_class(segments, scores, labels, .5, limit)
    alone = {}
    for label in set(labels.tolist()):
        rows = np.flatnonzero(labels == label)
        alone |= zip(*(part.tolist() for part in (lambda k, s: (rows[k], s))(
            *soft_nms(segments[rows], scores[rows], .5, limit))), strict=True)
    best = sorted(alone, key=lambda row: -alone[row])[:limit]
    assert kept.tolist() == best
    assert found == pytest.approx([alone[row] for row in best])


def test_a_segment_becomes_the_weighted_mean_of_those_around_it():
    # IoU of (0, 10) with (0, 8): .8; with (0, 5): .5, too little; the other class has no vote.
    rows = proposals((0, 10, .5, 1), (0, 8, .25, 1), (0, 5, .9, 1), (0, 10, .9, 2))
    end = (10 * .5 + 8 * .25 * .8) / (.5 + .25 * .8)
    assert voted(rows, np.array([0]), .7) == pytest.approx(np.array([[0, end]]))
    assert voted(rows, np.array([2, 3]), .7).tolist() == [[0, 5], [0, 10]]
    assert voted(rows, np.array([], int), .7).shape == (0, 2)


def test_the_options_reach_the_detections_of_a_video():
    rows = proposals((0, 10, .5, 1), (0, 8, .25, 1), (0, 10, .4, 2))
    options = {"sigma": .5, "limit": 9, "rounded": False}
    plain = video_detections(rows, 20., **options)
    by_class = video_detections(rows, 20., by_class=True, **options)
    assert plain.scores[plain.labels == 2] < by_class.scores[by_class.labels == 2]
    assert len(video_detections(rows, 20., max_per_class=1, **options)) == 2
    moved = video_detections(rows, 20., by_class=True, vote_iou=.7, **options)
    assert moved.segments[0, 1] == pytest.approx((5 + 8 * .2) / .7)


def test_a_class_agrees_by_its_share_of_what_overlaps_a_detection():
    rows = proposals((0, 10, .6, 1), (0, 8, .5, 2), (0, 5, .9, 2), (20, 30, .4, 3))
    # (0, 8) overlaps (0, 10) by .8, (0, 5) too little: class 1 has .6 around, class 2 .8 * .5.
    assert agreement(rows[np.array([0, 3])], rows, .7) == pytest.approx([.6, 1])
    assert agreement(rows[np.array([], int)], rows, .7).shape == (0,)
    assert agreement(proposals((50, 60, .5, 1)), rows, .7).tolist() == [1]


def test_a_contradicted_detection_drops_below_one_that_others_share():
    rows = proposals((0, 10, .9, 1), (0, 10, .8, 2), (0, 9.9, .8, 2), (30, 40, .85, 1))
    options = {"sigma": .5, "limit": 9, "by_class": True, "vote_iou": .7}
    first = {power: video_detections(rows, 50., agreement_power=power, **options)
             for power in (0, 1)}
    assert first[0].scores[:2] == pytest.approx([.9, .85])
    assert first[1].scores[0] == pytest.approx(.85) and first[1].segments[0].tolist() == [30, 40]
    assert (np.diff(first[1].scores) <= 0).all()


def test_segments_that_votes_make_equal_are_one_detection():
    rows = proposals((0, 10, .5, 1), (0, 10, .4, 1), (0, 10, .3, 2), (5, 15, .2, 1))
    options = {"sigma": .5, "limit": 9, "by_class": True}
    assert len(video_detections(rows, 20., **options)) == 4
    found = video_detections(rows, 20., vote_iou=.7, **options)
    assert found.segments.tolist() == [[0, 10], [0, 10], [5, 15]]
    assert found.labels.tolist() == [1, 2, 1] and found.scores[0] == .5


def test_the_strong_recipe_leaves_room_for_many_actions_of_one_class():
    # Fifty actions, each proposed a hundred times within a tenth of a second, the first ones best.
    limit = RECIPES["strong"]["max_per_class"]
    start = np.repeat(np.arange(50) * 20, 100) + np.tile(np.arange(100) / 1000, 50)
    rows = proposals(*zip(start, start + 10, np.linspace(1, .8, 5000), np.ones(5000), strict=True))
    options = {"sigma": .85, "limit": 200, "by_class": True, "vote_iou": .7}
    found = video_detections(rows, 1000., max_per_class=limit, **options)
    assert len({int(start) // 20 for start in found.segments[:, 0]}) >= 20
