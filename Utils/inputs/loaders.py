"""Loaders of the window lists, for the scripts that feed the network."""

import dataclasses
import math
from pathlib import Path

import numpy as np

from Utils.config.checks import check_stored
from Utils.data.annotations import Video, frames_per_second
from Utils.data.features import check_width
from Utils.data.sidecars import check_identities, fingerprints, identities, sidecars
from Utils.data.sources import INFER, TRAIN, Source, open_source, timed
from Utils.data.standard import Standard, check_streams, is_uneven
from Utils.files import UserError
from Utils.inputs.dataset import WindowDataset
from Utils.inputs.loader import WindowLoader
from Utils.inputs.random_windows import RandomWindows, WindowDraw
from Utils.inputs.windows import (
    RATES,
    check_window_settings,
    cut_sliding_inference,
    cut_whole_inference,
    inference_clip,
    read_windows,
)

FEW_ACTIONS = 100   # of validation: fewer do not tell epochs apart
SAME_RATE = 1.05    # of the videos: the highest rate of features over the lowest, at most
PARTS = {"none": " (of a fifth of the training videos: nothing is held out)"}
SHOWN = 40      # validation windows at most where nothing is chosen by their loss


def training_loaders(config, process, before=None):
    """Loaders of the training and the validation list, and their source.

    process: Utils.training.process.Processes. before: the checkpoint that is resumed, if any.
    Returns Source, whose config has what the data decide, (train loader, val loader), lines for the
    log.
    """
    config, source, lists = open_lists(config, TRAIN)
    if before:
        use_features_of(before, source.features, source.extractors, config.checkpoint_path)
    elif standardizes(config, source):
        source.features.standard = Standard.measured(
            source.features, [video.name for video in source.videos["train"]])
    if config.val_split == "none":
        lists[1] = lists[1][::math.ceil(len(lists[1]) / SHOWN)]
    train, val = (window_loader(config, source, windows, process, is_training)
                  for windows, is_training in zip(lists, (True, False), strict=True))
    kind = "random" if config.random_windows else "training"
    lines = [*source.notes, *left_out_lines(source), *standard_lines(source),
             f"{len(train.dataset)} {kind} windows an epoch and {len(val.dataset)} for validation"
             f"{PARTS.get(config.val_split, '')}; {train.describe()}"]
    if config.best_by == "map":
        lines += few_to_choose_by(source.videos["val"])
    return source, (train, val), lines


def standardizes(config, source):
    """Whether the features are to be standardised in training."""
    if config.standardize != "auto":
        return config.standardize == "on"
    return bool(source.extractors) or (config.recipe == "strong" and is_uneven(
        source.features, [video.name for video in source.videos["train"]]))


def few_to_choose_by(videos):
    """A line where the validation videos have too few actions to tell epochs apart by their mAP."""
    count = sum(len(video.labels) for video in videos)
    return [f"warning: --best_by map chooses the best epoch by {count} actions of {len(videos)} "
            f"validation videos; with fewer than {FEW_ACTIONS} differences between epochs are "
            "mostly chance: --checkpoint last, or more videos for validation, is safer"
            ] * (count < FEW_ACTIONS)


def standard_lines(source):
    """A line about standardised features, if they are."""
    standard = source.features.standard
    if standard is None:
        return []
    constant = standard.num_constant
    return ["features are standardised by channel, as in the training videos" + (
        f"; {constant} constant channels became zeros" if constant else "")]


def feature_state(source):
    """What a checkpoint holds about the features: their standardising, what made them, and how many
    there are per second."""
    standard, rate = source.features.standard, usual_rate(source)
    return ({"standard": standard.state()} if standard else {}) | (
        {"extractors": source.extractors} if source.extractors else {}) | (
        {"feature_rate": rate} if rate else {})


