"""HDF5 files from others: only data inside the file is read, and only if it was written.

HDF5 can lead a reader to any file of the system: by links to other files, by external
storage, or by virtual datasets.
"""

import contextlib
import posixpath

import h5py

from Utils.files import MOST_GROWTH, UserError, check_regular

MOST_LINKS = 16
ASK = "give --follow_links to read it anyway, if you trust whoever made the file"
SMALL = 2 ** 20     # bytes; smaller datasets may be empty


def opened(group, path):
    """The object at `path` in an open HDF5 file or group.

    Raises KeyError if there is none, and UserError if a link leads to another file or
    in a circle.
    """
    here, ahead, links = group, path.split("/")[::-1], 0
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        link = here.get(name, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            raise KeyError(f"{path} is not in the file")
        if isinstance(link, h5py.ExternalLink):
            raise UserError(f"{group.file.filename}: {path} is a link to another file, "
                            f"{link.filename}; {ASK}")
        if isinstance(link, h5py.SoftLink):
            links += 1
            if links > MOST_LINKS:
                raise UserError(f"{group.file.filename}: {path} is a link that leads "
                                "back to itself; store the array there")
            ahead += link.path.split("/")[::-1]
            here = group.file if link.path.startswith("/") else here
        else:
            here = here[name]
    return here


def check_links(group, above=(), seen=None):
    """Refuse an open file or group with links to other files or back to itself.

    seen: the groups that were checked before, as one can be reached in very many ways.
    """
    here, seen = identity(group), set() if seen is None else seen
    if here in above:
        raise UserError(f"{group.file.filename}: {group.name} contains itself; store "
                        "the arrays in a plain tree")
    if here in seen:
        return
    seen.add(here)
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
            with contextlib.suppress(KeyError):     # a dangling link
                opened(group.file, posixpath.join(group.name, name))
        elif group.get(name, getclass=True) is h5py.Group:
            check_links(group[name], (*above, here), seen)


def identity(group):
    """What tells a group from all others, whatever the path that leads to it."""
    about = h5py.h5o.get_info(group.id)
    return about.fileno, about.addr


def check_inside(dataset):
    """Refuse a dataset whose values are in other files."""
    if dataset.is_virtual:
        raise UserError(f"{_place(dataset)} is assembled from other files (a virtual "
                        f"dataset); {ASK}")
    if dataset.external:
        raise UserError(f"{_place(dataset)} keeps its values in another file, "
                        f"{dataset.external[0][0]}; {ASK}")


def check_written(dataset):
    """Refuse a dataset that claims far more than was ever written."""
    if dataset.is_virtual or dataset.external or dataset.nbytes <= SMALL:
        return
    written = dataset.id.get_storage_size()
    if dataset.nbytes > MOST_GROWTH * written:
        raise UserError(f"{_place(dataset)} has the shape {dataset.shape}, but only "
                        f"{written} bytes of it were ever written; write it again")


def _place(dataset):
    return f"{dataset.file.filename}: {dataset.name}"


def open_file(path, follow_links=False):
    """An HDF5 file to read from.

    Raises UserError if it leads to other files (unless follow_links) or is not a
    regular file, OSError if it has another format.
    """
    check_regular(path)
    file = h5py.File(path, "r")
    try:
        if not follow_links:
            check_links(file)
    except BaseException:
        file.close()
        raise
    return file
