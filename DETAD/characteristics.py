"""Characteristics of actions, and the buckets into which they fall (DETAD, Sec. 3).

Characteristics are a dict of name -> (n,) float64 for a table of n actions; NaN if
unknown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from Evaluation.metrics import ActionTable
from Utils.files import UserError
from Utils.segments import length

# Names as in DETAD's files, in the order of its figures;
# one file has num_instances instead.
NAMES = ("context-size", "context-distance", "agreement", "coverage", "length", "num-instances")

_SIZES = ("XS", "S", "M", "L", "XL")
_ACTIVITYNET = {
    "context-size": ((-1, 0, 1, 2, 3, 4, 5, 6), ("0", "1", "2", "3", "4", "5", "6")),
    "context-distance": ((-1, 0, 1, 2, 3), ("Inf", "N", "M", "F")),
    "agreement": ((0, 0.2, 0.4, 0.6, 0.8, 1), ("XW", "W", "M", "H", "XH")),
    "coverage": ((0, 0.2, 0.4, 0.6, 0.8, 1), _SIZES),
    "length": ((0, 30, 60, 120, 180, math.inf), _SIZES),
    "num-instances": ((-1, 1, 4, 8, math.inf), _SIZES[:4]),
}
_THUMOS = {
    "coverage": ((0, 0.02, 0.04, 0.06, 0.08, 1), _SIZES),
    "length": ((0, 3, 6, 12, 18, math.inf), _SIZES),
    "num-instances": ((-1, 1, 40, 80, math.inf), _SIZES[:4]),
}
TABLES = {"activitynet": _ACTIVITYNET, "thumos": _THUMOS, "quantile": _ACTIVITYNET}
# Units of the limits, and which values are whole numbers.
UNITS = {"length": "s", "coverage": "% of the video", "num-instances": "per video"}
FACTORS = {"coverage": 100}
WHOLE = ("num-instances",)
# Buckets with self-explanatory labels; their official limits are not quantities.
NAMED = ("context-size", "context-distance")
# The original project diagnosed THUMOS14 with ActivityNet's lengths.
VSGN_LENGTHS = _ACTIVITYNET["length"][0]


@dataclass(frozen=True)
class Buckets:
    """Intervals (edges[i], edges[i + 1]] of one characteristic.

    The first one includes its left edge. Equal neighbouring edges (quantiles of few
    distinct values) give an empty bucket.
    """
    edges: tuple[float, ...]
    labels: tuple[str, ...]
    name: str = ""

    def assign(self, values: np.ndarray | Sequence[float]) -> np.ndarray:
        """Bucket of each value: (n,) float -> (n,) int, -1 for NaN and outside."""
        values = np.asarray(values, dtype=np.float64)
        found = np.searchsorted(self.edges, values, side="left") - 1
        found[values == self.edges[0]] = 0
        found[~((values >= self.edges[0]) & (values <= self.edges[-1]))] = -1
        return found

    @property
    def limits(self) -> tuple[str, ...]:
        """The intervals in figures, such as `0-3`, `>6`, or `1`, `2-4` for whole numbers.

        "" if the label says enough.
        """
        if self.name in NAMED:
            return tuple("" for _ in self.labels)
        factor, whole = FACTORS.get(self.name, 1), self.name in WHOLE
        return tuple(f">{low:.3g}" if high == math.inf else
                     _whole_limits(low, high) if whole else f"{low:.3g}-{high:.3g}"
                     for low, high in pairwise(factor * edge for edge in self.edges))

    def describe(self) -> str:
        """The intervals in words, such as `XS 0-3, S 3-6, M >6 s`."""
        parts = (f"{label} {limit}".rstrip()
                 for label, limit in zip(self.labels, self.limits, strict=True))
        return f"{', '.join(parts)} {UNITS.get(self.name, '')}".rstrip()


def _whole_limits(low, high):
    """The whole numbers from 1 on that are above `low` and at most `high`, as text."""
    first = max(int(low) + 1, 1)
    return f"{high:g}" if first >= high else f"{first}-{high:g}"


def bucket_table(table: str, length_bins: str = "official",
                 characteristics: dict | None = None) -> dict[str, Buckets]:
    """The buckets of each characteristic: name -> Buckets.

    table: "thumos", "activitynet", or "quantile": lengths cut at the 20, 40, 60, 80 %
    quantiles of the data, the rest as on ActivityNet. length_bins: "vsgn" takes the
    lengths of the original project instead. characteristics: name -> (n,) of the data.
    Where the official coverage puts every action into one bucket, it is cut at quantiles
    too (see `notes_on`).
    """
    buckets = {name: Buckets(edges, labels, name)
               for name, (edges, labels) in TABLES[table].items()}
    values = characteristics or {}
    if length_bins == "vsgn":
        buckets["length"] = replace(buckets["length"], edges=VSGN_LENGTHS)
    elif table == "quantile" and np.isfinite(values.get("length", ())).any():
        buckets["length"] = by_quantiles(buckets["length"], values["length"], math.inf)
    known = buckets["coverage"].assign(values.get("coverage", ()))
    known = known[known >= 0]
    if len(known) > 1 and len(np.unique(known)) == 1:
        inside = values["coverage"][values["coverage"] <= 1]
        spread = by_quantiles(buckets["coverage"], inside, 1)
        # otherwise buckets would be empty
        if len(set(spread.edges)) == len(spread.edges):
            buckets["coverage"] = spread
    return buckets


def by_quantiles(buckets: Buckets, values: np.ndarray, last: float) -> Buckets:
    """The same buckets with limits at the 20, 40, 60 and 80 % quantiles.

    values: (n,) float, at least 0, NaN if unknown.
    """
    inner = np.nanquantile(values, (0.2, 0.4, 0.6, 0.8)).tolist()
    return replace(buckets, edges=(0, *inner, last))


def notes_on(table: str, buckets: dict[str, Buckets]) -> list[str]:
    """Sentences that explain the limits to a reader."""
    official = TABLES[table]["coverage"][0]
    if buckets["coverage"].edges == official:
        return []
    return ["The official limits of coverage put every action into one bucket; here "
            "coverage is cut into five equal parts of the data."]


def read_characteristics(
        content: object, subset: str, source: object = "the DETAD file"
) -> tuple[ActionTable, dict[str, np.ndarray]]:
    """Actions and their characteristics, from the content of an official DETAD file.

    content: the file's JSON. subset: its name there, or how that begins: `test` finds
    `testing`. Returns ActionTable (videos, classes and actions in file order),
    characteristics. Raises UserError where videos, labels or segments are missing.
    """
    if not isinstance(content, dict) or not isinstance(content.get("database"), dict):
        raise UserError(f"{source} has no object \"database\"; give a file of DETAD's layout")
    try:
        chosen = {video: entry["annotations"] for video, entry in content["database"].items()
                  if entry["subset"].startswith(subset)}
        annotations = [(video, annotation)
                       for video, own in chosen.items() for annotation in own]
        truth = _table(tuple(chosen), annotations)
        characteristics = {name: _column(name, annotations) for name in NAMES}
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise UserError(f"{source}: an entry lacks a subset, annotations, or in one of "
                        "these a label, two seconds of a segment or a number "
                        f"({problem!r})") from problem
    if not chosen:
        found = ", ".join(sorted({entry["subset"]
                                  for entry in content["database"].values()}))
        raise UserError(f"{source} has no video of subset {subset}; it has: {found or 'none'}")
    return truth, characteristics


def compute_characteristics(truth: ActionTable, durations: dict) -> dict[str, np.ndarray]:
    """Length, coverage and num-instances of every action, computed if no file has them.

    truth: ActionTable. durations: dict of video -> seconds; without one, coverage is NaN.
    """
    seconds = np.array([durations.get(video) or math.nan
                        for video in truth.videos], np.float64)
    lengths = length(truth.segments)
    return {
        "coverage": lengths / seconds[truth.video],
        "length": lengths,
        "num-instances": np.bincount(truth.video, minlength=len(truth.videos))[truth.video] * 1.0,
    }


def usable_actions(truth: ActionTable,
                   characteristics: dict[str, np.ndarray]) -> np.ndarray:
    """Whether DETAD counts each action: start < end, coverage at most 1. -> (n,) bool."""
    usable = truth.segments[:, 0] < truth.segments[:, 1]
    if "coverage" in characteristics:
        usable &= ~(characteristics["coverage"] > 1)
    return usable


def _table(videos, annotations):
    """ActionTable of (video, annotation) pairs; classes are ordered by their first action."""
    classes = tuple(dict.fromkeys(annotation["label"] for _, annotation in annotations))
    video_id = {video: index for index, video in enumerate(videos)}
    class_id = {label: index for index, label in enumerate(classes)}
    return ActionTable(
        videos=videos, classes=classes,
        video=np.array([video_id[video] for video, _ in annotations], dtype=np.int64),
        label=np.array([class_id[a["label"]] for _, a in annotations], dtype=np.int64),
        segments=np.array([a["segment"] for _, a in annotations],
                          np.float64).reshape(len(annotations), 2),
        scores=None)


def _column(name, annotations):
    """One characteristic of all annotations: (n,) float64, NaN if null or missing."""
    values = [a.get(name, a.get(name.replace("-", "_"))) for _, a in annotations]
    return np.array([math.nan if value is None else value
                     for value in values], np.float64)
