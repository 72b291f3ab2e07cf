"""Several settings of suppression tried on the same proposals."""

import itertools

from Utils.files import UserError

# What Eval.py applies, and so may vary without inference: name -> type of its values.
SWEPT = {"nms_alpha_detect": float, "max_detections": int, "max_seconds": float,
         "max_per_class": int, "vote_iou": float, "agreement_power": float, "nms_alpha_prop": float,
         "nms_lthr_prop": float, "nms_hthr_prop": float, "num_video_classes": int}


def combinations(words):
    """Every combination of the values of `name=value,value,...` words. -> list of dict.

    Raises UserError for a name that is not swept, or a value that is no number above 0.
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
    try:
        values = [SWEPT[name](value) for value in listed.split(",")]
    except ValueError:
        values = []
    if not values or not all(0 < value < float("inf") for value in values):
        raise UserError(f"--sweep {word}: expected numbers above 0, separated by commas")
    return name, values


def format_sweep(tried):
    """A table of what was tried, best first. tried: list of (settings, {name: fraction})."""
    lines = []
    for chosen, scores in sorted(tried, key=lambda row: -next(iter(row[1].values()))):
        shown = "  ".join(f"{name} {value:g}" for name, value in chosen.items())
        lines.append(f"{shown:<50}" + "".join(f"  {name} {100 * value:6.2f}"
                                               for name, value in scores.items()))
    return "\n".join(lines)
