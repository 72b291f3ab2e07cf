"""What Eval.py leaves in a run's folder, as a comparison reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from Evaluation.detection_file import read_detections, without_prefix
from Evaluation.metrics import ActionTable
from Utils.files import UserError, agreeing, counted, read_json

TRUTH_FILE = "ground_truth.json"


@dataclass(frozen=True, eq=False)
class EvaluatedRun:
    """The results of Eval.py in a folder. durations: {video: seconds or None}."""
    name: str
    folder: Path
    scores: dict
    truth: ActionTable
    durations: dict
    detections: ActionTable

    @property
    def history(self) -> list:
        """The curves of its training; empty if Eval.py had none."""
        path = self.folder / "history.json"
        return read_json(path) if path.is_file() else []

    @property
    def date(self) -> str:
        """When it was scored."""
        scored = (self.folder / "metrics.json").stat().st_mtime
        return date.fromtimestamp(scored).isoformat()


# ---- the ground truth of a run ------------------------------------------------------------------

def truth_content(truth: ActionTable, durations: dict, subset: str) -> dict:
    """The actions that were scored, in the layout of an annotation file."""
    database = {name: {"subset": subset, "duration": durations.get(name), "annotations": []}
                for name in truth.videos}
    for video, label, segment in zip(truth.video, truth.label, truth.segments.tolist(),
                                     strict=True):
        database[truth.videos[video]]["annotations"].append(
            {"label": truth.classes[label], "segment": segment})
    return {"database": database}


def read_truth(path: str | Path) -> tuple[ActionTable, dict]:
    """The inverse of `truth_content`: ActionTable, with classes by name, and durations."""
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


def read_run(folder: str | Path) -> EvaluatedRun:
    """The EvaluatedRun in a folder.

    Raises UserError if Eval.py has not written one there.
    """
    folder = Path(folder)
    for name in ("metrics.json", TRUTH_FILE):
        if not (folder / name).is_file():
            raise UserError(f"{folder} has no {name}; run Eval.py --output_path {folder} first")
    scores = read_json(folder / "metrics.json", "scores")
    if "mAP" not in scores:
        raise UserError(f"{folder} holds proposals without classes, which have no mAP to compare")
    truth, durations = read_truth(folder / TRUTH_FILE)
    path = detections_of(folder, Path(scores["provenance"]["detections"]))
    detections, _ = without_prefix(read_detections(path)[0], "v_", truth, path)
    return EvaluatedRun(folder.name.removeprefix("output_") or str(folder), folder, scores, truth,
                        durations, detections)


def detections_of(folder: Path, source: Path) -> Path:
    """The detection file of a run, which may have moved with its folder.

    source: what was scored.
    """
    own = "detections_postNMS.json" if source.suffix == ".h5" else source.name
    for path in (folder / own, source):
        if path.is_file() and path.suffix != ".h5":
            return path
    raise UserError(f"{folder} lacks {own}, the detections that were scored; run Eval.py on them "
                    f"again, with --output_path {folder}")


def check_comparable(runs: Sequence[EvaluatedRun]) -> None:
    """Raise UserError if runs differ in ground truth or in the tIoU of their scores."""
    first = runs[0]
    for other in runs[1:]:
        if other.scores["tiou_thresholds"] != first.scores["tiou_thresholds"]:
            raise UserError(f"{first.folder} and {other.folder} are scored at different tIoU; run "
                            "Eval.py on one of them again with --overwrite and the --tiou of the "
                            "other")
        if problem := difference_of(first.truth, other.truth):
            raise UserError(f"{first.folder} and {other.folder} cannot be compared, since their "
                            f"ground truths differ: {problem}; evaluate both on the same videos")


def check_unchanged(runs: Sequence[EvaluatedRun], found: Sequence[dict]) -> None:
    """Raise a UserError if a run's detections are no longer those that were scored.

    found: the scores they give now.
    """
    for run, now in zip(runs, found, strict=True):
        if (run.scores["protocol"] == "activitynet"
                and not np.allclose(now["mAP"], run.scores["mAP"], atol=1e-6)):
            raise UserError(f"the detections of {run.folder} have changed since they were scored; "
                            f"run Eval.py on them again, with --output_path {run.folder}")


def difference_of(truth: ActionTable, other: ActionTable) -> str | None:
    """The first difference between two ground truths in words, or None."""
    if lacking := sorted(set(truth.videos) ^ set(other.videos)):
        return (f"{counted(len(lacking), 'video')} {agreeing(len(lacking), 'is', 'are')} in one "
                f"of them alone, such as {lacking[0]!r}")
    own, others = _actions_by_video(truth), _actions_by_video(other)
    for name in truth.videos:
        if own[name] != others[name]:
            number = counted(len(others[name]), "action")
            return (f"video {name!r} has {len(own[name])} and {number}"
                    if len(own[name]) != len(others[name]) else
                    f"video {name!r} has other actions or classes")
    return None


def _actions_by_video(truth):
    found = {name: [] for name in truth.videos}
    segments = truth.segments.round(3).tolist()
    for video, label, (start, end) in zip(truth.video, truth.label, segments, strict=True):
        found[truth.videos[video]].append((start, end, truth.classes[label]))
    return {name: sorted(rows) for name, rows in found.items()}
