"""Rows of a detection file, checked one by one and kept as numbers during parsing.

As objects, a million rows take a gigabyte; here a row takes 32 bytes, and its
placeholder 40.
"""

import contextlib
import math
from array import array

import numpy as np

from Utils.files import listed, unique

NO_CLASS = "(no class)"     # stands in for the label of proposals, which have none
UNLABELLED = -1
# characters of a wrong value in a message, which begin no more lists than that
SHOWN = 60


class Kept(int):
    """The place of a row in a RowStore; it stands where the row itself was."""
    __slots__ = ()


class RowStore:
    """Valid rows, in the order in which they were parsed."""

    def __init__(self):
        self.names = {}                  # {name of a class: its number}
        self.labels = array("q")         # number of the class of each row, or UNLABELLED
        self.numbers = array("d")        # start, end, score of one row after another

    def hook(self, pairs: list[tuple]) -> Kept | dict:
        """For json.loads: an object that is a row becomes a Kept, any other a dict.

        Raises ValueError for a name that occurs twice in an object.
        """
        content = unique(pairs)
        if "segment" not in content or "score" not in content:
            return content
        try:
            return self.add(*checked_row(content, "label" in content))
        except ValueError:
            return content      # the reader of the file says where

    def add(self, label: str | None, start: float, end: float, score: float) -> Kept:
        """Keep a row. label: None for a row without one. -> Kept."""
        number = UNLABELLED if label is None else self.names.setdefault(label, len(self.names))
        self.labels.append(number)
        self.numbers.extend((start, end, score))
        return Kept(len(self.labels) - 1)

    def row(self, place: int) -> dict:
        """A kept row as the file had it."""
        start, end, score = self.numbers[3 * place:3 * place + 3]
        number = self.labels[place]
        label = {} if number == UNLABELLED else {"label": list(self.names)[number]}
        return {**label, "score": score, "segment": [start, end]}

    def plain(self, value: object, depth: int = SHOWN) -> object:
        """A JSON value with its rows, down to some depth, as they were in the file."""
        if type(value) is Kept:
            return self.row(value)
        if isinstance(value, list) and depth:
            return [self.plain(part, depth - 1) for part in value]
        if isinstance(value, dict) and depth:
            return {name: self.plain(part, depth - 1) for name, part in value.items()}
        return value

    def columns(self, places: np.ndarray) -> tuple:
        """Classes in order of appearance, label (n,), segments (n, 2), scores (n,).

        places: (n,) of Kept, as integers.
        """
        numbers = np.array(self.labels, np.int64)[places]
        found, first, label = np.unique(numbers, return_index=True, return_inverse=True)
        order = np.argsort(first)
        names = [*self.names, NO_CLASS]  # the last one is what UNLABELLED, -1, stands for
        table = np.array(self.numbers, np.float64).reshape(-1, 3)[places]
        return (tuple(names[number] for number in found[order]), np.argsort(order)[label],
                table[:, :2].copy(), table[:, 2].copy())


def checked_row(entry: object, has_label: bool) -> tuple:
    """(label or None, start, end, score) of a row; a ValueError says what is wrong with it."""
    if not isinstance(entry, dict):
        raise ValueError(f"is {str(entry)[:SHOWN]!r}, expected an object with label, "
                         "score, segment")
    for key in ("label", "score", "segment"):
        if key not in entry and (key != "label" or has_label):
            raise ValueError(f"has no {key!r}; it has "
                             f"{listed(sorted(map(ascii, entry))) or 'nothing'}")
    label, segment = entry.get("label"), entry["segment"]
    if not has_label and "label" in entry:
        raise ValueError(f"has the label {str(label)[:SHOWN]!r}, while those before it have none")
    if has_label and (not isinstance(label, str) or not is_text(label)):
        raise ValueError(f"has the label {ascii(label)[:SHOWN]}, expected the name of a class")
    if not isinstance(segment, list) or len(segment) != 2:
        raise ValueError(f"has the segment {str(segment)[:SHOWN]!r}, expected [start, "
                         "end] in seconds")
    return label, _finite(segment[0]), _finite(segment[1]), _finite(entry["score"])


def is_text(name: str) -> bool:
    """Whether a name can be shown and written: JSON may hold halves of characters."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _finite(value):
    if type(value) is float and -1e300 < value < 1e300:
        return value
    if isinstance(value, str):     # as in the annotations of THUMOS14
        with contextlib.suppress(ValueError):
            value = float(value)
    is_number = type(value) in (int, float)
    # JSON's whole numbers may be larger than any float.
    if not is_number or not abs(value) < 1e300 or not math.isfinite(value):
        raise ValueError(f"has {str(value)[:SHOWN]!r} for a score or a second, expected "
                         "a finite number")
    return float(value)
