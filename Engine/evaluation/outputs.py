"""What Eval.py writes: scores, report, figures, and the detections for other tools."""

from datetime import date
from pathlib import Path

import numpy as np

from Engine.evaluation.from_proposals import history_of, recommended
from Engine.evaluation.inputs import Inputs
from Engine.evaluation.scoring import Outcome
from Evaluation.average_recall import THRESHOLDS
from Evaluation.curves import PrecisionRecall, precision_recall
from Evaluation.detection_file import rows_by_video
from Evaluation.metrics import ActionTable, align
from Evaluation.postprocessing.detections import least_score, recommended_score
from Evaluation.report.evaluated_run import TRUTH_FILE, truth_content
from Evaluation.report.report import linked_videos, write_report
from Utils.config.options import SCORING_NAMES, STORED_NAMES, Config
from Utils.config.resolve import resolve
from Utils.files import read_json, write_json

FIGURE_VIDEOS = 3    # in the figure of timelines; report.html has all of them


def write_scores(inputs: Inputs, outcome: Outcome) -> None:
    """Write detad.json, the ground truth as it was scored and, last, metrics.json."""
    folder, truth = inputs.folder, inputs.truth
    if outcome.diagnosis is not None:
        write_json(folder / "detad.json", outcome.diagnosis)
    write_json(folder / TRUTH_FILE, truth_content(truth, outcome.durations, inputs.config.subset))
    write_json(folder / "metrics.json", outcome.scores)


def write_report_page(inputs: Inputs, outcome: Outcome) -> None:
    """Write report.html, and the requested figures next to it."""
    config, folder, truth = inputs.config, inputs.folder, inputs.truth
    detections, curves = align(outcome.table, truth), None
    if outcome.results.detections is not None and config.protocol == "activitynet":
        curves = precision_recall(truth, detections, config.tiou)
    paths = draw_figures(inputs, outcome, detections, curves)
    history = inputs.home / "history.json"
    about = {"run": folder.name.removeprefix("output_"), "date": date.today().isoformat()}
    provenance = outcome.scores["provenance"] | about
    write_report(
        folder / "report.html", outcome.scores | {"provenance": provenance}, truth, detections,
        outcome.durations, detad=outcome.diagnosis, curves=curves, recall=outcome.recall,
        history=read_json(history) if history.is_file() and not config.detections else None,
        own=own_settings(config), links=linked_videos(config.video_folder, folder),
        files=[path.name for path in paths])


def draw_figures(inputs: Inputs, outcome: Outcome, detections: ActionTable,
                 curves: PrecisionRecall | None) -> list[Path]:
    """Draw the figures of --figures. -> their paths. detections: aligned to the truth."""
    folder, truth, figures = inputs.folder, inputs.truth, inputs.config.figures
    if figures == "none":
        return []
    # matplotlib takes half a second to import.
    from DETAD.plots import figure_jobs
    from Evaluation.report.curve_figures import write_precision_recall
    from Evaluation.report.recall_figure import write_recall_figure
    from Evaluation.report.timeline import write_timelines
    from Utils.figures import draw_all

    jobs = [] if outcome.diagnosis is None else figure_jobs(outcome.diagnosis, folder)
    if curves is not None:
        busiest = np.argsort(-np.bincount(truth.video), kind="stable")[:FIGURE_VIDEOS]
        names = [truth.videos[video] for video in busiest]
        jobs += [(write_timelines, truth, detections, outcome.durations, folder, names),
                 (write_precision_recall, curves, folder)]
    if outcome.recall is not None:
        jobs.append((write_recall_figure, outcome.recall, THRESHOLDS, folder))
    return draw_all(jobs, ("png", "pdf") if figures == "both" else (figures,))


def own_settings(config: Config) -> list[str]:
    """Names of the settings that differ from the presets of dataset and recipe."""
    preset = resolve({"dataset": config.dataset, "recipe": config.recipe})
    return [name for name in (*STORED_NAMES, *SCORING_NAMES)
            if getattr(config, name) != getattr(preset, name)]


def check_export(config: Config, folder: Path) -> None:
    """Refuse an impossible --export before everything else."""
    if config.export:
        # pandas takes half a second to import.
        from Utils.prepare.formats.export import check_run
        if config.detections:
            least_score(config.min_score, [], config.detections)
        check_run(config.export, config.detections or folder / "detections_postNMS.json",
                  folder / "export", config.overwrite)


def export_detections(inputs: Inputs, outcome: Outcome) -> list[str]:
    """Write the detections for the tools of --export. -> lines for the user."""
    from Utils.prepare.formats.export import export
    from Utils.prepare.formats.kept_rows import Choices

    config = inputs.config
    least = (recommended(config, inputs.file, inputs.folder) if inputs.file else
             least_score(config.min_score, [], config.detections))
    history = history_of(inputs.file, inputs.folder) if inputs.file else []
    known = {name: seconds for name, seconds in outcome.durations.items() if seconds}
    return export(rows_by_video(outcome.table), config.export, inputs.folder / "export",
                  Choices(least, config.top, durations=known,
                          recommended=recommended_score(history)), config.overwrite).lines()
