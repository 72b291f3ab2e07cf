"""Detect actions in videos that have neither annotations nor window lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from Engine.inference.network import Network, predicted
from Evaluation.postprocessing.detections import (
    detection_rows,
    in_seconds,
    video_detections,
)
from Evaluation.postprocessing.per_video import detection_options
from Evaluation.postprocessing.proposals import Proposals
from Utils.data.annotation_files import read_records
from Utils.data.annotations import Video, canonical
from Utils.data.features import FeatureStore, with_features
from Utils.files import UserError, counted, listed
from Utils.inputs.loaders import unlabelled, videos_loader


@dataclass(frozen=True)
class Found:
    """The detections of one video: rows as in detection files; duration in seconds."""
    name: str
    duration: float
    rows: list[dict]


def detect(network: Network, store: FeatureStore, names: list[str],
           durations: dict[str, float | None] | None = None) -> Iterator[Found]:
    """Detections in some videos of a store, in order.

    durations: in seconds, if known. All windows go through the network together, with
    batches that span several videos; a video is yielded once its last window is done.
    """
    config = network.config
    videos = unlabelled(config, network.checkpoint, store, names, durations or {})
    loader = videos_loader(config, network.process, store, videos)
    network.process.say(f"{counted(len(loader.dataset), 'window')}; {loader.describe()}")
    by_name = {video.name: video for video in videos}
    pairs = ((window.video, proposals)
             for window, proposals in predicted(network, loader))
    for name, parts in groupby(pairs, key=lambda pair: pair[0]):
        yield _found(network, by_name[name], Proposals.joined(part for _, part in parts))


def _found(network: Network, video: Video, proposals: Proposals) -> Found:
    if network.config.framing == "whole":
        proposals = in_seconds(proposals, video.duration)
    found = video_detections(proposals, video.duration,
                             **detection_options(network.config))
    return Found(video.name, video.duration, detection_rows(found, network.classes))


def annotated(path, subset=None) -> dict[str, float | None]:
    """The videos of an annotation file (of one subset, if given), with their durations."""
    records = read_records(path)
    chosen = [record for record in records if subset is None
              or canonical(record.subset or "") == canonical(subset)]
    if not chosen:
        there = dict.fromkeys(record.subset or "none" for record in records)
        raise UserError(f"no video of {path} is in subset {subset}; it has {listed(there)}")
    return {record.name: record.duration for record in chosen}


def usable(store: FeatureStore, names: list[str], skip_missing: bool):
    """Names of the videos with usable features, and {name: what is wrong} for the others.

    Raises UserError if there are others, unless skip_missing.
    """
    bare = [Video(name, "", None, None, None) for name in names]
    kept, wrong = with_features(bare, store, skip_missing)
    if not kept:
        raise UserError(f"no video has usable features: {listed(wrong)}")
    return [video.name for video in kept], wrong


def warnings(network: Network) -> list[str]:
    """A warning if features have another rate than in training."""
    config, checkpoint = network.config, network.checkpoint
    trained_rate = (checkpoint.get("settings") or {}).get("feature_fps") or checkpoint.get(
        "feature_rate")
    if (config.framing == "whole" or not trained_rate or not config.feature_fps
            or abs(config.feature_fps / trained_rate - 1) < 0.01):
        return []
    return [f"warning: --feature_fps is {config.feature_fps:g}, but the network was "
            f"trained on {trained_rate:g} features per second: actions will look "
            f"{config.feature_fps / trained_rate:.3g} times as long to it"]
