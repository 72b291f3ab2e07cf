"""Predictions of a batch as proposals, and what those of the validation windows score."""

from dataclasses import replace

import numpy as np

from Evaluation.average_recall import average_recall
from Evaluation.metrics import (
    action_table,
    align,
    average_precision,
    detection_table,
    mean_over_classes,
)
from Evaluation.per_video import VideoRows, proposal_table, results_of
from Evaluation.proposals import Proposals, class_scores, window_proposals


def decoded(predictions, batch, config):
    """(Window, Proposals) of each input of a batch. predictions, batch: records of tensors."""
    scores = class_scores(predictions.logits.cpu())
    adjusted, startness, endness = (part.cpu().numpy() for part in (
        predictions.adjusted, predictions.startness, predictions.endness))
    facts = [fact.tolist() for fact in (batch.num_frames, batch.stitched, batch.origin,
                                        batch.rate)]
    for row, window in enumerate(batch.windows):
        yield window, window_proposals(
            scores[row], adjusted[row], startness[row], endness[row],
            *(fact[row] for fact in facts), gap=config.stitch_gap,
            score_threshold=config.score_threshold, nms_threshold=config.nms_thr,
            boundary_power=config.boundary_power, max_per_class=config.max_per_class)


def validation_score(decoded_windows, videos, classes, config):
    """Average mAP of the detections made of some windows, for choosing the best checkpoint.

    decoded_windows: (Window, Proposals) pairs. videos: annotated, with durations; label 1 is
    classes[0]. Of proposals without classes the area under average recall is taken instead.
    """
    by_video = {}
    for window, proposals in decoded_windows:
        by_video.setdefault(window.video, []).append(proposals)
    rows = [_video_rows(video, by_video.get(video.name, ()), config) for video in videos]
    detections, proposals = results_of(rows, config, {})
    # Labels of tables begin at 0.
    truth = action_table([replace(video, labels=video.labels - 1) for video in videos], classes)
    if config.class_agnostic:
        return average_recall(truth, align(proposal_table(proposals), truth)).area
    table = align(detection_table(detections, classes), truth)
    return float(np.mean(mean_over_classes(average_precision(truth, table, config.tiou))))


def _video_rows(video, parts, config):
    joined = Proposals.joined(parts)
    if config.framing == "whole":
        joined = Proposals(joined.segments.clip(0, 1) * video.duration, joined.scores,
                           joined.labels)
    return VideoRows(video.name, video.duration, joined)

