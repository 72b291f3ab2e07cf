"""Write detections for other tools.

There is one file for all videos (csv, BORIS, Label Studio) or one per video
(subtitles, ELAN, Audacity). `write` writes one file in the format of its extension,
`export` several formats to a folder. Everything is made and checked in memory before
the first file is written.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from Utils.files import UserError, counted, listed, replacing
from Utils.prepare.formats import (
    audacity,
    boris_project,
    elan_writer,
    labelstudio,
    subtitles,
    table,
)
from Utils.prepare.formats.kept_rows import Choices, check_names, rows_of, short_of_score


@dataclass(frozen=True)
class Target:
    """One format to write.

    name: that of the file, or None if each video has its own file.
    to_text: function of `(rows by video, choices)` for all videos, or
    `(video, rows, choices)` for one; rows are tables with the columns start, end,
    label, score. min_score: the default of --min_score if no training recommends
    another (see Choices.least).
    """
    suffix: str
    to_text: Callable
    name: str | None = None
    min_score: float = 0.3
    keeps_order: bool = False


TARGETS = {
    "csv": Target(".csv", table.to_text, "detections.csv", min_score=0.0, keeps_order=True),
    "srt": Target(".srt", subtitles.to_srt),
    "vtt": Target(".vtt", subtitles.to_vtt),
    "elan": Target(".eaf", elan_writer.to_text),
    "boris": Target(".boris", boris_project.to_text, "detections.boris"),
    "labelstudio": Target(".json", labelstudio.to_text, "labelstudio_predictions.json"),
    "audacity": Target(".txt", audacity.to_text),
}
BY_SUFFIX = {TARGETS[name].suffix: name
             for name in ("csv", "srt", "vtt", "elan", "boris")}


@dataclass
class Written:
    """What was written, and what was not. left_out: {why: count}."""
    paths: list[Path] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Lines for the user about what was left out and written."""
        return [*(f"left out of {why} ({count})" for why, count in self.left_out.items()),
                f"wrote {counted(len(self.paths), 'file')}" + f": {listed(self.paths)}"
                * bool(self.paths)]


def write(results: dict[str, list[dict]], path: str | Path, choices: Choices | None = None,
          overwrite: bool = False) -> Written:
    """Write detections to one file in the format of its extension (.csv .srt .vtt .eaf .boris).

    results: {video: [{"label", "score", "segment": [start, end] in seconds}, ...]}, as
    in detections_postNMS.json; a row without a label is written as "(no class)".
    choices: which rows, and what else a format needs to know. Only .csv and .boris
    hold several videos. Raises UserError for another suffix, several videos in a
    format for one, an existing file (unless `overwrite`), and whatever the format
    cannot hold; then nothing is written.
    """
    path, choices = Path(path), choices or Choices()
    if path.suffix.lower() not in BY_SUFFIX:
        raise UserError(f"{path}: the extension sets the format; known are "
                        f"{', '.join(BY_SUFFIX)}")
    target = TARGETS[BY_SUFFIX[path.suffix.lower()]]
    if target.name is None and len(results) > 1:
        raise UserError(f"{path}: a {target.suffix} file holds one video, there are "
                        f"{len(results)}; write .csv, or a file per video with --export "
                        f"{BY_SUFFIX[target.suffix]}")
    rows, left_out = _rows(results, target, choices)
    text = (target.to_text(rows, choices) if target.name is not None else
            target.to_text(*next(iter(rows.items())), choices) if rows else "")
    return _write_all({path: text}, left_out, overwrite)


def export(results: dict[str, list[dict]], formats: list[str], folder: str | Path,
           choices: Choices | None = None, overwrite: bool = False) -> Written:
    """Write detections to `folder` in one or more formats (keys of TARGETS).

    results and choices as in `write`. Videos without rows get no file of their own.
    Raises UserError, before anything is written, for an existing file
    (unless `overwrite`), a video whose name cannot be a file name, and whatever a
    format cannot hold.
    """
    choices, texts, left_out = choices or Choices(), {}, {}
    for name in dict.fromkeys(formats):
        made, missed = _texts(results, TARGETS[name], choices)
        texts |= {Path(folder) / file: text for file, text in made.items()}
        left_out |= {f"{name}: {why}": count for why, count in missed.items()}
    return _write_all(texts, left_out, overwrite)


def check_run(formats: tuple[str, ...], source: str | Path, folder: str | Path,
              overwrite: bool = False, first: str = "") -> None:
    """Before hours of work, refuse the export of a run: unknown formats and existing files.

    source: the detection file that the run reads or writes. first: how to have it
    written.
    """
    if unknown := [name for name in formats if name not in TARGETS]:
        raise UserError(f"--export {unknown[0]} is not one of {', '.join(TARGETS)}")
    if "labelstudio" in formats:
        command = (f"python Prepare_data.py export {source} --as labelstudio --fps RATE "
                   f"--to {folder}")
        raise UserError("--export labelstudio: Label Studio counts frames, whose rate "
                        f"is not known here; leave it out, {first}and then say "
                        f"`{command}`")
    if not overwrite and (there := sorted(Path(folder).glob("*"))):
        raise UserError(f"{there[0]} already exists, and may have been corrected since; "
                        "--overwrite replaces what an earlier --export wrote")


def _texts(results, target, choices):
    """({file name: text}, {why: number left out}) for one format."""
    rows, left_out = _rows(results, target, choices)
    if target.name is not None:
        return {target.name: target.to_text(rows, choices)}, left_out
    shown = {video: table for video, table in rows.items() if len(table)}
    check_names(shown, target.suffix)
    if len(shown) < len(rows):
        left_out["videos without rows"] = len(rows) - len(shown)
    return {f"{video}{target.suffix}": target.to_text(video, table, choices)
            for video, table in shown.items()}, left_out


def _rows(results, target, choices):
    """({video: table of the rows to write}, {why: number left out})."""
    rows, left_out = rows_of(results)
    rows, missed = short_of_score(rows, choices.least(target.min_score), choices.top)
    if not target.keeps_order:
        rows = {video: table.sort_values(["start", "end", "label"], kind="stable")
                for video, table in rows.items()}
    return rows, left_out | missed


def _write_all(texts, left_out, overwrite):
    """Write {path: text}, unless one already exists."""
    if not overwrite and (there := [path for path in texts if path.exists()]):
        raise UserError(f"{there[0]} already exists; --overwrite replaces it")
    for path, text in texts.items():
        with replacing(path) as part:
            part.write_bytes(text.encode("utf-8"))
    return Written(list(texts), left_out)
