"""The network of a checkpoint, with the options of its training, applied to windows."""

import threading
from dataclasses import dataclass
from pathlib import Path

import torch

from Evaluation.postprocessing.decoding import decoded
from Models.BatchDecoding import gpu_decoder
from Models.VSGN import VSGN, check_weights, load_weights
from Utils.config.checks import check_options
from Utils.config.options import SETTLED, Config
from Utils.config.resolve import adopt
from Utils.config.run_file import data_places
from Utils.run import progress
from Utils.training.checkpoints import BEST, LAST, load_checkpoint
from Utils.training.process import Processes, arithmetic, limit_threads

# The arithmetic of matrix products is a setting of the whole process.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Network:
    """The network of a checkpoint, ready to predict.

    config: the options of its training, overridden by those given. process: Processes,
    with its device. notes: lines for the user.
    """
    config: Config
    checkpoint: dict
    model: VSGN
    process: Processes
    notes: tuple[str, ...] = ()

    @classmethod
    def load(cls, config, process):
        """The network of the run in checkpoint_path."""
        config, checkpoint, notes = trained(config)
        return cls(config, checkpoint, build(config, checkpoint, process.device),
                   process, notes)

    @property
    def classes(self):
        """Names of the classes, label 1 first; None for a class-agnostic network."""
        return None if self.config.class_agnostic else class_names(self.config, self.checkpoint)


def trained(config):
    """The config with the options of the checkpoint, the checkpoint, and notes for the user.

    Paths of the data come from the config.json next to the checkpoint.
    """
    path, checkpoint = chosen_checkpoint(config)
    if "settings" in checkpoint:
        notes = ()
        if path.name == BEST and checkpoint["settings"].get("val_split") == "none":
            notes = (f"note: {path} has the lowest loss on training videos, as none "
                     "were held out; --checkpoint last uses the end of the training",)
        config = adopt(config, checkpoint["settings"], path, SETTLED["Infer"],
                       data_places(path.parent))
        return config, checkpoint, notes
    return config, checkpoint, (
        f"{path} has no settings (a released checkpoint): the network is built from the "
        f"preset {config.dataset} and the given flags",)


def chosen_checkpoint(config):
    """The checkpoint that the user names, or else the one meant by the training.

    -> path, content.
    """
    folder = Path(config.checkpoint_path)
    last, best = folder / LAST, folder / BEST
    if "checkpoint" not in config.given and last.is_file():
        content = load_checkpoint(last)
        wanted = content.get("settings", {}).get("checkpoint", config.checkpoint)
        return (last, content) if wanted == "last" else (best, load_checkpoint(best))
    path = best if config.checkpoint == "best" else last
    if "checkpoint" not in config.given and best.is_file():
        path = best      # the only one, as in releases of authors
    return path, load_checkpoint(path)


def class_names(config, checkpoint):
    """The classes of a checkpoint's training; numbers if it does not store them."""
    if names := checkpoint.get("classes"):
        return names
    return [str(k) for k in range(1, config.decoder_num_classes)]


def build(config, checkpoint, device):
    """The network of the checkpoint, ready to predict."""
    limit_threads(config.dataset)
    check_weights(check_options(config, "Infer"), checkpoint["state_dict"],
                  config.checkpoint_path)
    model = VSGN(config)
    load_weights(model, checkpoint["state_dict"], config.checkpoint_path)
    return model.to(device).eval()


@torch.inference_mode()
def predicted(network, loader):
    """(Window, Proposals) for every window of the loader, in order.

    Threads can share a network.
    """
    config, process = network.config, network.process

    def launched():
        for batch in progress(loader, "infer", process.shown):
            with _one_at_a_time, arithmetic(config.precision, process.device):
                predictions = network.model(batch.features, batch.num_frames)
            yield predictions, batch

    yield from decoded(launched(), config, gpu_decoder(config, process.device))
