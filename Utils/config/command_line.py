"""The command line of the scripts, built from the options."""

import argparse
import difflib

from Utils.config.help_text import help_text
from Utils.config.options import OPTIONS
from Utils.files import UserError
from Utils.words import Parser


def read_words(script, argv=None):
    """The options given on a command line, by name. -> dict.

    script: one of fields.SCRIPTS. argv: list of words; None for those of the process.
    Raises UserError for an unknown option, or a value of the wrong type.
    """
    words, unknown = _parser(script).parse_known_args(argv)
    if unknown:
        raise UserError(_unknown_words(unknown))
    return vars(words)


def _parser(script):
    parser = Parser(prog=f"{script}.py", add_help=False,
                    argument_default=argparse.SUPPRESS)
    parser.add_argument("-h", "--help", action=_Help, script=script)
    for spec in OPTIONS.values():
        names = [spec.short] if spec.short else []
        parser.add_argument(*names, f"--{spec.name}", **_argument(spec))
    return parser


class _Help(argparse.Action):
    """`--help` shows the common options, `--help all` every option that the script reads."""

    def __init__(self, option_strings, dest, script, **_):
        super().__init__(option_strings, dest, nargs="?", choices=("all",),
                         default=argparse.SUPPRESS)
        self.script = script

    def __call__(self, parser, namespace, value, option_string=None):
        print(help_text(self.script, is_all=value == "all"))
        parser.exit()


def _argument(spec):
    """What argparse needs to know of one Option."""
    if spec.is_word:
        return {"type": _true_or_false}
    if spec.kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if spec.is_tuple:
        return {"nargs": "*" if spec.may_be_empty else "+",
                "type": _numbers if spec.kind is float else lambda word: (word,),
                "action": _Tuple}
    return {"type": spec.kind, "choices": spec.choices}


class _Tuple(argparse.Action):
    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, tuple(value for part in values for value in part))


def _numbers(word):
    """The numbers of one word: 0.5, or 0.3,0.5,0.7, or 0.5:0.05:0.95 (both ends included)."""
    try:
        if ":" not in word:
            return tuple(float(part) for part in word.split(",") if part)
        first, step, last = map(float, word.split(":"))
        count = round((last - first) / step) + 1
    except (ValueError, ZeroDivisionError, OverflowError):
        count = 0
    if not 1 <= count <= 1000:
        raise argparse.ArgumentTypeError(f"{word!r} is neither a number nor a list such "
                                         "as 0.3,0.5 nor a range first:step:last such "
                                         "as 0.5:0.05:0.95")
    # Rounded, as 0.5 + 2 * 0.05 is not 0.6.
    return tuple(round(first + index * step, 10) for index in range(count))


def _true_or_false(text):
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text == "true"


def _unknown_words(unknown):
    word = unknown[0]
    if not word.startswith("-"):
        return f"{word} does not belong to an option; --help all lists them"
    name = word.split("=")[0].lstrip("-").removeprefix("no-").replace("-", "_")
    return f"unknown option {word}; {nearest_option(name)}"


def nearest_option(name):
    """A sentence that suggests the most similar option, or says where all are listed."""
    known = {option.lower(): option for option in OPTIONS}
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    return f"did you mean --{known[near[0]]}?" if near else "--help all lists them"
