"""Which optical flow and which descriptors serve `motion` best, by whole runs.

    python benchmarks/descriptors.py sprites --folder RUN                 # the demo's videos
    python benchmarks/descriptors.py falls --data FOLDER --folder RUN     # a folder of the videos
    python benchmarks/descriptors.py falls --folder RUN --show

Each flow is extracted once, with every descriptor; a variant takes its channels. It is cut,
trained with the project's own choices (`--epochs` may be fewer), inferred and scored by the four
scripts. benchmarks/results/video.csv gets a row per seed; rows that exist are not run again.
`--part training` leaves the test videos alone: every third training video is tested on, and the
others train.
"""

import argparse
import contextlib
import io
import json
import resource
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

import Cut_long_videos
import Eval
import Infer
import Train
from benchmarks.variants import RESULTS, append, picked
from Engine.inference.extraction import Extraction
from Models.extractors.motion import BINS, GRIDS, Flow, Motion
from Utils.data.annotation_files import read_records
from Utils.files import write_json
from Utils.video.demo_videos import ANNOTATIONS, ensure_demo_videos
from Utils.video.listing import find_videos

PATH = RESULTS / "video.csv"
OWN = "Farneback, half size"     # that of `motion`
FLOWS = {
    OWN: Flow,
    "DIS": lambda: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST),
    "DIS ultrafast": lambda: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
    "DIS medium": lambda: cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
    "Farneback": lambda: cv2.FarnebackOpticalFlow.create(numLevels=4, winSize=11),
    "Farneback, 1 iteration": lambda: cv2.FarnebackOpticalFlow.create(numLevels=4, winSize=11,
                                                                      numIters=1),
}
# Planes of the descriptors, as Models.extractors.motion.Cells orders them; the share of still
# pixels belongs to the flow.
HOG, HOF, MBH = range(BINS), [*range(BINS, 2 * BINS), 4 * BINS], range(2 * BINS, 4 * BINS)
LIGHT = (4 * BINS + 1, 4 * BINS + 2)
DESCRIPTORS = {"HOF": [*HOF], "HOF, MBH": [*HOF, *MBH], "HOG, HOF, MBH": [*HOG, *HOF, *MBH],
               "HOG, HOF, MBH, light": [*HOG, *HOF, *MBH, *LIGHT]}
ALL = "HOG, HOF, MBH, light"
VARIANTS = [*((OWN, name) for name in reversed(DESCRIPTORS)),
            *((flow, ALL) for flow in FLOWS if flow != OWN)]
HELD_OUT = 3        # every third training video
SHORT = 1.5         # seconds, of an action that counts as short


class Whole:
    """An OpenCV object's flow, for the frames as they are."""

    def __init__(self, library):
        self.library = library

    def between(self, before, after):
        return self.library.calc(before, after, None)


class Flowing(Motion):
    """`motion` with the flow of a given name."""

    def __init__(self, name, **settings):
        super().__init__(**settings)
        self.flow_name = name
        self.identity |= {"name": f"motion by {name}"}

    def sampler(self):
        found = super().sampler()
        made = FLOWS[self.flow_name]()
        found.flow = made if isinstance(made, Flow) else Whole(made)
        return found


def main(argv=None):
    words = parse(argv)
    if not words.show:
        folder, videos, annotations = places(words)
        wanted = [(flow, descriptors, seed) for flow, descriptors in VARIANTS
                  if flow in (words.flows or FLOWS)
                  and descriptors in (words.descriptors or DESCRIPTORS) for seed in words.seeds]
        for flow in dict.fromkeys(flow for flow, *_ in wanted):
            extract(videos, folder / flow, flow, annotations)
        for one in wanted:
            finish(words, folder, annotations, *one)
    print(markdown(pd.read_csv(PATH)))
    return 0


def parse(argv):
    parser = common_parser(__doc__)
    parser.add_argument("--flows", nargs="+", choices=FLOWS, metavar="NAME", help="all by default")
    parser.add_argument("--seeds", nargs="+", type=int, default=[21, 22, 23])
    parser.add_argument("--epochs", type=int, default=14, help="of a training (14, as usual)")
    parser.add_argument("--show", action="store_true", help="print the table, run nothing")
    return parser.parse_args(argv)