def usual_rate(source):
    """Features per second of the videos; None where they differ."""
    rates = sorted(frames_per_second(video, source.frames(video)) for video in source.all_videos)
    return rates[len(rates) // 2] if rates and rates[-1] <= SAME_RATE * rates[0] else None


def use_features_of(checkpoint, store, extractors, path):
    """Read features as a checkpoint was trained on them; refuse those of another extractor.

    extractors: {stream: identity} of the features, where side-cars tell. path: for messages.
    """
    check_identities(extractors, checkpoint.get("extractors"), path)
    store.standard = Standard.of(checkpoint.get("standard"))
    if store.standard:
        store.standard = store.standard.fitting(store)
        check_streams(store.standard, store)


def inference_loader(config, process, checkpoint):
    """As `training_loaders`, of the inference list: Source, loader, lines for the log.

    checkpoint: its content, which says how features are standardised.
    """
    config, source, (windows,) = open_lists(config, INFER)
    use_features_of(checkpoint, source.features, source.extractors, config.checkpoint_path)
    loader = window_loader(config, source, windows, process, is_training=None)
    lines = [*source.notes, *left_out_lines(source), *standard_lines(source),
             f"{len(loader.dataset)} windows; {loader.describe()}"]
    return source, loader, lines


def videos_loader(config, process, store, videos):
    """A loader of every window of some videos of a FeatureStore, in order.

    videos: Video with durations; they need no windows cut before, and no actions.
    """
    clip, windows = inference_clip(config), []
    for video in videos:
        frames = store.lengths(video.name)[0]
        rate = frames_per_second(video, frames)
        windows += (cut_sliding_inference(video, frames, rate, config.temporal_scale,
                                          config.infer_windows, clip)
                    if config.framing == "sliding" else
                    cut_whole_inference(video, clip and clip / rate))
    source = Source(config, {"infer": videos}, (), store)
    return window_loader(config, source, windows, process, is_training=None)


def unlabelled(config, checkpoint, store, names, durations):
    """Videos without actions, of which nothing is known but features. -> list of Video.

    checkpoint: its content, as which the features are read from now on. durations: {name: seconds
    or None}, as far as they are known. Rates are those of the options, else of side-cars, else
    follow from the durations, else are those that the network was trained on.
    """
    check_width(store, config.input_feat_dim, is_trained=True)
    cars = sidecars(store, names)
    use_features_of(checkpoint, store, identities(cars), config.checkpoint_path)
    cars = next(iter(cars.values()), {})
    videos = []
    for name in names:
        car, duration = cars.get(name), durations.get(name)
        if duration is None and car:
            duration = car.duration
        rate = config.feature_fps or (car and car.rate)
        if rate is None and duration is None:
            rate = checkpoint.get("feature_rate")
        if rate is None and duration is None:
            raise UserError(f"video {name}: tell how many features per second there are, with "
                            "--feature_fps")
        bare = Video(name, "", duration, np.zeros((0, 2)), np.zeros(0, np.int64))
        videos.append(timed(bare, store.lengths(name)[0],
                            dataclasses.replace(config, feature_fps=rate)))
    return videos


def open_lists(config, names):
    """The windows of some lists, and their source, checked against each other and the config."""
    paths = [Path(config.window_path) / f"{name}.json" for name in names]
    lists, all_settings = zip(*map(read_windows, paths), strict=True)
    for path, windows in zip(paths, lists, strict=True):
        if not windows:
            raise UserError(f"no windows in {path}; Cut_long_videos.py tells why: run it again "
                            "with other options or annotations")
    for path, stored in zip(paths, all_settings, strict=True):
        check_stored(stored or {}, path)
    config = fill_unset(config, all_settings[0] or {})
    for path, settings in zip(paths, all_settings, strict=True):
        # Before the features are held against a rate that is not that of the windows.
        check_window_settings({name: value for name, value in (settings or {}).items()
                               if name in RATES}, config, path)
    source = open_source(config, names)
    for path, settings in zip(paths, all_settings, strict=True):
        made_by = fingerprints(source.extractors) or None
        if settings and settings.pop("extractors", None) != made_by:
            raise UserError(f"{path} was cut for features of another extractor than those in "
                            f"{config.feature_path}; run Cut_long_videos.py again")
        if settings is None:
            source.notes.append(f"{path} has no settings (the authors' layout): nothing tells "
                                "whether it was cut with this run's options")
        else:
            check_window_settings(settings, source.config, path)
    return source.config, source, [kept(windows, source) for windows in lists]


def fill_unset(config, stored):
    """Options that come from the data, as the windows were cut with them."""
    unset = {name: tuple(value) if isinstance(value, list) else value
             for name, value in stored.items()
             if hasattr(config, name) and getattr(config, name) is None}
    return dataclasses.replace(config, **unset)


def kept(windows, source):
    """The windows without those of videos left out by --skip_missing."""
    windows = [window for window in windows if window.video not in source.left_out]
    if not windows:
        raise UserError("every video of the windows is left out: none has usable features in "
                        f"{source.config.feature_path}")
    return windows


def left_out_lines(source):
    """A line about videos left out, if there are any."""
    return [f"left out {len(source.left_out)} videos without usable features"] * bool(
        source.left_out)


def window_loader(config, source, windows, process, is_training):
    """A loader of `windows`. is_training: True shuffled, or random windows in their stead; False in
    order; None in order and without targets."""
    data = source.features, config
    if is_training and config.random_windows:
        draw = WindowDraw(source.videos["train"], source.features, config, least=len(windows))
        dataset = RandomWindows(draw, source.videos["train"], *data)
    else:
        videos = {video.name: video for video in source.all_videos}
        dataset = WindowDataset(windows, videos.values(), *data,
                                with_targets=is_training is not None)
    return WindowLoader(dataset, config.batch_size, process.device, shuffle=bool(is_training),
                        seed=config.seed, drop_last=bool(is_training), rank=process.rank,
                        world=process.world, num_workers=config.num_workers, cache=config.cache)
