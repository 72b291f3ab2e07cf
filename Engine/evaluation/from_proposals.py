"""Detections from the proposals of a run: suppression, fusion, and their files."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from Engine.evaluation.inputs import Inputs, names_of_results, results_from_file
from Engine.evaluation.suppression import suppressed
from Evaluation.metrics import detection_table
from Evaluation.postprocessing.detections import (
    best_rows,
    detection_rows,
    least_score,
    write_detections,
)
from Evaluation.postprocessing.per_video import Results, proposal_table
from Evaluation.postprocessing.proposal_file import ProposalFile
from Evaluation.postprocessing.video_scores import check_covered, read_video_scores
from Utils.config.options import Config
from Utils.data.annotation_files import number
from Utils.data.datasets import DATASETS, find_file, read_csv_rows
from Utils.data.ground_truth import check_actions
from Utils.files import UserError, listed, read_json
from Utils.parallel import at_once, processes_for


def results_from_proposals(config: Config, file: ProposalFile,
                           folder: Path | None = None) -> Results:
    """Detections of a ProposalFile. -> Results.

    Given a folder, writes detections_postNMS.json and, without classes,
    proposals_postNMS.json.
    """
    classes = file.settings["classes"]
    video_scores = scores_of_videos(config, classes,
                                    names_of_results(config, file).values())
    detections, proposals, durations = suppressed(config, file, video_scores,
                                                  frames_of_videos(config, file))
    tables, files, warnings = {"detections": None, "proposals": None}, [], []
    if config.class_agnostic:
        tables["proposals"] = proposal_table(proposals)
        files.append(("proposals_postNMS.json", proposals, None))
    if video_scores or not config.class_agnostic:
        tables["detections"] = detection_table(detections, classes)
        files.append(("detections_postNMS.json", detections, classes))
    else:
        warnings.append("no video-level scores (--video_scores): proposals have no "
                        "classes, so they and AR@AN are all there is")
    if folder:
        least = recommended(config, file, folder)
        at_once(write_rows, [(folder / name, found, config, least, names)
                             for name, found, names in files], processes_for(file.size, len(files)))
    return Results(**tables, source=str(file.path), durations=durations,
                   warnings=warnings)


def frames_of_videos(config: Config, file: ProposalFile) -> dict:
    """{video: frames of its file} if --floor_duration needs them, else empty."""
    if not config.floor_duration:
        return {}
    info = find_file(config, "video_info")
    frames = {name: number(row.get("numFrame"), f"{info}: numFrame of {name}")
              for name, row in read_csv_rows(info).items()}
    if lacking := [video for video in file if video not in frames]:
        raise UserError(f"--floor_duration: {info} has no frames of {listed(lacking)}")
    return frames


def scores_of_videos(config: Config, classes: Sequence[str],
                     names: Collection[str]) -> dict[str, np.ndarray]:
    """{video: scores} of the video-level classifier if there is a file of them, else empty."""
    path = find_file(config, "video_scores", optional=True)
    if path is None:
        return {}
    found = read_video_scores(path, classes)
    check_covered(path, found, names)
    return found


def write_rows(path: Path, found: dict, config: Config, least: float | None,
               classes: Sequence[str] | None = None) -> None:
    """Write the rows that --min_score and --top leave."""
    write_detections(path, {video: best_rows(detection_rows(rows, classes), least, config.top)
                            for video, rows in found.items()}, DATASETS[config.dataset].version)


def recommended(config: Config, file: ProposalFile, folder: Path) -> float | None:
    """The score limit for --min_score, from the epoch that made the proposals."""
    return least_score(config.min_score, history_of(file, folder),
                       folder / "history.json")


def history_of(file: ProposalFile, folder: Path) -> list[dict]:
    """The training curves up to the epoch that made the proposals; empty if unknown."""
    path = folder / "history.json"
    return read_json(path)[:file.settings.get("epoch")] if path.is_file() else []


def read_results(inputs: Inputs) -> Results:
    """The detections to score. -> Results.

    Raises UserError for a ground truth without actions, after writing the detections
    of proposals.
    """
    if inputs.file is None:
        check_actions(inputs.annotations)
        return results_from_file(inputs)
    results = results_from_proposals(inputs.config, inputs.file, inputs.folder)
    try:
        check_actions(inputs.annotations)
    except UserError as problem:
        raise UserError(f"{problem}, in Cut_long_videos.py, Infer.py and Eval.py; the "
                        "detections are "
                        f"in {inputs.folder / 'detections_postNMS.json'}") from None
    return results
