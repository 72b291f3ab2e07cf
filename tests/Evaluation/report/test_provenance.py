import json
import shutil
import subprocess

import numpy as np
import pytest

from Evaluation.report.provenance import git_state, provenance, versions
from tests.tables import actions


def test_what_was_scored_is_counted():
    truth = actions(("v", "x", 0, 10), ("v", "x", 5, 5), videos=("v", "empty"))
    found = provenance(truth, {"ground_truth": "gt.json", "subset": "test"}, "activitynet",
                       {"seed": 3, "nms_thr": .4}, ["one note"])
    assert (found["videos"], found["instances"]) == (2, 2)
    assert (found["videos_without_instances"], found["instances_without_length"]) == (1, 1)
    assert found["ground_truth"] == "gt.json" and found["seed"] == 3
    assert found["settings"]["nms_thr"] == .4 and found["notes"] == ["one note"]
    assert found["ties"].startswith("equal scores: first in the file first")
    assert json.loads(json.dumps(found)) == found


def test_versions_are_those_that_run():
    assert versions()["numpy"] == np.__version__ and "python" in versions()


def test_a_folder_without_git_has_no_commit(tmp_path):
    assert git_state(tmp_path) == {"git_commit": None, "git_modified": None}


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
def test_commit_and_changes_of_a_repository(tmp_path):
    def git(*words):
        person = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        done = subprocess.run(["git", *person, *words], cwd=tmp_path, check=True,
                              capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "file").write_text("one")
    (tmp_path / "inner").mkdir()
    git("add", "file")
    git("commit", "-q", "-m", "first")
    assert git_state(tmp_path) == {"git_commit": git("rev-parse", "HEAD"), "git_modified": False}
    (tmp_path / "file").write_text("two")
    assert git_state(tmp_path)["git_modified"] is True
    # A project unpacked inside another repository is not that repository's commit.
    assert git_state(tmp_path / "inner")["git_commit"] is None


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == {"git_commit": None, "git_modified": None}
