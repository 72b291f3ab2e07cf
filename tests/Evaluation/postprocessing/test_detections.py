"""Detections of a video: known answers by hand, the empty case, and what is refused."""

import json

import numpy as np
import pytest

from Evaluation.postprocessing.detections import (
    Detections,
    detection_rows,
    floored_duration,
    fuse_best_classes,
    fuse_own_class,
    in_seconds,
    proposals_of_each,
    video_detections,
    write_detections,
)
from Evaluation.postprocessing.proposals import Proposals
from Utils.files import UserError

SOFT = {"sigma": 0.5, "limit": 10}


def proposals(*rows):
    """Proposals of rows (start, end, score, label)."""
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Proposals(table[:, :2], table[:, 2].astype(np.float32), table[:, 3].astype(np.int32))


def test_detections_fall_in_score_and_are_rounded():
    found = video_detections(proposals((50, 60, .25, 2), (1.26, 3.14159, .7, 1)), 100., **SOFT)
    assert found.segments.tolist() == [[1.3, 3.1], [50, 60]]
    assert found.scores.tolist() == [.7, .25]     # float32(.7) is 0.699999988
    assert found.labels.tolist() == [1, 2]


def test_without_rounding_nothing_is_rounded():
    found = video_detections(proposals((1.26, 3.14159, .7, 1)), 100., rounded=False, **SOFT)
    assert found.segments.tolist() == [[1.26, 3.14159]]
    assert found.scores.tolist() == [float(np.float32(.7))]


def test_all_classes_damp_each_other():
    found = video_detections(proposals((0, 2, .5, 1), (1, 3, .5, 2)), 9., rounded=False, **SOFT)
    assert found.scores == pytest.approx([.5, .5 * np.exp(-(1 / 3) ** 2 / .5)])


def test_a_video_with_one_proposal_has_one_detection():
    assert len(video_detections(proposals((0, 2, .5, 1)), 9., **SOFT)) == 1


def test_segments_of_the_limit_in_seconds_or_longer_are_not_taken():
    three = proposals((0, 50, .9, 1), (100, 149.9, .8, 1), (200, 260, .7, 1))
    assert video_detections(three, 999., max_seconds=50, **SOFT).scores.tolist() == [.8]
    assert len(video_detections(three, 999., max_seconds=None, **SOFT)) == 3


def test_segments_are_clipped_to_the_video():
    two = proposals((-3, 4, .9, 1), (95, 120, .8, 1))
    assert video_detections(two, 100., **SOFT).segments.tolist() == [[0, 4], [95, 100]]
    assert video_detections(two, None, **SOFT).segments.tolist() == [[0, 4], [95, 120]]


def test_segments_without_length_go_before_and_after_clipping_and_rounding():
    given = [(5, 5, .9, 1), (7, 6, .9, 1)]
    outside, short = [(100.5, 120, .8, 1), (-4, -1, .8, 1)], (3.01, 3.04, .7, 1)
    found = video_detections(proposals(*given, *outside, short, (1, 2, .1, 3)), 100., **SOFT)
    assert found.segments.tolist() == [[1, 2]]
    # Those that were given so take no place either.
    assert len(video_detections(proposals(*given, (1, 2, .1, 3)), 100., sigma=.5, limit=1)) == 1


def test_at_most_limit_are_taken():
    rows = [(i, i + .5, .5 + i / 100, 1) for i in range(20)]
    found = video_detections(proposals(*rows), 100., sigma=.5, limit=3)
    assert found.segments[:, 0].tolist() == [19, 18, 17]


def best_proposals(rows, duration, end=None, **options):
    """The best of one video's Proposals."""
    found, = proposals_of_each([rows], [duration], [end], **options)
    return found


def test_no_proposals_give_no_detections():
    for found in (video_detections(proposals(), 9., **SOFT),
                  best_proposals(proposals(), 9., damp_above=(.65, .9), **SOFT),
                  fuse_best_classes(Detections.joined([]), np.ones(3), 2, 10)):
        assert isinstance(found, Detections)
        assert found.segments.shape == (0, 2)
        assert found.scores.shape == found.labels.shape == (0,)
        assert detection_rows(found, ["a", "b"]) == []


