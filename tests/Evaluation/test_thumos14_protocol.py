import pytest

from Evaluation.metrics import align
from Evaluation.thumos14_protocol import read_ambiguous, thumos14_average_precision
from tests.tables import actions, detections
from Utils.files import UserError


def precision(truth, found, threshold=0.5, ambiguous=None):
    return thumos14_average_precision(truth, align(found, truth), [threshold], ambiguous).tolist()


def test_precision_is_not_interpolated():
    # Wrong, right, right of two: precision 1/2 and 2/3 at the hits.
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30))
    found = detections(("v", "x", 50, 60, .9), ("v", "x", 0, 10, .8), ("v", "x", 20, 30, .7))
    assert precision(truth, found) == [[pytest.approx((1 / 2 + 2 / 3) / 2)]]


def test_each_action_takes_the_detection_that_fits_best_not_the_best_scored():
    truth = actions(("v", "x", 0, 10))
    found = detections(("v", "x", 0, 8, .9), ("v", "x", 0, 10, .8))
    assert precision(truth, found) == [[.5]]


def test_earlier_actions_take_first():
    # Action 0 takes the only detection that would fit action 1.
    truth = actions(("v", "x", 0, 10), ("v", "x", 1, 11))
    assert precision(truth, detections(("v", "x", 1, 11, .9))) == [[.5]]


def test_the_threshold_must_be_exceeded():
    truth, found = actions(("v", "x", 0, 2)), detections(("v", "x", 0, 1, 1))
    assert precision(truth, found, 0.5) == [[0]] and precision(truth, found, 0.49) == [[1]]


def test_unmatched_detections_on_ambiguous_intervals_are_ignored():
    truth = actions(("v", "x", 0, 10))
    found = detections(("v", "x", 50, 60, .9), ("v", "x", 0, 10, .8))
    ambiguous = actions(("other", "?", 50, 60), ("v", "?", 59, 70))
    assert precision(truth, found) == [[.5]]
    assert precision(truth, found, ambiguous=ambiguous) == [[1]]
    assert precision(truth, found, ambiguous=actions(("v", "?", 60, 70))) == [[.5]]


def test_a_match_on_an_ambiguous_interval_counts():
    truth, found = actions(("v", "x", 0, 10)), detections(("v", "x", 0, 10, .8))
    assert precision(truth, found, ambiguous=actions(("v", "?", 0, 10))) == [[1]]


def test_equal_scores_go_by_the_names_of_the_videos():
    truth = actions(("b", "x", 0, 10), videos=("b", "a"))
    found = detections(("b", "x", 0, 10, .5), ("a", "x", 0, 10, .5))
    assert precision(truth, found) == [[.5]]


def test_no_detections():
    assert precision(actions(("v", "x", 0, 1)), detections()) == [[0]]


def test_intervals_are_read_from_lines(tmp_path):
    path = tmp_path / "ambiguous.txt"
    path.write_text("v1 0.5 1.5\n\nv2  3 4\nv1 7 8\n")
    table = read_ambiguous(path)
    assert table.videos == ("v1", "v2") and table.video.tolist() == [0, 1, 0]
    assert table.segments.tolist() == [[.5, 1.5], [3, 4], [7, 8]]
    path.write_text("")
    assert len(read_ambiguous(path)) == 0 and read_ambiguous(path).segments.shape == (0, 2)


@pytest.mark.parametrize("line", ["v1 0.5", "v1 a b", "v1 0 nan", "v1 0 1 2"])
def test_a_broken_line_is_named(tmp_path, line):
    path = tmp_path / "ambiguous.txt"
    path.write_text(f"v1 0 1\n{line}\n")
    with pytest.raises(UserError, match="line 2: expected `video start end`"):
        read_ambiguous(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="cannot read the ambiguous intervals"):
        read_ambiguous(tmp_path / "none.txt")
