"""Every option of every script: its name, default, meaning; the presets; the command line.

`parse_config(script, argv)` gives one frozen `Config`. Its fields are the flags. A field takes, in
rising order: the default below, the dataset's preset, the recipe's preset, what a checkpoint
stores (`adopt`), what the user gave.
"""

import argparse
import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from pathlib import Path

from Utils.files import UserError

SCRIPTS = {
    "Cut_long_videos": "Cut videos into windows, and short clips to enlarge.",
    "Train": "Train VSGN on the windows that Cut_long_videos.py wrote.",
    "Infer": "Predict scored segments for every window, with the checkpoint of Train.py.",
    "Eval": "Make detections of Infer.py's proposals, score and diagnose them; or score any "
            "detection file (--detections).",
}


def option(default, help, choices=None, each=None):
    """A config field; `each` is its type where the default does not show it."""
    return field(default=default,
                 metadata={"help": help, "choices": choices, "each": each})


@dataclass(frozen=True)
class PathOptions:
    """files and folders"""
    dataset: str = option("activitynet", "which preset and which readers",
                          ("thumos", "activitynet", "custom", "demo"))
    feature_path: str | None = option(None, "folder of the feature files", each=str)
    checkpoint_path: str | None = option(
        None, "folder of the run's checkpoints (default checkpoint_<dataset>)", each=str)
    output_path: str | None = option(
        None, "folder of the results (default output_<dataset>)", each=str)
    window_path: str | None = option(
        None, "folder of the window lists (default windows/<dataset>)", each=str)
    video_anno: str | None = option(
        None, "annotation file; for Eval the ground truth", each=str)
    video_info: str | None = option(
        None, "file of video durations and subsets: ActivityNet's csv; "
              "for THUMOS14 the folder of the two .mat files", each=str)
    class_index: str | None = option(None, "JSON of class name -> id, background 0", each=str)
    video_scores: str | None = option(
        None, "video-level classifier scores to fuse (layout: cuhk_val_simp_share.json)", each=str)
    detad_anno: str | None = option(None, "ground truth with DETAD's characteristics", each=str)
    ambiguous: str | None = option(
        None, "ambiguous intervals of the official THUMOS14 protocol", each=str)
    video: str | None = option(
        None, "Infer.py: detect in the features of this one video (.npy, .npz, .pt) alone",
        each=str)
    out: str | None = option(
        None, "the result of --video (default <video>_detections.json); -o for short", each=str)
    detections: str | None = option(
        None, "score this detection file, of any method, instead of Infer.py's proposals", each=str)


@dataclass(frozen=True)
class DataOptions:
    """data"""
    train_subset: str = option("train", "annotation subset to train on")
    subset: str = option("test", "annotation subset to infer and evaluate on")
    val_split: str = option("test", "videos of the validation loss: the evaluated subset (as "
                                    "in the original) or a held-out part of the training videos",
                            ("test", "heldout"))
    framing: str | None = option("sliding", "sliding windows of T frames, or whole videos resized "
                                            "to T", ("sliding", "whole"), each=str)
    feature_fps: float | None = option(
        None, "features a second; otherwise number of features / duration", each=float)
    skip_missing: bool = option(False, "go on without videos whose features are missing or broken")


@dataclass(frozen=True)
class WindowOptions:
    """windows and self-stitching"""
    temporal_scale: int | None = option(1280, "input length T in feature frames", each=int)
    use_VSS: bool = option(True, "video self-stitching")
    stitch_gap: int = option(30, "frames of zeros between the two copies of a clip")
    short_ratio: float = option(0.4, "clips of at most this share of T are stitched")
    clip_win_size: float = option(0.38, "length of a cut clip, as a share of T")


