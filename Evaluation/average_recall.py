"""Average recall against the number of proposals, as in ActivityNet's proposal task."""

from dataclasses import dataclass

import numpy as np

from Evaluation.matching import overlapping_pairs
from Evaluation.metrics import ActionTable
from Utils.segments import Floats

THRESHOLDS = np.linspace(0.5, 0.95, 10)
MOST = 100  # average number of proposals per video at the end of the curve
REPORTED = (1, 5, 10, 100)       # the AN of the AR@AN reported


@dataclass(frozen=True, eq=False)
class AverageRecall:
    """Recall per threshold and average number of proposals per video.

    recall: (T, 100), for 1 .. 100 proposals. proposals_per_video: (100,), the actual
    averages, as close to 1 .. 100 as the file allows.
    """
    recall: np.ndarray
    proposals_per_video: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Recall averaged over the thresholds: (100,)."""
        return self.recall.mean(axis=0)

    def at(self, number: int) -> float:
        """AR@number, in 0 .. 1. number: 1 .. 100."""
        return float(self.mean[number - 1])

    @property
    def area(self) -> float:
        """AUC in 0 .. 1: the area under the curve over 1 .. 100 proposals, divided by 100."""
        mean, steps = self.mean, np.diff(self.proposals_per_video)
        return float((steps * (mean[1:] + mean[:-1])).sum() / 2 / MOST)


def average_recall(truth: ActionTable, proposals: ActionTable,
                   thresholds: Floats = THRESHOLDS) -> AverageRecall:
    """Recall of the best proposals, regardless of class. -> AverageRecall.

    proposals: aligned to the truth; those of videos it lacks only count towards the
    total. The same share of every video's proposals is taken, best first
    (ties as in the file), so that there are 1, 2, ... 100 per video on average. An
    action is found if one of them has a tIoU of at least the threshold. In a video
    without proposals, nothing is found.
    """
    order = np.lexsort((-proposals.scores, proposals.video))
    ranked = proposals[order]
    available = np.bincount(ranked.video, minlength=len(truth.videos))[:len(truth.videos)]
    wanted = MOST * len(truth.videos)
    kept = np.minimum(available,
                      (available * (wanted / max(len(ranked), 1))).astype(np.int64))
    share = np.arange(1, MOST + 1) / MOST * (wanted / max(kept.sum(), 1))
    # (videos, 100)
    taken = np.minimum(kept[:, None], (kept[:, None] * share).astype(np.int64))
    found_by = _first_to_find(truth, ranked, thresholds)  # (T, actions)
    found = [(found[:, None] < taken[truth.video]).sum(axis=0) for found in found_by]
    return AverageRecall(np.array(found) / max(len(truth), 1),
                         share * kept.sum() / max(len(truth.videos), 1))


def _first_to_find(truth, ranked, thresholds):
    """For each action, the rank from 0 of the best proposal that finds it: (T, n) int."""
    action, position, overlap = overlapping_pairs(truth.segments, truth.video, ranked.segments,
                                                  ranked.video, min(thresholds))
    place = position - np.searchsorted(ranked.video, ranked.video[position])
    never = np.iinfo(np.int64).max
    first = np.full((len(thresholds), len(truth)), never)
    for row, threshold in zip(first, thresholds, strict=True):
        near = overlap >= threshold
        np.minimum.at(row, action[near], place[near])
    return first
