"""Parity of window lists, inputs and targets with the original's, on real and small annotations.

What differs from the original on purpose, in one place:
* thumos h_dataset `vss_val5`: the original raises (no action fits that window); here the input has
  no boxes and its targets are zeros.
* activitynet dataset_seed*: the original decides by seconds in training and by frames elsewhere
  whether an item is stitched; here frames decide everywhere. The two items between the rules are
  compared with the decision forced to the original's (AGAINST_THE_RULE).
* activitynet dataset_seed*: `*_mutation_trace` (labels damaged in place by use) is not reproduced;
  items are compared with those of a fresh dataset, and annotations are never written to.
* boxes are positions here and divided by T there.
"""

import csv
import gzip
import io
import json
import random
import zlib
from types import SimpleNamespace

import numpy as np
import torch

from Cut_long_videos import clip_rule, sliding_lists, whole_lists
from tests.parity import Row, differing, largest, stage
from Utils.config.resolve import resolve
from Utils.data.annotations import Video, videos_of
from Utils.data.datasets import load_videos
from Utils.inputs.dataset import WindowDataset
from Utils.inputs.windows import Window, cut_sliding


def read_gz(path):
    with gzip.open(path, "rt") as file:
        return json.load(file)


def real_source(dataset, folder, lengths=None, **options):
    """What `open_source` gives, of real annotations and lengths without features."""
    config = resolve({"dataset": dataset, "video_anno": str(folder), **options})
    videos, classes = load_videos(config)
    chosen = {"train": videos_of(videos, config.train_subset),
              "val": videos_of(videos, config.subset)}
    chosen["infer"] = sorted(chosen["val"], key=lambda video: video.order)
    return SimpleNamespace(config=config, videos=chosen, classes=classes, all_videos=videos,
                           frames=lambda video: lengths[video.name])


class RecordingRandom(random.Random):
    """Notes the arguments of every uniform draw."""

    def uniform(self, a, b):
        self.__dict__.setdefault("draws", []).append([a, b])
        return super().uniform(a, b)


@stage("cut-thumos")
def cut_thumos(shared):
    """Window lists on the real annotations, and every draw of the seeded generator."""
    folder = shared / "golden/thumos"
    lengths = json.loads((folder / "g_cut_lengths.json").read_text())
    for use_vss, tag in ((True, "vss"), (False, "novss")):
        source = real_source("thumos", shared / "annotations/thumos14/thumos_gt.json", lengths,
                             seed=0, use_VSS=use_vss)
        for name, golden in (("train", "val"), ("val", "test"), ("infer", "infer")):
            expected = read_gz(folder / f"g_cut_{tag}_{golden}.json.gz")
            found = [[w.video, w.start, w.end, w.fps, w.duration] + [w.index] * (name == "infer")
                     for w in sliding_lists(source)[name]]
            yield Row(f"{len(found)} windows of {name}, {tag}", unequal(found, expected), 0)
    rng = RecordingRandom(0)
    clips = clip_rule(resolve({"dataset": "thumos"}), rng)
    for video in [*source.videos["train"], *source.videos["val"]]:
        frames = lengths[video.name]
        cut_sliding(video, frames, frames / video.duration, 1280, clips)
    expected = read_gz(folder / "g_cut_vss_uniform_args.json.gz")
    yield Row(f"{len(rng.draws)} draws", unequal(rng.draws, expected), 0)


@stage("cut-activitynet")
def cut_activitynet(shared):
    """Validation windows of the real annotations, as JSON entries."""
    for stem in ("cut_val_seed0", "cut_val_seed1_T900"):
        golden = read_gz(shared / f"golden/activitynet/{stem}.json.gz")
        annotations = shared / "annotations/activitynet/anet_anno_action.json"
        source = real_source("activitynet", annotations, seed=golden["seed"], **golden["options"])
        found = [{"v_name": w.video, "w_start": w.start, "w_end": w.end}
                 for w in whole_lists(source)["val"]]
        yield Row(f"{stem}: {len(found)} windows", unequal(found, golden["windows"]), 0)


def unequal(found, expected):
    """Number of entries that differ, of lists of equal length; else infinite."""
    if len(found) != len(expected):
        return float("inf")
    return float(sum(a != b for a, b in zip(found, expected, strict=True)))


class ArrayStore:
    """Arrays in memory that read like a FeatureStore. arrays: {stream: {video: (n, C)}}."""

    def __init__(self, arrays):
        self.arrays, self.streams = arrays, tuple(arrays)
        widths = [next(iter(videos.values())).shape[1] for videos in arrays.values()]
        self.widths = self.stored_widths = tuple(widths)

    def lengths(self, video):
        return tuple(len(self.arrays[stream][video]) for stream in self.streams)

    def shape(self, video, stream):
        return self.arrays[stream][video].shape

    def read(self, video, stream, start=0, stop=None):
        return self.arrays[stream][video][start:stop]


