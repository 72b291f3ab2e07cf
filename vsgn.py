"""VSGN from Python: train, detect, evaluate, draw; and the command `vsgn`.

    run = vsgn.train(dataset="custom", feature_path="features", video_anno="annotations.json")
    table = vsgn.Detector.load(run.folder).detect(array, feature_fps=5)

docs/python.md shows all of it. The functions are those that the scripts call, and so are the
defaults. Nothing is printed; a mistake of the user's is a UserError.
"""

from __future__ import annotations

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

    from Utils.inference.network import Network

__all__ = ["Detector", "Run", "UserError", "evaluate", "plot_timeline", "train"]
__version__ = "1.0.0"

COLUMNS = ["start", "end", "label", "score"]
Progress = bool | Callable[[str, int, int], object]


# ---- training -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Run:
    """A trained run: the folder of its checkpoints, its options by name, a dict for each epoch."""
    folder: Path
    config: dict
    history: list[dict]


def train(*, progress: Progress = False, **options) -> Run:
    """Cut the videos into windows and train on them.

    options: those of Cut_long_videos.py and Train.py by name, with the same defaults. progress:
    True prints what the scripts print; a function is called with (what, done, total).
    """
    import Cut_long_videos
    import Train
    from Utils.config.checks import check
    from Utils.config.resolve import resolve, settings
    from Utils.config.run_file import typed
    from Utils.run import locked
    from Utils.training.checkpoints import LAST, load_checkpoint
    from Utils.training.process import Processes, choose_device

    given = typed({name: _plain(value) for name, value in options.items()}, "vsgn.train")
    config = check(resolve(given), "Train")
    process = Processes(0, 1, choose_device(config.device), progress)
    with locked(config.window_path):
        Cut_long_videos.cut(config, process.say)
    history = Train.train(config, process)
    folder = Path(config.checkpoint_path)
    stored = load_checkpoint(folder / LAST).get("settings", settings(config))
    return Run(folder, stored, list(history))


