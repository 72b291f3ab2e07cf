"""The whole THUMOS14 recipe at its real sizes: cut, train, infer, evaluate, each stage timed.

    python benchmarks/thumos_scale.py --annotations FOLDER                # as the paper, for a GPU
    python benchmarks/thumos_scale.py --annotations FOLDER --scale 0.01   # a hundredth, for a CPU
    python benchmarks/thumos_scale.py --annotations FOLDER --scale 0.01 --rate 6 --learnable \\
        --only_data THERE                                                 # data to train on

FOLDER holds the real thumos_gt.json, val_info.mat and test_info.mat; features are random numbers
of the real lengths (30 per second), half precision on disk. --scale takes that share of the work:
of the videos its square root, and of the channels its square root. --learnable adds to the numbers
what distinguishes actions: three sub-actions in a different order per class.
"""

import argparse
import contextlib
import itertools
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from Utils.config.resolve import parse_config
from Utils.data.datasets import load_videos

FEATURES_A_SECOND = 30
CHANNELS = 1024                 # a stream
FILES = {"train": "val", "test": "test"}    # subset -> part of the name of its feature files


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    words = parse(argv)
    with tempfile.TemporaryDirectory(dir=words.work) as folder:
        folder, share = Path(folder), math.sqrt(words.scale)
        channels = max(8, round(CHANNELS * share))
        if words.only_data:
            folder = Path(words.only_data)
            folder.mkdir(parents=True, exist_ok=True)
        write_data(folder, words, share, channels)
        if words.only_data:
            return 0
        flags = ["--dataset", "thumos", f"--feature_path={folder}", f"--window_path={folder}/w",
                 f"--checkpoint_path={folder}/c", f"--output_path={folder}/o",
                 f"--video_anno={folder}/thumos_gt.json", f"--video_info={words.annotations}",
                 "--input_feat_dim", str(2 * channels), *words.flags]
        for script in ("Cut_long_videos", "Train", "Infer", "Eval"):
            start = time.perf_counter()
            said = run(script, flags)
            print(f"{script}: {time.perf_counter() - start:.1f} s; {said}", flush=True)
    return 0


def parse(argv):
    """The options of the benchmark from its command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", required=True)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--work", help="where the features go (10 GB at full scale)")
    parser.add_argument("--rate", type=float, default=30.0, help="features per second")
    parser.add_argument("--learnable", action="store_true", help="features of the actions in them")
    parser.add_argument("--only_data", help="write the data here, and run nothing")
    parser.add_argument("flags", nargs="*", help="further flags of the scripts, behind --")
    return parser.parse_args(argv)


def write_data(folder, words, share, channels):
    """Annotations of `share` of the videos, and features of their real lengths."""
    annotations = Path(words.annotations)
    config = parse_config("Train", ["--dataset", "thumos", "--video_anno",
                                    str(annotations / "thumos_gt.json")])
    videos, classes = load_videos(config)
    kept = [video for subset in FILES for video in chosen(videos, subset, share)]
    database = json.loads((annotations / "thumos_gt.json").read_text())["database"]
    (folder / "thumos_gt.json").write_text(json.dumps(
        {"database": {video.name: database[video.name] for video in kept}}))
    rng = np.random.default_rng(0)
    patterns = Patterns(len(classes), channels, rng) if words.learnable else None
    for subset, part in FILES.items():
        with contextlib.ExitStack() as files:
            streams = [files.enter_context(h5py.File(folder / f"{stream}_{part}.h5", "w"))
                       for stream in ("rgb", "flow")]
            for video in (video for video in kept if video.subset == subset):
                for number, stream in enumerate(streams):
                    frames = round(video.duration * words.rate)
                    values = rng.standard_normal((frames, channels), dtype=np.float32)
                    if patterns:
                        patterns.add(values, video, words.rate, number)
                    stream[video.name] = values.astype(np.float16)


class Patterns:
    """What distinguishes synthetic actions: unit vectors of sub-actions, in one order per class."""

    SUBACTIONS, PARTS, SIZE = 6, 3, 2.0     # SIZE against noise of 1 per channel

    def __init__(self, num_classes, channels, rng):
        vectors = rng.standard_normal((2, self.SUBACTIONS, channels))
        self.vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True) * self.SIZE
        orders = list(itertools.permutations(range(self.SUBACTIONS), self.PARTS))
        self.orders = [orders[row] for row in rng.permutation(len(orders))[:num_classes]]

    def add(self, values, video, rate, stream):
        """Add the actions of a video to its features (frames, channels) of one stream."""
        for (start, end), label in zip(video.segments * rate, video.labels, strict=True):
            edges = np.linspace(start, end, self.PARTS + 1).round().astype(int).clip(0)
            for number, part in enumerate(self.orders[label - 1]):
                values[edges[number]:edges[number + 1]] += self.vectors[stream, part]


def chosen(videos, subset, share):
    """Every n-th video of a subset, for a share of 1 / n."""
    there = [video for video in videos if video.subset == subset]
    return there[::max(1, round(1 / share))]


def run(script, flags):
    """Run a script. -> its last line; exits with its error if it fails."""
    done = subprocess.run([sys.executable, str(ROOT / f"{script}.py"), *flags], cwd=ROOT,
                          capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script}.py failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main())
