"""Interval maths: numbers to check by hand, laws that hold for all, numpy and torch alike."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from Utils.segments import inside, intersection, iou, length

numbers = st.floats(-1e4, 1e4, allow_subnormal=False).map(lambda x: round(x, 3))


@st.composite
def segment_arrays(draw, least=0, most=6):
    """(N, 2) float64, each start <= end."""
    pairs = draw(st.lists(st.tuples(numbers, numbers).map(sorted), min_size=least, max_size=most))
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def as_numpy(*rows):
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def as_torch(*rows):
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, 2)


@pytest.mark.parametrize("make", [as_numpy, as_torch])
def test_known_answers(make):
    a, b = make([0, 2], [4, 4]), make([1, 3], [5, 6], [-1, 7])
    assert length(a).tolist() == [2, 0]
    assert length(a, add_one=True).tolist() == [3, 1]
    assert intersection(a, b).tolist() == [[1, 0, 2], [0, 0, 0]]
    assert iou(a, b).tolist() == [[1 / 3, 0, 0.25], [0, 0, 0]]
    assert inside(b, 0, 6).tolist() == [True, True, False]


def test_touching_segments_do_not_overlap():
    assert intersection(as_numpy([0, 1]), as_numpy([1, 2])).tolist() == [[0]]


def test_edges_count_as_inside():
    assert inside(as_numpy([2, 5], [1.9, 5], [2, 5.1]), 2, 5).tolist() == [True, False, False]


@pytest.mark.parametrize("make", [as_numpy, as_torch])
def test_two_empty_segments_share_nothing_and_nothing_divides_by_zero(make):
    point = make([3, 3])
    with np.errstate(all="raise"):
        assert iou(point, point).tolist() == [[0]]


@pytest.mark.parametrize("make", [as_numpy, as_torch])
def test_no_segments_give_empty_tables(make):
    none, some = make(), make([0, 1], [2, 3])
    for pairwise in (intersection, iou):
        assert tuple(pairwise(none, some).shape) == (0, 2)
        assert tuple(pairwise(some, none).shape) == (2, 0)
    assert tuple(length(none).shape) == (0,)
    assert tuple(inside(none, 0, 1).shape) == (0,)


def test_a_reversed_segment_overlaps_nothing():
    assert intersection(as_numpy([5, 1]), as_numpy([0, 10])).tolist() == [[0]]


def test_epsilon_goes_into_the_union():
    one = as_numpy([0, 1])
    assert iou(one, one, epsilon=1.0).tolist() == [[0.5]]


def test_batches_are_handled_item_by_item():
    a = torch.tensor([[[0., 2.]], [[0., 4.]]])
    b = torch.tensor([[[1., 3.], [0., 2.]], [[2., 4.], [9., 9.]]])
    assert iou(a, b).shape == (2, 1, 2)
    assert torch.equal(iou(a, b), torch.stack([iou(a[i], b[i]) for i in range(2)]))


@given(segment_arrays(), segment_arrays())
def test_every_pair_is_what_plain_arithmetic_says(a, b):
    overlap, ratio = intersection(a, b), iou(a, b)
    for i, (s1, e1) in enumerate(a.tolist()):
        for j, (s2, e2) in enumerate(b.tolist()):
            shared = max(0, min(e1, e2) - max(s1, s2))
            union = (e1 - s1) + (e2 - s2) - shared
            assert overlap[i, j] == shared
            assert ratio[i, j] == pytest.approx(shared / union if union else 0)


@given(segment_arrays(), segment_arrays())
def test_iou_is_symmetric_and_a_share(a, b):
    ratio = iou(a, b)
    assert np.array_equal(ratio, iou(b, a).T)
    assert ((ratio >= 0) & (ratio <= 1 + 1e-9)).all()
    assert (ratio * length(b) <= intersection(a, b) + 1e-9).all()


@given(segment_arrays(least=1))
def test_a_segment_with_a_length_has_an_iou_of_1_with_itself(a):
    own = iou(a, a).diagonal()
    assert own == pytest.approx((length(a) > 0).astype(float))


@given(segment_arrays(), segment_arrays(), numbers)
def test_moving_everything_moves_no_overlap(a, b, offset):
    assert intersection(a + offset, b + offset) == pytest.approx(intersection(a, b), abs=1e-8)


@given(segment_arrays(), segment_arrays())
def test_torch_and_numpy_agree(a, b):
    for pairwise in (intersection, iou):
        assert np.array_equal(pairwise(torch.from_numpy(a), torch.from_numpy(b)).numpy(),
                              pairwise(a, b))


@given(segment_arrays(least=1), segment_arrays(least=1))
def test_a_segment_is_inside_if_all_of_it_overlaps(a, b):
    a = a[length(a) > 0]
    for start, end in b.tolist():
        wholly = intersection(a, as_numpy([start, end]))[:, 0] == length(a)
        assert inside(a, start, end).tolist() == wholly.tolist()