def thumos_dataset(shared, tag, name):
    """The small dataset of h_dataset: windows of a list, with or without stitching."""
    inputs = json.loads((shared / "golden/thumos/h_dataset_inputs.json").read_text())
    ids = json.loads((shared / "annotations/thumos14/thumos_classes_idx.json").read_text())
    config = resolve({"dataset": "thumos", "use_VSS": tag == "vss", **{
        key: inputs[key] for key in ("temporal_scale", "stitch_gap", "short_ratio",
                                     "input_feat_dim")}})
    videos, arrays = [], {"rgb": {}, "flow": {}}
    for video, entry in inputs["videos"].items():
        rows = entry["annotations"]
        videos.append(Video(video, entry["subset"], entry["length"] / entry["fps"],
                            np.array([row[:2] for row in rows]).reshape(-1, 2),
                            np.array([ids[row[2]] for row in rows])))
        for stream, features in arrays.items():
            seed = zlib.crc32(f"{stream}/{video}".encode())
            features[video] = np.random.RandomState(seed).standard_normal(
                (entry["length"], 16)).astype(np.float32)
    windows = [Window(w[0], w[1], w[2], inputs["videos"][w[0]]["fps"])
               for w in inputs["windows"][name]]
    return WindowDataset(windows, videos, ArrayStore(arrays), config, name != "infer")


@stage("items-thumos")
def items_thumos(shared):
    """Inputs and targets of the small THUMOS14 dataset."""
    golden = np.load(shared / "golden/thumos/h_dataset.npz")
    errors = {}
    for tag in ("vss", "org"):
        for name in ("val", "test", "infer"):
            dataset = thumos_dataset(shared, tag, name)
            for row in range(len(dataset)):
                prefix = f"{tag}_{name}{row}"
                if f"{prefix}_num_frms" in golden:
                    compare_item(errors, dataset[row], golden, prefix, dataset.length)
    yield from rows_of(errors)


TOLERANCES = {"features": 1e-6, "sums": 1e-4, "boxes": 1e-4}   # the rest must be equal


def rows_of(errors):
    for what, found in errors.items():
        yield Row(f"{what} of {len(found)} items", max(found), TOLERANCES.get(what, 0))


def compare_item(errors, batch, golden, prefix, length):
    """Add the errors of one input, by what is compared."""
    def note(what, error):
        errors.setdefault(what, []).append(error)

    features = batch.features[0]
    if f"{prefix}_video_data" in golden:
        data = golden[f"{prefix}_video_data"]
        note("features", largest(features[::len(features) // len(data)], data))
    if f"{prefix}_video_data_sum" in golden:
        note("sums", largest(features.double().sum(), golden[f"{prefix}_video_data_sum"]))
        note("sums", largest((features.double() ** 2).sum(), golden[f"{prefix}_video_data_sqsum"]))
    note("num_frames", differing(batch.num_frames[0], golden[f"{prefix}_num_frms"]))
    if batch.targets is None:
        return
    targets, count = batch.targets, int(golden[f"{prefix}_num_gt"])
    note("number of boxes", differing(targets.counts[0], torch.tensor(count)))
    boxes = golden[f"{prefix}_gt_bbox"][:count]
    note("boxes", largest(targets.segments[0, :count], boxes[:, :2] * length))
    note("classes", differing(targets.labels[0, :count], torch.from_numpy(boxes[:, 2]).long()))
    for name in ("action", "start", "end"):
        note(f"{name} targets", largest(getattr(targets, name)[0], golden[f"{prefix}_{name}"]))


AGAINST_THE_RULE = {"v_edge_org": {"use_VSS": False}, "v_edge_stitch": {"short_ratio": 0.42}}


def activitynet_dataset(golden, name, **forced):
    """The small dataset of dataset_seed*: name is train, validation or infer."""
    options = json.loads(str(golden["options"]))
    ids = {label: i for i, label in enumerate(options["labels"], 1)}
    rows = {row["video"]: row for row in csv.DictReader(io.StringIO(str(golden["info_csv"])))}
    videos = []
    for video, entry in json.loads(str(golden["annotations"])).items():
        actions = entry["annotations"]
        videos.append(Video(video, rows[video]["subset"], entry["duration_second"],
                            np.array([a["segment"] for a in actions], float).reshape(-1, 2),
                            np.array([ids[a["label"]] for a in actions], int)))
    arrays = {"rgb": {}, "flow": {}}
    for video, lengths in json.loads(str(golden["frames"])).items():
        for (stream, features), frames in zip(arrays.items(), lengths, strict=True):
            seed = (zlib.crc32(f"{video}:{stream}".encode()) + options["feature_seed"]) % 2 ** 32
            features[video] = np.random.RandomState(seed).standard_normal(
                (frames, options["channels_each"])).astype(np.float32)
    if name == "infer":
        durations = {video.name: video.duration for video in videos}
        windows = [Window(video, 0, durations[video]) for video, row in rows.items()
                   if row["subset"] == "validation"]
    else:
        listed = json.loads(str(golden[f"windows_{'train' if name == 'train' else 'val'}"]))
        windows = [Window(w["v_name"], w["w_start"], w["w_end"]) for w in listed]
    config = resolve({"dataset": "activitynet", "input_feat_dim": 2 * options["channels_each"],
                      **forced})
    return WindowDataset(windows, videos, ArrayStore(arrays), config, name != "infer")


@stage("items-activitynet")
def items_activitynet(shared):
    """Inputs and targets of the small ActivityNet dataset."""
    for path in sorted((shared / "golden/activitynet").glob("dataset_seed*.npz")):
        golden, errors = np.load(path), {}
        for name in ("train", "validation", "infer"):
            dataset = activitynet_dataset(golden, name)
            for row, window in enumerate(dataset.windows):
                forced = AGAINST_THE_RULE.get(window.video)
                items = activitynet_dataset(golden, name, **forced) if forced else dataset
                compare_item(errors, items[row], golden, f"{name}{row}", dataset.length)
        yield from (Row(f"{path.stem}: {row.what}", *row[1:]) for row in rows_of(errors))
