"""Checkpoints of a run: `checkpoint.pth.tar` (last epoch) and `best.pth.tar` (lowest loss).

A checkpoint is a dict with the original's keys `epoch` (finished epochs), `state_dict` and
`optimizer`, and what exact resuming needs. It is loaded with `weights_only=True`, so that a file
from a stranger cannot run code.
"""

import io
import pickle
from pathlib import Path

import torch

from Utils.files import UserError, replacing

LAST = "checkpoint.pth.tar"
BEST = "best.pth.tar"


def save_checkpoint(path, content):
    """Write a checkpoint, whole or not at all."""
    # Serialised in memory first: torch's own writer turns a full disk into an opaque error.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replacing(path) as part:
        part.write_bytes(buffer.getbuffer())


def load_checkpoint(path):
    """The dict of a checkpoint, tensors on the CPU; settings None if the original wrote it.

    Raises UserError if the file is missing, broken, refused, or holds no weights.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"no checkpoint at {path}; run Train.py --checkpoint_path {path.parent} "
                        "first, or name the folder of a trained run")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        raise UserError(f"{path} is refused: it wants more than weights to be loaded, which could "
                        f"run foreign code ({_first_line(problem)})") from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, TypeError,
            IndexError, UnicodeDecodeError) as problem:
        raise UserError(f"{path} is no readable checkpoint ({_first_line(problem)}); it may be cut "
                        "off: copy it again or train again") from None
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise UserError(f"{path} holds no state_dict; it is not a checkpoint of VSGN")
    return content


def _first_line(problem):
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
