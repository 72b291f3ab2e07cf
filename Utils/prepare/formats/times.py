"""Read times and frames of other tools: from text to seconds."""

import re

from Utils.files import UserError
from Utils.prepare.formats.found import BadRow

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.I)
CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,8}):(\d{1,2}(?:[.,]\d*)?)")


def seconds(text, decimal_comma=False, what="the time"):
    """Seconds of `12.5`, `1:02.5` or `0:01:02,5`. decimal_comma: `12,5` is a number too.

    BadRow for everything else.
    """
    text = text.strip()
    plain = text.replace(",", ".") if decimal_comma and text.count(",") == 1 else text
    if PLAIN.fullmatch(plain):
        value = float(plain)
        if abs(value) < 1e12:
            return value
    elif clock := CLOCK.fullmatch(text):
        hours, minutes, rest = clock.groups()
        rest = float(rest.replace(",", "."))
        if rest < 60 and (hours is None or int(minutes) < 60):
            return int(hours or 0) * 3600 + int(minutes) * 60 + rest
    raise BadRow(f"{what} is {text[:40]!r}, expected seconds or h:m:s")


def number_of(value, what):
    """A finite number from a JSON value (a number or a text with one), or BadRow."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadRow(f"{what} is {str(value)[:40]!r}, expected a number")
    if not PLAIN.fullmatch(text := str(value).strip()) or abs(float(text)) >= 1e12:
        raise BadRow(f"{what} is {text[:40]!r}, expected a number")
    return float(text)


def frame(value, what):
    """A whole number from a text or JSON value, or BadRow."""
    number = number_of(value, what)
    if not number.is_integer():
        raise BadRow(f"{what} is {value}, expected a whole number of frames")
    return int(number)


def rate(options, of_file, where):
    """Frames per second: --fps, or else what the file says, or else a UserError."""
    if options.fps is not None:
        return options.fps
    if of_file is None:
        raise UserError(f"{where}: the times are frames; give --fps")
    if not of_file > 0:
        raise BadRow(f"fps is {of_file:g}, expected more than 0")
    return of_file
