"""Running a script: errors as sentences, seeds, device, processes, the run folder, a summary."""

import contextlib
import fcntl
import functools
import os
import random
import resource
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from tqdm import tqdm

from Utils.files import UserError

SECONDS_BETWEEN_LINES = 30


def script_main(main):
    """Make `main(argv) -> int` end in an exit code: a user's mistake is one sentence and a 2.

    Ctrl-C and SIGTERM end it with 130; what was written before stays whole.
    """
    @functools.wraps(main)
    def guarded(argv=None):
        try:
            with _sigterm_as_interrupt():
                return main(argv)
        except UserError as mistake:
            print(f"error: {mistake}", file=sys.stderr)
            return 2
        except KeyboardInterrupt as stop:
            print(f"stopped{f': {stop}' if str(stop) else ''}", file=sys.stderr)
            return 130
        except (MemoryError, RuntimeError) as problem:
            if not is_out_of_memory(problem):
                raise
            print("error: out of memory; give a smaller --batch_size, or --cache none if features "
                  "are kept in memory", file=sys.stderr)
            return 2
    return guarded


def is_out_of_memory(problem):
    """Whether an exception means that the memory, of a GPU or not, did not suffice."""
    # torch's own allocator on a CPU raises a bare RuntimeError.
    return (isinstance(problem, MemoryError | torch.cuda.OutOfMemoryError)
            or "can't allocate memory" in str(problem))


@contextlib.contextmanager
def _sigterm_as_interrupt():
    """Let SIGTERM unwind like Ctrl-C (only the main thread may set a handler)."""
    def interrupt(signum, frame):
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def seed_everything(seed):
    """Seed torch, numpy and Python."""
    random.seed(seed)
    np.random.seed(seed % 2 ** 32)
    torch.manual_seed(seed)


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
    """This process among those that torchrun started: `rank` of `world`, on `device`."""
    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self):
        return self.rank == 0

    def say(self, *lines):
        """Print lines, once for all processes."""
        if self.is_first and lines:
            print(*lines, sep="\n", flush=True)


@contextlib.contextmanager
def processes(device_name):
    """Join the processes of torchrun (one alone without it) and choose this one's device.

    device_name: auto, cpu or cuda. Raises UserError for cuda where there is none.
    """
    if device_name == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no CUDA device here; use --device cpu, or "
                        "install a CUDA build of torch")
    use_cuda = device_name != "cpu" and torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", 0))
    device = torch.device(f"cuda:{local}" if use_cuda else "cpu")
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
def locked(folder):
    """Hold `folder` for this run alone; a second run in it gets a UserError.

    The operating system frees the lock when the process ends, however it ends. A folder made for a
    run that failed before it wrote anything goes again.
    """
    folder = Path(folder)
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / ".lock", "w")  # noqa: SIM115 (closed below, after the run)
    except OSError as problem:
        raise UserError(f"cannot write in {folder}: {problem.strerror}") from problem
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"another run is writing in {folder}; wait for it, or choose another "
                            "folder") from None
        try:
            yield folder
        except BaseException:
            if is_new and [path.name for path in folder.iterdir()] == [".lock"]:
                shutil.rmtree(folder, ignore_errors=True)
            raise


@contextlib.contextmanager
def arithmetic(precision, device):
    """Arithmetic of the convolutions: fp32, tf32 (only CUDA has it) or bf16 autocast."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        yield


def progress(items, what, is_shown=True):
    """Hand on the items and show how far it is: a bar on a terminal, else a line every 30 s.

    items: has a length. what: in a word or two.
    """
    if not is_shown:
        yield from items
    elif sys.stderr.isatty():
        yield from tqdm(items, desc=what, leave=False)
    else:
        start = said = time.monotonic()
        for done, item in enumerate(items, 1):
            yield item
            now = time.monotonic()
            if now - said >= SECONDS_BETWEEN_LINES:
                rate, said = done / (now - start), now
                print(f"{what}: {done} of {len(items)}, {rate:.2g} a second, "
                      f"{(len(items) - done) / rate:.0f} s left", flush=True)


class Stopwatch:
    """Wall time since it was made, and the peak resident memory, for the last line of a script."""

    def __init__(self):
        self.start = time.perf_counter()

    def summary(self, done):
        """`done`, the time it took and the peak memory as one line."""
        seconds = time.perf_counter() - self.start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20
        return f"{done} in {seconds:.1f} s; peak memory {peak:.2f} GiB"
