"""Fetch a file over HTTP: continued where it broke off, verified by checksum, whole or not at all.

The only module that touches a network, and only `Prepare_data.py download` calls it.
"""

import contextlib
import http.client
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from Utils.files import UserError
from Utils.prepare.known_files import sha256

CHUNK = 1 << 16
LARGEST = 1 << 30          # bytes; a guard for files of unknown size


class _BrokenOff(Exception):
    """The transfer ended before the file did; another attempt may go on."""


def fetch(url, path, checksum, size=None, attempts=4, pause=1.0, timeout=30.0):
    """Download `url` to `path`; its sha256 must be `checksum`.

    What has arrived is kept beside `path` and continued, in this call (`attempts` in a row without
    a new byte end it; `pause` seconds before the second, doubling) or in a later one. size: bytes,
    where known. Raises UserError; an existing `path` is touched only by a verified file.
    """
    _check_address(url)
    part = Path(path).with_name(f".{Path(path).name}.download")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        begun = part.exists() and part.stat().st_size > 0
        _receive(url, part, size, attempts, pause, timeout)
        if begun and sha256(part) != checksum:
            # The beginning may be another version's, or a run's that the disk cut short.
            part.unlink()
            _receive(url, part, size, attempts, pause, timeout)
        _accept(part, Path(path), url, checksum)
    except OSError as problem:
        raise UserError(f"cannot write {path}: {problem.strerror or problem}") from problem


def _accept(part, path, url, checksum):
    """Move a verified download to its place, or delete it."""
    found = sha256(part)
    if found != checksum:
        part.unlink()
        raise UserError(f"{url} is not the known {path.name}: its sha256 is {found}, expected "
                        f"{checksum}; nothing was kept")
    with open(part, "rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _receive(url, part, size, attempts, pause, timeout):
    """Append to `part` until the file is whole."""
    failures, most = 0, 0
    with open(part, "ab") as file:
        while True:
            most = max(most, file.tell())
            try:
                return _transfer(url, file, size or LARGEST, timeout)
            except _BrokenOff as problem:
                failures = 1 if file.tell() > most else failures + 1
                if failures >= attempts:
                    raise UserError(
                        f"{url}: {problem}; {file.tell()} bytes are kept, run the command again to "
                        "go on") from None
            time.sleep(pause * 2 ** (failures - 1))


def _transfer(url, file, limit, timeout):
    """One request for what `file` still lacks, appended to it; _BrokenOff where it ends early."""
    offset = file.tell()
    with _open(url, offset, timeout) as reply:
        if reply is None:
            return
        if offset and not _continues(reply, offset):
            offset = file.seek(0)      # the server sends from the start
            file.truncate()
        length = reply.headers.get("Content-Length", "")
        expected = offset + int(length) if length.isdigit() else None
        while chunk := _read(reply):
            file.write(chunk)
            if file.tell() > limit:
                file.truncate(0)
                raise UserError(f"{url} is longer than the {limit} bytes expected; check the "
                                "address given with --from")
        if expected is not None and file.tell() < expected:
            raise _BrokenOff(f"broke off after {file.tell()} of {expected} bytes")


def _open(url, offset, timeout):
    """The reply to a request from byte `offset` on; an empty context if no byte is left there."""
    headers = {"User-Agent": "VSGN Prepare_data", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as problem:
        with problem:
            if problem.code == 416 and offset:
                return contextlib.nullcontext()
            if problem.code == 429 or problem.code >= 500:
                raise _BrokenOff(f"the server answers {problem.code} {problem.reason}") from None
            raise UserError(f"{url}: the server answers {problem.code} {problem.reason}; check the "
                            "address given with --from") from None
    except http.client.InvalidURL as problem:
        raise UserError(f"{url} is no web address: {problem}") from None
    except (OSError, http.client.HTTPException) as problem:
        raise _BrokenOff(f"no connection ({getattr(problem, 'reason', problem)})") from None


def _read(reply):
    try:
        return reply.read(CHUNK)
    except (OSError, http.client.HTTPException) as problem:
        raise _BrokenOff(f"broke off ({problem or type(problem).__name__})") from None


def _continues(reply, offset):
    """Whether a reply starts at byte `offset`, as asked."""
    match = re.match(r"bytes (\d+)-", reply.headers.get("Content-Range", ""))
    return reply.status == 206 and match is not None and int(match[1]) == offset


def _check_address(url):
    try:
        parts = urllib.parse.urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web = False
    if not is_web:
        raise UserError(f"{url} is no web address; --from takes http://HOST/FOLDER")
