"""The options that shape a training: data, windows, network, optimization."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from Utils.config.fields import (
    ABOVE_0,
    CUT,
    FROM_0,
    INFER,
    PART,
    SCRIPTS,
    SHARE,
    TRAIN,
    Limit,
    between,
    multiple_of,
    option,
)


@dataclass(frozen=True)
class DataOptions:
    """data"""
    scripts: ClassVar = (CUT, TRAIN)
    shapes: ClassVar = "training"
    train_subset: str = option("train", "annotation subset to train on")
    subset: str = option("test", "annotation subset to infer and evaluate on", shapes="",
                         scripts=SCRIPTS)
    val_split: Literal["test", "heldout", "none"] | None = option(
        "test", "videos for the validation loss: test, the evaluated subset, as in the original; "
                "heldout, a fifth of the training videos; none: train on all videos, and show "
                "the loss on a fifth of them")
    framing: Literal["sliding", "whole"] | None = option(
        "sliding", "sliding windows of T frames, or whole videos resized to T frames")
    feature_fps: float | None = option(
        None, "features per second; by default number of features / duration",
        ABOVE_0, shapes="", scripts=(CUT, TRAIN, INFER))
    feature_stride: float | None = option(
        None, "video images between two features; with the fps of each video in the annotations, "
              "this gives the rate of its features", ABOVE_0, shapes="",
        scripts=(CUT, TRAIN, INFER))
    clip_length: float | None = option(
        None, "number of images that each feature was computed from; the feature lies in their "
              "middle. By default, feature k lies at k / rate",
        ABOVE_0, shapes="", scripts=(CUT, TRAIN, INFER))
    skip_missing: bool = option(
        False, "leave out videos whose features are missing or broken", shapes="",
        scripts=(CUT, TRAIN, INFER), is_stored=False)
    follow_links: bool = option(
        False, "read HDF5 features even if a file points to another file (links, virtual "
               "datasets)", shapes="", scripts=(CUT, TRAIN, INFER), is_stored=False, is_rare=True)
    standardize: Literal["auto", "on", "off"] = option(
        "auto", "scale each feature channel to mean 0 and standard deviation 1 over the training "
                "videos; auto: for features of Extract_features.py and, in the strong recipe, "
                "if the deviations of the channels differ tenfold", scripts=(TRAIN,))
    deltas: Literal["auto", "on", "off"] = option(
        "auto", "add changes per frame; auto: if deviations differ tenfold",
        scripts=(TRAIN,))


@dataclass(frozen=True)
class WindowOptions:
    """windows and self-stitching"""
    scripts: ClassVar = (CUT, TRAIN)
    shapes: ClassVar = "training"
    temporal_scale: int | None = option(1280, "input length T in feature frames",
                                        between(1, 2 ** 20))
    use_VSS: bool = option(True, "video self-stitching")
    stitch_gap: int = option(30, "zero frames between the two copies of a clip", FROM_0,
                             needs={"use_VSS": True})
    short_ratio: float = option(0.4, "clips of at most this share of T are stitched", SHARE,
                                needs={"use_VSS": True})
    clip_win_size: float = option(0.38, "length of a clip, as a share of T", SHARE,
                                  needs={"use_VSS": True})


@dataclass(frozen=True)
class RandomOptions:
    """training inputs of the strong recipe"""
    scripts: ClassVar = (TRAIN,)
    shapes: ClassVar = "training"
    random_windows: bool = option(
        False, "draw new training windows in every epoch instead of using the list of Cut")
    steps_per_epoch: int | None = option(
        None, "batches of random windows per epoch; by default enough for the windows Cut listed, "
              "but no more than it takes to show each class 300 times, and at least 400 windows",
        ABOVE_0, needs={"random_windows": True}, is_rare=True)
    clip_share: float = option(
        0.42, "share of stitched clips among the random windows", SHARE,
        needs={"random_windows": True, "use_VSS": True}, is_rare=True)
    min_clip: float = option(
        0.19, "length of the shortest random clip, as a share of T; clip_win_size is the longest",
        PART, needs={"random_windows": True, "use_VSS": True})
    min_crop: float = option(
        0.6, "length of the shortest other random window, as a share of its video", PART,
        needs={"random_windows": True}, is_rare=True)
    min_inside: float = option(
        1.0, "an action is a target if at least this share of it lies in the window; it is clipped "
             "to the window", SHARE)
    mask_padding: bool = option(False, "take no negatives from padding and gap")
    feature_dropout: float = option(
        0.0, "channel dropout: share of the channels dropped from each training input", SHARE)


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
        2048, "feature channels, all streams together", ABOVE_0, scripts=(CUT, TRAIN))
    decoder_num_classes: int | None = option(
        21, "number of classes, including background", Limit("2 or above",
                                                             lambda value: value >= 2),
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
        "feat_ctr", "edge features: [neighbour, centre] or [neighbour - centre, centre]",
        needs={"use_xGPN": True}, is_rare=True)
    agg_type: Literal["max", "mean"] = option("max", "aggregation over the edges",
                                              needs={"use_xGPN": True}, is_rare=True)
    edge_weight: bool = option(False, "weight edges by cosine similarity", is_word=True,
                               needs={"use_xGPN": True}, is_rare=True)
    gcn_insert: Literal["par", "seq"] = option(
        "par", "graph in parallel with the convolution (par) or after it (seq)",
        needs={"use_xGPN": True},
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
        "adam", "Adam, or AdamW without weight decay on biases and norms")
    train_lr: float = option(5e-5, "learning rate", ABOVE_0)
    weight_decay: float = option(1e-4, "weight decay", FROM_0)
    schedule: Literal["step", "cosine"] = option(
        "step", "how the learning rate falls: in steps, or along a cosine to 1 %")
    step_size: int = option(15, "epochs between two learning-rate steps", ABOVE_0,
                            needs={"schedule": "step"})
    step_gamma: float = option(0.1, "factor of a learning-rate step", FROM_0,
                               needs={"schedule": "step"}, is_rare=True)
    warmup_steps: int = option(0, "batches over which the learning rate rises to its full value",
                               FROM_0)
    clip_norm: float | None = option(None, "largest norm of the whole gradient", ABOVE_0)
    ema: float | None = option(
        None, "use an exponential moving average of the weights, with this decay per step", SHARE)
    best_by: Literal["loss", "map"] = option(
        "loss", "how the best checkpoint is chosen: by the loss on the validation windows, or by "
                "the average mAP of their detections", needs={"checkpoint": "best"})
    iou_thr: tuple[float, ...] = option((0.5, 0.5, 0.7), "IoU for matching in stages 0, 1 and 2",
                                        SHARE, is_rare=True)
    focal_alpha: float = option(0.35, "alpha of the focal loss", SHARE,
                                needs={"class_agnostic": True}, is_rare=True)
    score_loss_weight: float = option(0.2, "weight of the action, start and end losses", FROM_0,
                                    is_rare=True)
    boundary_loss_epsilon: float = option(
        1e-5, "added inside the logarithms of the start and end losses", FROM_0,
        is_rare=True)
    seed: int = option(21, "seed for cutting, initial weights and order of training",
                       Limit("from 0 to 2^63 - 1", lambda value: 0 <= value < 2 ** 63),
                       scripts=(CUT, TRAIN))
