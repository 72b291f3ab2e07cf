"""Several settings of suppression tried on the same proposals."""

import itertools

from Utils.config.options import OPTIONS, AgnosticOptions, DetectionOptions, names_of
from Utils.files import UserError

# What Eval.py applies, and so may vary without inference: the numbers among its options.
SWEPT = tuple(name for name in names_of(DetectionOptions, AgnosticOptions)
              if OPTIONS[name].kind is not bool)


def combinations(words):
    """Every combination of the values of `name=value,value,...` words. -> list of dict.

    Raises UserError for a name that is not swept, or a value outside the option's limit.
    """
    values = dict(map(_parsed, words))
    return [dict(zip(values, chosen, strict=True))
            for chosen in itertools.product(*values.values())]


def _parsed(word):
    """(name, values) of one word."""
    name, _, listed = word.partition("=")
    if name not in SWEPT:
        raise UserError(f"--sweep {word}: {name!r} is not applied by Eval.py; what is: "
                        f"{', '.join(SWEPT)}, as in --sweep nms_alpha_detect=0.3,0.46,0.6")
    spec = OPTIONS[name]
    try:
        values = [spec.kind(value) for value in listed.split(",")]
    except ValueError:
        raise UserError(f"--sweep {word}: expected numbers separated by commas"
                        f"{', whole ones' * (spec.kind is int)}") from None
    for value in values:
        if not spec.limit.holds(value):
            raise UserError(f"--sweep {word}: {value:g} is impossible, --{name} must be "
                            f"{spec.limit.words}")
    return name, values


def format_sweep(tried):
    """A table of what was tried, best first. tried: list of (settings, {name: fraction})."""
    lines = []
    for chosen, scores in sorted(tried, key=lambda row: -next(iter(row[1].values()))):
        shown = "  ".join(f"{name} {value:g}" for name, value in chosen.items())
        lines.append(f"{shown:<50}" + "".join(f"  {name} {100 * value:6.2f}"
                                               for name, value in scores.items()))
    return "\n".join(lines)
