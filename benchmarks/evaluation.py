"""Eval.py as a whole process, on synthetic inputs of the sizes that people wait for.

    python benchmarks/evaluation.py [--runs 3] [--only NAME ...] [--data FOLDER]
    python benchmarks/evaluation.py --code OTHER_CHECKOUT --data FOLDER    # before and after

Inputs are random: actions, and detections around and between them. They are written
once to --data and read again by later calls, so that two versions of the code see the
same files.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from Evaluation.postprocessing.proposal_file import ProposalWriter
from Evaluation.postprocessing.proposals import Proposals
from Utils.config.resolve import resolve, settings
from Utils.data.demo import CLASSES, write_demo
from Utils.files import read_json, write_json
from Utils.inputs.windows import Window

BETWEEN_LOOKS = 0.1     # s, at the memory of a process and its children
DEMO_PROPOSALS = 8000   # per video: what `--recipe strong` leaves after an epoch
ANCHORS, VIDEOS = 1240, 4725     # of ActivityNet's validation videos


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    words = parse(argv)
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(words.data or temporary).resolve()
        print("| Eval of | s | CPU-s | peak GiB |\n|---|---|---|---|")
        for name in words.only or ROWS:
            folder, (write, about) = data / name, ROWS[name]
            if not folder.is_dir():
                write(folder)
            measured = [measure(words.code, folder) for _ in range(words.runs)]
            seconds, cpu, peak = map(statistics.median, zip(*measured, strict=True))
            print(f"| {about} | {seconds:.1f} | {cpu:.1f} | {peak / 2 ** 30:.2f} |", flush=True)
    return 0


def parse(argv):
    """The options of the benchmark from its command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, help="the table shows their median")
    parser.add_argument("--only", nargs="+", choices=ROWS)
    parser.add_argument("--data", help="a folder that keeps the inputs")
    parser.add_argument("--code", type=Path, default=ROOT, help="the checkout to measure")
    return parser.parse_args(argv)


def measure(code, folder):
    """Run the Eval.py of a checkout on an input. -> seconds, CPU-seconds, bytes."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        output = Path(place) / "output"
        shutil.copytree(folder / "run", output)
        words = read_json(folder / "words.json")
        begin = time.perf_counter()
        process = psutil.Popen([sys.executable, code / "Eval.py", *words, "--output_path", output],
                               cwd=folder, stdout=subprocess.DEVNULL)
        peak = 0
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            peak = max(peak, memory(process))
            time.sleep(BETWEEN_LOOKS)
        seconds, (_, status, usage) = time.perf_counter() - begin, ended
    if status:
        raise SystemExit(f"Eval.py failed on {folder}")
    # A busy machine may look too late: what the largest of the processes held counts at least.
    return seconds, usage.ru_utime + usage.ru_stime, max(peak, 1024 * usage.ru_maxrss)


def memory(process):
    """Bytes that a process and its children hold, shared pages counted once."""
    held = 0
    try:
        for each in (process, *process.children(recursive=True)):
            held += each.memory_full_info().pss
    except psutil.Error:      # it ended meanwhile
        pass
    return held


# ---- inputs -------------------------------------------------------------------------------------

def write_demo_run(folder, *words):
    """The demo's videos, with proposals of the strong recipe. words: further ones for Eval.py."""
    write_demo(folder / "data")
    database = read_json(folder / "data/annotations.json")["database"]
    rng, stored = np.random.default_rng(1), settings(resolve({"dataset": "demo"}))
    test = {name: entry for name, entry in database.items() if entry["subset"] == "test"}
    (folder / "run").mkdir()
    with ProposalWriter(folder / "run/proposals.h5", stored | {"classes": CLASSES}) as writer:
        for name, entry in test.items():
            actions = [(*action["segment"], CLASSES.index(action["label"]))
                       for action in entry["annotations"]]
            segments, scores, labels = around(rng, actions, entry["duration"], len(CLASSES),
                                              DEMO_PROPOSALS)
            window = Window(name, 0, 10 * entry["duration"], fps=10.0, duration=entry["duration"])
            writer.add(window, Proposals(segments, scores.astype(np.float32),
                                         labels.astype(np.int32) + 1))
    write_json(folder / "words.json", ["--dataset", "demo", "--feature_path", "data", *words])


