"""Predict scored segments: windows and a checkpoint in, output_path/proposals.h5 out."""

import os
import sys

# With -P, -I or PYTHONSAFEPATH, sys.path lacks the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (reports missing packages)

# isort: split
import contextlib
from dataclasses import replace
from pathlib import Path

import torch

from Engine.inference.network import Network, build, predicted, trained
from Engine.inference.video_features import feature_files
from Engine.inference.video_outputs import (
    Kept,
    check_out,
    draw_found,
    export_found,
    table,
    write_found,
    write_report,
)
from Engine.inference.videos import annotated, detect, usable, warnings
from Evaluation.postprocessing.proposal_file import ProposalWriter, read_proposals
from Utils.config.checks import check_earlier
from Utils.config.describe import opening
from Utils.config.resolve import parse_config, settings
from Utils.config.run_file import write_run_file
from Utils.data.datasets import DATASETS
from Utils.data.feature_places import holds_features, open_places
from Utils.files import UserError, counted, listed, write_json
from Utils.inputs.loaders import inference_loader
from Utils.prepare.formats.export import check_run
from Utils.run import Stopwatch, locked, script_main
from Utils.run_log import RunLog
from Utils.training.checkpoints import LAST, check_classes, load_checkpoint
from Utils.training.process import processes
from Utils.video.listing import find_videos, holds_videos, is_video


@script_main
def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    watch = Stopwatch()
    config = parse_config("Infer", argv)
    if config.video or config.videos:
        return infer_videos(config, watch)
    check_of_videos(config)
    with processes(config.device) as process, contextlib.ExitStack() as held:
        log = held.enter_context(RunLog())
        config, checkpoint, notes = trained(config)
        if process.is_first:
            held.enter_context(locked(config.output_path))
        source, loader, lines = inference_loader(config, process, checkpoint)
        config = source.config
        check_classes(checkpoint, source.classes, config.checkpoint_path)
        if process.is_first and not config.overwrite:
            check_earlier_proposals(config)
        network = Network(config, checkpoint, build(config, checkpoint, process.device), process)
        process.say(*opening(config, "Infer", process.where, [*notes, *lines]))
        if process.is_first:
            log.open(config.output_path)
        rows = (row for batch in loader.rows() for row in batch)
        results = in_order(zip(rows, predicted(network, loader), strict=True), process)
        if process.is_first:
            count = write_results(config, checkpoint, results, source)
            print(watch.summary(f"{counted(count, 'proposal')} of "
                                f"{counted(len(loader.dataset), 'window')} in "
                                f"{config.output_path}/proposals.h5"))
    return 0


def check_earlier_proposals(config):
    """Refuse to replace proposals that were made with other settings."""
    path = Path(config.output_path) / "proposals.h5"
    try:
        file, before = read_proposals(path)
    except UserError:      # missing or unreadable
        return
    file.close()
    check_earlier(path, before, settings(config))


def check_of_videos(config):
    """Refuse options that only apply to --video and --videos."""
    given = [name for name in ("out", "min_score", "top", "export", "video_folder")
             if name in config.given]
    if given:
        raise UserError(f"--{given[0]} applies to the detections of --video or --videos; without "
                        "them Infer.py writes proposals, which Eval.py turns into detections")
    given = [name for name in ("save_features", "weights") if name in config.given]
    if given:
        raise UserError(f"--{given[0]} is for the video files of --video and --videos; give one "
                        f"of these, or leave --{given[0]} out")


def infer_videos(config, watch):
    """Detect actions in the videos of --video or --videos.

    Write them to files, or print them if there is no -o.
    """
    check_outputs(config)
    with processes(config.device) as process, contextlib.ExitStack() as held:
        if process.world > 1:
            raise UserError("--videos runs in one process; leave torchrun out")
        network = Network.load(config, process)
        places, unread, films = held.enter_context(features_of_videos(network))
        store, names, durations = named_videos(network.config, places)
        names, wrong = usable(store, names, config.skip_missing)
        wrong = unread | wrong
        print(*opening(network.config, "Infer", process.where, [
            *network.notes, *warnings(network),
            *(f"left out: {text}" for text in wrong.values())]), sep="\n")
        kept = Kept.of(config, network.checkpoint)
        found = list(detect(network, store, names, durations))
    lines = write_outputs(network, found, kept, films)
    print(*lines, watch.summary(counted(len(found), "video")), sep="\n")
    return 0


