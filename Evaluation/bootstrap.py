"""Bootstrap over videos: average precision on videos drawn with replacement.

Detections are matched within their video, so a draw is one weight per video, and
matching is done only once.
"""

from dataclasses import dataclass

import numpy as np

from Evaluation.metrics import ActionTable, class_spans, is_short, match
from Utils.segments import Floats

MOST_DRAWS, FEWEST_DRAWS, SEED = 1000, 200, 0
DRAWN_DETECTIONS = 5e7  # at most, in all draws of a run, if that leaves enough draws
LOW, HIGH = 2.5, 97.5            # percentiles of an interval
AT_ONCE = 2 ** 24                # draws times detections of one class


@dataclass(frozen=True, eq=False)
class Ranked:
    """Detections by class and descending score, and which of them are hits.

    video, label: (M,). hit, counted: (T, M) bool; what is not counted is neither right
    nor wrong. actions: (K, V), their number per class and video.
    """
    video: np.ndarray
    label: np.ndarray
    hit: np.ndarray
    counted: np.ndarray
    actions: np.ndarray


def ranked(truth: ActionTable, detections: ActionTable, thresholds: Floats,
           short_seconds: float | None = None) -> Ranked:
    """The detections of one run (aligned to the truth), ranked for scoring.

    short_seconds: count only actions of at most this length, as
    `short_average_precision` does.
    """
    order, matched = match(truth, detections, thresholds)
    taken, counts = matched[:, order], truth
    hit, counted = taken >= 0, np.ones(taken.shape, bool)
    if short_seconds is not None:
        short = is_short(truth.segments, short_seconds)
        counts = truth[short]
        counted = (taken < 0) | np.append(short, False)[taken]
        hit = hit & counted
    actions = np.zeros((len(truth.classes), len(detections.videos)), np.int64)
    np.add.at(actions, (counts.label, counts.video), 1)
    return Ranked(detections.video[order], detections.label[order], hit, counted, actions)


def number_of_draws(num_detections: int) -> int:
    """The number of draws: fewer for large runs, which would take minutes."""
    return int(min(MOST_DRAWS,
                   max(FEWEST_DRAWS, DRAWN_DETECTIONS // max(num_detections, 1))))


def draws(truth: ActionTable, num_videos: int, resamples: int,
          seed: int = SEED) -> np.ndarray:
    """How often each video is drawn: (B + 1, V). The first row has every video once.

    Videos that the truth lacks come last and are not redrawn.
    """
    count = len(truth.videos)
    drawn = np.random.default_rng(seed).multinomial(count,
                                                    np.full(count, 1 / count), resamples)
    weights = np.ones((resamples + 1, num_videos), np.int32)
    weights[1:, :count] = drawn
    return weights


def drawn_precision(run: Ranked, weights: np.ndarray) -> np.ndarray:
    """Average precision per draw: (B, T, K); NaN for a class without actions there."""
    actions = (weights @ run.actions.T).astype(np.float64)            # (B, K)
    area = np.where(actions > 0, 0.0, np.nan)[:, None].repeat(len(run.hit), axis=1)
    for label, span in class_spans(run.label, actions.shape[1]):
        if not run.actions[label].any():
            continue
        chunk = max(1, AT_ONCE // (span.stop - span.start))
        for first in range(0, len(weights), chunk):
            part = slice(first, first + chunk)
            times = weights[part][:, run.video[span]]                 # (b, m)
            with np.errstate(invalid="ignore"):
                area[part, :, label] = _areas(times, run.hit[:, span], run.counted[:, span]
                                              ) / actions[part, label][:, None]
    return area


def _areas(times, hit, counted):
    """Sum of the best precision from each hit on: (b, m), (T, m), (T, m) -> (b, T)."""
    everything = times.cumsum(axis=1, dtype=np.int32) if counted.all() else None
    areas = np.zeros((len(times), len(hit)))
    for t, (hits, counts) in enumerate(zip(hit, counted, strict=True)):
        at = np.flatnonzero(hits)
        if not len(at):
            continue
        seen = everything
        if seen is None:
            seen = (times * counts).cumsum(axis=1, dtype=np.int32)
        right = times[:, at]
        # Between hits, precision only falls, so the maximum is at a hit.
        precision = right.cumsum(axis=1) / np.maximum(seen[:, at], 1)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        areas[:, t] = (right * best).sum(axis=1)
    return areas


def class_mean(area: np.ndarray) -> np.ndarray:
    """Mean over the classes that have actions: (B, T, K) -> (B, T); 0 if there are none."""
    known = ~np.isnan(area)
    return np.where(known, area, 0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)


def interval(values: np.ndarray) -> list[float] | None:
    """[value, low, high]: the value itself, and where 95 % of the draws lie.

    values: (B,), the first one on the videos as they are. None if that one is unknown.
    """
    if np.isnan(values[0]):
        return None
    low, high = np.nanpercentile(values[1:], (LOW, HIGH))
    return [float(values[0]), float(low), float(high)]
