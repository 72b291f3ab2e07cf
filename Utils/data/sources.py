"""A dataset as the scripts use it: annotations and features together, checked against each other.

`open_source` is the one way in; it fills the options that come from the data.
"""

import dataclasses
import statistics
from dataclasses import dataclass, field

from Utils.config.derive import complete
from Utils.config.resolve import Config
from Utils.data.annotations import Video, canonical
from Utils.data.datasets import DATASETS, held_out, load_annotations, videos_of
from Utils.data.demo import ensure_demo
from Utils.data.features import FeatureStore, check_width, open_features, with_features
from Utils.data.sidecars import identities, sidecars
from Utils.files import UserError, listed

TRAIN, INFER = ("train", "val"), ("infer",)
WRONG_RATE = 1.5    # --feature_fps is off by this factor
# Annotated durations that are this far from those of the video files are named.
ODD_DURATION, FEW_SECONDS = 0.02, 1.0


@dataclass
class Source:
    """Videos by their use (train, val, infer), all with features and duration, and the rest.

    features: FeatureStore, None where none were needed and no folder was named. left_out: video ->
    why. notes: what the user should know. extractors: stream -> identity of what made its features,
    where side-cars tell.
    """
    config: Config
    videos: dict[str, list[Video]]
    classes: tuple[str, ...]
    features: FeatureStore | None
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    extractors: dict[str, dict] = field(default_factory=dict)

    def frames(self, video):
        """Frames of a video, counted in its first stream."""
        return self.features.lengths(video.name)[0]

    @property
    def all_videos(self):
        """Every video once."""
        return list({v.name: v for videos in self.videos.values() for v in videos}.values())


def open_source(config, uses=(*TRAIN, *INFER), needs_features=True):
    """Open annotations and features of a dataset for some uses. -> Source.

    needs_features: False where durations would do, as in cutting whole videos; then the features
    are opened only if their folder is named. Raises UserError for whatever does not fit together;
    with --skip_missing videos with missing or broken features are left out instead.
    """
    spec = DATASETS[config.dataset]
    if spec.is_built_in:
        ensure_demo(config.feature_path)
    annotations = load_annotations(config)
    config = with_subset(config, annotations.videos)
    videos = by_use(config, annotations.videos, uses)
    source = Source(config, videos, annotations.classes, None, annotations.notes)
    if needs_features or config.feature_path is not None:
        source.features = open_features(config.feature_path, spec.feature_files, {
            canonical(video.subset) for video in source.all_videos})
        _match_features(source)
    check_classes(source)
    return source


def _match_features(source):
    """Keep the videos with usable features, fill their durations and the options of the data."""
    config, store = source.config, source.features
    kept, source.left_out = with_features(source.all_videos, store, config.skip_missing)
    if not kept:
        raise UserError(f"no video has features in {config.feature_path}: "
                        f"{listed(source.left_out)} are missing or broken")
    kept = _by_sidecars(source, kept)
    config = source.config
    check_rate(kept, store, config.feature_fps)
    kept = {video.name: _with_duration(video, store, config.feature_fps) for video in kept}
    source.videos = {use: [kept[video.name] for video in videos if video.name in kept]
                     for use, videos in source.videos.items()}
    source.config = complete(config, list(kept.values()), source.classes, store,
                             source.videos.get("train"))
    check_width(store, source.config.input_feat_dim)


def _by_sidecars(source, videos):
    """The videos with the durations that side-cars tell; rate and extractors go to the source."""
    cars = sidecars(source.features, [video.name for video in videos])
    if not cars:
        if source.features.has_own_files and not DATASETS[source.config.dataset].is_built_in:
            source.notes.append("the features have no side-cars (other tools made them): nothing "
                                "tells whether all were extracted alike")
        return videos
    source.extractors = identities(cars)
    given, rates = source.config.feature_fps, {
        identity["feature_fps"] for identity in source.extractors.values()}
    if len(rates) > 1 or given not in (None, *rates):
        raise UserError(f"the features in {source.config.feature_path} have "
                        f"{' and '.join(f'{rate:g}' for rate in sorted(rates))} features per "
                        "second by their side-cars" + (
                            "; extract all streams at one rate" if len(rates) > 1 else
                            f", but --feature_fps is {given:g}; leave it out"))
    source.config = dataclasses.replace(source.config, feature_fps=rates.pop())
    durations = {name: car.duration for name, car in next(iter(cars.values())).items()}
    odd = [video.name for video in videos if video.duration is not None
           and abs(video.duration - durations.get(video.name, video.duration))
           > max(FEW_SECONDS, ODD_DURATION * video.duration)]
    if odd:
        source.notes.append(f"{len(odd)} videos have another duration in the annotations than "
                            f"their file has: {listed(odd)}; are they annotated in other cuts?")
    return [dataclasses.replace(video, duration=durations.get(video.name, video.duration))
            for video in videos]


def check_rate(videos, store, feature_fps):
    """Refuse a rate of features that most videos' durations contradict."""
    rates = [store.lengths(video.name)[0] / video.duration for video in videos if video.duration]
    if feature_fps is None or not rates:
        return
    usual = statistics.median(rates)
    if not 1 / WRONG_RATE < usual / feature_fps < WRONG_RATE:
        raise UserError(f"--feature_fps is {feature_fps:g}, but by the durations of the videos "
                        f"there are {usual:.4g} features a second (the median of {len(rates)} "
                        "videos); leave --feature_fps out, or mend it or the durations")


def _with_duration(video, store, feature_fps):
    if video.duration is not None:
        return video
    if feature_fps is None:
        raise UserError(f"video {video.name} has no duration; give one in the annotations, or the "
                        "rate of the features with --feature_fps")
    return dataclasses.replace(video, duration=store.lengths(video.name)[0] / feature_fps)


def with_subset(config, videos):
    """The config, evaluating on `val` if the user names no subset and there is no other one."""
    there = {canonical(video.subset) for video in videos}
    if "subset" in config.given or canonical(config.subset) in there or "val" not in there:
        return config
    return dataclasses.replace(config, subset="val")


def by_use(config, videos, uses):
    """Which videos train, validate and are inferred. -> {use: list of Video}."""
    chosen = {}
    if set(uses) & set(TRAIN):
        training = training_videos(config, videos, uses)
        held = held_out(training)
        chosen["train"], chosen["val"] = training, held
        if config.val_split == "test":
            chosen["val"] = videos_of(videos, config.subset)
        elif config.val_split == "heldout":
            if training and len(held) == len(training):
                raise UserError(f"subset {config.train_subset} has one video, none can be held "
                                "out; use --val_split none")
            names = {video.name for video in held}
            chosen["train"] = [video for video in training if video.name not in names]
    if "infer" in uses:
        chosen["infer"] = sorted(videos_of(videos, config.subset), key=lambda video: video.order)
    return {use: chosen[use] for use in uses}


def training_videos(config, videos, uses):
    """Videos of the training subset. There may be none where inference is wanted too, unless the
    user names the subset."""
    there = {canonical(video.subset) for video in videos}
    if ("infer" in uses and "train_subset" not in config.given
            and canonical(config.train_subset) not in there):
        return []
    return videos_of(videos, config.train_subset)


def check_classes(source):
    """Refuse more classes than the network has scores for, naming the flag that fits."""
    config, count = source.config, len(source.classes) + 1
    if count > (config.decoder_num_classes or count):
        raise UserError(f"the annotations have {count - 1} classes, with background {count}, but "
                        f"--decoder_num_classes is {config.decoder_num_classes}; set "
                        f"--decoder_num_classes {count}")
