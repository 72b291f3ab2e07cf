"""Detections without a network: runs of frames with the same best class, and their mean score.

    python benchmarks/frame_baseline.py --scores rgb.h5 --video_anno annotations.json -o out.json
    python Eval.py --detections out.json --video_anno annotations.json

For features that are scores of frame classifiers: channel k is class k in the order of the names,
channel 0 the background (50 Salads, see benchmarks/README.md).
"""

import argparse
import json
import sys
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np


def main(argv=None):
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", required=True, help="HDF5, an array [frames, classes] a video")
    parser.add_argument("--video_anno", required=True)
    parser.add_argument("--subset", default="testing")
    parser.add_argument("-o", "--out", required=True)
    words = parser.parse_args(argv)
    database = json.loads(Path(words.video_anno).read_text())["database"]
    classes = sorted({action["label"] for video in database.values()
                      for action in video["annotations"]})
    with h5py.File(words.scores) as file:
        results = {name: runs(file[name][()], video["duration"], classes)
                   for name, video in database.items() if video["subset"] == words.subset}
    Path(words.out).write_text(json.dumps({"results": results}))
    return 0


def runs(scores, duration, classes):
    """Runs of the same best class: scores (n, 1 + K) -> rows of a detection file."""
    best = scores.argmax(axis=1)
    edges = np.flatnonzero(np.diff(best, prepend=-1, append=-1))
    seconds = duration / len(scores)
    return [{"label": classes[best[start] - 1], "segment": [start * seconds, end * seconds],
             "score": float(scores[start:end, best[start]].mean())}
            for start, end in pairwise(edges.tolist()) if best[start]]


if __name__ == "__main__":
    sys.exit(main())
