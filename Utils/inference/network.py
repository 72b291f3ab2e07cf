"""The network of a checkpoint, with the options it was trained with, run over windows."""

from pathlib import Path

import torch

from Evaluation.postprocessing.decoding import decoded
from Models.BatchDecoding import gpu_decoder
from Models.VSGN import VSGN, load_weights
from Utils.config.checks import check
from Utils.config.options import SETTLED
from Utils.config.resolve import adopt
from Utils.config.run_file import data_places
from Utils.run import progress
from Utils.training.checkpoints import BEST, LAST, load_checkpoint
from Utils.training.process import arithmetic, limit_threads

FILES = {"best": BEST, "last": LAST}


def trained(config):
    """The options as the checkpoint has them, and the checkpoint; where the data are, by the
    config.json beside it."""
    folder = Path(config.checkpoint_path)
    path = folder / FILES[config.checkpoint]
    if "checkpoint" not in config.given and (folder / LAST).is_file():
        # Which one to use is among the settings, the same in both.
        chosen = load_checkpoint(folder / LAST).get("settings", {}).get("checkpoint")
        path = folder / FILES.get(chosen, path.name)
    checkpoint = load_checkpoint(path)
    if "settings" in checkpoint:
        if path.name == BEST and checkpoint["settings"].get("val_split") == "none":
            print(f"note: {path} has the lowest loss on training videos, as none were held out; "
                  "--checkpoint last takes the end of the training")
        return adopt(config, checkpoint["settings"], path, SETTLED["Infer"],
                     data_places(folder)), checkpoint
    print(f"{path} has no settings (a released checkpoint): the network is that of the preset "
          f"{config.dataset} and the flags given")
    return config, checkpoint


def class_names(config, checkpoint):
    """The classes that a checkpoint was trained on; numbers where it does not tell."""
    return checkpoint.get("classes") or [str(k) for k in range(1, config.decoder_num_classes)]


def build(config, checkpoint, device):
    """The network of the checkpoint, ready to predict."""
    limit_threads(config.dataset)
    model = VSGN(check(config, "Infer"))
    load_weights(model, checkpoint["state_dict"], config.checkpoint_path)
    return model.to(device).eval()


@torch.inference_mode()
def predicted(model, loader, config, process):
    """(Window, Proposals) of every window of the loader, in order."""
    def launched():
        for batch in progress(loader, "infer", process.is_first):
            with arithmetic(config.precision, process.device):
                predictions = model(batch.features, batch.num_frames)
            yield predictions, batch

    yield from decoded(launched(), config, gpu_decoder(config, process.device))
