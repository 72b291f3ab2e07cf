"""Label Studio: timeline labels of videos, in frames from 1, both ends included."""

import json
import math

from Utils.files import UserError
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.times import frame, number_of, rate
from Utils.prepare.formats.video_names import is_media

ALMOST = 1e-6  # frames; by rounding, a product like 2.04 * 25 may miss the whole number


def read(source, options):
    """The regions of one annotation per task, from an export as JSON or JSON_MIN.

    -> Found.
    """
    found = Found(source.path, options.skip_bad)
    if not isinstance(source.json, list):
        raise UserError(f"{source.path} is not a Label Studio export: expected a list of tasks")
    tasks = [(f"task {number}", task) for number, task in enumerate(source.json, 1)]
    if any("predictions" in task for _, task in tasks if isinstance(task, dict)) and not any(
            task.get("annotations") for _, task in tasks if isinstance(task, dict)):
        raise UserError(f"{source.path}: predictions are not annotations; correct and "
                        "submit them in Label Studio, then export the project as JSON")
    done = set()
    for where, task in tasks:
        with found.row(where):
            if not isinstance(task, dict):
                raise BadRow(f"it is {str(task)[:40]!r}, expected an object")
            if isinstance(task.get("data"), dict):
                _read_task(found, task, options, where)
            else:
                _read_small_task(found, task, options, done, where)
    return found


def _read_task(found, task, options, where):
    """Read a task of a JSON export."""
    annotations = task.get("annotations") or []
    if not isinstance(annotations, list) or not all(isinstance(one, dict) for one in annotations):
        raise BadRow("its annotations are not a list of objects")
    good = [one for one in annotations if not one.get("was_cancelled")]
    good.sort(key=lambda one: not one.get("ground_truth"))
    found.left_out["cancelled annotations"] += len(annotations) - len(good)
    if not good:
        found.left_out["tasks without annotations"] += 1
        return
    found.left_out["annotations of other annotators"] += len(good) - 1
    media = _media(task["data"])
    found.add_media(media)
    result = good[0].get("result") or []
    if not isinstance(result, list):
        raise BadRow("the result of its annotation is not a list")
    for region in result:
        value = region.get("value") if isinstance(region, dict) else None
        _read_region(found, media, value, task["data"], options, where)


def _read_small_task(found, task, options, done, where):
    """Read a task of a JSON_MIN export: one object per annotation, regions by control name."""
    media, identity = _media(task), str(task.get("id"))
    if task.get("id") is not None and identity in done:
        found.left_out["annotations of other annotators"] += 1
        return
    done.add(identity)
    found.add_media(media)
    for regions in task.values():
        if isinstance(regions, list) and all(isinstance(region, dict) for region in regions):
            for region in regions:
                _read_region(found, media, region, task, options, where)


def _media(data):
    """The only value in the data of a task that is a media file."""
    media = list(dict.fromkeys(value.strip()
                               for value in data.values() if is_media(value)))
    if len(media) != 1:
        raise BadRow(f"{len(media)} of the values of its data are media files, expected "
                     "one (a path or address that ends like .mp4)")
    return media[0]


def _read_region(found, media, value, data, options, where):
    """Read one region: labels over ranges of frames, or of seconds (audio, time series)."""
    value = value if isinstance(value, dict) else {}
    if "ranges" in value:
        labels = _labels(found, value.get("timelinelabels"))
        times = _seconds(value["ranges"], data, options,
                         f"{found.path}, {where}") if labels else []
    elif "timeserieslabels" in value:
        labels = _labels(found, value["timeserieslabels"])
        times = [_of_axis(value, options, f"{found.path}, {where}")] if labels else []
    elif "labels" in value and {"start", "end"} <= set(value):
        labels = _labels(found, value["labels"])
        times = [_start_and_end(value)] if labels else []
    else:
        found.left_out["results of other kinds"] += 1
        return
    for start, end in times:
        for label in labels:
            found.add(media, start, end, label)


def _labels(found, labels):
    """The labels of a region; a region without any is counted."""
    if not labels:
        found.left_out["regions without a label"] += 1
        return []
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise BadRow(f"the labels are {str(labels)[:40]!r}, expected a list of names")
    return labels


def _seconds(ranges, data, options, where):
    """[(start, end)] of ranges of frames; a video's first frame is 1, and the last is included."""
    if not isinstance(ranges, list) or not all(isinstance(part, dict) for part in ranges):
        raise BadRow("its ranges are not a list of objects")
    fps = data.get("fps")
    fps = rate(options, None if fps is None else number_of(fps, "fps"), where)
    times = []
    for part in ranges:
        first, last = frame(part.get("start"), "the start"), frame(part.get("end"), "the end")
        if first < 1:
            raise BadRow(f"it starts at frame {first}, but Label Studio counts frames from 1")
        if last < first:
            raise BadRow(f"it ends with frame {last}, before it starts with frame {first}")
        times.append(((first - 1) / fps, last / fps))
    return times


def _of_axis(value, options, where):
    """(start, end) of a region in a time series, whose unit only the user knows."""
    if options.timeseries != "seconds":
        raise UserError(f"{where}: regions of a time series are in the units of its "
                        "axis; if these are seconds, say --timeseries seconds")
    return _start_and_end(value)


def _start_and_end(value):
    return number_of(value.get("start"), "the start"), number_of(value.get("end"), "the end")


def to_text(rows, choices):
    """Tasks with predictions, for import into a project. rows: {video: table}."""
    if choices.fps is None:
        raise UserError("Label Studio counts frames; give the frame rate of its "
                        "labelling configuration with --fps")
    tasks = [_task(video, table, choices) for video, table in rows.items()]
    return json.dumps(tasks, indent=1, ensure_ascii=False)


def _task(video, rows, choices):
    """One task with one prediction, whose score is that of its best detection."""
    regions = [_region(f"{video}_{number}", row, choices)
               for number, row in enumerate(rows.itertuples(), 1)]
    best = float(rows["score"].max()) if len(rows) else 0.0
    fps = int(choices.fps) if float(choices.fps).is_integer() else choices.fps
    return {"data": {"video": choices.media_of(video), "fps": fps},
            "predictions": [{"model_version": "vsgn", "score": best, "result": regions}]}


def _region(identity, row, choices):
    """One detection as a region of a timeline."""
    from_name, to_name = choices.ls_names
    value = {"ranges": [_to_frames(row.start, row.end, choices.fps)], "timelinelabels": [row.label]}
    return {"id": identity, "from_name": from_name, "to_name": to_name, "type": "timelinelabels",
            "score": row.score, "value": value}


def _to_frames(start, end, fps):
    """Seconds -> the frames that they overlap."""
    first = max(0, math.floor(start * fps + ALMOST)) + 1
    return {"start": first, "end": max(first, math.ceil(end * fps - ALMOST))}
