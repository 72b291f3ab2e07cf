"""The scripts import this before anything else: it ends them with one sentence where this Python is
too old or a package is not installed, and at once where a signal comes while they import. It does
what must come before torch, whose import takes seconds."""

import importlib.util
import os
import sys
from pathlib import Path


def check_packages():
    """Exit with code 2 and a sentence if what pyproject.toml asks for is not there."""
    if sys.version_info < (3, 11):  # noqa: UP036  (whatever Python the user has runs this)
        refuse(f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed")
    from Utils.environment import PROJECT, requirements

    # Utils.files needs no package, but a Python that is not too old.
    from Utils.streams import open_closed_streams
    if is_script():
        open_closed_streams()
    absent = [name for name in requirements(PROJECT) if importlib.util.find_spec(name) is None]
    if absent:
        refuse(f"{sys.executable} lacks {', '.join(absent)}")


def is_script():
    """Whether a script of this folder was started, not imported by another program."""
    started = getattr(sys.modules["__main__"], "__file__", None) or ""
    place = os.path.dirname(os.path.realpath(started))
    return place == os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def refuse(found):
    print(f"error: {found}; `bash run_vsgn.sh` makes a .venv that has all, and then `source "
          ".venv/bin/activate` chooses it; or pip install -r requirements.txt", file=sys.stderr)
    sys.exit(2)


def answer_help():
    """End with the help of the script that runs, if it is asked for."""
    from Utils.config.help_text import ABOUT, help_text
    from Utils.files import UserError
    from Utils.streams import check_said, steady_streams
    script, words = Path(sys.argv[0]).stem, sys.argv[1:]
    if script in ABOUT and {"-h", "--help"} & set(words):
        with steady_streams():
            try:
                print(help_text(script, is_all="all" in words))
                check_said()
            except UserError as problem:
                print(f"error: {problem}", file=sys.stderr)
                sys.exit(2)
        sys.exit()


if is_script():
    from Utils.stopping import stop_at_once
    stop_at_once()
check_packages()
if is_script():
    answer_help()
# Threads that wait by spinning make a busy machine several times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
