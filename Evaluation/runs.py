"""A table of the runs below some folders: data, recipe, epochs, score and date."""

from datetime import datetime
from pathlib import Path

import numpy as np

from Utils.files import UserError, read_json

CONFIG, CHECKPOINTS = "config.json", ("checkpoint.pth.tar", "best.pth.tar")
DEPTH = 4           # levels of folders below the one named in which runs are searched
COLUMNS = ["run", "data", "recipe", "epochs", "mAP %", "date"]


def runs_table(places: list[str]) -> "pandas.DataFrame":  # noqa: F821
    """The runs below some folders, best first.

    mAP: the mean over the thresholds in the run's last evaluation, NaN if there is none.
    """
    folders = [path.parent for place in places for path in _below(place)]
    runs = [folder for folder in folders
            if any((folder / name).is_file() for name in CHECKPOINTS)]
    results = _results(folders)
    import pandas as pd  # takes longer to import than all the rest of Eval.py
    table = pd.DataFrame([_row(folder, results) for folder in runs], columns=COLUMNS)
    return table.sort_values(["mAP %", "date"], ascending=False, na_position="last",
                             kind="stable").reset_index(drop=True)


def shown_runs(places: list[str]) -> str:
    """The table of runs as text."""
    table = runs_table(places)
    if table.empty:
        return f"no runs in {', '.join(map(str, places))}: no folder has {CONFIG} and a checkpoint"
    return table.to_string(index=False, na_rep="-",
                           float_format=lambda value: f"{value:.2f}")


def _below(place):
    place = Path(place)
    if not place.is_dir():
        raise UserError(f"no folder {place}; name one that holds runs")
    return sorted(path for depth in range(DEPTH)
                  for path in place.glob("*/" * depth + CONFIG))


def _results(folders):
    """{folder of checkpoints: metrics.json of its last evaluation}."""
    found = {}
    for folder in folders:
        metrics = folder / "metrics.json"
        run = _content(folder / CONFIG).get("checkpoint_path")
        if run and metrics.is_file():
            run = Path(run).resolve()
            if run not in found or found[run].stat().st_mtime < metrics.stat().st_mtime:
                found[run] = metrics
    return found


def _row(folder, results):
    config, history = _content(folder / CONFIG), _content(folder / "history.json", [])
    metrics = results.get(folder.resolve())
    scores = _content(metrics).get("mAP") if metrics else None
    last = max((folder / name for name in CHECKPOINTS if (folder / name).is_file()),
               key=lambda path: path.stat().st_mtime)
    return {"run": str(folder), "data": _data(config), "recipe": config.get("recipe"),
            "epochs": f"{len(history) or '?'}/{config.get('num_epoch', '?')}",
            "mAP %": 100 * float(np.mean(scores)) if scores else np.nan,
            "date": datetime.fromtimestamp(last.stat().st_mtime).strftime("%Y-%m-%d %H:%M")}


def _data(config):
    name, place = config.get("dataset", "?"), config.get("feature_path")
    return f"{name} ({Path(place).name})" if place and name == "custom" else name


def _content(path, nothing=None):
    """The content of a JSON file; `nothing` (default {}) if it is missing or of another kind."""
    nothing = {} if nothing is None else nothing
    try:
        content = read_json(path)
    except UserError:
        return nothing
    return content if isinstance(content, type(nothing)) else nothing
