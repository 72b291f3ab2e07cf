"""What a script says at its end, whatever ends it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import Utils.files
from Utils.files import UserError, check_held, replacing, write_json
from Utils.run import locked, peak_memory, progress, script_main

ROOT = Path(__file__).parents[2]


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
    """Even if the process is killed."""
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        with locked(tmp_path):
            os.write(tell, b"x")
            signal.pause()
    os.read(ready, 1)
    with pytest.raises(UserError, match="another run is writing to"), locked(tmp_path):
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


def test_a_folder_made_in_vain_is_removed_with_its_parents(tmp_path):
    with pytest.raises(ValueError), locked(tmp_path / "windows" / "mine"):
        raise ValueError
    assert not list(tmp_path.iterdir())


def rename(folder):
    folder.rename(folder.with_name("moved"))


def replace_by_another(folder):
    rename(folder)
    folder.mkdir()


def replace_by_another_run(folder):
    rename(folder)
    folder.mkdir()
    (folder / ".lock").touch()


def remove_the_lock(folder):
    (folder / ".lock").unlink()


@pytest.mark.parametrize("attack", [rename, shutil.rmtree, replace_by_another,
                                    replace_by_another_run, remove_the_lock])
@pytest.mark.parametrize("place", ["file", "deeper/file"])
def test_nothing_is_written_in_a_folder_that_is_no_longer_held(tmp_path, attack, place):
    folder = tmp_path / "run"
    with pytest.raises(UserError, match="run was moved, deleted or replaced"), locked(folder):
        write_json(folder / place, "first")
        attack(folder)
        left = sorted(folder.rglob("*")) if folder.exists() else None
        try:
            write_json(folder / place, "second")
        finally:
            assert (sorted(folder.rglob("*")) if folder.exists() else None) == left
    # Outside of the lock, and elsewhere, all can be written again.
    write_json(folder / place, "third")


def test_a_folder_that_moves_while_a_file_is_written_gets_no_file(tmp_path):
    folder = tmp_path / "run"
    with (pytest.raises(UserError, match="moved, deleted"), locked(folder),
          replacing(folder / "file") as part):
        part.write_text("x")
        folder.rename(tmp_path / "moved")
        folder.mkdir()
        (folder / part.name).write_text("x")
    assert not (folder / "file").exists() and not (tmp_path / "moved" / "file").exists()


@pytest.mark.parametrize("place", ["file", "deeper/file"])
def test_a_folder_that_goes_right_before_a_write_is_not_made_anew(tmp_path, monkeypatch, place):
    """Between the check of the folder and the creation of what is in it."""
    folder = tmp_path / "run"

    def check_and_rename(path):
        check_held(path)
        if folder.exists():
            folder.rename(tmp_path / "moved")

    monkeypatch.setattr(Utils.files, "check_held", check_and_rename)
    with pytest.raises(UserError, match="run was moved, deleted or replaced"), locked(folder):
        write_json(folder / place, "x")
    assert not folder.exists() and [path.name for path in (tmp_path / "moved").iterdir()] == [
        ".lock"]


def test_left_over_parts_are_removed_under_the_lock(tmp_path):
    ours = [tmp_path / name for name in (
        ".checkpoint.pth.tar.0a1b2c3d.part", ".out.h5.x_y7abcd.part", ".a.json.00000000.part")]
    others = [tmp_path / name for name in ("film.mp4.part", ".x.part", "a.00000000.part",
                                           ".a.00000000.part.txt")]
    for path in ours + others:
        path.touch()
    with pytest.raises(UserError), locked(tmp_path):
        assert not any(path.exists() for path in ours)
        for path in ours:
            path.touch()
        with locked(tmp_path):      # by another run: refused, and the parts may be in use
            pass
    assert all(path.exists() for path in ours + others)


WITHOUT = """
import sys
import psutil       # on Linux it needs them itself
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
import os, signal
del signal.SIGHUP, os.sysconf
import Cut_long_videos, Train, Infer, Eval, Prepare_data
from Utils.inputs.resident import _free_ram
from Utils.run import Stopwatch, peak_memory
assert 2 ** 20 < peak_memory() and 2 ** 20 < _free_ram()
print(Stopwatch().summary("done"))
"""


def test_no_module_that_windows_lacks_is_needed():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "peak memory 0." in done.stdout


@pytest.mark.parametrize("platform, bytes_each", [("linux", 1024), ("darwin", 1)])
def test_the_peak_memory_is_in_the_unit_of_the_system(monkeypatch, platform, bytes_each):
    import resource
    unit = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    monkeypatch.setattr(sys, "platform", platform)
    assert peak_memory() == pytest.approx(unit * bytes_each, rel=0.2)


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot write to .*file"), locked(tmp_path / "file"):
        pass


def test_without_a_terminal_progress_is_plain_lines(monkeypatch, capsys):
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr("Utils.run.time.monotonic", lambda: next(clock))
    assert list(progress(range(4), "infer")) == [0, 1, 2, 3]
    assert capsys.readouterr().out.splitlines() == [
        "infer: 2 of 4, 0.05 per second, 40 s left", "infer: 4 of 4, 0.05 per second, 0 s left"]


def test_only_the_first_process_shows_its_progress(capsys):
    assert list(progress([1, 2], "infer", shown=False)) == [1, 2]
    assert capsys.readouterr().out == ""
