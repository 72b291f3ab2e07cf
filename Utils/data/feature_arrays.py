"""The only array (frames, channels) in a feature file, whatever its format."""

import contextlib
import pickletools
import zipfile
from pathlib import Path

import h5py
import numpy as np

from Utils.data.npz_arrays import npz_arrays
from Utils.files import UserError, check_regular, listed
from Utils.hdf5 import check_inside, check_written, open_file
from Utils.torch_files import check_solid, check_uncompressed

HDF5_ENDINGS = (".h5", ".hdf5")
ARRAY_KEYS = ("feats", "features", "feat", "data")
NUMPY_WORDS = ("reconstruct", "ndarray", "dtype", "scalar", "multiarray", "numpy", "latin1")
# Feature files of other tools that are not read here: extension -> why, and the remedy.
REFUSED = {
    ".csv": ("a text table does not say which are its header and columns",
             "np.save('{stem}.npy', np.loadtxt('{name}', delimiter=','))"),
    ".pkl": ("a pickle may run any code when it is opened",
             "np.save('{stem}.npy', pickle.load(open('{name}', 'rb')))"),
    ".mat": ("its array can have any name",
             "np.save('{stem}.npy', scipy.io.loadmat('{name}')['NAME'])")}
REFUSED |= {".pickle": REFUSED[".pkl"],
            ".txt": (REFUSED[".csv"][0], "np.save('{stem}.npy', np.loadtxt('{name}'))")}


def axes(shape):
    """Which two axes of an array are (frames, channels), ignoring axes of length 1.

    None if there are not two.
    """
    if len(shape) == 2:
        return 0, 1
    long = [axis for axis, size in enumerate(shape) if size != 1]
    if len(shape) < 2 or len(long) > 2:
        return None
    if len(long) == 2:
        return tuple(long)
    # With a single frame or channel, channels come last.
    last = len(shape) - 1
    return (last - 1, last) if not long or long[0] == last else (long[0], last)


def plain_shape(shape):
    """The shape without axes of length 1, if that leaves (frames, channels)."""
    found = axes(shape)
    return shape if found is None else tuple(shape[axis] for axis in found)


def part_of(array, start, stop):
    """Frames start .. stop - 1 of an array or HDF5 dataset. -> (n, channels) array."""
    found = axes(array.shape)
    if found is None:
        return array[start:stop]
    index = [0] * len(array.shape)
    index[found[0]], index[found[1]] = slice(start, stop), slice(None)
    return array[tuple(index)]


@contextlib.contextmanager
def opened(path, follow_links=False):
    """The array (or HDF5 dataset) in a file of one video; only the part used is read.

    Raises UserError for other contents, and whatever the readers raise.
    """
    if path.suffix in HDF5_ENDINGS:
        with open_file(path, follow_links) as file:
            yield numbers(one_dataset(file, path), path, follow_links)
    else:
        check_regular(path)
        yield numbers(_loaded(path), path)


def numbers(array, where, follow_links=False):
    """The array, after a check that it holds numbers, and that these are in the file."""
    if array.dtype.kind not in "fiu":
        raise UserError(f"{where} is not an array of numbers but of {array.dtype}")
    if isinstance(array, h5py.Dataset):
        if not follow_links:
            check_inside(array)
        check_written(array)
    return array


def one_dataset(group, where):
    """The only dataset below an HDF5 group, or the one with a usual name."""
    found = {}
    group.visititems(lambda name, item: found.update(
        {name: item} if isinstance(item, h5py.Dataset) else {}))
    return found[_key(found, list(found), where)]


def has_one_dataset(group):
    """Whether `one_dataset` finds one."""
    try:
        return bool(one_dataset(group, ""))
    except UserError:
        return False


def _loaded(path):
    if path.suffix == ".npy":
        with open(path, "rb") as file:
            if b"|O" in file.read(128):
                raise UserError(_pickled(path))
        return np.load(path, mmap_mode="r", allow_pickle=False)
    if path.suffix == ".npz":
        arrays = npz_arrays(path)
        return arrays[_key(arrays, list(arrays), path)]
    import torch  # takes seconds, and only .pt files need it

    is_zip = zipfile.is_zipfile(path)
    if is_zip:
        check_uncompressed(path)
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    while isinstance(content, dict):
        keys = [key for key, value in content.items() if torch.is_tensor(value)]
        if not keys and len(content) == 1:
            content = next(iter(content.values()))
        else:
            content = content[_key(content, keys, path)]
    if not torch.is_tensor(content):
        raise UserError(f"{path} holds a {type(content).__name__}, expected a tensor; "
                        f"save one: torch.save(tensor, '{path.name}')")
    if content.layout != torch.strided:
        raise UserError(f"{path} is not an array of numbers but of {content.layout}")
    check_solid(content, path)
    return content.detach().float().numpy()


def _key(content, keys, where):
    """The only key, or the one with a usual name."""
    key = keys[0] if len(keys) == 1 else next((key for key in ARRAY_KEYS
                                               if key in keys), None)
    if key is not None:
        return key
    found = listed(f"{key} ({_kind(content[key])})" for key in content) or "nothing"
    raise UserError(f"{where} holds {found}; expected one array, or one called {ARRAY_KEYS[0]}")


def _kind(value):
    """A value in a few words: the shape of an array, or else its type."""
    shape = getattr(value, "shape", None)
    return type(value).__name__ if shape is None else " x ".join(map(str, shape)) or "one number"


def _pickled(path):
    """The message about a .npy of Python objects, with the names that it seems to hold."""
    names = _names_in_pickle(path)
    usual = next((name for name in ARRAY_KEYS
                  if name in names), names[0] if names else "NAME")
    what = f", apparently a dict of {listed(names)}" * bool(names)
    return (f"the features of {path.stem} in {path} cannot be read: it holds a pickled "
            f"object{what}, which could run any code when it is opened; save only the "
            f"array: np.save('{path.name}', np.load('{path.name}', "
            f"allow_pickle=True).item()['{usual}'])")


def _names_in_pickle(path, most=2000):
    """Words in the pickle of a .npy that may be keys of a dict. Runs none of its code."""
    names = {}
    with contextlib.suppress(Exception), open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        (np.lib.format.read_array_header_1_0 if version == (1, 0) else
         np.lib.format.read_array_header_2_0)(file)
        for count, (_, value, _) in enumerate(pickletools.genops(file)):
            if isinstance(value, str) and value.isidentifier() and len(value) > 2 and not any(
                    word in value for word in NUMPY_WORDS):
                names[value] = None
            if count > most:
                break
    return list(names)


def refusal(folder):
    """Why a folder with files of another kind is not read; None if there are none."""
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix in REFUSED:
            why, remedy = REFUSED[path.suffix]
            return (f"{path} is a {path.suffix} file, which is not read ({why}); for "
                    "each video save an array: "
                    f"{remedy.format(stem=path.stem, name=path.name)}")
    return None
