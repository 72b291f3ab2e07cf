"""What a script says at its end, whatever ends it."""

import os
import signal

import numpy as np
import pytest
import torch

from Utils.files import UserError
from Utils.run import locked, progress, script_main


def test_the_exit_code_of_a_script_is_its_own():
    assert script_main(lambda argv: argv)(7) == 7


def mistake(argv):
    raise UserError("no file at x; give another")


@pytest.mark.parametrize("work, code, words", [
    (mistake, 2, "error: no file at x; give another\n"),
    (lambda argv: os.kill(os.getpid(), signal.SIGTERM), 130, "stopped\n"),
    (lambda argv: os.kill(os.getpid(), signal.SIGINT), 130, "stopped\n"),
    (lambda argv: torch.empty(2 ** 55), 2, "error: out of memory; give a smaller --batch_size, or "
     "--cache none if features are kept in memory\n"),
    (lambda argv: np.ones(2 ** 55), 2, "error: out of memory; give a smaller --batch_size, or "
     "--cache none if features are kept in memory\n")])
def test_a_script_ends_with_one_line(capsys, work, code, words):
    before = signal.getsignal(signal.SIGTERM)
    assert script_main(work)() == code
    assert capsys.readouterr().err == words
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="NO GPU: its full memory is not tested")
def test_the_full_memory_of_a_gpu_is_one_line(capsys):
    assert script_main(lambda argv: torch.empty(2 ** 45, device="cuda"))() == 2
    assert capsys.readouterr().err.startswith("error: out of memory; give a smaller --batch_size")


def test_our_own_mistakes_keep_their_traceback():
    with pytest.raises(RuntimeError, match="ours"):
        script_main(lambda argv: (_ for _ in ()).throw(RuntimeError("ours")))()


def test_a_lock_ends_with_its_process(tmp_path):
    """Also where the process is killed."""
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        with locked(tmp_path):
            os.write(tell, b"x")
            signal.pause()
    os.read(ready, 1)
    with pytest.raises(UserError, match="another run is writing in"), locked(tmp_path):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with locked(tmp_path):
        pass


def test_a_run_that_failed_before_it_wrote_leaves_no_folder(tmp_path):
    for written, is_left in (("", False), ("checkpoint", True)):
        with pytest.raises(ValueError), locked(tmp_path / "run") as folder:
            if written:
                (folder / written).touch()
            raise ValueError
        assert (tmp_path / "run").exists() == is_left
    (tmp_path / "users").mkdir()
    with pytest.raises(ValueError), locked(tmp_path / "users"):
        raise ValueError
    assert (tmp_path / "users").exists()


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write in .*file"), locked(tmp_path / "file"):
        pass


def test_progress_is_told_in_plain_lines_where_there_is_no_terminal(monkeypatch, capsys):
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr("Utils.run.time.monotonic", lambda: next(clock))
    assert list(progress(range(4), "infer")) == [0, 1, 2, 3]
    assert capsys.readouterr().out.splitlines() == [
        "infer: 2 of 4, 0.05 a second, 40 s left", "infer: 4 of 4, 0.05 a second, 0 s left"]


def test_only_the_first_process_tells_its_progress(capsys):
    assert list(progress([1, 2], "infer", is_shown=False)) == [1, 2]
    assert capsys.readouterr().out == ""
