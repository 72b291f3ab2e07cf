"""Extract features of video files, for the other scripts to take as --feature_path.

Writes NAME.npy and its sidecar NAME.json per video to a folder.
"""

import os
import sys

# With -P, -I or PYTHONSAFEPATH, sys.path lacks the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (reports missing packages)

# isort: split
import argparse
from pathlib import Path

from Engine.inference.extraction import Extraction
from Engine.inference.sharing import chosen_workers, meeting, share_of, sharing
from Models.extractors.registry import Setting, build, has_network
from Utils.data.sidecars import read_sidecar
from Utils.files import UserError, agreeing, counted, listed, write_json
from Utils.run import Stopwatch, script_main
from Utils.video.demo_videos import (
    ANNOTATIONS,
    LEAST_SECONDS,
    NUM_TRAIN,
    SECONDS,
    ensure_demo_videos,
)
from Utils.video.listing import find_videos
from Utils.video.progress import SecondsProgress, headers
from Utils.video.reader import VideoReader
from Utils.video.writing import check_folder, is_source, sha256_of
from Utils.words import Parser, at_least_one, count, positive

TEMPLATE = "annotations_template.json"


@script_main
def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    options = parser().parse_args(argv)
    check_together(options)
    if options.check:
        return check_extracted(find_videos(options.videos), options)
    from Utils.training.process import processes  # torch takes seconds to import

    with processes(device_of(options)) as process:
        return extract(options, process)


def device_of(options):
    """The name of the device: no GPU if nothing would run on it, unless the user wants one."""
    is_for_cpu = options.device == "auto" and not has_network(options.extractor)
    return "cpu" if is_for_cpu else options.device


def check_together(options):
    """Refuse options that would do nothing together with the others."""
    writing = [f"--{name}" for name in ("demo", "template") if getattr(options, name)]
    if options.check and writing:
        raise UserError(f"--check only reads, but {writing[0]} would write; leave one of them out")
    if options.demo_seconds is not None and not options.demo:
        raise UserError("--demo_seconds is the length of the videos that --demo writes; give "
                        "--demo too, or leave --demo_seconds out")


def extract(options, process):
    """Extract the videos of this process. -> exit code."""
    watch, meet = Stopwatch(), meeting(process)
    if options.demo:
        if process.is_first:
            make_demo(options)
        meet()
    videos, folder = find_videos(options.videos), Path(options.out)
    setting = Setting(options.feature_fps, options.weights, str(process.device), options.precision)
    extractor = build(options.extractor, setting)
    check_folder(folder, videos, extractor.identity, options.overwrite)
    mine = share_of(videos, process)
    workers = chosen_workers(options.workers, len(mine), sharing(process))
    print(f"Extract_features.py: {options.extractor}, {counted(extractor.channels, 'channel')}, "
          f"{options.feature_fps:g} features per second, {counted(len(mine), 'video')} "
          f"to {folder}, {counted(max(1, workers), 'process', 'processes')}, {setting.device}",
          flush=True)
    with SecondsProgress(headers(mine)) as progress:
        outcome = Extraction(extractor, folder, mine, workers, options.batch_size,
                             forwards_here=setting.device != "cpu", keep_going=options.keep_going,
                             see=progress.see).run()
    tell(outcome, mine)
    print(watch.summary(f"extracted {outcome.seconds:.0f} s of "
                        f"{counted(len(outcome.done), 'video')}, "
                        f"{len(outcome.before)} had features before"), flush=True)
    if outcome.faults and not options.keep_going:
        return 1
    meet()
    if options.template and process.is_first:
        write_template(folder, videos)
    return 1 if outcome.faults else 0


