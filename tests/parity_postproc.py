"""Parity of suppression, proposals and detections with golden/thumos i_*, j_* and activitynet.

Where this project differs from the original on purpose, and how it is compared nevertheless:
* segments without length, or reversed, go: both sides are compared without them (`with_length`);
* the last box of soft-NMS is kept: ActivityNet's goldens are compared with `lose_last`, and with
  the segments without length left in, since dropping them changes which 101 are taken.
"""

import json

import numpy as np

from Evaluation.nms import nms, soft_nms
from Evaluation.postprocessing.detections import (
    Detections,
    detection_rows,
    floored_duration,
    fuse_best_classes,
    in_seconds,
    video_detections,
)
from Evaluation.postprocessing.proposals import Proposals, window_proposals
from tests.parity import Row, differing, largest, stage
from Utils.stitching import is_stitched

EXACT = 0.0
SECONDS, SCORE = 1e-4, 1e-5
TABLE, AFTER_NMS = 1e-6, 1e-5


def arrays(folder, pattern):
    """(stem, {name: array}) of the goldens that match."""
    for path in sorted(folder.glob(f"{pattern}.npz")):
        with np.load(path) as file:
            yield path.stem, dict(file)


def with_length(table):
    """Rows of a golden table (start, end, ...) that end after they start."""
    return table[table[:, 1] > table[:, 0]]


@stage("nms")
def suppression(shared):
    for stem, golden in arrays(shared / "golden/thumos", "i_nms_*"):
        kept = nms(golden["dets"][:, :2], golden["dets"][:, 2], float(golden["thresh"]))
        yield Row(f"{stem} kept, entries", differing(kept, golden["keep"]), EXACT)
    for stem, golden in arrays(shared / "golden/thumos", "j_softnms"):
        boxes = golden["dets"]
        scores = np.where(boxes[:, 1] - boxes[:, 0] >= 50, 0, boxes[:, 2])
        kept, scores = soft_nms(boxes[:, :2], scores, float(golden["nms_threshold"]),
                                int(golden["num_prop"]))
        found = np.column_stack([boxes[kept, :2], scores, boxes[kept, 3]])
        yield Row(f"{stem} table", largest(found, golden["out"]), AFTER_NMS)


@stage("proposals")
def proposals(shared):
    for stem, golden in arrays(shared / "golden/thumos", "i_infer_*"):
        num_frames, columns = int(golden["num_frms"]), int(golden["temporal_scale"])
        stitched = golden["use_VSS"] and is_stitched(num_frames, columns,
                                                     float(golden["short_ratio"]))
        found = window_proposals(
            golden["score_dec"], golden["loc_adjusted"], golden["startness"], golden["endness"],
            num_frames, stitched, int(golden["w_start"]), float(golden["fps"]),
            gap=int(golden["stitch_gap"]), score_threshold=0.005,
            nms_threshold=float(golden["nms_thr"]))
        table = with_length(golden["table"])
        yield Row(f"{stem} segments, s", largest(found.segments, table[:, :2]), SECONDS)
        yield Row(f"{stem} scores", largest(found.scores, table[:, 2]), SCORE)
        yield Row(f"{stem} labels, entries", differing(found.labels, table[:, 3]), EXACT)
    for stem, golden in arrays(shared / "golden/activitynet", "infer_*"):
        num_frames, columns = int(golden["num_frms"]), int(golden["temporal_scale"])
        found = window_proposals(
            golden["score_dec"][:, None], golden["loc_st2"], golden["start"], golden["end"],
            num_frames, is_stitched(num_frames, columns, 0.4), 0, num_frames,
            gap=30, score_threshold=0.005, nms_threshold=0.4)
        table = table_segments(golden)
        yield Row(f"{stem} segments, shares", largest(found.segments, table), TABLE)
        yield Row(f"{stem} scores", largest(found.scores, golden["table_score"]), TABLE)


@stage("detections")
def detections(shared):
    golden = json.loads((shared / "golden/thumos/j_detect_output.json").read_text())
    ids = json.loads((shared / "annotations/thumos14/thumos_classes_idx.json").read_text())
    classes = sorted(set(ids) - {"Background"}, key=ids.get)
    tables = dict(next(arrays(shared / "golden/thumos", "j_detect_inputs"))[1])
    for video, duration in golden["durations"].items():
        rows = [table for name, table in tables.items() if name.rsplit("_", 1)[0] == video]
        table = np.concatenate([np.zeros((0, 4)), *rows])
        found = detection_rows(video_detections(
            Proposals(table[:, :2], table[:, 2], table[:, 3].astype(int)), duration,
            sigma=golden["nms_alpha_detect"], limit=golden["num_prop"], max_seconds=50), classes)
        expected = [row for row in golden["output"]["results"].get(video, [])
                    if row["segment"][1] > row["segment"][0]]
        yield Row(f"j_detect {video}, rows that differ",
                  sum(a != b for a, b in zip(found, expected, strict=True)), EXACT)
    for stem, golden in arrays(shared / "golden/activitynet", "infer_*"):
        yield from _activitynet_results(stem, golden)


def _activitynet_results(stem, golden):
    segments, scores = table_segments(golden), golden["table_score"]
    duration = float(golden["duration_second"])
    kept, new_scores = soft_nms(segments, scores, 0.75, 101, damp_above=(0.65, 0.9), lose_last=True)
    yield Row(f"{stem} proposals taken", abs(len(kept) - int(golden["prop_nms_count"])), EXACT)
    best = Proposals(segments[kept], new_scores, np.zeros(len(kept), int))[:100]
    best = in_seconds(best, floored_duration(duration, int(golden["duration_frame"])))
    yield Row(f"{stem} proposals, s", largest(best.segments, golden["prop_segment"]), AFTER_NMS)
    yield Row(f"{stem} proposal scores", largest(best.scores, golden["prop_score"]), AFTER_NMS)
    kept, new_scores = soft_nms(segments, scores, 0.85, 101, lose_last=True)
    found = in_seconds(Detections(segments[kept], new_scores, np.zeros(len(kept), int)), duration)
    video_scores = np.append(0, golden["video_scores"])
    found = fuse_best_classes(found, video_scores, num_classes=1, limit=100)
    classes = [f"LBL{i:03d}" for i in range(200)]
    wrong = sum(row["label"] != str(golden["det_label"]) for row in detection_rows(found, classes))
    yield Row(f"{stem} detections, s", largest(found.segments, golden["det_segment"]), AFTER_NMS)
    yield Row(f"{stem} detection scores", largest(found.scores, golden["det_score"]), AFTER_NMS)
    yield Row(f"{stem} detections, wrong labels", wrong, EXACT)


def table_segments(golden):
    """Segments of a golden ActivityNet table: shares of the duration, (N, 2)."""
    return np.column_stack([golden["table_xmin"], golden["table_xmax"]])
