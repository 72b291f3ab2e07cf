"""Names that should match but do not: how they differ, in words."""

import unicodedata

from Utils.files import listed


def named_there(wanted, there, place):
    """What a message adds about names that were not found: those that exist, and how they differ.

    wanted: names that are not among `there`. place: in words, such as "the files".
    Empty if there are no names.
    """
    there = list(there)
    if not there:
        return ""
    why = difference(wanted, there, place)
    return f"{place} {'have' if place.endswith('s') else 'has'} {listed(there, 3)}" + (
        f" ({why})" if why else "")


def difference(wanted, there, place):
    """How the first two names that mean the same differ; empty if no two do."""
    by_plain = {_plain(name): name for name in there}
    for name in list(wanted)[:20]:
        plain = _plain(name)
        if plain in by_plain:
            return f"in {place} {_in_letters(name, by_plain[plain])}"
        for key, found in by_plain.items():
            if text := _around(plain, key):
                where = f"in {place}" if len(key) > len(plain) else f"outside {place}"
                return f"{where} they {text}: {found}"
    return ""


def _plain(name):
    """A name without differences of spelling."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


def _in_letters(name, found):
    """How two names with the same plain form differ."""
    if name.strip() == found.strip():
        return "they have different spaces around them"
    if unicodedata.normalize("NFC", name) == unicodedata.normalize("NFC", found):
        return "accented letters are stored in another Unicode form"
    return f"they differ in upper and lower case: {found}"


def _around(first, second):
    """What the longer name has around the shorter one; None if it does not contain it."""
    short, long = sorted((first, second), key=len)
    before, behind = long[:len(long) - len(short)], long[len(short):]
    if not short or not before:
        return None
    if long.endswith(short) and not before[-1].isalnum():
        return "have folders before them" if before[-1] == "/" else f"begin with {before}"
    if long.startswith(short) and not behind[0].isalnum():
        return f"end in {behind}"
    return None
