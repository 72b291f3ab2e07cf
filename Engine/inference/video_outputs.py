"""Detections in videos without annotations: to a file, a picture, a page, or the terminal."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from Engine.inference.network import Network
from Engine.inference.videos import Found
from Evaluation.postprocessing.detections import (
    best_rows,
    least_score,
    recommended_score,
    write_detections,
)
from Evaluation.report.detected import place_beside, write_detected_report
from Evaluation.report.report import address_of, linked_videos
from Evaluation.report.sections.title import run_facts
from Evaluation.report.timeline import write_detected
from Utils.config.resolve import settings
from Utils.files import UserError, counted
from Utils.prepare.formats.export import BY_SUFFIX, TARGETS, export, write
from Utils.prepare.formats.kept_rows import Choices

MOST_PANELS = 12        # per picture
MOST_LINES = 10         # per video on the terminal


@dataclass(frozen=True)
class Kept:
    """Which detections are written: with at least min_score, at most the `top` best per video.

    min_score: None: all of them, but for other tools those from the recommended score
    on. recommended: by the training.
    """
    min_score: float | None = None
    top: int | None = None
    recommended: float | None = None

    @classmethod
    def of(cls, config, checkpoint):
        """What --min_score and --top say, for the network of a checkpoint."""
        history = checkpoint.get("history")
        return cls(least_score(config.min_score, history, config.checkpoint_path), config.top,
                   recommended_score(history))


def check_out(path: Path, overwrite: bool, of_many: bool = False) -> None:
    """Refuse a file that cannot be written to, before anything is computed.

    of_many: whether it is for several videos, see `write_found`.
    """
    known = (".json", *BY_SUFFIX)
    if path.is_dir():
        raise UserError(f"-o {path} is a folder; name a file in it")
    if path.suffix.lower() not in known:
        raise UserError(f"-o {path}: the extension sets the format; known are "
                        f"{', '.join(known)}")
    # Detection files can be made again; files of other tools may have been edited.
    if overwrite or path.suffix.lower() == ".json":
        return
    there = [path] if path.exists() else []
    if of_many and TARGETS[BY_SUFFIX[path.suffix.lower()]].name is None:
        there += sorted(path.with_suffix("").glob(f"*{path.suffix}"))
    if there:
        raise UserError(f"{there[0]} already exists; --overwrite replaces it")


def write_found(path: Path, found: list[Found], kept: Kept, version: str | None = None,
                overwrite: bool = False) -> list[str]:
    """Write detections in the format of the extension. -> lines about what was written.

    For several videos, formats with one video per file use a folder with the name of
    the file, without its extension.
    """
    results = {video.name: video.rows for video in found}
    suffix = path.suffix.lower()
    if suffix == ".json":
        best = {name: best_rows(rows, kept.min_score, kept.top) for name, rows in results.items()}
        write_detections(path, best, version)
        return [_written(sum(map(len, best.values())), found, path)]
    choices = _choices(found, kept)
    target = TARGETS[BY_SUFFIX[suffix]]
    if target.name is None and len(found) > 1:
        path = path.with_suffix("")
        done = export(results, [BY_SUFFIX[suffix]], path, choices, overwrite)
    else:
        done = write(results, path, choices, overwrite)
    count = sum(map(len, results.values()))
    left_out = {why.partition(": ")[2] or why: number for why, number in done.left_out.items()}
    count -= sum(number for why, number in left_out.items() if why.startswith("detections"))
    return [_written(count, found, path),
            *(f"left out: {number} {why}" for why, number in left_out.items())]


def export_found(found: list[Found], formats: tuple[str, ...], folder: Path, kept: Kept,
                 overwrite: bool = False) -> list[str]:
    """Write detections for other tools into a folder. -> lines about what was written."""
    return export({video.name: video.rows for video in found}, list(formats), folder,
                  _choices(found, kept), overwrite).lines()


def _choices(found, kept):
    return Choices(kept.min_score, kept.top, recommended=kept.recommended,
                   durations={video.name: video.duration for video in found})


def _written(count, found, path):
    return f"{counted(count, 'detection')} of {counted(len(found), 'video')} in {path}"


def draw_found(path: Path, found: list[Found]) -> Path:
    """Draw the timelines of the videos (the first MOST_PANELS) to a picture.

    -> its path.
    """
    panels = [(video.name, video.duration, video.rows) for video in found[:MOST_PANELS]]
    return write_detected(path.with_suffix(""), panels, formats=("png",))[0]


def write_report(out: Path, found: list[Found], kept: Kept, films: list[str],
                 network: Network) -> Path:
    """Write the page of all videos, in which those of `films` can be played. -> its path.

    films: the video files that were given. network: what the detections come from.
    """
    path, config = place_beside(out), network.config
    links = dict(linked_videos(config.video_folder, path.parent)) | {
        Path(film).stem: address_of(film, path.parent) for film in films}
    least = kept.recommended if kept.min_score is None else kept.min_score
    facts = [*run_facts(settings(config), network.checkpoint.get("epoch")),
             date.today().isoformat()]
    write_detected_report(path, [(video.name, video.duration, video.rows) for video in found],
                          Path(config.checkpoint_path).resolve().name, least,
                          sorted(links.items()), facts)
    return path


def table(found: list[Found], kept: Kept) -> str:
    """The best detections of each video, by time, as lines of text."""
    lines = []
    for video in found:
        rows = best_rows(video.rows, kept.min_score, min(kept.top or MOST_LINES, MOST_LINES))
        lines.append(f"{video.name} ({video.duration:.1f} s): "
                     f"{counted(len(video.rows), 'detection')}"
                     + (f", the best {len(rows)}" if len(rows) < len(video.rows) else ""))
        for row in sorted(rows, key=lambda row: row["segment"]):
            start, end = row["segment"]
            lines.append(f"  {start:9.2f} {end:9.2f}  {row['score']:.3f}  {row.get('label', '')}")
    return "\n".join(lines)
