"""report.html: scores, curves, diagnosis and a timeline of every video, in one file.

The file needs no network. Its content security policy lets no script run except the two
written here, and data stand in it as JSON in which no tag can be closed.
"""

import base64
import hashlib
import html
import json
import math
import os
from pathlib import Path
from string import Template
from urllib.parse import quote

from Evaluation.average_recall import AverageRecall
from Evaluation.curves import PrecisionRecall
from Evaluation.metrics import ActionTable
from Evaluation.report.report_data import page_data
from Utils.files import UserError, replacing

PAGE = Path(__file__).parent / "page"
STYLES = ("page.css", "parts.css", "print.css")
THEME = ("theme.js",)         # in the head, so that the page never appears in the wrong theme
VIDEOS = (".mp4", ".webm", ".m4v", ".mov", ".ogv", ".mkv", ".avi", ".mpg", ".mpeg")
SCRIPTS = ("elements.js", "printing.js", "saving.js", "charts.js", "data.js", "state.js",
           "parts.js", "errors.js", "drawing.js", "player.js", "track.js", "timeline.js",
           "controls.js", "videos.js", "fragment.js", "page.js")


def write_report(path: str | Path, scores: dict, truth: ActionTable, detections: ActionTable,
                 durations: dict, history: list | None = None, detad: dict | None = None,
                 curves: PrecisionRecall | None = None, recall: AverageRecall | None = None,
                 **more: object) -> None:
    """Write the report of one run to `path`, the whole file or nothing.

    scores: content of metrics.json. truth, detections: ActionTable. durations:
    {video: seconds or None}. history: training curves, [{"epoch", "train": {loss: x},
    "val": {...}}]. detad: content of detad.json. curves: PrecisionRecall. recall:
    AverageRecall. Whatever is None is left out. more: own, names of settings to show
    first; links, (stem, address) of videos; files, names of files next to the page.
    """
    write_page(path, page_data(scores, truth, detections, durations, history, detad, curves,
                               recall, **more))


def write_page(path: str | Path, data: dict) -> None:
    """Write a page, whole or not at all. data: of `page_data` or `comparison_page`."""
    with replacing(path) as part:
        part.write_bytes(page(data).encode("utf-8", "replace"))


def linked_videos(folder: str | Path | None, beside: str | Path) -> list[tuple[str, str]]:
    """(stem, address) of the video files in a folder, as seen from the folder `beside`.

    Of two files with the same stem, the one with the more widely supported extension is used.
    Raises UserError if there is no such folder.
    """
    if folder is None:
        return []
    if not Path(folder).is_dir():
        raise UserError(f"no folder {folder}; --video_folder names the folder of the "
                        "video files")
    files = [path for path in sorted(Path(folder).rglob("*")) if path.suffix.lower() in VIDEOS]
    files.sort(key=lambda path: VIDEOS.index(path.suffix.lower()), reverse=True)
    found = {path.stem: path for path in files}
    return [(stem, address_of(path, beside)) for stem, path in sorted(found.items())]


def address_of(path: str | Path, beside: str | Path) -> str:
    """The address of a file as seen from a folder."""
    return quote(Path(os.path.relpath(path, beside)).as_posix())


def page(data: dict) -> str:
    """The html of the report. data: see `page_data`."""
    style, theme, script = _joined(STYLES), _script(THEME), _script(SCRIPTS)
    policy = (f"default-src 'none'; style-src {_hash(style)}; "
              f"script-src {_hash(theme)} {_hash(script)}; img-src data:; "
              "media-src 'self' file: blob:; base-uri 'none'; form-action 'none'")
    title = " ".join(filter(None, (data["title"][name] for name in ("run", "dataset", "subset"))))
    return Template(_read("page.html")).substitute(
        title=html.escape(f"{title}: detection report"), policy=policy, style=style, theme=theme,
        data=embedded_json(data), script=script)


def embedded_json(content: object) -> str:
    """JSON inside a <script> element: it cannot end the element or begin a comment.

    It means the same as plain JSON, in ASCII: other characters are escaped. What is
    not finite becomes null.
    """
    text = json.dumps(_finite(content), allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _finite(content):
    """The content with null for numbers that JSON lacks, and text for other values."""
    if isinstance(content, dict):
        return {str(name): _finite(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if content is None or isinstance(content, str | int):
        return content
    return str(content)


def _script(names):
    return f'(() => {{\n"use strict";\n{_joined(names)}}})();\n'


def _joined(names):
    return "\n".join(_read(name) for name in names)


def _read(name):
    return (PAGE / name).read_text(encoding="utf-8")


def _hash(text):
    """The hash of an inline element for the policy; it covers every character between its tags."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
