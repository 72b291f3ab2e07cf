"""Streams of features: an array (frames, channels) per video, in several kinds of files.

A stream is a few HDF5 files with a dataset or group per video, or a folder with a
.npy, .npz, .pt or .h5 file per video, directly in it or below. A video is looked up
among the names that exist; no name is ever turned into a path.
"""

import contextlib
import os
import pickle
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np

from Utils.data.feature_arrays import (
    ARRAY_KEYS,
    HDF5_ENDINGS,
    has_one_dataset,
    numbers,
    one_dataset,
    opened,
    part_of,
    plain_shape,
)
from Utils.files import UserError, listed, reason
from Utils.hdf5 import open_file

ARRAY_ENDINGS = (".npy", ".npz", ".pt")
FILE_ENDINGS = (*ARRAY_ENDINGS, *HDF5_ENDINGS)
PREFIX = "v_"            # features of YouTube videos are often filed under v_<id>
# Exceptions that the readers below raise on truncated or garbled files, or other formats.
READ_ERRORS = (OSError, ValueError, LookupError, RuntimeError, TypeError, EOFError, AttributeError,
               MemoryError, SyntaxError, ArithmeticError, AssertionError, pickle.UnpicklingError,
               tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error)


class Hdf5Stream:
    """One dataset (frames, channels) per video, in one of a few HDF5 files."""

    def __init__(self, paths, follow_links=False):
        self.paths, self.follow_links = [Path(path) for path in paths], follow_links
        self._files, self._process, self._below = None, None, None

    @property
    def places(self):
        """Where the features are, for messages."""
        return listed(self.paths)

    def _open(self):
        # Once per process: a handle that crosses a fork reads garbage.
        if self._process != os.getpid():
            self._files = [_open_hdf5(path, self.follow_links) for path in self.paths]
            self._process = os.getpid()
            self._below = None
        return self._files

    def _find(self, video):
        """The dataset or group of a video, at the top of a file or else below, or None."""
        for file in self._open():
            for key in (video, PREFIX + video):
                if key in file:
                    return file[key]
        inside = self._inside()
        found = inside.get(video) or inside.get(PREFIX + video)
        if found is None:
            return None
        if len(found) > 1:
            raise UserError(f"video {video} occurs {len(found)} times: "
                            f"{listed(f'{file.filename}: {path}' for file, path in found)}; "
                            "keep one of them")
        (file, path), = found
        return file[path]

    def _inside(self):
        """{name: [(file, path)]} of everything in groups, not at the top."""
        if self._below is None:
            self._below = {}
            for file in self._open():
                file.visit(lambda path, file=file: self._note(file, path))
        return self._below

    def _note(self, file, path):
        above, _, name = path.rpartition("/")
        places = self._below.setdefault(name, []) if above else []
        # A dataset with the name of its group is found with the group.
        if not any(file is other and path.startswith(f"{place}/") for other, place in places):
            places.append((file, path))

    def __contains__(self, video):
        with _reading(video, self.places):
            return self._find(video) is not None

    def names(self):
        """Names at the top of the files; for a group of several videos, their names."""
        with _reading("", self.places):
            return [name for file in self._open() for name in _names_in(file)]

    def _dataset(self, video):
        item = self._find(video)
        where = f"{item.file.filename}: {item.name.lstrip('/')}"
        if isinstance(item, h5py.Group):
            item = one_dataset(item, where)
        if not isinstance(item, h5py.Dataset):
            raise UserError(f"{where} is not an array of numbers")
        return numbers(item, where, self.follow_links)

    def shape(self, video):
        """(frames, channels) of a video; UserError if it cannot be read."""
        with _reading(video, self.places):
            return plain_shape(self._dataset(video).shape)

    def read(self, video, start, stop):
        """Frames start to stop of a video, as they are stored.

        -> (stop - start, channels).
        UserError if they cannot be read.
        """
        with _reading(video, self.places):
            return part_of(self._dataset(video), start, stop)

    def path_of(self, video):
        """None: no video has its own file."""

    def close(self):
        """Close the files that this process has opened."""
        if self._process == os.getpid():
            for file in self._files:
                file.close()
        self._files, self._process, self._below = None, None, None

    def __getstate__(self):
        return vars(self) | {"_files": None, "_process": None, "_below": None}


class FolderStream:
    """One .npy, .npz, .pt or .h5 file per video, named after it.

    files: [(name, path)]; None: those in the folder and below, by their names without
    extension. A file below may also be named with its folders, as in train/a.
    """
    twice, inside, follow_links = {}, {}, False

    def __init__(self, folder, files=None, follow_links=False):
        self.folder, self.follow_links = Path(folder), follow_links
        with _reading("", folder):
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
        with _reading(video, self.path_of(video)), self._opened(video) as array:
            return plain_shape(array.shape)

    def read(self, video, start, stop):
        """Frames start to stop of a video, as they are stored.

        -> (stop - start, channels).
        UserError if they cannot be read.
        """
        with _reading(video, self.path_of(video)), self._opened(video) as array:
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


def _open_hdf5(path, follow_links):
    if path.is_dir():
        raise UserError(f"{path} is a folder, expected an HDF5 file of features")
    if not path.exists():
        raise UserError(f"no feature file {path}; check --feature_path")
    try:
        return open_file(path, follow_links)
    except (OSError, RuntimeError) as problem:
        raise UserError(f"{path} cannot be read as HDF5 (truncated, or another format): "
                        f"{problem}") from None


@contextlib.contextmanager
def _reading(video, place):
    """Turn exceptions of a reader into a UserError that names video and file."""
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


def are_of_one_video(paths, looked_at=3):
    """Whether HDF5 files hold one video each.

    That is: a single array, whose name is the same in all of them, a usual one, or
    that of its file.
    """
    keys = []
    for path in paths[:looked_at]:
        try:
            with open_file(path) as file:
                keys.append(one_dataset(file, path).name.lstrip("/"))
        except (*READ_ERRORS, UserError):      # no array, or several: not one video
            return False
    is_named = all(key.rpartition("/")[2] in (*ARRAY_KEYS, path.stem)
                   for key, path in zip(keys, paths, strict=False))
    return bool(keys) and (is_named or (len(keys) == looked_at and len(set(keys)) == 1))


def _names_in(group):
    """Names of the videos in an HDF5 group, including those in groups of several videos."""
    for name, item in group.items():
        if isinstance(item, h5py.Group) and not has_one_dataset(item):
            yield from _names_in(item)
        else:
            yield name
