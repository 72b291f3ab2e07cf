"""The ground every module stands on: errors for the user, whole-file writes, JSON."""

import contextlib
import gzip
import json
import os
import re
import stat
import zlib
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
# A file that unpacks to more than this many times its size is an attack, or was never written:
# deflate makes zeros 1032 times smaller, but nothing that anybody measured.
MOST_GROWTH = 1000
SMALL_TEXT = 2 ** 26      # and this much may be unpacked anyhow


class UserError(ValueError):
    """Something the user can mend: scripts print it as one sentence and exit with 2."""


# {folder held by this process: raises UserError where it no longer is the one that was locked}
HELD = {}
PART = re.compile(r"\..{1,20}\.[a-z0-9_]{8}\.part", re.DOTALL)


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside `path` to write to; it takes `path`'s place when the block ends well.

    A reader sees the old file or the whole new one, never a part, also after a kill or a full disk.
    """
    path = Path(path)
    # It has its name before it is made: a signal between the two leaves nothing behind.
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
        raise UserError(f"cannot write {path}: {problem.strerror or problem}; "
                        "what was there before is untouched") from problem
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _make(part, path):
    """Make an empty file, and its folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.open("xb").close()
    except (FileExistsError, NotADirectoryError) as problem:
        raise UserError(f"cannot write {path}: a file stands where a folder should") from problem
    except OSError as problem:
        raise UserError(f"cannot write {path}: {problem.strerror}") from problem


def check_held(path):
    """Refuse to write in a folder that was locked, and is another or gone since."""
    place = Path(os.path.abspath(path))
    for folder, check in HELD.items():
        if folder in place.parents:
            check()


def remove_parts(folder):
    """Remove what `replacing` left in a folder when it was killed."""
    for path in Path(folder).iterdir():
        if PART.fullmatch(path.name):
            path.unlink(missing_ok=True)


def check_regular(path):
    """Refuse what is no file of data: a pipe would be waited for, a device read without an end.

    OSError where there is nothing.
    """
    if not stat.S_ISREG(os.stat(path).st_mode) and not os.path.isdir(path):
        raise UserError(f"{path} is a pipe or a device, not a file; write what it gives to a file, "
                        "and name that")


def write_json(path, content, indent=None):
    """Write `content` as JSON to `path`, whole or not at all. indent: for people to read."""
    with replacing(path) as part:
        part.write_text(json.dumps(content, indent=indent), encoding="utf-8")


def read_json(path, what="JSON file", unique_names=False):
    """The content of a JSON file (also .json.gz); a UserError names line and column of a fault.

    unique_names: refuse an object with a name twice, of which only the last would be kept.
    """
    path = Path(path)
    try:
        return json.loads(read_text(path), object_pairs_hook=unique if unique_names else None)
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
    """The text of a file (also .gz) in UTF-8, UTF-16 or UTF-32, with a byte order mark or without.

    Raises OSError and ValueError.
    """
    path = Path(path)
    check_regular(path)
    raw = _unpacked(path) if path.suffix == ".gz" else path.read_bytes()
    return raw.decode(json.detect_encoding(raw)).removeprefix("\ufeff")


def _unpacked(path):
    """The content of a .gz file; a UserError where it is far more than any text would be."""
    most = max(SMALL_TEXT, MOST_GROWTH // 5 * path.stat().st_size)
    with gzip.open(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise UserError(f"{path} unpacks to more than {most >> 20} MiB, which no text does; pack "
                        "it again from the text itself")
    return content


def unique(pairs):
    """dict of an object's pairs; a ValueError for a name that is there twice."""
    content = dict(pairs)
    if len(content) < len(pairs):
        name, times = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the name {name!r} is there {times} times in one object; rename one of "
                         "them, or leave it out")
    return content


def listed(names, most=5):
    """The first `most` names, and how many more there are, as words of a message."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(count, word, words=None):
    """`1 video`, `2 videos`."""
    return f"{count} {word if count == 1 else words or word + 's'}"


def reason(problem):
    """What an exception says, in one line without control characters.

    Of torch's refusals it is the cause, not the advice to load the file in spite of it.
    """
    words = str(problem).rpartition("WeightsUnpickler error:")[2]
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    causes = [line for line in lines if "weights only" not in line.lower().replace("_", " ")]
    text = (causes or lines or [type(problem).__name__])[0]
    return "".join(letter for letter in text[:200] if letter.isprintable())
