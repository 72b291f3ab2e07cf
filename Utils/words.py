"""Command lines: a parser whose errors are sentences, and types of numbers.

The types are for `type=` of argparse, which puts the name of the option before their
messages.
"""

import argparse
import math

from Utils.files import UserError


class Parser(argparse.ArgumentParser):
    """Argparse, but a mistake raises UserError, and options must be written in full."""

    def __init__(self, **settings):
        super().__init__(**{"allow_abbrev": False} | settings)

    def error(self, message):
        """Raise UserError."""
        raise UserError(f"{message}; {self.prog} --help says more")


def finite(text):
    """A number."""
    value = _parsed(float, text, "number")
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text} is not a number")
    return value


def positive(text):
    """A number above 0."""
    value = finite(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is impossible: it must be above 0")
    return value


def share(text):
    """A number between 0 and 1."""
    value = finite(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} must lie between 0 and 1, as 0.2")
    return value


def count(text):
    """A whole number of 0 or more."""
    return _at_least(0, text)


def at_least_one(text):
    """A whole number of 1 or more."""
    return _at_least(1, text)


def _at_least(least, text):
    value = _parsed(int, text, "whole number")
    if value < least:
        raise argparse.ArgumentTypeError(f"{text} is impossible: it must be {least} or above")
    return value


def _parsed(kind, text, what):
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a {what}") from None
