"""A small ActivityNet on disk: real annotations of a few dozen videos, synthetic features.

The features show the actions: a synthetic rgb stream rises inside them, and flow at
their edges.
"""

import csv
import gzip
import json
import zlib

import numpy as np

from tests.small_data import write_hdf5

RATE = 5                        # features per second
ANNOTATIONS = "Evaluation/activitynet/annot"
SCORES = "cuhk_val_simp_share.json"
SMALL = ["--temporal_scale", "256", "--stitch_gap", "8", "--bb_hidden_dim", "32",
           "--num_head_layers", "1", "--num_levels", "4"]


def write_activitynet(folder, real, num_train=24, num_val=12, widths=(6, 4)):
    """Annotations, official ground truth and features of the first videos of each subset.

    real: folder of the real annotation files. -> {name: entry} of the annotations.
    """
    annot = folder / ANNOTATIONS
    annot.mkdir(parents=True)
    with open(real / "video_info_new.csv", newline="") as file:
        table = csv.DictReader(file)
        rows = first_rows(table, {"training": num_train, "validation": num_val})
    everything = json.loads((real / "anet_anno_action.json").read_text())
    database = {row["video"]: everything[row["video"]] for row in rows}
    (annot / "anet_anno_action.json").write_text(json.dumps(database))
    write_table(annot / "video_info_new.csv", rows)
    for name in ("anet_classes_idx.json", "anet_v1-3_validation_gt.json.gz"):
        (annot / name).write_bytes((real / name).read_bytes())
    write_features(folder / "features", database, widths)
    return database


def first_rows(table, counts):
    """The first rows of each subset, by the number wanted, in the table's order."""
    left = dict(counts)
    rows = []
    for row in table:
        if left.get(row["subset"], 0):
            left[row["subset"]] -= 1
            rows.append(row)
    return rows


def write_table(path, rows):
    """A csv of the rows' own columns."""
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)


def write_features(folder, database, widths):
    """rgb.h5 and flow.h5 at RATE features per second; flow has up to three frames less."""
    folder.mkdir(exist_ok=True)
    arrays = {"rgb": {}, "flow": {}}
    for name, entry in database.items():
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        count = max(8, round(entry["duration_second"] * RATE))
        for stream, width, frames in zip(("rgb", "flow"), widths,
                                         (count, count - int(rng.integers(4))), strict=True):
            arrays[stream][name] = stream_features(rng, entry, stream, frames, width)
    for stream, videos in arrays.items():
        write_hdf5(folder / f"{stream}.h5", videos)


def stream_features(rng, entry, stream, frames, width):
    """Noise, with the actions (rgb) or their edges (flow) in the first half of the channels."""
    features = rng.normal(0, 0.3, (frames, width)).astype(np.float32)
    rate = frames / entry["duration_second"]
    for action in entry["annotations"]:
        first, last = (round(second * rate) for second in action["segment"])
        spans = ([slice(max(first, 0), last + 1)] if stream == "rgb" else
                 [slice(max(edge - 2, 0), edge + 3) for edge in (first, last)])
        for span in spans:
            features[span, :(width + 1) // 2] += 2
    return features


def write_video_scores(folder, database, change=None):
    """Video-level scores, 0.8 for the class of the first action; change(content) edits them."""
    annot = folder / ANNOTATIONS
    names = [name for name in json.loads((annot / "anet_classes_idx.json").read_text())
             if name != "Background"][::-1]          # any order will do
    results = {}
    for video, entry in database.items():
        scores = dict.fromkeys(names, 0.2 / 199)
        scores[entry["annotations"][0]["label"]] = 0.8
        results[video.removeprefix("v_")] = list(scores.values())
    content = {"results": results, "class": names}
    if change:
        change(content)
    (annot / SCORES).write_text(json.dumps(content))


def official_actions(real, videos):
    """Number of actions that the official ground truth has of the videos (ids without v_)."""
    with gzip.open(real / "anet_v1-3_validation_gt.json.gz", "rt") as file:
        database = json.load(file)["database"]
    return sum(len(database[video]["annotations"]) for video in videos)
