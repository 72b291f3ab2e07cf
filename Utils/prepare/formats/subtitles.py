"""SubRip and WebVTT subtitles: a cue per action, one file per video."""

import html

import pysubs2

from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.kept_rows import milliseconds, one_line
from Utils.prepare.formats.times import seconds

ARROW = "-->"
NO_CUES = ("NOTE", "STYLE", "REGION")


def read_srt(source, options):
    """The cues of a SubRip file."""
    return _read(source, options, _blocks(source.text), lambda text: text)


def read_vtt(source, options):
    """The cues of a WebVTT file, skipping notes, styles, regions and the cues' settings."""
    blocks = [(number, lines) for number, lines in _blocks(source.text)[1:]
              if lines[0].split()[0] not in NO_CUES]
    return _read(source, options, blocks, html.unescape)


def _read(source, options, blocks, unescape):
    found = Found(source.path, options.skip_bad)
    found.add_media(source.stem)
    for number, lines in blocks:
        with found.row(f"line {number}"):
            start, end, text = _cue(lines)
            found.add(source.stem, start, end, unescape(text))
    return found


def _blocks(text):
    """[(number of the first line, lines)] of each block between blank lines."""
    blocks, is_open = [], False
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not is_open:
            blocks.append((number, []))
        if is_open := bool(line.strip()):
            blocks[-1][1].append(line)
    return blocks


def _cue(lines):
    """(start, end, text) from the lines of one cue, with or without an id above its times."""
    at = next((at for at, line in enumerate(lines[:2]) if ARROW in line), None)
    if at is None or any(ARROW in line for line in lines[at + 1:]):
        raise BadRow(f"expected the lines of one cue, found {lines[0][:40]!r}")
    start, _, rest = lines[at].partition(ARROW)
    times = seconds(start, what="the start"), seconds((rest.split() or [""])[0], what="the end")
    # pysubs2 drops the tags. It gets only this cue, since it takes notes, and ids that
    # are not numbers, for text of the cue before them.
    cue = "\n".join(["1", "00:00:00,000 --> 00:00:01,000", *lines[at + 1:]])
    events = pysubs2.SSAFile.from_string(cue, "srt")
    return *times, one_line(events[0].plaintext)


def to_srt(video, rows, choices):
    """Cues `label score` for the detections of one video."""
    return "".join(f"{number}\n{_times(row).replace('.', ',')}\n"
                   f"{one_line(row.label)} {row.score:.2f}\n\n"
                   for number, row in enumerate(rows.itertuples(), 1))


def to_vtt(video, rows, choices):
    """As `to_srt`, without numbers; & < > are escaped."""
    return "WEBVTT\n\n" + "".join(
        f"{_times(row)}\n{html.escape(one_line(row.label), quote=False)} {row.score:.2f}\n\n"
        for row in rows.itertuples())


def _times(row):
    return f"{_clock(milliseconds(row.start))} --> {_clock(milliseconds(row.end))}"


def _clock(time):
    """Milliseconds as 00:00:00.000."""
    seconds, thousandths = divmod(time, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}.{thousandths:03d}"
