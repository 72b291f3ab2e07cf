"""The scores in plain form: one DataFrame row, one action, one threshold at a time.

Written straight from the definitions: the baseline of the benchmarks and an oracle of the tests.
Tables are pandas DataFrames with the columns video, label, start, end and, for detections, score.
"""

import pandas as pd


def frame(table):
    """DataFrame of an ActionTable."""
    columns = {"video": [table.videos[i] for i in table.video],
               "label": [table.classes[i] for i in table.label],
               "start": table.segments[:, 0], "end": table.segments[:, 1]}
    if table.scores is not None:
        columns["score"] = table.scores
    return pd.DataFrame(columns)


def plain_tiou(a, b):
    """tIoU of two rows; of two points 1 where they are the same, else 0."""
    if a.start == a.end and b.start == b.end:
        return float(a.start == b.start)
    overlap = max(0.0, min(a.end, b.end) - max(a.start, b.start))
    union = (a.end - a.start) + (b.end - b.start) - overlap
    return overlap / union if union else 0.0


def plain_average_precision(truth, detections, thresholds, short_seconds=None):
    """ActivityNet's protocol -> {label: [average precision at each threshold]}.

    short_seconds: score the actions of at most this length; hits of longer ones are ignored.
    """
    result = {}
    for label, actions in truth.groupby("label", sort=False):
        scored = {row.Index for row in actions.itertuples()
                  if short_seconds is None or row.end - row.start <= short_seconds}
        if not scored:
            continue
        own = detections[detections.label == label].sort_values("score", ascending=False,
                                                                kind="stable")
        by_video = {video: list(rows.itertuples()) for video, rows in actions.groupby("video")}
        taken, hits = [set() for _ in thresholds], [[] for _ in thresholds]
        for _, row in own.iterrows():
            ranked = sorted(((plain_tiou(row, action), action.Index)
                             for action in by_video.get(row.video, ())), reverse=True)
            for threshold, used, found in zip(thresholds, taken, hits, strict=True):
                index = first_free(ranked, used, threshold)
                if index is None or index in scored:
                    found.append(index is not None)
        result[label] = [interpolated(found, len(scored)) for found in hits]
    return result


def first_free(ranked, used, threshold):
    """The first of (tIoU, index) that is not used yet; None if that is below the threshold.

    It is added to the used ones.
    """
    for overlap, index in ranked:
        if overlap < threshold:
            return None
        if index not in used:
            used.add(index)
            return index
    return None


def interpolated(hits, count):
    """Area under the precision made falling from the right, over recall."""
    precisions, right = [], 0
    for place, hit in enumerate(hits, start=1):
        right += hit
        precisions.append(right / place)
    area, best = 0.0, 0.0
    for hit, precision in zip(reversed(hits), reversed(precisions), strict=True):
        best = max(best, precision)
        area += best * hit / count
    return area


def plain_thumos14(truth, detections, thresholds, ambiguous=()):
    """The official THUMOS14 protocol -> {label: [average precision]}.

    ambiguous: (video, start, end) intervals.
    """
    intervals = pd.DataFrame(ambiguous, columns=["video", "start", "end"])
    detections = detections.sort_values("video", kind="stable")
    result = {}
    for label, actions in truth.groupby("label", sort=False):
        own = detections[detections.label == label].sort_values("score", ascending=False,
                                                                kind="stable")
        result[label] = []
        for threshold in thresholds:
            used = set()
            for _, action in actions.iterrows():
                best, best_tiou = None, threshold
                for i, row in own[own.video == action.video].iterrows():
                    overlap = plain_tiou(row, action)
                    if i not in used and overlap > best_tiou:
                        best, best_tiou = i, overlap
                used |= {best} - {None}
            total, right, seen = 0.0, 0, 0
            for i, row in own.iterrows():
                near = intervals[intervals.video == row.video]
                if i not in used and any(plain_tiou(row, interval) > 0
                                         for _, interval in near.iterrows()):
                    continue
                seen, right = seen + 1, right + (i in used)
                total += right / seen * (i in used)
            result[label].append(total / len(actions))
    return result


def plain_average_recall(truth, videos, proposals, thresholds, most=100):
    """Recall at 1 .. most proposals per video on average -> {threshold: [recall]}.

    videos: names of all videos of the ground truth, also those without actions.
    """
    ratio = most * len(videos) / max(len(proposals), 1)
    kept, counts = {}, {}
    for video in videos:
        rows = proposals[proposals.video == video].sort_values("score", ascending=False,
                                                               kind="stable")
        counts[video] = min(len(rows), int(len(rows) * ratio))
        kept[video] = [row for _, row in rows.iloc[:counts[video]].iterrows()]
    share = most * len(videos) / max(sum(counts.values()), 1)
    result = {}
    for threshold in thresholds:
        found = {i: [plain_tiou(row, action) >= threshold for row in kept[action.video]]
                 for i, action in truth.iterrows()}
        result[threshold] = []
        for point in range(1, most + 1):
            taken = {video: min(count, int(count * (point / most * share)))
                     for video, count in counts.items()}
            hits = sum(any(found[i][:taken[action.video]]) for i, action in truth.iterrows())
            result[threshold].append(hits / max(len(truth), 1))
    return result
