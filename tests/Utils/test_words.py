"""Kinds of numbers on a command line, and what a parser says of others."""

import argparse

import pytest

from Utils.files import UserError
from Utils.words import Parser, at_least_one, count, finite, positive, share


@pytest.mark.parametrize("kind, good, bad", [
    (finite, ["-1.5", "0", "1e3"], ["nan", "inf", "x"]), (positive, ["0.1"], ["0", "-1", "nan"]),
    (share, ["0.2"], ["0", "1"]), (count, ["0", "7"], ["-1"]), (at_least_one, ["1"], ["0", "1.5"])])
def test_kinds_of_numbers(kind, good, bad):
    assert [kind(text) for text in good] == [float(text) for text in good]
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match=text):
            kind(text)


@pytest.mark.parametrize("words, said", [
    (["--out", "0"], "argument --out: 0 is impossible: it must be 1 or above; x.py --help says"),
    (["--out", "two"], "argument --out: two is not a whole number; "),
    (["--share", "a"], "argument --share: a is not a number; "),
    (["--ou", "1"], "unrecognized arguments: --ou 1; ")])
def test_mistakes_are_sentences(words, said):
    parser = Parser(prog="x.py")
    parser.add_argument("--out", type=at_least_one)
    parser.add_argument("--share", type=share)
    with pytest.raises(UserError, match=said):
        parser.parse_args(words)
