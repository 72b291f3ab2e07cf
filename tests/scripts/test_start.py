"""How the scripts start: without torch where they can, and with threads that do not spin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from Utils.training.process import limit_threads, torch

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "matplotlib", "pandas", "scipy", "joblib")


def python(code, *words, **environment):
    """What Python prints for some code, started in the repository."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, text=True,
                          capture_output=True, env={**known, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("script", ["Cut_long_videos", "Eval"])
def test_cutting_and_evaluating_start_without_what_takes_long_to_import(script):
    assert python(f"import sys, {script}\nprint(*sys.modules.keys() & {set(HEAVY)})") == []


@pytest.mark.parametrize("script", ["Cut_long_videos", "Train", "Infer", "Eval"])
def test_help_does_not_wait_for_torch(script):
    said = python("import atexit, runpy, sys\n"
                  f"atexit.register(lambda: print('loaded', *sys.modules.keys() & {set(HEAVY)}))\n"
                  f"sys.argv = ['{script}.py', '--help']\n"
                  f"runpy.run_path('{script}.py', run_name='__main__')")
    assert "example:" in said and said[-1] == "loaded"


@pytest.mark.parametrize(("environment", "policy"), [({}, "passive"),
                                                     ({"OMP_WAIT_POLICY": "active"}, "active")])
def test_threads_do_not_spin_unless_the_environment_says_so(environment, policy):
    code = "import Utils.packages, os, sys\nprint(os.environ['OMP_WAIT_POLICY'], *sys.modules)"
    said = python(code, **environment)
    assert said[0] == policy and "torch" not in said


def test_the_demo_takes_one_thread_unless_the_environment_says_otherwise(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    limit_threads("demo")
    monkeypatch.delenv("OMP_NUM_THREADS")
    limit_threads("thumos")
    assert asked == []
    limit_threads("demo")
    assert asked == [1]
