"""A dataset as the scripts use it: annotations and features, checked against each other.

`open_source` is the only entry point. It also fills in the options that come from the
data.
"""

import dataclasses
from dataclasses import dataclass, field

from Utils.config.derive import complete
from Utils.config.options import Config
from Utils.data.annotations import Video, canonical, check_units
from Utils.data.datasets import DATASETS, load_annotations
from Utils.data.demo import ensure_demo
from Utils.data.feature_places import open_features
from Utils.data.features import FeatureStore, check_width, with_features
from Utils.data.odd_annotations import odd_lines
from Utils.data.rates import check_rates, odd_shape, timed
from Utils.data.sidecars import identities, sidecars
from Utils.data.splits import INFER, TRAIN, by_use, with_splits
from Utils.files import UserError, counted, listed

# Annotated durations are reported if they differ this much from the video files,
# as share or in s.
ODD_DURATION, FEW_SECONDS = 0.02, 1.0


@dataclass
class Source:
    """Videos by use (train, val, infer), all with features and durations.

    features: FeatureStore; None if none was needed and no folder was named. left_out:
    video -> why. notes: lines for the user. extractors: stream -> identity of its
    extractor, if sidecars say.
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
        return list({v.name: v
                     for videos in self.videos.values() for v in videos}.values())


def open_source(config, uses=(*TRAIN, *INFER), needs_features=True):
    """Open annotations and features of a dataset for some uses. -> Source.

    needs_features: False if durations are enough, as for cutting whole videos; then
    features are opened only if their folder is named. Raises UserError for everything
    that does not match. With --skip_missing, videos with missing or broken features
    are left out instead.
    """
    spec = DATASETS[config.dataset]
    if spec.is_built_in:
        ensure_demo(config.feature_path)
    annotations = load_annotations(config)
    config, notes = with_splits(config, annotations.videos)
    videos = by_use(config, annotations.videos, uses)
    source = Source(config, videos, annotations.classes, None,
                    [*annotations.notes, *notes, *odd_lines(annotations, config.train_subset)])
    if needs_features or config.feature_path is not None:
        source.features = open_features(config.feature_path, spec.feature_files, {
            canonical(video.subset) for video in source.all_videos}, config.follow_links)
        _match_features(source)
    check_classes(source)
    return source


def _match_features(source):
    """Keep the videos with usable features; fill in durations and options from the data."""
    config, store = source.config, source.features
    kept, source.left_out = with_features(source.all_videos, store, config.skip_missing)
    if not kept:
        raise UserError(f"no video has features in {config.feature_path}: "
                        f"{listed(source.left_out)} are missing or broken")
    kept = _by_sidecars(source, kept)
    config = source.config
    kept = [timed(video, store.lengths(video.name)[0], config) for video in kept]
    source.notes += check_rates(kept, store, config)
    # Features with sidecars are known to have the right orientation.
    odd = not source.extractors and odd_shape(
        [store.lengths(video.name)[0] for video in kept], store.widths[0])
    source.notes += [f"warning: videos of equal length: {odd}"] * bool(odd)
    check_units(kept)
    kept = {video.name: video for video in kept}
    source.videos = {use: [kept[video.name] for video in videos if video.name in kept]
                     for use, videos in source.videos.items()}
    source.config = complete(config, list(kept.values()), source.classes, store,
                             source.videos.get("train"))
    check_width(store, source.config.input_feat_dim,
                is_trained="train" not in source.videos)


def _by_sidecars(source, videos):
    """The videos with durations from sidecars; also store rate and extractors in the source."""
    cars = sidecars(source.features, [video.name for video in videos])
    if not cars:
        if source.features.has_own_files and not DATASETS[source.config.dataset].is_built_in:
            source.notes.append("the features have no sidecars (other tools made them), "
                                "so nothing says whether all were extracted in the same "
                                "way")
        return videos
    source.extractors = identities(cars)
    given = source.config.given.get("feature_fps")
    rates = {identity["feature_fps"] for identity in source.extractors.values()}
    if len(rates) > 1 or given not in (None, *rates):
        raise UserError(f"the features in {source.config.feature_path} have "
                        f"{' and '.join(f'{rate:g}' for rate in sorted(rates))} "
                        "features per second according to their sidecars" + (
                            "; extract all streams at one rate" if len(rates) > 1 else
                            f", but --feature_fps is {given:g}; leave it out"))
    source.config = dataclasses.replace(source.config, feature_fps=rates.pop())
    durations = {name: car.duration for name, car in next(iter(cars.values())).items()}
    odd = [video.name for video in videos if video.duration is not None
           and abs(video.duration - durations.get(video.name, video.duration))
           > max(FEW_SECONDS, ODD_DURATION * video.duration)]
    if odd:
        source.notes.append(f"{counted(len(odd), 'video')} with another duration in the "
                            f"annotations than in the file: {listed(odd)}; were other "
                            "versions of them annotated?")
    return [dataclasses.replace(video, duration=durations.get(video.name, video.duration))
            for video in videos]


def check_classes(source):
    """Refuse other numbers of classes than the network has scores for, naming the flag that fits.

    A network with one score for all classes can do with fewer of them: a note says so.
    """
    config, count = source.config, len(source.classes) + 1
    wanted = config.decoder_num_classes or count
    if count == wanted:
        return
    if config.class_agnostic and count < wanted:
        source.notes.append(f"the annotations have {count - 1} of {wanted - 1} classes, "
                            "which does not matter: the network has one score for all "
                            "of them")
        return
    remedy = (f"--decoder_num_classes is {wanted}; set --decoder_num_classes {count}"
              if "train" in source.videos else
              f"the network was trained on {wanted}; annotate with its classes, or train again")
    named = counted(count - 1, "class", "classes")
    raise UserError(f"the annotations have {named}, {count} with background, but "
                    f"{remedy}")
