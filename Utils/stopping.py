"""Ctrl-C, SIGTERM and a closed terminal end a script in order, with exit code 130."""

import contextlib
import os
import signal
import threading
from multiprocessing import parent_process

STOPPED = 130
PATIENCE = 3        # the third signal ends the process at once
# Windows has no SIGHUP.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")
           if hasattr(signal, name)]

_unwinding = []                 # one entry per `unwinding` that is entered
_masks = threading.local()      # signals blocked before a fork, by thread


def stop_at_once():
    """During imports, let a signal end this process with one word.

    Nothing has been written yet. A signal that the caller ignores
    (nohup, a background job) stays ignored.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number, frame):
    with contextlib.suppress(OSError):
        os.write(2, b"stopped\n")
    os._exit(STOPPED)


@contextlib.contextmanager
def unwinding():
    """Let the first signal raise KeyboardInterrupt, so that unfinished work is cleaned up.

    A second one is ignored, since a terminal and run_vsgn.sh may both send one; a
    third ends the process. Only the main thread can set handlers. A process that was
    forked meanwhile, such as a worker, leaves Ctrl-C to the one that started it, and
    ends at once when that one ends it; see `stoppable`.
    """
    received = 0

    def interrupt(number, frame):
        nonlocal received
        received += 1
        if received == 1:
            raise KeyboardInterrupt
        if received >= PATIENCE:
            _end(number, frame)

    before = {}
    try:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, interrupt)
    except ValueError:
        pass
    _unwinding.append(None)
    try:
        yield
    finally:
        _unwinding.pop()
        for number, handler in before.items():
            signal.signal(number, handler)


def stoppable(function, *arguments):
    """Call function(*arguments) in a worker, so that a signal to end it raises SystemExit.

    Unfinished work is then cleaned up. Between such calls it must not: a worker that
    waits for a lock may never look at it. Outside a worker, and on Windows, where none
    is sent, it is only a call.
    """
    if parent_process() is None or not hasattr(signal, "pthread_sigmask"):
        return function(*arguments)
    stopped = False

    def stop(number, frame):
        nonlocal stopped
        stopped = True
        raise SystemExit(STOPPED)

    _handle(stop)
    try:
        return function(*arguments)
    finally:
        _handle(signal.SIG_DFL)
        if stopped:     # where it was raised, it may have been caught
            raise SystemExit(STOPPED)


def _handle(handler):
    """Set the handler of the signals that end a worker; none is lost meanwhile."""
    ending = [number for number in SIGNALS if number != signal.SIGINT]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    for number in ending:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _before_fork():
    if _unwinding:
        _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _after_fork():
    if _unwinding:
        signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _in_child():
    if _unwinding:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _handle(signal.SIG_DFL)
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork,
                        after_in_child=_in_child)
