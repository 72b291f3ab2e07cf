"""The least versions of packages: what CI installs of them."""

import subprocess
import sys

from Utils.packages import release, requirements

from tests.processes import ROOT


def test_ci_installs_the_least_versions_and_nothing_newer_than_the_pins():
    done = subprocess.run([sys.executable, ROOT / ".ci" / "least.py"], check=True,
                          capture_output=True, text=True)
    installed = dict(line.split("==") for line in done.stdout.split())
    named = requirements(ROOT / "pyproject.toml", ("video", "test"))
    assert installed.items() >= {**named, "torch": installed["torch"]}.items()
    pinned = dict(line.split("==") for name in ("requirements.txt", "requirements-video.txt")
                  for line in (ROOT / name).read_text().splitlines() if line[0].isalpha())
    assert pinned["torch"] == installed["torch"]
    assert all(release(named[package]) <= release(version) for package, version in pinned.items())
