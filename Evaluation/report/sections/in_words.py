"""Numbers and names in words, for the sections of the report."""

import math
from collections.abc import Sequence

NONE = "\u2013"         # stands for a missing number


def is_number(value: object) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def percent(value: object, digits: int = 1) -> str:
    """A share in percent, without the sign."""
    return f"{100 * value:.{digits}f}" if is_number(value) else NONE


def count(value: object) -> str:
    """A number with separated thousands: 30,000."""
    return f"{value:,}" if is_number(value) else NONE


def plural(number: object, word: str) -> str:
    """`1 video`, `2 videos`."""
    return f"{count(number)} {word}{'' if number == 1 else 's'}"


def short(value: object) -> str:
    """Few digits, but enough to distinguish neighbours."""
    if not is_number(value):
        return NONE
    size = abs(value)
    if size and not 1e-4 <= size < 1e5:
        return f"{value:.2e}"
    return f"{float(f'{value:.4g}'):.10g}"


def listed(names: Sequence, most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {count(len(names) - most)} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def words(name: object) -> str:
    """The name of a field as words."""
    return str(name).replace("_", " ")
