"""Detections: what is reported of a video, from the proposals of all its windows; and its JSON.

All segments here are in seconds. `in_seconds` takes the proposals of whole videos there.
"""

from dataclasses import replace

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
    """Final scored segments of a video, by falling score: as Proposals, but scores float64."""


def in_seconds(proposals, duration):
    """Proposals whose segments are shares of the duration -> in seconds, within the video."""
    return replace(proposals, segments=proposals.segments.clip(0, 1) * duration)


def video_detections(proposals, duration, **options):
    """Detections of one video; the options are those of `detections_of_each`."""
    return detections_of_each([proposals], [duration], **options)[0]


def detections_of_each(proposals, durations, *, sigma, limit, max_seconds=None, rounded=True,
                       by_class=False, max_per_class=None, vote_iou=None,
                       agreement_power=0):
    """Detections of videos: soft-NMS over all classes together (spec: as the original).

    proposals: Proposals of all windows of each, in seconds. durations: s, None if unknown. limit:
    at most. max_seconds: ones this long or longer score 0, and so are not taken. rounded: to 0.1 s
    and 6 decimals of the score. Segments without length, before or after clipping and rounding, go.
    The strong recipe: by_class: soft-NMS of each class for itself; max_per_class: only the best of
    each; vote_iou: segments are voted on; agreement_power: of the factor by which a score falls
    where the proposals around, at that IoU, are of other classes. See
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
    """The scores, 0 for segments of max_seconds or more."""
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


def proposals_of_each(proposals, durations, ends, *, sigma, limit, damp_above):
    """The best proposals of videos, of whatever class, for average recall (ActivityNet).

    proposals: Proposals of each in seconds; durations: s. damp_above: (low, high) of soft_nms: the
    longer the best one, the more must another overlap it to be damped. ends: the last seconds as
    the result shows them (see `floored_duration`); None: the duration.
    """
    proposals = [_with_length(rows) for rows in proposals]
    shares = [rows.segments / duration for rows, duration in zip(proposals, durations, strict=True)]
    found = soft_nms_each([(segments, rows.scores) for segments, rows in
                           zip(shares, proposals, strict=True)], sigma, limit, damp_above)
    results = []
    for rows, segments, (kept, scores), duration, end in zip(proposals, shares, found, durations,
                                                             ends, strict=True):
        segments = segments[kept].clip(0, 1) * (duration if end is None else end)
        results.append(_with_length(Detections(segments, scores, rows.labels[kept])))
    return results


def floored_duration(duration, num_frames):
    """Seconds up to the last 16 whole video frames, where the original's proposals end."""
    return num_frames // 16 * 16 / num_frames * duration


def fuse_own_class(proposals, video_scores):
    """Proposals of classes, each score times the video-level score of its own class.

    video_scores: (K + 1,) by label, background 0.
    """
    _check_labels(proposals.labels, len(video_scores) - 1)
    return replace(proposals, scores=proposals.scores * video_scores[proposals.labels])


def fuse_best_classes(detections, video_scores, num_classes, limit):
    """Detections without a class -> one of each of the video's best classes, the best `limit`.

    video_scores: (K + 1,) by label, background 0. num_classes: how many classes; of equal ones the
    lowest labels. A score becomes its product with the class's.
    """
    labels = np.argsort(-video_scores[1:], kind="stable")[:num_classes] + 1
    scores = np.outer(detections.scores, video_scores[labels]).ravel()
    best = np.argsort(-scores, kind="stable")[:limit]
    return Detections(np.repeat(detections.segments, len(labels), axis=0)[best], scores[best],
                      np.tile(labels, len(detections))[best])


def detection_rows(detections, classes=None):
    """Detections as the rows of a result file. classes: names, label 1 first; None: no labels.

    Raises UserError for a label that is none of the classes.
    """
    rows = [{"score": score, "segment": segment} for score, segment in
            zip(detections.scores.tolist(), detections.segments.tolist(), strict=True)]
    if classes is not None:
        _check_labels(detections.labels, len(classes))
        rows = [{"label": classes[label - 1], **row}
                for label, row in zip(detections.labels.tolist(), rows, strict=True)]
    return rows


def write_detections(path, results, version):
    """Write a detection file. results: {video: rows}. version: of its layout, None where nothing
    asks for one."""
    write_json(path, ({"version": version} if version else {}) | {
        "results": results, "external_data": {}})


def least_score(wanted, history, where):
    """The score that --min_score asks for: None, a number or, for auto, that from which on
    detections were best, by F1 on the validation videos.

    history: of the training, up to the epoch used. where: it was read, for the message. Raises
    UserError where the training found none.
    """
    if wanted != "auto":
        return None if wanted is None else float(wanted)
    score = ((history or [{}])[-1].get("val") or {}).get("threshold")
    if score is None:
        raise UserError(f"--min_score auto: {where} recommends no score, as no detections were "
                        "looked at in training; give a number, or train with --best_by map")
    return score


def best_rows(rows, min_score=None, top=None):
    """The rows of a video with at least min_score, at most the `top` best, in their order."""
    kept = [row for row in rows if min_score is None or row["score"] >= min_score]
    if top is None or len(kept) <= top:
        return kept
    best = sorted(range(len(kept)), key=lambda place: -kept[place]["score"])[:top]
    return [kept[place] for place in sorted(best)]


def _check_labels(labels, num_classes):
    if len(labels) and not 1 <= labels.min() <= labels.max() <= num_classes:
        raise UserError(f"the proposals have labels {labels.min()} to {labels.max()}, the classes "
                        f"are 1 to {num_classes}; evaluate with the dataset they were made for")


def _with_length(scored):
    """Without segments that end where they start, or before."""
    return scored[length(scored.segments) > 0]


def _rounded(values, decimals):
    # Python's round looks at the exact value; numpy's multiplies first, and so moves some ties.
    return np.array([round(value, decimals) for value in values.ravel().tolist()]
                    ).reshape(values.shape)
