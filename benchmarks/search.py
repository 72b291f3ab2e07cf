"""Search for better settings of the strong recipe by cross-validation in the training videos.

    python benchmarks/search.py --data FOLDER              # rgb.h5, flow.h5, annotations.json
    python benchmarks/search.py --data FOLDER --trials "anchors 1 2 4" --seeds 21 22 23
    python benchmarks/search.py --show                     # the trials so far, as Markdown

The test videos are never read: the training videos are dealt into four folds, each
detected by a network trained on the other three, and all detections are scored
together. A finished trial appends its row to benchmarks/results/search.csv at once and
is not run again. A trial that only changes decoding uses the networks of the recipe.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.variants import RESULTS, SALADS, append, picked, run

FOLDS = 4
PATH = RESULTS / "search.csv"
# The recipe before the search, which left out no channels and kept 200 proposals of a class.
DATA_FLAGS = [*SALADS, "--recipe", "strong", "--steps_per_epoch", "50", "--feature_dropout", "0",
              "--max_per_class", "200"]
DROPOUT = ["--feature_dropout", "0.1"]

# name: (flags of training and decoding, flags of decoding alone)
TRIALS = {
    "start": ([], []),
    "anchors 1 2 4": (["--anchor_scale", "1", "2", "4"], []),
    "feature_dropout 0.1": (DROPOUT, []),
    "feature_dropout 0.3": (["--feature_dropout", "0.3"], []),
    "decode: sigma 0.3": ([], ["--nms_alpha_detect", "0.3"]),
    "decode: vote_iou 0.6": ([], ["--vote_iou", "0.6"]),
    "decode: vote_iou 0.8": ([], ["--vote_iou", "0.8"]),
    "decode: boundary_power 0.5": ([], ["--boundary_power", "0.5"]),
    "decode: boundary_power 0.1": ([], ["--boundary_power", "0.1"]),
    "decode: windows every quarter": ([], ["--infer_windows", "quarter"]),
    "decode: no clips": ([], ["--no-infer_clips"]),
    "dropout 0.1, 28 epochs": ([*DROPOUT, "--num_epoch", "28"], []),
    "dropout 0.1, C 128": ([*DROPOUT, "--bb_hidden_dim", "128"], []),
    "dropout 0.1, 2 head layers": ([*DROPOUT, "--num_head_layers", "2"], []),
    "dropout 0.1, anchors 1 2 4": ([*DROPOUT, "--anchor_scale", "1", "2", "4"], []),
    "dropout 0.1, clip_share 0.6": ([*DROPOUT, "--clip_share", "0.6"], []),
    "dropout 0.1, decode: boundary_power 0.1": (DROPOUT, ["--boundary_power", "0.1"]),
    "dropout 0.1, decode: 500 of a class": (DROPOUT, ["--max_per_class", "500"]),
    "dropout 0.1, decode: 2000 of a class": (DROPOUT, ["--max_per_class", "2000"]),
    "dropout 0.1, decode: 10000 of a class": (DROPOUT, ["--max_per_class", "10000"]),
}


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the dataset")
    parser.add_argument("--trials", nargs="+", default=list(TRIALS), choices=TRIALS, metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[21])
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--networks", help="keep the trained networks in this folder")
    parser.add_argument("--show", action="store_true", help="print the table, run nothing")
    words = parser.parse_args(argv)
    if not words.show:
        with tempfile.TemporaryDirectory() as folder:
            search(words, Path(words.networks or folder).resolve())
    print(markdown(pd.read_csv(PATH)))
    return 0


def search(words, folder):
    """Run every trial with every seed that the table lacks."""
    folds = write_folds(Path(words.data).resolve(), folder)
    done = ({(row.trial, row.seed) for row in pd.read_csv(PATH).itertuples()} if PATH.exists()
            else set())
    with ThreadPoolExecutor(words.jobs) as pool:
        for seed in words.seeds:
            for name in (name for name in words.trials if (name, seed) not in done):
                train, decode = TRIALS[name]
                start = time.perf_counter()
                found = list(pool.map(lambda fold, train=train, decode=decode, seed=seed:
                                      detect(folder, fold, train, decode, seed), folds))
                scores = score(words.data, folder, found)
                row = {"trial": name, "seed": seed, **picked(scores),
                       "seconds": round(time.perf_counter() - start)}
                append(PATH, [row])
                print(row, flush=True)


def write_folds(data, folder):
    """Data folders whose test videos are a fold of the training videos."""
    content = json.loads((data / "annotations.json").read_text())
    names = sorted(name for name, video in content["database"].items()
                   if video["subset"] == "training")
    for fold in range(FOLDS):
        place = folder / f"fold{fold}"
        place.mkdir(parents=True, exist_ok=True)
        for file in ("rgb.h5", "flow.h5"):
            if not (place / file).exists():
                os.symlink(data / file, place / file)
        database = {name: {**content["database"][name],
                           "subset": "testing" if row % FOLDS == fold else "training"}
                    for row, name in enumerate(names)}
        (place / "annotations.json").write_text(json.dumps({**content, "database": database}))
    return range(FOLDS)


def detect(folder, fold, train, decode, seed):
    """Train without a fold, unless that was done before, and detect in it. -> detections."""
    data = folder / f"fold{fold}"
    key = "_".join([*train, str(seed), str(fold)]).replace("-", "").replace(" ", "") or "recipe"
    places = [f"--feature_path={data}", f"--checkpoint_path={folder / 'networks' / key}",
              f"--seed={seed}"]
    with tempfile.TemporaryDirectory() as own:
        own_places = [*places, f"--window_path={own}/windows", f"--output_path={own}/output"]
        flags = [*DATA_FLAGS, *train]
        run("Cut_long_videos.py", [*flags, *decode, *own_places])
        if not (folder / "networks" / key / "checkpoint.pth.tar").exists():
            run("Train.py", [*flags, *own_places])
        run("Infer.py", [*own_places, *decode])
        run("Eval.py", [*flags, *decode, *own_places])
        return json.loads(Path(own, "output", "detections_postNMS.json").read_text())


def score(data, folder, found):
    """The scores of the detections of all folds together, over all training videos."""
    merged = {**found[0], "results": {name: rows for part in found
                                      for name, rows in part["results"].items()}}
    with tempfile.TemporaryDirectory(dir=folder) as own:
        path = Path(own, "detections.json")
        path.write_text(json.dumps(merged))
        run("Eval.py", ["--detections", str(path), "--dataset", "custom", "--subset", "training",
                        "--video_anno", str(Path(data) / "annotations.json"),
                        "--short_seconds", "10"])
        return json.loads(Path(own, "metrics.json").read_text())


def markdown(rows):
    """Means over the seeds of each trial as a Markdown table, best average first."""
    means = rows.groupby("trial").agg(seeds=("seed", "count"), average=("average", "mean"),
                                      spread=("average", "std"), at=("mAP@0.5", "mean"),
                                      short=("short@0.5", "mean"))
    lines = ["| trial | seeds | average | mAP@0.5 | short@0.5 |", "|---|---|---|---|---|"]
    for row in means.sort_values("average", ascending=False).itertuples():
        spread = f" ± {row.spread:.1f}" if row.seeds > 1 else ""
        lines.append(f"| {row.Index} | {row.seeds} | {row.average:.1f}{spread} | {row.at:.1f} | "
                     f"{row.short:.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
