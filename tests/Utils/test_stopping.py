"""Signals: the first unwinds, repeated ones don't disturb it, and an impatient third ends all."""

import contextlib
import multiprocessing
import os
import signal
import sys
import time

import joblib
import pytest

from Utils.run import script_main
from Utils.stopping import SIGNALS, stop_at_once, stoppable, unwinding


def in_a_child(work):
    """Run work() in a child. -> exit code, what it wrote to stderr."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(writer, 2)
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115  (pytest has put its own there)
        try:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            work()
        finally:
            os._exit(99)
    os.close(writer)
    with open(reader) as said:
        words = said.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), words


@pytest.mark.parametrize("number", SIGNALS)
def test_before_main_a_signal_is_one_word(number):
    def work():
        stop_at_once()
        os.kill(os.getpid(), number)

    assert in_a_child(work) == (130, "stopped\n")


@pytest.mark.parametrize("number", SIGNALS)
def test_what_the_caller_ignores_stays_ignored(number):
    def work():
        signal.signal(number, signal.SIG_IGN)
        stop_at_once()
        with unwinding():
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        os._exit(7)

    assert in_a_child(work) == (7, "")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_does_not_disturb_the_cleaning_up(number):
    def main(argv):
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.write(2, b"cleaned up, ")

    assert in_a_child(lambda: os._exit(script_main(main)())) == (130, "cleaned up, stopped\n")


def test_a_third_signal_ends_a_cleaning_up_that_hangs():
    def main(argv):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            for _ in range(2):
                os.kill(os.getpid(), signal.SIGINT)
            os.write(2, b"never said")

    assert in_a_child(lambda: script_main(main)()) == (130, "stopped\n")


def test_a_worker_that_is_ended_says_nothing_and_cleans_up(tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()

    def wait():
        try:
            ready.set()
            time.sleep(60)
        finally:
            (tmp_path / "cleaned").touch()

    def work():
        with unwinding():
            worker = context.Process(target=stoppable, args=(wait,))
            worker.start()
            ready.wait()
            os.kill(worker.pid, signal.SIGINT)      # a terminal sends it to all; this is no end
            worker.terminate()
            worker.join()
            os._exit(worker.exitcode)

    assert in_a_child(work) == (130, "")
    assert (tmp_path / "cleaned").exists()


def test_a_worker_ends_even_if_its_work_catches_the_signal():
    context = multiprocessing.get_context("fork")

    def swallow():
        with contextlib.suppress(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)

    def work():
        with unwinding():
            worker = context.Process(target=stoppable, args=(swallow,))
            worker.start()
            worker.join()
            os._exit(worker.exitcode)

    assert in_a_child(work) == (130, "")


def test_a_worker_that_waits_for_a_lock_ends_whenever_the_signal_comes():
    context = multiprocessing.get_context("fork")
    lock = context.Lock()

    def work():
        lock.acquire()
        with unwinding():
            codes = set()
            for _ in range(50):
                worker = context.Process(target=lock.acquire)
                worker.start()
                worker.terminate()
                worker.join()
                codes.add(worker.exitcode)
        os._exit(7 if codes == {-signal.SIGTERM} else 8)

    assert in_a_child(work) == (7, "")


def test_a_pool_of_joblib_ends_every_time():
    def work():
        with unwinding():
            for _ in range(20):
                joblib.Parallel(2, "multiprocessing")(
                    joblib.delayed(stoppable)(abs, number) for number in (-1, -2))
        os._exit(7)

    assert in_a_child(work) == (7, "")


def test_handlers_are_as_before_afterwards():
    before = [signal.getsignal(number) for number in SIGNALS]
    with unwinding():
        assert signal.getsignal(signal.SIGTERM) is not before[1]
    assert [signal.getsignal(number) for number in SIGNALS] == before
