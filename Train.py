"""Train VSGN: window lists and features in, checkpoint_path/{checkpoint,best}.pth.tar out."""

import contextlib
import sys
import time
from pathlib import Path

import Utils.packages  # noqa: F401  (says so if one is missing)

import torch
from torch.nn.parallel import DistributedDataParallel

from Evaluation.postprocessing.decoding import decoded, validation_score
from Evaluation.report.input_figure import write_input_figure
from Models.BatchDecoding import gpu_decoder
from Models.Loss import Criterion
from Models.VSGN import VSGN, load_weights
from Utils.config.resolve import adopt, check, describe, parse_config, settings
from Utils.files import UserError
from Utils.inputs.loaders import feature_state, training_loaders
from Utils.run import (
    Stopwatch,
    arithmetic,
    locked,
    processes,
    progress,
    random_states,
    restore_random_states,
    script_main,
    seed_everything,
)
from Utils.training.augmentation import Augmentation
from Utils.training.checkpoints import (
    BEST,
    LAST,
    broken_state,
    check_classes,
    check_resumable,
    load_checkpoint,
    save_checkpoint,
)
from Utils.training.loss_meter import LossMeter
from Utils.training.optimization import Updates
from Utils.training.scalars import ScalarLog


@script_main
def main(argv=None):
    watch = Stopwatch()
    config = parse_config("Train", argv)
    with processes(config.device) as process, contextlib.ExitStack() as held:
        if process.is_first:
            held.enter_context(locked(config.checkpoint_path))
        before = earlier_run(config, process)
        if before:
            config = adopt(config, before["settings"], Path(config.checkpoint_path) / LAST)
            if before["epoch"] >= config.num_epoch:
                process.say(f"{config.checkpoint_path} is finished: {before['epoch']} epochs")
                return 0
        history = before["history"] if before else []
        held.enter_context(telling_how_to_go_on(config, history, process))
        seed_everything(config.seed)
        source, loaders, lines = training_loaders(config, process, before)
        config = check(source.config, "Train")
        if before:
            check_classes(before, source.classes, Path(config.checkpoint_path) / LAST)
        process.say(f"Train.py on {process.device}, {process.world} process(es)",
                    describe(config), *lines)
        if process.is_first and not before:
            draw_input(Path(config.checkpoint_path) / "input", loaders[0].dataset, source)
        run = held.enter_context(contextlib.closing(
            Run(config, source, process, history, before)))
        while run.epoch < config.num_epoch:
            run.next_epoch(*loaders)
        process.say(watch.summary(f"{run.epoch} epochs of {len(loaders[0].dataset)} windows; "
                                  f"checkpoints in {config.checkpoint_path}"))
    return 0


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


