"""The process of a training: seeds, the processes of torchrun and their devices, arithmetic."""

import contextlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist

from Utils.files import UserError


def seed_everything(seed):
    """Seed torch, numpy and Python."""
    random.seed(seed)
    np.random.seed(seed % 2 ** 32)
    torch.manual_seed(seed)


def limit_threads(dataset):
    """Compute the demo in one thread: its network is too small to gain from a second. What the
    environment says wins."""
    if dataset == "demo" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)


def random_states():
    """The states of all generators, as plain values and tensors that load with weights_only."""
    kind, keys, *rest = np.random.get_state()
    states = {"torch": torch.get_rng_state(), "python": random.getstate(),
              "numpy": (kind, torch.from_numpy(keys.astype(np.int64)), *rest)}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random_states(states):
    """Undo `random_states`."""
    torch.set_rng_state(states["torch"])
    version, keys, gauss = states["python"]
    random.setstate((version, tuple(keys), gauss))
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


@dataclass(frozen=True)
class Processes:
    """This process among those that torchrun started: `rank` of `world`, on `device`.

    see: True to print what is said and how far it is, False for silence; or a function that is
    called with how far it is (what, done, total).
    """
    rank: int
    world: int
    device: torch.device
    see: bool | Callable[[str, int, int], object] = True

    @property
    def is_first(self):
        return self.rank == 0

    @property
    def shown(self):
        """What `Utils.run.progress` is to show of this process."""
        return self.see if self.is_first else False

    @property
    def where(self):
        """Where the processes compute, as words of a sentence."""
        return f" on {self.device}" + (f" in {self.world} processes" if self.world > 1 else "")

    def say(self, *lines):
        """Print lines, once for all processes."""
        if self.shown is True and lines:
            print(*lines, sep="\n", flush=True)


def choose_device(name):
    """The device of this process by name: auto, cpu or cuda. UserError for cuda without one."""
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no CUDA device here; use --device cpu, or "
                        "install a CUDA build of torch")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device(f"cuda:{os.environ.get('LOCAL_RANK', 0)}")


@contextlib.contextmanager
def processes(device_name):
    """Join the processes of torchrun (one alone without it) and choose this one's device.

    device_name: auto, cpu or cuda. Raises UserError for cuda where there is none.
    """
    device = choose_device(device_name)
    use_cuda = device.type == "cuda"
    if use_cuda:
        torch.cuda.set_device(device)
    if "RANK" not in os.environ:
        yield Processes(0, 1, device)
        return
    dist.init_process_group("nccl" if use_cuda else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


@contextlib.contextmanager
def arithmetic(precision, device):
    """Arithmetic of the convolutions: fp32, tf32 (only CUDA has it) or bf16 autocast."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        yield
