"""A small run with known answers, for the tests of the report and of the figures."""

import numpy as np

from Evaluation.metrics import ActionTable, match
from Evaluation.report.evaluated_run import truth_content
from Evaluation.scores import precision_scores
from Utils.files import write_json

THRESHOLDS = (0.3, 0.5, 0.7)
CLASSES = ("Dive", "Throw", "Jump")


def random_run(num_videos=26, actions_each=4, detections_each=12, classes=CLASSES, seed=5):
    """Ground truth and detections of videos v00, v01, ...: near copies of actions, and noise."""
    rng = np.random.default_rng(seed)
    videos = tuple(f"v{number:02d}" for number in range(num_videos))
    video = np.repeat(np.arange(num_videos), actions_each)
    label = (video + rng.integers(0, 2, len(video))) % len(classes)
    start = rng.uniform(0, 100, len(video))
    segments = np.stack([start, start + rng.uniform(2, 12, len(video))], 1).round(2)
    truth = ActionTable(videos, classes, video, label, segments)
    near = np.repeat(np.arange(num_videos), detections_each) * actions_each + rng.integers(
        0, actions_each, num_videos * detections_each)
    spread = rng.choice([0.2, 1.0, 20.0], len(near))
    found = segments[near] + rng.normal(0, 1, (len(near), 2)) * spread[:, None]
    detections = ActionTable(
        videos, classes, video[near], (label[near] + (rng.random(len(near)) < 0.2)) % len(classes),
        np.sort(found.clip(0, 119), axis=1).round(2), rng.permutation(len(near)) / len(near))
    return truth, detections, dict.fromkeys(videos, 120.0)


def scores_of(truth, detections):
    """What metrics.json has of a run, in small."""
    precision = np.linspace(0.6, 0.2, len(THRESHOLDS))
    return {"dataset": "custom", "subset": "test", "protocol": "activitynet",
            "tiou_thresholds": list(THRESHOLDS), "mAP": precision.tolist(),
            "average_mAP": {"0.3:0.7": float(precision.mean())},
            "ap_per_class": {name: (precision * factor).tolist() for name, factor in
                             zip(truth.classes, (0.8, 1.4, 1.1), strict=False)},
            "num_videos": len(truth.videos), "num_ground_truth": len(truth),
            "num_detections": len(detections),
            "provenance": {"ground_truth": "truth.json", "detections": "found.json", "seed": 21,
                           "git_commit": None, "settings": {"nms_thr": 0.4, "tiou": [0.3, 0.5]},
                           "versions": {"python": "3.11"}, "notes": ["one video is missing"]}}


def better(truth, found):
    """The same detections, those on actions with higher scores."""
    _, matched = match(truth, found, (0.5,))
    return ActionTable(found.videos, found.classes, found.video, found.label, found.segments,
                       found.scores + (matched[0] >= 0))


def left_by_eval(folder, truth, found, durations, **scores):
    """A folder as Eval.py leaves it behind."""
    folder.mkdir()
    content = scores_of(truth, found) | precision_scores(truth, found, THRESHOLDS) | scores
    content["provenance"] |= {"detections": str(folder / "found.json")}
    write_json(folder / "metrics.json", content)
    write_json(folder / "ground_truth.json", truth_content(truth, durations, "test"))
    results = {name: [] for name in found.videos}
    for video, label, segment, score in zip(found.video, found.label, found.segments.tolist(),
                                            found.scores.tolist(), strict=True):
        results[found.videos[video]].append(
            {"label": found.classes[label], "segment": segment, "score": score})
    write_json(folder / "found.json", {"results": results})
    return folder
