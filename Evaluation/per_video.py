"""Results of every video, from the proposals that Infer.py wrote of its windows."""

from dataclasses import dataclass, field, replace

import numpy as np

from Evaluation.detections import (
    floored_duration,
    fuse_best_classes,
    fuse_own_class,
    in_seconds,
    video_detections,
    video_proposals,
)
from Evaluation.metrics import ActionTable, detection_table
from Evaluation.results import NO_CLASS
from Utils.files import UserError


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
    """The proposals of one video, by the name it has in result files. duration: s, or None."""
    name: str
    duration: float | None
    rows: object
    num_frames: int | None = None      # of the video file; asked for by --floor_duration alone


def results_of(videos, config, video_scores):
    """Results of VideoRows, one after the other. -> detections, proposals, {name: Detections} each.

    config: its options of decoding. video_scores: {name: (K + 1,)} of a video-level classifier, or
    empty. Detections are made where proposals have classes, or a classifier gives them; proposals
    where they have none.
    """
    detections, proposals = {}, {}
    for video in videos:
        if config.class_agnostic:
            proposals[video.name] = proposals_of(video, config)
        if video_scores or not config.class_agnostic:
            detections[video.name] = detections_of(video, config, video_scores.get(video.name))
    return detections, proposals


def read_video(file, video, prefix="", num_frames=None):
    """One video of a ProposalFile, in seconds. -> VideoRows. prefix: cut from its name."""
    rows, duration = file[video], file.duration(video)
    if file.in_shares:
        if duration is None:
            raise UserError(f"{file.path}: video {video} has no duration, and its segments are "
                            "shares of it; run Infer.py again")
        rows = in_seconds(rows, duration)
    return VideoRows(video.removeprefix(prefix), duration, rows, num_frames)


def detections_of(video, config, video_scores=None):
    """Detections of one video, VideoRows. video_scores: (K + 1,), needed if class-agnostic."""
    options = {"sigma": config.nms_alpha_detect, "limit": config.max_detections,
               "max_seconds": config.max_seconds}
    if config.class_agnostic:
        found = video_detections(video.rows, video.duration, rounded=False, **options)
        return fuse_best_classes(found, video_scores, config.num_video_classes,
                                 config.max_detections)
    rows = video.rows if video_scores is None else fuse_own_class(video.rows, video_scores)
    return video_detections(rows, video.duration, **options)


def proposals_of(video, config):
    """Proposals of one video, whatever their class. -> Detections."""
    end = None
    if config.floor_duration:
        end = floored_duration(video.duration, video.num_frames)
    return video_proposals(video.rows, video.duration, sigma=config.nms_alpha_prop,
                           limit=config.max_detections, end=end,
                           damp_above=(config.nms_lthr_prop, config.nms_hthr_prop))


def proposal_table(found):
    """As `detection_table`, of proposals without a class."""
    return detection_table({video: replace(rows, labels=np.ones_like(rows.labels))
                            for video, rows in found.items()}, (NO_CLASS,))
