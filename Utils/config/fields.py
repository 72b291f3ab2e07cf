"""What an option is: its type and limit, which scripts read it, and what it needs to count."""

import dataclasses
import math
import typing
from collections.abc import Callable
from dataclasses import dataclass, field

CUT, TRAIN, INFER, EVAL = SCRIPTS = ("Cut_long_videos", "Train", "Infer", "Eval")


@dataclass(frozen=True)
class Limit:
    """Which values an option may have: in words, and as a test. near: value -> those that fit."""
    words: str
    holds: Callable[[float], bool]
    near: Callable[[float], str] = field(default=lambda value: "")


ABOVE_0 = Limit("above 0", lambda value: 0 < value < math.inf)
FROM_0 = Limit("0 or above", lambda value: 0 <= value < math.inf)
SHARE = Limit("from 0 to 1", lambda value: 0 <= value <= 1)
PART = Limit("above 0 and at most 1", lambda value: 0 < value <= 1)


def is_score(value):
    """Whether a value, or text, is a finite number or `auto`."""
    try:
        return value == "auto" or math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def between(low, high):
    """The Limit of low .. high, both included."""
    return Limit(f"from {low} to {high}", lambda value: low <= value <= high)


def multiple_of(unit, why):
    """The Limit of unit, 2 unit, 3 unit, ..."""
    return Limit(f"a multiple of {unit}, {why}", lambda value: value > 0 and value % unit == 0,
                 lambda value: f"; {nearest(value, unit)} fit")


def nearest(value, unit):
    """The multiples of a unit around a value, in words."""
    below = max(0, value // unit * unit)
    return " and ".join(str(found) for found in (below, below + unit) if found)


def option(default, help, limit=None, **traits):
    """A field of a group of options. limit: Limit of its value, or of each of its values.

    traits: fields of Option that differ from those of the group.
    """
    return field(default=default, metadata={"help": help, "limit": limit, **traits})


@dataclass(frozen=True)
class Option:
    """All that is known of one option.

    kind: type of the value, or of each value of a tuple. scripts: those that read it. shapes: what
    it has shaped once that exists, "training" or "proposals": it can't be changed afterwards.
    needs: other options {name: value} without which it has no effect. is_stored: with checkpoints
    and proposals. is_doing: it changes what its script does, so other scripts refuse it. is_rare:
    only `--help all` shows it. is_word: a bool that is written true or false.
    may_be_empty: a tuple that may have no values. may_be_unset: None is a value.
    """
    name: str
    default: object
    help: str
    kind: type
    is_tuple: bool
    choices: tuple | None
    limit: Limit | None
    scripts: tuple[str, ...]
    shapes: str = ""
    needs: dict = field(default_factory=dict)
    is_stored: bool = True
    is_doing: bool = False
    is_rare: bool = False
    is_word: bool = False
    may_be_empty: bool = False
    short: str | None = None
    may_be_unset: bool = False


def options_of(group):
    """The Options of a group, in order: its fields, with what the whole group has in common."""
    hints = typing.get_type_hints(group)
    common = {name: getattr(group, name) for name in ("scripts", "shapes", "is_stored", "needs")
              if hasattr(group, name)}
    return tuple(Option(name=spec.name, default=spec.default,
                        may_be_unset=type(None) in typing.get_args(hints[spec.name]),
                        **_kind(hints[spec.name]), **(common | spec.metadata))
                 for spec in dataclasses.fields(group))


def _kind(hint):
    """What a type hint says: int, float | None, tuple[str, ...], Literal["a", "b"]."""
    parts = [part for part in typing.get_args(hint) if part is not type(None)]
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return {"kind": type(parts[0]), "is_tuple": False, "choices": tuple(parts)}
    if origin is tuple:
        return {"kind": parts[0], "is_tuple": True, "choices": None}
    if parts:       # of `... | None`, or of an Optional Literal
        return _kind(parts[0])
    return {"kind": hint, "is_tuple": False, "choices": None}