@dataclass(frozen=True)
class NetworkOptions:
    """network"""
    use_xGPN: bool = option(True, "cross-scale graph pyramid (off: plain convolutions)")
    input_feat_dim: int | None = option(2048, "channels of all streams together", each=int)
    bb_hidden_dim: int = option(256, "hidden channels C")
    decoder_num_classes: int | None = option(21, "classes with background 0", each=int)
    class_agnostic: bool = option(False, "one sigmoid score an anchor instead of a class each")
    num_levels: int = option(5, "pyramid levels, each half as long as the one before")
    num_head_layers: int = option(4, "convolutions in each head tower")
    base_stride: int = option(4, "frames a cell of the finest level")
    anchor_scale: tuple[float, ...] | None = option(
        (1.0, 1.5), "anchor lengths in cells", each=float)
    num_neigh: int = option(12, "neighbours K of a position in the graph")
    nfeat_mode: str = option("feat_ctr", "edge feature: [neighbour, centre] or "
                                         "[neighbour - centre, centre]",
                             ("feat_ctr", "dif_ctr", "feat"))
    agg_type: str = option("max", "aggregation over the edges", ("max", "mean"))
    edge_weight: bool = option(False, "weight edges by cosine similarity (true or false)")
    gcn_insert: str = option("par", "graph beside (par) or behind (seq) the convolution",
                             ("par", "seq"))


@dataclass(frozen=True)
class TrainOptions:
    """training"""
    batch_size: int = option(32, "inputs a step, over all processes")
    train_lr: float = option(5e-5, "learning rate")
    weight_decay: float = option(1e-4, "weight decay")
    num_epoch: int = option(10, "epochs")
    step_size: int = option(15, "epochs between two learning-rate steps")
    step_gamma: float = option(0.1, "factor of a learning-rate step")
    best_by: str = option("loss", "what makes a checkpoint the best: the loss on the validation "
                                  "windows, or the average mAP of their detections",
                          ("loss", "map"))
    iou_thr: tuple[float, ...] = option((0.5, 0.5, 0.7), "matching thresholds of stage 0, 1, 2")
    focal_alpha: float = option(0.35, "alpha of the focal loss (class-agnostic head only)")
    score_loss_weight: float = option(0.2, "weight of the action, start and end losses")
    boundary_loss_epsilon: float = option(1e-5, "added inside the logarithms of the start and end "
                                                "losses")


@dataclass(frozen=True)
class DecodeOptions:
    """from predictions to detections"""
    checkpoint: str = option("best", "which checkpoint Infer.py reads", ("best", "last"))
    score_threshold: float = option(0.005, "class score a box of a window must exceed")
    nms_thr: float = option(0.4, "IoU of the suppression in a window, class by class")
    nms_alpha_detect: float = option(0.46, "width of the Gaussian soft-NMS over a video")
    nms_alpha_prop: float = option(0.75, "the same for class-agnostic proposals")
    nms_lthr_prop: float = option(0.65, "IoU above which a proposal is damped, at width 0")
    nms_hthr_prop: float = option(0.9, "the same at width 1 (the whole video)")
    max_detections: int = option(200, "detections kept a video")
    max_seconds: float | None = option(
        None, "detections this long or longer score 0", each=float)
    num_video_classes: int = option(1, "best video-level classes to fuse with a proposal")
    floor_duration: bool = option(
        False, "proposals end at the last 16 whole frames (the original's)")


@dataclass(frozen=True)
class EvalOptions:
    """evaluation"""
    protocol: str = option("activitynet", "how mean average precision is computed",
                           ("activitynet", "thumos14"))
    tiou: tuple[float, ...] = option((0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), "temporal IoU thresholds")
    short_seconds: float | None = option(
        None, "also score the actions of at most this length alone", each=float)
    sweep: tuple[str, ...] | None = option(
        None, "Eval.py: try settings on the saved proposals, as in nms_alpha_detect=0.3,0.46,0.6 "
              "max_detections=100,200; every combination is scored", each=str)
    detad_length_bins: str = option("official", "DETAD's length buckets, or the original VSGN's",
                                    ("official", "vsgn"))


