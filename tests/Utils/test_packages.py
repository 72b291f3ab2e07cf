"""What this Python lacks, and what scripts say if packages are missing or Python is too old."""

import subprocess
import sys
from pathlib import Path

import pytest

from Utils import packages

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("script", ["Cut_long_videos", "Train", "Infer", "Eval", "Prepare_data",
                                    "Extract_features"])
def test_missing_packages_are_one_sentence(script):
    # -S leaves out the folders of installed packages.
    done = subprocess.run([sys.executable, "-S", ROOT / f"{script}.py", "--help"],
                          capture_output=True, text=True)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith(f"error: {sys.executable} lacks torch, numpy, ")
    assert "source .venv/bin/activate" in done.stderr and "Traceback" not in done.stderr


def test_an_old_python_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    with pytest.raises(SystemExit, match="2"):
        packages.check_packages()
    assert "error: Python 3.10.4 is too old: 3.11 or newer" in capsys.readouterr().err


def test_versions_compare_as_numbers():
    assert packages.release("2.13.0+cpu") == (2, 13) == packages.release("2.13")
    assert packages.release("2.9") < packages.release("2.10.1") < packages.release("10rc1")


def test_absent_and_old_packages_are_listed():
    def installed(package):
        if package == "gone":
            raise packages.metadata.PackageNotFoundError
        return {"old": "1.9", "right": "1.10.0", "broken": None}[package]

    wanted = dict.fromkeys(("gone", "old", "right", "broken"), "1.10")
    assert packages.lacking(wanted, installed) == [
        "gone>=1.10", "old>=1.10 (has 1.9)", "broken>=1.10 (has 0)"]
    assert packages.lacking({}, installed) == []


@pytest.mark.parametrize("name, version, is_enough", [
    ("opencv-python", "4.9.0.80", True), ("opencv-contrib-python-headless", "4.9.0.80", True),
    ("opencv-python", "4.7.0.72", False), ("opencv-other", "4.9.0.80", False)])
def test_any_package_of_opencv_will_do(name, version, is_enough):
    def installed(package):
        if package != name:
            raise packages.metadata.PackageNotFoundError
        return version

    wanted = {"opencv-python-headless": "4.8.0.76"}
    assert (packages.lacking(wanted, installed) == []) == is_enough


def test_the_pins_meet_the_least_versions_and_cover_them():
    def pins(name):
        lines = (ROOT / name).read_text().splitlines()
        return dict(line.split("==") for line in lines if line[:1].isalpha())

    least = packages.requirements(ROOT / "pyproject.toml")
    assert set(pins("requirements.txt")) == set(least)
    assert pins("requirements.txt")["torch"] == "2.13.0"
    everything = {**pins("requirements.txt"), **pins("requirements-dev.txt")}
    with_tests = packages.requirements(ROOT / "pyproject.toml", ["test"])
    assert packages.lacking(with_tests, everything.get) == []


def test_this_environment_has_what_the_tests_need(capsys):
    assert packages.main(["test"]) == 0
    assert capsys.readouterr().out == ""
