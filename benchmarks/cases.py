"""The cases to measure: for each row, a function of the size that returns (ours, plain).

Both are called without arguments and do the same work; plain is the version of
plain.py, or None.
"""

import tempfile
from pathlib import Path

import h5py
import numpy as np
import torch

from benchmarks import plain
from benchmarks.plain_scores import frame
from DETAD import diagnose
from DETAD.characteristics import bucket_table, compute_characteristics
from Evaluation.average_recall import average_recall
from Evaluation.metrics import ActionTable, average_precision
from Evaluation.nms import soft_nms
from Evaluation.postprocessing.proposals import window_proposals
from Models.Loss import Criterion
from Models.VSGN import VSGN
from Utils.config.resolve import parse_config
from Utils.data.annotations import Video
from Utils.data.features import FeatureStore
from Utils.data.hdf5_stream import Hdf5Stream
from Utils.inputs.dataset import Targets, WindowDataset
from Utils.inputs.resident import ResidentFeatures
from Utils.inputs.targets import frame_targets
from Utils.inputs.windows import Window

SMALL = ["--temporal_scale", "256", "--input_feat_dim", "64", "--bb_hidden_dim", "64",
         "--num_neigh", "8"]
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SEED = 0


def network_config(size):
    """The paper's network, or a small one."""
    return parse_config("Train", ["--dataset", "thumos", *(SMALL if size == "small" else [])])