class Run:
    """What changes while training: weights, optimizer, history; saved after every epoch."""

    def __init__(self, config, source, process, history, before=None):
        self.config, self.source, self.process = config, source, process
        self.model = VSGN(config).to(process.device)
        self.updates = Updates(self.model, config)
        self.criterion = Criterion(config).to(process.device)
        self.augmentation = Augmentation(config.feature_noise, config.feature_dropout, config.seed,
                                         process.rank, process.device)
        self.epoch, self.best_loss, self.history = 0, float("inf"), history
        if before:
            self.go_on(before)
        self.parallel = (DistributedDataParallel(self.model) if process.world > 1 else self.model)
        self.scalars = (ScalarLog(Path(config.checkpoint_path) / "tensorboard")
                        if process.is_first else None)
        if self.scalars and self.history:
            self.log_scalars()    # again, since a kill may have come before they were written

    def go_on(self, before):
        """Take over the state of a checkpoint."""
        folder = self.config.checkpoint_path
        load_weights(self.model, before.get("trained_state_dict", before["state_dict"]), folder)
        if self.updates.averaged is not None:
            load_weights(self.updates.averaged, before["state_dict"], folder)
        self.epoch, self.best_loss = before["epoch"], before["best_loss"]
        with broken_state(Path(folder) / LAST):
            self.updates.optimizer.load_state_dict(before["optimizer"])
            restore_random_states(before["random_states"])

    @property
    def usable(self):
        """The network to validate with: that of the averaged weights, if there is one."""
        return self.updates.averaged or self.parallel

    def close(self):
        """Let go of the log."""
        if self.scalars:
            self.scalars.close()

    def next_epoch(self, train_loader, val_loader):
        """Train on every window of the epoch once, validate, log, save."""
        start = time.monotonic()
        train_loader.set_epoch(self.epoch)
        self.augmentation.start(self.epoch)
        train = run_epoch(self, train_loader, training=True)
        val = self.validate(val_loader)
        self.epoch += 1
        self.history.append({"epoch": self.epoch, "train": train, "val": val})
        if self.process.is_first:
            self.save()
            self.log()
            if self.epoch == 1 < self.config.num_epoch:
                left = (self.config.num_epoch - 1) * (time.monotonic() - start) / 60
                print(f"the other epochs will take about {left:.1f} minutes", flush=True)
        self.best_loss = min(self.best_loss, val["total"])

    def validate(self, loader):
        """Losses of the validation windows and, with --best_by map, the mAP of their detections."""
        if self.config.best_by == "loss":
            return run_epoch(self, loader)
        found, decoder = [], gpu_decoder(self.config, self.process.device)
        losses = run_epoch(self, loader, see=lambda predictions, batch: found.extend(
            decoded([(predictions, batch)], self.config, decoder)))
        if self.process.world > 1:
            parts = [None] * self.process.world
            torch.distributed.all_gather_object(parts, found)
            found = [pair for part in parts for pair in part]
        return losses | {"mAP": validation_score(found, self.source.videos["val"],
                                                 self.source.classes, self.config)}

    def is_best(self):
        """True if no epoch before the last was as good, by --best_by."""
        name, sign = {"loss": ("total", -1), "map": ("mAP", 1)}[self.config.best_by]
        *before, last = (sign * epoch["val"].get(name, -sign * float("inf"))
                         for epoch in self.history)
        return not before or last > max(before)

    def save(self):
        """Write checkpoint.pth.tar, and best.pth.tar first where this epoch is the best so far."""
        folder = Path(self.config.checkpoint_path)
        content = {
            "epoch": self.epoch, **self.updates.state(), "settings": settings(self.config),
            "classes": list(self.source.classes), **feature_state(self.source),
            "best_loss": min(self.best_loss, self.history[-1]["val"]["total"]),
            "history": self.history, "random_states": random_states(),
        }
        # A kill between the two leaves the older `checkpoint`, from which this epoch runs again.
        if self.is_best():
            save_checkpoint(folder / BEST, content)
        save_checkpoint(folder / LAST, content)

    def log(self):
        """One line about the last epoch on the terminal, and its scalars."""
        self.log_scalars()
        train, val = self.history[-1]["train"], self.history[-1]["val"]
        parts = ", ".join(f"{name.removeprefix('loss_')} {value:.4f}"
                          for name, value in train.items())
        score = f", mAP {val['mAP']:.4f}" if "mAP" in val else ""
        print(f"epoch {self.epoch}/{self.config.num_epoch}: train {parts}; "
              f"val {val['total']:.4f}{score}", flush=True)

    def log_scalars(self):
        """Log the last epoch as train/<loss> and val/<loss>."""
        self.scalars.add({f"{use}/{name}": value for use in ("train", "val")
                          for name, value in self.history[-1][use].items()}, self.epoch)


def run_epoch(run, loader, training=False, see=None):
    """Every batch once; gives the mean of each loss.

    see: called with the predictions and the batch of each step, if given.
    Raises UserError at a loss that is not finite, naming loss, epoch and videos.
    """
    meter = LossMeter(loader.sizes, run.epoch + 1, run.config.checkpoint_path, run.process.world)
    network = run.parallel if training else run.usable
    network.train(training)
    what = f"epoch {run.epoch + 1} {'train' if training else 'val'}"
    with torch.set_grad_enabled(training):
        for step, batch in enumerate(progress(loader, what, run.process.is_first)):
            features = run.augmentation(batch.features) if training else batch.features
            with arithmetic(run.config.precision, run.process.device):
                predictions = network(features, batch.num_frames)
            losses = run.criterion(predictions, batch.targets)
            total = run.criterion.total(losses)
            meter.add({**losses, "total": total}, batch.windows)
            if see:
                see(predictions, batch)
            if training:
                run.updates.step(total, run.epoch, step, len(loader))
    return meter.means()


if __name__ == "__main__":
    sys.exit(main())
