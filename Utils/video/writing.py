"""The feature file of one video, written as features arrive, and its sidecar.

All parts are written to hidden files first, so that a kill leaves no partial file, and
features that are complete but have no sidecar yet are recognized as ours. The sidecar
marks a video as done.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import numpy as np

from Utils.data.sidecars import Sidecar, differences, fingerprint, read_sidecar
from Utils.files import UserError, agreeing, listed, reason, why_unwritten

READ = 2 ** 20          # bytes read at once
PIECES, PIECE = 64, 2 ** 15     # of a video that tell it from another of its size, in bytes
HEADER = 128            # bytes before the values of a .npy, as numpy itself writes it


class FeatureWriter:
    """Writes NAME.npy and NAME.json of one video; `close` leaves nothing unfinished."""

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
        """Move both files to their places. facts: decoding.Facts. path: of the video."""
        npy, json = (self.folder / f"{self.name}{ending}" for ending in (".npy", ".json"))
        try:
            source = source_of(path)
        except OSError as problem:
            raise UserError(f"{path} cannot be read any more: {reason(problem)}; put it back and "
                            "run the same command again") from None
        with self._telling():
            self._file.seek(0)
            self._file.write(npy_header(self.count, self.identity["channels"]))
            _close_written(self._file)
            sidecar = Sidecar(
                self.identity, fingerprint(self.identity), sha256_of(self.part), source,
                facts.duration, facts.first_time, facts.frames, facts.header_frames,
                facts.decode_errors, facts.rotation)
            with open(begun(npy), "wb") as file:
                file.write(sidecar.text().encode())
                _close_written(file)
            # In this order, so that a sidecar never lies next to features of another.
            json.unlink(missing_ok=True)
            self.part.replace(npy)
            begun(npy).replace(json)

    def close(self):
        """Close the file, and remove what is not finished."""
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
                            f"{why_unwritten(self.folder, problem)}") from problem


def _close_written(file):
    """Close a file after syncing it to disk."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


def begun(npy):
    """Where the sidecar of a feature file lies until the features are in their place."""
    return npy.with_name(f".{npy.stem}.json.part")


def npy_header(count, channels):
    """The first 128 bytes of a .npy of (count, channels) float32."""
    words = (f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {channels}), }}")
    magic = b"\x93NUMPY\x01\x00" + (HEADER - 10).to_bytes(2, "little")
    return magic + words.ljust(HEADER - 11).encode("ascii") + b"\n"


def sha256_of(path):
    """The sha256 of a file, as a hex digest."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(READ):
            digest.update(part)
    return digest.hexdigest()


def source_of(path):
    """What a sidecar says about a video file. Raises OSError."""
    state = path.stat()
    return {"name": path.name, "size": state.st_size, "mtime": state.st_mtime,
            "pieces": sha256_of_pieces(path)}


def sha256_of_pieces(path):
    """The sha256 of PIECES pieces spread evenly over a file, from its first to its last byte.

    They overlap in a short file, and cost the same in any longer one.
    """
    digest, last = hashlib.sha256(), max(0, path.stat().st_size - PIECE)
    with open(path, "rb") as file:
        for piece in range(PIECES):
            file.seek(last * piece // (PIECES - 1))
            digest.update(file.read(PIECE))
    return digest.hexdigest()


def is_source(source, path):
    """Whether a video file is the one that a sidecar tells of, even if copied or touched since."""
    state = path.stat()
    if source.get("size") != state.st_size:
        return False
    return (source.get("mtime") == state.st_mtime or "pieces" not in source
            or source["pieces"] == sha256_of_pieces(path))


def state_of(folder, name, path, identity):
    """The state of a video's features in a folder.

    "done", "absent", "stale" (of another file), "foreign" (without sidecar) or "other"
    (of another extractor).
    """
    npy = Path(folder) / f"{name}.npy"
    if not npy.is_file():
        return "absent"
    sidecar = read_sidecar(npy)
    if sidecar is None:
        return "absent" if begun(npy).is_file() else "foreign"
    if sidecar.fingerprint != fingerprint(identity):
        return "other"
    return "done" if is_source(sidecar.source, path) else "stale"


def check_folder(folder, videos, identity, overwrite, option="--out"):
    """Refuse a folder with features of another extractor or tool, unless they may be replaced.
    option: that names the folder."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{option} {folder} is a file; name a folder")
    cars = {path.stem: car for path in sorted(folder.glob("*.npy"))
            if (car := read_sidecar(path)) is not None}
    others = {name: car for name, car in cars.items()
              if car.fingerprint != fingerprint(identity)}
    if others and (not overwrite or others.keys() - videos.keys()):
        name, car = next(iter(others.items()))
        kept = len(others.keys() - videos.keys())
        remedy = (f"{kept} of them {agreeing(kept, 'belongs', 'belong')} to other videos than "
                  "these, so --overwrite would mix extractors: choose another "
                  f"{option}" if overwrite else
                  f"--overwrite replaces them, another {option} leaves them alone")
        raise UserError(f"{folder} holds features of another extractor: {name} differs in "
                        f"{differences(car.extractor, identity)}; {remedy}")
    foreign = [name for name, path in videos.items()
               if state_of(folder, name, path, identity) == "foreign"]
    if foreign and not overwrite:
        raise UserError(f"{folder} holds features without sidecars, of another tool: "
                        f"{listed(foreign)}; --overwrite replaces them, another {option} leaves "
                        "them alone")
