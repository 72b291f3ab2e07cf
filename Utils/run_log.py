"""log.txt: the output of a run, kept in its folder."""

import contextlib
import sys
from pathlib import Path

NAME = "log.txt"


class RunLog:
    """Captures what is printed inside the block; after `open`, folder/log.txt has all of it.

        with RunLog() as log:
            print("the first line")
            log.open(folder)

    A run that is refused before `open` leaves no log. A log that cannot be written
    does not end the run.
    """

    def __init__(self):
        self._said, self._file = [], None

    def __enter__(self):
        self._stream = sys.stdout
        self._held = contextlib.ExitStack()
        self._held.enter_context(contextlib.redirect_stdout(self))
        return self

    def __exit__(self, *failure):
        self._held.close()

    def open(self, folder):
        """Append what has been and will be printed to folder/log.txt."""
        with contextlib.suppress(OSError):
            file = open(Path(folder) / NAME, "a", encoding="utf-8",  # noqa: SIM115
                        errors="replace")
            self._file = self._held.enter_context(file)
        self._keep("".join(self._said))
        self._said = []

    def write(self, text):
        """Pass text on, and keep it."""
        if self._file is None:
            self._said.append(text)
        self._keep(text)
        return self._stream.write(text)

    def _keep(self, text):
        if self._file is not None:
            with contextlib.suppress(OSError, ValueError):
                self._file.write(text)
                self._file.flush()

    def __getattr__(self, name):
        return getattr(self._stream, name)
