"""The timeline of one video: its detections, a line a class, darker where the score is higher."""

from Evaluation.figures import drawable
from Utils.figures import BLUE, PAGE_WIDTH, figure_files

MOST_CLASSES = 12
MOST_BARS = 200
ROW_HEIGHT = 0.28   # inches


def draw_timeline(stem, name, duration, rows):
    """Draw the detections of one video to stem.pdf and stem.png.

    duration: s. rows: of a detection file ({score, segment, label or none}). Shown are the classes
    with the best detections, MOST_CLASSES at most. Returns the path of the picture.
    """
    lanes = best_lanes(rows)
    best = max((row["score"] for row in rows), default=1.0)
    with figure_files(stem, PAGE_WIDTH, 1.0 + ROW_HEIGHT * max(len(lanes), 1)) as figure:
        axes = figure.subplots()
        for height, (_, bars) in enumerate(lanes):
            for row in bars:
                start, end = row["segment"]
                axes.barh(height, end - start, left=start, height=0.8, color=BLUE,
                          alpha=0.05 + 0.95 * min(row["score"] / max(best, 1e-9), 1))
        axes.set_yticks(range(len(lanes)), [f"{drawable(label)} ({bars[0]['score']:.2f})"
                                            for label, bars in lanes])
        axes.invert_yaxis()
        axes.set(xlim=(0, duration), xlabel="seconds",
                 title=f"{drawable(name)}: {len(rows)} detections; in brackets the best score")
    return f"{stem}.png"


def best_lanes(rows):
    """(label, its rows by falling score) of the classes with the best detections, best first."""
    lanes = {}
    for row in sorted(rows, key=lambda row: -row["score"])[:MOST_BARS]:
        lanes.setdefault(row.get("label", "action"), []).append(row)
    return list(lanes.items())[:MOST_CLASSES]
