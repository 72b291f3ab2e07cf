"""What an option is: its type and limit, the scripts that read it, what it depends on."""

import dataclasses
import math
import typing
from collections.abc import Callable
from dataclasses import dataclass, field

CUT, TRAIN, INFER, EVAL = SCRIPTS = ("Cut_long_videos", "Train", "Infer", "Eval")


@dataclass(frozen=True)
class Limit:
    """Which values an option may have, in words and as a predicate.

    near: function from a value to advice on the nearest ones that fit.
    """
    words: str
    holds: Callable[[float], bool]
    near: Callable[[float], str] = field(default=lambda value: "")


ABOVE_0 = Limit("above 0", lambda value: 0 < value < math.inf)
FROM_0 = Limit("0 or above", lambda value: 0 <= value < math.inf)
SHARE = Limit("from 0 to 1", lambda value: 0 <= value <= 1)
PART = Limit("above 0 and at most 1", lambda value: 0 < value <= 1)


def is_score(value):
    """Whether a value or text is a finite number or `auto`."""
    try:
        return value == "auto" or math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def between(low, high):
    """The Limit for low .. high, both included."""
    return Limit(f"from {low} to {high}", lambda value: low <= value <= high)


def multiple_of(unit, why):
    """The Limit for unit, 2 unit, 3 unit, ..."""
    return Limit(f"a multiple of {unit}, {why}", lambda value: value > 0 and value % unit == 0,
                 lambda value: f"; {nearest(value, unit)} fit")


def nearest(value, unit):
    """The multiples of a unit just below and above a value, in words."""
    below = max(0, value // unit * unit)
    return " and ".join(str(found) for found in (below, below + unit) if found)


def option(default, help, limit=None, **traits):
    """A field of an option group.

    limit: the Limit of its value, or of each value of a tuple. traits: fields of
    Option that override those of the group.
    """
    return field(default=default, metadata={"help": help, "limit": limit, **traits})


@dataclass(frozen=True)
class Option:
    """All there is to know about one option.

    kind: type of the value, or of each value of a tuple.
    scripts: the scripts that read it.
    shapes: "training" or "proposals" if it cannot be changed once those exist.
    needs: other options {name: value} without which it has no effect.
    is_stored: whether it is stored with checkpoints and proposals.
    is_doing: it changes what its script does, so other scripts refuse it.
    is_rare: only `--help all` shows it.
    is_word: a bool that is written true or false.
    may_be_empty: a tuple that may have no values.
    may_be_unset: None is a valid value.
    metavar: what help calls its value; by default N, X or NAME, by its kind.
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
    metavar: str = ""


def options_of(group):
    """The Options of a group, in order: its fields, with the traits of the whole group."""
    hints = typing.get_type_hints(group)
    traits = ("scripts", "shapes", "is_stored", "needs", "metavar")
    common = {name: getattr(group, name) for name in traits if hasattr(group, name)}
    found = []
    for spec in dataclasses.fields(group):
        hint = hints[spec.name]
        found.append(Option(spec.name, spec.default,
                            may_be_unset=type(None) in typing.get_args(hint),
                            **_kind(hint), **(common | spec.metadata)))
    return tuple(found)


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