def _plain(value):
    """A value of an option as JSON would have it: paths are texts, tuples lists."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return list(value) if isinstance(value, tuple) else value


# ---- detection ----------------------------------------------------------------------------------

class Detector:
    """The network of a run, which detects actions in new videos. Threads may share one.

    classes: names of the classes, None where the network does not tell them apart.
    """

    def __init__(self, network: Network):
        self._network = network
        self.classes = network.classes

    @classmethod
    def load(cls, folder: str | os.PathLike, *, device: str = "auto", **options) -> Detector:
        """The detector of the run in a folder. options: those of Infer.py by name."""
        from Utils.config.resolve import resolve
        from Utils.config.run_file import typed
        from Utils.inference.network import Network
        from Utils.training.process import Processes, choose_device

        given = typed({name: _plain(value) for name, value in options.items()}, "Detector.load")
        config = resolve(given | {"checkpoint_path": os.fspath(folder), "device": device})
        return cls(Network.load(config, Processes(0, 1, choose_device(device), False)))

    def detect(self, features: np.ndarray | str | os.PathLike, *,
               feature_fps: float | None = None, min_score: float | None = None,
               top: int | None = None) -> pd.DataFrame:
        """The detections of one video: a table of start, end (seconds), label and score.

        features: an array (n, D), or a file of one. feature_fps: how many there are per second; by
        default as in the training.
        """
        tables = self.detect_many({"video": features}, feature_fps=feature_fps,
                                  min_score=min_score, top=top)
        return tables["video"]

    def detect_many(self, videos: Mapping[str, np.ndarray | str | os.PathLike], *,
                    feature_fps: float | None = None, min_score: float | None = None,
                    top: int | None = None, progress: Progress = False
                    ) -> dict[str, pd.DataFrame]:
        """As `detect`, of many videos by name, all together."""
        import pandas as pd

        from Evaluation.postprocessing.detections import best_rows
        from Utils.inference.videos import detect

        network = self._network
        network = replace(network, process=replace(network.process, see=progress))
        if feature_fps is not None:
            network = replace(network, config=replace(network.config, feature_fps=feature_fps))
        rows = {}
        for store in _stores(videos):
            for found in detect(network, store, store.parts[store.streams[0]].names()):
                rows[found.name] = best_rows(found.rows, min_score, top)
        return {name: pd.DataFrame([_flat(row) for row in rows[name]], columns=COLUMNS)
                for name in videos}

    def detect_video(self, path: str | os.PathLike, *, weights: str | None = None,
                     min_score: float | None = None, top: int | None = None) -> pd.DataFrame:
        """As `detect`, of a video file: its features are extracted as those of the training were.

        weights: of the extractor's network, where there is no connection to fetch them.
        """
        from Utils.video.of_checkpoint import feature_files

        network, path = self._network, os.fspath(path)
        with feature_files([path], network.checkpoint, network.config.checkpoint_path,
                           weights=weights, device=str(network.process.device)) as (files, faults):
            if faults:
                raise UserError(f"{path} has no features: {faults[path]}")
            return self.detect(files[path], min_score=min_score, top=top)


def _stores(videos):
    """FeatureStores of arrays and of files. videos: {name: array or path}."""
    import numpy as np

    from Utils.data.feature_files import ArrayStream, FolderStream
    from Utils.data.features import ONLY, FeatureStore, open_places

    paths = {str(name): Path(value) for name, value in videos.items()
             if isinstance(value, str | os.PathLike)}
    arrays = {name: np.asarray(value) for name, value in videos.items() if name not in paths}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise UserError(f"video {name}: expected an array of numbers (n, D), or the path of a "
                            f"file, found {type(videos[name]).__name__}")
    if paths:
        for path in paths.values():
            open_places([path])     # says what is wrong with it
        yield FeatureStore({ONLY: FolderStream.of_files(paths)})
    if arrays:
        yield FeatureStore({ONLY: ArrayStream(arrays)})


def _flat(row):
    """A row of a detection file as one of a table."""
    return {"start": row["segment"][0], "end": row["segment"][1], "label": row.get("label"),
            "score": row["score"]}


# ---- evaluation ---------------------------------------------------------------------------------

def evaluate(detections: Mapping | pd.DataFrame | str | os.PathLike,
             annotations: str | os.PathLike, *, detad: bool = False, **options) -> dict:
    """Scores of detections, as in metrics.json: mAP for each tIoU, its averages, each class.

    detections: {video: table or rows}, a table with a column `video`, or a file (.json or .csv).
    annotations: the annotation file. options: those of Eval.py by name, as subset, tiou,
    short_seconds. detad: add the diagnosis, as in detad.json, as "detad".
    """
    import Eval
    from Evaluation.postprocessing.per_video import Results
    from Evaluation.results import NO_CLASS, results_table
    from Utils.config.checks import check
    from Utils.config.resolve import resolve
    from Utils.config.run_file import typed

    source = str(detections) if isinstance(detections, str | os.PathLike) else "the detections"
    given = typed({name: _plain(value) for name, value in options.items()}, "vsgn.evaluate")
    config = check(resolve({"detections": source, **given, "video_anno": os.fspath(annotations)}),
                   "Eval")
    table, warnings = results_table({"results": _results(detections)}, source)
    config, annotated, truth = Eval.load_truth(config)
    has_classes = table.classes != (NO_CLASS,)
    results = Results(table if has_classes else None, table, source, warnings=warnings)
    scores, _ = Eval.score(config, truth, results)
    if detad:
        scores["detad"] = Eval.diagnose_detections(config, truth, annotated, results)
    return scores


def _results(detections):
    """Detections of any form as {video: rows of a detection file}."""
    import pandas as pd

    from Utils.files import read_json

    if isinstance(detections, str | os.PathLike):
        path = Path(detections)
        if path.suffix.lower() == ".csv":
            try:
                return _results(pd.read_csv(path))
            except (OSError, ValueError) as problem:
                raise UserError(f"cannot read detections from {path}: {problem}") from None
        content = read_json(path, "detection file", unique_names=True)
        return content.get("results") if isinstance(content, dict) else None
    if isinstance(detections, pd.DataFrame):
        _check_columns(detections, ["video", "start", "end", "score"])
        return {str(video): _rows(table) for video, table in detections.groupby("video",
                                                                                sort=False)}
    return {video: _rows(rows) if isinstance(rows, pd.DataFrame) else rows
            for video, rows in detections.get("results", detections).items()}


def _rows(table):
    """A table of detections as rows of a detection file."""
    _check_columns(table, ["start", "end", "score"])
    labels = table["label"] if "label" in table else [None] * len(table)
    return [({} if label is None else {"label": label})
            | {"score": float(score), "segment": [float(start), float(end)]}
            for start, end, label, score in zip(table["start"], table["end"], labels,
                                                table["score"], strict=True)]


def _check_columns(table, names):
    if lacking := [name for name in names if name not in table]:
        raise UserError(f"the table of detections has no column {lacking[0]!r}; it has "
                        f"{', '.join(map(str, table.columns)) or 'none'}")


# ---- timelines ----------------------------------------------------------------------------------

def plot_timeline(table: pd.DataFrame, truth: pd.DataFrame | Iterable[Mapping] | None = None, *,
                  duration: float | None = None, name: str = "", tiou: float = 0.5,
                  min_score: float | None = None) -> Figure:
    """A timeline of the detections of one video.

    truth: its actions, a table of start, end and label or the `annotations` of an annotation file;
    then it is shown what is found, missed, right and wrong at a temporal IoU of `tiou`. duration:
    of the video in seconds, by default up to the last end. min_score: least score that is shown; by
    default a share of the best one or, with the truth, that at which F1 is highest.
    """
    from Evaluation.report.timeline import detected_figure, judged_figure

    rows = [row for row in _rows(table) if min_score is None or row["score"] >= min_score]
    if truth is None:
        return detected_figure([(name, duration or _last_end(rows), rows)])
    actions = _actions(truth)
    return judged_figure(name or "video", duration or _last_end([*rows, *actions]), rows, actions,
                         tiou, min_score)


def _actions(truth):
    """Actions of one video, of a table or the rows of an annotation file, as such rows."""
    if not hasattr(truth, "columns"):
        return list(truth)
    return [{"segment": [float(start), float(end)], "label": label} for start, end, label in
            zip(truth["start"], truth["end"], truth["label"], strict=True)]


def _last_end(rows):
    return max((row["segment"][1] for row in rows), default=1.0)


# ---- the command --------------------------------------------------------------------------------

# Verbs that are scripts of their own; run_vsgn.sh has the others.
SCRIPTS = {"prepare": "Prepare_data", "extract": "Extract_features", "export": "Export_model"}
MORE = """More verbs of the command `vsgn` than those of run_vsgn.sh, which follow:
        runs [FOLDER...]   the runs in these folders (default: here) in a table
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
        print("error: the tests come with the repository: bash run_vsgn.sh test", file=sys.stderr)
        return 2
    if verb in ("help", "-h", "--help"):
        print(MORE, flush=True)
    shell = Path(__file__).resolve().with_name("run_vsgn.sh")
    # In this process's place, so that a Ctrl-C reaches the steps as it does without `vsgn`.
    os.environ["VSGN_PYTHON"] = sys.executable
    return os.execvp("bash", ["bash", str(shell), verb, *rest])


if __name__ == "__main__":
    sys.exit(main())
