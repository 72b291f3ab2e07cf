"""The file between inference and evaluation, proposals.h5.

A group per video holds `segments` (M, 2), `scores` (M,) and `labels` (M,), window
after window, and the attributes `video`, `windows` (W, 4), `fps`, `duration`. The file
has the attributes `unit` of the segments, `settings` (JSON) and `window_columns`.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import h5py
import numpy as np

from Evaluation.postprocessing.proposals import CutWindow, Proposals
from Utils.files import UserError, replacing
from Utils.hdf5 import check_inside, open_file, opened

FORMAT = "VSGN proposals"
SECONDS, SHARES = "seconds", "shares of the duration"
WINDOW_COLUMNS = ("start", "end", "index", "proposals")
# What HDF5 may write besides the rows, at the end or until room is made again.
SLACK = 2 ** 20


class ProposalWriter:
    """Write proposals.h5 window by window, the whole file or nothing.

        with ProposalWriter(path, settings) as writer:
            writer.add(window, proposals)

    settings: JSON-able dict, as Utils.config.resolve.settings makes it. Memory holds one
    video at a time: windows of a video should follow each other; ones that come later
    are put behind its others.
    """

    def __init__(self, path, settings):
        self.path, self.settings = path, settings
        self.waiting = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.file = stack.enter_context(_new_file(self.path))
            unit = SHARES if self.settings.get("framing") == "whole" else SECONDS
            # Bytes of a fixed length: with others, HDF5 may read a damaged file forever.
            self.file.attrs.update({"format": np.bytes_(FORMAT), "unit": np.bytes_(unit),
                                    "settings": np.bytes_(json.dumps(self.settings)),
                                    "window_columns": np.array(WINDOW_COLUMNS, "S")})
            stack.push(lambda failure, *_: failure is None and self._write_waiting())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure):
        return self._stack.__exit__(*failure)

    def add(self, window: CutWindow, proposals: Proposals) -> None:
        """Add the Proposals of one Window."""
        if self.waiting and self.waiting[0][0].video != window.video:
            self._write_waiting()
        self.waiting.append((window, proposals))

    def _write_waiting(self):
        """Write the collected windows of the last video."""
        if not self.waiting:
            return
        windows, parts = zip(*self.waiting, strict=True)
        self.waiting = []
        rows = np.array([(window.start, window.end, -1 if window.index is None else window.index,
                          len(part)) for window, part in zip(windows, parts, strict=True)], float)
        group = self.file.require_group(group_name(windows[0].video))
        _make_room(self.file, 2 * (group.attrs.get("windows", rows).nbytes + rows.nbytes))
        _describe(group, windows[0])
        group.attrs["windows"] = np.concatenate([group.attrs.get("windows", rows[:0]), rows])
        for name, values in vars(Proposals.joined(parts)).items():
            _append(self.file, group, name, values)


@contextlib.contextmanager
def _new_file(path):
    """An HDF5 file that replaces `path` when the block succeeds."""
    with replacing(path) as part:
        part.write_bytes(bytes(SLACK))
        with h5py.File(part, "w", libver="v110", track_order=True) as file:
            _make_room(file, 0)
            yield file
            file.flush()
            size = file.id.get_filesize()
        with open(part, "rb+") as written:
            written.truncate(size)


def _make_room(file, size):
    """Extend the file on disk by what will be written. Raises OSError if it does not fit.

    HDF5 itself must not meet the full disk: it could not close the file then, and
    might crash.
    """
    missing = file.id.get_filesize() + size + SLACK - Path(file.filename).stat().st_size
    with open(file.filename, "ab") as end:
        end.write(bytes(max(missing, 0)))


def _describe(group, window):
    """Describe the video of the group in attributes."""
    # HDF5's strings end at a NUL and are UTF-8; the group's name holds the name exactly.
    name = window.video.encode("utf-8", "backslashreplace").replace(b"\0", b"\\0")
    group.attrs["video"] = np.bytes_(name)
    for name in ("fps", "duration"):
        if getattr(window, name) is not None:
            group.attrs[name] = getattr(window, name)


def _append(file, group, name, values):
    """Append rows to a dataset, which is created if necessary."""
    if name not in group:
        _make_room(file, values.nbytes)
        chunk = (max(len(values), 1), *values.shape[1:])
        group.create_dataset(name, data=values, maxshape=(None, *values.shape[1:]),
                             chunks=chunk)
        return
    rows = group[name]
    _make_room(file, values.nbytes + rows.dtype.itemsize * int(np.prod(rows.chunks)))
    rows.resize(len(rows) + len(values), axis=0)
    rows[len(rows) - len(values):] = values


def group_name(video: str) -> str:
    """The name of a video's group: its own, percent-escaping what HDF5 cannot hold."""
    return re.sub(r"^\.+|[%/\x00\ud800-\udfff]", _percent, video) or "%"


