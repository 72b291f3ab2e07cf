"""A training that was killed, stopped or interrupted continues as if nothing had happened."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.halting import go_on, state_of, wait_until_halted
from tests.processes import ROOT, Scripts
from tests.small_run import options, places

EPOCHS, KILLS = 10, 50
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("resume")


@pytest.fixture(scope="module")
def scripts(folder):
    scripts = Scripts(folder, ["Cut_long_videos", "Train"])
    yield scripts
    scripts.close()


@pytest.fixture(scope="module")
def words(folder):
    """The command line of the training in folder/name, as a function."""
    chosen = options(folder)

    def line(name, *more):
        return [*places(folder), *chosen, f"--checkpoint_path={folder}/{name}", "--batch_size=8",
                f"--num_epoch={EPOCHS}", *more]
    return line


@pytest.fixture(scope="module")
def undisturbed(scripts, folder, words):
    """The checkpoints of a training that nothing disturbed."""
    scripts.done("Cut_long_videos", *words("whole"))
    scripts.done("Train", *words("whole"))
    return load(folder / "whole")


def load(run):
    return [torch.load(run / name, weights_only=True)
            for name in ("checkpoint.pth.tar", "best.pth.tar")]


def assert_same(found, expected, where=""):
    """Two checkpoints, or parts of them, are the same to the last bit."""
    assert type(found) is type(expected), where
    if torch.is_tensor(found):
        assert found.dtype == expected.dtype and torch.equal(found, expected), where
    elif isinstance(found, dict):
        assert list(found) == list(expected), where
        for key in found:
            assert_same(found[key], expected[key], f"{where}/{key}")
    elif isinstance(found, list | tuple):
        assert len(found) == len(expected), where
        for index, pair in enumerate(zip(found, expected, strict=True)):
            assert_same(*pair, f"{where}/{index}")
    else:
        assert found == expected, where


def test_kills_at_any_instant_change_nothing(scripts, folder, words, undisturbed):
    """The instants are drawn over the time of a whole training, so that every phase is hit."""
    started = time.monotonic()
    scripts.done("Train", *words("timed", "--num_epoch", "2"))
    span, rng = time.monotonic() - started, random.Random(5)
    kills, finished = 0, 0
    while kills < KILLS or not finished:
        process = scripts.start("Train", *words("killed", "--resume"))
        time.sleep(rng.uniform(0, span))
        if kills < KILLS:
            os.kill(process, signal.SIGKILL)     # until `end` its id is nobody else's
        ended = scripts.end()
        assert ended.code in (0, -signal.SIGKILL), ended.err
        kills += ended.code != 0
        if ended.code == 0:
            finished += 1
            assert_same(load(folder / "killed"), undisturbed)
            shutil.rmtree(folder / "killed")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_says_how_to_go_on(scripts, folder, words, undisturbed, signum):
    name = signal.Signals(signum).name
    process = scripts.start("Train", *words(name), halt=("checkpoint.pth.tar", 4))
    wait_until_halted(process)
    go_on(process, signum)
    ended = scripts.end()
    assert ended.code == 130 and ended.err.count("\n") == 1, ended.err
    assert f"3 of {EPOCHS} epochs are saved in {folder}/{name}; continue with" in ended.err
    assert f"--checkpoint_path {folder}/{name} --resume" in ended.err
    assert not list((folder / name).rglob("*.part"))
    said = scripts.done("Train", *words(name, "--resume"))
    assert f"resuming {folder}/{name}/checkpoint.pth.tar after epoch " in said
    assert_same(load(folder / name), undisturbed)


def test_random_windows_and_averages_go_on_too(scripts, folder, words):
    strong = ["--recipe", "strong", "--steps_per_epoch", "4", "--batch_size", "4",
              f"--num_epoch={EPOCHS}", f"--window_path={folder}/strong_windows"]
    scripts.done("Cut_long_videos", *words("strong", *strong))
    scripts.done("Train", *words("strong", *strong))
    process = scripts.start("Train", *words("stopped", *strong), halt=("checkpoint.pth.tar", 4))
    wait_until_halted(process)
    go_on(process, signal.SIGTERM)
    assert scripts.end().code == 130
    assert load(folder / "stopped")[0]["epoch"] == 3
    scripts.done("Train", *words("stopped", *strong, "--resume"))
    assert_same(load(folder / "stopped"), load(folder / "strong"))
    last = load(folder / "strong")[0]
    assert last["trained_state_dict"].keys() == last["state_dict"].keys()
    assert not all(torch.equal(value, last["state_dict"][name])
                   for name, value in last["trained_state_dict"].items())


@pytest.mark.parametrize("written", ["input.png", "tensorboard"])
def test_a_run_stopped_before_its_first_epoch_says_so(scripts, folder, words, undisturbed, written):
    process = scripts.start("Train", *words(f"early {written}"), halt=(written,))
    wait_until_halted(process)
    go_on(process, signal.SIGTERM)
    ended = scripts.end()
    assert ended.code == 130 and "no epoch is saved yet; start again" in ended.err


def test_a_run_continued_with_more_epochs_is_the_longer_run(scripts, folder, words, undisturbed):
    scripts.done("Train", *words("longer", "--num_epoch", "4"))
    scripts.done("Train", *words("longer", "--resume"))
    assert_same(load(folder / "longer"), undisturbed)


def test_two_processes_resume_exactly(folder, words, undisturbed):
    """One of two processes is killed; torchrun ends the other; both go on together."""
    torchrun(folder, words("two")).wait()
    run = torchrun(folder, words("broken"), halt=("checkpoint.pth.tar", 4))
    os.kill(halted_worker(run), signal.SIGKILL)
    assert run.wait() != 0
    assert load(folder / "broken")[0]["epoch"] == 3
    assert torchrun(folder, words("broken", "--resume")).wait() == 0
    assert_same(load(folder / "broken"), load(folder / "two"))


def torchrun(folder, words, halt=None):
    """Start a training in two processes. halt: arguments of halt_at, for both."""
    train = [ROOT / "Train.py"]
    if halt:
        train = [ROOT / "tests" / "halting.py", *map(str, halt), *train]
    with open(folder / "torchrun.log", "a") as log:
        return subprocess.Popen(
            [sys.executable, *TORCHRUN, *train, *words],
            cwd=folder, stdout=log, stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)})


def halted_worker(run):
    """Wait until one of the processes that torchrun has started has stopped itself."""
    while True:
        assert run.poll() is None
        for process in workers(run.pid):
            if state_of(process) == "T":
                return process
        time.sleep(0.005)


def workers(process):
    """The processes that a process has started."""
    with open(f"/proc/{process}/task/{process}/children") as file:
        return [int(word) for word in file.read().split()]
