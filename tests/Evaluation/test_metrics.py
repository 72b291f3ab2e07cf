import numpy as np
import pytest

from Evaluation.metrics import (
    UNMATCHED,
    action_table,
    align,
    average_precision,
    best_score,
    detection_table,
    envelope,
    match,
    mean_over_classes,
    precision_curve,
    rank_in_class,
    short_average_precision,
)
from Evaluation.postprocessing.detections import Detections
from tests.tables import actions, detections, random_tables
from Utils.data.annotations import Video

NONE = UNMATCHED


def matched(truth, found, *thresholds):
    return match(truth, align(found, truth), thresholds)[1].tolist()


def precision(truth, found, *thresholds):
    return average_precision(truth, align(found, truth), thresholds)


# ---- tables -------------------------------------------------------------------------------------

def test_alignment_takes_the_numbers_of_the_truth_and_puts_unknown_names_last():
    truth = actions(("b", "run", 0, 1), ("a", "jump", 0, 1))
    found = detections(("new", "fly", 0, 1, .5), ("a", "run", 0, 1, .4), ("b", "jump", 0, 1, .3))
    found = align(found, truth)
    assert found.videos == ("b", "a", "new") and found.classes == ("run", "jump", "fly")
    assert found.video.tolist() == [2, 1, 0] and found.label.tolist() == [2, 0, 1]


def test_alignment_of_no_detections():
    assert len(align(detections(), actions(("a", "x", 0, 1)))) == 0


def test_rows_can_be_chosen_by_mask_or_order():
    found = detections(("a", "x", 0, 1, .5), ("a", "y", 2, 3, .4), ("b", "x", 4, 5, .3))
    assert found[[2, 0]].scores.tolist() == [.3, .5]
    assert found[found.label == 1].segments.tolist() == [[2, 3]]
    assert actions(("a", "x", 0, 1))[:0].scores is None


def test_annotated_videos_become_a_table():
    videos = [Video("v", "test", 9.0, np.array([[1., 2], [3, 4]]), np.array([1, 0])),
              Video("empty", "test", 9.0, np.zeros((0, 2)), np.zeros(0, int))]
    table = action_table(videos, ("x", "y"))
    assert table.videos == ("v", "empty") and table.video.tolist() == [0, 0]
    assert table.label.tolist() == [1, 0] and table.segments.tolist() == [[1, 2], [3, 4]]
    assert table.scores is None and len(action_table([], ("x",))) == 0


def test_detections_by_video_become_a_table():
    found = {"empty": Detections(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int)),
             "v": Detections(np.array([[1., 2], [3, 4]]), np.array([.5, .25]), np.array([2, 1]))}
    table = detection_table(found, ("x", "y"))
    assert table.video.tolist() == [1, 1] and table.label.tolist() == [1, 0]
    assert table.scores.tolist() == [.5, .25]
    assert len(detection_table({}, ("x",))) == 0


# ---- matching -----------------------------------------------------------------------------------

def test_the_highest_score_takes_first_and_the_next_takes_what_is_left():
    truth = actions(("v", "x", 0, 10), ("v", "x", 8, 18))
    found = detections(("v", "x", 1, 11, .4), ("v", "x", 0, 10, .9), ("v", "x", 2, 12, .3))
    # The second one takes action 0 exactly; the first is left with action 1 (3 of 17 s); none then.
    assert matched(truth, found, 0.1) == [[1, 0, NONE]]
    assert matched(truth, found, 0.1, 0.5) == [[1, 0, NONE], [NONE, 0, NONE]]


def test_order_is_by_class_then_score_then_place_in_the_file():
    truth = actions(("v", "x", 0, 1), ("v", "y", 0, 1))
    found = detections(("v", "y", 0, 1, .5), ("v", "x", 0, 1, .1), ("v", "y", 0, 1, .9),
                       ("v", "x", 0, 1, .1), ("v", "y", 0, 1, .5))
    assert match(truth, align(found, truth), [.5])[0].tolist() == [1, 3, 2, 0, 4]


