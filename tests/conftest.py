"""Where tests find the shared material (goldens, real annotations, real data), and settings."""

import os
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import settings

# A runner in the background of a shell has Ctrl-C ignored, and would hand that on to the scripts.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(os.environ.get("VSGN_SHARED", Path(__file__).parents[2] / "shared"))

# No deadline: a busy machine is no fault of the code.
settings.register_profile("vsgn", deadline=None)
settings.load_profile("vsgn")


@pytest.fixture(scope="session")
def shared():
    """The folder of goldens and real data; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"SHARED MATERIAL ABSENT: no {SHARED}; set VSGN_SHARED to test against it")
    return SHARED
