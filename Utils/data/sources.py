"""A dataset as the scripts use it: annotations and features together, checked against each other.

`open_source` is the one way in; it fills the options that come from the data.
"""

import dataclasses
import statistics
from collections import Counter
from dataclasses import dataclass, field

from Utils.config.derive import complete
from Utils.config.resolve import Config
from Utils.data.annotations import Video, canonical, check_units, odd_lines
from Utils.data.datasets import DATASETS, held_out, load_annotations, videos_of
from Utils.data.demo import ensure_demo
from Utils.data.features import FeatureStore, check_width, open_features, with_features
from Utils.data.sidecars import identities, sidecars
from Utils.files import UserError, listed

TRAIN, INFER = ("train", "val"), ("infer",)
# A video's features are of the rate given if they are this few more or less than it makes, in
# features or in seconds; of so many videos (a share) that are not, the rate is refused.
FEW_FEATURES, HALF_SECOND, SOME = 8, 0.5, 0.05
USUAL_WIDTH = 128   # the channels of networks are multiples of it
SAME_RATE = 0.01    # two rates that differ by this share are one
SLOWEST, FASTEST = 0.2, 1000.0    # features a second; others come from durations of another unit
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
    """Keep the videos with usable features, fill their durations and the options of the data."""
    config, store = source.config, source.features
    kept, source.left_out = with_features(source.all_videos, store, config.skip_missing)
    if not kept:
        raise UserError(f"no video has features in {config.feature_path}: "
                        f"{listed(source.left_out)} are missing or broken")
    kept = _by_sidecars(source, kept)
    config = source.config
    kept = [timed(video, store.lengths(video.name)[0], config) for video in kept]
    source.notes += check_rates(kept, store, config)
    odd = odd_shape([store.lengths(video.name)[0] for video in kept], store.widths[0])
    source.notes += [f"warning: videos of equal length: {odd}"] * bool(odd)
    check_units(kept)
    kept = {video.name: video for video in kept}
    source.videos = {use: [kept[video.name] for video in videos if video.name in kept]
                     for use, videos in source.videos.items()}
    source.config = complete(config, list(kept.values()), source.classes, store,
                             source.videos.get("train"))
    check_width(store, source.config.input_feat_dim, is_trained="train" not in source.videos)


def _by_sidecars(source, videos):
    """The videos with the durations that side-cars tell; rate and extractors go to the source."""
    cars = sidecars(source.features, [video.name for video in videos])
    if not cars:
        if source.features.has_own_files and not DATASETS[source.config.dataset].is_built_in:
            source.notes.append("the features have no side-cars (other tools made them): nothing "
                                "tells whether all were extracted alike")
        return videos
    source.extractors = identities(cars)
    given = source.config.given.get("feature_fps")
    rates = {identity["feature_fps"] for identity in source.extractors.values()}
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


def timed(video, num_frames, config):
    """The video with its duration, and the rate and shift of its features as the options say.

    num_frames: of its features. Raises UserError for what the annotations lack.
    """
    rate = config.feature_fps
    if config.feature_stride is not None:
        by_stride = _file_rate(video, config) / config.feature_stride
        if rate is not None and abs(by_stride / rate - 1) > SAME_RATE:
            raise UserError(f"--feature_fps {rate:g} and --feature_stride "
                            f"{config.feature_stride:g} contradict each other: video {video.name} "
                            f"would have {by_stride:.4g} features a second; leave one of them out")
        rate = by_stride if rate is None else rate
    shift = (config.clip_length / 2 / _file_rate(video, config)
             if config.clip_length is not None else 0.0)
    if video.duration is None and rate is None:
        raise UserError(f"video {video.name} has no duration; give one in the annotations, or the "
                        "rate of the features with --feature_fps")
    duration = video.duration
    if duration is None:
        duration = (num_frames - 1) / rate + 2 * shift if shift else num_frames / rate
    return dataclasses.replace(video, duration=duration, rate=rate, shift=shift)


def _file_rate(video, config):
    """Images per second of a video's file: of its annotations, else by rate and stride."""
    if video.fps is not None:
        return video.fps
    if config.feature_fps is not None and config.feature_stride is not None:
        return config.feature_fps * config.feature_stride
    flag = "feature_stride" if config.feature_stride is not None else "clip_length"
    raise UserError(f"--{flag} counts images, and video {video.name} has no 'fps' in the "
                    "annotations; give each video its 'fps', or its 'frame' and 'duration'" + (
                        "; or leave --feature_stride out and give --feature_fps"
                        if flag == "feature_stride" else ""))


