"""Detections of videos that need no annotations and no windows cut before."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from Evaluation.postprocessing.detections import detection_rows, in_seconds, video_detections
from Evaluation.postprocessing.per_video import detection_options
from Evaluation.postprocessing.proposals import Proposals
from Utils.data.annotations import Video, canonical, read_records
from Utils.data.features import FeatureStore, with_features
from Utils.files import UserError, listed
from Utils.inference.network import Network, predicted
from Utils.inputs.loaders import unlabelled, videos_loader


@dataclass(frozen=True)
class Found:
    """The detections of one video: rows as in detection files; duration in seconds."""
    name: str
    duration: float
    rows: list[dict]


def detect(network: Network, store: FeatureStore, names: list[str],
           durations: dict[str, float | None] | None = None) -> Iterator[Found]:
    """Detections of some videos of a store, in order.

    durations: in seconds, as far as they are known. All windows go through the network together,
    batches over the borders of videos; a video is handed on when its last window is done.
    """
    config = network.config
    videos = unlabelled(config, network.checkpoint, store, names, durations or {})
    loader = videos_loader(config, network.process, store, videos)
    network.process.say(f"{len(loader.dataset)} windows; {loader.describe()}")
    by_name = {video.name: video for video in videos}
    pairs = ((window.video, proposals) for window, proposals in predicted(network, loader))
    for name, parts in groupby(pairs, key=lambda pair: pair[0]):
        yield _found(network, by_name[name], Proposals.joined(part for _, part in parts))


def _found(network: Network, video: Video, proposals: Proposals) -> Found:
    if network.config.framing == "whole":
        proposals = in_seconds(proposals, video.duration)
    found = video_detections(proposals, video.duration, **detection_options(network.config))
    return Found(video.name, video.duration, detection_rows(found, network.classes))


def annotated(path, subset=None) -> dict[str, float | None]:
    """The videos of an annotation file (of one subset, if named), with their durations."""
    records = read_records(path)
    chosen = [record for record in records if subset is None
              or canonical(record.subset or "") == canonical(subset)]
    if not chosen:
        there = dict.fromkeys(record.subset or "none" for record in records)
        raise UserError(f"no video of {path} is of subset {subset}; it has {listed(there)}")
    return {record.name: record.duration for record in chosen}


def usable(store: FeatureStore, names: list[str], skip_missing: bool):
    """Names of the videos with usable features, and {name: what is wrong} of the others, which are
    refused unless skip_missing."""
    bare = [Video(name, "", None, None, None) for name in names]
    kept, wrong = with_features(bare, store, skip_missing)
    if not kept:
        raise UserError(f"no video has usable features: {listed(wrong)}")
    return [video.name for video in kept], wrong


def warnings(network: Network) -> list[str]:
    """A line if features come at another rate than those of the training."""
    config, checkpoint = network.config, network.checkpoint
    trained_rate = (checkpoint.get("settings") or {}).get("feature_fps") or checkpoint.get(
        "feature_rate")
    if (config.framing == "whole" or not trained_rate or not config.feature_fps
            or abs(config.feature_fps / trained_rate - 1) < 0.01):
        return []
    return [f"warning: --feature_fps is {config.feature_fps:g}, the network was trained on "
            f"{trained_rate:g} features a second: actions will seem "
            f"{config.feature_fps / trained_rate:.3g} times as long to it"]
