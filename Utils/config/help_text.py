"""What `--help` shows: an example, the options that matter first, the rest by groups."""

import textwrap

from Utils.config.fields import options_of
from Utils.config.options import GROUPS, OPTIONS, shown
from Utils.config.presets import PRESETS, RECIPES

WIDTH, INDENT = 100, 30
FIRST = ("dataset", "recipe", "feature_path", "video_anno", "feature_fps", "window_path",
         "checkpoint_path", "output_path", "num_epoch", "batch_size", "bb_hidden_dim", "resume",
         "overwrite")
# What a script does, and how to call it with your own data.
ABOUT = {
    "Cut_long_videos": (
        "Cut videos into windows, and into short clips to be magnified.",
        "--dataset custom --feature_path FEATURES --video_anno ANNOTATIONS.json --check"),
    "Train": (
        "Train VSGN on the windows that Cut_long_videos.py wrote.",
        "--dataset custom --feature_path FEATURES --video_anno ANNOTATIONS.json "
        "--checkpoint_path checkpoint_mine"),
    "Infer": (
        "Predict scored segments (proposals) in every window, with a checkpoint of Train.py.",
        "--feature_path FEATURES --video_anno ANNOTATIONS.json --checkpoint_path "
        "checkpoint_mine --output_path output_mine"),
    "Eval": (
        "Turn Infer.py's proposals into detections, score and diagnose them; or score "
        "any detection file (--detections).",
        "--video_anno ANNOTATIONS.json --output_path output_mine"),
}
# Groups that a script only stores for other scripts, or rarely needs.
RARE = {"Cut_long_videos": ("network",),
        "Train": ("from windows to proposals", "from proposals to detections", "evaluation",
                  "from proposals without classes to detections (ActivityNet)"),
        "Infer": ("from proposals to detections",
                  "from proposals without classes to detections (ActivityNet)"),
        "Eval": ("from proposals without classes to detections (ActivityNet)",)}

# What, other than the data, chooses an option that a preset leaves open.
CHOSEN = {"val_split": "none, but heldout with --checkpoint best"}


def help_text(script, is_all=False):
    """The help of a script as text.

    is_all: include the options that are rarely needed.
    """
    what, example = ABOUT[script]
    lines = [*textwrap.wrap(what, WIDTH), "", "example:",
             *textwrap.wrap(f"python {script}.py {example}", WIDTH, initial_indent="  ",
                            subsequent_indent="      ", break_on_hyphens=False)]
    first = [OPTIONS[name] for name in FIRST if script in OPTIONS[name].scripts]
    sections = {"most important": first} | {
        group.__doc__: [spec for spec in options_of(group) if _is_shown(spec, script)]
        for group in GROUPS if is_all or group.__doc__ not in RARE.get(script, ())}
    for title, specs in sections.items():
        specs = [spec for spec in specs if is_all or not spec.is_rare]
        if specs:
            lines += ["", f"{title}:", *(line for spec in specs for line in _lines(spec))]
    lines += ["", "In brackets: the default, then the values in presets of datasets and recipes."]
    if not is_all:
        lines.append("--help all also shows the options that are rarely needed.")
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
    return [flag.ljust(INDENT) + wrapped[0], *(" " * INDENT + line
                                               for line in wrapped[1:])]


def _value(spec):
    """How a value is written."""
    if spec.kind is bool and not spec.is_word:
        return ""
    if spec.is_word:
        return " true|false"
    if spec.choices:
        return f" {'|'.join(spec.choices)}"
    word = spec.metavar or {int: "N", float: "X", str: "NAME"}[spec.kind]
    return f" {word} ..." if spec.is_tuple else f" {word}"


def _default_text(spec):
    """The default, unless unset or off, and its values in the presets."""
    texts = [shown(spec.default)] if spec.default not in (None, False) or spec.is_word else []
    presets = {**PRESETS, **RECIPES}
    texts += [_preset_text(spec, name, preset[spec.name]) for name, preset in presets.items()
              if spec.name in preset and preset[spec.name] != spec.default]
    return "; ".join(texts)


def _preset_text(spec, preset, value):
    """The value of an option in a preset, or how it is chosen if the preset leaves it open."""
    if value is None:
        return f"{preset}: {CHOSEN.get(spec.name, 'from the data')}"
    return f"{preset} {shown(value)}"