def test_the_threshold_itself_is_enough():
    truth, found = actions(("v", "x", 0, 2)), detections(("v", "x", 1, 3, 1))
    assert matched(truth, found, 1 / 3, 1 / 3 + 1e-9) == [[0], [NONE]]


def test_of_equal_overlap_the_last_action_is_taken():
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30))
    assert matched(truth, detections(("v", "x", 0, 30, 1)), 0.3) == [[1]]


def test_other_classes_and_videos_are_not_taken():
    truth = actions(("v", "x", 0, 10), ("w", "y", 0, 10))
    found = detections(("v", "y", 0, 10, .9), ("w", "x", 0, 10, .8), ("u", "x", 0, 10, .7),
                       ("v", "z", 0, 10, .6))
    assert matched(truth, found, 0.1) == [[NONE] * 4]


def test_segments_without_length_match_only_the_same_point():
    truth = actions(("v", "x", 5, 5))
    found = detections(("v", "x", 6, 6, .9), ("v", "x", 4, 6, .8), ("v", "x", 5, 5, .7))
    assert matched(truth, found, 0.5) == [[NONE, NONE, 0]]


def test_reversed_segments_match_nothing():
    truth = actions(("v", "x", 0, 3))
    assert matched(truth, detections(("v", "x", 8, 5, 1), ("v", "x", 3, 0, 1)), 0.1) == [[NONE] * 2]


def test_a_chain_of_refusals_ends_as_taking_turns_does():
    # Each detection likes best what the one before it takes, and next the action after that.
    truth = actions(*(("v", "x", 10 * i, 10 * i + 12) for i in range(50)))
    found = detections(*(("v", "x", 10 * max(i - 1, 0) + 1, 10 * max(i - 1, 0) + 13, 1 - i / 100)
                         for i in range(50)))
    free, turns = set(range(50)), []
    for row in range(50):
        start, end = found.segments[row]
        overlaps = {i: (min(end, b) - max(start, a)) for i, (a, b) in enumerate(truth.segments)
                    if i in free and min(end, b) > max(start, a)}
        best = max(overlaps, key=overlaps.get, default=NONE)
        turns.append(best)
        free.discard(best)
    assert matched(truth, found, 1e-6) == [turns] and NONE not in turns


def test_pairs_are_the_same_in_small_portions(monkeypatch):
    truth = actions(*(("vw"[i % 2], "x", i, i + 3) for i in range(20)))
    found = detections(*(("vw"[i % 2], "x", i + .25, i + 3, -i) for i in range(20)))
    whole = matched(truth, found, 0.1, 0.5)
    monkeypatch.setattr("Evaluation.matching.PAIRS_AT_ONCE", 7)
    assert matched(truth, found, 0.1, 0.5) == whole


# ---- average precision --------------------------------------------------------------------------

def test_average_precision_by_hand():
    # Right, wrong, right of 3 actions: precision 1, 1/2, 2/3 -> (1 + 2/3) / 3.
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30), ("w", "x", 0, 10))
    found = detections(("v", "x", 0, 10, .9), ("v", "x", 50, 60, .8), ("w", "x", 0, 10, .7))
    assert precision(truth, found, 0.5).tolist() == [[pytest.approx(5 / 9)]]


def test_precision_before_a_hit_is_raised_to_that_of_later_ones():
    # Wrong, right, right: precision at the hits 1/2, 2/3, both counted as 2/3.
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30))
    found = detections(("v", "x", 50, 60, .9), ("v", "x", 0, 10, .8), ("v", "x", 20, 30, .7))
    assert precision(truth, found, 0.5).tolist() == [[pytest.approx(2 / 3)]]


def test_a_class_without_detections_scores_0_and_one_without_actions_nothing():
    truth = actions(("v", "x", 0, 10), classes=("x", "never", "y"))
    found = detections(("v", "never", 0, 10, .9))
    area = precision(truth, found, 0.5, 0.7)
    assert np.isnan(area[:, 1:]).all() and (area[:, 0] == 0).all()
    assert mean_over_classes(area).tolist() == [0, 0]


