"""The scripts import this before anything else: it ends them with one sentence where this Python is
too old or a package is not installed."""

import importlib.util
import sys


def check_packages():
    """Exit with code 2 and a sentence if what pyproject.toml asks for is not there."""
    if sys.version_info < (3, 11):  # noqa: UP036  (whatever Python the user has runs this)
        refuse(f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed")
    from Utils.environment import PROJECT, requirements
    absent = [name for name in requirements(PROJECT) if importlib.util.find_spec(name) is None]
    if absent:
        refuse(f"{sys.executable} lacks {', '.join(absent)}")


def refuse(found):
    print(f"error: {found}; `bash run_vsgn.sh` makes a .venv that has all, and then `source "
          ".venv/bin/activate` chooses it; or pip install -r requirements.txt", file=sys.stderr)
    sys.exit(2)


check_packages()
