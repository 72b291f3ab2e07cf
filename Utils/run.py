"""The frame of a script: errors as sentences, a lock on its folder, progress, a summary."""

import contextlib
import functools
import os
import sys
import time
from pathlib import Path

import psutil
from filelock import FileLock, Timeout
from tqdm import tqdm

from Utils.files import HELD, UserError, remove_parts
from Utils.stopping import STOPPED, unwinding
from Utils.streams import check_said, steady_streams

SECONDS_BETWEEN_LINES = 30


def script_main(main):
    """Make `main(argv) -> int` return an exit code: for a user's mistake, one sentence and 2.

    Ctrl-C, SIGTERM and a closed terminal end it with 130; files written before stay
    intact. A lost log does not end it, since results are in files.
    """
    @functools.wraps(main)
    def guarded(argv=None):
        with unwinding(), steady_streams():
            try:
                return _or_help(main, argv)
            except UserError as mistake:
                print(f"error: {mistake}", file=sys.stderr)
                return 2
            except KeyboardInterrupt as stop:
                print(f"stopped{f': {stop}' if str(stop) else ''}", file=sys.stderr)
                return STOPPED
            except (MemoryError, RuntimeError) as problem:
                if not is_out_of_memory(problem):
                    raise
                print("error: out of memory; give a smaller --batch_size, or --cache "
                      "none if features are kept in memory", file=sys.stderr)
                return 2
    return guarded


def _or_help(main, argv):
    """The exit code of main. --help raises SystemExit, and must have been printed."""
    try:
        return main(argv)
    except SystemExit:
        check_said()
        raise


def is_out_of_memory(problem):
    """Whether an exception means that RAM or GPU memory was not sufficient."""
    # torch may not be imported. Its CPU allocator raises a bare RuntimeError.
    return (isinstance(problem, MemoryError) or type(problem).__name__ == "OutOfMemoryError"
            or "can't allocate memory" in str(problem))


@contextlib.contextmanager
def locked(folder):
    """Reserve `folder` for this run; a second run in it raises UserError.

    The operating system frees the lock however the process ends. Nothing is written to a
    folder that is moved or deleted in the meantime (Utils.files.replacing). A folder
    created for a run is removed if the run fails before writing anything.
    """
    folder = Path(folder)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise UserError(f"another run is writing to {folder}; wait for it, or choose "
                        "another folder") from None
    except OSError as problem:
        raise UserError(f"cannot write to {folder}: {problem.strerror}") from problem
    with contextlib.ExitStack() as held:
        held.callback(lock.release)
        is_there = same_file(folder / ".lock")
        held.callback(HELD.pop, Path(os.path.abspath(folder)), None)
        HELD[Path(os.path.abspath(folder))] = functools.partial(_check_there, folder, is_there)
        remove_parts(folder)
        try:
            yield folder
        except BaseException:
            if made and is_there() and [path.name for path in folder.iterdir()] == [".lock"]:
                _remove_made(folder, made)
            raise


def same_file(path):
    """A function that tells whether the file now at `path` is still there when it is called."""
    def identity():
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    before = identity()
    return lambda: before is not None and identity() == before


def _check_there(folder, is_there):
    if not is_there():
        raise UserError(f"{folder} was moved, deleted or replaced while this run wrote "
                        "to it; nothing more is written. Start again; to continue a "
                        "training that was moved, give --resume and its new "
                        "--checkpoint_path")


def _remove_made(folder, made):
    """Remove the lock of a folder, and the folders created for it."""
    with contextlib.suppress(OSError):
        (folder / ".lock").unlink()
        for place in made:
            place.rmdir()


def progress(items, what, shown=True):
    """Yield the items and show progress:
    a bar on a terminal, otherwise a line every 30 s.

    items: has a length. what: a word or two. shown: False for silence, or a function
    called with (what, done, total) after each item.
    """
    if not shown:
        yield from items
    elif callable(shown):
        for done, item in enumerate(items, 1):
            yield item
            shown(what, done, len(items))
    elif sys.stderr.isatty():
        yield from tqdm(items, desc=what, leave=False)
    else:
        start = said = time.monotonic()
        for done, item in enumerate(items, 1):
            yield item
            now = time.monotonic()
            if now - said >= SECONDS_BETWEEN_LINES:
                rate, said = done / (now - start), now
                print(f"{what}: {done} of {len(items)}, {rate:.2g} per second, "
                      f"{(len(items) - done) / rate:.0f} s left", flush=True)


class Stopwatch:
    """Wall time since its creation, and peak memory, for the last line of a script."""

    def __init__(self):
        self.start = time.perf_counter()

    def summary(self, done):
        """`done`, the time it took and the peak memory as one line."""
        seconds = time.perf_counter() - self.start
        return f"{done} in {seconds:.1f} s; peak memory {peak_memory() / 2 ** 30:.2f} GiB"


def peak_memory():
    """Peak resident memory of this process, in bytes."""
    try:
        import resource
    except ImportError:     # Windows
        found = psutil.Process().memory_info()
        return getattr(found, "peak_wset", found.rss)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
