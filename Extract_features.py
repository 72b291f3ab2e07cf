"""Extract features of video files: NAME.npy and its side-car NAME.json of each into a folder, which
is what the other scripts take as --feature_path."""

import os
import sys

# -P, -I and PYTHONSAFEPATH leave the folder of a script out.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (says so if one is missing)

# isort: split
import argparse
import math
import os
from pathlib import Path

from Models.extractors.registry import Setting, build
from Utils.data.sidecars import differences, fingerprint, read_sidecar
from Utils.files import UserError, listed, write_json
from Utils.run import Stopwatch, script_main
from Utils.video.decoding import VideoReader
from Utils.video.demo import ANNOTATIONS, NUM_TRAIN, ensure_demo_videos
from Utils.video.extraction import Extraction
from Utils.video.listing import find_videos
from Utils.video.progress import SecondsProgress
from Utils.video.writing import sha256_of, state_of

TEMPLATE = "annotations_template.json"


@script_main
def main(argv=None):
    watch = Stopwatch()
    options = parser().parse_args(argv)
    if options.demo:
        make_demo(options)
    videos = find_videos(options.videos)
    if options.check:
        return check(videos, options)
    setting = Setting(options.feature_fps, options.weights, chosen_device(options.device),
                      options.precision)
    extractor = build(options.extractor, setting)
    folder = Path(options.out)
    check_folder(folder, videos, extractor.identity, options.overwrite)
    mine = share_of(videos)
    workers = chosen_workers(options.workers, len(mine))
    print(f"Extract_features.py: {options.extractor}, {extractor.channels} channels, "
          f"{options.feature_fps:g} features per second, of {len(mine)} videos into {folder}, "
          f"{max(1, workers)} process(es), {setting.device}", flush=True)
    with SecondsProgress(headers(mine)) as progress:
        outcome = Extraction(extractor, folder, mine, workers, options.batch_size,
                             forwards_here=setting.device != "cpu", keep_going=options.keep_going,
                             see=progress.see).run()
    tell(outcome, mine)
    if options.template:
        write_template(folder, videos)
    print(watch.summary(f"{outcome.seconds:.0f} s of {len(outcome.done)} videos extracted, "
                        f"{len(outcome.before)} were there before"))
    return 1 if outcome.faults else 0


def parser():
    """The command line."""
    made = _Parser(prog="Extract_features.py", description=__doc__, allow_abbrev=False)
    add = made.add_argument
    add("videos", nargs="+", metavar="VIDEOS",
        help="video files, folders of them (looked through recursively), .txt lists")
    add("--out", required=True, metavar="DIR", help="folder of the features")
    add("--extractor", default="motion", metavar="NAME",
        help="motion (HOG, HOF and MBH: works at once, on a CPU), a Kinetics network of "
             "torchvision (r2plus1d_18, s3d, mvit_v2_s, swin3d_t, swin3d_s, swin3d_b), "
             "hf:FOLDER_OR_NAME of transformers, or a join such as motion+s3d (default motion; "
             "docs/video.md says when to take which)")
    add("--weights", metavar="PATH", help="file or folder of a network's weights, where there is "
                                          "no connection to fetch them")
    add("--feature_fps", type=_rate, default=5.0, metavar="X",
        help="features per second (default 5; 10 where actions last a second or less)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks compute")
    add("--workers", type=_count, metavar="N",
        help="processes that decode (default: as many as cores); 0: none beside this one")
    add("--batch_size", type=_positive, default=8, metavar="B", help="clips per step of a network "
                                                                     "on a GPU (default 8)")
    add("--precision", choices=("fp32", "bf16"), default="fp32", help="arithmetic of networks")
    add("--overwrite", action="store_true",
        help="replace features in DIR that another extractor or another tool made")
    add("--keep_going", action=argparse.BooleanOptionalAction, default=True,
        help="go on behind a video that cannot be used")
    add("--template", action="store_true",
        help=f"write DIR/{TEMPLATE}: names and durations, to be filled with actions")
    add("--demo", action="store_true",
        help="first write small demo videos and their annotations into VIDEOS, one folder, unless "
             "they are there")
    add("--check", action="store_true",
        help="read only the headers of the videos and the side-cars in DIR, list what is wrong")
    return made


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UserError(message)


def _rate(text):
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is impossible: it must be above 0")
    return value


