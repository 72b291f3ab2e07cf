"""A training run: what changes with every step, and what is saved after every epoch."""

import time
from pathlib import Path

import torch
from torch.nn.parallel import DistributedDataParallel

from Evaluation.postprocessing.decoding import decoded, validation_score
from Evaluation.postprocessing.detections import NOT_RECOMMENDED
from Models.BatchDecoding import gpu_decoder
from Models.Loss import Criterion
from Models.VSGN import VSGN, check_weights, load_weights
from Utils.config.resolve import settings
from Utils.data.annotations import canonical
from Utils.files import write_json
from Utils.inputs.trained_features import feature_state
from Utils.run import progress
from Utils.training.augmentation import Augmentation
from Utils.training.checkpoints import BEST, LAST, broken_state, save_checkpoint
from Utils.training.loss_meter import LossMeter
from Utils.training.optimization import Updates
from Utils.training.process import arithmetic, random_states, restore_random_states
from Utils.training.scalars import ScalarLog

# Where --val_split is test, the evaluated videos validate, so no score is recommended.
RECOMMENDED_ON = {"none": "training videos", "heldout": "held-out videos"}


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
        self.started = time.monotonic()     # the epoch
        if before:
            self.go_on(before)
        self.parallel = (DistributedDataParallel(self.model) if process.world > 1 else self.model)
        self.scalars = (ScalarLog(Path(config.checkpoint_path) / "tensorboard")
                        if process.is_first else None)
        if self.scalars and self.history:
            # again, since a kill may have come before they were written
            self.log_scalars()

    def go_on(self, before):
        """Restore the state of a checkpoint."""
        folder = self.config.checkpoint_path
        load_weights(self.model,
                     before.get("trained_state_dict", before["state_dict"]), folder)
        if self.updates.averaged is not None:
            load_weights(self.updates.averaged, before["state_dict"], folder)
        self.epoch, self.best_loss = before["epoch"], before["best_loss"]
        with broken_state(Path(folder) / LAST):
            self.updates.optimizer.load_state_dict(before["optimizer"])
            restore_random_states(before["random_states"])

    @property
    def usable(self):
        """The network for validation: the one with averaged weights, if it exists."""
        return self.updates.averaged or self.parallel

    def close(self):
        """Close the log."""
        if self.scalars:
            self.scalars.close()

    def start_epoch(self, train_loader):
        """Choose order, windows and augmentation of the next epoch."""
        self.started = time.monotonic()
        train_loader.set_epoch(self.epoch)
        self.augmentation.start(self.epoch)

    def end_epoch(self, train, val):
        """Save and log the epoch. train, val: {loss: mean over its windows}."""
        self.epoch += 1
        self.history.append({"epoch": self.epoch, "train": train, "val": val})
        if self.process.is_first:
            self.save()
            self.log()
            if self.epoch == 1 < self.config.num_epoch:
                left = (self.config.num_epoch - 1) * (time.monotonic() - self.started) / 60
                self.process.say(f"the other epochs will take about {left:.1f} minutes")
        self.best_loss = min(self.best_loss, val["total"])

    def validate(self, loader):
        """Losses on the validation windows.

        With --best_by map also the mAP of their detections. If the epoch's checkpoint
        is the one to be used, also the score with the best F1 as "threshold", None if
        the evaluated videos would choose it.
        """
        chooses = self.config.best_by == "map"
        is_used = self.config.checkpoint == "last" and self.epoch + 1 == self.config.num_epoch
        recommends = (chooses or is_used) and not self.config.class_agnostic
        if chooses or (recommends and not self.sees_evaluated_videos):
            losses, scores = self.losses_and_scores(loader)
        else:
            losses, scores = run_epoch(self, loader), {}
        if recommends and self.sees_evaluated_videos:
            scores["threshold"] = None
        wanted = ("mAP", "threshold") if chooses else ("threshold",)
        return losses | {name: scores[name] for name in wanted if name in scores}

    @property
    def sees_evaluated_videos(self):
        """Whether videos that validate are among those that Eval.py scores."""
        evaluated = canonical(self.config.subset)
        return any(canonical(video.subset) == evaluated
                   for video in self.source.videos["val"])

    def losses_and_scores(self, loader):
        """Losses of the validation windows, and what validation_score says of their detections."""
        found, decoder = [], gpu_decoder(self.config, self.process.device)
        losses = run_epoch(self, loader, see=lambda predictions, batch: found.extend(
            decoded([(predictions, batch)], self.config, decoder)))
        if self.process.world > 1:
            parts = [None] * self.process.world
            torch.distributed.all_gather_object(parts, found)
            found = [pair for part in parts for pair in part]
        return losses, validation_score(found, self.source.videos["val"], self.source.classes,
                                        self.config)

    def is_best(self):
        """Whether the last epoch is better than all before, according to --best_by."""
        name, sign = {"loss": ("total", -1), "map": ("mAP", 1)}[self.config.best_by]
        *before, last = (sign * epoch["val"].get(name, -sign * float("inf"))
                         for epoch in self.history)
        return not before or last > max(before)

    def save(self):
        """Write checkpoint.pth.tar, after best.pth.tar if this epoch is the best so far."""
        folder = Path(self.config.checkpoint_path)
        content = {
            "epoch": self.epoch, **self.updates.state(), "settings": settings(self.config),
            "classes": list(self.source.classes), **feature_state(self.source),
            "best_loss": min(self.best_loss, self.history[-1]["val"]["total"]),
            "history": self.history, "random_states": random_states(),
        }
        # A kill between the two leaves the older `checkpoint`,
        # from which this epoch is repeated.
        if self.is_best():
            save_checkpoint(folder / BEST, content)
        save_checkpoint(folder / LAST, content)
        write_json(folder / "history.json", self.history)

    def log(self):
        """Print one line about the last epoch, and log its scalars."""
        self.log_scalars()
        train, val = self.history[-1]["train"], self.history[-1]["val"]
        parts = ", ".join(f"{name.removeprefix('loss_')} {value:.4f}"
                          for name, value in train.items())
        score = f", mAP {val['mAP']:.4f}" if "mAP" in val else ""
        self.process.say(f"epoch {self.epoch}/{self.config.num_epoch}: train {parts}; "
                         f"val {val['total']:.4f}{score}")
        if "threshold" in val and self.epoch == self.config.num_epoch:
            self.process.say(NOT_RECOMMENDED if val["threshold"] is None else
                             f"recommended score: {val['threshold']:.2f} and above, by "
                             f"F1 on {RECOMMENDED_ON[self.config.val_split]}")

    def log_scalars(self):
        """Log the last epoch as train/<loss> and val/<loss>."""
        self.scalars.add({f"{use}/{name}": value for use in ("train", "val")
                          for name, value in self.history[-1][use].items()
                          if value is not None}, self.epoch)


def run_epoch(run, loader, training=False, see=None):
    """Process every batch once. -> {loss: mean}.

    see: function called with the predictions and the batch of each step, or None.
    Raises UserError for a loss that is not finite, naming loss, epoch and videos.
    """
    meter = LossMeter(loader.sizes, run.epoch + 1, run.config.checkpoint_path,
                      run.process.world)
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
