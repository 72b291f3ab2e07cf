"""DETAD straight from its description, one detection at a time: baseline and test oracle.

Actions and detections are lists of dicts: video, label, segment; actions with their buckets
(characteristic -> label or None), detections with score. Actions are those that count, of all
videos, in the order of the file.
"""

from itertools import combinations

from benchmarks.plain_nms import plain_overlap

TYPES = ("true_positive", "double_detection", "wrong_label", "localization", "confusion",
         "background")


def plain_diagnose(actions, detections, thresholds, limit=10, min_tiou=0.1, floor=0.05):
    """The numbers of detad.json that come from the three analyses."""
    by_class = {}
    for index, action in enumerate(actions):
        by_class.setdefault(action["label"], []).append(index)
    ranked = {label: sorted((d for d in detections if d["label"] == label),
                            key=lambda d: -d["score"]) for label in by_class}
    normalizer = len(actions) / max(len(by_class), 1)
    matched = {(label, t): match_class(ranked[label], actions, by_class[label], t)
               for label in by_class for t in thresholds}
    base = mean(area([m >= 0 for m in matched[label, t]], len(by_class[label]), normalizer)
                for label in by_class for t in thresholds)
    return {
        "average_mAP_N": base,
        "sensitivity": sensitivity(actions, by_class, matched, thresholds, normalizer),
        "false_positives": false_positives(actions, by_class, ranked, matched, thresholds,
                                           normalizer, limit, min_tiou),
        **false_negatives(actions, by_class, matched, thresholds, normalizer, floor),
    }


def match_class(ranked, actions, own, threshold):
    """Which action (index, -1 none) each detection of a class takes, best detection first."""
    free, taken = set(own), []
    for detection in ranked:
        best, best_tiou = -1, threshold
        for index in own:
            if index in free and actions[index]["video"] == detection["video"]:
                overlap = plain_overlap(detection["segment"], actions[index]["segment"])
                if overlap > best_tiou or overlap == best_tiou and best < 0:
                    best, best_tiou = index, overlap
        free.discard(best)
        taken.append(best)
    return taken


def precisions(hits, count, normalizer):
    """Normalized precision and recall after each detection."""
    points, true, false = [], 0, 0
    for hit in hits:
        true, false = true + hit, false + (not hit)
        scaled = true / count * normalizer
        points.append((scaled / (scaled + false), true / count))
    return points


def area(hits, count, normalizer):
    """Interpolated area under normalized precision over recall."""
    total, best, after = 0.0, 0.0, None
    for precision, recall in reversed(precisions(hits, count, normalizer)):
        if after is not None:
            total += (after - recall) * best
        best, after = max(best, precision), recall
    return total + (after or 0.0) * best


def sensitivity(actions, by_class, matched, thresholds, normalizer):
    """Normalized mAP of every bucket that holds an action."""
    result = {}
    for name, bucket in dict.fromkeys(
            pair for action in actions for pair in action["buckets"].items() if pair[1]):
        values = []
        for label, own in by_class.items():
            inside = {i for i in own if actions[i]["buckets"][name] == bucket}
            if not inside:
                continue
            kept = [all(m < 0 or m in inside for m in column)
                    for column in zip(*(matched[label, t] for t in thresholds), strict=True)]
            values += [area([m >= 0 for m, keep in zip(matched[label, t], kept, strict=True)
                             if keep], len(inside), normalizer) for t in thresholds]
        result.setdefault(name, {})[bucket] = mean(values)
    return result


def error_type(detection, match, actions, threshold, min_tiou):
    """The name of a detection's type at one threshold."""
    if match >= 0:
        return "true_positive"
    there = [a for a in actions if a["video"] == detection["video"]]
    if not there:
        return "background"
    overlaps = [plain_overlap(detection["segment"], action["segment"]) for action in there]
    best = overlaps.index(max(overlaps))
    same = there[best]["label"] == detection["label"]
    if overlaps[best] >= threshold:
        return "double_detection" if same else "wrong_label"
    if overlaps[best] >= min_tiou:
        return "localization" if same else "confusion"
    return "background"


def false_positives(actions, by_class, ranked, matched, thresholds, normalizer, limit, min_tiou):
    """Counts and impact of each type, and the counts over the ranks; means over the thresholds."""
    counts = dict.fromkeys(TYPES, 0)
    groups = [dict.fromkeys(TYPES, 0) for _ in range(limit)]
    gains = {kind: [] for kind in TYPES[1:]}
    for label, own in by_class.items():
        kept = ranked[label][:int(limit * len(own))]
        for t in thresholds:
            types = [error_type(d, m, actions, t, min_tiou)
                     for d, m in zip(kept, matched[label, t], strict=False)]
            for rank, kind in enumerate(types):
                counts[kind] += 1 / len(thresholds)
                groups[rank // len(own)][kind] += 1 / len(thresholds)
            base = area([kind == "true_positive" for kind in types], len(own), normalizer)
            for removed in gains:
                left = [kind == "true_positive" for kind in types if kind != removed]
                gains[removed].append(area(left, len(own), normalizer) - base)
    return {"counts": counts, "top_kG": groups,
            "impact": {kind: mean(values) for kind, values in gains.items()}}


def false_negatives(actions, by_class, matched, thresholds, normalizer, floor):
    """Share and miss rate of every bucket and pair of buckets."""
    missed = [0] * len(actions)
    for t in thresholds:
        held = set()
        for label, own in by_class.items():
            column = matched[label, t]
            points = precisions([m >= 0 for m in column], len(own), normalizer)
            held.update(m for m, (precision, _) in zip(column, points, strict=True)
                        if precision > floor)
        for i in range(len(actions)):
            missed[i] += (i not in held) / len(thresholds)
    single, double = {}, {}
    for i, action in enumerate(actions):
        for name, bucket in action["buckets"].items():
            if bucket:
                single.setdefault(name, {}).setdefault(bucket, []).append(missed[i])
        for (a, x), (b, y) in combinations(action["buckets"].items(), 2):
            if x and y:
                double.setdefault(f"{a}|{b}", {}).setdefault(f"{x}|{y}", []).append(missed[i])
    return {"false_negatives": rates(single, len(actions)),
            "false_negative_pairs": rates(double, len(actions))}


def rates(table, total):
    """Share and miss rate of lists of misses."""
    return {name: {bucket: {"share": len(values) / total, "miss_rate": mean(values)}
                   for bucket, values in buckets.items()} for name, buckets in table.items()}


def mean(values):
    """Arithmetic mean; 0 for an empty list."""
    values = list(values)
    return sum(values) / len(values) if values else 0.0
