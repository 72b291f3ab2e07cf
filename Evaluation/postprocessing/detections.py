"""Detections: the final results for a video, from the proposals of all its windows.

All segments here are in seconds; `in_seconds` converts the proposals of whole videos.
The rows of result files are made here too.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from Evaluation.nms import soft_nms_each
from Evaluation.postprocessing.by_class import (
    agreement,
    best_of_classes,
    soft_nms_by_class,
    voted,
    without_copies,
)
from Evaluation.postprocessing.proposals import Proposals
from Utils.files import UserError, write_json
from Utils.segments import length

SECONDS_DECIMALS, SCORE_DECIMALS = 1, 6


class Detections(Proposals):
    """Final scored segments of a video, by descending score: Proposals with float64 scores."""


def in_seconds(proposals: Proposals, duration: float) -> Proposals:
    """Proposals whose segments are shares of the duration -> in seconds, within the video."""
    return replace(proposals, segments=proposals.segments.clip(0, 1) * duration)


def video_detections(proposals: Proposals, duration: float | None,
                     **options: object) -> Detections:
    """Detections of one video; the options are those of `detections_of_each`."""
    return detections_of_each([proposals], [duration], **options)[0]


def detections_of_each(proposals: Sequence[Proposals], durations: Sequence[float | None], *,
                       sigma: float, limit: int, max_seconds: float | None = None,
                       rounded: bool = True, by_class: bool = False,
                       max_per_class: int | None = None, vote_iou: float | None = None,
                       agreement_power: float = 0) -> list[Detections]:
    """Detections of videos: soft-NMS over all classes together, as in the original.

    proposals: Proposals of all windows of each video, in seconds. durations: s, None if
    unknown. limit: most detections per video. max_seconds: detections of this length or
    longer get score 0, and so are dropped. rounded: to 0.1 s, and scores to 6 decimals.
    Segments that are empty before or after clipping and rounding are dropped.
    For the strong recipe: by_class: soft-NMS per class; max_per_class: only the best
    per class; vote_iou: IoU for voting; agreement_power: exponent of the factor that
    lowers a score if the proposals around it, at that IoU, have other classes. See
    Evaluation.postprocessing.by_class.
    """
    proposals = [best_of_classes(_with_length(rows), max_per_class) for rows in proposals]
    scored = [(rows.segments, _short_scores(rows, max_seconds)) for rows in proposals]
    kept = ([soft_nms_by_class(*part, rows.labels, sigma, limit)
             for part, rows in zip(scored, proposals, strict=True)] if by_class else
            soft_nms_each(scored, sigma, limit))
    return [_detections(rows, *found, duration, rounded, vote_iou, agreement_power)
            for rows, found, duration in zip(proposals, kept, durations, strict=True)]


def _short_scores(proposals, max_seconds):
    """The scores, with 0 for segments of max_seconds or more."""
    if max_seconds is None:
        return proposals.scores
    return np.where(length(proposals.segments) >= max_seconds, 0, proposals.scores)


def _detections(proposals, kept, scores, duration, rounded, vote_iou, agreement_power):
    """Detections of the kept proposals and their new scores."""
    segments = (proposals.segments[kept] if vote_iou is None else
                voted(proposals, kept, vote_iou)).clip(0, duration)
    if agreement_power:
        found = Detections(segments, scores, proposals.labels[kept])
        scores = scores * agreement(found, proposals, vote_iou) ** agreement_power
        order = np.argsort(-scores, kind="stable")
        segments, scores, kept = segments[order], scores[order], kept[order]
    if rounded:
        segments, scores = _rounded(segments, SECONDS_DECIMALS), _rounded(scores, SCORE_DECIMALS)
    found = _with_length(Detections(segments, scores, proposals.labels[kept]))
    return found if vote_iou is None else without_copies(found)


def proposals_of_each(proposals: Sequence[Proposals], durations: Sequence[float],
                      ends: Sequence[float | None], *, sigma: float, limit: int,
                      damp_above: tuple[float, float]) -> list[Detections]:
    """The best proposals of videos, regardless of class, for average recall (ActivityNet).

    proposals: Proposals of each in seconds; durations: s. damp_above: (low, high) of
    soft_nms: the longer the best one, the more another must overlap it to be damped.
    ends: the last seconds as the result shows them (see `floored_duration`); None: the
    duration.
    """
    proposals = [_with_length(rows) for rows in proposals]
    shares = [rows.segments / duration
              for rows, duration in zip(proposals, durations, strict=True)]
    found = soft_nms_each([(segments, rows.scores) for segments, rows in
                           zip(shares, proposals, strict=True)], sigma, limit, damp_above)
    results = []
    for rows, segments, (kept, scores), duration, end in zip(proposals, shares, found, durations,
                                                             ends, strict=True):
        segments = segments[kept].clip(0, 1) * (duration if end is None else end)
        results.append(_with_length(Detections(segments, scores, rows.labels[kept])))
    return results


def floored_duration(duration: float, num_frames: int) -> float:
    """The duration rounded down to a multiple of 16 video frames, as in the original."""
    return num_frames // 16 * 16 / num_frames * duration


def fuse_own_class(proposals: Proposals, video_scores: np.ndarray) -> Proposals:
    """Proposals with each score multiplied by the video-level score of its class.

    video_scores: (K + 1,) by label, background 0.
    """
    _check_labels(proposals.labels, len(video_scores) - 1)
    return replace(proposals, scores=proposals.scores * video_scores[proposals.labels])


def fuse_best_classes(detections: Detections, video_scores: np.ndarray, num_classes: int,
                      limit: int) -> Detections:
    """Give detections without classes each of the video's best classes; keep the `limit` best.

    video_scores: (K + 1,) by label, background 0. num_classes: number of classes; ties
    go to lower labels. Each score is multiplied by that of the class.
    """
    labels = np.argsort(-video_scores[1:], kind="stable")[:num_classes] + 1
    scores = np.outer(detections.scores, video_scores[labels]).ravel()
    best = np.argsort(-scores, kind="stable")[:limit]
    return Detections(np.repeat(detections.segments, len(labels), axis=0)[best], scores[best],
                      np.tile(labels, len(detections))[best])


def detection_rows(detections: Proposals,
                   classes: Sequence[str] | None = None) -> list[dict]:
    """Detections as the rows of a result file.

    classes: names, label 1 first; None: no labels.
    Raises UserError for a label that is not one of the classes.
    """
    rows = [{"score": score, "segment": segment} for score, segment in
            zip(detections.scores.tolist(), detections.segments.tolist(), strict=True)]
    if classes is not None:
        _check_labels(detections.labels, len(classes))
        rows = [{"label": classes[label - 1], **row}
                for label, row in zip(detections.labels.tolist(), rows, strict=True)]
    return rows


def write_detections(path: str | Path, results: dict, version: str | None) -> None:
    """Write a detection file. results: {video: rows}. version: of its layout, or None."""
    write_json(path, ({"version": version} if version else {}) | {
        "results": results, "external_data": {}})


NOT_RECOMMENDED = ("no score is recommended, as it would be chosen on the evaluated "
                   "videos: the training validates on them")


def least_score(wanted: str | float | None, history: list, where: object) -> float | None:
    """The score limit for --min_score: None, a number, or the best one for "auto".

    auto: the limit with the best F1 on the validation videos. history: that of the
    training, up to the epoch used. where: its source, for the message. Raises
    UserError if the training found none.
    """
    if wanted != "auto":
        return None if wanted is None else float(wanted)
    val = (history or [{}])[-1].get("val") or {}
    score = recommended_score(history)
    if score is None and "threshold" in val:
        raise UserError(f"--min_score auto: {NOT_RECOMMENDED} ({where}); give a number, "
                        "or train with --val_split heldout --best_by map")
    if score is None:
        raise UserError(f"--min_score auto: {where} recommends no score, as no "
                        "detections were looked at in training; give a number, or train "
                        "with --best_by map")
    return score


def recommended_score(history: list[dict] | None) -> float | None:
    """The score limit with the best F1 on the validation videos after a history's last epoch.

    None if the training did not look for one.
    """
    return ((history or [{}])[-1].get("val") or {}).get("threshold")


def best_rows(rows: list[dict], min_score: float | None = None,
              top: int | None = None) -> list[dict]:
    """The `top` best of a video's rows with at least min_score, in their order."""
    kept = [row for row in rows if min_score is None or row["score"] >= min_score]
    if top is None or len(kept) <= top:
        return kept
    best = sorted(range(len(kept)), key=lambda place: -kept[place]["score"])[:top]
    return [kept[place] for place in sorted(best)]


def _check_labels(labels, num_classes):
    if len(labels) and not 1 <= labels.min() <= labels.max() <= num_classes:
        raise UserError(f"the proposals have labels {labels.min()} to {labels.max()}, "
                        f"the classes are 1 to {num_classes}; evaluate with the dataset "
                        "they were made for")


def _with_length(scored):
    """The proposals without segments that end at or before their start."""
    return scored[length(scored.segments) > 0]


def _rounded(values, decimals):
    # Python's round uses the exact value;
    # numpy's multiplies first, which changes some ties.
    return np.array([round(value, decimals) for value in values.ravel().tolist()]
                    ).reshape(values.shape)
