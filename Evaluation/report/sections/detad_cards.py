"""The section of DETAD's diagnosis, from the content of detad.json."""

import numpy as np

from Evaluation.report.sections.in_words import (
    NONE,
    count,
    is_number,
    listed,
    percent,
    plural,
    short,
    words,
)
from Evaluation.report.sections.parts import (
    COLOURS,
    axis,
    bar,
    bars,
    card,
    cell,
    grid,
    heat,
    note,
    percent_axis,
    share_bar,
    table,
)

# What a detection can be, as in DETAD; the first is right: key, name, meaning. Its place in the
# list is its number on the page, and k0 to k5 its colour there.
KINDS = (
    ("true_positive", "right", "an action of its class is there"),
    ("double_detection", "double", "its action has a detection with a higher score"),
    ("wrong_label", "wrong label", "right place, another class"),
    ("localization", "localization", "right class, place not close enough"),
    ("confusion", "confusion", "another class and place not close enough"),
    ("background", "background", "no action there"),
)
MISSED = "k7"       # colour of missed actions, everywhere
LEAST_GAIN = 0.5    # points, at the top of the axis where no error costs more
CALLED = {key: (f"k{number}", name, meaning) for number, (key, name, meaning) in enumerate(KINDS)}


def diagnosis_parts(detad: dict | None) -> list:
    """The cards of the section. detad: content of detad.json."""
    silent = detad.get("videos_without_detections") or []
    few = len(silent) == 1
    parts = [note(
        f"DETAD on {plural(detad['num_instances'], 'action')}: average mAP_N "
        f"{percent(detad['average_mAP_N'])} % at tIoU {_span(detad['tiou_thresholds'])}, where "
        "every class counts as if it had as many actions as the mean class.")]
    if silent:
        parts.append(note(f"{plural(len(silent), 'video')} of the ground truth "
                          f"{'has' if few else 'have'} no detections: {listed(silent)}."))
    part = detad["false_positives"]
    parts.append(grid(false_positives(part), impact(part)))
    parts += map(note, detad.get("bucket_notes") or ())
    if detad.get("buckets"):
        parts += [sensitivity(detad), misses(detad)]
    if detad.get("false_negative_pairs"):
        parts.append(missed_pairs(detad))
    return parts


def _span(values):
    return " to ".join(short(value) for value in dict.fromkeys((values[0], values[-1])))


def _called(kind):
    """Paint, name and meaning of a kind of detections."""
    return CALLED.get(kind, ("k5", words(kind), ""))


# ---- false positives ----------------------------------------------------------------------------

def false_positives(part: dict) -> dict:
    """The kinds of detections at each rank, as stacked shares."""
    groups = []
    for group in part["top_kG"]:
        if not any(group["counts"].values()):
            continue
        low, stack = 0.0, []
        for kind, share in group["fraction"].items():
            paint, name, meaning = _called(kind)
            stack.append(bar(f"{group['group']}G", 100 * (low + share), paint, [
                f"{name}: {percent(share)} %",
                f"{count(round(group['counts'][kind]))} detections of the {group['group']}G",
                meaning], low=100 * low))
            low += share
        groups += stack
    return card("What the best detections are", bars(
        "Kinds of detections by rank", [("Rank (G: the actions of a class)", groups)],
        percent_axis("Share (%)"), height=430, slot=20,
        legend=[(name, paint) for paint, name, _ in map(_called, part["counts"])]))


def impact(part: dict) -> dict:
    """The gain in score without each kind of error, with an explanation of the kinds."""
    gains = {kind: 100 * value for kind, value in part["impact"].items()}
    own = [bar(_called(kind)[1].replace(" ", "\n"), value, _called(kind)[0],
               [_called(kind)[1], f"{value:+.2f} points of average mAP_N", _called(kind)[2]],
               f"{value:+.1f}") for kind, value in gains.items()]
    top, lowest = max(LEAST_GAIN, *gains.values()), min(0, *gains.values())
    room = 0.12 * max(top, -lowest)
    rows = [[_called(kind)[1], count(int(number + 0.5)), percent(part["fraction"][kind]),
             _called(kind)[2]] for kind, number in part["counts"].items()]
    return card(
        "What the score would gain without an error",
        bars("Gain in average mAP_N without each kind of error", [("", own)],
             axis("Gain (points)", lowest - room if lowest < 0 else 0, top + room, digits=1),
             height=240, slot=82),
        note("Gain in points of average mAP_N if all false positives of a kind were removed."),
        table(["Kind", "Detections", "Share (%)", "Meaning"], rows, "last-words"))