@dataclass(frozen=True)
class RunOptions:
    """running"""
    is_train: str | None = option(None, "of the original; must agree with the script",
                                  ("true", "false"), each=str)
    seed: int = option(21, "seed of the cutting, the weights and the order of training")
    device: str = option("auto", "where to compute", ("auto", "cpu", "cuda"))
    precision: str = option("fp32", "arithmetic of the convolutions on a GPU; bf16 also on a CPU",
                            ("fp32", "tf32", "bf16"))
    num_workers: int = option(0, "processes that prepare inputs")
    cache: str = option("auto", "keep features in memory: where they fit, nowhere, in RAM, or on "
                                "the GPU", ("auto", "none", "ram", "gpu"))
    check: bool = option(False, "Cut_long_videos.py: only look at the data, and list what is wrong")
    resume: bool = option(False, "go on from the checkpoint in checkpoint_path")
    overwrite: bool = option(False, "replace a finished run in checkpoint_path")


GROUPS = (PathOptions, DataOptions, WindowOptions, NetworkOptions, TrainOptions, DecodeOptions,
          EvalOptions, RunOptions)


@dataclass(frozen=True)
class Config(RunOptions, EvalOptions, DecodeOptions, TrainOptions, NetworkOptions, WindowOptions,
             DataOptions, PathOptions):
    """All options of a run; `given` holds those the user set, by name."""
    given: dict = field(default_factory=dict, repr=False)

    @property
    def num_scores(self):
        """Scores an anchor: one if class-agnostic, else a class each."""
        return 1 if self.class_agnostic else self.decoder_num_classes


def names_of(*groups):
    """The option names of some groups, in order."""
    return tuple(f.name for group in groups for f in dataclasses.fields(group))


# What shapes the network, and so must be the same in training and inference.
NETWORK_NAMES = names_of(WindowOptions, NetworkOptions)
# What a run stores and a later script takes over: all but the places, and how it runs.
NOT_STORED = ("skip_missing", "sweep")     # of one call alone
STORED_NAMES = tuple(name for name in ("dataset", *names_of(*GROUPS[1:-1]), "seed")
                     if name not in NOT_STORED)

# What values some options may have: in words, as a test, and the options.
LIMITS = (
    ("above 0", lambda value: 0 < value < math.inf, (
        "feature_fps", "temporal_scale", "input_feat_dim", "bb_hidden_dim", "num_levels",
        "anchor_scale", "num_neigh", "batch_size", "train_lr", "step_size", "nms_alpha_detect",
        "nms_alpha_prop", "max_detections", "max_seconds", "num_video_classes", "short_seconds")),
    ("0 or above", lambda value: 0 <= value < math.inf, (
        "stitch_gap", "num_head_layers", "weight_decay", "num_epoch", "step_gamma",
        "score_loss_weight", "boundary_loss_epsilon", "num_workers")),
    ("from 0 to 2^63 - 1", lambda value: 0 <= value < 2 ** 63, ("seed",)),
    ("at most 16", lambda value: value <= 16, ("num_levels",)),
    ("2 or above", lambda value: value >= 2, ("decoder_num_classes",)),
    ("from 0 to 1", lambda value: 0 <= value <= 1, (
        "short_ratio", "clip_win_size", "iou_thr", "focal_alpha", "score_threshold", "nms_thr",
        "nms_lthr_prop", "nms_hthr_prop", "tiou")),
)

