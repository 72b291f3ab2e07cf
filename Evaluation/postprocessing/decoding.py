"""From the predictions of a batch to proposals, and the score of the validation windows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from Evaluation.average_recall import average_recall
from Evaluation.metrics import (
    action_table,
    align,
    average_precision,
    best_score,
    detection_table,
    mean_over_classes,
)
from Evaluation.postprocessing.per_video import VideoRows, proposal_table, results_of
from Evaluation.postprocessing.proposals import (
    CutWindow,
    Proposals,
    class_scores,
    window_proposals,
)
from Utils.config.options import Config
from Utils.files import UserError, listed
from Utils.stitching import is_stitched


class BatchDecoder(Protocol):
    """The interface of Models.BatchDecoding.Decoder used here."""

    def stream(self, launched: Iterable[tuple]) -> Iterator[tuple]:
        """(windows, BatchProposals) of each batch."""


def decoded(launched: Iterable[tuple], config: Config,
            decoder: BatchDecoder | None = None) -> Iterator[tuple]:
    """(Window, Proposals) for each input of some batches, in order.

    launched: (predictions, batch) pairs, records of tensors. decoder:
    Models.BatchDecoding.Decoder, which takes all classes and windows of a batch in
    step on a GPU; None: window by window in numpy, which is faster on a CPU. Raises
    UserError that names videos whose predictions are not finite.
    """
    for window, proposals in _all_decoded(launched, config, decoder):
        yield window, off_cuts(window, proposals, config)


def off_cuts(window: CutWindow, proposals: Proposals, config: Config) -> Proposals:
    """The proposals of a clip that stay clip_margin of its length away from its inner cuts.

    An action at a cut inside the video is only partly seen. Proposals of other windows
    all stay.
    """
    frames = window.end - window.start + 1
    is_clip = config.use_VSS and is_stitched(frames, config.temporal_scale,
                                             config.short_ratio)
    if not is_clip or not config.clip_margin or window.fps is None:
        return proposals
    margin = config.clip_margin * frames / window.fps
    first, last = window.start / window.fps, (window.end + 1) / window.fps
    start, end = proposals.segments.T
    kept = np.ones(len(proposals), dtype=bool)
    if first > 0:
        kept &= start > first + margin
    if window.duration is None or last + margin < window.duration:
        kept &= end < last - margin
    return proposals[kept]


def _all_decoded(launched, config, decoder):
    if decoder is None:
        for predictions, batch in launched:
            yield from _by_window(predictions, batch, config)
    else:
        for windows, found in decoder.stream(launched):
            _check_finite(found.finite.numpy(), windows)
            yield from _of_batch(found, windows,
                                 first_label=0 if config.class_agnostic else 1)


def _by_window(predictions, batch, config):
    parts = [part.cpu().numpy() for part in (
        predictions.logits, predictions.adjusted, predictions.startness, predictions.endness)]
    _check_finite(np.all([np.isfinite(part).all(axis=tuple(range(1, part.ndim)))
                          for part in parts], axis=0), batch.windows)
    logits, adjusted, startness, endness = parts
    scores = class_scores(logits)
    facts = [fact.tolist() for fact in (batch.num_frames, batch.stitched, batch.origin,
                                        batch.rate)]
    for row, window in enumerate(batch.windows):
        yield window, window_proposals(
            scores[row], adjusted[row], startness[row], endness[row],
            *(fact[row] for fact in facts), gap=config.stitch_gap,
            score_threshold=config.score_threshold, nms_threshold=config.nms_thr,
            boundary_power=config.boundary_power, max_per_class=config.max_per_class)


def _of_batch(found, windows, first_label):
    """The kept proposals of a BatchProposals, by class and then descending score."""
    seconds, scores, box, kept = (part.numpy() for part in (
        found.seconds, found.scores, found.box, found.kept))
    for row, window in enumerate(windows):
        label, place = np.nonzero(kept[row])
        yield window, Proposals(seconds[row, box[row, label, place]], scores[row, label, place],
                                (label + first_label).astype(np.int32))


def _check_finite(finite, windows):
    """Raise UserError if the predictions of a window are not finite.

    is finite: (B,) bool.
    """
    videos = dict.fromkeys(window.video for window, is_finite in zip(
        windows, finite.tolist(), strict=True) if not is_finite)
    if videos:
        raise UserError(f"the predictions of {listed(videos)} are not finite; look at "
                        "their features with Cut_long_videos.py --check")


def validation_score(decoded_windows: Iterable[tuple], videos: Sequence, classes: Sequence[str],
                     config: Config) -> dict:
    """The score that chooses the best checkpoint, from the proposals of some windows.

    -> {"mAP": average mAP of the detections, "threshold": the score at which their F1
    is highest, at a tIoU of 0.5}.
    decoded_windows: (Window, Proposals) pairs. videos: annotated, with durations;
    label 1 is classes[0]. For proposals without classes, the area under average recall
    replaces the mAP, and there is no threshold.
    """
    by_video = {}
    for window, proposals in decoded_windows:
        by_video.setdefault(window.video, []).append(proposals)
    rows = [_video_rows(video, by_video.get(video.name, ()), config) for video in videos]
    detections, proposals = results_of(rows, config, {})
    # Labels in tables start at 0.
    truth = action_table([replace(video, labels=video.labels - 1)
                          for video in videos], classes)
    if config.class_agnostic:
        return {"mAP": average_recall(truth,
                                      align(proposal_table(proposals), truth)).area}
    table = align(detection_table(detections, classes), truth)
    return {"mAP": float(np.mean(mean_over_classes(average_precision(truth, table, config.tiou)))),
            "threshold": best_score(truth, table, 0.5)}


def _video_rows(video, parts, config):
    joined = Proposals.joined(parts)
    if config.framing == "whole":
        joined = Proposals(joined.segments.clip(0, 1) * video.duration, joined.scores,
                           joined.labels)
    return VideoRows(video.name, video.duration, joined)