def parser():
    """The command line."""
    made = Parser(prog="Extract_features.py", description=__doc__)
    add = made.add_argument
    add("videos", nargs="+", metavar="VIDEOS",
        help="video files, folders of them (searched recursively), or .txt lists")
    add("--out", required=True, metavar="DIR", help="folder for the features")
    add("--extractor", default="motion", metavar="NAME",
        help="motion (HOG, HOF and MBH; needs no weights, made for CPUs), a Kinetics network of "
             "torchvision (r2plus1d_18, s3d, mvit_v2_s, swin3d_t, swin3d_s, swin3d_b), "
             "hf:FOLDER_OR_NAME of transformers, or several joined by +, such as motion+s3d "
             "(default motion; docs/video.md says when to use which)")
    add("--weights", metavar="PATH", help="file or folder of a network's weights, if they cannot "
                                          "be downloaded")
    add("--feature_fps", type=positive, default=5.0, metavar="X",
        help="features per second (default 5; use 10 if actions last a second or less)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks run")
    add("--workers", type=count, metavar="N",
        help="decoding processes (default: one per core, shared by the processes of torchrun); "
             "0: decode in this process")
    add("--batch_size", type=at_least_one, default=8, metavar="B",
        help="clips per step of a network on a GPU (default 8)")
    add("--precision", choices=("fp32", "bf16"), default="fp32", help="arithmetic of networks")
    add("--overwrite", action="store_true",
        help="replace features in DIR that came from another extractor or tool")
    add("--keep_going", action=argparse.BooleanOptionalAction, default=True,
        help="continue after a video that cannot be used")
    add("--template", action="store_true",
        help=f"write DIR/{TEMPLATE} with names and durations, ready for you to add actions")
    add("--demo", action="store_true",
        help="first write small demo videos and their annotations to VIDEOS, a single folder, "
             "unless they exist")
    add("--demo_seconds", type=count, metavar="S",
        help=f"length of each demo video (default {SECONDS}, {LEAST_SECONDS} or more)")
    add("--check", action="store_true",
        help="only read the headers of the videos and the sidecars in DIR, and list what is wrong")
    return made


def make_demo(options):
    """Write the demo's videos to the only folder named."""
    if len(options.videos) != 1:
        raise UserError("--demo takes one folder, for the videos that it writes")
    seconds = SECONDS if options.demo_seconds is None else options.demo_seconds
    if seconds < LEAST_SECONDS:
        raise UserError(f"--demo_seconds {seconds} leaves no time for an action; give "
                        f"{LEAST_SECONDS} or more")
    folder = options.videos[0]
    if ensure_demo_videos(folder, seconds=seconds,
                          workers=max(1, chosen_workers(options.workers, NUM_TRAIN))):
        print(f"wrote the demo's videos and {ANNOTATIONS} to {folder}", flush=True)


def tell(outcome, videos):
    """Print warnings about videos, and to stderr which ones could not be used."""
    for name, warning in outcome.warnings.items():
        print(f"warning: {videos[name]}: {warning}")
    for name, fault in outcome.faults.items():
        where = "" if str(videos[name]) in fault else f"{videos[name]}: "
        print(f"error: {where}{fault}", file=sys.stderr)
    if outcome.faults:
        count = len(outcome.faults)
        print(f"{count} of {counted(len(videos), 'video')} {agreeing(count, 'has', 'have')} no "
              f"features: {listed(outcome.faults)}", file=sys.stderr)


def write_template(folder, videos):
    """Write an annotation file without actions for the videos that have features."""
    cars = {name: car for name in videos
            if (car := read_sidecar(folder / f"{name}.npy")) is not None}
    write_json(folder / TEMPLATE, {"database": {
        name: {"subset": "train", "duration": round(car.duration, 3), "annotations": []}
        for name, car in cars.items()}})
    print(f"wrote {folder / TEMPLATE}: {counted(len(cars), 'video')}, without actions")


def check_extracted(videos, options):
    """List what headers and sidecars show.

    -> 0 if all is well, 1 if something is wrong.
    """
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
                wrong[name] = (f"{npy} is not what its sidecar says (its sha256 differs); remove "
                               "both and extract it again")
            elif car is not None and not is_source(car.source, videos[name]):
                wrong[name] = (f"{npy} was extracted from another file than {videos[name]}; the "
                               "same command without --check extracts it again")
        except UserError as problem:
            wrong[name], car = str(problem), None
        counts["absent" if car is None else "done"] += 1
        if car is not None:
            prints.setdefault(car.fingerprint, name)
    if len(prints) > 1:
        wrong[options.out] = f"features of {len(prints)} extractors: {listed(prints.values())}"
    print(f"{counted(len(videos), 'video')}, {seconds:.0f} s; in {options.out}, {counts['done']} "
          f"with features and {counts['absent']} without so far")
    for name, why in wrong.items():
        print(f"wrong: {name}: {why}")
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
