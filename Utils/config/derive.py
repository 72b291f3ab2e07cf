"""Options taken from the data unless the user gives them.

They are framing, T, anchors, channels and classes. The rules are this project's own;
each is a guess that a flag overrides.
"""

import dataclasses
import math

import numpy as np

from Utils.config.options import Config

DERIVED = ("framing", "temporal_scale", "input_feat_dim", "decoder_num_classes", "anchor_scale",
           "bb_hidden_dim")
LONGEST_INPUT = Config.temporal_scale      # the paper's
# Few long actions per video: whole videos. Many short ones: sliding windows.
WHOLE_SHARE, WHOLE_ACTIONS = 0.25, 3
# Hidden channels by the number of training actions: 64 was measured (docs/strong_recipe.md), 256 is
# the paper's for the 3000 actions of THUMOS14, 128 lies between.
WIDTHS = ((1500, 64), (3000, 128))


def complete(config, videos, classes, store, training=None):
    """Fill in the options that are None from the data. -> Config.

    videos: those that have features, with known durations. store: their FeatureStore.
    training: the videos to train on; all if None.
    """
    training = videos if training is None else training
    if all(getattr(config, name) is not None for name in DERIVED):
        return config
    frames = np.array([store.lengths(video.name)[0] for video in videos], dtype=float)
    durations = np.array([video.duration for video in videos])
    # Length of every action as a share of its video, and the frames of that video.
    shares = np.concatenate([(video.segments[:, 1] - video.segments[:, 0]) / video.duration
                             for video in videos] or [[]]).clip(0, 1)
    of_video = np.repeat(frames, [len(video.labels) for video in videos])
    if all(video.rate is not None for video in videos):
        of_video = np.repeat(durations * np.array([video.rate for video in videos]),
                             [len(video.labels) for video in videos])
    framing = config.framing or choose_framing(shares, len(videos))
    length = config.temporal_scale or choose_length(frames, shares * of_video, framing, config)
    if framing == "whole":
        of_video = of_video.clip(max=length)
    return dataclasses.replace(
        config, framing=framing, temporal_scale=length,
        input_feat_dim=config.input_feat_dim or sum(store.stored_widths),
        decoder_num_classes=config.decoder_num_classes or len(classes) + 1,
        anchor_scale=config.anchor_scale or choose_anchors(shares * of_video, config),
        bb_hidden_dim=config.bb_hidden_dim or choose_width(
            sum(len(video.labels) for video in training)))


def choose_framing(shares, num_videos):
    """Whole videos if the typical action fills much of its video and there are few per video.

    Else sliding windows. shares: (A,) length of each action / length of its video.
    """
    is_large = len(shares) > 0 and np.median(shares) > WHOLE_SHARE
    return "whole" if is_large and len(shares) <= WHOLE_ACTIONS * num_videos else "sliding"


def choose_length(frames, action_frames, framing, config):
    """Input length T in frames.

    It has room for most videos if they fit the paper's 1280, else (sliding) for twice
    a long action. It is a multiple of the coarsest stride, and long enough for K
    neighbours at the coarsest level.
    """
    unit = config.base_stride * 2 ** (config.num_levels - 1)
    least = config.num_neigh * 2 ** config.num_levels if config.use_xGPN else unit
    wanted = np.quantile(frames, 0.95) if len(frames) else LONGEST_INPUT
    if framing == "sliding" and wanted > LONGEST_INPUT and len(action_frames):
        wanted = 2 * np.quantile(action_frames, 0.95)
    wanted = max(min(wanted, LONGEST_INPUT), least)
    return math.ceil(wanted / unit) * unit


def choose_width(num_actions):
    """Hidden channels: fewer if there are few training actions."""
    return next((width for limit, width in WIDTHS if num_actions < limit), Config.bb_hidden_dim)


def choose_anchors(action_frames, config):
    """Two anchor scales, in cells, that centre the pyramid on the actions' lengths.

    action_frames: (A,) lengths in frames.
    """
    if not len(action_frames):
        return Config.anchor_scale
    short, long = np.quantile(action_frames, [0.1, 0.9]).clip(1)
    finest, coarsest = config.base_stride, config.base_stride * 2 ** (config.num_levels - 1)
    scale = max(1.0, round(2 * math.sqrt(short / finest * long / coarsest)) / 2)
    return (scale, 1.5 * scale)
