"""Prints what the tests need, each package at the least version that pyproject.toml names.

torch stays at the version of requirements.txt, as its releases are large; so do the tools that
pyproject.toml does not name.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from Utils.packages import requirements  # noqa: E402  (needs the path)

PINS = ("requirements.txt", "requirements-video.txt", "requirements-dev.txt")


def least_requirements():
    """Lines for pip, one per package."""
    least = requirements(ROOT / "pyproject.toml", ("video", "test"))
    lines = [line for name in PINS for line in (ROOT / name).read_text().splitlines()]
    pinned = dict(found.groups() for line in lines
                  if (found := re.match(r"([\w-]+)==(\S+)", line)))
    return [f"{name}=={version if name == 'torch' else least.get(name, version)}"
            for name, version in pinned.items()]


if __name__ == "__main__":
    print(*least_requirements(), sep="\n")
