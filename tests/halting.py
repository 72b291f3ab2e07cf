"""A process that stops itself at a certain instant, so that a test can act right then."""

import os
import runpy
import signal
import sys
import time
from pathlib import Path

PLACE_OF = {"os.rename": 1, "os.mkdir": 0}      # which argument of the event is the new path


def halt_at(name, times=1):
    """Stop this process right before it makes file or folder `name` for the `times`th time.

    A file counts when its finished part is renamed, as Utils.files.replacing does.
    """
    met = 0

    def hook(event, arguments):
        nonlocal met
        if event in PLACE_OF and Path(os.fsdecode(arguments[PLACE_OF[event]])).name == name:
            met += 1
            if met == times:
                os.kill(os.getpid(), signal.SIGSTOP)
    sys.addaudithook(hook)


def wait_until_halted(process):
    """Wait until a process has stopped itself; it must not have ended."""
    while (state := state_of(process)) != "T":
        assert state != "Z", f"process {process} has ended"
        time.sleep(0.005)


def go_on(process, signum):
    """Let a halted process continue, with a signal as the first thing it receives."""
    os.kill(process, signum)
    os.kill(process, signal.SIGCONT)


def state_of(process):
    """A letter, as ps has it: T for stopped, Z for ended."""
    # It follows the name in parentheses, which may hold anything.
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


if __name__ == "__main__":      # python -m tests.halting NAME TIMES SCRIPT WORDS
    halt_at(sys.argv[1], int(sys.argv[2]))
    sys.argv = sys.argv[3:]
    runpy.run_path(sys.argv[0], run_name="__main__")
