"""Arrays of .npz files: only the header is read, and then the rows asked for.

numpy unpacks a whole array to find its shape, so a small file could fill the memory.
"""

import contextlib
import zipfile

import numpy as np

AT_ONCE = 2 ** 20       # bytes to unpack at a time while skipping
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0,
           (2, 0): np.lib.format.read_array_header_2_0}


class NpzArray:
    """An array of an .npz file: its shape and dtype, and parts of it on request."""

    def __init__(self, path, member):
        self.path, self.member = path, member
        with self._behind_header():
            pass

    @contextlib.contextmanager
    def _behind_header(self):
        with zipfile.ZipFile(self.path) as parts, parts.open(self.member) as stream:
            read_header = HEADERS[np.lib.format.read_magic(stream)]
            self.shape, self.is_fortran, self.dtype = read_header(stream)
            yield stream

    def __getitem__(self, index):
        first, *others = index if isinstance(index, tuple) else (index,)
        is_part = isinstance(first, slice) and first.step in (None, 1) and not self.is_fortran
        with self._behind_header() as stream:
            if self.dtype.hasobject:
                raise ValueError("Object arrays cannot be loaded")
            start, stop, _ = first.indices(self.shape[0]) if is_part else (0, None, 1)
            width = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
            for at in range(0, start * width, AT_ONCE):
                stream.read(min(AT_ONCE, start * width - at))
            content = stream.read(-1 if stop is None else max(0, stop - start) * width)
        array = np.frombuffer(content, self.dtype)
        if not is_part:
            return array.reshape(self.shape, order="F" if self.is_fortran else "C")[index]
        return array.reshape(max(0, stop - start),
                             *self.shape[1:])[(slice(None), *others)]


def npz_arrays(path):
    """{name: NpzArray} of a file."""
    with zipfile.ZipFile(path) as parts:
        return {name.removesuffix(".npy"): NpzArray(path, name)
                for name in parts.namelist()}
