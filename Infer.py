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

from Evaluation.postprocessing.detections import (
    detection_rows,
    in_seconds,
    video_detections,
    write_detections,
)
from Evaluation.postprocessing.per_video import detection_options
from Evaluation.postprocessing.proposal_file import ProposalWriter, read_proposals
from Evaluation.postprocessing.proposals import Proposals
from Evaluation.report.timeline import write_detected
from Utils.config.checks import check_earlier
from Utils.config.describe import describe
from Utils.config.resolve import parse_config, settings
from Utils.config.run_file import write_run_file
from Utils.data.datasets import DATASETS
from Utils.files import UserError, write_json
from Utils.inference.network import build, class_names, predicted, trained
from Utils.inputs.loaders import inference_loader, video_loader
from Utils.run import Stopwatch, locked, script_main
from Utils.training.checkpoints import LAST, check_classes, load_checkpoint
from Utils.training.process import processes
from Utils.video.of_checkpoint import feature_files


@script_main
def main(argv=None):
    watch = Stopwatch()
    config, checkpoint = trained(parse_config("Infer", argv))
    if config.video:
        return infer_video(config, checkpoint, watch)
    with processes(config.device) as process, contextlib.ExitStack() as held:
        if process.is_first:
            held.enter_context(locked(config.output_path))
        source, loader, lines = inference_loader(config, process, checkpoint)
        config = source.config
        check_classes(checkpoint, source.classes, config.checkpoint_path)
        if process.is_first and not config.overwrite:
            check_earlier_proposals(config)
        model = build(config, checkpoint, process.device)
        process.say(f"Infer.py on {process.device}, {process.world} process(es)",
                    describe(config, "Infer"), *lines)
        rows = (row for batch in loader.rows() for row in batch)
        results = in_order(zip(rows, predicted(model, loader, config, process), strict=True),
                           process)
        if process.is_first:
            count = write_results(config, checkpoint, results, source)
            print(watch.summary(f"{count} proposals of {len(loader.dataset)} windows in "
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


def infer_video(config, checkpoint, watch):
    """Detections of the one video that --video names: JSON, and a picture beside it."""
    out = Path(config.out or f"{Path(config.video).stem}_detections.json")
    if out.is_dir():
        raise UserError(f"-o {out} is a folder; name a file in it")
    with processes(config.device) as process, features_of_video(config, checkpoint,
                                                                process.device) as features:
        config = replace(config, video=features)
        loader, video = video_loader(config, process, checkpoint)
        model = build(config, checkpoint, process.device)
        print(f"Infer.py on {process.device}", describe(config, "Infer"),
              *warnings(config, checkpoint), sep="\n")
        parts = [proposals for _, proposals in predicted(model, loader, config, process)]
    proposals = Proposals.joined(parts)
    if config.framing == "whole":
        proposals = in_seconds(proposals, video.duration)
    found = video_detections(proposals, video.duration, **detection_options(config))
    classes = None if config.class_agnostic else class_names(config, checkpoint)
    rows = detection_rows(found, classes)
    write_detections(out, {video.name: rows}, DATASETS[config.dataset].version)
    _, picture = write_detected(out.with_suffix(""), video.name, video.duration, rows)
    print(watch.summary(f"{len(rows)} detections of {len(loader.dataset)} windows in {out} and "
                        f"{picture}"))
    return 0


@contextlib.contextmanager
def features_of_video(config, checkpoint, device):
    """The file of features that --video names or, of a video file, that are extracted from it."""
    path = config.video
    with feature_files([path], checkpoint, config.checkpoint_path, config.save_features,
                       config.weights, str(device)) as (files, faults):
        if faults:
            raise UserError(f"--video {path} has no features: {faults[path]}")
        yield files[path]


def warnings(config, checkpoint):
    """A line if the features of one video come at another rate than those of the training."""
    trained_rate = (checkpoint.get("settings") or {}).get("feature_fps")
    if config.framing == "whole" or trained_rate in (None, config.feature_fps):
        return []
    return [f"warning: --feature_fps is {config.feature_fps:g}, the network was trained on "
            f"{trained_rate:g} features a second: actions will seem "
            f"{config.feature_fps / trained_rate:.3g} times as long to it"]


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
