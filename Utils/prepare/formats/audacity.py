"""Label tracks of Audacity: `start TAB end TAB label` in seconds, one file per video."""

from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.kept_rows import one_line
from Utils.prepare.formats.times import seconds


def read(source, options):
    """The labels of one track.

    Lines with frequencies (they start with a backslash) are skipped.
    """
    found = Found(source.path, options.skip_bad)
    found.add_media(source.stem)
    for number, line in enumerate(source.text.split("\n"), 1):
        if not line.strip() or line.startswith("\\"):
            continue
        with found.row(f"line {number}"):
            cells = line.split("\t", 2)
            if len(cells) < 3:
                raise BadRow(f"it is {line[:40]!r}, expected start, end, label and tabs")
            found.add(source.stem, seconds(cells[0], True, "the start"),
                      seconds(cells[1], True, "the end"), cells[2])
    return found


def to_text(video, rows, choices):
    """A label track with the detections of one video."""
    return "".join(f"{row.start:.6f}\t{row.end:.6f}\t{one_line(row.label)}\n"
                   for row in rows.itertuples())
