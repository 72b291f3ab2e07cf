"""Refuse options that are impossible, or that contradict each other."""

import math

from Utils.config.fields import nearest
from Utils.config.options import OPTIONS, shown
from Utils.files import UserError

MOST_VALUES = 1000


def check_options(config, script, is_complete=True):
    """Refuse options that contradict the script or each other; return the config.

    is_complete: False while options from a file have yet to be added.
    """
    training = {"Train": "true", "Infer": "false"}.get(script)
    if training and config.is_train not in (None, training):
        raise UserError(f"--is_train {config.is_train} contradicts {script}.py; leave it out or "
                        f"give --is_train {training}")
    for name in config.given:
        if OPTIONS[name].is_doing and script not in OPTIONS[name].scripts:
            raise UserError(f"--{name} belongs to {OPTIONS[name].scripts[0]}.py; {script}.py "
                            "cannot do that")
    if config.resume and config.overwrite:
        raise UserError("--resume and --overwrite contradict each other; give one of them")
    if config.deltas == "on" and config.standardize == "off":
        where = f" of {config.config}" if "deltas" in config.from_file else ""
        raise UserError(f"--deltas on{where} needs standardized features, as deltas are on "
                        "another scale than the channels; leave --standardize off out, or "
                        "give --deltas off")
    check_limits(config)
    if len(config.iou_thr) != 3:
        raise UserError(f"--iou_thr takes three thresholds, found {len(config.iou_thr)}")
    if any(first >= second for first, second in zip(config.tiou, config.tiou[1:], strict=False)):
        raise UserError(f"--tiou {shown(config.tiou)}: give ascending thresholds without repeats")
    if is_complete:
        check_clips(config)
    if is_complete and script in ("Train", "Infer"):
        check_network(config)
    return config


def check_limits(config):
    """Refuse values outside the limits of their options."""
    for name, spec in OPTIONS.items():
        value = getattr(config, name)
        if spec.choices and value is not None and value not in spec.choices:
            raise UserError(f"--{name} {shown(value)} is not one of {', '.join(spec.choices)}")
        values = value if isinstance(value, tuple) else (value,)
        if spec.limit and value is not None and not all(map(spec.limit.holds, values)):
            raise UserError(f"--{name} {shown(value)} is impossible: it must be "
                            f"{spec.limit.words}{spec.limit.near(value)}")


def check_stored(stored, source):
    """Refuse settings from a file that their option does not allow.

    That is: a wrong type, choice or limit. stored: {name: value} as read from JSON;
    unknown names are ignored. source: the file.
    """
    for name, value in stored.items():
        spec = OPTIONS.get(name)
        if spec and (wrong := _wrong(spec, value)):
            raise UserError(f"{source} says that it was made with --{name} {_short(value)}, which "
                            f"cannot be: it must be {wrong}; the file is damaged or was changed: "
                            "create it again")


def _wrong(spec, value):
    """What a stored value should be, in words; empty if it is right."""
    if value is None:
        return "" if spec.may_be_unset else "set"
    kinds = {float: (int, float), int: (int,), bool: (bool,), str: (str,)}[spec.kind]
    if spec.is_tuple != isinstance(value, list | tuple):
        return "a list" if spec.is_tuple else f"one {spec.kind.__name__}"
    values = value if spec.is_tuple else (value,)
    if spec.is_tuple and not values and spec.may_be_empty:
        return ""
    if not 0 < len(values) <= MOST_VALUES:
        return f"a list of 1 to {MOST_VALUES} values"
    for one in values:
        if not isinstance(one, kinds) or isinstance(one, bool) != (spec.kind is bool):
            return f"of the type {spec.kind.__name__}"
        if isinstance(one, float) and not math.isfinite(one):
            return "finite"
        if isinstance(one, int) and abs(one) >= 2 ** 63:
            return "below 2^63"
        if spec.choices and one not in spec.choices:
            return f"one of {', '.join(spec.choices)}"
        if spec.limit and not spec.limit.holds(one):
            return f"{spec.limit.words}{spec.limit.near(one)}"
    return ""


def _short(value, most=60):
    """A value from a file, shortened to a few printable characters."""
    text = "".join(letter for letter in repr(value)[:most + 1] if letter.isprintable())
    return text if len(text) <= most else f"{text[:most]}..."


def check_clips(config):
    """Refuse impossible clips.

    Those are random clips whose shortest length exceeds the longest, and stitched ones
    that leave no room for a magnified copy.
    """
    length = config.temporal_scale
    if not config.use_VSS:
        return
    if config.random_windows and config.min_clip > config.clip_win_size:
        raise UserError(f"--min_clip {config.min_clip:g} is more than --clip_win_size "
                        f"{config.clip_win_size:g}, the length of the longest clip; lower "
                        "--min_clip or raise --clip_win_size")
    if length is None:
        return
    longest = int(length * config.short_ratio)
    if longest + config.stitch_gap > length - 2:
        raise UserError(f"--short_ratio {config.short_ratio:g} and --stitch_gap "
                        f"{config.stitch_gap} leave no room for a magnified copy: {longest} + "
                        f"{config.stitch_gap} of --temporal_scale {length} frames are taken; "
                        "lower one of them")


def check_network(config):
    """Refuse a network that cannot be built, and say which values fit.

    Unset options pass.
    """
    check_limits(config)
    length, unit = config.temporal_scale, 4 * 2 ** (config.num_levels - 1)
    if length is None:
        return
    if length % unit:
        raise UserError(f"--temporal_scale {length} is not divisible by {unit} (4 * 2^(num_levels "
                        f"- 1)); {nearest(length, unit)} fit")
    coarsest = length // 2 ** config.num_levels
    if config.use_xGPN and config.num_neigh > coarsest:
        raise UserError(f"--num_neigh {config.num_neigh} is more than the {coarsest} positions of "
                        f"the coarsest graph; at most {coarsest} fit")


def check_earlier(path, before, now, what="made"):
    """Refuse to replace a result of other settings, naming the first that differs.

    path: the file that would be replaced. before, now: {name: JSON-able value}. Names
    that only one of them has are not compared, and neither is the number of epochs: a
    run that was continued replaces its results.
    """
    for name, value in now.items():
        if name in before and before[name] != value and name != "num_epoch":
            raise UserError(f"{path} was {what} with {_setting(name, before[name])}, this run has "
                            f"{_setting(name, value)}; --overwrite replaces it, another "
                            "--output_path leaves it alone")


def _setting(name, value):
    """A setting as the user would write it, or in words if it is not an option."""
    value = shown(tuple(value) if isinstance(value, list) else value)
    return f"--{name} {value}" if name in OPTIONS else f"the {name.replace('_', ' ')} {value}"
