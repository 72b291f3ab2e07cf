"""What Ctrl-C, SIGTERM and a closed terminal do: end a script in order, with exit code 130."""

import contextlib
import os
import signal

STOPPED = 130
PATIENCE = 3        # the third signal does not wait for the order
# Windows has no SIGHUP.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP")
           if hasattr(signal, name)]


def stop_at_once():
    """Let a signal end this process with one word: for the imports, when nothing is written yet.

    A signal that the caller ignores (nohup, a job in the background) stays ignored.
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
    """Let the first signal raise KeyboardInterrupt, so that what was begun is cleaned up.

    A second is ignored, since a terminal and run_vsgn.sh may both send one; a third ends the
    process. Only the main thread may set handlers.
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
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