PRESETS = {
    "thumos": {"max_seconds": 50.0},
    "activitynet": {
        "train_subset": "training", "subset": "validation", "framing": "whole",
        "decoder_num_classes": 201, "class_agnostic": True, "anchor_scale": (8.0, 20.0),
        "num_neigh": 10, "train_lr": 1e-4, "num_epoch": 15, "iou_thr": (0.5, 0.6, 0.7),
        "score_loss_weight": 1.0, "boundary_loss_epsilon": 1e-6, "nms_alpha_detect": 0.85,
        "max_detections": 100,
        "tiou": (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    },
    "custom": {
        "val_split": "heldout", "framing": None, "temporal_scale": None, "input_feat_dim": None,
        "decoder_num_classes": None, "anchor_scale": None,
    },
    "demo": {
        "temporal_scale": 256, "stitch_gap": 8, "input_feat_dim": 32, "bb_hidden_dim": 64,
        "decoder_num_classes": 7, "num_head_layers": 2, "num_neigh": 8, "batch_size": 16,
        "train_lr": 1e-3, "num_epoch": 12,
    },
}


def parse_config(script, argv=None):
    """The options of one script from its command line. Touches no data.

    script: a key of SCRIPTS. argv: list of words, None for those of the process.
    Raises UserError for an unknown, contradictory or impossible option.
    """
    words, unknown = _parser(script).parse_known_args(argv)
    if unknown:
        raise UserError(_unknown_words(unknown))
    return check(resolve(vars(words)), script)


def resolve(given):
    """Defaults, presets and `given` values (by name) put together."""
    dataset = given.get("dataset") or ("custom" if given.get("detections") else
                                       Config.dataset)
    values = {"dataset": dataset, **PRESETS[dataset], **given}
    for name, folder in (("checkpoint_path", "checkpoint_{}"), ("output_path", "output_{}"),
                         ("window_path", "windows/{}")):
        values.setdefault(name, folder.format(dataset))
    if dataset == "demo":
        values.setdefault("feature_path", "data/demo")
    return Config(**values, given=dict(given))


def adopt(config, stored, source):
    """Take over the options stored with a checkpoint or result, all that the user did not give.

    stored: dict as `settings` makes it. source: where it was read, for the message.
    Raises UserError where a given network option contradicts the stored one.
    """
    stored = {name: _revive(name, stored[name]) for name in STORED_NAMES if name in stored}
    for name in NETWORK_NAMES:
        if name in config.given and name in stored and config.given[name] != stored[name]:
            raise UserError(f"--{name} {_shown(config.given[name])} contradicts {source}, made "
                            f"with {_shown(stored[name])}; leave the option out, or train again "
                            "with it")
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
                raise UserError(f"--{name} {_shown(value)} is impossible: it must be {words}")
    if len(config.iou_thr) != 3:
        raise UserError(f"--iou_thr takes three thresholds, found {len(config.iou_thr)}")
    if any(first >= second for first, second in zip(config.tiou, config.tiou[1:], strict=False)):
        raise UserError(f"--tiou {_shown(config.tiou)}: give rising thresholds, each once")
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
    if config.bb_hidden_dim % 32:
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
        shown = (f"{name}{'*' if name in config.given else ''}={_shown(getattr(config, name))}"
                 for name in names_of(group) if getattr(config, name) is not None)
        lines.append(f"  {group.__doc__}: {' '.join(shown)}")
    return "\n".join(lines)


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
    """The default, and what the presets make of it."""
    texts = [_shown(spec.default)]
    texts += [f"{dataset} {_shown(preset[spec.name])}" for dataset, preset in PRESETS.items()
              if spec.name in preset and preset[spec.name] != spec.default]
    return "; ".join(texts)


def _shown(value):
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unknown_words(unknown):
    word = unknown[0]
    if not word.startswith("-"):
        return f"{word} belongs to no option; --help lists them all"
    name = word.split("=")[0].lstrip("-").removeprefix("no-").replace("-", "_").lower()
    known = {option.lower(): option for option in names_of(*GROUPS)}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean --{known[near[0]]}?" if near else "--help lists them all"
    return f"unknown option {word}; {hint}"


def _near(value, unit):
    below = value // unit * unit
    return " and ".join(str(v) for v in (below, below + unit) if v)


def _revive(name, value):
    return tuple(value) if isinstance(value, list) else value


def default_window_file(config, kind):
    """Path of the train, val or infer window list."""
    return Path(config.window_path) / f"{kind}.json"
