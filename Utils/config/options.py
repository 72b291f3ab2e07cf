"""Every option of every script: its name, default and meaning, in groups; the presets.

An option is a field of a group. `Utils.config.resolve.Config` has them all, the command line
is made from them.
"""

import dataclasses
from dataclasses import dataclass, field


def option(default, help, choices=None, each=None):
    """A config field; `each` is its type where the default does not show it."""
    return field(default=default,
                 metadata={"help": help, "choices": choices, "each": each})


@dataclass(frozen=True)
class PathOptions:
    """dataset, recipe, files and folders"""
    dataset: str = option("activitynet", "which preset and which readers",
                          ("thumos", "activitynet", "custom", "demo"))
    recipe: str = option("paper", "how to train and to decode: as in the paper, or better "
                                  "(docs/strong_recipe.md); options given beside it count",
                         ("paper", "strong"))
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
    val_split: str | None = option(
        "test", "videos of the validation loss: the evaluated subset (as in the original), a "
                "held-out fifth of the training videos, or none: train on all, and take the loss "
                "of that fifth", ("test", "heldout", "none"), each=str)
    framing: str | None = option("sliding", "sliding windows of T frames, or whole videos resized "
                                            "to T", ("sliding", "whole"), each=str)
    feature_fps: float | None = option(
        None, "features a second; otherwise number of features / duration", each=float)
    feature_stride: float | None = option(
        None, "images of the video from one feature to the next: with each video's fps in the "
              "annotations this is the rate of its features", each=float)
    clip_length: float | None = option(
        None, "images that each feature was made from, in the middle of which it lies; otherwise "
              "feature k lies at k / rate", each=float)
    skip_missing: bool = option(False, "go on without videos whose features are missing or broken")
    standardize: str = option(
        "auto", "give each channel of the features the mean 0 and deviation 1 over the training "
                "videos; auto: where Extract_features.py made them and, in the strong recipe, "
                "where the deviations of the channels differ tenfold", ("auto", "on", "off"))


@dataclass(frozen=True)
class WindowOptions:
    """windows and self-stitching"""
    temporal_scale: int | None = option(1280, "input length T in feature frames", each=int)
    use_VSS: bool = option(True, "video self-stitching")
    stitch_gap: int = option(30, "frames of zeros between the two copies of a clip")
    short_ratio: float = option(0.4, "clips of at most this share of T are stitched")
    clip_win_size: float = option(0.38, "length of a cut clip, as a share of T")


@dataclass(frozen=True)
class RandomOptions:
    """training inputs: random windows, masks, noise"""
    random_windows: bool = option(False, "train on windows drawn anew in every epoch, instead of "
                                         "the list that was cut")
    steps_per_epoch: int | None = option(
        None, "batches of random windows that count as an epoch; if unset enough for as many "
              "windows as the list that was cut has, and for 400", each=int)
    clip_share: float = option(0.42, "share of clips to be stitched, among random windows")
    min_clip: float = option(0.19, "length of the shortest random clip, as a share of T; the "
                                   "longest has clip_win_size")
    min_crop: float = option(0.6, "length of the shortest other random window, as a share of its "
                                  "video; the longest is all of it, in sliding windows at most T")
    balance_classes: bool = option(False, "place random windows around actions, of all classes "
                                          "equally often")
    speed_jitter: float = option(0.0, "random sliding windows are resized in time by a factor of "
                                      "up to 1 + this, or down to 1 / (1 + this)")
    min_inside: float = option(1.0, "an action is a target where at least this share of it is in "
                                    "the window, and clipped to that")
    mask_padding: bool = option(False, "take no negatives from padding and gap")
    feature_noise: float = option(0.0, "noise added to the features in training, as a share of the "
                                       "deviation of each channel")
    feature_dropout: float = option(0.0, "share of the channels of an input left out in training")


