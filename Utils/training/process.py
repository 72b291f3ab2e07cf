"""The processes of a run: seeds, torchrun and devices, arithmetic."""

import contextlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist

from Utils.files import UserError, counted, reason

# Either of these variables means that there are several processes.
JOINING = {"RANK", "WORLD_SIZE"}
OR_ALONE = (", or unset RANK WORLD_SIZE LOCAL_RANK MASTER_ADDR MASTER_PORT to run one "
            "process alone")


def seed_everything(seed):
    """Seed torch, numpy and Python."""
    random.seed(seed)
    np.random.seed(seed % 2 ** 32)
    torch.manual_seed(seed)


def limit_threads(dataset):
    """Run the demo in one thread: its network is too small to gain from a second one.

    The environment overrides this.
    """
    if dataset == "demo" and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)


def random_states():
    """The states of all generators, as plain values and tensors that weights_only can load."""
    kind, keys, *rest = np.random.get_state()
    states = {"torch": torch.get_rng_state(), "python": random.getstate(),
              "numpy": (kind, torch.from_numpy(keys.astype(np.int64)), *rest)}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random_states(states):
    """Restore what `random_states` returned."""
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

    see: True to print messages and progress, False for silence, or a function that is
    called with the progress (what, done, total).
    """
    rank: int
    world: int
    device: torch.device
    see: bool | Callable[[str, int, int], object] = True

    @property
    def is_first(self):
        """Whether this process speaks and writes for all of them."""
        return self.rank == 0

    @property
    def shown(self):
        """The argument `shown` of `Utils.run.progress` for this process."""
        return self.see if self.is_first else False

    @property
    def where(self):
        """Where the processes run, as part of a sentence."""
        return f" on {self.device}" + (f" in {self.world} processes" if self.world > 1 else "")

    def say(self, *lines):
        """Print lines, once for all processes."""
        if self.shown is True and lines:
            print(*lines, sep="\n", flush=True)


def choose_device(name):
    """The device of this process by name: auto, cpu, cuda or mps.

    UserError if it is missing.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no CUDA device here; use --device "
                        "cpu, or install a CUDA build of torch")
    if name == "mps" and not torch.backends.mps.is_available():
        raise UserError("--device mps: torch finds no Apple GPU here; use --device cpu")
    if name == "mps":
        return torch.device("mps")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    local, count = _rank_variable("LOCAL_RANK", 0), torch.cuda.device_count()
    if local >= count:
        raise UserError(f"LOCAL_RANK is {local}, but torch finds "
                        f"{counted(count, 'CUDA device')} here; start at most one "
                        f"process per device, give --device cpu{OR_ALONE}")
    return torch.device(f"cuda:{local}")


def _rank_variable(name, default=None):
    """A number that torchrun passes to its processes in the environment."""
    text = os.environ.get(name, default)
    if text is None or not str(text).isdecimal():
        found = "not set" if text is None else f"{text!r}, not a number"
        raise UserError(f"of the variables that torchrun sets, {name} is {found}; start "
                        f"with torchrun{OR_ALONE}")
    return int(text)


def processes_here(world):
    """How many of the `world` processes of torchrun run on this machine."""
    return max(1, _rank_variable("LOCAL_WORLD_SIZE", world))


def _check_rank_variables():
    """Refuse variables of torchrun that are incomplete or make no sense."""
    rank, world = _rank_variable("RANK"), _rank_variable("WORLD_SIZE")
    _rank_variable("LOCAL_RANK", 0)
    if rank >= world:
        raise UserError(f"RANK is {rank}, but WORLD_SIZE is {world}; start with torchrun{OR_ALONE}")
    if _rank_variable("MASTER_PORT") >= 2 ** 16 or not os.environ.get("MASTER_ADDR"):
        raise UserError("MASTER_ADDR and MASTER_PORT do not name a place where "
                        f"processes can meet; start with torchrun{OR_ALONE}")


def _join(backend):
    """Join the other processes."""
    _check_rank_variables()
    try:
        dist.init_process_group(backend)
    except (RuntimeError, ValueError, OSError) as problem:
        raise UserError("the processes of torchrun did not find each other at "
                        f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']} "
                        f"({reason(problem)}); start "
                        f"with torchrun{OR_ALONE}") from problem


@contextlib.contextmanager
def processes(device_name):
    """Join the processes of torchrun (one alone without it) and choose this one's device.

    device_name: auto, cpu, cuda or mps. Raises UserError if it is missing.
    """
    device = choose_device(device_name)
    use_cuda = device.type == "cuda"
    if use_cuda:
        torch.cuda.set_device(device)
    if not JOINING & os.environ.keys():
        yield Processes(0, 1, device)
        return
    _join("nccl" if use_cuda else "gloo")
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
