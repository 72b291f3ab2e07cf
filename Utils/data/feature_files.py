"""The kinds of feature files, each a stream: an array (frames, channels) for every video.

A stream is a few HDF5 files with a dataset a video, or a folder with a .npy, .npz or .pt file a
video. Names of videos are looked up among what is there; none is ever made into a path.
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

from Utils.files import UserError, listed, reason

ARRAY_ENDINGS = (".npy", ".npz", ".pt")
ARRAY_KEYS = ("feats", "features", "feat", "data")
PREFIX = "v_"            # features of YouTube videos are often filed under v_<id>
# What the readers below raise on files that are cut short, garbled, or of another format.
READ_ERRORS = (OSError, ValueError, LookupError, RuntimeError, TypeError, EOFError, AttributeError,
               MemoryError, SyntaxError, ArithmeticError, AssertionError, pickle.UnpicklingError,
               tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error)


class Hdf5Stream:
    """A dataset (frames, channels) for each video, in one of a few HDF5 files."""

    def __init__(self, paths):
        self.paths = [Path(path) for path in paths]
        self._files, self._process = None, None

    @property
    def places(self):
        return listed(self.paths)

    def _open(self):
        # Once a process: a handle that crosses a fork reads garbage.
        if self._process != os.getpid():
            self._files, self._process = [_open_hdf5(path) for path in self.paths], os.getpid()
        return self._files

    def _find(self, video):
        return next(((file, key) for file in self._open() for key in (video, PREFIX + video)
                     if key in file), (None, None))

    def __contains__(self, video):
        with _reading(video, self.places):
            return self._find(video)[0] is not None

    def names(self):
        with _reading("", self.places):
            return [name for file in self._open() for name in file]

    def _dataset(self, video):
        file, key = self._find(video)
        dataset = file[key]
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
            raise UserError(f"{file.filename}: {key} is no array of numbers")
        return dataset

    def shape(self, video):
        with _reading(video, self.places):
            return self._dataset(video).shape

    def read(self, video, start, stop):
        with _reading(video, self.places):
            return self._dataset(video)[start:stop]

    def path_of(self, video):
        """None: no video has a file of its own."""

    def close(self):
        if self._process == os.getpid():
            for file in self._files:
                file.close()
        self._files, self._process = None, None

    def __getstate__(self):
        return {"paths": self.paths, "_files": None, "_process": None}


class FolderStream:
    """A .npy, .npz or .pt file for each video, named like it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        with _reading("", folder):
            self.paths = {path.stem: path for path in sorted(self.folder.iterdir())
                          if path.suffix in ARRAY_ENDINGS}

    @property
    def places(self):
        return str(self.folder)

    def path_of(self, video):
        """The file of a video, None where there is none."""
        return self.paths.get(video) or self.paths.get(PREFIX + video)

    def __contains__(self, video):
        return self.path_of(video) is not None

    def names(self):
        return list(self.paths)

    def shape(self, video):
        with _reading(video, self.path_of(video)):
            return _load(self.path_of(video)).shape

    def read(self, video, start, stop):
        with _reading(video, self.path_of(video)):
            # A copy, so that a mapped file is read here, where its faults are understood.
            return np.array(_load(self.path_of(video))[start:stop])

    def close(self):
        """Nothing stays open."""


def _open_hdf5(path):
    if path.is_dir():
        raise UserError(f"{path} is a folder, expected an HDF5 file of features")
    if not path.exists():
        raise UserError(f"no feature file {path}; check --feature_path")
    try:
        return h5py.File(path, "r")
    except (OSError, RuntimeError) as problem:
        raise UserError(f"{path} cannot be read as HDF5 (cut short, or another format): "
                        f"{problem}") from None


@contextlib.contextmanager
def _reading(video, place):
    """Turn what a reader raises into a UserError that names video and file."""
    try:
        yield
    except UserError:
        raise
    except READ_ERRORS as problem:
        raise UserError(f"the features of {video or 'the videos'} in {place} cannot be read: "
                        f"{reason(problem)}") from None


def _load(path):
    """The array of one file; only the part used is read from a .npy."""
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            array = _only(arrays, list(arrays), path)
    else:
        import torch  # takes seconds; without .pt files cutting does without

        content = torch.load(path, map_location="cpu", weights_only=True)
        if isinstance(content, dict):
            content = _only(content, [k for k, v in content.items() if torch.is_tensor(v)], path)
        if not torch.is_tensor(content):
            raise UserError(f"{path} holds a {type(content).__name__}, expected a tensor")
        array = content.detach().float().numpy()
    if array.dtype.kind not in "fiu":
        raise UserError(f"{path} is no array of numbers but of {array.dtype}")
    return array


def _only(arrays, keys, path):
    """The one array of a file of several, or the one with a usual name."""
    key = keys[0] if len(keys) == 1 else next((k for k in ARRAY_KEYS if k in keys), None)
    if key is None:
        raise UserError(f"{path} holds {listed(keys) or 'nothing'}; expected one array, or one "
                        f"called {ARRAY_KEYS[0]}")
    return arrays[key]
