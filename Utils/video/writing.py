"""The feature file of one video, written as features come, and its side-car, which makes it done.

All parts are written to hidden files first, so that a kill leaves no half file, and features that
are whole but have no side-car yet are known as ours.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import numpy as np

from Utils.data.sidecars import Sidecar, fingerprint, read_sidecar
from Utils.files import UserError

READ = 2 ** 20          # bytes read at once
HEADER = 128            # bytes before the values of a .npy, as numpy itself writes it


class FeatureWriter:
    """Writes NAME.npy and NAME.json of one video in `folder`; `close` leaves nothing unfinished."""

    def __init__(self, folder, name, identity):
        self.folder, self.name, self.identity = Path(folder), name, identity
        self.part, self.count = self.folder / f".{name}.npy.part", 0
        self._file = None

    def append(self, features):
        """Add features (n, channels) float32."""
        with self._telling():
            if self._file is None:
                self._file = open(self.part, "wb")  # noqa: SIM115 (closed by `close`)
                self._file.write(bytes(HEADER))
            self._file.write(np.ascontiguousarray(features, "<f4").tobytes())
            self.count += len(features)

    def finish(self, facts, path):
        """Put both files in their places. facts: Utils.video.decoding.Facts. path: of the video."""
        npy, json = (self.folder / f"{self.name}{ending}" for ending in (".npy", ".json"))
        with self._telling():
            self._file.seek(0)
            self._file.write(npy_header(self.count, self.identity["channels"]))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            state = path.stat()
            sidecar = Sidecar(
                self.identity, fingerprint(self.identity), sha256_of(self.part),
                {"name": path.name, "size": state.st_size, "mtime": state.st_mtime},
                facts.duration, facts.first_time, facts.frames, facts.header_frames,
                facts.decode_errors, facts.rotation)
            sidecar.write(begun(npy))
            # In this order, so that at no instant a side-car lies beside features of another.
            json.unlink(missing_ok=True)
            self.part.replace(npy)
            begun(npy).replace(json)

    def close(self):
        """Let go of the file, and of what is not finished."""
        if self._file is not None:
            self._file.close()
        for path in (self.part, begun(self.folder / f"{self.name}.npy")):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _telling(self):
        try:
            yield
        except OSError as problem:
            raise UserError(f"cannot write the features of {self.name} in {self.folder}: "
                            f"{problem.strerror or problem}") from problem


def begun(npy):
    """Where the side-car of a feature file lies until the features are in their place."""
    return npy.with_name(f".{npy.stem}.json.part")


def npy_header(count, channels):
    """The first 128 bytes of a .npy of (count, channels) float32."""
    words = (f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {channels}), }}")
    magic = b"\x93NUMPY\x01\x00" + (HEADER - 10).to_bytes(2, "little")
    return magic + words.ljust(HEADER - 11).encode("ascii") + b"\n"


def sha256_of(path):
    """The sha256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(READ):
            digest.update(part)
    return digest.hexdigest()


def state_of(folder, name, path, identity):
    """How far the features of a video in a folder are: "done", "absent", "stale" (of another file),
    "foreign" (without side-car) or "other" (of another extractor)."""
    npy = Path(folder) / f"{name}.npy"
    if not npy.is_file():
        return "absent"
    sidecar = read_sidecar(npy)
    if sidecar is None:
        return "absent" if begun(npy).is_file() else "foreign"
    if sidecar.fingerprint != fingerprint(identity):
        return "other"
    return "done" if sidecar.source.get("size") == path.stat().st_size else "stale"
