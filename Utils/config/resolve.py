"""The options of one run: defaults, presets, the command line and stored settings put together.

`parse_config(script, argv)` gives one frozen `Config`. Its fields are the flags. A field takes, in
rising order: its default, the dataset's preset, the recipe's, what a checkpoint stores (`adopt`),
what the user gave.
"""

import dataclasses
import math
from dataclasses import dataclass, field

from Utils.config.command_line import read_words
from Utils.config.options import (
    GROUPS,
    NETWORK_NAMES,
    PRESETS,
    RECIPES,
    STORED_NAMES,
    DataOptions,
    DecodeOptions,
    EvalOptions,
    NetworkOptions,
    PathOptions,
    RandomOptions,
    RunOptions,
    TrainOptions,
    WindowOptions,
    names_of,
    shown,
)
from Utils.files import UserError


@dataclass(frozen=True)
class Config(RunOptions, EvalOptions, DecodeOptions, TrainOptions, NetworkOptions, RandomOptions,
             WindowOptions, DataOptions, PathOptions):
    """All options of a run; `given` holds those the user set, by name."""
    given: dict = field(default_factory=dict, repr=False)

    @property
    def num_scores(self):
        """Scores an anchor: one if class-agnostic, else a class each."""
        return 1 if self.class_agnostic else self.decoder_num_classes


# What values some options may have: in words, as a test, and the options.
LIMITS = (
    ("above 0", lambda value: 0 < value < math.inf, (
        "feature_fps", "feature_stride", "clip_length", "steps_per_epoch", "clip_norm",
        "max_per_class", "min_clip", "min_crop",
        "temporal_scale", "input_feat_dim", "bb_hidden_dim", "num_levels",
        "anchor_scale", "num_neigh", "batch_size", "train_lr", "step_size", "nms_alpha_detect",
        "nms_alpha_prop", "max_detections", "max_seconds", "num_video_classes", "short_seconds")),
    ("0 or above", lambda value: 0 <= value < math.inf, (
        "stitch_gap", "num_head_layers", "weight_decay", "num_epoch", "step_gamma",
        "warmup_steps", "boundary_power", "agreement_power", "feature_noise", "speed_jitter",
        "score_loss_weight",
        "boundary_loss_epsilon", "num_workers")),
    ("from 0 to 2^63 - 1", lambda value: 0 <= value < 2 ** 63, ("seed",)),
    ("at most 16", lambda value: value <= 16, ("num_levels",)),
    ("2 or above", lambda value: value >= 2, ("decoder_num_classes",)),
    ("from 0 to 1", lambda value: 0 <= value <= 1, (
        "short_ratio", "clip_win_size", "clip_share", "min_clip", "min_crop", "min_inside", "ema",
        "feature_dropout", "clip_margin", "vote_iou", "iou_thr", "focal_alpha", "score_threshold",
        "nms_thr", "nms_lthr_prop", "nms_hthr_prop", "tiou")),
)
SET_BY_RECIPES = {name for recipe in RECIPES.values() for name in recipe}


def parse_config(script, argv=None):
    """The options of one script from its command line. Touches no data.

    script: a key of SCRIPTS. argv: list of words, None for those of the process.
    Raises UserError for an unknown, contradictory or impossible option.
    """
    return check(resolve(read_words(script, argv)), script)


def resolve(given):
    """Defaults, presets and `given` values (by name) put together."""
    dataset = given.get("dataset") or ("custom" if given.get("detections") else
                                       Config.dataset)
    recipe = given.get("recipe", Config.recipe)
    values = {"dataset": dataset, **PRESETS[dataset], **RECIPES[recipe], **given}
    for name, folder in (("checkpoint_path", "checkpoint_{}"), ("output_path", "output_{}"),
                         ("window_path", "windows/{}")):
        values.setdefault(name, folder.format(dataset))
    if dataset == "demo":
        values.setdefault("feature_path", "data/demo")
    if recipe == "paper" and values.get("bb_hidden_dim", 0) is None:
        values["bb_hidden_dim"] = Config.bb_hidden_dim
    if values.get("val_split", Config.val_split) is None:
        values["val_split"] = choose_val_split(values.get("checkpoint", Config.checkpoint))
    return Config(**values, given=dict(given))


def choose_val_split(checkpoint):
    """Hold out training videos only where a checkpoint is chosen by them."""
    return "heldout" if checkpoint == "best" else "none"


