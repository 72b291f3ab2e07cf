"""Recognize the format of a file by its content."""

import re

from Utils.files import UserError
from Utils.prepare.formats import (
    audacity,
    boris_project,
    boris_tables,
    database,
    elan,
    framelabels,
    labelstudio,
    onehot,
    subtitles,
    table,
)
from Utils.prepare.formats.found import BadRow
from Utils.prepare.formats.times import seconds

INSTEAD = "export a table with the columns video, start, end, label from it, and import that"
ENCODED_XML = (b"<\0", b"\0<", b"\xff\xfe<", b"\xfe\xff\0<")
STEPS = {"start", "start_frame", "time"}


def read_boris(source, options):
    """Read a project or an exported table."""
    is_project = source.text.lstrip().startswith("{")
    reader = boris_project if is_project else boris_tables
    if is_project and not isinstance(source.json, dict):
        raise UserError(f"{source.path} is not a BORIS project")
    return reader.read(source, options)


READERS = {
    "boris": read_boris,
    "table": table.read,
    "labelstudio": labelstudio.read,
    "elan": elan.read,
    "framelabels": framelabels.read,
    "onehot": onehot.read,
    "srt": subtitles.read_srt,
    "vtt": subtitles.read_vtt,
    "audacity": audacity.read,
    "activitynet": database.read,
}


def recognize(source, options):
    """The name of a file's format, a key of READERS; a UserError lists them if none fits."""
    if options.columns:
        return "table"
    if not source.data.strip():
        raise UserError(f"{source.path} is empty")
    if source.data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", *ENCODED_XML)):
        return _of_xml(source)
    start = source.text.lstrip()[:1]
    name = _of_json(source) if start in ("{", "[") else _of_text(source, options)
    if name is None:
        raise UserError(f"{source.path} has none of the known formats; say which with "
                        f"--from: {', '.join(READERS)}; or {INSTEAD}")
    return name


def _refuse(source, tool):
    raise UserError(f"{source.path} looks like {tool}, which is not read; {INSTEAD}")


def _of_xml(source):
    root = elan.parsed(source).tag
    if root != "ANNOTATION_DOCUMENT":
        _refuse(source, {"annotation": "a file of Anvil", "annotations": "a file of CVAT"}.get(
            root, f"XML with the root {root[:40]}"))
    return "elan"


def _of_json(source):
    content = source.json
    if isinstance(content, dict):
        if {"observations", "behaviors_conf"} <= set(content):
            return "boris"
        if "database" in content:
            return "activitynet"
        if "results" in content:
            raise UserError(f"{source.path}: these are detections; use export")
        if "_via_img_metadata" in content or {"project", "metadata", "attribute"} <= set(content):
            _refuse(source, "a project of VIA")
        if {"annotation", "config"} <= set(content):
            _refuse(source, "a file of Vidat")
        return None
    first = content[0] if content and isinstance(content[0], dict) else {}
    is_task = "data" in first and {"annotations", "predictions"} & set(first)
    return "labelstudio" if is_task or _holds(first, "timelinelabels") else None


def _holds(content, key):
    """Whether an object somewhere in JSON has a key.

    Without recursion: the file decides how deep it is.
    """
    waiting = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if key in part:
                return True
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False


def _of_text(source, options):
    lines = [line for line in source.text.split("\n") if line.strip()] or [""]
    if lines[0].startswith("WEBVTT"):
        return "vtt"
    if lines[0].strip().isdecimal() and len(lines) > 1 and subtitles.ARROW in lines[1]:
        return "srt"
    if "ooTextFile" in lines[0]:
        _refuse(source, "a TextGrid of Praat")
    header = source.rows[0][1] if source.rows else [" "]
    if header[0] == "Observation id" or boris_tables.is_header(header) or (
            "Behavior" in header and {"Behavior type", "Status"} & set(header)):
        return "boris"
    if _is_audacity(lines):
        return "audacity"
    if header[0] == "" and (options.labels or _is_onehot(source.rows)):
        return "onehot"
    if {"youtube_id", "classname"} <= set(header):
        _refuse(source,
                "the clips of HACS, where label says whether a clip is a good one")
    if {"id", "actions", "scene"} <= set(header):
        _refuse(source, "a table of Charades")
    if STEPS & {table.KEYS.get(table.normal(name)) for name in header}:
        return "table"
    if re.fullmatch(r"\S+ +\d+(\.\d+)? +\d+(\.\d+)?\s*", lines[0]):
        _refuse(source, "a list of MultiTHUMOS")
    if "\t" in lines[0] and re.search(r"\t\d+:\d\d:\d\d\.\d+\t", lines[0]):
        _refuse(source, "tab-delimited text of ELAN (its .eaf file is read)")
    if not any(mark in line for line in lines for mark in "\t;,") and all(
            len(line.split()) == 1 for line in lines):
        return "framelabels"
    return None


def _is_audacity(lines):
    """Whether the first label has two numbers and a text between tabs."""
    cells = next((line for line in lines if not line.startswith("\\")), "").split("\t")
    try:
        return len(cells) == 3 and None not in [seconds(cell, True) for cell in cells[:2]]
    except BadRow:
        return False


def _is_onehot(rows):
    cells = [cell for _, row in rows[1:] for cell in row[1:]]
    return bool(cells) and set(cells) <= set(onehot.VALUES)


def files_in(path):
    """[(file, format or None)] for a file, or a folder of frame labels."""
    if not path.is_dir():
        return [(path, None)]
    if (path / "groundTruth").is_dir():
        raise UserError(f"{path} holds the folder groundTruth; name that: {path / 'groundTruth'}")
    files = sorted(file for file in path.iterdir()
                   if file.suffix == ".txt" and file.is_file())
    if not files:
        raise UserError(f"{path} is a folder without .txt files; name the files in it")
    return [(file, "framelabels") for file in files]
