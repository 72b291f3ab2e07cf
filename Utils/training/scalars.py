"""The training curves for TensorBoard, one number per name and epoch."""

import contextlib
import os
import socket
import time
from pathlib import Path

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import RecordWriter
from tensorboardX.summary import scalar

from Utils.files import UserError, check_held, why_unwritten


class ScalarLog:
    """A new event file in `folder`, written synchronously with the training.

    tensorboardX's SummaryWriter writes in a thread, which dies on a full disk, and the
    run hangs.
    """

    def __init__(self, folder):
        self.folder, self._writer = Path(folder), None
        check_held(self.folder)
        with self._writing():
            self.folder.mkdir(exist_ok=True)
            # Two starts within a second must not share a name.
            name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}.{os.getpid()}"
            self._writer = RecordWriter(str(self.folder / name))
            self._write(Event(file_version="brain.Event:2"))

    def add(self, values, epoch):
        """Write {name: number} for an epoch."""
        with self._writing():
            for name, value in values.items():
                self._write(Event(summary=scalar(name, value), step=epoch))
            self._writer.flush()

    def close(self):
        """Close the file."""
        if self._writer:
            writer, self._writer = self._writer, None
            with self._writing():
                writer.close()

    def _write(self, event):
        event.wall_time = time.time()
        self._writer.write(event.SerializeToString())

    @contextlib.contextmanager
    def _writing(self):
        try:
            yield
        except OSError as problem:
            if self._writer:
                # Give up what could not be written, or Python would try again on exit.
                with contextlib.suppress(OSError):
                    self._writer.close()
                self._writer = None
            raise UserError(f"cannot write the training curves to {self.folder}: "
                            f"{why_unwritten(self.folder, problem)}; checkpoints are untouched"
                            ) from problem