# ---- characteristics ----------------------------------------------------------------------------

def sensitivity(detad: dict) -> dict:
    """The score for each kind of action."""
    base = detad["average_mAP_N"]

    def value(name, label):
        return detad["sensitivity"].get(name, {}).get(label)

    def numbers(name, label):
        found = value(name, label)
        return [percent(found), f"{found / base:.2f}" if is_number(found) and base else NONE]

    groups = _bucket_groups(detad, value, lambda name, label: [
        f"average mAP_N {percent(value(name, label))} %"])
    return card(
        "How the score depends on the kind of action",
        _bucket_bars("Average mAP_N of each kind of action", "mAP_N (%)", groups, base),
        _bucket_table(detad, ["mAP_N (%)", "Relative to all"], numbers))


def misses(detad: dict) -> dict:
    """The share of missed actions of each kind."""
    def entry(name, label):
        return detad["false_negatives"].get(name, {}).get(label) or {}

    def value(name, label):
        return entry(name, label).get("miss_rate")

    def numbers(name, label):
        return [percent(entry(name, label).get("share")), percent(value(name, label))]

    missed = float(np.mean(detad["num_missed"])) / max(1, detad["num_instances"])
    groups = _bucket_groups(detad, value, lambda name, label: [
        f"{numbers(name, label)[1]} % missed", f"{numbers(name, label)[0]} % of all actions"],
        MISSED)
    return card(
        "Which actions are missed",
        _bucket_bars("Share of missed actions of each kind", "Missed (%)", groups, missed),
        _bucket_table(detad, ["Share (%)", "Missed (%)"], numbers))


def _bucket_groups(detad, value, tip, paint=None):
    """One bar per bucket, with its limits.

    value, tip: functions of (characteristic, bucket).
    paint: the colour of all bars, or None for one per characteristic.
    """
    groups = []
    for i, (name, buckets) in enumerate(detad["buckets"].items()):
        unit = next(iter(buckets.values()))["unit"]
        own = [share_bar(
            f"{text}\n{bucket['limits']}", value(name, text), paint or f"c{i % COLOURS}",
            [f"{name} {text} ({bucket['limits']} {bucket['unit']})",
             plural(bucket["num_instances"], "action"), *tip(name, text)])
            for text, bucket in buckets.items()]
        groups.append((f"{name} ({unit})" if unit else name, own))
    return groups


def _bucket_bars(label, axis_label, groups, base):
    """The bars of some groups, and the share of all actions as a line."""
    shares = [one["value"] / 100 for _, own in groups for one in own if one["value"] is not None]
    return bars(label, groups, percent_axis(axis_label, [*shares, base]),
                base=(100 * base, f"all\n{percent(base)}"), slot=44)


def _bucket_table(detad, header, numbers):
    rows = [[f"{name} {text}", f"{bucket['limits']} {bucket['unit']}",
             count(bucket["num_instances"]), *numbers(name, text)]
            for name, buckets in detad["buckets"].items() for text, bucket in buckets.items()]
    return table(["Kind", "Interval", "Actions", *header], rows, folded=True)


def missed_pairs(detad: dict) -> dict:
    """How many actions of two kinds at once are missed, one table per pair."""
    tables = []
    for pair, cells in detad["false_negative_pairs"].items():
        down, across = pair.split("|")
        columns = list(detad["buckets"][across])
        tables.append(table(
            ["", *columns],
            [[row, *(_pair_cell(cells.get(f"{row}|{column}"), detad["num_instances"])
                     for column in columns)] for row in detad["buckets"][down]],
            "heat", caption=f"{down} (down) and {across}"))
    return card("Missed actions by two characteristics", grid(*tables, kind="small"),
                note("Percentage of actions that are missed, and below it the number of actions."))


def _pair_cell(entry, total):
    if not entry:
        return cell(NONE, kind="empty")
    return cell(percent(entry["miss_rate"], 0), count(round(entry["share"] * total)),
                heat(entry["miss_rate"]))
