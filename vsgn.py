"""VSGN from Python: train, detect, evaluate, draw; and the command `vsgn`.

    run = vsgn.train(dataset="custom", feature_path="features", video_anno="annotations.json")
    table = vsgn.Detector.load(run.folder).detect(array, feature_fps=5)

docs/python.md shows all of it. It calls the same functions as the scripts, with the same
defaults. Nothing is printed; a user's mistake raises UserError.
"""

from __future__ import annotations

import math
import numbers
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from Utils.files import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

    from Engine.inference.network import Network

__all__ = ["Detector", "Run", "UserError", "evaluate", "plot_timeline", "train"]
__version__ = "2.0.0"

Progress = bool | Callable[[str, int, int], object]


# ---- training -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Run:
    """A trained run: its folder of checkpoints, its options by name, one dict per epoch."""
    folder: Path
    config: dict
    history: list[dict]


def train(*, progress: Progress = False, **options: object) -> Run:
    """Cut the videos into windows and train on them.

    options: those of Cut_long_videos.py and Train.py by name, with the same defaults.
    progress: True prints what the scripts print; a function is called with (what, done,
    total). Raises UserError for mistakes in data or options.
    """
    import Cut_long_videos
    import Train
    from Utils.config.checks import check_options
    from Utils.config.resolve import resolve, settings
    from Utils.config.run_file import typed
    from Utils.run import locked
    from Utils.training.checkpoints import LAST, load_checkpoint
    from Utils.training.process import Processes, choose_device

    given = typed({name: _plain(value) for name, value in options.items()}, "vsgn.train")
    config = check_options(resolve(given), "Train")
    process = Processes(0, 1, choose_device(config.device), progress)
    with locked(config.window_path):
        Cut_long_videos.cut(config, process.say)
    history = Train.train(config, process)
    folder = Path(config.checkpoint_path)
    stored = load_checkpoint(folder / LAST).get("settings", settings(config))
    return Run(folder, stored, list(history))


