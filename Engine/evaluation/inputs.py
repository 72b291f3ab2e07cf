"""What Eval.py scores: the proposals of a run or a detection file, and the ground truth."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from Evaluation.detection_file import (
    NO_CLASS,
    check_seconds,
    read_detections,
    without_prefix,
)
from Evaluation.metrics import ActionTable, action_table
from Evaluation.postprocessing.per_video import Results
from Evaluation.postprocessing.proposal_file import ProposalFile, read_proposals
from Utils.config.checks import check_stored
from Utils.config.options import SETTLED, Config
from Utils.config.resolve import adopt
from Utils.config.run_file import data_places
from Utils.data.annotations import Annotations, canonical
from Utils.data.datasets import DATASETS, find_file
from Utils.data.ground_truth import load_ground_truth
from Utils.files import UserError, counted, listed
from Utils.names import named_there


@dataclass(frozen=True)
class Inputs:
    """What an evaluation works on.

    config: with the options of the proposals and the subset of the ground truth. folder:
    for the results. file: the proposals; None with --detections. truth: the actions of
    the annotations as a table.
    """
    config: Config
    folder: Path
    file: ProposalFile | None
    annotations: Annotations
    truth: ActionTable

    @property
    def source(self) -> str | Path:
        """The file that is scored."""
        return self.config.detections or self.file.path

    @property
    def home(self) -> Path:
        """The folder of the run."""
        return self.folder if self.file is None else self.file.path.parent

    @property
    def epoch(self) -> int | None:
        """Number of epochs of the training; None if unknown."""
        return None if self.file is None else self.file.settings.get("epoch")


def read_inputs(config: Config, folder: Path) -> Inputs:
    """Open what the options name, and read the ground truth. -> Inputs."""
    config, file = open_proposals(config)
    find_file(config, "ambiguous", optional=True)      # there, if it is named
    config, annotations, truth = load_truth(config)
    if file is not None:
        check_same_videos([*names_of_results(config, file).values()], truth,
                          config, file.path)
    return Inputs(config, folder, file, annotations, truth)


def results_folder(config: Config) -> Path:
    """The folder for the scores: output_path, or else that of the detection file."""
    if config.detections and "output_path" not in config.given:
        if not Path(config.detections).is_file():
            raise UserError(f"no detection file at {config.detections}")
        return Path(config.detections).parent
    folder = Path(config.output_path)
    if not config.detections and not folder.is_dir() and not proposals_path(config).is_file():
        raise UserError(f"no folder {folder}; run Infer.py --output_path {folder} "
                        "first, or name the folder of a run")
    return folder


def proposals_path(config: Config) -> Path:
    """The proposals to score: those in output_path, or else those of the run.

    The latter if output_path is a new folder for the results.
    """
    own, home = (Path(folder) / "proposals.h5"
                 for folder in (config.output_path, config.home))
    return home if home.is_file() and not own.is_file() else own


def open_proposals(config: Config) -> tuple[Config, ProposalFile | None]:
    """The config with the options of the proposals, and their ProposalFile.

    With --detections there are none: config, None.
    """
    if config.detections:
        return config, None
    file, stored = read_proposals(proposals_path(config))
    check_stored(stored, file.path)
    places = data_places(file.path.parent)
    if "ground_truth" in DATASETS[stored.get("dataset", config.dataset)].files:
        places.pop("video_anno", None)      # the official one differs from that
    config = adopt(config, stored, file.path, SETTLED["Eval"], places)
    if "classes" not in stored:
        raise UserError(f"{file.path} does not say its classes; run Infer.py again")
    return config, file


def load_truth(config: Config) -> tuple[Config, Annotations, ActionTable]:
    """The ground truth, and the config with its subset.

    -> config, Annotations, ActionTable.
    The table has the same content as the Annotations.
    """
    annotations = load_ground_truth(config)
    truth = action_table(annotations.videos, annotations.classes)
    subset = canonical(annotations.videos[0].subset)
    if subset != canonical(config.subset):
        config = replace(config, subset=subset)
    return config, annotations, truth


def check_same_videos(names: Collection[str], truth: ActionTable, config: Config,
                      where: object) -> None:
    """Refuse proposals or detections without any video of the ground truth."""
    if not names or set(names) & set(truth.videos):
        return
    made = "" if config.detections else (
        "; to score the videos of another subset than those, run Cut_long_videos.py, "
        "Infer.py and Eval.py with it as --subset")
    there = named_there(names, truth.videos, "the ground truth")
    raise UserError(f"{where}: none of its {counted(len(names), 'video')} is among "
                    f"those of subset {config.subset} in the ground truth: it has "
                    f"{listed(names, 3)}, {there}{made}")


def results_from_file(inputs: Inputs) -> Results:
    """The rows of --detections, with videos named as in the truth. -> Results."""
    table, warnings = read_detections(inputs.config.detections)
    return checked_results(table, inputs.config, inputs.annotations, inputs.truth, warnings)


def checked_results(table: ActionTable, config: Config, annotations: Annotations,
                    truth: ActionTable, warnings: Sequence[str]) -> Results:
    """Detections as Results, with videos named as in the truth.

    Raises UserError if they are of other videos, or not in seconds.
    """
    where = config.detections
    table, renamed = without_prefix(table, DATASETS[config.dataset].result_prefix, truth, where)
    check_same_videos(table.videos, truth, config, where)
    durations = {video.name: video.duration for video in annotations.videos}
    behind = check_seconds(table, truth, durations, where)
    has_classes = table.classes != (NO_CLASS,)
    return Results(table if has_classes else None, table, where,
                   warnings=[*warnings, *renamed, *behind])


def names_of_results(config: Config, file: ProposalFile) -> dict[str, str]:
    """{video: its name in result files} of a ProposalFile."""
    prefix = DATASETS[config.dataset].result_prefix
    return {video: video.removeprefix(prefix) for video in file}