def check_rates(videos, store, config):
    """Hold the rate of each video against its features and duration. -> notes.

    videos: as `timed` gives them. Raises UserError for durations of another unit than seconds, for
    features stored [channels, frames], and for a rate that does not fit many of the videos.
    """
    shapes = {video.name: (store.lengths(video.name)[0], store.widths[0]) for video in videos}
    rates = {video.name: shapes[video.name][0] / video.duration for video in videos}
    usual = statistics.median(rates.values())
    if not SLOWEST <= usual <= FASTEST:
        raise UserError(f"by their durations the videos have {usual:.3g} features a second (the "
                        f"median of {len(videos)}), which can hardly be: are the durations in "
                        "frames or milliseconds? give 'duration' in seconds")
    odd = [video for video in videos if not has_rate(video, shapes[video.name][0])]
    if not odd:
        return []
    given = (f"--feature_fps is {config.feature_fps:g}" if config.feature_fps is not None else
             f"--feature_stride is {config.feature_stride:g}")
    found = listed((f"{video.name} ({rates[video.name]:.4g} features a second, not "
                    f"{video.rate:.4g})" for video in odd), 3)
    if all(has_rate(video, shapes[video.name][1]) for video in odd):
        raise UserError(f"{given}, by which the features of {len(odd)} of {len(videos)} videos "
                        "seem to be stored [channels, frames], not [frames, channels]: "
                        f"{listed(video.name for video in odd)}; np.save(path, array.T) mends it")
    text = f"{given}, but by their durations {len(odd)} of {len(videos)} videos differ: {found}"
    if len(odd) <= SOME * len(videos):
        return [f"{text}; look at their features and durations"]
    raise UserError(f"{text}; leave the option out, so that each video has the rate that features "
                    "and duration make, or mend it or the durations" + (
                        "; for videos of several frame rates give --feature_stride, and each "
                        "video's 'fps' in the annotations" * (config.feature_stride is None)))


def odd_shape(frames, channels):
    """A question about videos that all have as many frames as others have channels; else None.

    frames: list, of each video.
    """
    count = frames[0]
    is_odd = count < channels or (count % USUAL_WIDTH == 0 and channels % USUAL_WIDTH)
    if len(frames) < 2 or len(set(frames)) > 1 or not is_odd:
        return None
    return (f"all {len(frames)} have {count} frames of {channels} channels: if that is {count} "
            f"channels of {channels} frames, they are stored [channels, frames]; "
            "np.save(path, array.T) mends it")


def has_rate(video, num_frames):
    """Whether so many features fit a video's duration and rate; True where no rate is given."""
    if video.rate is None:
        return True
    expected = video.duration * video.rate
    most = max(FEW_FEATURES, HALF_SECOND * video.rate)
    # Features of clips begin half a clip late, and end as much early.
    return expected - 2 * video.shift * video.rate - most <= num_frames <= expected + most


def with_splits(config, videos):
    """The config with the subset to evaluate and the videos to validate on, and notes about them.

    What the user names stays. Otherwise `val` is evaluated where the usual subset has no videos or
    none with actions; and nothing is held out of a single training video.
    """
    config, notes = _with_subset(config, videos)
    training = [v for v in videos if canonical(v.subset) == canonical(config.train_subset)]
    if len(training) == 1 and config.val_split == "heldout" and "val_split" not in config.given:
        config = dataclasses.replace(config, val_split="none")
        notes.append(f"subset {config.train_subset} has one video: nothing is held out, and the "
                     "validation loss is that of the training video")
    unused = Counter(video.subset for video in videos if canonical(video.subset) not in (
        canonical(config.train_subset), canonical(config.subset)))
    notes += [f"not used: {count} of subset {name} (--train_subset and --subset choose)"
              for name, count in unused.items()]
    return config, notes


def _with_subset(config, videos):
    """The config with the subset to evaluate, and notes."""
    labelled = {canonical(video.subset) for video in videos if len(video.labels)}
    there, wanted = {canonical(video.subset) for video in videos}, canonical(config.subset)
    is_hidden = wanted in there and wanted not in labelled
    if "subset" not in config.given and "val" in there and (
            wanted not in there or (is_hidden and "val" in labelled)):
        note = (f"no video of subset {config.subset} has an action: val is evaluated in its place; "
                f"--subset {config.subset} would infer on it all the same")
        return dataclasses.replace(config, subset="val"), [note] * is_hidden
    return config, [f"no video of subset {config.subset} has an action: Infer.py detects in them, "
                    "and Eval.py writes its detections, but has nothing to score"] * is_hidden


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
                                "out; leave --val_split out, or say --val_split none")
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
    return videos_of(videos, config.train_subset, "train_subset")


def check_classes(source):
    """Refuse more classes than the network has scores for, naming the flag that fits."""
    config, count = source.config, len(source.classes) + 1
    if count > (config.decoder_num_classes or count):
        wanted = config.decoder_num_classes
        remedy = (f"--decoder_num_classes is {wanted}; set --decoder_num_classes {count}"
                  if "train" in source.videos else
                  f"the network was trained on {wanted}; annotate with its classes, or train again")
        raise UserError(f"the annotations have {count - 1} classes, with background {count}, but "
                        f"{remedy}")
