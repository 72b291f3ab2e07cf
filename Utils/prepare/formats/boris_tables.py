"""Tables exported by BORIS 6 to 9.

Aggregated tables have a row per state, tabular ones a row per event.
"""

import re

from Utils.files import UserError, counted
from Utils.prepare.formats.boris_media import WITHOUT_MEDIA, Observation, Pairs
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.times import seconds

PLAYER = re.compile(r"player #(\d+):(.*)", re.S)
LEFT_BLANK = ("", "NA", "nan", "None")
TOO_OLD = ("has several media files, whose lengths this version of BORIS does not "
           "write; export from a newer BORIS or give the .boris project")


def is_header(cells):
    """Whether a row of cells is the header of such a table."""
    cells = set(cells)
    return "Behavior" in cells and bool({"Start (s)", "Time"} & cells)


def read(source, options):
    """The actions of all observations with media. -> Found."""
    found = Found(source.path, options.skip_bad)
    header = next((at for at, (_, cells) in enumerate(source.rows)
                   if is_header(cells)), None)
    if header is None:
        raise UserError(f"{source.path} has no row with Behavior and Start (s) or Time; "
                        "export aggregated or tabular events from BORIS")
    table = source.table(found, header)
    # A user's column may have the same name as one of BORIS's, which come later.
    table = table.loc[:, ~table.columns.duplicated(keep="last")]
    above = _above(source.rows[:header]) if "Observation id" not in table.columns else {}
    reader = _Reader(source, found, options, above, list(table.columns))
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        pairs = None
        with found.row(f"line {line}"):
            pairs = reader.pairs_of(row)
        if pairs is not None:
            with found.row(f"line {line}"):
                reader.add(row, pairs)
    for pairs in reader.observations.values():
        if pairs is not None:
            pairs.close()
    found.notes += reader.notes()
    return found


def _above(rows):
    """{label: value} of the rows above the header of an old tabular export."""
    above = {}
    for _, cells in rows:
        values = [cell for cell in cells[1:] if cell]
        above.setdefault(cells[0], []).extend(values)
    return above


class _Reader:
    """Reads the rows of a table, by observation."""

    def __init__(self, source, found, options, above, columns):
        self.source, self.found, self.options, self.above = source, found, options, above
        self.modifiers = [name for name in columns if name.startswith("Modifier")]
        self.is_aggregated = "Start (s)" in columns
        self.observations, self.described, self.hidden_offset = {}, {}, False

    def add(self, row, pairs):
        """Add one row: a state, a point, a START or a STOP."""
        self.hidden_offset |= (row.get("Media file name") == "Not found"
                               and "Time offset (s)" not in row)
        kind = row.get("Behavior type", row.get("Status", ""))
        label, subject = row["Behavior"], row.get("Subject", "")
        if self.is_aggregated:
            if kind not in ("STATE", "POINT"):
                raise BadRow(f"the behavior type is {kind!r}, expected STATE or POINT")
            start = self._time(row, "Start (s)")
            end = start if kind == "POINT" else self._time(row, "Stop (s)")
            pairs.observation.add(self.found, start, end, label, subject)
            return
        time, key = self._time(row, "Time"), (subject, label, *map(row.get, self.modifiers))
        if kind == "POINT":
            pairs.observation.add(self.found, time, time, label, subject)
        elif kind == "START":
            pairs.start(key, time)
        elif kind == "STOP":
            pairs.stop(key, time)
        else:
            raise BadRow(f"the event is {kind!r}, expected START, STOP or POINT")

    def _time(self, row, column):
        return seconds(row.get(column, ""), self.source.decimal_comma, column)

    def pairs_of(self, row):
        """The Pairs of the row's observation; None if it has no media."""
        name = row.get("Observation id") or next(iter(self.above.get("Observation id", [])), "")
        described = tuple(row.get(column, "") for column in (
            "Source", "Media file", "Media file path", "Media duration (s)", "Time offset (s)"))
        if name not in self.observations:
            observation = self._observation(name, row)
            if observation is None:
                self.found.left_out[WITHOUT_MEDIA] += 1
            else:
                observation.add_media(self.found, self.options.video_name)
            self.described[name] = described
            self.observations[name] = observation and Pairs(self.found, observation,
                                                            self.options.unclosed)
        elif described != self.described[name]:
            if not row.get("Source"):
                raise UserError(f"{self.found.path}: observation {name} {TOO_OLD}")
            raise BadRow(f"observation {name} has other media than in the rows before")
        return self.observations[name]

    def _observation(self, name, row):
        """The Observation of a row; None if it has no media."""
        offset = row.get("Time offset (s)") or next(iter(self.above.get("Time offset (s)", [])), "")
        offset = 0.0 if offset in LEFT_BLANK else seconds(offset, self.source.decimal_comma,
                                                          "the time offset")
        if "Source" in row:
            files = _player_1(row["Source"], row.get("Media duration (s)", ""),
                              self.source.decimal_comma)
        else:
            path = row.get("Media file") or row.get("Media file path") or ""
            players = self.above.get("Player #1", [])
            if len(players) > 1:
                raise UserError(f"{self.found.path}: observation {name} {TOO_OLD}")
            length = row.get("Total length", "")
            files = [(path, _length(length, self.source.decimal_comma))] if path else []
        return Observation(name, files, offset) if files else None

    def notes(self):
        """What the user should check, as sentences."""
        if not self.hidden_offset:
            return []
        return [f"{self.source.path}: its media files are 'Not found', which BORIS "
                "writes where an observation has a time offset, and this version does "
                "not write the offset: check a few times, or give the .boris project"]


def _player_1(sources, lengths, decimal_comma):
    """[(path, seconds)] of the first player in `player #1:a.mp4;b.mp4|player #2:c.mp4`."""
    match = PLAYER.match(sources.partition("|player #")[0])
    if not match or match[1] != "1" or not match[2]:
        return []
    paths = match[2].split(";")
    seconds_of = lengths.partition("|")[0].split(";")
    if len(paths) != len(seconds_of):
        if len(paths) > 1 or lengths not in LEFT_BLANK:
            raise BadRow(f"there are {counted(len(paths), 'media file')} and "
                         f"{counted(len(seconds_of), 'duration')}")
        seconds_of = [""]
    return [(path, _length(text, decimal_comma))
            for path, text in zip(paths, seconds_of, strict=True)]


def _length(text, decimal_comma):
    return None if text in LEFT_BLANK else seconds(text, decimal_comma, "the media duration")
