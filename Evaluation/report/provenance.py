"""Where a number comes from: what was scored, with which code and settings."""

import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from Evaluation.metrics import ActionTable
from Utils.files import REPOSITORY
from Utils.segments import length

PACKAGES = ("torch", "numpy", "scipy", "h5py", "pandas", "matplotlib")
TIES = {
    "activitynet": "equal scores: first in the file first; equal tIoU: last action of the file",
    "thumos14": "equal scores: by name of the video, then first in the file first; equal tIoU: "
                "the higher score",
}


def provenance(truth: ActionTable, source: dict, protocol: str, settings: dict,
               notes: Sequence[str]) -> dict:
    """What a reader needs in order to compare a score with another one.

    truth: ActionTable. source: {"ground_truth": file, "detections": file, "subset":
    name}. settings: JSON-able dict of the run's options. notes: what was skipped, odd
    or missing.
    """
    return {**source, "videos": len(truth.videos), "instances": len(truth),
            "videos_without_instances": len(truth.videos) - len(np.unique(truth.video)),
            "instances_without_length": int((length(truth.segments) <= 0).sum()),
            "ties": TIES[protocol], "seed": settings.get("seed"), "settings": settings,
            "versions": versions(), **git_state(REPOSITORY), "notes": list(notes)}


def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_state(folder: str | Path) -> dict:
    """The commit of the repository whose top is `folder`, and whether files differ from it.

    Both are None without git, or if the folder is not the top of a repository.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != Path(folder).resolve():
        return {"git_commit": None, "git_modified": None}
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"git_commit": _git(folder, "rev-parse", "HEAD"),
            "git_modified": None if changes is None else bool(changes)}


def _git(folder, *words):
    """The output of a git command; None if it fails or there is no git."""
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
