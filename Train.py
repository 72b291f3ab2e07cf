"""Train VSGN: window lists and features in, checkpoint_path/{checkpoint,best}.pth.tar out."""

import os
import sys

# With -P, -I or PYTHONSAFEPATH, sys.path lacks the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (reports missing packages)

# isort: split
import contextlib
from pathlib import Path

from Engine.training.beginning import (
    continued,
    draw_input,
    earlier_run,
    telling_how_to_go_on,
)
from Engine.training.epochs import Run, run_epoch
from Utils.config.checks import check_options
from Utils.config.describe import opening
from Utils.config.resolve import parse_config
from Utils.config.run_file import write_run_file
from Utils.files import counted
from Utils.inputs.loaders import training_loaders
from Utils.run import Stopwatch, locked, script_main
from Utils.run_log import RunLog
from Utils.training.checkpoints import LAST, check_classes
from Utils.training.process import limit_threads, processes, seed_everything


@script_main
def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    config = parse_config("Train", argv)
    with processes(config.device) as process:
        train(config, process)
    return 0


def train(config, process):
    """Train a run, or continue it. -> its history, one dict per epoch."""
    watch = Stopwatch()
    limit_threads(config.dataset)
    with contextlib.ExitStack() as held:
        log = held.enter_context(RunLog())
        if process.is_first:
            held.enter_context(locked(config.checkpoint_path))
        before = earlier_run(config, process)
        if before:
            config = continued(config, before)
            if before["epoch"] >= config.num_epoch:
                process.say(f"{config.checkpoint_path} is finished: "
                            f"{counted(before['epoch'], 'epoch')}")
                return before["history"]
        history = before["history"] if before else []
        held.enter_context(telling_how_to_go_on(config, history, process))
        seed_everything(config.seed)
        source, loaders, lines = training_loaders(config, process, before)
        config = check_options(source.config, "Train")
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
        run_epochs(run, *loaders)
        process.say(watch.summary(f"{counted(run.epoch, 'epoch')} of "
                                  f"{counted(len(loaders[0].dataset), 'window')}; "
                                  f"checkpoints in {config.checkpoint_path}"))
    return run.history


def run_epochs(run, train_loader, val_loader):
    """Train and validate a run, epoch by epoch, until it is complete."""
    while run.epoch < run.config.num_epoch:
        run.start_epoch(train_loader)
        train_losses = run_epoch(run, train_loader, training=True)
        val_losses = run.validate(val_loader)
        run.end_epoch(train_losses, val_losses)


if __name__ == "__main__":
    sys.exit(main())
