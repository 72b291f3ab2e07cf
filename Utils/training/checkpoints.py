"""Checkpoints of a run: `checkpoint.pth.tar` (last epoch) and `best.pth.tar` (lowest loss).

A checkpoint is a dict with the original's keys `epoch` (finished epochs), `state_dict` and
`optimizer`, and what exact resuming needs. It is loaded with `weights_only=True`, so that a file
from a stranger cannot run code.
"""

import contextlib
import io
import pickle
import zipfile
import zlib
from pathlib import Path

import torch

from Utils.files import UserError, listed, reason, replacing
from Utils.torch_files import check_solid, check_uncompressed

LAST = "checkpoint.pth.tar"
BEST = "best.pth.tar"
# What resuming needs besides the weights, and its kind.
RESUMED = {"epoch": int, "best_loss": float, "optimizer": dict, "settings": dict, "history": list,
           "random_states": dict}
# What torch raises on files that are cut short, garbled, or of another format.
READ_ERRORS = (RuntimeError, EOFError, OSError, ValueError, LookupError, AttributeError, TypeError,
               AssertionError, OverflowError, MemoryError, NotImplementedError,
               zipfile.BadZipFile, zlib.error)


def save_checkpoint(path, content):
    """Write a checkpoint, whole or not at all."""
    # Serialised in memory first: torch's own writer turns a full disk into an opaque error.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replacing(path) as part:
        part.write_bytes(buffer.getbuffer())


def check_classes(content, classes, path):
    """Refuse a checkpoint that was trained on other classes, which would shift every label."""
    trained = content.get("classes")
    if trained is not None and list(trained) != list(classes):
        raise UserError(f"{path} was trained on the classes {listed(trained)}, the annotations "
                        f"have {listed(classes)}; annotate with the same, or name --class_index")


def load_checkpoint(path):
    """The dict of a checkpoint, tensors on the CPU; settings None if the original wrote it.

    Raises UserError if the file is missing, broken, refused, or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"no checkpoint at {path}; run Train.py --checkpoint_path {path.parent} "
                        "first, or name the folder of a trained run")
    try:
        _check_sums(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except pickle.UnpicklingError as problem:
        raise UserError(f"{path} is refused: it wants more than weights to be loaded, which could "
                        f"run foreign code ({reason(problem)})") from None
    except READ_ERRORS as problem:
        raise UserError(f"{path} is no readable checkpoint ({reason(problem)}); it may be cut "
                        "off: copy it again or train again") from None
    _check_content(content, path)
    return content


def check_resumable(content, path):
    """Refuse to resume a checkpoint that has the weights only, or a part of the rest."""
    if "settings" not in content:
        raise UserError(f"{path} has no settings: it is a released checkpoint, which can be used "
                        "for inference but not resumed")
    odd = [name for name, kind in RESUMED.items() if not isinstance(content.get(name), kind)]
    if odd or len(content["history"]) != content["epoch"]:
        raise UserError(f"{path} cannot be resumed: its {', '.join(odd or ['history'])} is not as "
                        "Train.py writes it; --overwrite starts anew")


@contextlib.contextmanager
def broken_state(path):
    """Turn what torch raises for a foreign optimizer or generator state into a UserError."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as problem:
        raise UserError(f"{path} cannot be resumed: the state of its optimizer or generators does "
                        f"not fit ({reason(problem)}); --overwrite starts anew") from None


def _check_sums(path):
    """Raise BadZipFile where a part of the file is not what its checksum says.

    torch.load does not look at them, and would take a flipped bit for a weight.
    """
    if zipfile.is_zipfile(path):
        check_uncompressed(path)
        with zipfile.ZipFile(path) as parts:
            if bad := parts.testzip():
                raise zipfile.BadZipFile(f"the checksum of {bad} is wrong")


def _check_content(content, path):
    """Refuse what is no checkpoint, and weights that are not finite."""
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise UserError(f"{path} holds no state_dict; it is not a checkpoint of VSGN")
    trained = content.get("trained_state_dict", {})
    if not isinstance(trained, dict):
        raise UserError(f"{path}: its trained_state_dict is not as Train.py writes it; train again")
    for name, value in [*content["state_dict"].items(), *trained.items()]:
        if not isinstance(name, str) or not torch.is_tensor(value):
            raise UserError(f"{path}: {str(name)[:60]!r} of its state_dict is no tensor")
        check_solid(value, f"{path}: {name}")
        if not value.isfinite().all():
            raise UserError(f"{path}: its weights {name} have NaN or infinite values; take another "
                            "checkpoint or train again")
    if not isinstance(content.get("settings", {}), dict):
        raise UserError(f"{path}: its settings are not as Train.py writes them; train again")
