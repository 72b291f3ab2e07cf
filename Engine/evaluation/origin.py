"""What scores were computed on and with, and what another evaluation must have in common."""

from collections.abc import Collection, Sequence
from pathlib import Path

from Engine.evaluation.inputs import Inputs
from Evaluation.postprocessing.per_video import Results
from Evaluation.report.provenance import provenance
from Utils.config.checks import check_earlier
from Utils.config.options import SCORING_NAMES, STORED_NAMES, Config
from Utils.config.resolve import settings
from Utils.data.annotations import Annotations
from Utils.files import read_json


def truth_of(annotations: Annotations) -> str:
    """The source of the ground truth, as a value."""
    return annotations.notes[0].removeprefix("ground truth ")


def durations_of(annotations: Annotations, results: Results) -> dict[str, float | None]:
    """Seconds of every video, from the annotations or else the proposals; None if unknown."""
    return {video.name: video.duration or results.durations.get(video.name)
            for video in annotations.videos}


def setting_names(config: Config) -> tuple[str, ...]:
    """The options on which scores depend; for detections of other methods, only our own count."""
    return (*(("dataset",) if config.detections else STORED_NAMES), *SCORING_NAMES)


def origin(inputs: Inputs, warnings: Sequence[str], varied: Collection[str] = ()) -> dict:
    """What the scores were computed on and with.

    varied: names of options to leave out, as several of their values were tried.
    """
    config = inputs.config
    files = {"ground_truth": truth_of(inputs.annotations), "detections": str(inputs.source),
             "ambiguous": config.ambiguous if config.protocol == "thumos14" else None,
             "subset": config.subset}
    options = settings(config, [name for name in setting_names(config)
                                if name not in varied])
    return provenance(inputs.truth, files, config.protocol, options,
                      [*inputs.annotations.notes[1:], *warnings])


def check_earlier_scores(inputs: Inputs) -> None:
    """Without --overwrite, refuse to replace scores of other settings, subset or detections."""
    config, path = inputs.config, inputs.folder / "metrics.json"
    if config.overwrite or not path.is_file():
        return
    before = read_json(path, "scores").get("provenance", {})
    check_earlier(path, before.get("settings", {}), settings(config, setting_names(config)),
                  "scored")
    now = {"subset": config.subset, "detections": str(inputs.source)}
    # By name: a folder may have been moved.
    check_earlier(path, before | {"detections": Path(before.get("detections", "")).name},
                  now | {"detections": Path(now["detections"]).name}, "scored")


def recommendation(folder: Path, epoch: int | None) -> dict:
    """{"recommended_score": the one with the best F1 on the validation windows}.

    That is after the epoch used. None if the evaluated videos would have chosen it;
    the dict is empty if the training says nothing.
    """
    path = folder / "history.json"
    history = read_json(path) if epoch is not None and path.is_file() else []
    found = [entry["val"]["threshold"] for entry in history
             if entry.get("epoch") == epoch and "threshold" in entry.get("val", {})]
    return {"recommended_score": found[0]} if found else {}