def common_parser(description):
    """A parser of the options that benchmarks/steps.py has too."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=("sprites", "falls"))
    parser.add_argument("--data", help="folder of the videos; annotations.json in it or beside it")
    parser.add_argument("--folder", required=True, help="features are kept here")
    parser.add_argument("--part", choices=("test", "training"), default="test",
                        help="which videos are scored (test)")
    parser.add_argument("--descriptors", nargs="+", choices=DESCRIPTORS, metavar="NAME",
                        help="all by default")
    return parser


def places(words):
    """The folder of the features, that of the videos, and the annotation file."""
    folder = Path(words.folder).resolve()
    videos = Path(words.data or folder / "videos").resolve()
    if words.table == "sprites":
        ensure_demo_videos(videos)
    return folder, videos, annotated(videos, folder, words.part)


def extract(videos, folder, flow, annotations):
    """Extract what is annotated and not there yet, and say what it costs."""
    names = {record.name for record in read_records(annotations)}
    found = {name: path for name, path in find_videos([videos]).items() if name in names}
    before = cpu_seconds()
    outcome = Extraction(Flowing(flow), folder, found).run()
    if outcome.done:
        print(f"{flow}: {outcome.seconds / (cpu_seconds() - before):.1f} video seconds per CPU "
              "second", flush=True)


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def annotated(videos, folder, part):
    """The annotation file of a part; for "training", one without the test videos."""
    path = next(place for place in (videos / ANNOTATIONS, videos.parent / ANNOTATIONS)
                if place.exists())
    if part == "test":
        return path
    database = json.loads(path.read_text())["database"]
    names = [record.name for record in read_records(path) if record.subset.startswith("train")]
    inner = {name: {**database[name], "subset": "test" if number % HELD_OUT == 0 else "train"}
             for number, name in enumerate(names)}
    write_json(folder / "training.json", {"database": inner})
    return folder / "training.json"


def channels(descriptors):
    """The channels of `motion` that some descriptors have, in both of its halves."""
    planes, cells = 4 * BINS + 3, [grid ** 2 for grid in GRIDS]
    starts = np.cumsum([0, *(planes * count for count in cells)])
    of_grids = [start + plane * count + np.arange(count)
                for start, count in zip(starts, cells, strict=False)
                for plane in sorted(DESCRIPTORS[descriptors])]
    half = np.concatenate([*of_grids, starts[-1] + np.arange(3)])      # and the camera
    return np.concatenate([half, starts[-1] + 3 + half])


def finish(words, folder, annotations, flow, descriptors, seed):
    """Cut, train, infer and score one variant, unless its row is there, and add the row."""
    key = {"table": words.table, "part": words.part, "flow": flow, "descriptors": descriptors,
           "epochs": words.epochs, "seed": seed}
    if is_done(key):
        return
    with tempfile.TemporaryDirectory(dir=folder) as own:
        chosen = channels(descriptors)
        Path(own, "features").mkdir()
        for path in (folder / flow).glob("*.npy"):
            np.save(Path(own, "features", path.name), np.load(path)[:, chosen])
        flags = ["--dataset", "custom", "--feature_fps", "5", "--standardize", "on",
                 f"--feature_path={own}/features", f"--video_anno={annotations}",
                 f"--window_path={own}/windows", f"--checkpoint_path={own}/checkpoint",
                 f"--output_path={own}/output", f"--seed={seed}"]
        call(Cut_long_videos, flags)
        call(Train, [*flags, "--num_epoch", str(words.epochs)])
        call(Infer, flags)
        call(Eval, [*flags, "--short_seconds", str(SHORT)])
        scores = json.loads(Path(own, "output", "metrics.json").read_text())
    row = key | {"channels": len(chosen)} | picked(scores)
    append(PATH, [row])
    print(row, flush=True)


def call(script, flags):
    """Run a script in this process, silently; exit if it fails."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = script.main(flags)
    if code:
        raise SystemExit(f"{script.__name__} {' '.join(flags)} failed:\n{said.getvalue()}")


def is_done(key):
    """Whether the table has a row of these."""
    if not PATH.exists():
        return False
    rows = pd.read_csv(PATH)
    return bool((rows[list(key)] == pd.Series(key)).all(axis=1).any())


def markdown(rows):
    """Means over the seeds and their deviations, as Markdown tables."""
    figures = ["mAP@0.5", "average", "short@0.5"]
    head = ["flow", "descriptors", "channels", "seeds", *figures]
    lines = []
    for (table, part, epochs), own in rows.groupby(["table", "part", "epochs"], sort=False):
        lines += [f"{table}, {epochs} epochs, {part} videos", "", "| " + " | ".join(head) + " |",
                  "|" + "---|" * len(head)]
        for (flow, descriptors, width), group in own.groupby(
                ["flow", "descriptors", "channels"], sort=False):
            cells = [f"{group[name].mean():.1f} ± {group[name].std():.1f}" for name in figures]
            lines.append(f"| {flow} | {descriptors} | {width} | {len(group)} | "
                         + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
