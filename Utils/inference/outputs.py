"""Where detections of videos without annotations go: a file, a picture, or the terminal."""

from pathlib import Path

from Evaluation.postprocessing.detections import best_rows, write_detections
from Evaluation.report.timeline import write_detected
from Utils.files import UserError
from Utils.inference.videos import Found
from Utils.prepare.formats.export import BY_SUFFIX, TARGETS, export, write
from Utils.prepare.formats.kept_rows import Choices

MOST_PANELS = 12        # of a picture
MOST_LINES = 10         # of a video on the terminal


def check_out(path: Path, overwrite: bool) -> None:
    """Refuse a file that cannot be written to, before anything is computed."""
    known = (".json", *BY_SUFFIX)
    if path.is_dir():
        raise UserError(f"-o {path} is a folder; name a file in it")
    if path.suffix.lower() not in known:
        raise UserError(f"-o {path}: the suffix of the file says its format; known are "
                        f"{', '.join(known)}")
    # A detection file is made again at will; what other tools read may have been worked on.
    if path.suffix.lower() != ".json" and path.exists() and not overwrite:
        raise UserError(f"{path} is there already; --overwrite replaces it")


def write_found(path: Path, found: list[Found], version: str | None = None,
                min_score: float | None = None, top: int | None = None,
                overwrite: bool = False) -> list[str]:
    """Write detections in the format that the suffix says. -> lines about what was written.

    Formats of one video take a folder, called like the file without its suffix, for several.
    """
    results = {video.name: video.rows for video in found}
    suffix = path.suffix.lower()
    if suffix == ".json":
        kept = {name: best_rows(rows, min_score, top) for name, rows in results.items()}
        write_detections(path, kept, version)
        return [_written(sum(map(len, kept.values())), found, path)]
    choices = _choices(found, min_score, top)
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


def export_found(found: list[Found], formats: tuple[str, ...], folder: Path,
                 min_score: float | None = None, top: int | None = None,
                 overwrite: bool = False) -> list[str]:
    """Write detections for other tools into a folder. -> lines about what was written."""
    return export({video.name: video.rows for video in found}, list(formats), folder,
                  _choices(found, min_score, top), overwrite).lines()


def _choices(found, min_score, top):
    return Choices(min_score, top, durations={video.name: video.duration for video in found})


def _written(count, found, path):
    return (f"{count} detection{'s' * (count != 1)} of {len(found)} video"
            f"{'s' * (len(found) != 1)} in {path}")


def draw_found(path: Path, found: list[Found]) -> Path:
    """Draw the timelines of the videos (the first MOST_PANELS) to a picture. -> its path."""
    panels = [(video.name, video.duration, video.rows) for video in found[:MOST_PANELS]]
    return write_detected(path.with_suffix(""), panels, formats=("png",))[0]


def table(found: list[Found], min_score: float | None = None, top: int | None = None) -> str:
    """The best detections of each video, by time, as lines of text."""
    lines = []
    for video in found:
        rows = best_rows(video.rows, min_score, min(top or MOST_LINES, MOST_LINES))
        lines.append(f"{video.name} ({video.duration:.1f} s): {len(video.rows)} detections"
                     + (f", the best {len(rows)}" if len(rows) < len(video.rows) else ""))
        for row in sorted(rows, key=lambda row: row["segment"]):
            start, end = row["segment"]
            lines.append(f"  {start:9.2f} {end:9.2f}  {row['score']:.3f}  {row.get('label', '')}")
    return "\n".join(lines)
