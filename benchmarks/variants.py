"""Train and score variants of the method, one table row per run, resumable.

    python benchmarks/variants.py demo
    python benchmarks/variants.py salads --data FOLDER     # rgb.h5, flow.h5, annotations.json
    python benchmarks/variants.py salads_options --data FOLDER --seeds 21
    python benchmarks/variants.py strong --data FOLDER     # the strong recipe, part by part
    python benchmarks/variants.py own --data FOLDER        # the defaults, settings by hand
    python benchmarks/variants.py demo --show              # the means so far, as Markdown

Every run goes through the four scripts as a user would call them. A finished run appends its rows
to benchmarks/results/<table>.csv at once and is not run again.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SCORED = ("0.3", "0.4", "0.5", "0.6", "0.7")

SAME_STEPS = "same steps"      # stands for the --num_epoch that takes as many as the table's own

PARTS = {
    "plain": ["--no-use_VSS", "--no-use_xGPN"],
    "+VSS": ["--no-use_xGPN"],
    "+xGPN": ["--no-use_VSS"],
    "both": [],
}
PLAIN_STEPS = {f"{name}, steps of VSS": [*PARTS[name], SAME_STEPS] for name in ("plain", "+xGPN")}

SALADS = ["--dataset", "custom", "--val_split", "test", "--framing", "sliding",
          "--train_subset", "training", "--subset", "testing",
          "--temporal_scale", "640", "--bb_hidden_dim", "64", "--num_neigh", "8",
          "--anchor_scale", "1", "1.5", "--short_seconds", "10"]
SALADS_PAPER = ["--recipe", "paper", "--batch_size", "8", "--train_lr", "5e-4", "--num_epoch", "80",
                "--step_size", "60"]
PAPER_DECODING = ["--infer_windows", "quarter", "--no-infer_clips", "--boundary_power", "1",
                  "--nms_thr", "0.4", "--no-nms_by_class", "--vote_iou", "1",
                  "--agreement_power", "0", "--clip_margin", "0"]

THUMOS = ["--dataset", "thumos", "--input_feat_dim", "204", "--decoder_num_classes", "20",
          "--temporal_scale", "256", "--bb_hidden_dim", "64", "--num_head_layers", "2",
          "--num_neigh", "8", "--stitch_gap", "8", "--short_seconds", "3"]

# What each table trains, and with what else than its own options it decodes some of that.
TABLES = {
    "demo": {
        "flags": ["--dataset", "demo", "--recipe", "paper", "--short_seconds", "1.5"],
        "variants": {**PARTS, **PLAIN_STEPS, "both, strong recipe": ["--recipe", "strong"]},
        "checkpoints": ("last", "best"),
        "decodings": {},
    },
    "salads": {
        "flags": [*SALADS, *SALADS_PAPER],
        "variants": PARTS,
        "checkpoints": ("last", "best"),
        "decodings": {},
    },
    "salads_options": {          # one option changed at a time, and more seeds of none
        "flags": [*SALADS, *SALADS_PAPER],
        "variants": {"both": [], "2 head layers": ["--num_head_layers", "2"],
                     "stitch_gap 8": ["--stitch_gap", "8"],
                     "anchors 1 2 4": ["--anchor_scale", "1", "2", "4"]},
        "checkpoints": ("last", "best"),
        "decodings": {},
    },
    "own": {                     # salads: the defaults for custom data against settings by hand
        "flags": ["--dataset", "custom", "--train_subset", "training", "--subset", "testing",
                  "--short_seconds", "10"],
        "variants": {"from the data": [],
                     "by hand": ["--temporal_scale", "640", "--bb_hidden_dim", "64",
                                 "--num_neigh", "8", "--anchor_scale", "1", "1.5"]},
        "checkpoints": ("last",),
        "decodings": {},
    },
    "thumos": {                  # synthetic: thumos_scale.py --scale 0.01 --rate 6 --learnable
        "flags": THUMOS,
        "variants": {"paper": ["--recipe", "paper", "--batch_size", "16", "--train_lr", "1e-3",
                               "--num_epoch", "12"],
                     "strong": ["--recipe", "strong"]},
        "checkpoints": ("last",),
        "decodings": {"strong": {"without clips at inference": ["--no-infer_clips"],
                                 "the paper's decoding": PAPER_DECODING}},
    },
    "strong": {
        "flags": [*SALADS, "--recipe", "strong", "--steps_per_epoch", "50"],
        "variants": {
            "strong": [],
            "without random windows": ["--no-random_windows", "--min_inside", "1", SAME_STEPS],
            "without padding mask": ["--no-mask_padding"],
            "without channel dropout": ["--feature_dropout", "0"],
            "without averaged weights": ["--ema", "0"],
            "without AdamW, clipping": ["--optimizer", "adam", "--weight_decay", "1e-4",
                                        "--clip_norm", "1e9"],
            "without cosine, warm-up": ["--schedule", "step", "--step_size", "11",
                                        "--warmup_steps", "0"],
            "without stitching": ["--no-use_VSS"],
            "without the graph": ["--no-use_xGPN"],
            "without both": ["--no-use_VSS", "--no-use_xGPN"],
        },
        "checkpoints": ("last",),
        "decodings": {"strong": {
            "start * end at full power": ["--boundary_power", "1"],
            "windows every quarter": ["--infer_windows", "quarter"],
            "without clips at inference": ["--no-infer_clips"],
            "with suppression in windows": ["--nms_thr", "0.4"],
            "soft-NMS over all classes": ["--no-nms_by_class"],
            "without voting": ["--vote_iou", "1"],
            "without margins of clips": ["--clip_margin", "0"],
            "without agreement": ["--agreement_power", "0"],
            "the paper's decoding": PAPER_DECODING,
        }},
    },
}


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    words = parse(argv)
    path = RESULTS / f"{words.table}.csv"
    if not words.show:
        # One thread per run: small networks gain nothing from a second one.
        variants = TABLES[words.table]["variants"]
        with ThreadPoolExecutor(words.jobs) as pool:
            runs = [pool.submit(train_and_score, words, variant, seed)
                    for seed in words.seeds for variant in words.variants or variants
                    if not is_done(path, variant, seed)]
            for finished in as_completed(runs):
                append(path, finished.result())
    print(markdown(pd.read_csv(path)))
    return 0


def parse(argv):
    """The options of the benchmark from its command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--data", help="folder of the dataset (demo: written if absent)")
    parser.add_argument("--annotations", help="folder of val_info.mat and test_info.mat (thumos)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[21, 22, 23])
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="only these of the table")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--show", action="store_true", help="print the table, run nothing")
    return parser.parse_args(argv)


