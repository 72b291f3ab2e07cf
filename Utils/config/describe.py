"""What the scripts print about their options."""

from Utils.config.options import (
    GROUPS,
    OPTIONS,
    SCORING_NAMES,
    SETTLED,
    STORED_NAMES,
    names_of,
    shown,
)
from Utils.config.resolve import resolve

# Taken from the data unless the user gives them.
FROM_DATA = ("framing", "temporal_scale", "input_feat_dim", "decoder_num_classes", "anchor_scale",
             "bb_hidden_dim", "feature_fps", "subset", "deltas",
             "feature_dropout")
# What Eval.py reads beside these, which do not evaluate.
READ_BY = {"list": ("config",),
           "compare": ("config", "output_path", "video_folder", "overwrite", "verbose")}


def opening(config, script, where="", lines=()):
    """What a script prints first, as lines.

    They say what runs where, what differs from the preset and what was taken from the
    data (with --verbose: all options). Then come `lines`, then which of the given
    options have no effect.
    """
    about = f"{script}.py{where}: dataset {config.dataset}, recipe {config.recipe}"
    if config.verbose:
        return [about, describe(config, script), *lines, *notes(config, script)]
    own, decided = differences(config, script)
    told = [f"  {what}: {_values(config, names)}"
            for what, names in (("differs from the preset", own), ("from the data", decided))
            if names]
    return [about, *told, *lines, *notes(config, script)]


def _values(config, names):
    return ", ".join(f"{name} {shown(getattr(config, name))}" for name in names)


def differences(config, script):
    """Names of the settings that differ from the presets, and of those taken from the data."""
    preset = resolve({"dataset": config.dataset, "recipe": config.recipe})
    held = () if config.detections else SETTLED.get(script, ())
    differing = [name for name in (*STORED_NAMES, *SCORING_NAMES)
                 if getattr(config, name) != getattr(preset, name)
                 and (script in OPTIONS[name].scripts or name in held)]
    decided = [name for name in differing if name in FROM_DATA and name not in config.given]
    return [name for name in differing if name not in decided], decided


def describe(config, script):
    """The resolved options that a script reads, one line per group; the user's are starred."""
    lines = []
    for group in GROUPS:
        values = [f"{name}{'*' if name in config.given else ''}={shown(getattr(config, name))}"
                  for name in names_of(group) if getattr(config, name) is not None
                  and script in OPTIONS[name].scripts]
        lines += [f"  {group.__doc__}: {' '.join(values)}"] * bool(values)
    return "\n".join(lines)


def notes(config, script):
    """Lines about given options that have no effect."""
    names = unread(config, script)
    return [f"{script}.py does not read {', '.join(f'--{name}' for name in names)}"] * bool(
        names) + without_effect(config, script)


def unread(config, script):
    """Names of the options that the user gave and this script does not use."""
    held = () if config.detections else SETTLED.get(script, ())     # compared with the file read
    return [name for name in config.given if name not in config.from_file
            and script not in OPTIONS[name].scripts and name not in held]


def without_effect(config, script):
    """Sentences about given options that have no effect because of another one."""
    found = []
    for name in config.given:
        spec = OPTIONS[name]
        lacking = [_flag(other, value) for other, value in spec.needs.items()
                   if getattr(config, other) != value]
        if lacking and script in spec.scripts and name not in config.from_file:
            found.append(f"--{name} has no effect: it needs {' and '.join(lacking)}")
    if config.detections and not config.export and script == "Eval":
        # A detection file is scored as it is, and stays so.
        found += [f"--{name} has no effect: it needs --export"
                  for name in ("min_score", "top")
                  if name in config.given and name not in config.from_file]
    return found


def unread_by(config, mode):
    """Lines about given options that `Eval.py --MODE`, which is one of READ_BY, does not read."""
    names = [name for name in config.given if name not in config.from_file
             and name not in (mode, *READ_BY[mode])]
    return [f"Eval.py --{mode} does not read {', '.join(f'--{name}' for name in names)}"] * bool(
        names)


def _flag(name, value):
    """An option and its value as the user would write them."""
    if value is None:
        return f"no --{name}"
    if isinstance(value, bool):
        return f"--{'' if value else 'no-'}{name}"
    return f"--{name} {shown(value)}"
