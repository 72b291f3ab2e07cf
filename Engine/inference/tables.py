"""Detections, actions and features, from the forms of a notebook to those of the scripts."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from Utils.data.feature_files import ArrayStream, FolderStream
from Utils.data.feature_places import open_places
from Utils.data.features import ONLY, FeatureStore
from Utils.files import UserError, read_json, unique

COLUMNS = ["start", "end", "label", "score"]


def flat(row: dict) -> dict:
    """A row of a detection file as a row of a table."""
    return {"start": row["segment"][0], "end": row["segment"][1], "label": row.get("label"),
            "score": row["score"]}


def results_of(detections: Mapping | pd.DataFrame | str | os.PathLike) -> dict | None:
    """Detections in any form as {video: rows of a detection file}."""
    if isinstance(detections, str | os.PathLike):
        path = Path(detections)
        if path.suffix.lower() == ".csv":
            try:
                return results_of(pd.read_csv(path))
            except (OSError, ValueError) as problem:
                raise UserError(f"cannot read detections from {path}: {problem}") from None
        content = read_json(path, "detection file", unique)
        return content.get("results") if isinstance(content, dict) else None
    if isinstance(detections, pd.DataFrame):
        _check_columns(detections, ["video", "start", "end", "score"])
        tables = detections.groupby("video", sort=False)
        return {str(video): rows_of(table) for video, table in tables}
    return {video: rows_of(rows) if isinstance(rows, pd.DataFrame) else rows
            for video, rows in detections.get("results", detections).items()}


def rows_of(table: pd.DataFrame) -> list[dict]:
    """A table of detections as rows of a detection file."""
    _check_columns(table, ["start", "end", "score"])
    labels = table["label"] if "label" in table else [None] * len(table)
    columns = table["start"], table["end"], labels, table["score"]
    rows = []
    for start, end, label, score in zip(*columns, strict=True):
        row = {} if label is None else {"label": label}
        rows.append(row | {"score": float(score), "segment": [float(start), float(end)]})
    return rows


def _check_columns(table, names):
    if lacking := [name for name in names if name not in table]:
        raise UserError(f"the table of detections has no column {lacking[0]!r}; it has "
                        f"{', '.join(map(str, table.columns)) or 'none'}")


def actions_of(truth: pd.DataFrame | Iterable[Mapping]) -> list[dict]:
    """Actions of one video, from a table or rows of an annotation file, as such rows."""
    if not hasattr(truth, "columns"):
        return list(truth)
    return [{"segment": [float(start), float(end)], "label": label} for start, end, label in
            zip(truth["start"], truth["end"], truth["label"], strict=True)]


def last_end(rows: list[dict]) -> float:
    """When the last row ends, in seconds; 1 if there are none."""
    return max((row["segment"][1] for row in rows), default=1.0)


def stores_of(videos: Mapping[str, np.ndarray | str | os.PathLike]) -> Iterator[FeatureStore]:
    """FeatureStores of arrays and of files. videos: {name: array or path}."""
    paths = {str(name): Path(value) for name, value in videos.items()
             if isinstance(value, str | os.PathLike)}
    arrays = {name: np.asarray(value)
              for name, value in videos.items() if name not in paths}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiu":
            raise UserError(f"video {name}: expected an array of numbers (n, D), or the "
                            f"path of a file, found {type(videos[name]).__name__}")
    if paths:
        for path in paths.values():
            open_places([path])     # says what is wrong with it
        yield FeatureStore({ONLY: FolderStream.of_files(paths)})
    if arrays:
        yield FeatureStore({ONLY: ArrayStream(arrays)})
