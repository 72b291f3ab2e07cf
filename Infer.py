"""Predict scored segments: inference windows and a checkpoint in, output_path/proposals.h5 out."""

import os
import sys

# -P, -I and PYTHONSAFEPATH leave the folder of a script out.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (says so if one is missing)

# isort: split
import contextlib
from dataclasses import replace
from pathlib import Path

import torch

from Evaluation.postprocessing.detections import least_score
from Evaluation.postprocessing.proposal_file import ProposalWriter, read_proposals
from Utils.config.checks import check_earlier
from Utils.config.describe import opening
from Utils.config.resolve import parse_config, settings
from Utils.config.run_file import write_run_file
from Utils.data.datasets import DATASETS
from Utils.data.features import holds_features, open_places
from Utils.files import UserError, counted, listed, write_json
from Utils.inference.network import Network, build, predicted, trained
from Utils.inference.outputs import check_out, draw_found, export_found, table, write_found
from Utils.inference.videos import annotated, detect, usable, warnings
from Utils.inputs.loaders import inference_loader
from Utils.prepare.formats.export import check_run
from Utils.run import Stopwatch, locked, script_main
from Utils.run_log import RunLog
from Utils.training.checkpoints import LAST, check_classes, load_checkpoint
from Utils.training.process import processes
from Utils.video.listing import find_videos, holds_videos
from Utils.video.of_checkpoint import feature_files


@script_main
def main(argv=None):
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
    except UserError:      # none there, or none that can be read
        return
    file.close()
    check_earlier(path, before, settings(config))


def check_of_videos(config):
    """Refuse options that are of --video and --videos alone."""
    given = [name for name in ("out", "min_score", "top", "export") if name in config.given]
    if given:
        raise UserError(f"--{given[0]} is for detections, of --video or --videos; without them "
                        "Infer.py writes proposals, which Eval.py makes detections of")


def infer_videos(config, watch):
    """Detections of the videos that --video or --videos names, to a file and a picture or, without
    -o, to the terminal."""
    out = config.out and Path(config.out)
    exported = Path(config.output_path) / "export"
    if out:
        check_out(out, config.overwrite)
    if config.export:
        check_run(config.export, "detections.json", exported, config.overwrite,
                  "write the detections with -o detections.json, ")
    with processes(config.device) as process, contextlib.ExitStack() as held:
        if process.world > 1:
            raise UserError("--videos runs in one process; leave torchrun out")
        network = Network.load(config, process)
        places, unread = held.enter_context(features_of_videos(network))
        store, names, durations = named_videos(network.config, places)
        names, wrong = usable(store, names, config.skip_missing)
        wrong = unread | wrong
        print(*opening(network.config, "Infer", process.where, [
            *network.notes, *warnings(network),
            *(f"left out: {text}" for text in wrong.values())]), sep="\n")
        least = least_score(config.min_score, network.checkpoint.get("history"),
                            config.checkpoint_path)
        found = list(detect(network, store, names, durations))
    if out:
        lines = write_found(out, found, DATASETS[network.config.dataset].version, least,
                            config.top, config.overwrite)
        lines.append(f"picture: {draw_found(out, found)}")
    else:
        lines = [table(found, least, config.top), "-o FILE writes them all"]
    if config.export:
        lines += export_found(found, config.export, exported, least, config.top, config.overwrite)
    print(*lines, watch.summary(f"{len(found)} video{'s' * (len(found) != 1)}"), sep="\n")
    return 0


@contextlib.contextmanager
def features_of_videos(network):
    """Where the features of --video and --videos are, those of video files extracted: places, and
    {video file: why it has none}."""
    config = network.config
    places = config.videos or (config.video,)
    if len(places) == 1 and not holds_features(places[0]) and holds_videos(places[0]):
        places = tuple(map(str, find_videos(places).values()))
    with feature_files(places, network.checkpoint, config.checkpoint_path, config.save_features,
                       config.weights, str(network.process.device)) as (files, faults):
        faults = {path: f"{path} has no features: {why}" for path, why in faults.items()}
        if faults and not (files and config.skip_missing):
            raise UserError(listed(faults.values(), 3) + (
                "; go on without it: --skip_missing" if files else ""))
        yield list(files.values()), faults


def named_videos(config, places):
    """The features in some places: FeatureStore, names of videos, {name: seconds or None}."""
    store, names = open_places(places)
    # The annotation file that config.json names is that of the training.
    if config.videos is None or "video_anno" not in config.given:
        return store, names, {}
    durations = annotated(config.video_anno, config.given.get("subset"))
    return store, list(durations), durations


def in_order(results, process):
    """The results of all processes by window, on the first one. results: (row, result) pairs.

    A process that is alone hands its results on one by one, without keeping them.
    """
    if process.world == 1:
        return (result for _, result in results)
    gathered = [None] * process.world if process.is_first else None
    torch.distributed.gather_object(list(results), gathered)
    ordered = sorted((pair for part in gathered or [] for pair in part), key=lambda pair: pair[0])
    return [result for _, result in ordered]


def whole_history(config, checkpoint):
    """The training curves: those of the last checkpoint, if the one used is of the same run."""
    own, last = checkpoint.get("history", []), Path(config.checkpoint_path) / LAST
    found = load_checkpoint(last).get("history", []) if own and last.is_file() else []
    return found if found[:len(own)] == own else own


def write_results(config, checkpoint, results, source):
    """Write the proposals, and beside them the training curves; gives the number of proposals."""
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
