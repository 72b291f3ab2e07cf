"""SBHAR by its published protocol: thirty people, each detected by a network of the other 29.

    python benchmarks/sbhar.py --data FOLDER --folder RUN      # acc.h5, annotations.json
    python benchmarks/sbhar.py --data FOLDER --folder RUN --variants "without the graph" --folds 0 1
    python benchmarks/sbhar.py --data FOLDER --folder RUN --show

Windows of 50 samples, one every 25, are the feature vectors: 150 numbers, two per second. Every
setting is the project's default for custom data, except in the variants of an ablation. A
finished fold appends its row to benchmarks/results/sbhar.csv and leaves its detections in the
folder; a fold whose detections are there is not run again. The scores of all people pooled, in the
printed table, are those of Bock et al. 2024 (arXiv 2311.15831): mAP_N, tIoU 0.3 to 0.7, for
detections with a score above 0.3.
"""

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.variants import PAPER_DECODING, RESULTS, append, run, train
from DETAD.characteristics import bucket_table
from DETAD.normalized_precision import curves, rank_detections
from DETAD.sensitivity_analysis import bucket_means, sensitivity
from Evaluation.detection_file import read_detections
from Evaluation.metrics import action_table, align, average_precision, mean_over_classes
from Utils.segments import length

PATH = RESULTS / "sbhar.csv"
SAMPLES, STEP, UNIT = 50, 25, 720      # of a window; between two; counts per g
FEATURES_PER_SECOND = 2
TIOU = np.array([0.3, 0.4, 0.5, 0.6, 0.7])
LEAST_SCORE = 0.3                       # of a detection that the published figures count
DRAWS = 300                             # resampled sets of people, for the intervals
FLAGS = ["--dataset", "custom", "--train_subset", "training", "--subset", "testing",
         "--feature_fps", str(FEATURES_PER_SECOND)]
VARIANTS = {
    "strong": ["--recipe", "strong"],
    **{f"strong, {14 * steps} steps": ["--recipe", "strong", "--steps_per_epoch", str(steps)]
       for steps in (6, 12, 25, 50)},
    "without stitching": ["--recipe", "strong", "--no-use_VSS"],
    "without the graph": ["--recipe", "strong", "--no-use_xGPN"],
    "without both": ["--recipe", "strong", "--no-use_VSS", "--no-use_xGPN"],
    "the paper's decoding": ["--recipe", "strong", *PAPER_DECODING],
    "paper": ["--recipe", "paper", "--batch_size", "8", "--train_lr", "5e-4", "--num_epoch", "40",
              "--step_size", "30", "--bb_hidden_dim", "64"],
}


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    words = parse(argv)
    folder, data = Path(words.folder).resolve(), Path(words.data).resolve()
    people = prepare(data, folder)
    if not words.show:
        wanted = [(variant, seed, people[fold]) for seed in words.seeds
                  for variant in words.variants for fold in words.folds or range(len(people))]
        with ThreadPoolExecutor(words.jobs) as pool:
            list(pool.map(lambda one: finish(folder, words.flags.split(), *one), wanted))
    print(markdown(folder, words.variants, words.seeds))
    return 0


def parse(argv):
    """The options of the benchmark from its command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of acc.h5 and annotations.json")
    parser.add_argument("--folder", required=True, help="features and detections are kept here")
    parser.add_argument("--variants", nargs="+", default=["strong"], choices=VARIANTS,
                        metavar="NAME")
    parser.add_argument("--folds", nargs="+", type=int, help="numbers of people; all by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[21])
    parser.add_argument("--jobs", type=int, default=1, help="folds at a time, one thread each")
    parser.add_argument("--flags", default="", help="more options of the scripts, in one word")
    parser.add_argument("--show", action="store_true", help="print the table, run nothing")
    return parser.parse_args(argv)


def prepare(data, folder):
    """Write the features and the annotations of every fold, if missing. -> names of people."""
    content = json.loads((data / "annotations.json").read_text())
    people = list(content["database"])
    (folder / "features").mkdir(parents=True, exist_ok=True)
    features = folder / "features" / "acc.h5"
    if not features.exists():
        part = features.with_suffix(".part")
        with h5py.File(data / "acc.h5") as source, h5py.File(part, "w") as file:
            for person in people:
                file[person] = as_features(source[person][:])
        part.replace(features)
    for person in people:
        database = {name: {**video, "subset": "testing" if name == person else "training"}
                    for name, video in content["database"].items()}
        (folder / f"{person}.json").write_text(json.dumps({**content, "database": database}))
    return people


def as_features(samples):
    """(n, 3) counts -> (frames, 150) float32 in g: the windows of one axis after the other's."""
    starts = range(0, len(samples) - SAMPLES, STEP)
    return np.stack([samples[start:start + SAMPLES].T.ravel()
                     for start in starts]).astype(np.float32) / UNIT


def detections_of(folder, variant, seed, person):
    """Where the detections of one fold are kept."""
    return folder / "detections" / variant.replace(" ", "_") / str(seed) / f"{person}.json"


def finish(folder, more, variant, seed, person):
    """Train and detect one fold, unless its detections are there, and add its row."""
    path = detections_of(folder, variant, seed, person)
    if path.exists():
        return
    with tempfile.TemporaryDirectory(dir=folder) as own:
        flags = [*FLAGS, *VARIANTS[variant], *more, f"--feature_path={folder / 'features'}",
                 f"--video_anno={folder / person}.json", f"--window_path={own}/windows",
                 f"--checkpoint_path={own}/checkpoint", f"--output_path={own}/output",
                 f"--seed={seed}"]
        run("Cut_long_videos.py", flags)
        cost = train(flags)
        run("Infer.py", flags)
        run("Eval.py", flags)
        path.parent.mkdir(parents=True, exist_ok=True)
        Path(own, "output", "detections_postNMS.json").replace(path)
    row = {"variant": variant, "seed": seed, "person": person,
           **figures(truth_of(folder, [person]), [path]), **cost}
    append(PATH, [row])
    print(row, flush=True)


