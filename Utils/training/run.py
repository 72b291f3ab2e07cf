"""A training as it runs: what changes with every step, and what is saved after every epoch."""

import time
from pathlib import Path

import torch
from torch.nn.parallel import DistributedDataParallel

from Evaluation.postprocessing.decoding import decoded, validation_score
from Models.BatchDecoding import gpu_decoder
from Models.Loss import Criterion
from Models.VSGN import VSGN, check_weights, load_weights
from Utils.config.resolve import settings
from Utils.files import write_json
from Utils.inputs.loaders import feature_state
from Utils.run import progress
from Utils.training.augmentation import Augmentation
from Utils.training.checkpoints import BEST, LAST, broken_state, save_checkpoint
from Utils.training.loss_meter import LossMeter
from Utils.training.optimization import Updates
from Utils.training.process import arithmetic, random_states, restore_random_states
from Utils.training.scalars import ScalarLog

RECOMMENDED_ON = {"none": "training videos", "heldout": "held-out videos",
                  "test": "the evaluated videos"}


class Run:
    """What changes while training: weights, optimizer, history; saved after every epoch."""

    def __init__(self, config, source, process, history, before=None):
        self.config, self.source, self.process = config, source, process
        if before:
            check_weights(config, before["state_dict"], config.checkpoint_path)
        self.model = VSGN(config).to(process.device)
        self.updates = Updates(self.model, config)
        self.criterion = Criterion(config).to(process.device)
        self.augmentation = Augmentation(config.feature_dropout, config.seed, process.rank,
                                         process.device)
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
                self.process.say(f"the other epochs will take about {left:.1f} minutes")
        self.best_loss = min(self.best_loss, val["total"])

    def validate(self, loader):
        """Losses of the validation windows. With --best_by map the mAP of their detections, too;
        after the last epoch, where its checkpoint is the one to use, the score with the best F1."""
        chooses = self.config.best_by == "map"
        is_used = self.config.checkpoint == "last" and self.epoch + 1 == self.config.num_epoch
        if not chooses and (self.config.class_agnostic or not is_used):
            return run_epoch(self, loader)
        found, decoder = [], gpu_decoder(self.config, self.process.device)
        losses = run_epoch(self, loader, see=lambda predictions, batch: found.extend(
            decoded([(predictions, batch)], self.config, decoder)))
        if self.process.world > 1:
            parts = [None] * self.process.world
            torch.distributed.all_gather_object(parts, found)
            found = [pair for part in parts for pair in part]
        scores = validation_score(found, self.source.videos["val"], self.source.classes,
                                  self.config)
        return losses | (scores if chooses else {"threshold": scores["threshold"]})

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
        write_json(folder / "history.json", self.history)

    def log(self):
        """One line about the last epoch on the terminal, and its scalars."""
        self.log_scalars()
        train, val = self.history[-1]["train"], self.history[-1]["val"]
        parts = ", ".join(f"{name.removeprefix('loss_')} {value:.4f}"
                          for name, value in train.items())
        score = f", mAP {val['mAP']:.4f}" if "mAP" in val else ""
        self.process.say(f"epoch {self.epoch}/{self.config.num_epoch}: train {parts}; "
                         f"val {val['total']:.4f}{score}")
        if "threshold" in val and self.epoch == self.config.num_epoch:
            self.process.say(f"recommended score: {val['threshold']:.2f} and above, by F1 on "
                             f"{RECOMMENDED_ON[self.config.val_split]}")

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
        for step, batch in enumerate(progress(loader, what, run.process.shown)):
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
