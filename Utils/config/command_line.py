"""The command line of the scripts, made from the options."""

import argparse
import dataclasses
import difflib

from Utils.config.options import GROUPS, PRESETS, RECIPES, names_of, shown
from Utils.files import UserError

SCRIPTS = {
    "Cut_long_videos": "Cut videos into windows, and short clips to enlarge.",
    "Train": "Train VSGN on the windows that Cut_long_videos.py wrote.",
    "Infer": "Predict scored segments for every window, with the checkpoint of Train.py.",
    "Eval": "Make detections of Infer.py's proposals, score and diagnose them; or score any "
            "detection file (--detections).",
}


def read_words(script, argv=None):
    """The options that a command line gives, by name. -> dict.

    script: a key of SCRIPTS. argv: list of words, None for those of the process.
    Raises UserError for an unknown option, or a value of another type.
    """
    words, unknown = _parser(script).parse_known_args(argv)
    if unknown:
        raise UserError(_unknown_words(unknown))
    return vars(words)


def _parser(script):
    parser = _Parser(prog=f"{script}.py", description=SCRIPTS[script], allow_abbrev=False,
                     argument_default=argparse.SUPPRESS)
    for group in GROUPS:
        arguments = parser.add_argument_group(group.__doc__)
        for spec in dataclasses.fields(group):
            short = ["-o"] if spec.name == "out" else []
            arguments.add_argument(*short, f"--{spec.name}", **_argument(spec))
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UserError(message)


def _argument(spec):
    """What argparse needs to know of one field."""
    text = f"{spec.metadata['help']} ({_default_text(spec)})".replace("%", "%%")
    kind = spec.metadata["each"] or type(spec.default)
    if spec.name == "edge_weight":
        return {"help": text, "type": _true_or_false, "metavar": "true|false"}
    if kind is bool:
        return {"help": text, "action": argparse.BooleanOptionalAction}
    if "tuple" in str(spec.type):
        return {"help": text, "nargs": "+", "type": spec.metadata["each"] or float,
                "action": _Tuple, "metavar": "X"}
    argument = {"help": text, "type": kind}
    if spec.metadata["choices"]:
        argument["choices"] = spec.metadata["choices"]
    else:
        argument["metavar"] = kind.__name__.upper()
    return argument


class _Tuple(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, tuple(values))


def _true_or_false(text):
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text == "true"


def _default_text(spec):
    """The default, and what the presets of data sets and recipes make of it."""
    texts = [shown(spec.default)]
    presets = {**PRESETS, **RECIPES}
    texts += [f"{name} {shown(preset[spec.name])}" for name, preset in presets.items()
              if spec.name in preset and preset[spec.name] != spec.default]
    return "; ".join(texts)


def _unknown_words(unknown):
    word = unknown[0]
    if not word.startswith("-"):
        return f"{word} belongs to no option; --help lists them all"
    name = word.split("=")[0].lstrip("-").removeprefix("no-").replace("-", "_").lower()
    known = {option.lower(): option for option in names_of(*GROUPS)}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean --{known[near[0]]}?" if near else "--help lists them all"
    return f"unknown option {word}; {hint}"