def test_the_mean_leaves_out_classes_without_actions():
    assert mean_over_classes(np.array([[1, np.nan, .5], [np.nan] * 3])).tolist() == [.75, 0]


def test_no_detections_and_no_actions():
    truth = actions(("v", "x", 0, 10))
    assert precision(truth, detections(), 0.5).tolist() == [[0]]
    assert precision(actions(), detections(("v", "x", 0, 1, 1)), 0.5).shape == (1, 0)


def test_detections_of_unknown_videos_are_false_positives():
    truth = actions(("v", "x", 0, 10))
    found = detections(("new", "x", 0, 10, .9), ("v", "x", 0, 10, .8))
    assert precision(truth, found, 0.5).tolist() == [[.5]]


def test_detections_of_unknown_labels_change_no_class():
    truth = actions(("v", "x", 0, 10))
    found = detections(("v", "new", 0, 10, .9), ("v", "x", 0, 10, .8))
    assert precision(truth, found, 0.5).tolist() == [[1]]


def test_ranks_start_again_with_each_class():
    assert rank_in_class(np.array([4, 7, 7, 7, 9])).tolist() == [0, 0, 1, 2, 0]
    assert rank_in_class(np.array([], int)).tolist() == []


def test_curves():
    hit = np.array([[True, False, True, False]])
    assert precision_curve(hit) == pytest.approx(np.array([[1, 1 / 2, 2 / 3, 1 / 2]]))
    assert envelope(precision_curve(hit)) == pytest.approx(np.array([[1, 2 / 3, 2 / 3, 1 / 2]]))
    counted = np.array([[True, False, True, True]])
    assert precision_curve(hit, counted) == pytest.approx(np.array([[1, 1, 1, 2 / 3]]))


# ---- short actions ------------------------------------------------------------------------------

def test_hits_of_longer_actions_are_ignored_and_misses_count():
    truth = actions(("v", "x", 0, 100), ("v", "x", 200, 205), ("v", "long", 0, 50))
    found = detections(("v", "x", 0, 100, .9), ("v", "x", 300, 301, .8), ("v", "x", 200, 205, .7))
    area = short_average_precision(truth, align(found, truth), (0.5,), 10)
    assert area[0, 0] == .5 and np.isnan(area[0, 1])


def test_an_action_of_just_that_length_is_short():
    truth, found = actions(("v", "x", 0, 10)), detections(("v", "x", 0, 10, 1))
    assert short_average_precision(truth, found, (0.5,), 10).tolist() == [[1]]
    assert np.isnan(short_average_precision(truth, found, (0.5,), 9.99)).all()
    # Just that length in tenths of a second, a little more as floats.
    assert 2.2 - 0.7 > 1.5
    truth, found = actions(("v", "x", 0.7, 2.2)), detections(("v", "x", 0.7, 2.2, 1))
    assert short_average_precision(truth, found, (0.5,), 1.5).tolist() == [[1]]
    assert np.isnan(short_average_precision(truth, found, (0.5,), 1.4999)).all()


def test_the_best_score_keeps_what_is_right_and_leaves_what_is_not():
    truth = actions(("v", "x", 0, 10), ("v", "x", 20, 30))
    found = detections(("v", "x", 0, 10, 0.9), ("v", "x", 20, 30, 0.6), ("v", "x", 50, 60, 0.5))
    assert best_score(truth, align(found, truth), 0.5) == 0.6
    assert best_score(truth, align(detections(), truth), 0.5) == 0


@pytest.mark.parametrize("seed", range(6))
def test_no_score_has_a_higher_f1_than_the_best(seed):
    truth, found = random_tables(seed, 12, 40)
    found = align(found, truth)

    def f1(score):
        shown = found[found.scores >= score]
        _, matched = match(truth, shown, (0.4,))
        return (matched >= 0).sum() / (len(shown) + len(truth))

    best = best_score(truth, found, 0.4)
    assert f1(best) == pytest.approx(max(f1(score) for score in found.scores))