def _plain(value):
    """The value of an option as in JSON: paths become strings, tuples lists."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return list(value) if isinstance(value, tuple) else value


# ---- detection ----------------------------------------------------------------------------------

class Detector:
    """The network of a run, which detects actions in new videos. Threads can share it.

    classes: names of the classes; None for a class-agnostic network.
    """

    def __init__(self, network: Network):
        self._network = network
        self.classes = network.classes

    @classmethod
    def load(cls, folder: str | os.PathLike, *, device: str = "auto",
             **options: object) -> Detector:
        """The detector of the run in a folder. options: those of Infer.py by name."""
        from Engine.inference.network import Network
        from Utils.config.resolve import resolve
        from Utils.config.run_file import typed
        from Utils.training.process import Processes, choose_device

        given = typed({name: _plain(value)
                       for name, value in options.items()}, "Detector.load")
        config = resolve(given | {"checkpoint_path": os.fspath(folder), "device": device})
        return cls(Network.load(config, Processes(0, 1, choose_device(device), False)))

    def detect(self, features: np.ndarray | str | os.PathLike, *,
               feature_fps: float | None = None, min_score: float | None = None,
               top: int | None = None) -> pd.DataFrame:
        """The detections in one video: a table of start, end (seconds), label and score.

        features: an array (n, D), or a file with one. feature_fps: feature vectors per
        second; by default as in training. min_score: leave out lower scores. top: keep
        only the best.
        """
        tables = self.detect_many({"video": features}, feature_fps=feature_fps,
                                  min_score=min_score, top=top)
        return tables["video"]

    def detect_many(self, videos: Mapping[str, np.ndarray | str | os.PathLike], *,
                    feature_fps: float | None = None, min_score: float | None = None,
                    top: int | None = None, progress: Progress = False
                    ) -> dict[str, pd.DataFrame]:
        """`detect` for many videos {name: features} at once."""
        import pandas as pd

        from Engine.inference.tables import COLUMNS, flat, stores_of
        from Engine.inference.videos import detect
        from Evaluation.postprocessing.detections import best_rows

        check_choice(feature_fps, min_score, top)
        network = self._network
        network = replace(network, process=replace(network.process, see=progress))
        if feature_fps is not None:
            network = replace(network,
                              config=replace(network.config, feature_fps=feature_fps))
        rows = {}
        for store in stores_of(videos):
            for found in detect(network, store, store.parts[store.streams[0]].names()):
                rows[found.name] = best_rows(found.rows, min_score, top)
        return {name: pd.DataFrame([flat(row) for row in rows[name]], columns=COLUMNS)
                for name in videos}

    def detect_video(self, path: str | os.PathLike, *, weights: str | None = None,
                     min_score: float | None = None, top: int | None = None) -> pd.DataFrame:
        """`detect` for a video file, whose features are extracted as in training.

        weights: those of the extractor's network, if they cannot be downloaded.
        """
        from Engine.inference.video_features import feature_files

        network, path = self._network, os.fspath(path)
        with feature_files([path], network.checkpoint, network.config.checkpoint_path,
                           weights=weights, device=str(network.process.device)) as (files, faults):
            if faults:
                raise UserError(f"{path} has no features: {faults[path]}")
            return self.detect(files[path], min_score=min_score, top=top)


def check_choice(feature_fps: float | None, min_score: float | None, top: int | None) -> None:
    """Raise UserError for a rate, a lowest score or a number that cannot be."""
    for name, value, kind, least in (("feature_fps", feature_fps, numbers.Real, 0),
                                     ("min_score", min_score, numbers.Real, None),
                                     ("top", top, numbers.Integral, 0)):
        if value is None:
            continue
        if not isinstance(value, kind) or not math.isfinite(value):
            raise UserError(f"{name} is {value!r}, expected a number")
        if least is not None and value <= least:
            raise UserError(f"{name} {value} is impossible: it must be above {least}")


# ---- evaluation ---------------------------------------------------------------------------------

def evaluate(detections: Mapping | pd.DataFrame | str | os.PathLike, annotations: str | os.PathLike,
             *, detad: bool = False, **options: object) -> dict:
    """Scores of detections, as in metrics.json: mAP per tIoU, its averages, AP per class.

    detections: {video: table or rows}, a table with a column `video`, or a file
    (.json or .csv). annotations: the annotation file. options: those of Eval.py by
    name, such as subset, tiou, short_seconds. detad: add the diagnosis of detad.json
    under the key "detad". What is odd about the detections is a Python warning; those of
    other videos, or not in seconds, raise UserError.
    """
    import warnings

    from Engine.evaluation.inputs import checked_results, load_truth
    from Engine.evaluation.scoring import diagnose_detections, main_table, score
    from Engine.inference.tables import results_of
    from Evaluation.detection_file import mismatches, parse_detections
    from Evaluation.metrics import align
    from Utils.config.checks import check_options
    from Utils.config.resolve import resolve
    from Utils.config.run_file import typed

    source = str(detections) if isinstance(detections, str | os.PathLike) else "the detections"
    given = typed({name: _plain(value)
                   for name, value in options.items()}, "vsgn.evaluate")
    config = check_options(resolve({"detections": source, **given,
                                    "video_anno": os.fspath(annotations)}), "Eval")
    table, odd = parse_detections({"results": results_of(detections)}, source)
    config, annotated, truth = load_truth(config)
    results = checked_results(table, config, annotated, truth, odd)
    for text in (*results.warnings, *mismatches(align(main_table(results), truth), truth)):
        warnings.warn(text, stacklevel=2)
    scores, _ = score(config, truth, results)
    if detad:
        scores["detad"] = diagnose_detections(config, truth, annotated, results)
    return scores


# ---- timelines ----------------------------------------------------------------------------------

def plot_timeline(table: pd.DataFrame, truth: pd.DataFrame | Iterable[Mapping] | None = None, *,
                  duration: float | None = None, name: str = "", tiou: float = 0.5,
                  min_score: float | None = None) -> Figure:
    """A timeline of the detections in one video.

    truth: its actions, as a table of start, end and label or the `annotations` of an
    annotation file. With it, the timeline shows what is found, missed, right and wrong
    at a temporal IoU of `tiou`. duration: of the video, in seconds; by default up to the
    last end. min_score: lowest score to show; by default a share of the best one or,
    with truth, the one with the highest F1.
    """
    from Engine.inference.tables import actions_of, last_end, rows_of
    from Evaluation.report.timeline import detected_figure, judged_figure

    rows = [row for row in rows_of(table)
            if min_score is None or row["score"] >= min_score]
    if truth is None:
        return detected_figure([(name, duration or last_end(rows), rows)])
    actions = actions_of(truth)
    return judged_figure(name or "video", duration or last_end([*rows, *actions]), rows, actions,
                         tiou, min_score)


# ---- the command --------------------------------------------------------------------------------

# Verbs with their own scripts; run_vsgn.sh has the others.
SCRIPTS = {"prepare": "Prepare_data", "extract": "Extract_features", "export": "Export_model"}
MORE = """Verbs of the command `vsgn` in addition to those of run_vsgn.sh (below):
        runs [FOLDER...]   a table of the runs in these folders (default: here)
        prepare, extract, export
                           Prepare_data.py, Extract_features.py, Export_model.py
"""


def main(argv: list[str] | None = None) -> int:
    """The command `vsgn VERB ...`: the verbs of run_vsgn.sh, and some more."""
    import importlib

    words = list(sys.argv[1:] if argv is None else argv)
    verb, *rest = words or ["help"]
    if verb == "runs":
        import Eval
        return Eval.main(["--list", *(rest or ["."])])
    if verb in SCRIPTS:
        return importlib.import_module(SCRIPTS[verb]).main(rest)
    if verb == "test":
        print("error: the tests come with the repository: bash run_vsgn.sh test",
              file=sys.stderr)
        return 2
    if verb in ("help", "-h", "--help"):
        print(MORE, flush=True)
    shell = Path(__file__).resolve().with_name("run_vsgn.sh")
    # It replaces this process, so that Ctrl-C reaches the steps
    # as it does without `vsgn`.
    os.environ["VSGN_PYTHON"] = sys.executable
    return os.execvp("bash", ["bash", str(shell), verb, *rest])


if __name__ == "__main__":
    sys.exit(main())