def _count(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is impossible: it must be 0 or above")
    return value


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is impossible: it must be 1 or above")
    return value


def make_demo(options):
    """Write the demo's videos into the one folder named."""
    if len(options.videos) != 1:
        raise UserError("--demo takes one folder, for the videos that it writes")
    folder = options.videos[0]
    if ensure_demo_videos(folder, workers=max(1, chosen_workers(options.workers, NUM_TRAIN))):
        print(f"wrote the demo's videos and {ANNOTATIONS} to {folder}", flush=True)


def chosen_device(wanted):
    """ "cpu", or the GPU of this process."""
    import torch
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no CUDA device here; use --device cpu")
    has_gpu = wanted != "cpu" and torch.cuda.is_available()
    return f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if has_gpu else "cpu"


def chosen_workers(wanted, videos):
    """Processes beside this one: as many as asked or as there are cores, no more than videos."""
    if wanted is None:
        # What this process may use, where the system tells.
        mine = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
        wanted = len(mine)
    return min(wanted, videos)


def share_of(videos):
    """The videos of this process among those of torchrun, by falling size, so that the longest
    begin first. -> {name: Path}."""
    rank, world = (int(os.environ.get(name, default)) for name, default in (("RANK", 0),
                                                                            ("WORLD_SIZE", 1)))
    by_size = sorted(videos, key=lambda name: (-videos[name].stat().st_size, name))
    return {name: videos[name] for name in by_size[rank::world]}


def check_folder(folder, videos, identity, overwrite):
    """Refuse a folder with features of another extractor or tool, unless they may be replaced."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--out {folder} is a file; name a folder")
    cars = {path.stem: car for path in sorted(folder.glob("*.npy"))
            if (car := read_sidecar(path)) is not None}
    others = {name: car for name, car in cars.items()
              if car.fingerprint != fingerprint(identity)}
    if others and (not overwrite or others.keys() - videos.keys()):
        name, car = next(iter(others.items()))
        kept = others.keys() - videos.keys()
        raise UserError(
            f"{folder} holds features of another extractor: {name} differs in "
            f"{differences(car.extractor, identity)}; " + (
                f"{len(kept)} of them are of none of these videos, so --overwrite would mix them: "
                "choose another --out" if overwrite else "--overwrite replaces them, another "
                "--out leaves them alone"))
    foreign = [name for name, path in videos.items()
               if state_of(folder, name, path, identity) == "foreign"]
    if foreign and not overwrite:
        raise UserError(f"{folder} holds features without side-cars, of another tool: "
                        f"{listed(foreign)}; --overwrite replaces them, another --out leaves "
                        "them alone")


def headers(videos):
    """Seconds of each video by its header, 0 where that tells nothing. -> {name: seconds}."""
    found = {}
    for name, path in videos.items():
        try:
            with VideoReader(path) as reader:
                found[name] = reader.seconds or 0.0
        except UserError:
            found[name] = 0.0       # its extraction says what is wrong
    return found


def tell(outcome, videos):
    """Print what is odd about videos, and on stderr which could not be used."""
    for name, warning in outcome.warnings.items():
        print(f"warning: {videos[name]}: {warning}")
    for name, fault in outcome.faults.items():
        where = "" if str(videos[name]) in fault else f"{videos[name]}: "
        print(f"error: {where}{fault}", file=sys.stderr)
    if outcome.faults:
        print(f"{len(outcome.faults)} of {len(videos)} videos have no features: "
              f"{listed(outcome.faults)}", file=sys.stderr)


def write_template(folder, videos):
    """Write an annotation file without actions, of the videos that have features."""
    cars = {name: car for name in videos
            if (car := read_sidecar(folder / f"{name}.npy")) is not None}
    write_json(folder / TEMPLATE, {"database": {
        name: {"subset": "train", "duration": round(car.duration, 3), "annotations": []}
        for name, car in cars.items()}})
    print(f"wrote {folder / TEMPLATE}: {len(cars)} videos, without actions")


def check(videos, options):
    """List what headers and side-cars tell; 0 if all is well, 1 if something is wrong."""
    wrong, seconds = {}, 0.0
    for name, path in videos.items():
        try:
            with VideoReader(path) as reader:
                seconds += reader.seconds or 0.0
        except UserError as problem:
            wrong[name] = str(problem)
    counts = dict.fromkeys(("done", "absent"), 0)
    prints = {}
    for name in videos:
        npy = Path(options.out) / f"{name}.npy"
        try:
            car = read_sidecar(npy)
            if car is not None and npy.is_file() and sha256_of(npy) != car.sha256:
                wrong[name] = (f"{npy} is not what its side-car says (its sha256 differs); remove "
                               "both and extract it again")
        except UserError as problem:
            wrong[name], car = str(problem), None
        counts["absent" if car is None else "done"] += 1
        if car is not None:
            prints.setdefault(car.fingerprint, name)
    if len(prints) > 1:
        wrong[options.out] = f"features of {len(prints)} extractors: {listed(prints.values())}"
    print(f"{len(videos)} videos, {seconds:.0f} s; in {options.out} {counts['done']} have features "
          f"and {counts['absent']} have none yet")
    for name, why in wrong.items():
        print(f"wrong: {name}: {why}")
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