def check_outputs(config):
    """Refuse what cannot be written, before anything is computed."""
    if config.out:
        check_out(Path(config.out), config.overwrite, of_many=bool(config.videos))
    if config.export:
        check_run(config.export, "detections.json", Path(config.output_path) / "export",
                  config.overwrite, "write the detections with -o detections.json, ")


def write_outputs(network, found, kept, films):
    """Write the detections to all files that the options name. -> lines for the user.

    That is the file of -o, with a picture and, for --videos, a page; and files of
    other tools. films: the video files that were given.
    """
    config = network.config
    if config.out:
        out = Path(config.out)
        lines = write_found(out, found, kept, DATASETS[config.dataset].version, config.overwrite)
        lines.append(f"picture: {draw_found(out, found)}")
        if config.videos:
            lines.append(f"report: {write_report(out, found, kept, films, network)}")
    else:
        lines = [table(found, kept), "-o FILE writes them all"]
    if config.export:
        lines += export_found(found, config.export, Path(config.output_path) / "export", kept,
                              config.overwrite)
    return lines


@contextlib.contextmanager
def features_of_videos(network):
    """Paths of the features of --video and --videos, extracted if these are video files.

    Yields the paths, {video file: why it has no features}, and the video files.
    """
    config = network.config
    places = config.videos or (config.video,)
    if len(places) == 1 and not holds_features(places[0]) and holds_videos(places[0]):
        places = tuple(map(str, find_videos(places).values()))
    with feature_files(places, network.checkpoint, config.checkpoint_path, config.save_features,
                       config.weights, str(network.process.device),
                       overwrite=config.overwrite) as (files, faults):
        faults = {path: f"{path} has no features: {why}" for path, why in faults.items()}
        if faults and not (files and config.skip_missing):
            raise UserError(listed(faults.values(), 3) + (
                "; leave it out with --skip_missing" if files else ""))
        yield list(files.values()), faults, list(filter(is_video, places))


def named_videos(config, places):
    """A FeatureStore of some paths, the names of the videos, and {name: seconds or None}."""
    store, names = open_places(places)
    # The annotation file that config.json names is that of the training.
    if config.videos is None or "video_anno" not in config.given:
        return store, names, {}
    durations = annotated(config.video_anno, config.given.get("subset"))
    return store, list(durations), durations


def in_order(results, process):
    """On the first process, the results of all processes in the order of windows.

    results: (row, result) pairs. A single process yields its results one by one,
    without keeping them.
    """
    if process.world == 1:
        return (result for _, result in results)
    gathered = [None] * process.world if process.is_first else None
    torch.distributed.gather_object(list(results), gathered)
    ordered = sorted((pair for part in gathered or [] for pair in part), key=lambda pair: pair[0])
    return [result for _, result in ordered]


def whole_history(config, checkpoint):
    """The training curves, from the last checkpoint if it is of the same run."""
    own, last = checkpoint.get("history", []), Path(config.checkpoint_path) / LAST
    found = load_checkpoint(last).get("history", []) if own and last.is_file() else []
    return found if found[:len(own)] == own else own


def write_results(config, checkpoint, results, source):
    """Write the proposals, the training curves and config.json.

    -> number of proposals.
    """
    folder, count = Path(config.output_path), 0
    durations = {video.name: video.duration for video in source.all_videos}
    stored = settings(config) | {"classes": list(source.classes), "epoch": checkpoint.get("epoch")}
    with ProposalWriter(folder / "proposals.h5", stored) as writer:
        for window, proposals in results:
            writer.add(replace(window, duration=durations[window.video]), proposals)
            count += len(proposals)
    write_json(folder / "history.json", whole_history(config, checkpoint))
    write_run_file(folder, config, "Infer")
    return count


if __name__ == "__main__":
    sys.exit(main())
