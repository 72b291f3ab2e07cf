"""The training curves as TensorBoard reads them, one number a name and epoch."""

import contextlib
import os
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import scalar

from Utils.files import UserError


class ScalarLog:
    """A new event file in `folder`, written in step with the training.

    tensorboardX's SummaryWriter writes in a thread; on a full disk that dies, and the run hangs.
    """

    def __init__(self, folder):
        self.folder, self._writer = Path(folder), None
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Two starts within a second must not share a name.
            self._writer = EventsWriter(str(self.folder / "events"), f".{os.getpid()}")

    def add(self, values, epoch):
        """Write {name: number} of an epoch."""
        with self._writing():
            for name, value in values.items():
                self._writer.write_event(Event(summary=scalar(name, value), step=epoch))
            self._writer.flush()

    def close(self):
        """End the file."""
        if self._writer:
            writer, self._writer = self._writer, None
            with self._writing():
                writer.close()

    @contextlib.contextmanager
    def _writing(self):
        try:
            yield
        except OSError as problem:
            if self._writer:
                # What could not be written is given up, lest Python tries again at its end.
                with contextlib.suppress(OSError):
                    self._writer._py_recordio_writer.close()
                self._writer = None
            raise UserError(f"cannot write the training curves in {self.folder}: "
                            f"{problem.strerror}; checkpoints are untouched") from problem
