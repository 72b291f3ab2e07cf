"""Names that should be the same: the difference in words."""

import pytest

from Utils.names import difference, named_there


@pytest.mark.parametrize("wanted, there, words", [
    ("a_1", "a_1.mp4", "in the files they end in .mp4: a_1.mp4"),
    ("a_1.mp4", "a_1", "outside the files they end in .mp4: a_1"),
    ("x", "v_x", "in the files they begin with v_: v_x"),
    ("day 1/x", "x", "outside the files they have folders before them: x"),
    ("x", "x_rgb", "in the files they end in _rgb: x_rgb"),
    ("Kitchen", "kitchen", "in the files they differ in upper and lower case: kitchen"),
    ("caf\u00e9", "cafe\u0301", "in the files accented letters are stored in another Unicode form"),
    ("x", "x ", "in the files they have different spaces around them"),
    ("x1", "x12", ""), ("x", "y", ""), ("x", "", "")])
def test_the_difference_is_named(wanted, there, words):
    assert difference([wanted], ["elsewhere", there], "the files") == words


def test_names_that_are_there_are_shown():
    assert named_there(["x"], ["a", "b"], "the files") == "the files have a, b"
    assert named_there(["x"], ["x.mp4"], "d.h5") == (
        "d.h5 has x.mp4 (in d.h5 they end in .mp4: x.mp4)")
    assert named_there(["x"], [], "the files") == ""
