"""Tables with one row per action, or with one row per time step.

The first are CSV and TSV from spreadsheets, EPIC-KITCHENS and CreateML; the second
come from Solomon Coder.
"""

import itertools

import pandas as pd

from Utils.files import UserError, counted, listed
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.times import frame, number_of, rate, seconds

ALIASES = {
    "video": "video video_id video_name videoid file filename file_name media media_file clip",
    "start": "start start_time start_sec start_s start_seconds t_start begin begin_time onset "
             "start_timestamp time_start",
    "end": "end stop end_time stop_time end_sec end_s end_seconds t_end end_timestamp "
           "stop_timestamp time_end",
    "label": "label class action activity behavior behaviour class_name category",
    "subject": "subject individual animal participant",
    "subset": "subset split set",
    "duration": "video_duration",
    "fps": "fps",
    "start_frame": "start_frame",
    "end_frame": "end_frame stop_frame",
    "time": "time",
}
KEYS = {alias: key for key, aliases in ALIASES.items() for alias in aliases.split()}
UNEVEN = 0.1  # of a time step, by which a row may be off; plus 1 ms for rounded times


def read(source, options):
    """The actions of a table: one per row, or runs of a column with a constant time step."""
    found = Found(source.path, options.skip_bad)
    if not source.rows:
        raise UserError(f"{source.path} is empty")
    table = source.table(found)
    places = columns_of(source, list(table.columns), options)
    cells = pd.DataFrame({key: table.iloc[:, place] for key, place in places.items()})
    if "time" in places and not {"start", "start_frame"} & set(places):
        _read_steps(source, found, cells, places)
    else:
        _read_rows(source, found, cells, options)
    return found


def normal(header):
    """The normal form of a header: lower case, underscores for spaces and hyphens."""
    return header.lower().replace(" ", "_").replace("-", "_")


def columns_of(source, headers, options):
    """{key: number of its column}, from --columns and --label, or else by the usual names."""
    given = dict(options.columns) | ({"label": options.label} if options.label else {})
    places = {key: _place(source, headers, header) for key, header in given.items()}
    for place, header in enumerate(headers):
        key = KEYS.get(normal(header))
        if key is None or key in given or place in places.values():
            continue
        if key in places:
            raise UserError(f"{source.path}: {headers[places[key]]!r} and {header!r} "
                            f"can both be the {key}; choose one with --columns "
                            f"{key}=HEADER")
        places[key] = place
    needs = {"label": "--label COLUMN"}
    if "start" in places:
        needs["end"] = "--columns end=HEADER"
    elif "start_frame" in places:
        needs["end_frame"] = "--columns end_frame=HEADER"
    elif "time" not in places:
        needs["start"] = "--columns start=HEADER"
    if missing := [key for key in needs if key not in places]:
        raise UserError(f"{source.path}: no column is the {missing[0]}; choose one of "
                        f"{listed(headers, 20)} with {needs[missing[0]]}")
    return places


def _place(source, headers, header):
    """The number of the only column with a name."""
    same = ([place for place, name in enumerate(headers) if name == header]
            or [place for place, name in enumerate(headers) if normal(name) == normal(header)])
    if len(same) != 1:
        count = f"{len(same)} columns" if same else "no column"
        raise UserError(f"{source.path} has {count} {header!r}; there are {listed(headers, 20)}")
    return same[0]


def _read_rows(source, found, cells, options):
    """Read one action per row."""
    if "video" not in cells:
        found.add_media(source.stem)
    for line, row in zip(cells.index, cells.to_dict("records"), strict=True):
        with found.row(f"line {line}"):
            media = row.get("video", source.stem)
            if not media:
                raise BadRow("the name of the video is empty")
            if "start" in row:
                times = (seconds(row["start"], source.decimal_comma, "the start"),
                         seconds(row["end"], source.decimal_comma, "the end"))
            else:
                times = _seconds_of_frames(row, options, f"{source.path}, line {line}")
            duration = (seconds(row["duration"], source.decimal_comma, "the duration")
                        if row.get("duration") else None)
            found.add(media, *times, row["label"], row.get("subject", ""))
            found.add_media(media, duration, row.get("subset") or None)


def _seconds_of_frames(row, options, where):
    """Frames to seconds: they count from 0, and the last one is part of the action."""
    first, last = frame(row["start_frame"], "the start"), frame(row["end_frame"], "the end")
    of_file = number_of(row["fps"].replace(",", "."), "fps") if row.get("fps") else None
    fps = rate(options, of_file, where)
    if last < first:
        raise BadRow(f"it ends with frame {last}, before it starts with frame {first}")
    return first / fps, (last + 1) / fps


def _read_steps(source, found, cells, places):
    """Read runs of equal labels in rows with a constant time step."""
    times = []
    for line, text in cells["time"].items():
        try:
            times.append(seconds(text, source.decimal_comma))
        except BadRow as fault:
            raise UserError(f"{source.path}, line {line}: {fault}") from None
    if len(times) < 2:
        raise UserError(f"{source.path}: {counted(len(times), 'row')}, too few to show "
                        "a time step; give a table with the columns video, start, end, label")
    step = (times[-1] - times[0]) / (len(times) - 1)
    for row, time in enumerate(times):
        if step <= 0 or abs(times[0] + row * step - time) > UNEVEN * step + 0.001:
            raise UserError(f"{source.path}, line {cells.index[row]}: the rows do not "
                            "follow each other with a constant time step; choose the "
                            "columns with --columns start=HEADER end=HEADER")
    found.add_media(source.stem, times[-1] + step)
    at = 0
    for label, run in itertools.groupby(cells["label"]):
        last = at + len(list(run)) - 1
        if label:
            found.add(source.stem, times[at], times[last] + step, label)
        at = last + 1


def to_text(rows, choices):
    """`video,start,end,label,score` of all videos; rows: {video: table}."""
    tables = [table.assign(video=video) for video, table in rows.items()]
    joined = pd.concat(tables) if tables else pd.DataFrame(
        columns=["video", "start", "end", "label", "score"])
    text = pd.DataFrame({"video": joined["video"], "start": joined["start"].map("{:.3f}".format),
                         "end": joined["end"].map("{:.3f}".format), "label": joined["label"],
                         "score": joined["score"].map("{:.6f}".format)})
    return text.to_csv(index=False, lineterminator="\n")
