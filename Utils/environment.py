"""Does this Python have what pyproject.toml asks for? Imports none of it, so the answer is quick.

    python Utils/environment.py [test]

prints what is missing or too old, and exits with 1 if anything is; `test` asks for the test tools
too. run_vsgn.sh uses it to decide whether the active environment will do.
"""

import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def requirements(project, groups=()):
    """{package: least version} of pyproject.toml, with the optional `groups`. There is no such file
    where pip installed this project: it has seen to them, so none."""
    if not Path(project).is_file():
        return {}
    table = tomllib.loads(Path(project).read_text(encoding="utf-8"))["project"]
    lines = list(table["dependencies"])
    for group in groups:
        lines += table["optional-dependencies"][group]
    return dict(line.split(">=") for line in lines)


def lacking(wanted, installed_version):
    """Those of `wanted` ({package: least version}) that are absent or older, as texts.

    installed_version: function of a package's name; raises PackageNotFoundError if absent.
    """
    found = []
    for package, least in wanted.items():
        try:
            version = installed_version(package) or "0"
        except metadata.PackageNotFoundError:
            found.append(f"{package}>={least}")
            continue
        if release(version) < release(least):
            found.append(f"{package}>={least} (has {version})")
    return found


def release(version):
    """The numbers of a version, so that they compare: "2.13.0+cpu" -> (2, 13)."""
    numbers = [int(number) for number in re.match(r"[\d.]*", version)[0].split(".") if number]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def main(groups):
    found = lacking(requirements(PROJECT, groups), metadata.version)
    if found:
        print(", ".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
