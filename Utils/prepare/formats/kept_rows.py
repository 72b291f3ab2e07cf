"""Which rows of a detection file are exported, and under which file names."""

from dataclasses import dataclass, field

import pandas as pd

from Utils.files import UserError

NO_CLASS = "(no class)"     # the label for rows without one
COLUMNS = ["start", "end", "label", "score"]
# instead of the current time, so that equal detections give equal files
NO_CLOCK = "2025-01-01T00:00:00"
LONGEST_NAME = 255          # bytes that a file name can have on all common file systems


@dataclass(frozen=True)
class Choices:
    """The user's choices for an export.

    min_score: rows below it are left out; None: 0 for csv, else the score that the
    training recommends, or 0.3 if it recommends none. recommended: that score, or
    None. top: most rows per video.
    media: file name or address of a video, with `{video}`. fps: frames per second of the
    videos, for the formats that count frames. durations: {video: seconds}. ls_names:
    names of the control and of the video in the labelling configuration of Label Studio.
    """
    min_score: float | None = None
    top: int | None = None
    media: str = "{video}.mp4"
    fps: float | None = None
    durations: dict[str, float] = field(default_factory=dict)
    ls_names: tuple[str, str] = ("videoLabels", "video")
    recommended: float | None = None

    def least(self, default):
        """The lowest score to export, for a format with the given default."""
        if self.min_score is not None:
            return self.min_score
        return default if default == 0 or self.recommended is None else self.recommended

    def media_of(self, video):
        """The media file of a video."""
        return self.media.replace("{video}", video)


def rows_of(results):
    """Detections as tables. -> ({video: table with COLUMNS}, {why: number left out}).

    Segments that do not end after their start are left out, as no tool can show them.
    """
    rows, backwards = {}, 0
    for video, found in results.items():
        table = pd.DataFrame({
            "start": [row["segment"][0] for row in found],
            "end": [row["segment"][1] for row in found],
            "label": [row.get("label", NO_CLASS) for row in found],
            "score": [row["score"] for row in found]}, columns=COLUMNS)
        has_length = table["end"] > table["start"]
        backwards += int((~has_length).sum())
        rows[video] = table[has_length]
    return rows, {"detections without length": backwards} if backwards else {}


def short_of_score(rows, min_score, top):
    """Drop rows with a low score. -> ({video: table}, {why: number left out})."""
    kept, left_out = {}, {}
    for video, table in rows.items():
        good = table[table["score"] >= min_score]
        best = good if top is None else good.loc[
            good["score"].sort_values(ascending=False, kind="stable").index[:top].sort_values()]
        kept[video] = best
        for why, count in ((f"detections below a score of {min_score:g}", len(table) - len(good)),
                           (f"detections beyond the best {top} of their video",
                            len(good) - len(best))):
            if count:
                left_out[why] = left_out.get(why, 0) + count
    return kept, left_out


def check_names(videos, suffix):
    """Refuse videos whose names cannot be file names."""
    for video in videos:
        if (any(mark in video for mark in "/\\\0") or not video.isprintable()
                or len(f"{video}{suffix}".encode("utf-8", "surrogatepass")) > LONGEST_NAME):
            raise UserError(f"video {video[:60]!r}: no file can have this name; rename "
                            "it in the detections, or write csv, boris or labelstudio, "
                            "which have one file for all videos")


def milliseconds(seconds):
    """Whole milliseconds, not before the start of the video."""
    return max(0, round(seconds * 1000))


def one_line(label):
    """A label without line breaks and tabs."""
    return " ".join(label.split())
