"""Feature files: an array (frames, channels) for each video and stream, read in part or whole.

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
import torch

from Utils.files import UserError, listed

HDF5_ENDINGS = (".h5", ".hdf5")
ARRAY_ENDINGS = (".npy", ".npz", ".pt")
ARRAY_KEYS = ("feats", "features", "feat", "data")
PREFIX = "v_"            # features of YouTube videos are often filed under v_<id>
# Streams of one video may differ by this share of their frames, and a few frames anyhow.
LENGTH_TOLERANCE = 0.05
FEW_FRAMES = 4
FRAMES_AT_ONCE = 4096    # when all frames are looked at
# What the readers below raise on files that are cut short, garbled, or of another format.
READ_ERRORS = (OSError, ValueError, LookupError, RuntimeError, TypeError, EOFError, AttributeError,
               MemoryError, SyntaxError, ArithmeticError, AssertionError, pickle.UnpicklingError,
               tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error)


class FeatureStore:
    """Features of all videos. streams: {name: Hdf5Stream or FolderStream}, in channel order."""

    def __init__(self, streams):
        self.parts = dict(streams)
        self.streams = tuple(self.parts)
        self._shapes = {}
        self._width = {}

    def __contains__(self, video):
        return not self.missing(video)

    def missing(self, video):
        """The streams that lack this video."""
        return [stream for stream in self.streams if video not in self.parts[stream]]

    def lengths(self, video):
        """Frames of each stream; only shapes are read. UserError where they make no sense."""
        lengths = tuple(self.shape(video, stream)[0] for stream in self.streams)
        difference = max(lengths) - min(lengths)
        if difference > max(FEW_FRAMES, LENGTH_TOLERANCE * max(lengths)):
            found = ", ".join(f"{n} of {s}" for n, s in zip(lengths, self.streams, strict=True))
            raise UserError(f"video {video}: its streams differ too much in length, frames: "
                            f"{found}; extract its features again, or leave it out")
        return lengths

    def shape(self, video, stream):
        """(frames, channels) of one video in one stream, checked."""
        if (video, stream) not in self._shapes:
            part = self.parts[stream]
            if video not in part:
                raise UserError(f"video {video} is not in the {stream} features ({part.places})")
            self._shapes[video, stream] = self._checked(part.shape(video), video, stream)
        return self._shapes[video, stream]

    def _checked(self, shape, video, stream):
        if len(shape) != 2:
            raise UserError(f"video {video}: its {stream} features have the shape {shape}, "
                            "expected [frames, channels]")
        if 0 in shape:
            raise UserError(f"video {video}: its {stream} features are empty, shape {shape}")
        width, shown = self._width.setdefault(stream, (shape[1], (video, shape)))
        if shape[1] != width:
            hint = ("; they look transposed: store [frames, channels]" if shape[0] == shown[1][0]
                    else "; extract them all alike")
            raise UserError(f"video {video}: its {stream} features have the shape {shape}, those "
                            f"of {shown[0]} have {shown[1]}{hint}")
        return tuple(shape)

    @property
    def widths(self):
        """Channels of each stream, by the videos looked at so far (else the first there is)."""
        for stream in self.streams:
            if stream not in self._width:
                names = self.parts[stream].names()
                if not names:
                    raise UserError(f"no video in the {stream} features "
                                    f"({self.parts[stream].places})")
                self.shape(names[0], stream)
        return tuple(self._width[stream][0] for stream in self.streams)

    def read(self, video, stream, start=0, stop=None):
        """Frames start .. stop - 1 of one stream. -> (n, channels) float32, finite."""
        self.shape(video, stream)
        frames = self.parts[stream].read(video, start, stop)
        frames = np.ascontiguousarray(frames, dtype=np.float32)
        # A sum is finite unless a value is not, or it overflows: then the slow look decides.
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = np.isfinite(frames.sum())
        if not is_finite and not (good := np.isfinite(frames).all(axis=1)).all():
            raise UserError(f"video {video}: its {stream} features have NaN or infinite values, "
                            f"first at frame {start + int(np.argmin(good))}; extract them again, "
                            "or leave the video out (Cut_long_videos.py --check lists all such)")
        return frames

    def read_through(self, video):
        """Read all frames of a video, a part at a time, only to raise what `read` raises."""
        for stream, frames in zip(self.streams, self.lengths(video), strict=True):
            for start in range(0, frames, FRAMES_AT_ONCE):
                self.read(video, stream, start, start + FRAMES_AT_ONCE)

    def close(self):
        """Close every open file."""
        for part in self.parts.values():
            part.close()


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

    def _path(self, video):
        return self.paths.get(video) or self.paths.get(PREFIX + video)

    def __contains__(self, video):
        return self._path(video) is not None

    def names(self):
        return list(self.paths)

    def shape(self, video):
        with _reading(video, self._path(video)):
            return _load(self._path(video)).shape

    def read(self, video, start, stop):
        with _reading(video, self._path(video)):
            return _load(self._path(video))[start:stop]

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
                        f"{str(problem)[:200] or type(problem).__name__}") from None


def _load(path):
    """The array of one file; only the part used is read from a .npy."""
    if path.suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            array = _only(arrays, list(arrays), path)
    else:
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


def open_features(folder, feature_files=None, subsets=()):
    """The store of a folder of features.

    feature_files: subset -> stream -> file, of the subsets used; None looks at what is there:
    rgb*.h5 and flow*.h5, or any .h5; folders rgb and flow, or files .npy, .npz, .pt. A single
    HDF5 file may be named itself.
    """
    if folder is None:
        raise UserError("--feature_path is needed: the folder of the feature files")
    folder = Path(folder)
    if not folder.exists():
        raise UserError(f"--feature_path {folder} does not exist")
    if feature_files is None:
        return FeatureStore(_found_streams(folder))
    names = {}
    for subset in subsets:
        for stream, name in feature_files[subset].items():
            names.setdefault(stream, {})[folder / name] = None
    absent = [path for paths in names.values() for path in paths if not path.exists()]
    if absent:
        raise UserError(f"no feature file {listed(absent)}; check --feature_path")
    return FeatureStore({stream: Hdf5Stream(paths) for stream, paths in names.items()})


def _found_streams(folder):
    """Streams by what lies in a folder of the user's own. -> {name: stream}."""
    if folder.is_file():
        return {"features": Hdf5Stream([folder])}
    files = sorted(path for path in folder.iterdir() if path.suffix in HDF5_ENDINGS)
    found = {name: paths for name in ("rgb", "flow")
             if (paths := [path for path in files if path.stem.split("_")[0] == name])}
    if files:
        return {name: Hdf5Stream(paths) for name, paths in (found or {"features": files}).items()}
    folders = {name: folder / name for name in ("rgb", "flow") if (folder / name).is_dir()}
    streams = {name: FolderStream(path) for name, path in (folders or {"features": folder}).items()}
    if not any(stream.names() for stream in streams.values()):
        raise UserError(f"no features in {folder}: expected rgb.h5 and flow.h5, one .h5 file, or a "
                        ".npy, .npz or .pt file for each video")
    return streams


