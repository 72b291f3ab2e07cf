"""What the scripts say to a Python that lacks packages, or is too old."""

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


def test_an_old_python_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    with pytest.raises(SystemExit, match="2"):
        packages.check_packages()
    assert "error: Python 3.10.4 is too old: 3.11 or newer" in capsys.readouterr().err