def video_name(group: str) -> str:
    """Undo `group_name`."""
    return "" if group == "%" else unquote(group, errors="surrogatepass")


def _percent(match):
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def read_proposals(path: str | Path) -> tuple["ProposalFile", dict]:
    """Open proposals.h5.

    -> {video: Proposals}, which reads videos on request, and settings.
    Raises UserError for a file that is missing, broken or not written by Infer.py, and
    later for a video whose rows turn out to be damaged.
    """
    proposals = ProposalFile(path)
    return proposals, proposals.settings


class ProposalFile(Mapping):
    """{video: Proposals} in the order of writing; rows are read on request."""

    def __init__(self, path):
        self.path = Path(path)
        if not self.path.is_file():
            raise UserError(f"no proposals at {path}; run Infer.py --output_path "
                            f"{self.path.parent} first")
        with self._readable():
            self.size = self.path.stat().st_size
            # Links are checked video by video,
            # so that a damaged one does not affect others.
            self.file = open_file(self.path, follow_links=True)
            kind = _text(self.file.attrs.get("format"))
        if kind != FORMAT:
            raise UserError(f"{path} is an HDF5 file, but holds no proposals; name the "
                            "output_path of a run of Infer.py")
        with self._readable():
            self.settings = json.loads(_text(self.file.attrs["settings"]))
            if not isinstance(self.settings, dict):
                raise ValueError("its settings are not a table")
            self.in_shares = _text(self.file.attrs["unit"]) == SHARES

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def close(self) -> None:
        """Close the file; nothing can be read afterwards."""
        self.file.close()

    def __len__(self):
        return len(self.file)

    def __iter__(self):
        return map(video_name, self.file)

    def __contains__(self, video):
        # Not `in`, which would follow a link to another file.
        return self.file.id.links.exists(group_name(video).encode())

    def __getitem__(self, video):
        return self.read(video)[0]

    def read(self, video: str) -> tuple[Proposals, float | None]:
        """The Proposals of a video, and its seconds, None if unknown."""
        if video not in self:
            raise KeyError(video)
        with self._readable(f" for video {video}"):
            group = opened(self.file, group_name(video))
            rows = [opened(group, name) for name in ("segments", "scores", "labels")]
            for row in rows:
                check_inside(row)
            # With a damaged length, HDF5 would fill all memory with zeros.
            sound = all(row.nbytes <= self.size for row in rows)
            segments, scores, labels = (row[()] for row in rows) if sound else (np.zeros(0),) * 3
            seconds = _duration(group)
        if not _are_proposals(segments, scores, labels):
            raise UserError(f"{self.path}: the proposals of video {video} are damaged; "
                            "run Infer.py again")
        return Proposals(segments, scores, labels), seconds

    def duration(self, video: str) -> float | None:
        """Seconds of a video, None if unknown."""
        with self._readable(f" for video {video}"):
            return _duration(opened(self.file, group_name(video)))

    @contextlib.contextmanager
    def _readable(self, where=""):
        """Turn exceptions of h5py about damaged files into a UserError."""
        try:
            yield
        except UserError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as problem:
            raise UserError(f"{self.path} can't be read{where} "
                            f"({_first_line(problem)}); it may be cut off: copy it "
                            "again or run Infer.py again") from None


def _duration(group):
    """Seconds of a group's video, None if unknown."""
    seconds = group.attrs.get("duration")
    return None if seconds is None else float(seconds)


def _text(value):
    """A string attribute, whether stored as bytes, as now, or as str, as in older files."""
    return value.decode() if isinstance(value, bytes) else value


def _are_proposals(segments, scores, labels):
    """Whether ProposalWriter can have written these arrays."""
    return (segments.shape == (scores.size, 2) and scores.ndim == 1 and labels.shape == scores.shape
            and segments.dtype.kind == scores.dtype.kind == "f" and labels.dtype.kind in "iu"
            and bool(np.isfinite(segments).all() and np.isfinite(scores).all()))


def _first_line(problem):
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
