"""What `--help` shows: an example, the options that matter first, and the rest by groups."""

import textwrap

from Utils.config.fields import options_of
from Utils.config.options import GROUPS, OPTIONS, PRESETS, RECIPES, shown

WIDTH, INDENT = 100, 30
FIRST = ("dataset", "recipe", "feature_path", "video_anno", "feature_fps", "window_path",
         "checkpoint_path", "output_path", "num_epoch", "batch_size", "bb_hidden_dim", "resume",
         "overwrite")
# What a script does, and how it is called with data of one's own.
ABOUT = {
    "Cut_long_videos": (
        "Cut videos into windows, and short clips to enlarge.",
        "--dataset custom --feature_path FEATURES --video_anno ANNOTATIONS.json --check"),
    "Train": (
        "Train VSGN on the windows that Cut_long_videos.py wrote.",
        "--dataset custom --feature_path FEATURES --video_anno ANNOTATIONS.json "
        "--checkpoint_path checkpoint_mine"),
    "Infer": (
        "Predict scored segments for every window, with the checkpoint of Train.py.",
        "--feature_path FEATURES --video_anno ANNOTATIONS.json --checkpoint_path checkpoint_mine "
        "--output_path output_mine"),
    "Eval": (
        "Make detections of Infer.py's proposals, score and diagnose them; or score any detection "
        "file (--detections).",
        "--video_anno ANNOTATIONS.json --output_path output_mine"),
}
# Groups that a script reads for others: what it stores for them, or needs in rare cases.
RARE = {"Cut_long_videos": ("network",),
        "Train": ("from windows to proposals", "from proposals to detections", "evaluation",
                  "from proposals without classes to detections (ActivityNet)"),
        "Infer": ("from proposals to detections",
                  "from proposals without classes to detections (ActivityNet)"),
        "Eval": ("from proposals without classes to detections (ActivityNet)",)}


def help_text(script, is_all=False):
    """The help of a script as text. is_all: with the options that are seldom needed."""
    what, example = ABOUT[script]
    lines = [*textwrap.wrap(what, WIDTH), "", "example:",
             *textwrap.wrap(f"python {script}.py {example}", WIDTH, initial_indent="  ",
                            subsequent_indent="      ", break_on_hyphens=False)]
    first = [OPTIONS[name] for name in FIRST if script in OPTIONS[name].scripts]
    sections = {"first of all": first} | {
        group.__doc__: [spec for spec in options_of(group) if _is_shown(spec, script)]
        for group in GROUPS if is_all or group.__doc__ not in RARE.get(script, ())}
    for title, specs in sections.items():
        specs = [spec for spec in specs if is_all or not spec.is_rare]
        if specs:
            lines += ["", f"{title}:", *(line for spec in specs for line in _lines(spec))]
    lines += ["", "In brackets: the default, and what the presets of data sets and recipes make "
                  "of it."]
    if not is_all:
        lines.append("--help all shows the options that are seldom needed, too.")
    return "\n".join(lines)


def _is_shown(spec, script):
    return script in spec.scripts and spec.name not in FIRST


def _lines(spec):
    """One option: its flag and value, then what it means, wrapped beside it."""
    flag = f"  {spec.short + ', ' if spec.short else ''}--{spec.name}{_value(spec)}"
    default = _default_text(spec)
    text = f"{spec.help} ({default})" if default else spec.help
    wrapped = textwrap.wrap(text, WIDTH - INDENT, break_on_hyphens=False)
    if len(flag) > INDENT - 2:
        return [flag, *(" " * INDENT + line for line in wrapped)]
    return [flag.ljust(INDENT) + wrapped[0], *(" " * INDENT + line for line in wrapped[1:])]


def _value(spec):
    """How a value is written."""
    if spec.kind is bool and not spec.is_word:
        return ""
    if spec.is_word:
        return " true|false"
    if spec.choices:
        return f" {'|'.join(spec.choices)}"
    word = {int: "N", float: "X", str: "NAME"}[spec.kind]
    return f" {word} ..." if spec.is_tuple else f" {word}"


def _default_text(spec):
    """The default, unless it is unset or off, and what presets of data sets and recipes make of
    it."""
    texts = [shown(spec.default)] if spec.default not in (None, False) or spec.is_word else []
    presets = {**PRESETS, **RECIPES}
    texts += [f"{name} {shown(preset[spec.name])}" for name, preset in presets.items()
              if spec.name in preset and preset[spec.name] != spec.default]
    return "; ".join(texts)
