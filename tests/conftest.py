"""Where tests find the shared material (goldens, real annotations, real data), and settings."""

import os
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import settings

# A runner in the background of a shell has Ctrl-C ignored, one under nohup SIGHUP, and would hand
# that on to the scripts, which then wait for a signal that never comes.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)       # ignored here, but not by children

SHARED = Path(os.environ.get("VSGN_SHARED", Path(__file__).parents[2] / "shared"))

# No deadline: a busy machine is not a fault of the code. In CI the same examples every time: what a
# new one finds is found, and told, where somebody works.
settings.register_profile("vsgn", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("vsgn")


@pytest.fixture(scope="session")
def shared():
    """The folder of goldens and real data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"SHARED MATERIAL ABSENT: no {SHARED}; set VSGN_SHARED to test against it")
    return SHARED
