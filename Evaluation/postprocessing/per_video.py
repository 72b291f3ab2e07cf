"""Results of every video, from the proposals that Infer.py wrote for its windows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from Evaluation.detection_file import NO_CLASS
from Evaluation.metrics import ActionTable, detection_table
from Evaluation.postprocessing.detections import (
    Detections,
    detections_of_each,
    floored_duration,
    fuse_best_classes,
    fuse_own_class,
    in_seconds,
    proposals_of_each,
)
from Evaluation.postprocessing.proposal_file import ProposalFile
from Utils.config.options import Config
from Utils.files import UserError

TOGETHER = 16      # videos suppressed together: more do not fit the processor's cache


@dataclass(frozen=True)
class Results:
    """What is scored: detections have classes, proposals none; either may be None.

    source: the file they come from. durations: {video: seconds or None}, as far as known.
    """
    detections: ActionTable | None
    proposals: ActionTable | None
    source: str
    durations: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)


@dataclass(frozen=True)
class VideoRows:
    """The proposals of one video, under its name in result files.

    duration: s, or None.
    """
    name: str
    duration: float | None
    rows: object
    # of the video file; asked for by --floor_duration alone
    num_frames: int | None = None


def results_of(videos: Iterable[VideoRows], config: Config,
               video_scores: dict) -> tuple[dict, dict]:
    """Results for VideoRows, a few at a time.

    -> detections, proposals, each {name: Detections}.
    config: its options of decoding. video_scores: {name: (K + 1,)} of a video-level
    classifier, or empty. Detections are made where proposals have classes or a
    classifier provides them; proposals where they have none.
    """
    detections, proposals = {}, {}
    # Without classes there is one row per anchor,
    # so videos have similar sizes and go together.
    at_once, videos = TOGETHER if config.class_agnostic else 1, iter(videos)
    while few := list(islice(videos, at_once)):
        names = [video.name for video in few]
        if config.class_agnostic:
            proposals |= zip(names, proposals_of(few, config), strict=True)
        if video_scores or not config.class_agnostic:
            detections |= zip(names, detections_of(few, config, video_scores),
                              strict=True)
    return detections, proposals


def read_video(file: ProposalFile, video: str, prefix: str = "",
               num_frames: int | None = None) -> VideoRows:
    """One video of a ProposalFile, in seconds.

    -> VideoRows. prefix: cut from its name.
    """
    rows, duration = file.read(video)
    if file.in_shares:
        if duration is None:
            raise UserError(f"{file.path}: video {video} has no duration, and its "
                            "segments are shares of it; run Infer.py again")
        rows = in_seconds(rows, duration)
    return VideoRows(video.removeprefix(prefix), duration, rows, num_frames)


def detections_of(videos: Sequence[VideoRows], config: Config,
                  video_scores: dict) -> list[Detections]:
    """Detections of VideoRows, a list.

    video_scores: {name: (K + 1,)}, needed if class-agnostic.
    """
    options = detection_options(config)
    durations = [video.duration for video in videos]
    if config.class_agnostic:
        options["rounded"] = False
        found = detections_of_each([video.rows for video in videos], durations, **options)
        return [fuse_best_classes(rows, video_scores[video.name], config.num_video_classes,
                                  config.max_detections)
                for video, rows in zip(videos, found, strict=True)]
    rows = [fuse_own_class(video.rows, video_scores[video.name]) if video_scores else video.rows
            for video in videos]
    return detections_of_each(rows, durations, **options)


def detection_options(config: Config) -> dict:
    """The options for detections, as arguments of `detections_of_each`."""
    return {"sigma": config.nms_alpha_detect, "limit": config.max_detections,
            "max_seconds": config.max_seconds, "by_class": config.nms_by_class,
            "max_per_class": config.max_per_class, "vote_iou": config.vote_iou,
            "agreement_power": config.agreement_power if config.vote_iou is not None else 0,
            "rounded": config.rounded}


def proposals_of(videos: Sequence[VideoRows], config: Config) -> list[Detections]:
    """Proposals of a list of VideoRows, regardless of class. -> list of Detections."""
    ends = [floored_duration(video.duration, video.num_frames) if config.floor_duration else None
            for video in videos]
    return proposals_of_each([video.rows for video in videos],
                             [video.duration for video in videos], ends,
                             sigma=config.nms_alpha_prop, limit=config.max_detections,
                             damp_above=(config.nms_lthr_prop, config.nms_hthr_prop))


def proposal_table(found: dict) -> ActionTable:
    """As `detection_table`, for proposals without a class."""
    return detection_table({video: replace(rows, labels=np.ones_like(rows.labels))
                            for video, rows in found.items()}, (NO_CLASS,))
