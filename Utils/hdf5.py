"""HDF5 files of others: only what lies in the file itself is read, and only if it was written.

HDF5 can lead a reader to any file of the system: by links to other files, by data stored outside,
by datasets put together of others.
"""

import contextlib
import posixpath

import h5py

from Utils.files import MOST_GROWTH, UserError, check_regular

MOST_LINKS = 16
ASK = "give --follow_links to read it all the same, if you trust whoever made the file"
# Smaller ones may be as empty as they like.
SMALL = 2 ** 20


def opened(file, path):
    """The object at `path` of an open HDF5 file; KeyError where there is none.

    Raises UserError where the file leads out of itself, or round in a circle.
    """
    here, ahead, links = file, path.split("/")[::-1], 0
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        link = here.get(name, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            raise KeyError(f"{path} is not in the file")
        if isinstance(link, h5py.ExternalLink):
            raise UserError(f"{file.filename}: {path} is a link to another file, {link.filename}; "
                            f"{ASK}")
        if isinstance(link, h5py.SoftLink):
            links += 1
            if links > MOST_LINKS:
                raise UserError(f"{file.filename}: {path} is a link that leads back to itself; "
                                "store the array there")
            ahead += link.path.split("/")[::-1]
            here = file if link.path.startswith("/") else here
        else:
            here = here[name]
    return here


def check_links(group, above=()):
    """Refuse an open file, or a group of it, that leads to other files or back to itself."""
    here = h5py.h5o.get_info(group.id).addr
    if here in above:
        raise UserError(f"{group.file.filename}: {group.name} lies in itself; store the arrays "
                        "in a plain tree")
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink | h5py.SoftLink):
            with contextlib.suppress(KeyError):     # leads nowhere
                opened(group.file, posixpath.join(group.name, name))
        elif group.get(name, getclass=True) is h5py.Group:
            check_links(group[name], (*above, here))


def check_inside(dataset):
    """Refuse a dataset whose values lie in other files."""
    place = f"{dataset.file.filename}: {dataset.name}"
    if dataset.is_virtual:
        raise UserError(f"{place} is put together of other files (a virtual dataset); {ASK}")
    if dataset.external:
        raise UserError(f"{place} keeps its values in another file, {dataset.external[0][0]}; "
                        f"{ASK}")


def check_written(dataset):
    """Refuse a dataset that claims far more than was ever written."""
    if dataset.is_virtual or dataset.external or dataset.nbytes <= SMALL:
        return
    written = dataset.id.get_storage_size()
    if dataset.nbytes > MOST_GROWTH * written:
        raise UserError(f"{dataset.file.filename}: {dataset.name} has the shape {dataset.shape}, "
                        f"but only {written} bytes of it were ever written; write it again")


def open_file(path, follow_links=False):
    """An HDF5 file to read from. UserError where it leads elsewhere (unless follow_links) or is no
    file at all, OSError where it is of another format."""
    check_regular(path)
    file = h5py.File(path, "r")
    try:
        if not follow_links:
            check_links(file)
    except BaseException:
        file.close()
        raise
    return file
