"""Whole-file writes and JSON reading: what is kept, what is said, what is left behind."""

import contextlib
import gzip
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from Utils.files import PART, UserError, listed, read_json, reason, replacing, write_json

ROOT = Path(__file__).parents[2]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_content_arrives_whole_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "new" / "folder" / "list.json"
    write_json(target, {"a": [1, 2]})
    assert read_json(target) == {"a": [1, 2]}
    write_json(target, [])
    assert read_json(target) == [] and names(target.parent) == ["list.json"]


def test_a_new_file_has_the_rights_of_any_other(tmp_path):
    write_json(tmp_path / "ours", 1)
    (tmp_path / "ordinary").touch()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_an_error_while_writing_leaves_what_was_there(tmp_path, problem):
    target = tmp_path / "list.json"
    write_json(target, "before")
    with pytest.raises(problem), replacing(target) as part:
        part.write_text("half a fi")
        raise problem
    assert read_json(target) == "before" and names(tmp_path) == ["list.json"]


def interrupted_at(line, work):
    """Run work() with a KeyboardInterrupt before the line-th line of Utils/files.py that it runs.

    -> whether it came that far.
    """
    seen = 0

    def trace(frame, event, _):
        nonlocal seen
        if Path(frame.f_code.co_filename).name != "files.py":
            return None
        seen += event == "line"
        if event == "line" and seen == line:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            work()
    finally:
        sys.settrace(before)
    return seen >= line


def test_a_signal_at_any_line_leaves_no_part(tmp_path):
    """But at the two lines that remove it, which a later run makes good under its lock."""
    line, left = 1, []
    while interrupted_at(line, lambda: write_json(tmp_path / "list.json", "new")):
        assert not (tmp_path / "list.json").exists() or read_json(tmp_path / "list.json") == "new"
        left += [path for path in tmp_path.iterdir() if path.suffix == ".part"]
        for path in tmp_path.iterdir():
            path.unlink()
        line += 1
    assert line > 20 and len(left) <= 4
    assert len(left) == len([path for path in left if PART.fullmatch(path.name)])


@contextlib.contextmanager
def no_file_above(size):
    """As on a full disk: writing more than `size` bytes to a file fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_sentence_and_the_old_file_intact(tmp_path):
    target = tmp_path / "list.json"
    write_json(target, "before")
    with (no_file_above(1000), pytest.raises(UserError) as caught):
        write_json(target, "x" * 5000)
    assert str(caught.value) == (f"cannot write {target}: File too large; make room there, or "
                                 "write to another disk; the earlier file is untouched")
    assert read_json(target) == "before" and names(tmp_path) == ["list.json"]


def test_a_file_that_is_lacking_elsewhere_is_named_and_no_moved_folder(tmp_path):
    target, lacking = tmp_path / "new" / "list.json", tmp_path / "elsewhere" / "lacking.csv"
    with pytest.raises(UserError) as caught, replacing(target) as part:
        part.write_text(lacking.read_text())
    assert str(caught.value) == (f"cannot write {target}: {lacking}: No such file or directory; "
                                 "the earlier file is untouched")
    with (pytest.raises(UserError, match="the folder .*new was moved, deleted or replaced"),
          replacing(target) as part):
        part.unlink()


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "list.json", tmp_path / "file" / "deeper" / "list.json"):
        with pytest.raises(UserError, match="list.json: there is a file where a folder should be"):
            write_json(path, 1)
    with pytest.raises(UserError, match="cannot write .*: Is a directory"):
        write_json(tmp_path, 1)


def test_names_as_long_as_a_file_may_have_can_be_written(tmp_path):
    name = "\N{SNOWMAN}" * 84                           # 252 of the 255 bytes of a name
    write_json(tmp_path / name, 1)
    assert names(tmp_path) == [name]
    with pytest.raises(UserError, match="File name too long"):
        write_json(tmp_path / ("x" * 300), 1)


WRITER = """
import sys
from Utils.files import write_json
number = 0
while True:
    number += 1
    write_json(sys.argv[1], [number] * 20000)
"""


def test_a_reader_and_a_kill_never_meet_half_a_file(tmp_path):
    target = tmp_path / "list.json"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, target], cwd=ROOT,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})
    try:
        while not target.exists():
            assert writer.poll() is None
            time.sleep(0.01)
        seen = set()
        while len(seen) < 5:
            content = read_json(target)
            assert len(content) == 20000 and len(set(content)) == 1
            seen.add(content[0])
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    content = read_json(target)
    assert len(content) == 20000 and len(set(content)) == 1


def test_gzipped_json_is_read_too(tmp_path):
    path = tmp_path / "list.json.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}'))
    assert read_json(path) == {"a": 1}


@pytest.mark.parametrize(("name", "content", "sentence"), [
    ("x.json", b'{"a": 1,\n "b": }', "is not valid JSON: line 2, column 7: Expecting value"),
    ("x.json", b"", "is not valid JSON: line 1, column 1"),
    ("x.json", b"\xff\xfe\x00", "cannot read annotations"),
    ("x.json", b"[" * 200_000, "cannot read annotations"),
    ("x.json.gz", b"not gzip", "cannot read annotations"),
    ("x.json.gz", gzip.compress(b"[1, 2, 3]", mtime=0)[:-9], "cannot read annotations"),
])
def test_a_broken_file_is_refused_naming_line_and_column(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_json(path, "annotations")
    assert str(path) in str(caught.value) and sentence in str(caught.value)


def test_an_absent_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(UserError, match=f"^no annotations at {tmp_path}/gone.json$"):
        read_json(tmp_path / "gone.json", "annotations")
    with pytest.raises(UserError, match="cannot read annotations .*directory"):
        read_json(tmp_path, "annotations")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.sampled_from(["x.json", "x.json.gz"]), st.booleans())
def test_any_content_gives_at_most_a_user_error(tmp_path, content, name, zipped):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if zipped else content)
    try:
        found = read_json(path)
    except UserError as problem:
        assert str(path) in str(problem) and "\n" not in str(problem)
    else:
        assert found is None or isinstance(found, bool | int | float | str | list | dict)


def test_long_lists_of_names_are_cut():
    assert listed([]) == ""
    assert listed("abcde") == "a, b, c, d, e"
    assert listed(range(7)) == "0, 1, 2, 3, 4 and 2 more"
    assert listed(["x", "y", "z"], most=1) == "x and 2 more"


@pytest.mark.parametrize("problem, words", [
    (ValueError("first\nsecond"), "first"), (EOFError(), "EOFError"), (OSError("\n \n x\x1b[1m"),
                                                                       "x[1m"),
    (ValueError("Weights only load failed. Set `weights_only` to False.\n\nGLOBAL os.mkdir"),
     "GLOBAL os.mkdir"),
    (ValueError("use `weights_only=True`: WeightsUnpickler error: no global"), "no global"),
    (ValueError("x" * 500), "x" * 200)])
def test_the_reason_of_an_exception_is_one_line(problem, words):
    assert reason(problem) == words
