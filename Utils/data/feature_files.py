"""Streams of features: an array (frames, channels) per video, in files or in memory.

A stream is a folder with a .npy, .npz, .pt or .h5 file per video, directly in it or
below, or a few HDF5 files of many videos (`hdf5_stream`). A video is looked up among
the names that exist; no name is ever turned into a path.
"""

import contextlib
import pickle
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from Utils.data.feature_arrays import (
    HDF5_ENDINGS,
    opened,
    part_of,
    plain_shape,
)
from Utils.files import UserError, listed, reason

ARRAY_ENDINGS = (".npy", ".npz", ".pt")
FILE_ENDINGS = (*ARRAY_ENDINGS, *HDF5_ENDINGS)
PREFIX = "v_"            # features of YouTube videos are often filed under v_<id>
# Exceptions that the readers below raise on truncated or garbled files, or other formats.
READ_ERRORS = (OSError, ValueError, LookupError, RuntimeError, TypeError, EOFError, AttributeError,
               MemoryError, SyntaxError, ArithmeticError, AssertionError, pickle.UnpicklingError,
               tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error)


class FolderStream:
    """One .npy, .npz, .pt or .h5 file per video, named after it.

    files: [(name, path)]; None: those in the folder and below, by their names without
    extension. A file below may also be named with its folders, as in train/a.
    """
    twice, inside, follow_links = {}, {}, False

    def __init__(self, folder, files=None, follow_links=False):
        self.folder, self.follow_links = Path(folder), follow_links
        with reading("", folder):
            files = [(path.stem, path) for path in files_below(folder, FILE_ENDINGS)
                     ] if files is None else files
        self.paths, self.twice, self.inside = {}, {}, {}
        for name, path in files:
            if name in self.paths:
                self.twice.setdefault(name, [self.paths[name]]).append(path)
            self.paths.setdefault(name, path)
            self.inside[path.relative_to(folder).with_suffix("").as_posix()] = path
            self.inside.setdefault(path.stem, path)

    @classmethod
    def of_files(cls, paths):
        """Some files, in one folder or several. paths: {video: Path}."""
        stream = cls.__new__(cls)
        stream.folder = listed(dict.fromkeys(path.parent for path in paths.values()))
        stream.paths = dict(paths)
        return stream

    @property
    def places(self):
        """Where the features are, for messages."""
        return str(self.folder)

    def path_of(self, video):
        """The file of a video, or None."""
        for name in (video, PREFIX + video):
            if name in self.twice:
                raise UserError(f"video {video} has several files: "
                                f"{listed(self.twice[name])}; keep one of them")
            if name in self.paths or name in self.inside:
                return self.paths.get(name) or self.inside[name]
        return None

    def __contains__(self, video):
        return self.path_of(video) is not None

    def names(self):
        """Names of all videos with a file."""
        return list(self.paths)

    def shape(self, video):
        """(frames, channels) of a video; UserError if it cannot be read."""
        with reading(video, self.path_of(video)), self._opened(video) as array:
            return plain_shape(array.shape)

    def read(self, video, start, stop):
        """Frames start to stop of a video, as they are stored.

        -> (stop - start, channels).
        UserError if they cannot be read.
        """
        with reading(video, self.path_of(video)), self._opened(video) as array:
            # A copy, so that a mapped file is read here, where its errors are handled.
            return np.array(part_of(array, start, stop))

    def _opened(self, video):
        return opened(self.path_of(video), self.follow_links)

    def close(self):
        """Nothing stays open."""


class ArrayStream:
    """Arrays (frames, channels) in memory, by video."""
    places = "the arrays given"

    def __init__(self, arrays):
        self.arrays = arrays

    def __contains__(self, video):
        return video in self.arrays

    def names(self):
        """Names of all videos."""
        return list(self.arrays)

    def shape(self, video):
        """(frames, channels) of a video."""
        return self.arrays[video].shape

    def read(self, video, start, stop):
        """Frames start to stop of a video, (stop - start, channels)."""
        return self.arrays[video][start:stop]

    def path_of(self, video):
        """None: no video has a file."""

    def close(self):
        """Nothing is open."""


@contextlib.contextmanager
def reading(video, place):
    """Turn exceptions of a reader into a UserError that names video and file.

    video: "" for all of them.
    """
    try:
        yield
    except UserError:
        raise
    except READ_ERRORS as problem:
        raise UserError(f"the features of {video or 'the videos'} in {place} cannot be "
                        f"read: {reason(problem)}") from None


def files_below(folder, endings):
    """Files with these extensions in a folder and below, except hidden ones.

    -> list of Path.
    """
    folder, found = Path(folder), []
    for path in folder.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in endings and not path.is_dir() and not is_hidden:
            found.append(path)
    return sorted(found)
