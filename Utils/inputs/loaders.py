"""Loaders for the window lists, used by the scripts that run the network."""

import dataclasses
import math
from pathlib import Path

import numpy as np

from Utils.config.checks import check_stored
from Utils.data.annotations import Video, frames_per_second
from Utils.data.features import check_width
from Utils.data.rates import timed
from Utils.data.sidecars import fingerprints, identities, sidecars
from Utils.data.sources import Source, open_source
from Utils.data.splits import INFER, TRAIN
from Utils.files import UserError, counted
from Utils.inputs.dataset import WindowDataset
from Utils.inputs.loader import WindowLoader
from Utils.inputs.random_windows import RandomWindows, WindowDraw
from Utils.inputs.trained_features import prepare_features, standard_lines, use_features_of
from Utils.inputs.window_file import RATES, check_window_settings, read_windows
from Utils.inputs.windows import cut_sliding_inference, cut_whole_inference, inference_clip

FEW_ACTIONS = 100   # validation actions; fewer cannot distinguish epochs
PARTS = {"none": " (from a fifth of the training videos; nothing is held out)"}
SHOWN = 40      # validation windows at most, if their loss chooses nothing


def training_loaders(config, process, before=None):
    """Loaders for the training and validation lists, and their source.

    process: Utils.training.process.Processes. before: the checkpoint to resume, if any.
    Returns Source (its config completed from the data), (train loader, val loader), lines for the
    log.
    """
    config, source, lists = open_lists(config, TRAIN, before)
    if not before:
        config = source.config = prepare_features(config, source)
    if config.val_split == "none":
        lists[1] = lists[1][::math.ceil(len(lists[1]) / SHOWN)]
    train, val = (window_loader(config, source, windows, process, is_training)
                  for windows, is_training in zip(lists, (True, False), strict=True))
    kind = "random" if config.random_windows else "training"
    lines = [*source.notes, *left_out_lines(source), *standard_lines(source),
             f"{counted(len(train.dataset), f'{kind} window')} per epoch and {len(val.dataset)} "
             "for validation"
             f"{PARTS.get(config.val_split, '')}; {train.describe()}"]
    if config.best_by == "map":
        lines += few_to_choose_by(source.videos["val"])
    return source, (train, val), lines


def few_to_choose_by(videos):
    """A warning if there are too few validation actions to choose an epoch by mAP."""
    count = sum(len(video.labels) for video in videos)
    return [f"warning: --best_by map chooses the best epoch by {counted(count, 'action')} of "
            f"{counted(len(videos), 'validation video')}; with fewer than {FEW_ACTIONS} actions, "
            "differences between epochs are mostly chance: --checkpoint last, or more validation "
            "videos, is safer"] * (count < FEW_ACTIONS)


def inference_loader(config, process, checkpoint):
    """As `training_loaders`, for the inference list.

    -> Source, loader, lines for the log.
    checkpoint: its content, which says how to standardize features.
    """
    config, source, (windows,) = open_lists(config, INFER, checkpoint)
    loader = window_loader(config, source, windows, process, is_training=None)
    lines = [*source.notes, *left_out_lines(source), *standard_lines(source),
             f"{counted(len(loader.dataset), 'window')}; {loader.describe()}"]
    return source, loader, lines


def videos_loader(config, process, store, videos):
    """A loader for all windows of some videos of a FeatureStore, in order.

    videos: list of Video with durations. They need neither window lists nor actions.
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
    """Videos without annotations, known only by their features. -> list of Video.

    checkpoint: its content, by which features are standardized from now on. durations: {name:
    seconds or None}. Rates come from the options, or else from sidecars, durations, or the
    training of the network.
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
            raise UserError(f"video {name}: give the number of features per second with "
                            "--feature_fps")
        bare = Video(name, "", duration, np.zeros((0, 2)), np.zeros(0, np.int64))
        videos.append(timed(bare, store.lengths(name)[0],
                            dataclasses.replace(config, feature_fps=rate)))
    return videos


def open_lists(config, names, checkpoint=None):
    """The windows of some lists and their source, checked against each other and the config.

    checkpoint: whose features are to be used as in its training, if any.
    """
    paths = [Path(config.window_path) / f"{name}.json" for name in names]
    lists, all_settings = zip(*map(read_windows, paths), strict=True)
    for path, windows in zip(paths, lists, strict=True):
        if not windows:
            raise UserError(f"no windows in {path}; run Cut_long_videos.py again with other "
                            "options or annotations: it says why there are none")
    for path, stored in zip(paths, all_settings, strict=True):
        check_stored(stored or {}, path)
    config = fill_unset(config, all_settings[0] or {})
    for path, settings in zip(paths, all_settings, strict=True):
        # Checked first, or features would be compared with a rate other than that of the windows.
        check_window_settings({name: value for name, value in (settings or {}).items()
                               if name in RATES}, config, path)
    source = open_source(config, names)
    if checkpoint:
        # Before the windows, as cutting again would not help against features of another extractor.
        use_features_of(checkpoint, source.features, source.extractors, config.checkpoint_path)
    for path, settings in zip(paths, all_settings, strict=True):
        made_by = fingerprints(source.extractors) or None
        if settings and settings.pop("extractors", None) != made_by:
            raise UserError(f"{path} was cut for features of another extractor than those in "
                            f"{config.feature_path}; run Cut_long_videos.py again")
        if settings is None:
            source.notes.append(f"{path} has no settings (the authors' layout), so it may have "
                                "been cut with other options than this run's")
        else:
            check_window_settings(settings, source.config, path)
    return source.config, source, [kept(windows, source) for windows in lists]


def fill_unset(config, stored):
    """The config with unset options filled in from those with which the windows were cut."""
    unset = {name: tuple(value) if isinstance(value, list) else value
             for name, value in stored.items()
             if hasattr(config, name) and getattr(config, name) is None}
    return dataclasses.replace(config, **unset)


def kept(windows, source):
    """The windows, except those of videos left out by --skip_missing."""
    windows = [window for window in windows if window.video not in source.left_out]
    if not windows:
        raise UserError("every video of the windows is left out: none has usable features in "
                        f"{source.config.feature_path}")
    return windows


def left_out_lines(source):
    """A list with a line about videos left out, empty if there are none."""
    return [f"left out {counted(len(source.left_out), 'video')} without usable features"] * bool(
        source.left_out)


def window_loader(config, source, windows, process, is_training):
    """A loader for `windows`.

    is_training: True for shuffled windows, or for random ones in their place; False
    for windows in order; None for windows in order without targets.
    """
    data = source.features, config
    if is_training and config.random_windows:
        draw = WindowDraw(source.videos["train"], source.features, config, len(windows))
        dataset = RandomWindows(draw, source.videos["train"], *data)
    else:
        videos = {video.name: video for video in source.all_videos}
        dataset = WindowDataset(windows, videos.values(), *data,
                                with_targets=is_training is not None)
    return WindowLoader(dataset, config.batch_size, process.device, shuffle=bool(is_training),
                        seed=config.seed, drop_last=bool(is_training), rank=process.rank,
                        world=process.world, num_workers=config.num_workers, cache=config.cache)
