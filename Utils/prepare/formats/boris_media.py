"""Media of BORIS observations: times that span several files, and pairs of events."""

import bisect
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal

from Utils.files import UserError
from Utils.prepare.formats.found import BadRow

WITHOUT_MEDIA = "observations without media"


@dataclass
class Observation:
    """One observation: the `files` of player 1 as (path, seconds or None), played in sequence.

    Times are counted from the start of the first file, plus `offset`. Media of other
    players show the same time and are not used.
    """
    name: str
    files: list[tuple[str, float | None]]
    offset: float = 0.0
    begins: list[float] = field(init=False)

    def __post_init__(self):
        self.begins = [0.0]
        if len(self.files) > 1:
            for path, seconds in self.files[:-1]:
                if seconds is None:
                    raise BadRow(f"observation {self.name}: the length of {path} is not "
                                 "known, and so neither are times in the file after "
                                 "it")
                # BORIS truncates each length to milliseconds before adding them.
                whole = Decimal(repr(float(seconds))).quantize(Decimal("0.001"),
                                                               ROUND_FLOOR)
                self.begins.append(round(self.begins[-1] + float(whole), 3))

    def add_media(self, found, video_name):
        """Add its media to `found`.

        video_name: `observation` names the only video after the observation.
        """
        if video_name == "observation":
            if len(self.files) > 1:
                raise UserError(f"{found.path}: observation {self.name} has "
                                f"{len(self.files)} media files, which cannot share its "
                                "name; choose --video_name media")
            self.files = [(self.name, self.files[0][1])]
            found.names[self.name] = self.name
        for path, seconds in self.files:
            if path in found.media:
                found.notes.append(f"{found.path}: several observations are of {path}, "
                                   "and are merged (--video_name observation "
                                   "keeps them apart)")
            found.add_media(path, seconds)

    def end(self):
        """The end of the last file, in the observation's time; None if unknown."""
        seconds = self.files[-1][1]
        return None if seconds is None else self.offset + self.begins[-1] + seconds

    def add(self, found, start, end, label, subject):
        """Add an action, split if it spans several files."""
        if end < start:
            raise BadRow(f"{label!r} ends at {end:g} s, before it starts at {start:g} s")
        start, end = round(start - self.offset, 6), round(end - self.offset, 6)
        first = max(bisect.bisect_right(self.begins, start) - 1, 0)
        for number in range(first, len(self.files)):
            begin = self.begins[number]
            border = self.begins[number + 1] if number + 1 < len(self.files) else end
            found.add(self.files[number][0], max(start, begin) - begin if number > first else
                      start - begin, min(end, border) - begin, label, subject)
            if end <= border:
                break


@dataclass
class Pairs:
    """Starts and stops of one observation, by (subject, behaviour, modifiers)."""
    found: object
    observation: Observation
    unclosed: str
    started: dict = field(default_factory=dict)

    def start(self, key, time):
        """A state starts at a time in seconds. key: (subject, behaviour, modifiers)."""
        if key in self.started:
            raise BadRow(f"{key[1]!r} starts at {time:g} s, but it has not stopped since "
                         f"{self.started[key]:g} s")
        self.started[key] = time

    def stop(self, key, time):
        """A state stops: add its action to the observation."""
        if key not in self.started:
            raise BadRow(f"{key[1]!r} stops at {time:g} s without having started")
        subject, label = key[:2]
        start = self.started.pop(key)
        self.observation.add(self.found, start, time, label, subject)

    def close(self):
        """Handle states that never stopped: raise, drop, or close them at the end."""
        for (subject, label, *_), time in self.started.items():
            where = (f"{self.found.path}: observation {self.observation.name} "
                     f"({self.observation.files[0][0]}), {subject or 'no subject'}: "
                     f"{label!r} starts at {time:g} s and never stops")
            if self.unclosed == "error":
                raise UserError(f"{where}; stop it in BORIS, or choose --unclosed drop or end")
            if self.unclosed == "drop":
                self.found.left_out["unclosed"] += 1
                continue
            end = self.observation.end()
            if end is None:
                raise UserError(f"{where}, and the length of its media is not known; "
                                "choose --unclosed drop")
            with self.found.row(f"observation {self.observation.name}"):
                self.observation.add(self.found, time, end, label, subject)
                self.found.left_out["closed at the end of the video"] += 1
