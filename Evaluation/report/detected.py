"""The report of detections without ground truth: a timeline of every video, no scores."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from Evaluation.detection_file import parse_detections
from Evaluation.metrics import ActionTable
from Evaluation.report.report import write_page
from Evaluation.report.report_data import shown_videos
from Evaluation.report.sections.in_words import plural

MARK = b'"isJudged":false'      # in the data of such a page, and of no other


def write_detected_report(path: str | Path, videos: Sequence[tuple], run: str,
                          least: float | None = None, links: Sequence = (),
                          facts: Sequence[str] = ()) -> None:
    """Write the page of the detections of some videos to `path`.

    videos: (name, duration in s, rows of a detection file). run: name of what made
    them. least: the score from which on they are shown at first, None: all. links:
    (stem, address) of the videos. facts: about the run, shown below the title.
    """
    write_page(path, detected_page(videos, run, least, links, facts))


def detected_page(videos: Sequence[tuple], run: str, least: float | None = None,
                  links: Sequence = (), facts: Sequence[str] = ()) -> dict:
    """All the data of the page; arguments as in `write_detected_report`."""
    results = {name: rows for name, _, rows in videos}
    found, _ = parse_detections({"results": results}, "the detections")
    nothing = np.zeros(0, np.int64)
    truth = ActionTable(found.videos, found.classes, nothing, nothing, np.zeros((0, 2)))
    return {
        "title": {"run": run, "dataset": "detections", "subset": None, "facts": [
            *facts, f"{plural(len(found), 'detection')} in {plural(len(videos), 'video')}",
            "without a ground truth, so nothing is called right or wrong"]},
        "protocol": None, "isScored": False, "isJudged": False, "least": least, "validated": [],
        "sections": {},
        **shown_videos(truth, [found], {name: seconds for name, seconds, _ in videos}, [0.5],
                       [""], links)}


def place_beside(file: str | Path) -> Path:
    """Where the page of a detection file goes: report.html beside it.

    Another name if that is already the report of scores.
    """
    path = Path(file).with_name("report.html")
    if path.is_file() and MARK not in path.read_bytes():
        return path.with_name(f"{Path(file).stem}_report.html")
    return path
