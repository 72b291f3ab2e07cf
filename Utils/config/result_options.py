"""The options from the trained network to results: proposals, detections, scores, videos."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from Utils.config.fields import (
    ABOVE_0,
    CUT,
    EVAL,
    FROM_0,
    INFER,
    PART,
    SHARE,
    TRAIN,
    Limit,
    is_score,
    option,
)

WHOLE = {"sweep": None}      # needed by what Eval.py writes besides the scores of a sweep


@dataclass(frozen=True)
class DecodeOptions:
    """from windows to proposals"""
    scripts: ClassVar = (TRAIN, INFER)
    shapes: ClassVar = "proposals"
    infer_windows: Literal["quarter", "cover"] = option(
        "quarter", "windows for inference in videos longer than T: one every quarter of T, or just "
                   "enough to cover the video with overlaps of a quarter", scripts=(CUT, INFER))
    infer_clips: bool = option(
        False, "also infer on stitched clips, each overlapping the previous one by half",
        needs={"use_VSS": True}, scripts=(CUT, INFER))
    clip_margin: float = option(
        0.0, "distance that proposals of a clip must keep from its cuts inside the "
             "video, as a share of the clip; sliding windows only",
        SHARE, needs={"infer_clips": True}, is_rare=True)
    checkpoint: Literal["best", "last"] = option("best", "which checkpoint Infer.py reads",
                                                 scripts=(CUT, TRAIN, INFER))
    score_threshold: float = option(0.005, "class score that a box of a window must exceed", SHARE,
                                    is_rare=True)
    boundary_power: float = option(1.0, "exponent of the boundary scores (start * end) in a score",
                                   FROM_0, is_rare=True)
    nms_thr: float = option(0.4, "IoU for NMS within a window, per class (1: no NMS)",
                            SHARE)


@dataclass(frozen=True)
class DetectionOptions:
    """from proposals to detections"""
    scripts: ClassVar = (TRAIN, INFER, EVAL)
    needs: ClassVar = {"detections": None}
    max_detections: int = option(200, "detections kept per video", ABOVE_0)
    max_per_class: int | None = option(None, "proposals kept per class and video", ABOVE_0,
                                       is_rare=True)
    nms_by_class: bool = option(
        False, "run soft-NMS over a video per class, instead of over all classes together")
    nms_alpha_detect: float = option(0.46, "width of the Gaussian soft-NMS over a video",
                                     ABOVE_0)
    vote_iou: float | None = option(
        None, "each detection becomes the mean of the proposals of its class with this "
              "IoU or more, weighted by score and IoU", PART)
    agreement_power: float = option(
        0.0, "exponent, in a detection's score, of the share its class has among the "
             "proposals that overlap it by vote_iou", FROM_0, is_rare=True)
    max_seconds: float | None = option(
        None, "detections of this length or longer get score 0", ABOVE_0)
    rounded: bool = option(False, "round detections to 0.1 s, as the original does")


@dataclass(frozen=True)
class AgnosticOptions:
    """from proposals without classes to detections (ActivityNet)"""
    scripts: ClassVar = (TRAIN, INFER, EVAL)
    needs: ClassVar = {"detections": None, "class_agnostic": True}
    nms_alpha_prop: float = option(0.75, "width of the Gaussian soft-NMS of the proposals", ABOVE_0)
    nms_lthr_prop: float = option(0.65, "IoU above which a proposal of length 0 is damped", SHARE,
                                 is_rare=True)
    nms_hthr_prop: float = option(0.9, "the same for one as long as the whole video", SHARE,
                                  is_rare=True)
    num_video_classes: int = option(1, "top video-level classes to fuse with a proposal",
                                    ABOVE_0)
    floor_duration: bool = option(
        False, "round durations down to a multiple of 16 video frames, as the original does",
        is_rare=True)


@dataclass(frozen=True)
class EvalOptions:
    """evaluation"""
    scripts: ClassVar = (EVAL,)
    is_stored: ClassVar = False
    detections: str | None = option(
        None, "score this detection file, from any method, instead of Infer.py's proposals",
        is_doing=True, metavar="PATH")
    list: tuple[str, ...] | None = option(
        None, "show a table of the runs below these folders (default: the current one)",
        is_doing=True, may_be_empty=True, metavar="PATH")
    sweep: tuple[str, ...] | None = option(
        None, "try settings on the saved proposals, such as "
              "nms_alpha_detect=0.3,0.46,0.6 max_detections=100,200, and score every "
              "combination", is_doing=True,
        metavar="NAME=VALUES")
    compare: tuple[str, ...] | None = option(
        None, "compare the runs evaluated in these folders with the first of them; the "
              "page is written "
              "to output_path (default comparison)", is_doing=True, metavar="PATH")
    tiou: tuple[float, ...] = option(
        (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7), "temporal IoU thresholds, such as 0.3 0.5 or "
        "0.5:0.05:0.95", SHARE, scripts=(TRAIN, EVAL))
    protocol: Literal["activitynet", "thumos14"] = option(
        "activitynet", "how mean average precision is computed")
    short_seconds: float | None = option(
        None, "also score only the actions of at most this length", ABOVE_0, needs=WHOLE)
    ambiguous: str | None = option(
        None, "ambiguous intervals of the official THUMOS14 protocol",
        needs={"protocol": "thumos14"}, is_rare=True, metavar="PATH")
    video_scores: str | None = option(
        None, "video-level classifier scores to fuse (layout: cuhk_val_simp_share.json)",
        metavar="PATH")
    detad_anno: str | None = option(
        None, "ground truth with DETAD's characteristics", is_rare=True, metavar="PATH",
        needs=WHOLE)
    detad_length_bins: Literal["official", "vsgn"] = option(
        "official", "DETAD's length buckets, or the original VSGN's", is_rare=True, needs=WHOLE)
    figures: Literal["none", "png", "pdf", "both"] = option(
        "none", "also draw figures for papers and slides", needs=WHOLE)
    video_folder: str | None = option(
        None, "folder of the video files, to play them in the report (matched by name "
              "without extension; "
              "linked, not copied)", needs=WHOLE, scripts=(INFER, EVAL), metavar="PATH")


@dataclass(frozen=True)
class VideoOptions:
    """videos without annotations, and which detections to write"""
    scripts: ClassVar = (INFER,)
    is_stored: ClassVar = False
    video: str | None = option(
        None, "detect in this one video: its features (.npy, .npz, .pt), or the video "
              "file if the network was "
              "trained on features of Extract_features.py", is_doing=True,
        metavar="PATH")
    videos: tuple[str, ...] | None = option(
        None, "the same for many: a folder of features or video files, or the files; "
              "with --video_anno, the videos listed "
              "there (of --subset, if given)", is_doing=True,
        metavar="PATH")
    out: str | None = option(
        None, "output file of --video and --videos: .json, .csv, .srt, .vtt or .eaf; "
              "without it, detections "
              "are printed, not written", short="-o", is_doing=True,
        metavar="PATH")
    min_score: str | None = option(
        None, "leave out lower scores; auto: the score that the training recommends",
        Limit("a number or auto", is_score), needs=WHOLE, scripts=(INFER, EVAL),
        metavar="SCORE")
    top: int | None = option(
        None, "write only this many detections per video, the best ones", ABOVE_0,
        needs=WHOLE, scripts=(INFER, EVAL))
    export: tuple[str, ...] | None = option(
        None, "also write the detections for other tools into output_path/export: csv, "
              "srt, vtt, elan, "
              "boris, audacity (docs/annotation_tools.md)", needs=WHOLE, scripts=(INFER, EVAL))
    save_features: str | None = option(
        None, "folder in which to keep the features extracted from video files",
        is_rare=True, metavar="PATH")
    weights: str | None = option(
        None, "weights of the network that extracts features from video files, if they "
              "cannot be downloaded", is_rare=True, metavar="PATH")
