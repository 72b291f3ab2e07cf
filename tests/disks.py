"""Folders that are full or cannot be written in: real ones where the system allows it."""

import contextlib
import os
import resource
import subprocess

import pytest


@contextlib.contextmanager
def small_disk(folder, megabytes=16):
    """`folder` as a small disk of its own if one can be mounted, else unchanged. -> mounted."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@contextlib.contextmanager
def full(folder, mounted, room=0):
    """Leave room for no more than `room` bytes in `folder` (of small_disk).

    If that is not a disk, in any file.
    """
    if not mounted:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room + 200, before[1]))
        try:
            yield "File too large"
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        return
    filler = folder / ".filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    os.truncate(filler, filler.stat().st_size - room)
    try:
        yield "No space left on device"
    finally:
        filler.unlink()


@contextlib.contextmanager
def read_only(folder, mounted):
    """Nobody may write in `folder` (of small_disk)."""
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        yield "Read-only file system"
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    elif os.geteuid():
        places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
        for path in places:
            path.chmod(0o555)
        yield "Permission denied"
        for path in places:
            path.chmod(0o755)
    else:
        pytest.skip("NO READ-ONLY FOLDER: root without the right to mount one; run as a user")