@dataclass(frozen=True)
class NetworkOptions:
    """network"""
    use_xGPN: bool = option(True, "cross-scale graph pyramid (off: plain convolutions)")
    input_feat_dim: int | None = option(2048, "channels of all streams together", each=int)
    bb_hidden_dim: int | None = option(256, "hidden channels C", each=int)
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
    optimizer: str = option("adam", "Adam, or AdamW that lets vectors (biases, norms) undecayed",
                            ("adam", "adamw"))
    train_lr: float = option(5e-5, "learning rate")
    weight_decay: float = option(1e-4, "weight decay")
    num_epoch: int = option(10, "epochs")
    schedule: str = option("step", "how the learning rate falls: in steps, or as a cosine to 1 % "
                                   "of it", ("step", "cosine"))
    step_size: int = option(15, "epochs between two learning-rate steps")
    step_gamma: float = option(0.1, "factor of a learning-rate step")
    warmup_steps: int = option(0, "batches in which the learning rate rises to its full value")
    clip_norm: float | None = option(None, "longest gradient, all parameters together", each=float)
    ema: float | None = option(
        None, "average the weights over the steps with this decay, and use the average", each=float)
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
    """from windows to detections"""
    infer_windows: str = option("quarter", "windows to infer on, where a video is longer than T: "
                                           "one every quarter of T, or just enough to cover it "
                                           "with overlaps of a quarter", ("quarter", "cover"))
    infer_clips: bool = option(False, "infer on clips in addition, stitched, each half over the "
                                      "one before")
    clip_margin: float = option(
        0.0, "share of a clip, at its cuts inside the video, that its proposals keep off; sliding "
             "windows only")
    checkpoint: str = option("best", "which checkpoint Infer.py reads", ("best", "last"))
    score_threshold: float = option(0.005, "class score a box of a window must exceed")
    boundary_power: float = option(1.0, "power of start * end in a score, beside the class's")
    nms_thr: float = option(0.4, "IoU of the suppression in a window, class by class (1: none)")
    max_per_class: int | None = option(None, "best proposals of a class kept, a video", each=int)
    nms_by_class: bool = option(False, "soft-NMS over a video class by class, instead of over all "
                                       "classes together")
    nms_alpha_detect: float = option(0.46, "width of the Gaussian soft-NMS over a video")
    nms_alpha_prop: float = option(0.75, "the same for class-agnostic proposals")
    nms_lthr_prop: float = option(0.65, "IoU above which a proposal is damped, at width 0")
    nms_hthr_prop: float = option(0.9, "the same at width 1 (the whole video)")
    vote_iou: float | None = option(
        None, "detections become the mean of the proposals of their class with this IoU or more, "
              "weighted by score and IoU", each=float)
    agreement_power: float = option(
        0.0, "power of a class's share among the proposals that overlap a detection by vote_iou, "
             "in its score")
    max_detections: int = option(200, "detections kept a video")
    max_seconds: float | None = option(
        None, "detections this long or longer score 0", each=float)
    num_video_classes: int = option(1, "best video-level classes to fuse with a proposal")
    rounded: bool = option(False, "round detections to 0.1 s, as the original does")
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
    figures: str = option("none", "figures to draw beside the report, for papers and slides",
                          ("none", "png", "pdf", "both"))
    video_folder: str | None = option(
        None, "folder of the videos themselves, to play them in the report (matched by the stem of "
              "their names; linked, not copied)", each=str)
    compare: tuple[str, ...] | None = option(
        None, "Eval.py: compare the runs evaluated in these folders, each with the first; the page "
              "goes to output_path (default comparison)", each=str)
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


GROUPS = (PathOptions, DataOptions, WindowOptions, RandomOptions, NetworkOptions, TrainOptions,
          DecodeOptions, EvalOptions, RunOptions)


def names_of(*groups):
    """The option names of some groups, in order."""
    return tuple(f.name for group in groups for f in dataclasses.fields(group))


# What shapes the network, and so must be the same in training and inference.
NETWORK_NAMES = names_of(WindowOptions, NetworkOptions)
# What a run stores and a later script takes over: all but the places, and how it runs.
# Of one call alone.
NOT_STORED = ("skip_missing", "sweep", "figures", "video_folder", "compare")
STORED_NAMES = tuple(name for name in ("dataset", "recipe", *names_of(*GROUPS[1:-1]), "seed")
                     if name not in NOT_STORED)

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
        "val_split": None, "framing": None, "temporal_scale": None, "input_feat_dim": None,
        "decoder_num_classes": None, "anchor_scale": None, "bb_hidden_dim": None,
    },
    "demo": {
        "temporal_scale": 256, "stitch_gap": 8, "input_feat_dim": 32, "bb_hidden_dim": 64,
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


def shown(value):
    """A value as the user would write it."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
