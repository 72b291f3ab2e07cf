"""Every option of every script: its name, default, limit and meaning, in groups; the presets.

An option is a field of a group. The group says which scripts read it, what it shapes, and whether
it is stored; a field may say otherwise for itself. `Utils.config.resolve.Config` has them all, the
command line is made from them.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from Utils.config.fields import (
    ABOVE_0,
    CUT,
    EVAL,
    FROM_0,
    INFER,
    PART,
    SCRIPTS,
    SHARE,
    TRAIN,
    Limit,
    between,
    is_score,
    multiple_of,
    option,
    options_of,
)


@dataclass(frozen=True)
class PresetOptions:
    """where the defaults come from"""
    scripts: ClassVar = SCRIPTS
    dataset: Literal["thumos", "activitynet", "custom", "demo"] = option(
        "activitynet", "which preset and which readers; custom is for data of your own",
        shapes="training")
    recipe: Literal["paper", "strong"] = option(
        "paper", "how to train and to decode: as in the paper, or better (docs/strong_recipe.md)")
    config: str | None = option(
        None, "take options from this file, as a run writes it (config.json in its folder); "
              "options given beside it count", is_stored=False)


@dataclass(frozen=True)
class PathOptions:
    """files and folders"""
    scripts: ClassVar = SCRIPTS
    is_stored: ClassVar = False
    feature_path: str | None = option(None, "folder of the feature files")
    video_anno: str | None = option(None, "annotation file; for Eval the ground truth")
    window_path: str | None = option(
        None, "folder of the window lists (default windows/<dataset>)",
        scripts=(CUT, TRAIN, INFER))
    checkpoint_path: str | None = option(
        None, "folder of the checkpoints (default checkpoint_<dataset>)", scripts=(TRAIN, INFER))
    output_path: str | None = option(
        None, "folder of the results (default output_<dataset>)", scripts=(INFER, EVAL))
    video_info: str | None = option(
        None, "file of video durations and subsets: ActivityNet's csv; "
              "for THUMOS14 the folder of the two .mat files")
    class_index: str | None = option(
        None, "JSON of class name -> id, background 0", scripts=(CUT, TRAIN, INFER),
        is_rare=True)


@dataclass(frozen=True)
class DataOptions:
    """data"""
    scripts: ClassVar = (CUT, TRAIN)
    shapes: ClassVar = "training"
    train_subset: str = option("train", "annotation subset to train on")
    subset: str = option("test", "annotation subset to infer and evaluate on", shapes="",
                         scripts=SCRIPTS)
    val_split: Literal["test", "heldout", "none"] | None = option(
        "test", "videos of the validation loss: the evaluated subset (as in the original), a "
                "held-out fifth of the training videos, or none: train on all, and take the loss "
                "of that fifth")
    framing: Literal["sliding", "whole"] | None = option(
        "sliding", "sliding windows of T frames, or whole videos resized to T")
    feature_fps: float | None = option(
        None, "features per second; by default number of features / duration",
        ABOVE_0, shapes="", scripts=(CUT, TRAIN, INFER))
    feature_stride: float | None = option(
        None, "images of the video from one feature to the next: with each video's fps in the "
              "annotations this is the rate of its features", ABOVE_0, shapes="",
        scripts=(CUT, TRAIN, INFER))
    clip_length: float | None = option(
        None, "images that each feature was made from, in the middle of which it lies; by default "
              "feature k lies at k / rate", ABOVE_0, shapes="", scripts=(CUT, TRAIN, INFER))
    skip_missing: bool = option(
        False, "go on without videos whose features are missing or broken", shapes="",
        scripts=(CUT, TRAIN, INFER), is_stored=False)
    follow_links: bool = option(
        False, "read HDF5 features also where a file leads to another one (links, virtual "
               "datasets)", shapes="", scripts=(CUT, TRAIN, INFER), is_stored=False, is_rare=True)
    standardize: Literal["auto", "on", "off"] = option(
        "auto", "give each channel of the features the mean 0 and deviation 1 over the training "
                "videos; auto: where Extract_features.py made them and, in the strong recipe, "
                "where the deviations of the channels differ tenfold", scripts=(TRAIN,))


@dataclass(frozen=True)
class WindowOptions:
    """windows and self-stitching"""
    scripts: ClassVar = (CUT, TRAIN)
    shapes: ClassVar = "training"
    temporal_scale: int | None = option(1280, "input length T in feature frames",
                                        between(1, 2 ** 20))
    use_VSS: bool = option(True, "video self-stitching")
    stitch_gap: int = option(30, "frames of zeros between the two copies of a clip", FROM_0,
                             needs={"use_VSS": True})
    short_ratio: float = option(0.4, "clips of at most this share of T are stitched", SHARE,
                                needs={"use_VSS": True})
    clip_win_size: float = option(0.38, "length of a cut clip, as a share of T", SHARE,
                                  needs={"use_VSS": True})


@dataclass(frozen=True)
class RandomOptions:
    """training inputs of the strong recipe"""
    scripts: ClassVar = (TRAIN,)
    shapes: ClassVar = "training"
    random_windows: bool = option(
        False, "train on windows drawn anew in every epoch, not on the list that was cut")
    steps_per_epoch: int | None = option(
        None, "batches of random windows in an epoch; by default enough for as many windows as "
              "the list that was cut has, and for 400", ABOVE_0, needs={"random_windows": True},
        is_rare=True)
    clip_share: float = option(
        0.42, "share of clips to be stitched, among random windows", SHARE,
        needs={"random_windows": True, "use_VSS": True}, is_rare=True)
    min_clip: float = option(
        0.19, "length of the shortest random clip, as a share of T; the longest has clip_win_size",
        PART, needs={"random_windows": True, "use_VSS": True})
    min_crop: float = option(
        0.6, "length of the shortest other random window, as a share of its video", PART,
        needs={"random_windows": True}, is_rare=True)
    min_inside: float = option(
        1.0, "an action is a target where at least this share of it is in the window, and clipped "
             "to that", SHARE)
    mask_padding: bool = option(False, "take no negatives from padding and gap")
    feature_dropout: float = option(
        0.0, "share of the channels of an input left out in training", SHARE)


@dataclass(frozen=True)
class NetworkOptions:
    """network"""
    scripts: ClassVar = (TRAIN,)
    shapes: ClassVar = "training"
    bb_hidden_dim: int | None = option(
        256, "hidden channels C", multiple_of(32, "the groups of the heads' GroupNorm"))
    use_xGPN: bool = option(True, "cross-scale graph pyramid (off: plain convolutions)",
                            scripts=(CUT, TRAIN))
    input_feat_dim: int | None = option(
        2048, "channels of all streams together", ABOVE_0, scripts=(CUT, TRAIN))
    decoder_num_classes: int | None = option(
        21, "classes with background 0", Limit("2 or above", lambda value: value >= 2),
        scripts=(CUT, TRAIN))
    class_agnostic: bool = option(False, "one sigmoid score per anchor instead of one per class")
    num_levels: int = option(5, "pyramid levels, each half as long as the one before",
                             between(1, 16), scripts=(CUT, TRAIN))
    num_head_layers: int = option(4, "convolutions in each head tower", between(0, 64))
    base_stride: int = option(4, "frames per cell of the finest level",
                              Limit("4", lambda value: value == 4), is_rare=True)
    anchor_scale: tuple[float, ...] | None = option(
        (1.0, 1.5), "anchor lengths in cells", ABOVE_0, scripts=(CUT, TRAIN))
    # The graph remembers in one byte which neighbour gave a maximum.
    num_neigh: int = option(12, "neighbours K of a position in the graph", between(1, 256),
                            needs={"use_xGPN": True}, scripts=(CUT, TRAIN))
    nfeat_mode: Literal["feat_ctr", "dif_ctr"] = option(
        "feat_ctr", "edge feature: [neighbour, centre] or [neighbour - centre, centre]",
        needs={"use_xGPN": True}, is_rare=True)
    agg_type: Literal["max", "mean"] = option("max", "aggregation over the edges",
                                              needs={"use_xGPN": True}, is_rare=True)
    edge_weight: bool = option(False, "weight edges by cosine similarity", is_word=True,
                               needs={"use_xGPN": True}, is_rare=True)
    gcn_insert: Literal["par", "seq"] = option(
        "par", "graph beside (par) or behind (seq) the convolution", needs={"use_xGPN": True},
        is_rare=True)


@dataclass(frozen=True)
class TrainOptions:
    """training"""
    scripts: ClassVar = (TRAIN,)
    shapes: ClassVar = "training"
    num_epoch: int = option(10, "epochs", FROM_0)
    batch_size: int = option(32, "inputs per step, over all processes", ABOVE_0, shapes="",
                             scripts=(TRAIN, INFER))
    optimizer: Literal["adam", "adamw"] = option(
        "adam", "Adam; or AdamW, without weight decay of biases and norms")
    train_lr: float = option(5e-5, "learning rate", ABOVE_0)
    weight_decay: float = option(1e-4, "weight decay", FROM_0)
    schedule: Literal["step", "cosine"] = option(
        "step", "how the learning rate falls: in steps, or as a cosine to 1 % of it")
    step_size: int = option(15, "epochs between two learning-rate steps", ABOVE_0,
                            needs={"schedule": "step"})
    step_gamma: float = option(0.1, "factor of a learning-rate step", FROM_0,
                               needs={"schedule": "step"}, is_rare=True)
    warmup_steps: int = option(0, "batches in which the learning rate rises to its full value",
                               FROM_0)
    clip_norm: float | None = option(None, "longest gradient, all parameters together", ABOVE_0)
    ema: float | None = option(
        None, "average the weights over the steps with this decay, and use the average", SHARE)
    best_by: Literal["loss", "map"] = option(
        "loss", "what makes a checkpoint the best: the loss on the validation windows, or the "
                "average mAP of their detections", needs={"checkpoint": "best"})
    iou_thr: tuple[float, ...] = option((0.5, 0.5, 0.7), "matching thresholds of stage 0, 1, 2",
                                        SHARE, is_rare=True)
    focal_alpha: float = option(0.35, "alpha of the focal loss", SHARE,
                                needs={"class_agnostic": True}, is_rare=True)
    score_loss_weight: float = option(0.2, "weight of the action, start and end losses", FROM_0,
                                    is_rare=True)
    boundary_loss_epsilon: float = option(
        1e-5, "added inside the logarithms of the start and end losses", FROM_0,
        is_rare=True)
    seed: int = option(21, "seed of the cutting, the weights and the order of training",
                       Limit("from 0 to 2^63 - 1", lambda value: 0 <= value < 2 ** 63),
                       scripts=(CUT, TRAIN))


@dataclass(frozen=True)
class DecodeOptions:
    """from windows to proposals"""
    scripts: ClassVar = (TRAIN, INFER)
    shapes: ClassVar = "proposals"
    infer_windows: Literal["quarter", "cover"] = option(
        "quarter", "windows to infer on, where a video is longer than T: one every quarter of T, "
                   "or just enough to cover it with overlaps of a quarter", scripts=(CUT, INFER))
    infer_clips: bool = option(
        False, "infer on clips in addition, stitched, each half over the one before",
        needs={"use_VSS": True}, scripts=(CUT, INFER))
    clip_margin: float = option(
        0.0, "share of a clip, at its cuts inside the video, that its proposals keep off; sliding "
             "windows only", SHARE, needs={"infer_clips": True}, is_rare=True)
    checkpoint: Literal["best", "last"] = option("best", "which checkpoint Infer.py reads",
                                                 scripts=(CUT, TRAIN, INFER))
    score_threshold: float = option(0.005, "class score a box of a window must exceed", SHARE,
                                    is_rare=True)
    boundary_power: float = option(1.0, "power of start * end in a score, beside the class's",
                                   FROM_0, is_rare=True)
    nms_thr: float = option(0.4, "IoU of the suppression in a window, class by class (1: none)",
                            SHARE)


@dataclass(frozen=True)
class DetectionOptions:
    """from proposals to detections"""
    scripts: ClassVar = (TRAIN, INFER, EVAL)
    needs: ClassVar = {"detections": None}
    max_detections: int = option(200, "detections kept per video", ABOVE_0)
    max_per_class: int | None = option(None, "best proposals kept per class and video", ABOVE_0,
                                       is_rare=True)
    nms_by_class: bool = option(
        False, "soft-NMS over a video class by class, instead of over all classes together")
    nms_alpha_detect: float = option(0.46, "width of the Gaussian soft-NMS over a video", ABOVE_0)
    vote_iou: float | None = option(
        None, "detections become the mean of the proposals of their class with this IoU or more, "
              "weighted by score and IoU", PART)
    agreement_power: float = option(
        0.0, "power of a class's share among the proposals that overlap a detection by vote_iou, "
             "in its score", FROM_0, is_rare=True)
    max_seconds: float | None = option(None, "detections this long or longer score 0", ABOVE_0)
    rounded: bool = option(False, "round detections to 0.1 s, as the original does")


@dataclass(frozen=True)
class AgnosticOptions:
    """from proposals without classes to detections (ActivityNet)"""
    scripts: ClassVar = (TRAIN, INFER, EVAL)
    needs: ClassVar = {"detections": None, "class_agnostic": True}
    nms_alpha_prop: float = option(0.75, "width of the Gaussian soft-NMS of the proposals", ABOVE_0)
    nms_lthr_prop: float = option(0.65, "IoU above which a proposal is damped, at width 0", SHARE,
                                 is_rare=True)
    nms_hthr_prop: float = option(0.9, "the same at width 1 (the whole video)", SHARE, is_rare=True)
    num_video_classes: int = option(1, "best video-level classes to fuse with a proposal", ABOVE_0)
    floor_duration: bool = option(
        False, "proposals end at the last 16 whole frames (the original's)", is_rare=True)


@dataclass(frozen=True)
class EvalOptions:
    """evaluation"""
    scripts: ClassVar = (EVAL,)
    is_stored: ClassVar = False
    detections: str | None = option(
        None, "score this detection file, of any method, instead of Infer.py's proposals",
        is_doing=True)
    list: tuple[str, ...] | None = option(
        None, "a table of the runs below these folders (default: the current one)",
        is_doing=True, may_be_empty=True)
    sweep: tuple[str, ...] | None = option(
        None, "try settings on the saved proposals, as in nms_alpha_detect=0.3,0.46,0.6 "
              "max_detections=100,200; every combination is scored", is_doing=True)
    compare: tuple[str, ...] | None = option(
        None, "compare the runs evaluated in these folders, each with the first; the page goes to "
              "output_path (default comparison)", is_doing=True)
    tiou: tuple[float, ...] = option(
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), "temporal IoU thresholds, as in 0.3 0.5 or "
        "0.5:0.05:0.95", SHARE, scripts=(TRAIN, EVAL))
    protocol: Literal["activitynet", "thumos14"] = option(
        "activitynet", "how mean average precision is computed")
    short_seconds: float | None = option(
        None, "also score the actions of at most this length alone", ABOVE_0)
    ambiguous: str | None = option(
        None, "ambiguous intervals of the official THUMOS14 protocol",
        needs={"protocol": "thumos14"}, is_rare=True)
    video_scores: str | None = option(
        None, "video-level classifier scores to fuse (layout: cuhk_val_simp_share.json)")
    detad_anno: str | None = option(None, "ground truth with DETAD's characteristics", is_rare=True)
    detad_length_bins: Literal["official", "vsgn"] = option(
        "official", "DETAD's length buckets, or the original VSGN's", is_rare=True)
    figures: Literal["none", "png", "pdf", "both"] = option(
        "none", "figures to draw beside the report, for papers and slides")
    video_folder: str | None = option(
        None, "folder of the videos themselves, to play them in the report (matched by the stem of "
              "their names; linked, not copied)")


@dataclass(frozen=True)
class VideoOptions:
    """videos without annotations, and what is written of detections"""
    scripts: ClassVar = (INFER,)
    is_stored: ClassVar = False
    video: str | None = option(
        None, "detect in this one video alone: a video file, where Extract_features.py made what "
              "was trained on, or its features (.npy, .npz, .pt)", is_doing=True)
    videos: tuple[str, ...] | None = option(
        None, "the same for many: a folder of features or of video files, or the files; with "
              "--video_anno those that it lists (of --subset, if given)", is_doing=True)
    out: str | None = option(
        None, "file of the detections of --video and --videos: .json, .csv, .srt, .vtt, .eaf; "
              "without it they are shown and not written", short="-o", is_doing=True)
    min_score: str | None = option(
        None, "leave out lower scores; auto: the score that the training recommends",
        Limit("a number or auto", is_score), scripts=(INFER, EVAL))
    top: int | None = option(
        None, "write at most this many detections per video, the best", ABOVE_0,
        scripts=(INFER, EVAL))
    export: tuple[str, ...] | None = option(
        None, "also write the detections for other tools into output_path/export: csv, srt, vtt, "
              "elan, boris, audacity (docs/annotation_tools.md)", scripts=(INFER, EVAL))
    save_features: str | None = option(
        None, "folder to keep the features in that are extracted from video files",
        is_rare=True)
    weights: str | None = option(
        None, "weights of the network that extracts features from video files, where there is no "
              "connection to fetch them", is_rare=True)


@dataclass(frozen=True)
class RunOptions:
    """running"""
    scripts: ClassVar = (TRAIN, INFER)
    is_stored: ClassVar = False
    device: Literal["auto", "cpu", "cuda", "mps"] = option("auto", "where to compute")
    precision: Literal["fp32", "tf32", "bf16"] = option(
        "fp32", "arithmetic of the convolutions on a GPU; bf16 also on a CPU", is_rare=True)
    num_workers: int = option(0, "processes that prepare inputs", FROM_0)
    cache: Literal["auto", "none", "ram", "gpu"] = option(
        "auto", "keep features in memory: where they fit, nowhere, in RAM, or on the GPU")
    check: bool = option(False, "only look at the data, and list what is wrong", scripts=(CUT,),
                         is_doing=True)
    resume: bool = option(False, "go on from the checkpoint in checkpoint_path", scripts=(TRAIN,))
    verbose: bool = option(False, "print every option, not only those that differ from the preset",
                           scripts=SCRIPTS)
    overwrite: bool = option(False, "replace an earlier result", scripts=SCRIPTS)
    is_train: Literal["true", "false"] | None = option(
        None, "of the original; must agree with the script", scripts=SCRIPTS, is_rare=True)


GROUPS = (PresetOptions, PathOptions, DataOptions, WindowOptions, RandomOptions, NetworkOptions,
          TrainOptions, DecodeOptions, DetectionOptions, AgnosticOptions, EvalOptions,
          VideoOptions, RunOptions)
OPTIONS = {spec.name: spec for group in GROUPS for spec in options_of(group)}


def names_of(*groups):
    """The option names of some groups, in order."""
    return tuple(spec.name for group in groups for spec in options_of(group))


# What shapes the network, and so must be the same in training and inference.
NETWORK_NAMES = names_of(WindowOptions, NetworkOptions)
# What a run stores and a later script takes over: all but the places, and how it runs.
STORED_NAMES = tuple(name for name, spec in OPTIONS.items() if spec.is_stored)
# What decides how detections are scored; Eval.py alone reads them.
SCORING_NAMES = ("tiou", "protocol", "short_seconds", "detad_length_bins")

PRESETS = {
    "thumos": {"max_seconds": 50.0, "rounded": True},
    "activitynet": {
        "train_subset": "training", "subset": "validation", "framing": "whole",
        "decoder_num_classes": 201, "class_agnostic": True, "anchor_scale": (8.0, 20.0),
        "num_neigh": 10, "train_lr": 1e-4, "num_epoch": 15, "iou_thr": (0.5, 0.6, 0.7),
        "score_loss_weight": 1.0, "boundary_loss_epsilon": 1e-6, "nms_alpha_detect": 0.85,
        "max_detections": 100,
        "tiou": (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    },
    "custom": {
        "recipe": "strong", "val_split": None, "framing": None, "temporal_scale": None,
        "input_feat_dim": None,
        "decoder_num_classes": None, "anchor_scale": None, "bb_hidden_dim": None,
    },
    "demo": {
        "recipe": "strong", "temporal_scale": 256, "stitch_gap": 8, "input_feat_dim": 32,
        "bb_hidden_dim": 64,
        "decoder_num_classes": 7, "num_head_layers": 2, "num_neigh": 8, "batch_size": 16,
        "train_lr": 1e-3, "num_epoch": 12, "steps_per_epoch": 100,
    },
}

# What a recipe sets, over the dataset's preset (spec: the strong recipe).
RECIPES = {
    "paper": {},
    "strong": {
        "random_windows": True, "min_inside": 0.6, "mask_padding": True, "feature_dropout": 0.1,
        "batch_size": 8,
        "optimizer": "adamw", "train_lr": 1e-3, "weight_decay": 0.05, "num_epoch": 14,
        "schedule": "cosine", "warmup_steps": 50, "clip_norm": 1.0, "ema": 0.99,
        "checkpoint": "last", "infer_windows": "cover", "infer_clips": True, "clip_margin": 0.1,
        "boundary_power": 0.25, "nms_thr": 1.0, "max_per_class": 2000, "nms_by_class": True,
        "vote_iou": 0.7, "agreement_power": 0.5,
    },
}

SET_BY_RECIPES = {name for recipe in RECIPES.values() for name in recipe}
# What an existing file has shaped once, and so can't be given anew, by the script that reads it.
SETTLED = {script: tuple(name for name, spec in OPTIONS.items() if spec.shapes in shapes)
           for script, shapes in (("Infer", ("training",)), ("Eval", ("training", "proposals")))}


def shown(value):
    """A value as the user would write it."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
