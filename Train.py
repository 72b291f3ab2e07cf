"""Train VSGN: window lists and features in, checkpoint_path/{checkpoint,best}.pth.tar out."""

import os
import sys

# -P, -I and PYTHONSAFEPATH leave the folder of a script out.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (says so if one is missing)

# isort: split
import contextlib
from pathlib import Path

from Evaluation.report.input_figure import write_input_figure
from Utils.config.checks import check
from Utils.config.describe import opening
from Utils.config.resolve import adopt, parse_config
from Utils.config.run_file import write_run_file
from Utils.files import UserError, counted
from Utils.inputs.loaders import training_loaders
from Utils.run import Stopwatch, locked, script_main
from Utils.run_log import RunLog
from Utils.training.checkpoints import (
    LAST,
    check_classes,
    check_resumable,
    load_checkpoint,
)
from Utils.training.process import limit_threads, processes, seed_everything
from Utils.training.run import Run


@script_main
def main(argv=None):
    config = parse_config("Train", argv)
    with processes(config.device) as process:
        train(config, process)
    return 0


def train(config, process):
    """Train a run, or go on with it. -> its history, a dict per epoch."""
    watch = Stopwatch()
    limit_threads(config.dataset)
    with contextlib.ExitStack() as held:
        log = held.enter_context(RunLog())
        if process.is_first:
            held.enter_context(locked(config.checkpoint_path))
        before = earlier_run(config, process)
        if before:
            config = adopt(config, before["settings"], Path(config.checkpoint_path) / LAST)
            check_schedule(config, before)
            if before["epoch"] >= config.num_epoch:
                process.say(f"{config.checkpoint_path} is finished: {before['epoch']} epochs")
                return before["history"]
        history = before["history"] if before else []
        held.enter_context(telling_how_to_go_on(config, history, process))
        seed_everything(config.seed)
        source, loaders, lines = training_loaders(config, process, before)
        config = check(source.config, "Train")
        if before:
            check_classes(before, source.classes, Path(config.checkpoint_path) / LAST)
        process.say(*opening(config, "Train", process.where, lines))
        if process.is_first and not before:
            draw_input(Path(config.checkpoint_path) / "input", loaders[0].dataset, source)
        run = held.enter_context(contextlib.closing(
            Run(config, source, process, history, before)))
        if process.is_first:
            write_run_file(config.checkpoint_path, config, "Train")
            log.open(config.checkpoint_path)
        while run.epoch < config.num_epoch:
            run.next_epoch(*loaders)
        process.say(watch.summary(f"{counted(run.epoch, 'epoch')} of "
                                  f"{counted(len(loaders[0].dataset), 'window')}; "
                                  f"checkpoints in {config.checkpoint_path}"))
    return run.history


def earlier_run(config, process):
    """The last checkpoint in checkpoint_path if the user resumes, None for a fresh start.

    Raises UserError if there is one and the user said neither --resume nor --overwrite.
    """
    path = Path(config.checkpoint_path) / LAST
    if config.overwrite or not path.exists():
        if config.resume:
            process.say(f"nothing to resume at {path}: starting from the beginning")
        return None
    before = load_checkpoint(path)
    if not config.resume:
        raise UserError(f"{config.checkpoint_path} holds a run of {before.get('epoch')} epochs; "
                        "--resume goes on with it, --overwrite replaces it")
    check_resumable(before, path)
    process.say(f"resuming {path} after epoch {before['epoch']}")
    return before


def check_schedule(config, before):
    """Refuse to lengthen a run whose learning rate falls towards its end, unlike a longer run's."""
    planned = before["settings"].get("num_epoch", config.num_epoch)
    if config.schedule == "cosine" and config.num_epoch != planned:
        raise UserError(f"the cosine in {config.checkpoint_path} was planned for {planned} epochs: "
                        f"going on to {config.num_epoch} is not the run of {config.num_epoch} "
                        "epochs; leave --num_epoch out, or train anew with --overwrite")


def draw_input(stem, dataset, source):
    """Draw one training input to stem.pdf and stem.png, so that labels can be seen to fit: the
    first that is stitched, else the first that holds an action."""
    rows = [*dataset.stitched.nonzero().flatten(), *dataset.labels.counts.nonzero().flatten()]
    if not rows:
        return
    item = dataset[int(rows[0])]
    targets, count = item.targets, int(item.targets.counts[0])
    write_input_figure(
        stem, item.features[0].numpy(), int(item.num_frames[0]),
        source.config.stitch_gap if item.stitched[0] else None,
        targets.segments[0, :count].numpy(),
        [source.classes[label - 1] for label in targets.labels[0, :count].tolist()],
        {name: getattr(targets, name)[0].numpy() for name in ("action", "start", "end")})


@contextlib.contextmanager
def telling_how_to_go_on(config, history, process):
    """Say at Ctrl-C or SIGTERM what is saved, and how to go on from there.

    history: the list that the run adds its epochs to.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(how_to_go_on(config, history) if process.is_first else "") from None


def how_to_go_on(config, history):
    """What is saved of this run, in words; the file is asked, as the end may come any time."""
    folder = config.checkpoint_path
    path = Path(folder) / LAST
    found = load_checkpoint(path).get("history") if path.exists() else None
    # --overwrite leaves an older run's checkpoint until the first epoch is done.
    if not found or found not in (history, history[:-1]):
        return "no epoch is saved yet; start again"
    return (f"{len(found)} of {config.num_epoch} epochs are saved in {folder}; go on with "
            f"the same command and --resume (--checkpoint_path {folder} --resume)")


if __name__ == "__main__":
    sys.exit(main())
