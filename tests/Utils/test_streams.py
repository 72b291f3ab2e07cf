"""Standard streams that cannot be written: nothing is raised, and the loss is reported once."""

import contextlib
import io
import os
import subprocess
import sys

import pytest

from Utils.files import UserError
from Utils.run import script_main
from Utils.streams import SteadyStream, check_said, steady_streams


@contextlib.contextmanager
def stdout_on(path):
    """stdout in a file, with a buffer as Python makes it."""
    before = sys.stdout
    with open(path, "w") as sys.stdout:
        try:
            yield
        finally:
            sys.stdout = before


def test_a_full_disk_under_the_log_is_reported_once_and_raises_nothing(capfd):
    with stdout_on("/dev/full"), steady_streams():
        for number in range(3):
            print("epoch", number, flush=True)
    assert capfd.readouterr().err == ("the log cannot be written (No space left on device); "
                                      "continuing without it\n")


def test_a_log_continues_once_there_is_room_again(tmp_path):
    class Full(io.StringIO):
        has_room = False

        def write(self, text):
            if not self.has_room:
                raise OSError(28, "No space left on device")
            return super().write(text)

    target = Full()
    stream = SteadyStream(target)
    stream.write("lost\n")
    target.has_room = True
    stream.write("kept\n")
    assert target.getvalue() == "kept\n" and "No space" in str(stream.failure)


def test_letters_that_the_terminal_lacks_are_escaped():
    target = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    stream = SteadyStream(target)
    stream.write("caf\N{LATIN SMALL LETTER E WITH ACUTE}/\udcff \N{SNOWMAN}\n")
    stream.flush()
    assert target.buffer.getvalue() == b"caf\\xe9/\\udcff \\u2603\n" and stream.failure is None


def test_a_line_arrives_whole_or_when_it_is_asked_for():
    class Writes(list):
        write = list.append

        def flush(self):
            self.append("flushed")

    target = Writes()
    stream = SteadyStream(target)
    for text in ("a", "b\nc\nd", "\n", "e", "f"):
        assert stream.write(text) == len(text)
    assert target == ["ab\nc\n", "d\n"]
    stream.flush()
    stream.flush()
    assert target[2:] == ["ef", "flushed", "flushed"]


TALKING = """
import sys
from Utils.streams import steady_streams
with steady_streams():
    for number in range(3000):
        print(sys.argv[1], number)
"""


def test_two_processes_do_not_cut_each_others_lines(tmp_path):
    """As with torchrun: they share a pipe, and Python does not wait for whole lines itself."""
    reader, writer = os.pipe()
    talking = [subprocess.Popen([sys.executable, "-u", "-c", TALKING, name], stdout=writer)
               for name in "ab"]
    os.close(writer)
    with open(reader) as pipe:
        said = pipe.read().splitlines()
    assert all(process.wait() == 0 for process in talking)
    assert sorted(said) == sorted(f"{name} {number}" for name in "ab" for number in range(3000))


def test_a_closed_stream_takes_words_as_well():
    target = io.StringIO()
    target.close()
    stream = SteadyStream(target)
    stream.write("x")
    stream.flush()
    assert isinstance(stream.failure, ValueError)


def test_words_that_are_the_result_must_arrive(capfd):
    def says(argv):
        print("all is well")
        check_said()
        return 0

    with stdout_on("/dev/full"):
        assert script_main(says)() == 2
    with stdout_on("/dev/null"):
        assert script_main(says)() == 0
    assert ("error: the result could not be written to the standard output (No space left "
            "on device); send it elsewhere\n") in capfd.readouterr().err


def test_a_reader_that_closes_its_pipe_is_not_an_error():
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        stream = SteadyStream(pipe)
        before, sys.stdout = sys.stdout, stream
        try:
            print("more than was wanted")
            check_said()
            stream.let_go()
        finally:
            sys.stdout = before
    assert isinstance(stream.failure, BrokenPipeError)


def test_outside_a_script_nothing_is_checked():
    check_said()
    # Not on pytest's own stream: what is lost is pointed to nowhere at the end.
    with stdout_on("/dev/null"), pytest.raises(UserError), steady_streams():
        sys.stdout.failure = OSError("lost")
        check_said()


CLOSED = """
import sys
from Utils.streams import open_closed_streams
open_closed_streams()
with open(sys.argv[1], "w") as file:
    print("to stdout"); print("to stderr", file=sys.stderr, flush=True)
    assert file.fileno() > 2, file.fileno()
"""


@pytest.mark.parametrize("closed, out", [("<&-", "to stdout\nto stderr\n"),
                                         ("2>&-", "to stdout\nto stderr\n"), (">&-", ""),
                                         ("<&- >&- 2>&-", "")])
def test_a_file_never_gets_the_number_of_a_closed_stream(tmp_path, closed, out):
    done = subprocess.run(["bash", "-c", f'"$0" -c "$1" "$2" {closed}', sys.executable, CLOSED,
                           tmp_path / "file"], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT if closed == "<&-" else subprocess.PIPE)
    assert done.returncode == 0, done
    assert sorted(done.stdout.splitlines()) == sorted(out.splitlines())
    assert (tmp_path / "file").read_text() == ""
