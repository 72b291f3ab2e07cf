"""The ground every module stands on: errors for the user, whole-file writes, JSON."""

import contextlib
import errno
import gzip
import json
import os
import re
import stat
import zlib
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
# A file that unpacks to more than this many times its size is an attack, or was never fully
# written: deflate compresses zeros by 1032, but no measured data.
MOST_GROWTH = 1000
SMALL_TEXT = 2 ** 26      # bytes that may always be unpacked


class UserError(ValueError):
    """A mistake that the user can correct: scripts print it as one sentence and exit with 2."""


# {folder locked by this process: function that raises UserError if it has been replaced since}
HELD = {}
PART = re.compile(r"\..{1,20}\.[a-z0-9_]{8}\.part", re.DOTALL)

MAKE_ROOM = "make room there, or write to another disk"
WRITE_ELSEWHERE = "allow writing there, or write to another folder"
# What to do about an error of the system, where that is known.
REMEDIES = {errno.ENOSPC: MAKE_ROOM, errno.EDQUOT: MAKE_ROOM, errno.EFBIG: MAKE_ROOM,
            errno.EROFS: WRITE_ELSEWHERE, errno.EACCES: WRITE_ELSEWHERE,
            errno.EPERM: WRITE_ELSEWHERE}


@contextlib.contextmanager
def replacing(path):
    """A temporary path next to `path` to write to; it replaces `path` when the block succeeds.

    A reader sees the old file or the whole new one, never a part, even after a kill or a full disk.
    """
    path = Path(path)
    # Named before it is created, so a signal between the two leaves nothing behind.
    part = path.with_name(f".{path.name[:20]}.{os.urandom(4).hex()}.part")
    check_held(path)
    try:
        _make(part, path)
        yield part
        with open(part, "rb+") as written:
            os.fsync(written.fileno())
        check_held(path)
        part.replace(path)
    except OSError as problem:
        raise UserError(f"cannot write {path}: {why_unwritten(path.parent, problem)}; "
                        "the earlier file is untouched") from problem
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _make(part, path):
    """Create an empty file, and its folder."""
    try:
        _make_folder(path.parent)
        part.open("xb").close()
    except (FileExistsError, NotADirectoryError) as problem:
        raise UserError(
            f"cannot write {path}: there is a file where a folder should be") from problem
    except OSError as problem:
        raise UserError(
            f"cannot write {path}: {why_unwritten(path.parent, problem)}") from problem


def _make_folder(folder):
    """Create a folder and those above it, but never anew a locked one that has gone meanwhile."""
    place = Path(os.path.abspath(folder))
    if place in HELD:
        return
    if HELD.keys() & set(place.parents):
        _make_folder(place.parent)
        place.mkdir(exist_ok=True)
    else:
        folder.mkdir(parents=True, exist_ok=True)


def why_unwritten(folder, problem):
    """Why a file in `folder` could not be written, and what to do, in words. problem: an OSError.

    Raises UserError, as `check_held` does, where that is the cause.
    """
    check_held(folder / "file")
    if _is_elsewhere(problem.filename, folder):
        return f"{problem.filename}: {problem.strerror}"
    if isinstance(problem, FileNotFoundError):
        return moved(folder)
    return "; ".join(filter(None, [problem.strerror or str(problem),
                                   REMEDIES.get(problem.errno)]))


def moved(folder):
    """What to do about a folder that is not what it was, in words."""
    return (f"the folder {folder} was moved, deleted or replaced meanwhile; run the same command "
            "again, with the new place of the folder if it has one")


def _is_elsewhere(name, folder):
    """Whether an error names a file that is not in a folder, nor on the way to it."""
    if not isinstance(name, str | os.PathLike):
        return False
    place, folder = (Path(os.path.abspath(found)) for found in (name, folder))
    return folder not in (place, *place.parents) and place not in folder.parents


def check_held(path):
    """Refuse to write to a locked folder that has been replaced or removed since."""
    place = Path(os.path.abspath(path))
    for folder, still_held in HELD.items():
        if folder in place.parents:
            still_held()


def remove_parts(folder):
    """Remove the files that a killed `replacing` left in a folder."""
    for path in Path(folder).iterdir():
        if PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


def check_regular(path):
    """Refuse pipes, which would block, and devices, which may never end.

    Raises OSError if there is no such file.
    """
    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
        raise UserError(f"{path} is a pipe or a device, not a file; write its output to a file, "
                        "and name that")


def write_json(path, content, indent=None):
    """Write `content` as JSON, the whole file or nothing. indent: for people to read."""
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=indent), encoding="utf-8")


def read_json(path, what="JSON file", hook=None):
    """The content of a JSON file (also .json.gz). A UserError names line and column of a fault.

    hook: turns (name, value) pairs into an object. `unique` refuses duplicate names, of which JSON
    would keep only the last.
    """
    path = Path(path)
    try:
        return json.loads(read_text(path), object_pairs_hook=hook)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"no {what} at {path}") from None
    except json.JSONDecodeError as problem:
        raise UserError(f"{path} is not valid JSON: line {problem.lineno}, column {problem.colno}: "
                        f"{problem.msg}") from None
    except (OSError, EOFError, ValueError, RecursionError, zlib.error) as problem:
        raise UserError(f"cannot read {what} {path}: {problem}") from None


def read_text(path):
    """The text of a file (also .gz) in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises OSError and ValueError.
    """
    path = Path(path)
    check_regular(path)
    raw = _unpacked(path) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode(json.detect_encoding(raw)).removeprefix("\ufeff")


def _unpacked(path):
    """The content of a .gz file. Raises UserError if it is far larger than any text would be."""
    most = max(SMALL_TEXT, MOST_GROWTH // 5 * path.stat().st_size)
    with gzip.open(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UserError(f"{path} unpacks to more than {most >> 20} MiB, which no text would; "
                        "compress it again from the original text")
    return content


def unique(pairs):
    """The dict of an object's pairs. Raises ValueError for a duplicate name."""
    content = dict(pairs)
    if len(content) < len(pairs):
        name, times = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the name {name!r} occurs {times} times in one object; rename one of "
                         "them, or leave it out")
    return content


def listed(names, most=5):
    """The first `most` names, and how many more there are, in words."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(count, word, words=None):
    """`1 video`, `2 videos`."""
    return f"{count} {agreeing(count, word, words or word + 's')}"


def agreeing(count, one, many):
    """The form of a word that agrees with a count: `1 of 3 videos has`, `2 of 3 videos have`."""
    return one if count == 1 else many


def reason(problem):
    """The message of an exception, in one line without control characters.

    For a refusal of torch it is the cause, not the advice to load the file anyway.
    """
    words = str(problem).rpartition("WeightsUnpickler error:")[2]
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    causes = [line for line in lines if "weights only" not in line.lower().replace("_", " ")]
    text = (causes or lines or [type(problem).__name__])[0]
    return "".join(letter for letter in text[:200] if letter.isprintable())
