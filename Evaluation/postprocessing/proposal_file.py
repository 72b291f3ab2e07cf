"""The file between inference and evaluation, proposals.h5.

A group a video holds `segments` (M, 2), `scores` (M,) and `labels` (M,), window after window, and
the attributes `video`, `windows` (W, 4), `fps`, `duration`; the file the attributes `unit` of the
segments, `settings` (JSON) and `window_columns`.
"""

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

import h5py
import numpy as np

from Evaluation.postprocessing.proposals import Proposals
from Utils.files import UserError, replacing
from Utils.hdf5 import check_inside, open_file, opened

FORMAT = "VSGN proposals"
SECONDS, SHARES = "seconds", "shares of the duration"
WINDOW_COLUMNS = ("start", "end", "index", "proposals")
# What HDF5 may write besides the rows until room is made again, or at the end.
SLACK = 2 ** 20


class ProposalWriter:
    """Write proposals.h5 window by window, whole or not at all.

        with ProposalWriter(path, settings) as writer:
            writer.add(window, proposals)

    settings: JSON-able dict, as Utils.config.resolve.settings makes it. Memory holds one
    video at a time: windows of a video should follow each other; ones that come later are put
    behind its others.
    """

    def __init__(self, path, settings):
        self.path, self.settings = path, settings
        self.waiting = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.file = stack.enter_context(_new_file(self.path))
            unit = SHARES if self.settings.get("framing") == "whole" else SECONDS
            # Bytes of a fixed length: in a damaged file HDF5 may look for others for ever.
            self.file.attrs.update({"format": np.bytes_(FORMAT), "unit": np.bytes_(unit),
                                    "settings": np.bytes_(json.dumps(self.settings)),
                                    "window_columns": np.array(WINDOW_COLUMNS, "S")})
            stack.push(lambda failure, *_: failure is None and self._write_waiting())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure):
        return self._stack.__exit__(*failure)

    def add(self, window, proposals):
        """Take the Proposals of one Window."""
        if self.waiting and self.waiting[0][0].video != window.video:
            self._write_waiting()
        self.waiting.append((window, proposals))

    def _write_waiting(self):
        """Write the windows taken of the last video."""
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
    """An HDF5 file that takes the place of `path` when the block ends well."""
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
    """Lengthen the file on disk by what is going to be written: an OSError if it does not fit.

    HDF5 must not meet the full disk itself: it can't close the file then, and may crash Python.
    """
    missing = file.id.get_filesize() + size + SLACK - Path(file.filename).stat().st_size
    with open(file.filename, "ab") as end:
        end.write(bytes(max(missing, 0)))


def _describe(group, window):
    """Say of which video the group is, in attributes."""
    # HDF5's strings end at a NUL and are UTF-8; the group's name holds the name exactly.
    name = window.video.encode("utf-8", "backslashreplace").replace(b"\0", b"\\0")
    group.attrs["video"] = np.bytes_(name)
    for name in ("fps", "duration"):
        if getattr(window, name) is not None:
            group.attrs[name] = getattr(window, name)


def _append(file, group, name, values):
    """Put rows behind those of a dataset; it is made where there is none."""
    if name not in group:
        _make_room(file, values.nbytes)
        chunk = (max(len(values), 1), *values.shape[1:])
        group.create_dataset(name, data=values, maxshape=(None, *values.shape[1:]), chunks=chunk)
        return
    rows = group[name]
    _make_room(file, values.nbytes + rows.dtype.itemsize * int(np.prod(rows.chunks)))
    rows.resize(len(rows) + len(values), axis=0)
    rows[len(rows) - len(values):] = values


def group_name(video):
    """The name of a video's group: its own, with what HDF5 can't hold percent-escaped."""
    return re.sub(r"^\.+|[%/\x00\ud800-\udfff]", _percent, video) or "%"


def video_name(group):
    """Undo `group_name`."""
    return "" if group == "%" else unquote(group, errors="surrogatepass")


def _percent(match):
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def read_proposals(path):
    """Open proposals.h5. Returns {video: Proposals} that reads a video when asked, and settings.

    Raises UserError for a file that is missing, broken or not of Infer.py; when asked for a video
    whose rows are damaged too.
    """
    proposals = ProposalFile(path)
    return proposals, proposals.settings


class ProposalFile(Mapping):
    """{video: Proposals}, in the order in which they were written; rows are read when asked for."""

    def __init__(self, path):
        self.path = Path(path)
        if not self.path.is_file():
            raise UserError(f"no proposals at {path}; run Infer.py --output_path "
                            f"{self.path.parent} first")
        with self._readable():
            self.size = self.path.stat().st_size
            # Links are looked at video by video, so that one that is damaged spoils no other.
            self.file = open_file(self.path, follow_links=True)
            kind = _text(self.file.attrs.get("format"))
        if kind != FORMAT:
            raise UserError(f"{path} is an HDF5 file, but holds no proposals; name the output_path "
                            "of a run of Infer.py")
        with self._readable():
            self.settings = json.loads(_text(self.file.attrs["settings"]))
            if not isinstance(self.settings, dict):
                raise ValueError("its settings are no table")
            self.in_shares = _text(self.file.attrs["unit"]) == SHARES

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.close()

    def close(self):
        """Close the file; nothing can be asked for afterwards."""
        self.file.close()

    def __len__(self):
        return len(self.file)

    def __iter__(self):
        return map(video_name, self.file)

    def __contains__(self, video):
        # Not `in`, which would follow a link to another file.
        return self.file.id.links.exists(group_name(video).encode())

    def __getitem__(self, video):
        if video not in self:
            raise KeyError(video)
        with self._readable(f" for video {video}"):
            rows = [opened(self.file, f"{group_name(video)}/{name}")
                    for name in ("segments", "scores", "labels")]
            for row in rows:
                check_inside(row)
            # A damaged length would have HDF5 fill all memory with zeros.
            sound = all(row.nbytes <= self.size for row in rows)
            segments, scores, labels = (row[()] for row in rows) if sound else (np.zeros(0),) * 3
        if not _are_proposals(segments, scores, labels):
            raise UserError(f"{self.path}: the proposals of video {video} are damaged; run "
                            "Infer.py again")
        return Proposals(segments, scores, labels)

    def duration(self, video):
        """Seconds of a video, None where they were not known."""
        with self._readable(f" for video {video}"):
            seconds = opened(self.file, group_name(video)).attrs.get("duration")
            return None if seconds is None else float(seconds)

    @contextlib.contextmanager
    def _readable(self, where=""):
        """Turn what h5py raises for damaged files into a UserError."""
        try:
            yield
        except UserError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as problem:
            raise UserError(f"{self.path} can't be read{where} ({_first_line(problem)}); it may be "
                            "cut off: copy it again or run Infer.py again") from None


def _text(value):
    """A string of an attribute, as it is written now (bytes) or was once."""
    return value.decode() if isinstance(value, bytes) else value


def _are_proposals(segments, scores, labels):
    """True for arrays that ProposalWriter can have written."""
    return (segments.shape == (scores.size, 2) and scores.ndim == 1 and labels.shape == scores.shape
            and segments.dtype.kind == scores.dtype.kind == "f" and labels.dtype.kind in "iu"
            and bool(np.isfinite(segments).all() and np.isfinite(scores).all()))


def _first_line(problem):
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]