def adopt(config, stored, source):
    """Take over the options stored with a checkpoint or result, all that the user did not give.

    stored: dict as `settings` makes it. source: where it was read, for the message.
    Raises UserError where a given network option contradicts the stored one.
    """
    stored = {name: _revived(stored[name]) for name in STORED_NAMES if name in stored}
    for name in NETWORK_NAMES:
        if name in config.given and name in stored and config.given[name] != stored[name]:
            raise UserError(f"--{name} {shown(config.given[name])} contradicts {source}, made "
                            f"with {shown(stored[name])}; leave the option out, or train again "
                            "with it")
    if config.given.get("recipe", stored.get("recipe")) != stored.get("recipe"):
        # Another recipe decodes by its own options, not by those of the training.
        stored = {name: value for name, value in stored.items() if name not in SET_BY_RECIPES}
    adopted = resolve({**stored, **config.given})
    return dataclasses.replace(adopted, given=config.given)


def settings(config, names=STORED_NAMES):
    """The options `names` as a JSON-able dict, to be stored with what was made by them."""
    return {name: list(value) if isinstance(value := getattr(config, name), tuple) else value
            for name in names}


def check(config, script):
    """Refuse options that contradict the script or each other; gives the config back."""
    training = {"Train": "true", "Infer": "false"}.get(script)
    if training and config.is_train not in (None, training):
        raise UserError(f"--is_train {config.is_train} contradicts {script}.py; leave it out or "
                        f"say --is_train {training}")
    if config.resume and config.overwrite:
        raise UserError("--resume and --overwrite contradict each other; give one of them")
    for words, is_right, names in LIMITS:
        for name in names:
            value = getattr(config, name)
            values = value if isinstance(value, tuple) else (value,)
            if value is not None and not all(map(is_right, values)):
                raise UserError(f"--{name} {shown(value)} is impossible: it must be {words}")
    if len(config.iou_thr) != 3:
        raise UserError(f"--iou_thr takes three thresholds, found {len(config.iou_thr)}")
    if any(first >= second for first, second in zip(config.tiou, config.tiou[1:], strict=False)):
        raise UserError(f"--tiou {shown(config.tiou)}: give rising thresholds, each once")
    check_stitching(config)
    if script in ("Train", "Infer"):
        check_network(config)
    return config


def check_stitching(config):
    """Refuse settings that leave the longest stitched clip no room for its enlarged copy."""
    length = config.temporal_scale
    if not config.use_VSS or length is None:
        return
    longest = int(length * config.short_ratio)
    if longest + config.stitch_gap > length - 2:
        raise UserError(f"--short_ratio {config.short_ratio:g} and --stitch_gap "
                        f"{config.stitch_gap} leave no room for an enlarged copy: {longest} + "
                        f"{config.stitch_gap} of --temporal_scale {length} frames are taken; "
                        "lower one of them")


def check_network(config):
    """Refuse a network that cannot be built, saying which values fit. Unset options pass."""
    if config.nfeat_mode == "feat":
        raise UserError("--nfeat_mode feat cannot run: the layer takes neighbour and centre; use "
                        "feat_ctr or dif_ctr")
    if config.bb_hidden_dim is not None and config.bb_hidden_dim % 32:
        raise UserError(f"--bb_hidden_dim {config.bb_hidden_dim} is not divisible by 32, the "
                        f"groups of the heads' GroupNorm; {_near(config.bb_hidden_dim, 32)} fit")
    if config.base_stride != 4:
        raise UserError(f"--base_stride {config.base_stride} does not fit: the finest level of the "
                        "pyramid has a cell every 4 frames; use 4")
    # The graph remembers in one byte which neighbour gave a maximum.
    if config.num_neigh > 256:
        raise UserError(f"--num_neigh {config.num_neigh} is more than the network can tell apart; "
                        "at most 256 fit")
    length, unit = config.temporal_scale, 4 * 2 ** (config.num_levels - 1)
    if length is None:
        return
    if length % unit:
        raise UserError(f"--temporal_scale {length} is not divisible by {unit} (4 * 2^(num_levels "
                        f"- 1)); {_near(length, unit)} fit")
    coarsest = length // 2 ** config.num_levels
    if config.use_xGPN and config.num_neigh > coarsest:
        raise UserError(f"--num_neigh {config.num_neigh} is more than the {coarsest} positions of "
                        f"the coarsest graph; at most {coarsest} fit")


def describe(config):
    """The resolved options as lines of text, one group a line; the user's own are starred."""
    lines = []
    for group in GROUPS:
        values = (f"{name}{'*' if name in config.given else ''}={shown(getattr(config, name))}"
                  for name in names_of(group) if getattr(config, name) is not None)
        lines.append(f"  {group.__doc__}: {' '.join(values)}")
    return "\n".join(lines)


def _near(value, unit):
    below = value // unit * unit
    return " and ".join(str(v) for v in (below, below + unit) if v)


def _revived(value):
    """A stored value as it was: JSON makes lists of tuples."""
    return tuple(value) if isinstance(value, list) else value
