"""Standard output and error that never end a script: if they fail, that is reported once."""

import contextlib
import os
import sys

from Utils.files import UserError


class SteadyStream:
    """A text stream whose failures are stored instead of raised.

    failure: the last exception of a write, or None. Characters that the terminal lacks
    are written as escapes. A line is written at once, with its end: processes that share
    a stream, as those of torchrun do, do not cut each other's lines apart, not even under
    PYTHONUNBUFFERED.
    """

    def __init__(self, stream, on_failure=None):
        self._stream, self._on_failure = stream, on_failure
        self._begun = []                # what has been written of the current line
        self.failure = None

    def write(self, text):
        """Write the lines that end in text; the rest waits for its end or for `flush`."""
        ended, newline, rest = text.rpartition("\n")
        if newline:
            self._pass_on(ended + newline)
        if rest:
            self._begun.append(rest)
        return len(text)

    def flush(self):
        """Write what has been begun, and flush the stream."""
        if self._begun:
            self._pass_on("")
        with self._remembering():
            self._stream.flush()

    def _pass_on(self, text):
        text, self._begun = "".join([*self._begun, text]), []
        with self._remembering():
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                code = self._stream.encoding or "ascii"
                self._stream.write(text.encode(code, "backslashreplace").decode(code))

    def __getattr__(self, name):
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _remembering(self):
        try:
            yield
        # A closed stream raises a ValueError.
        except (OSError, ValueError) as problem:
            is_first, self.failure = self.failure is None, problem
            if is_first and self._on_failure:
                self._on_failure(problem)

    def let_go(self):
        """If nothing can be written, point the file descriptor to the null device.

        Otherwise Python's last flush would change the exit code.
        """
        self.flush()
        if self.failure is None:
            return
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def steady_streams():
    """Replace stdout and stderr by SteadyStreams."""
    before = sys.stdout, sys.stderr
    sys.stderr = SteadyStream(sys.stderr)
    sys.stdout = SteadyStream(sys.stdout, _say_lost)
    steady = sys.stdout, sys.stderr
    try:
        yield
    finally:
        for stream in steady:
            stream.let_go()
        sys.stdout, sys.stderr = before


def _say_lost(problem):
    why = getattr(problem, "strerror", None) or problem
    print(f"the log cannot be written ({why}); continuing without it", file=sys.stderr)


def check_said():
    """Raise UserError if the output is the whole result and could not be written.

    A reader that closed its pipe has what it wanted.
    """
    sys.stdout.flush()
    failure = getattr(sys.stdout, "failure", None)
    if failure is not None and not isinstance(failure, BrokenPipeError):
        raise UserError("the result could not be written to the standard output "
                        f"({getattr(failure, 'strerror', None) or failure}); send it "
                        "elsewhere")


def open_closed_streams():
    """Open file descriptors 0 to 2 if the caller closed them.

    Otherwise the next file that is opened would get the number, and receive what is
    printed. Output to a closed stderr goes to stdout.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            is_last = name == "stderr" and sys.stdout is not None
            # Both use the lowest free number, which is this one.
            os.dup(1) if is_last else os.open(os.devnull, os.O_RDWR)
            mode = "r" if name == "stdin" else "w"
            stream = open(number, mode, buffering=1, errors="backslashreplace",  # noqa: SIM115
                          encoding="utf-8", closefd=False)
            setattr(sys, name, stream)