def write_detections(folder, num_videos, per_video, num_classes=20):
    """A detection file and its ground truth, ten actions per video."""
    rng, classes = np.random.default_rng(2), [f"class {k}" for k in range(num_classes)]
    database, results = {}, {}
    for video in range(num_videos):
        name, actions = f"video_{video:05d}", random_actions(rng, 10, 300, num_classes)
        database[name] = entry_of(actions, classes, "testing", 300.0)
        segments, scores, labels = around(rng, actions, 300, num_classes, per_video)
        results[name] = [
            {"label": classes[label], "score": score, "segment": segment} for label, score, segment
            in zip(labels.tolist(), scores.round(6).tolist(), segments.round(1).tolist(),
                   strict=True)]
    (folder / "run").mkdir(parents=True)
    write_json(folder / "annotations.json", {"database": database})
    write_json(folder / "results.json", {"results": results})
    write_json(folder / "words.json", ["--detections", "results.json",
                                       "--video_anno", "annotations.json"])


def write_activitynet(folder):
    """ActivityNet's validation videos, proposals without classes, and video-level scores."""
    rng, classes = np.random.default_rng(3), [f"class {k:03d}" for k in range(200)]
    stored = settings(resolve({"dataset": "activitynet"})) | {"classes": classes}
    database, results, rows = {}, {}, ["video,numFrame,seconds,fps,rfps,subset,featureFrame"]
    (folder / "run").mkdir(parents=True)
    with ProposalWriter(folder / "run/proposals.h5", stored) as writer:
        for video in range(VIDEOS):
            name, seconds = f"v_{video:05d}", float(rng.uniform(20, 230))
            actions = random_actions(rng, rng.integers(1, 4), seconds, 1, rng.integers(200))
            database[name] = entry_of(actions, classes, "validation", seconds)
            rows.append(f"{name},{round(30 * seconds)},{seconds},30,30,validation,0")
            segments, scores, _ = around(rng, actions, seconds, 1, ANCHORS)
            writer.add(Window(name, 0, 100, fps=1.0, duration=seconds), Proposals(
                segments / seconds, scores.astype(np.float32), np.zeros(ANCHORS, np.int32)))
            scores = rng.dirichlet(np.full(len(classes), 0.1))
            results[name.removeprefix("v_")] = scores.round(8).tolist()
    write_json(folder / "anet_anno_action.json", database)
    write_json(folder / "anet_classes_idx.json", {name: k for k, name in enumerate(classes)})
    write_json(folder / "cuhk_val_simp_share.json", {"results": results, "class": classes})
    (folder / "video_info_new.csv").write_text("\n".join(rows) + "\n")
    write_json(folder / "words.json", ["--dataset", "activitynet",
                                       "--video_anno", "anet_anno_action.json",
                                       "--video_info", "video_info_new.csv",
                                       "--class_index", "anet_classes_idx.json",
                                       "--video_scores", "cuhk_val_simp_share.json"])


def random_actions(rng, count, seconds, num_classes, first_class=0):
    """[(start, end, class), ...] of a video."""
    start = rng.uniform(0, 0.9 * seconds, count)
    end = np.minimum(start + rng.lognormal(1.5, 1, count), seconds)
    return [*zip(start.tolist(), end.tolist(),
                 (first_class + rng.integers(num_classes, size=count)).tolist(), strict=True)]


def entry_of(actions, classes, subset, seconds):
    """A video of an annotation file."""
    return {"subset": subset, "duration": seconds, "duration_second": seconds, "annotations": [
        {"segment": [start, end], "label": classes[label]} for start, end, label in actions]}


def around(rng, actions, seconds, num_classes, count):
    """Scored segments, half of them around the actions. -> (n, 2), (n,), (n,)."""
    random = np.sort(rng.uniform(0, seconds, (count, 2)), axis=1)
    labels, scores = rng.integers(num_classes, size=count), rng.beta(0.5, 4, count)
    for row, action in zip(range(count // 2), rng.integers(len(actions), size=count), strict=False):
        start, end, label = actions[action]
        shift = rng.normal(0, 0.2 * (end - start), 2)
        random[row] = np.sort([start + shift[0], end + shift[1] + 1e-3])
        scores[row] = rng.beta(2, 2) * np.exp(-np.abs(shift).sum() / (end - start + 1e-3))
        labels[row] = label if rng.random() < 0.7 else labels[row]
    return random.clip(0, seconds), scores.clip(1e-6, 1), labels % num_classes


ROWS = {
    "demo": (write_demo_run, f"the demo, {DEMO_PROPOSALS} proposals per video, strong recipe"),
    "figures": (lambda folder: write_demo_run(folder, "--figures", "both"),
                "the same, with --figures both"),
    "thousand": (lambda folder: write_detections(folder, 1000, 30),
                 "30,000 detections in 1,000 videos"),
    "million": (lambda folder: write_detections(folder, 5000, 200),
                "1,000,000 detections in 5,000 videos"),
    "activitynet": (write_activitynet,
                    f"{VIDEOS} videos x {ANCHORS} proposals, class scores fused"),
}


if __name__ == "__main__":
    sys.exit(main())
