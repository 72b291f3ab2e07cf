"""Suppression of overlapping segments, greedy or soft.

Greedy suppression takes one class, or all classes of a window at once. Segments are
(M, 2) [start, end] in any unit, scores (M,). Of equal scores, the one with the lowest
index comes first. A segment without length overlaps nothing, so nothing suppresses it.
"""

from collections.abc import Sequence

import numpy as np

from Utils.segments import GREEDY_EPSILON, iou

TINY = np.finfo(np.float64).tiny


def nms(segments: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Greedy NMS: drop segments whose IoU with a better, kept one exceeds the threshold.

    segments: (M, 2), scores: (M,) numpy, threshold >= 0.
    Returns the kept indices by descending score, (n,) int; none for M == 0.
    """
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        best, left = left[:1], left[1:]
        kept.append(best)
        left = left[iou(segments[best], segments[left], GREEDY_EPSILON)[0] <= threshold]
    return np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)


def nms_by_class(segments: np.ndarray, scores: np.ndarray, candidates: np.ndarray,
                 threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """`nms` of every class at once: the classes share segments, so overlaps are shared too.

    segments: (M, 2), scores: (M, K), candidates: (M, K) bool, which take part;
    threshold >= 0. Returns index, label: (n,) int each, of the kept pairs, by class
    and then descending score.
    """
    index, label = np.nonzero(candidates)                       # (P,) each
    order = np.lexsort((-scores[index, label], label))
    index, label = index[order], label[order]
    if threshold >= 1:      # no IoU is above
        return index, label
    used, position = np.unique(index, return_inverse=True)
    kept = _kept_pairs(_overlap_bits(segments[used], threshold), position.tolist(),
                       label.tolist())
    return index[kept], label[kept]


def _kept_pairs(overlaps, positions, labels):
    """Go through pairs by class and descending score; keep those that overlap no kept one.

    overlaps: list of M integers, bit j of entry i set if i and j overlap. -> list of
    pair numbers.
    """
    bits = [1 << position for position in range(len(overlaps))]
    kept, taken, previous = [], 0, None
    for pair, (position, label) in enumerate(zip(positions, labels, strict=True)):
        if label != previous:
            taken, previous = 0, label
        if not overlaps[position] & taken:
            taken |= bits[position]
            kept.append(pair)
    return kept


def _overlap_bits(segments, threshold):
    """Which segments overlap by more than `threshold`, one bit each: list of M integers.

    A single `&` of two such integers then compares a segment with all kept ones.
    """
    first, second = _overlapping_pairs(segments, threshold)
    table = np.zeros((len(segments), len(segments)), dtype=bool)  # (M, M)
    table[first, second] = table[second, first] = True
    rows = np.packbits(table, axis=1, bitorder="little")        # (M, M / 8) uint8
    content, width = rows.tobytes(), rows.shape[1]
    return [int.from_bytes(content[row * width:(row + 1) * width], "little")
            for row in range(len(rows))]


def _overlapping_pairs(segments, threshold):
    """Pairs of segments with IoU above `threshold`, each pair once: two (P,) int arrays."""
    order = np.argsort(segments[:, 0], kind="stable")
    start, end = segments[order].T
    length = end - start
    # A segment that starts later overlaps by at most end - its start, which must exceed the
    # threshold's share of this length. (GREEDY_EPSILON is far above rounding: none is missed.)
    stop = np.searchsorted(start, end - threshold * length)
    count = np.maximum(stop - np.arange(1, len(start) + 1), 0)
    first = np.repeat(np.arange(len(start)), count)             # (pairs,)
    # Its partners are the next ones by start: first + 1, first + 2, ... up to stop: (pairs,)
    second = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first + 1
    overlap = np.maximum(np.minimum(end[first], end[second]) - start[second], 0)
    union = length[first] + length[second] - overlap + GREEDY_EPSILON
    over = overlap / union > threshold
    return order[first[over]], order[second[over]]


def soft_nms(segments: np.ndarray, scores: np.ndarray, sigma: float, limit: int,
             damp_above: tuple[float, float] | None = None,
             lose_last: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian soft-NMS: take the best, multiply the rest by exp(-IoU^2 / sigma), repeat.

    segments: (M, 2), scores: (M,) numpy; sigma > 0; limit: the largest number to take.
    Ends earlier if the best remaining score is 0.
    damp_above: (low, high), for ActivityNet's proposals: only damps segments whose IoU
    with the best exceeds low + (high - low) * length of the best; segments are then
    shares of the video. lose_last: never take the very last one, as in the original.
    Returns kept (n,) int, by descending score, and their new scores (n,) float64.
    """
    segments, scores = np.asarray(segments, np.float64), np.asarray(scores, np.float64)
    queue = np.argsort(-scores, kind="stable")
    queue = queue[scores[queue] > 0]
    limit = min(limit, len(queue), len(scores) - lose_last)
    # Scores only fall. So while the best active one is above the first score of the next
    # in the queue, those in the queue need not be damped; most of them never are.
    next_score = np.append(scores[queue], 0.0)
    size = min(max(4 * limit, 256), len(queue))
    active = _Active(np.sort(queue[:size]), segments, scores)
    kept, new_scores = [], []
    while len(kept) < limit:
        place = active.scores.argmax()
        if active.scores[place] > next_score[size]:
            kept.append(active.index[place])
            new_scores.append(active.scores[place])
            active.scores[place] = 0
            active.damp(segments[kept[-1]], sigma, damp_above)
        elif size < len(queue):
            entering = _Active(queue[size:2 * size], segments, scores)
            entering.damp(segments[kept, :, None], sigma, damp_above)
            active = active.joined(entering, segments)
            size = len(active.index)
        else:
            break
    return np.array(kept, dtype=np.int64), np.array(new_scores, dtype=np.float64)


class _Active:
    """Segments with up-to-date scores, by ascending index, so argmax breaks ties by index.

    index: (n,) int into segments (M, 2) and scores (M,).
    """

    def __init__(self, index, segments, scores):
        self.index = index
        self.start, self.end = segments[index].T.copy()
        self.length = self.end - self.start
        self.scores = scores[index]

    def joined(self, other, segments):
        """These and those of `other`, with their current scores."""
        now = np.zeros(len(segments))
        now[self.index], now[other.index] = self.scores, other.scores
        return _Active(np.sort(np.concatenate([self.index, other.index])), segments, now)

    def damp(self, best, sigma, damp_above):
        """Lower the scores by the overlap with `best`, (2,), or with several in turn, (k, 2, 1).

        The other arguments are those of `soft_nms`.
        """
        start, end = best if best.ndim == 1 else best.swapaxes(0, 1)
        factors = _factors(self.start, self.end, self.length, start, end,
                           sigma, damp_above)
        for factor in factors.reshape(-1, len(self.scores)):
            self.scores *= factor


def soft_nms_each(
        videos: Sequence[tuple], sigma: float, limit: int,
        damp_above: tuple[float, float] | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """`soft_nms` of many videos at once, which costs little more than a single call.

    videos: list of (segments (M, 2), scores (M,)) with similar M.
    Returns the results of soft_nms.
    """
    if len(videos) == 1:
        return [soft_nms(*videos[0], sigma, limit, damp_above)]
    rows = np.arange(len(videos))
    most = max((len(scores) for _, scores in videos), default=0)
    start, end, now = np.zeros((3, len(videos), most))          # (V, most) each
    for row, (segments, scores) in enumerate(videos):
        start[row, :len(scores)], end[row, :len(scores)] = segments.T
        now[row, :len(scores)] = scores
    length, limit = end - start, min(limit, most)
    kept, new_scores = np.zeros((len(videos), limit), np.int64), np.zeros((len(videos), limit))
    for turn in range(limit):
        best = now.argmax(axis=1)                               # (V,)
        kept[:, turn], new_scores[:, turn] = best, now[rows, best]
        now[rows, best] = 0
        now *= _factors(start, end, length, start[rows, best][:, None], end[rows, best][:, None],
                        sigma, damp_above)
    return [(kept[row, :count], new_scores[row, :count])
            for row, count in enumerate((new_scores > 0).sum(axis=1))]


def overlaps(start: np.ndarray, end: np.ndarray, length: np.ndarray, other_start: np.ndarray,
             other_end: np.ndarray) -> np.ndarray:
    """Utils.segments.iou of segments with others whose shapes broadcast, in few arrays.

    It runs hundreds of times per video, where memory costs more than the arithmetic.
    """
    overlap = np.minimum(end, other_end)
    overlap -= np.maximum(start, other_start)
    np.maximum(overlap, 0, out=overlap)
    union = length + (other_end - other_start)
    union -= overlap
    # Where the union is 0 or negative nothing overlaps, and 0 / TINY is 0.
    overlap /= np.maximum(union, TINY, out=union)
    return overlap


def _factors(start, end, length, best_start, best_end, sigma, damp_above):
    """What soft_nms multiplies scores by, given the overlap of segments with the best ones.

    start, end, length: of the segments. best_start, best_end: must broadcast with them.
    """
    overlap = overlaps(start, end, length, best_start, best_end)
    if damp_above:
        low, high = damp_above
        # A share of 0 leaves a score as it is.
        overlap[~(overlap > low + (high - low) * (best_end - best_start))] = 0
    overlap *= overlap
    overlap /= -sigma
    return np.exp(overlap, out=overlap)
