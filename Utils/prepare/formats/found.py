"""What a reader finds in one file of another tool, and the options that readers use."""

import contextlib
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from Utils.files import UserError

NO_SUBJECTS = ("", "No focal subject")


class BadRow(ValueError):
    """What is wrong with one row; its place is added where the exception is caught."""


@dataclass(frozen=True)
class Options:
    """The options of an import; `arguments` explains them.

    durations: {video: seconds}; names: {name or path: name}; subjects: () ignores
    them, ("join",) joins them to the label, else the subjects to keep; background:
    None is the format's own list; columns: {key: header}; unclosed: error, drop, end;
    overlaps: keep, merge.
    """
    fps: float | None = None
    durations: dict[str, float] = field(default_factory=dict)
    split: Path | None = None
    test_share: float | None = None
    seed: int = 0
    names: dict[str, str] = field(default_factory=dict)
    video_name: str = "media"
    subjects: tuple[str, ...] = ()
    point: float | None = None
    unclosed: str = "error"
    overlaps: str = "keep"
    background: tuple[str, ...] | None = None
    tiers: tuple[str, ...] = ()
    label: str | None = None
    labels: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    mapping: Path | None = None
    encoding: str | None = None
    timeseries: str | None = None
    skip_bad: bool = False


@dataclass(frozen=True)
class Action:
    """One action of a media file (named as in the annotation file), in seconds."""
    media: str
    start: float
    end: float
    label: str
    subject: str = ""


@dataclass
class Media:
    """What a file says about a media file besides its actions."""
    duration: float | None = None
    subset: str | None = None


@dataclass
class Found:
    """The content of one file: media by path as named there, actions, and what was left out.

    subject_word: what this format calls a subject. background: labels that are not
    actions. names: {media: name} for media that are not named after a path.
    """
    path: Path
    skip_bad: bool = False
    media: dict[str, Media] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    left_out: Counter = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    background: tuple[str, ...] = ()
    subject_word: str = "subjects"
    names: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def row(self, where):
        """Context for reading one row: a BadRow is an error, or counted with --skip_bad."""
        num_actions, num_media = len(self.actions), len(self.media)
        try:
            yield
        except BadRow as fault:
            if not self.skip_bad:
                raise UserError(f"{self.path}, {where}: {fault}; fix it, or leave such "
                                "rows out with --skip_bad") from None
            del self.actions[num_actions:]
            while len(self.media) > num_media:
                self.media.popitem()
            self.left_out["bad rows"] += 1

    def add_media(self, media, duration=None, subset=None):
        """Add a media file, with or without actions.

        BadRow if it contradicts what is known.
        """
        if not media:
            raise BadRow("the name of the video is empty")
        known = self.media.setdefault(media, Media())
        known.duration = agreed(known.duration, duration, f"video {media}: the duration")
        known.subset = agreed(known.subset, subset, f"video {media}: the subset")

    def add(self, media, start, end, label, subject=""):
        """Add an action of a media file; end == start is a point event."""
        label = label.strip()
        if not label:
            raise BadRow("the label is empty")
        if not is_text(label + subject):
            raise BadRow(f"the label {ascii(label)[:40]} or its subject is not valid text")
        if not (math.isfinite(start) and math.isfinite(end)):
            raise BadRow(f"the time {start} to {end} is not a number")
        if end < start:
            raise BadRow(f"it ends at {end:g} s, before it starts at {start:g} s")
        subject = "" if subject.strip() in NO_SUBJECTS else subject.strip()
        self.actions.append(Action(media, float(start), float(end), label, subject))


def is_text(words):
    """Whether words can be written as UTF-8 without NUL."""
    try:
        return "\0" not in words and words.encode("utf-8") is not None
    except UnicodeEncodeError:
        return False


def agreed(known, new, what):
    """The known or new value; BadRow if both exist and differ (seconds: by over 1 ms)."""
    if new is None or known is None:
        return known if new is None else new
    if known != new and (isinstance(new, str) or abs(known - new) > 0.001):
        raise BadRow(f"{what} is {new}, but {known} elsewhere")
    return known
