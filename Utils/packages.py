"""Check that this Python has what pyproject.toml asks for, quickly: without importing it.

The scripts import this module first. It ends them with one sentence if this Python is
too old or a package is missing, and at once if a signal arrives during imports. It
also does what must be done before importing torch, which takes seconds.

    python Utils/packages.py [test]

prints what is missing or too old, and exits with 1 if anything is; `test` includes the
test tools. run_vsgn.sh uses it to decide whether the active environment is complete.
"""

import contextlib
import importlib.util
import os
import re
import sys
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
# Packages of the same modules, any of which will do.
ALIKE = {"opencv-python-headless": ("opencv-python", "opencv-contrib-python-headless",
                                    "opencv-contrib-python")}


def requirements(project, groups=()):
    """{package: least version} of pyproject.toml, with the optional `groups`.

    Empty if pip installed this project: then the file is missing, and pip has checked
    the packages.
    """
    if not Path(project).is_file():
        return {}
    import tomllib  # missing in a Python that is too old, which is reported first

    table = tomllib.loads(Path(project).read_text(encoding="utf-8"))["project"]
    lines = list(table["dependencies"])
    for group in groups:
        lines += table["optional-dependencies"][group]
    return dict(line.split(">=") for line in lines)


def lacking(wanted, installed_version):
    """Those of `wanted` ({package: least version}) that are missing or too old, as texts.

    installed_version: function of a package's name; raises PackageNotFoundError if it
    is missing.
    """
    found = []
    for package, least in wanted.items():
        versions = []
        for name in (package, *ALIKE.get(package, ())):
            with contextlib.suppress(metadata.PackageNotFoundError):
                versions.append(installed_version(name) or "0")
        version = max(versions, key=release, default=None)
        if version is None:
            found.append(f"{package}>={least}")
        elif release(version) < release(least):
            found.append(f"{package}>={least} (has {version})")
    return found


def release(version):
    """The numbers of a version, for comparison: "2.13.0+cpu" -> (2, 13)."""
    numbers = [int(number)
               for number in re.match(r"[\d.]*", version)[0].split(".") if number]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def main(groups):
    """Print what is missing or too old. -> 1 if anything is."""
    found = lacking(requirements(PROJECT, groups), metadata.version)
    if found:
        print(", ".join(found))
    return 1 if found else 0


# ---- for the scripts ----------------------------------------------------------------------------

def check_packages():
    """Exit with code 2 and a sentence if what pyproject.toml asks for is not there."""
    if sys.version_info < (3, 11):  # noqa: UP036  (whatever Python the user has runs this)
        refuse(f"Python {sys.version.split()[0]} is too old: 3.11 or newer is needed")
    # Utils.files needs no package, but a Python that is not too old.
    from Utils.streams import open_closed_streams
    if is_script():
        open_closed_streams()
    absent = [name for name in requirements(PROJECT)
              if importlib.util.find_spec(name) is None]
    if absent:
        refuse(f"{sys.executable} lacks {', '.join(absent)}")


def is_script():
    """Whether a script of this folder was started, not imported by another program."""
    started = getattr(sys.modules["__main__"], "__file__", None) or ""
    place = os.path.dirname(os.path.realpath(started))
    return place == os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def refuse(found):
    """Say what is wrong with this Python and what helps, and exit with code 2."""
    print(f"error: {found}; `bash run_vsgn.sh` makes a .venv that has all, and then "
          "`source .venv/bin/activate` chooses it; "
          "or pip install -r requirements.txt", file=sys.stderr)
    sys.exit(2)


def answer_help():
    """If help is asked for, print that of the running script and end."""
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


def prepare_script():
    """What comes before a script's other imports."""
    if is_script():
        from Utils.stopping import stop_at_once
        stop_at_once()
    check_packages()
    if is_script():
        answer_help()
    # Threads that wait by spinning make a busy machine several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
prepare_script()