def network_inputs(config, batch):
    """Random features, half of the items stitched, with actions. -> features, frames, Targets."""
    rng = np.random.default_rng(SEED)
    length = config.temporal_scale
    features = torch.from_numpy(rng.standard_normal(
        (batch, config.input_feat_dim, length), dtype=np.float32))
    frames = torch.tensor([length // 4 if item % 2 else length for item in range(batch)])
    starts = rng.integers(0, length * 3 // 4, (batch, 8))
    segments = torch.from_numpy(np.stack([starts, starts + rng.integers(4, length // 8, (
        batch, 8))], axis=-1).astype(np.float64))
    labels = torch.from_numpy(rng.integers(1, config.decoder_num_classes, (batch, 8)))
    counts = torch.full((batch,), 8)
    return features, frames, Targets(segments.float(), labels, counts,
                                     *frame_targets(segments, labels, counts, length))


def forward(size, batch=2):
    """A forward pass of a batch, as (ours, plain) functions without arguments."""
    config = network_config(size)
    features, frames, _ = network_inputs(config, batch)
    networks = VSGN(config).eval(), plain.PlainVSGN(config).eval()

    def call(network):
        with torch.inference_mode():
            network(features, frames)

    return tuple(lambda network=network: call(network) for network in networks)


def training_step(size, batch=2):
    """Forward and backward pass and optimizer step of a batch: (ours, plain)."""
    config = network_config(size)
    features, frames, targets = network_inputs(config, batch)
    ours, theirs, criterion = VSGN(config), plain.PlainVSGN(config), Criterion(config)
    optimizers = [torch.optim.Adam(ours.parameters(), 1e-5, fused=True),
                  torch.optim.Adam(theirs.parameters(), 1e-5)]

    def step(optimizer, total):
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()

    return (lambda: step(optimizers[0], criterion.total(criterion(ours(features, frames),
                                                                  targets))),
            lambda: step(optimizers[1], plain.plain_losses(theirs(features, frames), targets,
                                                           config)["total"]))


def item_targets(size):
    """Frame targets of one input at the paper's sizes: (ours, plain)."""
    _, _, targets = network_inputs(network_config("thumos"), 1)
    segments, labels = targets.segments.double(), targets.labels
    return (lambda: frame_targets(segments, labels, targets.counts, 1280),
            lambda: plain.plain_frame_targets(segments[0].numpy(), labels[0].tolist(), 1280))


def item(size, num_frames, in_memory):
    """A whole item of a 6000-frame video: num_frames of it, from disk or from memory."""
    folder = Path(tempfile.mkdtemp())
    width = 1024 if size == "thumos" else 64
    rng = np.random.default_rng(SEED)
    paths = [folder / f"{stream}.h5" for stream in ("rgb", "flow")]
    for path in paths:
        with h5py.File(path, "w") as file:
            file["video"] = rng.standard_normal((6000, width), dtype=np.float32)
    starts = np.arange(0, 190, 10.0)
    video = Video("video", "train", 200.0, np.stack([starts, starts + 5], 1),
                  np.ones(len(starts), np.int64))
    window = Window("video", 600, 600 + num_frames - 1, 30.0, 200.0)
    store = FeatureStore({path.stem: Hdf5Stream([path]) for path in paths})
    config = parse_config("Train", ["--dataset", "thumos", "--input_feat_dim", str(2 * width)])
    dataset = WindowDataset([window], [video], store, config, with_targets=True)
    if in_memory:
        dataset.features = ResidentFeatures(store, ["video"])
    return (lambda: dataset[0],
            lambda: plain.plain_sliding_item(paths, video, window, 1280, 30, 0.4))


def window_decoding(size):
    """Proposals of one window of 1240 boxes, with NMS: (ours, plain)."""
    rng = np.random.default_rng(SEED)
    starts = rng.uniform(0, 1200, 1240)
    logits = rng.standard_normal((1240, 21)) * 2
    scores = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    boxes = np.stack([starts, starts + rng.gamma(2, 30, 1240)], 1).astype(np.float32)
    curves = rng.uniform(0, 1, (2, 1280)).astype(np.float32)
    words = (scores, boxes, *curves, 1280, False, 0, 30.0)
    options = {"gap": 30, "score_threshold": 0.005, "nms_threshold": 0.4}
    return (lambda: window_proposals(*words, **options),
            lambda: plain.plain_window_proposals(*words, **options))


def suppression(size, count):
    """Soft-NMS of `count` segments: (ours, plain)."""
    rng = np.random.default_rng(SEED)
    starts = rng.uniform(0, 300, count)
    segments = np.stack([starts, starts + rng.gamma(2, 3, count)], 1)
    scores = rng.uniform(0, 1, count)
    lists = segments.tolist(), scores.tolist()
    return (lambda: soft_nms(segments, scores, 0.46, 200),
            lambda: plain.plain_soft_nms(*lists, 0.46, 200))


def tables(num_videos, num_classes, num_actions, num_detections):
    """A ground truth and detections around it."""
    rng = np.random.default_rng(SEED)
    videos = tuple(f"video_{i:05d}" for i in range(num_videos))
    classes = tuple(f"class_{i:03d}" for i in range(num_classes))
    start = rng.uniform(0, 180, num_actions)
    truth = ActionTable(videos, classes, np.sort(rng.integers(0, num_videos, num_actions)),
                        rng.integers(0, num_classes, num_actions),
                        np.stack([start, start + rng.gamma(2, 3, num_actions)], 1))
    action = rng.integers(0, num_actions, num_detections)
    length = truth.segments[action, 1] - truth.segments[action, 0]
    segments = truth.segments[action] + rng.normal(0, 0.3, (num_detections, 2)) * length[:, None]
    segments[:, 1] = np.maximum(segments[:, 1], segments[:, 0] + 0.1)
    is_wrong = rng.uniform(size=num_detections) < 0.4
    label = np.where(is_wrong, rng.integers(0, num_classes, num_detections), truth.label[action])
    return truth, ActionTable(videos, classes, truth.video[action], label, segments,
                              rng.uniform(0, 1, num_detections))


def mean_precision(size, is_activitynet=False):
    """mAP of THUMOS14, or of ActivityNet without a plain version: (ours, plain or None)."""
    if is_activitynet:
        truth, detections = tables(4725, 200, 7290, 472_500)
        return lambda: average_precision(truth, detections, np.linspace(0.5, 0.95, 10)), None
    truth, detections = tables(210, 20, 3311, 42_000 if size == "thumos" else 2_000)
    return (lambda: average_precision(truth, detections, THRESHOLDS),
            lambda: plain.plain_average_precision(frame(truth), frame(detections), THRESHOLDS))


def recall(size):
    truth, proposals = tables(4725, 1, 7290, 472_500)
    return lambda: average_recall(truth, proposals), None


def diagnosis(size):
    """DETAD of 42,000 detections at one threshold: (ours, None)."""
    truth, detections = tables(210, 20, 3311, 42_000)
    characteristics = compute_characteristics(truth, dict.fromkeys(truth.videos, 200.0))
    buckets = bucket_table("thumos")
    return lambda: diagnose(truth, characteristics, detections, (0.5,), buckets), None


# name -> (what, function of the size)
CASES = {
    "forward": ("forward, batch 2", forward),
    "forward4": ("forward, batch 4", lambda size: forward(size, 4)),
    "step": ("training step, batch 2", training_step),
    "step4": ("training step, batch 4", lambda size: training_step(size, 4)),
    "targets": ("targets of an item", item_targets),
    "item-disk": ("plain item from disk", lambda size: item(size, 1280, False)),
    "stitched-disk": ("stitched item from disk", lambda size: item(size, 486, False)),
    "item-ram": ("plain item from RAM", lambda size: item(size, 1280, True)),
    "stitched-ram": ("stitched item from RAM", lambda size: item(size, 486, True)),
    "window": ("NMS and proposals of a window", window_decoding),
    "soft-nms": ("soft-NMS, 5,000 boxes", lambda size: suppression(size, 5_000)),
    "soft-nms-60k": ("soft-NMS, 60,000 boxes", lambda size: suppression(size, 60_000)),
    "map": ("mAP, 7 thresholds", mean_precision),
    "map-anet": ("mAP, 472,500 detections", lambda size: mean_precision(size, True)),
    "recall": ("AR@AN, 472,500 proposals", recall),
    "detad": ("DETAD, 42,000 detections", diagnosis),
}
