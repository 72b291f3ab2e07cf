"""How well a linear classifier recognizes single steps by the descriptors of `motion`.

    python benchmarks/steps.py sprites --folder RUN     # the RUN of benchmarks/descriptors.py
    python benchmarks/steps.py falls --data FOLDER --folder RUN

A step counts for the action in its middle, or for the background. Ridge regression on a step and
its two neighbours, classes weighted alike, is fitted on the training videos. How strongly it is
regularized is chosen among them by three-fold cross-validation, and the test videos are scored
once. The figure is the mean recall of the classes and the background; its deviation is that of
1,000 draws of the test videos with repetition. Rows go to benchmarks/results/video_steps.csv.
`--part training` leaves the test videos alone: the figure is that of the cross-validation.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.descriptors import (
    DESCRIPTORS,
    FLOWS,
    OWN,
    channels,
    common_parser,
    extract,
    places,
)
from benchmarks.variants import RESULTS, append

PATH = RESULTS / "video_steps.csv"
RATE = 5            # steps per second
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)
FOLDS, DRAWS = 3, 1000


def main(argv=None):
    parser = common_parser(__doc__)
    parser.add_argument("--flows", nargs="+", choices=FLOWS, default=[OWN], metavar="NAME",
                        help="the one that `motion` uses by default")
    words = parser.parse_args(argv)
    folder, videos, annotations = places(words)
    database = json.loads(annotations.read_text())["database"]
    classes = sorted({action["label"] for video in database.values()
                      for action in video["annotations"]})
    for flow in words.flows:
        extract(videos, folder / flow, flow, annotations)
        train, test = ([one_video(folder / flow / f"{name}.npy", video, classes)
                        for name, video in database.items() if video["subset"].startswith(part)]
                       for part in ("train", "test"))
        if words.part == "training":
            train, test = train + test, []
        for name in words.descriptors or DESCRIPTORS:
            rows = result(train, test, channels(name), len(classes) + 1)
            row = {"table": words.table, "part": words.part, "flow": flow, "descriptors": name,
                   **rows}
            append(PATH, [row])
            print(row, flush=True)
    return 0


def one_video(path, video, classes):
    """Features (n, D) float32 and labels (n,) of the steps of a video; 0 is the background."""
    features = np.load(path)
    middles = (np.arange(len(features)) + 0.5) / RATE
    labels = np.zeros(len(features), int)
    for action in video["annotations"]:
        start, end = action["segment"]
        labels[(middles >= start) & (middles < end)] = 1 + classes.index(action["label"])
    return features, labels


def result(train, test, chosen, count):
    """Mean recall in percent with the penalty that the training videos prefer, and its deviation.

    train, test: lists of (features, labels) of one video each; without test videos, the recall is
    that of the cross-validation. chosen: channels. count: of classes.
    """
    train, test = ([(with_neighbours(features[:, chosen]), labels) for features, labels in part]
                   for part in (train, test))
    scores, tables = cross_validated(train, count)
    best = int(scores.argmax())
    tables = tables[best]
    if test:
        fitted, = fits(train, [PENALTIES[best]], count)
        tables = np.stack(confusions(fitted, test, count))
    draws = np.random.default_rng(0).integers(0, len(tables), (DRAWS, len(tables)))
    spread = np.std([recall(tables[draw].sum(axis=0)) for draw in draws])
    return {"channels": len(chosen), "penalty": PENALTIES[best],
            "recall": round(recall(tables.sum(axis=0)), 1), "deviation": round(float(spread), 1)}


def cross_validated(train, count):
    """Per penalty: the sum of the folds' recalls, and the confusion matrices of all videos.

    -> (P,), (P, V, count, count).
    """
    scores, tables = np.zeros(len(PENALTIES)), [[] for _ in PENALTIES]
    for fold in range(FOLDS):
        inner = [video for number, video in enumerate(train) if number % FOLDS != fold]
        for number, fitted in enumerate(fits(inner, PENALTIES, count)):
            found = confusions(fitted, train[fold::FOLDS], count)
            scores[number] += recall(sum(found))
            tables[number] += found
    return scores, np.array(tables)


def with_neighbours(features):
    """Each step beside the one before and the one after it; edges repeated. (n, D) -> (n, 3 D)."""
    padded = np.pad(features, ((1, 1), (0, 0)), mode="edge")
    return np.concatenate([padded[:-2], padded[1:-1], padded[2:]], axis=1)


def fits(videos, penalties, count):
    """Ridge regressions of the classes on standardized features. -> list of (mean, factor, W)."""
    features = np.concatenate([part for part, _ in videos])
    labels = np.concatenate([part for _, part in videos])
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    factor = np.where(deviation > 0, 1 / np.maximum(deviation, 1e-12), 0)
    inputs = standardized(features, mean, factor)
    weights = (1 / np.bincount(labels, minlength=count).clip(1))[labels]
    weighted = inputs * (weights / weights.sum())[:, None].astype(np.float32)
    gram, right = weighted.T @ inputs, weighted.T @ np.eye(count, dtype=np.float32)[labels]
    return [(mean, factor, np.linalg.solve(gram + penalty * np.eye(len(gram), dtype=np.float32),
                                           right)) for penalty in penalties]


def standardized(features, mean, factor):
    """(n, D) -> (n, D + 1) float32, with a column of ones."""
    scaled = ((features - mean) * factor).astype(np.float32)
    return np.concatenate([scaled, np.ones((len(scaled), 1), np.float32)], axis=1)


def confusions(fitted, videos, count):
    """The confusion matrix (truth, guess) of each video."""
    mean, factor, weights = fitted
    found = []
    for features, labels in videos:
        guesses = (standardized(features, mean, factor) @ weights).argmax(axis=1)
        found.append(np.bincount(labels * count + guesses, minlength=count ** 2).reshape(
            count, count))
    return found


def recall(table):
    """The mean recall of the classes that occur, in percent."""
    counts = table.sum(axis=1)
    return float(100 * (table.diagonal()[counts > 0] / counts[counts > 0]).mean())


if __name__ == "__main__":
    sys.exit(main())
