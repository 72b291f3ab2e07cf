"""Checkpoints of a run: `checkpoint.pth.tar` (last epoch), `best.pth.tar` (best validation).

A checkpoint is a dict with the original's keys `epoch` (finished epochs), `state_dict`
and `optimizer`, plus what is needed to resume exactly. It is loaded with
`weights_only=True`, so a file from a stranger cannot run code.
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
# What resuming needs besides the weights, and its type.
RESUMED = {"epoch": int, "best_loss": float, "optimizer": dict, "settings": dict, "history": list,
           "random_states": dict}
# Exceptions that torch raises on truncated or garbled files, or other formats.
READ_ERRORS = (RuntimeError, EOFError, OSError, ValueError, LookupError, AttributeError, TypeError,
               AssertionError, OverflowError, MemoryError, NotImplementedError,
               zipfile.BadZipFile, zlib.error)


def save_checkpoint(path, content):
    """Write a checkpoint, the whole file or nothing."""
    # Serialized in memory first, as torch's own writer turns a full disk into an opaque error.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replacing(path) as part:
        part.write_bytes(buffer.getbuffer())


def check_classes(content, classes, path):
    """Refuse a checkpoint trained on other classes, which would shift all labels."""
    trained = content.get("classes")
    if trained is not None and list(trained) != list(classes):
        raise UserError(f"{path} was trained on the classes {listed(trained)}, but the "
                        f"annotations have {listed(classes)}; annotate the same "
                        "classes, or give --class_index")


def load_checkpoint(path):
    """The dict of a checkpoint, with tensors on the CPU; the original's has no settings.

    Raises UserError if the file is missing, broken, refused, or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"no checkpoint at {path}; run Train.py --checkpoint_path "
                        f"{path.parent} first, or name the folder of a trained run")
    try:
        _check_sums(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except pickle.UnpicklingError as problem:
        raise UserError(f"{path} is refused: it holds more than weights, which could "
                        f"run foreign code ({reason(problem)})") from None
    except READ_ERRORS as problem:
        raise UserError(f"{path} is not a readable checkpoint ({reason(problem)}); it "
                        "may be truncated: copy it again, or train again with "
                        "--overwrite") from None
    _check_content(content, path)
    return content


def check_resumable(content, path):
    """Refuse to resume from a checkpoint with only the weights, or only part of the rest."""
    if "settings" not in content:
        raise UserError(f"{path} has no settings: it is a released checkpoint, which "
                        "can be used for inference but not resumed")
    odd = [name for name, kind in RESUMED.items()
           if not isinstance(content.get(name), kind)]
    if odd or len(content["history"]) != content["epoch"]:
        raise UserError(f"{path} cannot be resumed: its {', '.join(odd or ['history'])} "
                        "is not as Train.py writes it; --overwrite starts again")


@contextlib.contextmanager
def broken_state(path):
    """Turn exceptions about a foreign optimizer or generator state into a UserError."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as problem:
        raise UserError(f"{path} cannot be resumed: the state of its optimizer or "
                        f"generators does not fit ({reason(problem)}); --overwrite "
                        "starts again") from None


def _check_sums(path):
    """Raise BadZipFile if part of the file does not match its checksum.

    torch.load ignores checksums, so a flipped bit would become part of a weight.
    """
    if zipfile.is_zipfile(path):
        check_uncompressed(path)
        with zipfile.ZipFile(path) as parts:
            if bad := parts.testzip():
                raise zipfile.BadZipFile(f"the checksum of {bad} is wrong")


def _check_content(content, path):
    """Refuse content that is not a checkpoint, and weights that are not finite."""
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise UserError(f"{path} holds no state_dict; it is not a checkpoint of VSGN")
    trained = content.get("trained_state_dict", {})
    if not isinstance(trained, dict):
        raise UserError(f"{path}: its trained_state_dict is not as Train.py writes it; "
                        "train again with --overwrite")
    for name, value in [*content["state_dict"].items(), *trained.items()]:
        if not isinstance(name, str) or not torch.is_tensor(value):
            raise UserError(f"{path}: {str(name)[:60]!r} of its state_dict is not a tensor")
        check_solid(value, f"{path}: {name}")
        if not value.isfinite().all():
            raise UserError(f"{path}: its weights {name} have NaN or infinite values; "
                            "use another checkpoint, or train again with --overwrite")
    if not isinstance(content.get("settings", {}), dict):
        raise UserError(f"{path}: its settings are not as Train.py writes them; train "
                        "again with --overwrite")