def truth_of(folder, people):
    """The actions of some people. -> ActionTable."""
    database = json.loads((folder / f"{people[0]}.json").read_text())["database"]
    own = {person: database[person]["annotations"] for person in people}
    classes = sorted({action["label"] for video in database.values()
                      for action in video["annotations"]})
    return action_table(
        [SimpleNamespace(name=person, segments=[action["segment"] for action in actions],
                         labels=[classes.index(action["label"]) for action in actions])
         for person, actions in own.items()], classes)


def figures(truth, paths):
    """What the tables show of some detection files together, in percent."""
    found = together([read_detections(path)[0] for path in paths])
    found = align(found, truth)
    plain = mean_over_classes(average_precision(truth, found, TIOU))
    cut = rank_detections(truth, found[found.scores > LEAST_SCORE], TIOU)
    whole = rank_detections(truth, found, TIOU)
    percent = {"mAP": plain.mean(), "mAP@0.5": plain[2], "mAP_N": normalized(whole),
               "mAP_N, score > 0.3": normalized(cut)}
    return {name: round(100 * float(value), 2) for name, value in percent.items()}


def normalized(ranking):
    """Mean AP_N over thresholds and classes with actions."""
    return curves(ranking).area[:, ranking.present].mean()


def by_length(truth, paths):
    """The published mAP_N on the actions of each length. -> {"0-3": percent}."""
    found = align(together([read_detections(path)[0] for path in paths]), truth)
    ranking = rank_detections(truth, found[found.scores > LEAST_SCORE], TIOU)
    buckets = bucket_table("thumos")["length"]
    inside = {"length": (buckets.labels, buckets.assign(length(truth.segments)))}
    return {name: 100 * value for name, value in bucket_means(
        sensitivity(ranking, truth.label, inside))["length"].items()}


def together(tables):
    """Tables of detections as one."""
    videos = tuple(dict.fromkeys(name for table in tables for name in table.videos))
    classes = tuple(dict.fromkeys(name for table in tables for name in table.classes))
    joined = [align(table, replace(table, videos=videos, classes=classes)) for table in tables]
    return replace(joined[0], **{name: np.concatenate([getattr(table, name) for table in joined])
                                 for name in ("video", "label", "segments", "scores")})


def markdown(folder, variants, seeds):
    """The pooled figures of the people that all variants have detected: a row per variant and seed.
    The last column is the 95 % interval of the difference from the first row in mAP_N (score >
    0.3), by resampling people."""
    runs = {(variant, seed): detections_of(folder, variant, seed, "x").parent
            for variant in variants for seed in seeds}
    runs = {run: place for run, place in runs.items() if place.is_dir()}
    people = sorted(set.intersection(*({path.stem for path in place.glob("*.json")}
                                       for place in runs.values()))) if runs else []
    if not people:
        return "no person has been detected by all of these variants"
    truth, drawn, lines = truth_of(folder, people), {}, []
    rows = pd.read_csv(PATH).drop_duplicates(["variant", "seed", "person"], keep="last")
    for (variant, seed), place in runs.items():
        paths = [place / f"{person}.json" for person in people]
        own = rows[(rows.variant == variant) & (rows.seed == seed) & rows.person.isin(people)]
        cells = figures(truth, paths) | by_length(truth, paths) | {
            "mAP per person": own["mAP"].mean(), "train s": own.train_seconds.mean(),
            "GiB": own.peak_gib.max()}
        drawn[variant, seed] = resampled(folder, place, people)
        if not lines:
            lines = ["| variant | seed | people | " + " | ".join(cells) + " | 95 % | difference |",
                     "|" + "---|" * (len(cells) + 5)]
        difference = drawn[variant, seed] - next(iter(drawn.values()))
        lines.append(" | ".join([f"| {variant}", str(seed), str(len(people)),
                                 *(f"{value:.1f}" for value in cells.values()),
                                 spread(drawn[variant, seed]), spread(difference)]) + " |")
    return "\n".join(lines)


def resampled(folder, place, people):
    """The published mAP_N on people drawn with replacement, in percent: (DRAWS,)."""
    everybody = truth_of(folder, people)
    truth, found = {}, {}
    for row, person in enumerate(people):
        table = align(read_detections(place / f"{person}.json")[0], everybody)
        truth[row] = everybody[everybody.video == row]
        found[row] = table[table.scores > LEAST_SCORE]
    picks = np.random.default_rng(0).integers(len(people), size=(DRAWS, len(people)))
    return np.array([100 * normalized(rank_detections(copies(truth, rows), copies(found, rows),
                                                      TIOU)) for rows in picks])


def copies(tables, rows):
    """The tables of the drawn people joined; one drawn twice counts as two people."""
    parts = [replace(tables[row], video=np.full(len(tables[row]), place))
             for place, row in enumerate(rows)]
    scores = None if parts[0].scores is None else np.concatenate([part.scores for part in parts])
    return replace(parts[0], scores=scores, videos=tuple(map(str, range(len(rows)))),
                   **{name: np.concatenate([getattr(part, name) for part in parts])
                      for name in ("video", "label", "segments")})


def spread(values):
    """The range that holds 95 % of the draws, as "low to high"."""
    low, high = np.percentile(values, (2.5, 97.5))
    return f"{low:.1f} to {high:.1f}"


if __name__ == "__main__":
    sys.exit(main())
