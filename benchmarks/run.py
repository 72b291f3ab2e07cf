"""Time the optimized parts against their plain versions, alternating in one process.

    python benchmarks/run.py [--size small|thumos] [--only NAME ...] [--runs N] [--threads N]
    python benchmarks/run.py --memory [--steps 50]      # peak memory of training steps, batch 4

Prints a table (medians after a warm-up; ratio of CPU and of wall time; targets of the
specification) and writes benchmarks/results/benchmark_<size>.json. Ratios hold on a noisy machine.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")     # no spinning; before torch

import argparse
import json
import platform
import resource
import statistics
import sys
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import torch

from benchmarks.cases import CASES, training_step

# What the ratio should be at least; of rows without a plain run, the seconds at most.
TARGETS = {"forward": 9, "forward4": 9, "step": 4, "step4": 4, "targets": 20, "item-disk": 3,
           "stitched-disk": 2, "item-ram": 10, "stitched-ram": 10, "window": 5, "soft-nms": 30,
           "soft-nms-60k": 30, "map": 50}
LIMITS = {"map-anet": 10, "recall": 2, "detad": 5}


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    words = parse(argv)
    torch.set_num_threads(words.threads)
    if words.memory:
        print(memory(words.steps))
        return 0
    rows = []
    print("| work | ours | plain | ratio, CPU | ratio, wall | target |\n|---|---|---|---|---|---|")
    for name in words.only or CASES:
        rows.append(measure(name, words))
        print(markdown(rows[-1]), flush=True)
    path = ROOT / "benchmarks" / "results" / f"benchmark_{words.size}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({
        "date": str(date.today()), "python": platform.python_version(), "torch": torch.__version__,
        "numpy": np.__version__, "threads": words.threads, "runs": words.runs, "rows": rows},
        indent=1) + "\n")
    return 0


def parse(argv):
    """The options of the benchmark from its command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("small", "thumos"), default="small")
    parser.add_argument("--only", nargs="+", choices=CASES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--steps", type=int, default=50)
    return parser.parse_args(argv)


def measure(name, words):
    """Medians of ours and plain, run in turn after a warm-up of ours."""
    what, build = CASES[name]
    ours, plain = build(words.size)
    ours()
    times = {"ours": [], "plain": []}
    for _ in range(words.runs):
        for kind, call in (("ours", ours), ("plain", plain)):
            if call is not None:
                times[kind].append(timed(call))
    row = {"name": name, "what": what, "target": TARGETS.get(name) or LIMITS.get(name)}
    for kind, found in times.items():
        for clock, column in zip(("cpu", "wall"), zip(*found, strict=True), strict=False):
            row[f"{kind}_{clock}"] = statistics.median(column)
    for clock in ("cpu", "wall"):
        if plain is not None:
            row[f"ratio_{clock}"] = row[f"plain_{clock}"] / row[f"ours_{clock}"]
    return row


def timed(call):
    """CPU and wall seconds of one call; calls shorter than 20 ms are repeated."""
    count, cpu, wall = 0, time.process_time(), time.perf_counter()
    while not count or time.perf_counter() - wall < 0.02:
        call()
        count += 1
    return (time.process_time() - cpu) / count, (time.perf_counter() - wall) / count


def markdown(row):
    """A measured row as a line of the table."""
    shown = f"| {row['what']} | {1000 * row['ours_wall']:.1f} ms |"
    if "plain_wall" not in row:
        return f"{shown} - | - | - | under {row['target']} s |"
    return (f"{shown} {1000 * row['plain_wall']:.0f} ms | {row['ratio_cpu']:.1f} | "
            f"{row['ratio_wall']:.1f} | {row['target']} |")


def memory(steps):
    """Peak resident memory after 1, 5 and all of `steps` training steps, paper's sizes, batch 4."""
    step, _ = training_step("thumos", 4)
    peaks = []
    for _ in range(steps):
        step()
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20)
    return "; ".join(f"step {number}: {peaks[number - 1]:.2f} GiB"
                     for number in sorted({1, min(5, steps), steps}))


if __name__ == "__main__":
    sys.exit(main())