def test_shares_become_seconds_within_the_video():
    found = in_seconds(proposals((-.5, .25, .9, 0), (.5, 1.5, .8, 0)), 80.)
    assert found.segments.tolist() == [[0, 20], [40, 80]]


def test_proposals_near_a_long_one_are_damped_only_if_close():
    # IoU 0.8; limit 0.65 + 0.25 * width: 0.9 for the whole video, 0.675 for a tenth of it.
    whole = proposals((0, 100, .9, 0), (0, 80, .5, 0))
    tenth = proposals((0, 10, .9, 0), (0, 8, .5, 0))
    rule = {"sigma": .75, "limit": 9, "damp_above": (.65, .9)}
    assert best_proposals(whole, 100., **rule).scores[1] == pytest.approx(.5)
    assert best_proposals(tenth, 100., **rule).scores[1] == pytest.approx(.5 * np.exp(-.64 / .75))


def test_proposals_without_length_take_no_place():
    found = best_proposals(proposals((5, 5, .9, 0), (1, 2, .1, 0)), 10., damp_above=(.65, .9),
                            sigma=.5, limit=1)
    assert found.segments.tolist() == [[1, 2]]


def test_proposals_can_end_at_the_last_16_whole_frames():
    assert floored_duration(10., 100) == pytest.approx(9.6)
    found = best_proposals(proposals((5, 10, .9, 0), (2, 2, .8, 0)), 10., damp_above=(.65, .9),
                            end=floored_duration(10., 100), **SOFT)
    assert found.segments == pytest.approx(np.array([[4.8, 9.6]]))


def test_the_best_class_of_the_video_is_given_to_all():
    two = Detections(np.array([[0., 2.], [5., 6.]]), np.array([.8, .5]), np.zeros(2, int))
    found = fuse_best_classes(two, np.array([0, .1, .6, .3]), num_classes=1, limit=10)
    assert found.labels.tolist() == [2, 2]
    assert found.scores == pytest.approx([.48, .3])
    assert found.segments.tolist() == two.segments.tolist()


def test_two_best_classes_compete_for_the_limit():
    two = Detections(np.array([[0., 2.], [5., 6.]]), np.array([.8, .3]), np.zeros(2, int))
    found = fuse_best_classes(two, np.array([0, .5, .5, .4]), num_classes=2, limit=3)
    assert found.labels.tolist() == [1, 2, 1]     # of equal classes the lowest first
    assert found.segments[:, 0].tolist() == [0, 0, 5]
    assert found.scores == pytest.approx([.4, .4, .15])


def test_proposals_with_classes_keep_them():
    found = fuse_own_class(proposals((0, 2, .8, 2), (0, 2, .5, 1)), np.array([0, .5, .25]))
    assert found.labels.tolist() == [2, 1]
    assert found.scores == pytest.approx([.2, .25])


@pytest.mark.parametrize("label", [0, 3])
def test_labels_that_are_not_classes_are_refused(label):
    bad = proposals((0, 1, .5, 1), (0, 1, .5, label))
    with pytest.raises(UserError, match=r"labels \d to \d, the classes are 1 to 2; evaluate with"):
        detection_rows(bad, ["a", "b"])
    with pytest.raises(UserError, match="the classes are 1 to 2"):
        fuse_own_class(bad, np.ones(3))


def test_the_file_is_laid_out_as_others_read_it(tmp_path):
    found = video_detections(proposals((1.26, 3.14, .7, 2), (50, 60, .25, 1)), 100., **SOFT)
    write_detections(tmp_path / "d.json", {"v": detection_rows(found, ["jump", "run"]), "w": []},
                     "THUMOS14")
    assert json.loads((tmp_path / "d.json").read_text()) == {
        "version": "THUMOS14", "external_data": {},
        "results": {"v": [{"label": "run", "score": .7, "segment": [1.3, 3.1]},
                          {"label": "jump", "score": .25, "segment": [50, 60]}], "w": []}}
    assert list(detection_rows(found)[0]) == ["score", "segment"]
