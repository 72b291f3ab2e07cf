"""A stream of features in HDF5 files, with a dataset or group per video."""

import os
from pathlib import Path

import h5py

from Utils.data.feature_arrays import (
    ARRAY_KEYS,
    has_one_dataset,
    numbers,
    one_dataset,
    part_of,
    plain_shape,
)
from Utils.data.feature_files import PREFIX, READ_ERRORS, reading
from Utils.files import UserError, listed
from Utils.hdf5 import identity, open_file


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
        with reading(video, self.places):
            return self._find(video) is not None

    def names(self):
        """Names at the top of the files; for a group of several videos, their names."""
        with reading("", self.places):
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
        with reading(video, self.places):
            return plain_shape(self._dataset(video).shape)

    def read(self, video, start, stop):
        """Frames start to stop of a video, as they are stored.

        -> (stop - start, channels).
        UserError if they cannot be read.
        """
        with reading(video, self.places):
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


def _names_in(group, seen=None):
    """Names of the videos in an HDF5 group, including those in groups of several videos.

    Each group is entered once, as links may lead to it again, or around in a circle.
    """
    seen = set() if seen is None else seen
    if identity(group) in seen:
        return
    seen.add(identity(group))
    for name, item in group.items():
        if isinstance(item, h5py.Group) and not has_one_dataset(item):
            yield from _names_in(item, seen)
        else:
            yield name
