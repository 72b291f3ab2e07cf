"""The frame of a script: errors as sentences, the lock of its folder, progress, a summary."""

import contextlib
import fcntl
import functools
import resource
import shutil
import signal
import sys
import time
from pathlib import Path

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
    # torch may not be here. Its allocator on a CPU raises a bare RuntimeError.
    return (isinstance(problem, MemoryError) or type(problem).__name__ == "OutOfMemoryError"
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
