"""BORIS projects (.boris, JSON): observations of media files, states as pairs of events."""

import json

from Utils.files import UserError
from Utils.prepare.formats.boris_media import WITHOUT_MEDIA, Observation, Pairs
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.kept_rows import NO_CLOCK
from Utils.prepare.formats.times import number_of

PROJECT_VERSION = "7.0"
PLAYERS = 8


def read(source, options):
    """The actions of all observations with media. -> Found."""
    found = Found(source.path, options.skip_bad)
    kinds = _kinds(source)
    observations = source.json.get("observations")
    if not isinstance(observations, dict):
        raise UserError(f"{source.path} has no object 'observations'; save the project "
                        "again with BORIS")
    for name, entry in observations.items():
        is_good = False
        with found.row(f"observation {name}"):
            observation = _observation_of(name, entry)
            if observation is None:
                found.left_out[WITHOUT_MEDIA] += 1
            else:
                observation.add_media(found, options.video_name)
                is_good = True
        if is_good:
            _read_events(found, observation, entry.get("events") or [], kinds,
                         options.unclosed)
    return found


def _kinds(source):
    """{behaviour: whether it is a state}, from the ethogram."""
    ethogram = source.json.get("behaviors_conf")
    ethogram = ethogram.values() if isinstance(ethogram, dict) else [None]
    kinds = {}
    for entry in ethogram:
        entry = entry if isinstance(entry, dict) else {}
        kind, code = str(entry.get("type")), str(entry.get("code"))
        if not kind.startswith(("State event", "Point event")):
            raise UserError(f"{source.path}: behaviour {code!r} of the ethogram "
                            "(behaviors_conf) is neither a state nor a point event; fix "
                            "it in BORIS")
        kinds[code] = kind.startswith("State event")
    return kinds


def _observation_of(name, entry):
    """The Observation for an entry of the project; None if it has no media."""
    if not isinstance(entry, dict):
        raise BadRow("it is not an object")
    players = entry.get("file")
    paths = players.get("1") if isinstance(players, dict) else None
    if entry.get("type", "MEDIA") != "MEDIA" or not paths:
        return None
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise BadRow("the files of player 1 are not a list of paths")
    info = entry.get("media_info")
    lengths = info.get("length") if isinstance(info, dict) else None
    lengths = lengths if isinstance(lengths, dict) else {}
    files = [(path, number_of(lengths[path], f"the length of {path}") if path in lengths else None)
             for path in paths]
    offset = entry.get("time offset")
    return Observation(name, files,
                       0.0 if offset is None else number_of(offset, "time offset"))


def _read_events(found, observation, events, kinds, unclosed):
    """Read the events of one observation.

    BORIS does not store START and STOP: for each subject, behaviour and modifier,
    every second event ends a state.
    """
    if not isinstance(events, list):
        raise UserError(f"{found.path}: the events of observation {observation.name} "
                        "are not a list; save the project again with BORIS")
    pairs = Pairs(found, observation, unclosed)
    for number, event in enumerate(events, 1):
        with found.row(f"event {number} of observation {observation.name}"):
            time, subject, label, modifier = _event(event)
            if label not in kinds:
                found.left_out["behaviours missing from the ethogram"] += 1
            elif not kinds[label]:
                observation.add(found, time, time, label, subject)
            elif (key := (subject, label, modifier)) in pairs.started:
                pairs.stop(key, time)
            else:
                pairs.start(key, time)
    pairs.close()


def _event(event):
    """(time, subject, behaviour, modifier) of an event."""
    if not isinstance(event, list) or len(event) < 4:
        raise BadRow(f"it is {str(event)[:40]!r}, expected time, subject, behaviour, modifier")
    if not all(isinstance(part, str) for part in event[1:4]):
        raise BadRow("its subject, behaviour or modifier is not text")
    return number_of(event[0], "the time"), *event[1:4]


def to_text(rows, choices):
    """A project of all videos with detections. rows: {video: table sorted by start}."""
    rows = {video: without_overlaps(table) for video, table in rows.items() if len(table)}
    if unknown := [video for video in rows if video not in choices.durations]:
        raise UserError(f"BORIS needs the length of every video, {unknown[0]} has none "
                        f"({len(unknown)} of {len(rows)}); add `duration` to the "
                        "annotations, or give `Prepare_data.py export` a table "
                        "`video,seconds` with --durations")
    labels = sorted({label for table in rows.values() for label in table["label"]})
    return json.dumps({
        "time_format": "hh:mm:ss", "project_date": NO_CLOCK, "project_name": "detections",
        "project_description": "", "project_format_version": PROJECT_VERSION, "subjects_conf": {},
        "behaviors_conf": {str(number): _behaviour(label) for number, label in enumerate(labels)},
        "observations": {video: _observation(table, choices.media_of(video),
                                             choices.durations[video], choices.fps)
                         for video, table in rows.items()},
        "behavioral_categories": [], "behavioral_categories_config": {},
        "independent_variables": {}, "coding_map": {}, "behaviors_coding_map": [],
        "converters": {}}, indent=1, ensure_ascii=False)


def without_overlaps(rows):
    """The rows without overlaps within a label, keeping the highest scores, in their order.

    BORIS does not store START and STOP but pairs the events of a behaviour in order,
    so they cannot overlap.
    """
    kept = []
    for row in rows.sort_values("score", ascending=False, kind="stable").itertuples():
        if all(row.end <= other.start or other.end <= row.start
               for other in kept if other.label == row.label):
            kept.append(row)
    return rows.loc[[index for index in rows.index
                     if index in {row.Index for row in kept}]]


def _behaviour(label):
    return {"type": "State event", "key": "", "code": label, "description": "", "color": "",
            "category": "", "modifiers": {}, "excluded": "", "coding map": ""}


def _observation(rows, media, seconds, fps):
    return {
        "file": {str(player): [media] if player == 1 else [] for player in range(1, PLAYERS + 1)},
        "type": "MEDIA", "date": NO_CLOCK, "description": "detections of VSGN", "time offset": 0.0,
        "events": _events(rows), "observation time interval": [0, 0], "independent_variables": {},
        "visualize_spectrogram": False, "visualize_waveform": False,
        "close_behaviors_between_videos": False, "scan_sampling_time": 0,
        "media_info": {
            "length": {media: float(seconds)},
            # BORIS writes 0 for an unknown rate, and fails if there is no rate.
            "fps": {media: float(fps or 0)},
            "hasVideo": {media: True}, "hasAudio": {media: False}, "offset": {"1": 0.0}}}


def _events(rows):
    """Two events per row, its start and its end.

    Each is [time, subject, behaviour, modifier, comment, frame].
    """
    events, ends = [], {}
    for row in rows.itertuples():
        # A state that starts when the previous one of its behaviour ends is moved by a
        # millisecond: sorted by time, the two events could not be distinguished.
        start = round(row.start, 3)
        start = round(start + 0.001, 3) if start == ends.get(row.label) else start
        end = ends[row.label] = max(round(row.end, 3), round(start + 0.001, 3))
        events += [[start, "", row.label, "", f"score {row.score:.3f}", "NA"],
                   [end, "", row.label, "", "", "NA"]]
    return sorted(events, key=lambda event: event[0])
