"""Runs on the same ground truth side by side, and whether they differ by more than chance."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from Evaluation.bootstrap import (
    class_mean,
    drawn_precision,
    draws,
    interval,
    number_of_draws,
    ranked,
)
from Evaluation.metrics import ActionTable, instances
from Evaluation.report.report import write_page
from Evaluation.report.report_data import shown_videos
from Evaluation.report.video_tables import aligned_together
from Evaluation.results import read_results, without_prefix
from Evaluation.scores import as_computed
from Utils.files import UserError, read_json

TRUTH_FILE = "ground_truth.json"
OF_A_RUN = ("epoch", "git_commit")       # facts beside the settings that tell runs apart
FEW_VIDEOS = 10


@dataclass(frozen=True, eq=False)
class EvaluatedRun:
    """What Eval.py left in a folder. durations: {video: seconds or None}."""
    name: str
    folder: Path
    scores: dict
    truth: ActionTable
    durations: dict
    detections: ActionTable


# ---- the ground truth of a run ------------------------------------------------------------------

def truth_content(truth, durations, subset):
    """The actions that were scored, in the layout of an annotation file."""
    database = {name: {"subset": subset, "duration": durations.get(name), "annotations": []}
                for name in truth.videos}
    for video, label, segment in zip(truth.video, truth.label, truth.segments.tolist(),
                                     strict=True):
        database[truth.videos[video]]["annotations"].append(
            {"label": truth.classes[label], "segment": segment})
    return {"database": database}


def read_truth(path):
    """The content of `truth_content` as ActionTable and durations; classes by name."""
    database = read_json(path, "ground truth")["database"]
    rows = [(video, row["label"], *row["segment"]) for video, name in enumerate(database)
            for row in database[name]["annotations"]]
    classes = sorted({label for _, label, _, _ in rows})
    place = {name: label for label, name in enumerate(classes)}
    table = ActionTable(
        tuple(database), tuple(classes), np.array([row[0] for row in rows], np.int64),
        np.array([place[row[1]] for row in rows], np.int64),
        np.array([row[2:] for row in rows], np.float64).reshape(-1, 2))
    return table, {name: entry.get("duration") for name, entry in database.items()}


def read_run(folder):
    """The EvaluatedRun in a folder. Raises UserError where Eval.py did not write one there."""
    folder = Path(folder)
    for name in ("metrics.json", TRUTH_FILE):
        if not (folder / name).is_file():
            raise UserError(f"{folder} has no {name}; run Eval.py --output_path {folder} first")
    scores = read_json(folder / "metrics.json", "scores")
    if "mAP" not in scores:
        raise UserError(f"{folder} holds proposals without classes, which have no mAP to compare")
    truth, durations = read_truth(folder / TRUTH_FILE)
    path = detections_of(folder, Path(scores["provenance"]["detections"]))
    detections, _ = without_prefix(read_results(path)[0], "v_", truth, path)
    return EvaluatedRun(folder.name.removeprefix("output_") or str(folder), folder, scores, truth,
                        durations, detections)


def detections_of(folder, source):
    """The detection file of a run, which may have moved with its folder. source: what was scored.
    """
    own = "detections_postNMS.json" if source.suffix == ".h5" else source.name
    for path in (folder / own, source):
        if path.is_file() and path.suffix != ".h5":
            return path
    raise UserError(f"{folder} lacks {own}, the detections that were scored; run Eval.py on them "
                    f"again, with --output_path {folder}")


def check_comparable(runs):
    """Raise a UserError where runs differ in ground truth or in the tIoU of their scores."""
    first = runs[0]
    for other in runs[1:]:
        if other.scores["tiou_thresholds"] != first.scores["tiou_thresholds"]:
            raise UserError(f"{first.folder} and {other.folder} are scored at other tIoU; run "
                            "Eval.py on one of them again with --overwrite and the --tiou of the "
                            "other")
        if problem := difference_of(first.truth, other.truth):
            raise UserError(f"{first.folder} and {other.folder} cannot be compared, since their "
                            f"ground truths differ: {problem}; evaluate both on the same videos")


def check_unchanged(runs, found):
    """Raise a UserError where a run's detections are no longer those that were scored. found: their
    scores now."""
    for run, now in zip(runs, found, strict=True):
        if (run.scores["protocol"] == "activitynet"
                and not np.allclose(now["mAP"], run.scores["mAP"], atol=1e-6)):
            raise UserError(f"the detections of {run.folder} have changed since they were scored; "
                            f"run Eval.py on them again, with --output_path {run.folder}")


def difference_of(truth, other):
    """The first difference between two ground truths in words, or None."""
    if lacking := sorted(set(truth.videos) ^ set(other.videos)):
        return f"{len(lacking)} videos are in one of them alone, such as {lacking[0]!r}"
    own, others = _actions_by_video(truth), _actions_by_video(other)
    for name in truth.videos:
        if own[name] != others[name]:
            return (f"video {name!r} has {len(own[name])} and {len(others[name])} actions"
                    if len(own[name]) != len(others[name]) else
                    f"video {name!r} has other actions or classes")
    return None


def _actions_by_video(truth):
    found = {name: [] for name in truth.videos}
    segments = truth.segments.round(3).tolist()
    for video, label, (start, end) in zip(truth.video, truth.label, segments, strict=True):
        found[truth.videos[video]].append((start, end, truth.classes[label]))
    return {name: sorted(rows) for name, rows in found.items()}


# ---- the comparison -----------------------------------------------------------------------------

def compare(folders, path, links=()):
    """Compare the runs in some folders, and write the page about it to `path`.

    -> the content that the page shows of it (see `compared`). The first run is what the others
    are compared with.
    """
    if len({Path(folder).resolve() for folder in folders}) < 2:
        raise UserError("--compare takes the folders of at least two runs, such as --compare "
                        "output_a output_b")
    if Path(path).parent.resolve() in {Path(folder).resolve() for folder in folders}:
        raise UserError(f"the page would replace {path}, the report of a run that is compared; "
                        "give another --output_path")
    runs = [read_run(folder) for folder in folders]
    check_comparable(runs)
    names = _distinct([run.name for run in runs], [str(run.folder) for run in runs])
    truth, scores = runs[0].truth, runs[0].scores
    tables = aligned_together(truth, [run.detections for run in runs])
    content = compared(truth, tables, names, scores["tiou_thresholds"],
                       (scores.get("short_actions") or {}).get("max_seconds"))
    check_unchanged(runs, content["runs"])
    content["settings"] = differing_settings([run.scores["provenance"] for run in runs])
    write_page(path, comparison_page(content, runs, truth, tables, names, links))
    return content


def compared(truth, tables, names, thresholds, short_seconds=None, resamples=None):
    """Scores of every run by ActivityNet's protocol, and how each differs from the first one.

    tables: detections, aligned together. A difference is [value, low, high], see `interval`.
    """
    resamples = resamples or number_of_draws(max(map(len, tables)))
    weights = draws(truth, len(tables[0].videos), resamples)
    exact = as_computed(thresholds)
    areas = [drawn_precision(ranked(truth, table, exact), weights) for table in tables]
    shorts = [None if short_seconds is None else class_mean(drawn_precision(
        ranked(truth, table, exact, short_seconds), weights)) for table in tables]
    runs, verdicts = [], []
    for name, area, short in zip(names, areas, shorts, strict=True):
        mean = class_mean(area)
        run = {"name": name, "mAP": mean[0].tolist(), "average": float(mean[0].mean()),
               "short": None if short is None else float(short[0].mean()), "difference": None}
        if runs:
            run["difference"] = _difference(mean - class_mean(areas[0]),
                                            None if short is None else short - shorts[0])
            verdicts.append(verdict(names[0], name, run["difference"]["average"],
                                    len(truth.videos)))
        runs.append(run)
    return {"thresholds": list(thresholds), "runs": runs, "verdicts": verdicts,
            "resamples": resamples, "short_seconds": short_seconds,
            "classes": _class_rows(truth, areas)}


def _difference(mean, short):
    """Differences of the means over the classes. mean, short: (B, T); short may be None."""
    return {"mAP": [interval(column) for column in mean.T], "average": interval(mean.mean(axis=1)),
            "short": None if short is None else interval(short.mean(axis=1))}


def _class_rows(truth, areas):
    """A row for each class with actions: AP of every run, and how it differs from the first."""
    means = [area.mean(axis=1) for area in areas]                     # (B, K) each
    return [{"label": int(label), "actions": int(number),
             "ap": [float(mean[0, label]) for mean in means],
             "differences": [interval(mean[:, label] - means[0][:, label])
                             for mean in means[1:]]}
            for label, number in enumerate(instances(truth)) if number]


def verdict(first, other, difference, num_videos):
    """Whether a difference in average mAP is more than chance, in a sentence or two."""
    points, low, high = (f"{100 * value:+.1f}" for value in difference)
    found = f"{points} points of average mAP, 95 % interval {low} to {high}"
    few = (f" {num_videos} videos are few for such an interval: take it as a hint."
           if num_videos < FEW_VIDEOS else "")
    if difference[1] > 0 or difference[2] < 0:
        word = "better" if difference[1] > 0 else "worse"
        return f"{other} is {word} than {first}, and the difference is real: {found}.{few}"
    return (f"{other} and {first} do not differ by more than chance: {found}, which holds 0.{few}")


def differing_settings(provenances):
    """[name, [value of each run]] of the settings in which runs differ."""
    tables = [{**(found.get("settings") or {}), **{name: found.get(name) for name in OF_A_RUN}}
              for found in provenances]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = ([name, [table.get(name) for table in tables]] for name in names)
    return [[name, values] for name, values in rows
            if any(value != values[0] for value in values[1:])]


def comparison_page(content, runs, truth, tables, names, links):
    """All that the page of a comparison reads."""
    scores = runs[0].scores
    actions = instances(truth)
    protocol = [] if scores["protocol"] == "activitynet" else [
        "scored here by ActivityNet's protocol"]
    return {
        "title": {"run": " and ".join(names), "dataset": scores["dataset"],
                  "subset": scores["subset"], "facts": protocol},
        "scores": {"mAP": None, "protocol": "activitynet", "num_videos": len(truth.videos),
                   "num_ground_truth": len(truth),
                   "num_detections": sum(len(table) for table in tables)},
        "short": None, "curves": None, "recall": None, "history": [], "epoch": None,
        "validated": [], "detad": None, "files": [], "comparison": content,
        "classes": [{"label": int(label), "actions": int(actions[label]),
                     "detections": 0, "ap": None} for label in np.flatnonzero(actions)],
        "provenance": {"facts": [[name, str(run.folder)] for name, run in
                                 zip(names, runs, strict=True)],
                       "own": [], "settings": [], "versions": [], "notes": []},
        **shown_videos(truth, tables, runs[0].durations, scores["tiou_thresholds"], names, links)}


def _distinct(names, longer):
    """The names, or the longer ones where two are the same."""
    return names if len(set(names)) == len(names) else longer


def format_comparison(content):
    """The comparison as a few lines of text, in percent."""
    width = max(len(run["name"]) for run in content["runs"])
    lines = [f"{'tIoU':<{width}}" + "".join(f"{value:>7.3g}" for value in content["thresholds"])
             + "   average"]
    lines += [f"{run['name']:<{width}}" + "".join(f"{100 * value:>7.2f}" for value in run["mAP"])
              + f"{100 * run['average']:>10.2f}" for run in content["runs"]]
    return "\n".join([*lines, *content["verdicts"]])