def with_features(videos, store, skip_missing):
    """Split videos by whether their features can be used. -> kept, {name: what is wrong}.

    Only shapes are read, and missing or broken features are a UserError (how many, the first five).
    With skip_missing all features are read once, so that NaN and infinite values are found too.
    """
    wrong = {video.name: f"not in the features of {', '.join(streams)}"
             for video in videos if (streams := store.missing(video.name))}
    if wrong and not skip_missing:
        raise UserError(f"{len(wrong)} of {len(videos)} videos are {next(iter(wrong.values()))}: "
                        f"{listed(wrong)}; check --feature_path, or go on without them: "
                        "--skip_missing")
    for video in videos:
        try:
            if video.name not in wrong:
                (store.read_through if skip_missing else store.lengths)(video.name)
        except UserError as problem:
            if not skip_missing:
                raise
            wrong[video.name] = str(problem)
    return [video for video in videos if video.name not in wrong], wrong


def check_width(store, expected):
    """Refuse features of another width than `expected` channels, naming the flag that fits."""
    widths = store.widths
    if sum(widths) != expected:
        parts = " + ".join(f"{stream} {width}" for stream, width in
                           zip(store.streams, widths, strict=True))
        raise UserError(f"the features have {sum(widths)} channels ({parts}), but --input_feat_dim "
                        f"is {expected}; set --input_feat_dim {sum(widths)}, or check "
                        "--feature_path")
