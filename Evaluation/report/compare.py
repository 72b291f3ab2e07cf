"""Compare runs on the same ground truth: do they differ by more than chance?"""

from collections.abc import Sequence
from pathlib import Path

from Evaluation.bootstrap import (
    class_mean,
    drawn_precision,
    draws,
    interval,
    number_of_draws,
    ranked,
)
from Evaluation.metrics import ActionTable, instances
from Evaluation.report.evaluated_run import (
    EvaluatedRun,
    check_comparable,
    check_unchanged,
    read_run,
)
from Evaluation.report.report import write_page
from Evaluation.report.report_data import shown_videos, validated_score
from Evaluation.report.sections.comparison import comparison_parts
from Evaluation.report.sections.records import run_parts
from Evaluation.report.sections.title import amounts, compared_fact
from Evaluation.report.video_tables import aligned_together
from Evaluation.scores import as_computed
from Utils.files import UserError, agreeing, counted
from Utils.segments import Floats

OF_A_RUN = ("epoch", "git_commit")       # facts besides the settings that distinguish runs
FEW_VIDEOS = 10


def compare(folders: Sequence[str | Path], path: str | Path, links: Sequence = ()) -> dict:
    """Compare the runs in some folders with the first one, and write the page to `path`.

    -> the content of the page (see `compared`).
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


def compared(truth: ActionTable, tables: Sequence[ActionTable], names: Sequence[str],
             thresholds: Floats, short_seconds: float | None = None,
             resamples: int | None = None) -> dict:
    """ActivityNet's scores of every run, and their differences from the first run.

    tables: detections, aligned together. A difference is [value, low, high], see
    `interval`.
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
    """Differences of the means over the classes.

    mean, short: (B, T); short may be None.
    """
    return {"mAP": [interval(column) for column in mean.T], "average": interval(mean.mean(axis=1)),
            "short": None if short is None else interval(short.mean(axis=1))}


def _class_rows(truth, areas):
    """A row per class with actions: AP of every run, and its difference from the first."""
    means = [area.mean(axis=1) for area in areas]                     # (B, K) each
    return [{"label": int(label), "actions": int(number),
             "ap": [float(mean[0, label]) for mean in means],
             "differences": [interval(mean[:, label] - means[0][:, label])
                             for mean in means[1:]]}
            for label, number in enumerate(instances(truth)) if number]


def verdict(first: str, other: str, difference: Sequence[float], num_videos: int) -> str:
    """In a sentence or two, whether a difference in average mAP is more than chance."""
    points, low, high = (f"{100 * value:+.1f}" for value in difference)
    found = f"{points} points of average mAP, 95 % interval {low} to {high}"
    few = (f" {counted(num_videos, 'video')} {agreeing(num_videos, 'is', 'are')} few for such an "
           "interval: take it as a hint."
           if num_videos < FEW_VIDEOS else "")
    if difference[1] > 0 or difference[2] < 0:
        word = "better" if difference[1] > 0 else "worse"
        return f"{other} is {word} than {first}, and the difference is real: {found}.{few}"
    return (f"{other} and {first} do not differ by more than chance: {found}, which includes 0."
            f"{few}")


def differing_settings(provenances: Sequence[dict]) -> list[list]:
    """[name, [value of each run]] of the settings in which runs differ."""
    tables = [{**(found.get("settings") or {}), **{name: found.get(name) for name in OF_A_RUN}}
              for found in provenances]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = ([name, [table.get(name) for table in tables]] for name in names)
    return [[name, values] for name, values in rows
            if any(value != values[0] for value in values[1:])]


def comparison_page(content: dict, runs: Sequence[EvaluatedRun], truth: ActionTable,
                    tables: Sequence[ActionTable], names: Sequence[str], links: Sequence) -> dict:
    """The data of the page of a comparison."""
    scores = runs[0].scores
    counts = {"num_detections": sum(map(len, tables)), "num_ground_truth": len(truth),
              "num_videos": len(truth.videos)}
    facts = [compared_fact(name, run.scores["provenance"], run.date)
             for name, run in zip(names, runs, strict=True)]
    if scores["protocol"] != "activitynet":
        facts.append("scored here by ActivityNet's protocol")
    folders = [(name, str(run.folder)) for name, run in zip(names, runs, strict=True)]
    return {
        "title": {"run": " and ".join(names), "dataset": scores["dataset"],
                  "subset": scores["subset"], "facts": [*facts, amounts(counts)]},
        "protocol": "activitynet", "isScored": True, "isJudged": True,
        "validated": [validated_score(run.history, run.scores["provenance"]) for run in runs],
        "sections": {"comparison": comparison_parts(content, tables[0].classes),
                     "settings": run_parts(folders)},
        **shown_videos(truth, tables, runs[0].durations, scores["tiou_thresholds"], names, links)}


def _distinct(names, longer):
    """The names, or the longer ones if two are the same."""
    return names if len(set(names)) == len(names) else longer


def format_comparison(content: dict) -> str:
    """The comparison as a few lines of text, in percent."""
    width = max(len(run["name"]) for run in content["runs"])
    lines = [f"{'tIoU':<{width}}" + "".join(f"{value:>7.3g}" for value in content["thresholds"])
             + "   average"]
    lines += [f"{run['name']:<{width}}" + "".join(f"{100 * value:>7.2f}" for value in run["mAP"])
              + f"{100 * run['average']:>10.2f}" for run in content["runs"]]
    return "\n".join([*lines, *content["verdicts"]])