def is_done(path, variant, seed):
    """Whether the table has a row for this variant and seed."""
    if not path.exists():
        return False
    rows = pd.read_csv(path)
    return bool(((rows.variant == variant) & (rows.seed == seed)).any())


def append(path, rows):
    """Add rows (dicts of the same keys) to the table, writing its header if it is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with open(path, "a+", newline="") as file:
        file.seek(0)
        # An older table may lack a column that the rows have by now.
        writer = csv.DictWriter(file, rows[0] if is_new else next(csv.reader(file)),
                                extrasaction="ignore")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


def train_and_score(words, variant, seed):
    """Cut, train, infer and score one variant with one seed; a row per checkpoint and decoding."""
    table = TABLES[words.table]
    with tempfile.TemporaryDirectory() as folder:
        places = [f"--window_path={folder}/windows", f"--checkpoint_path={folder}/checkpoint",
                  f"--output_path={folder}/output", f"--seed={seed}"]
        if words.data:
            places.append(f"--feature_path={words.data}")
        if words.annotations:
            places += [f"--video_anno={words.data}/thumos_gt.json",
                       f"--video_info={words.annotations}"]
        flags = [*table["flags"], *table["variants"][variant]]
        if SAME_STEPS in flags:
            flags.remove(SAME_STEPS)
            flags += ["--num_epoch", str(epochs_of_same_steps(table["flags"], flags, places,
                                                              folder))]
        run("Cut_long_videos.py", flags + places)
        cost = train(flags + places)
        rows = [{"variant": variant, "seed": seed, "checkpoint": checkpoint,
                 **scores_of(flags + places, folder, ["--checkpoint", checkpoint]), **cost}
                for checkpoint in table["checkpoints"]]
        for name, other in table["decodings"].get(variant, {}).items():
            run("Cut_long_videos.py", [*flags, *places, *other])
            rows.append({"variant": name, "seed": seed, "checkpoint": "last",
                         **scores_of(flags + places, folder, other), **cost})
    print(rows[0], flush=True)
    return rows


def train(flags):
    """Train a network. -> its cost: wall-clock seconds, CPU seconds, memory."""
    start = time.perf_counter()
    said, used = run_and_measure("Train.py", flags)
    return {"train_seconds": round(time.perf_counter() - start, 1),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "peak_gib": float(re.search(r"peak memory ([\d.]+) GiB", said).group(1))}


def scores_of(flags, folder, other):
    """Infer and score with `other` flags besides those of the training. -> figures of a row."""
    run("Infer.py", [*flags, *other])
    run("Eval.py", [*flags, *other])
    return picked(json.loads(Path(folder, "output", "metrics.json").read_text()))


def epochs_of_same_steps(own, flags, places, folder):
    """Epochs in which the training with `flags` takes as many steps as the one with `own`."""
    return round(steps(own + places, folder, epochs=None) / steps(flags + places, folder, epochs=1))


def steps(flags, folder, epochs):
    """Steps of a training of so many epochs; None: of its own number of epochs."""
    sys.path.insert(0, str(ROOT))
    from Utils.config.resolve import parse_config
    config = parse_config("Train", flags)
    if config.random_windows:
        return (epochs or config.num_epoch) * config.steps_per_epoch
    run("Cut_long_videos.py", flags)
    entries = json.loads(Path(folder, "windows", "train.json").read_text())["windows"]
    return (epochs or config.num_epoch) * (len(entries) // config.batch_size)


def picked(scores):
    """The figures of metrics.json that the tables show, in percent."""
    by_threshold = {f"{t:.1f}": 100 * value
                    for t, value in zip(scores["tiou_thresholds"], scores["mAP"], strict=True)}
    row = {f"mAP@{t}": round(by_threshold[t], 2) for t in SCORED}
    row["average"] = round(sum(by_threshold[t] for t in SCORED) / len(SCORED), 2)
    short = scores["short_actions"]
    row["short@0.5"] = round(100 * short["mAP"][scores["tiou_thresholds"].index(0.5)], 2)
    return row


def run(script, flags):
    """Call a script as a user would. -> its output; exits with its error."""
    return run_and_measure(script, flags)[0]


def run_and_measure(script, flags):
    """As `run`. -> output, the resources used (as from resource.getrusage)."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([sys.executable, str(ROOT / script), *flags], cwd=ROOT,
                                   stdout=said, stderr=subprocess.STDOUT,
                                   env={**os.environ, "OMP_NUM_THREADS": "1"})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        output = said.read()
    if process.returncode:
        raise SystemExit(f"{script} {' '.join(flags)} failed:\n{output}")
    return output, used


def markdown(rows):
    """Means over the seeds as a Markdown table, with the spread of the average."""
    figures = [name for name in rows if name.startswith(("mAP@", "average", "short@"))]
    lines = ["| variant | checkpoint | seeds | " + " | ".join(figures) + " | train s |",
             "|" + "---|" * (len(figures) + 4)]
    for (variant, checkpoint), group in rows.groupby(["variant", "checkpoint"], sort=False):
        cells = [f"{group[name].mean():.1f}" for name in figures]
        spread = f" ± {group['average'].std():.1f}" if len(group) > 1 else ""
        cells[figures.index("average")] += spread
        lines.append(f"| {variant} | {checkpoint} | {len(group)} | " + " | ".join(cells)
                     + f" | {group.train_seconds.mean():.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
