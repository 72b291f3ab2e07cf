"""Training windows drawn anew in every epoch, instead of a list that was cut once."""

import math
import random

import numpy as np

from Utils.data.annotations import frames_per_second
from Utils.inputs.dataset import WindowDataset
from Utils.inputs.windows import Window
from Utils.segments import inside

AN_EPOCH = 400   # windows of an epoch, at least, where the options do not tell
TRIES = 20   # draws of a window until it holds an action; the last one is taken as it is


class WindowDraw:
    """Draws windows of random videos: clips short enough to be stitched, and longer crops.

    videos: list of Video with durations. features: FeatureStore. config: Config, its data-derived
    fields filled. least: windows of an epoch where steps_per_epoch does not tell, but AN_EPOCH at
    least. Without self-stitching there are no clips.
    """

    def __init__(self, videos, features, config, least=AN_EPOCH):
        self.videos = videos
        self.frames = [features.lengths(video.name)[0] for video in videos]
        self.rates = [frames_per_second(video, frames)
                      for video, frames in zip(videos, self.frames, strict=True)]
        self.config = config
        steps = config.steps_per_epoch or math.ceil(max(AN_EPOCH, least) / config.batch_size)
        self.count = steps * config.batch_size

    def __call__(self, epoch):
        """The windows of one epoch, which depend on it and the seed alone. -> list of Window."""
        rng = random.Random(self.config.seed * 1_000_003 + epoch)
        return [self._window(rng) for _ in range(self.count)]

    def _window(self, rng):
        # Chosen once: clips hold an action more seldom, and would become too few by drawing again.
        is_clip = self.config.use_VSS and rng.random() < self.config.clip_share
        for _ in range(TRIES):
            row = rng.randrange(len(self.videos))
            first, last = self._span(self.frames[row], is_clip, rng)
            actions = np.rint(self.videos[row].feature_segments * self.rates[row])
            if inside(actions, first, last, self.config.min_inside).any():
                break
        return self._as_window(row, first, last)

    def _span(self, frames, is_clip, rng):
        """(first, last) frame of a clip or a crop of a video of `frames` frames."""
        config, length = self.config, self.config.temporal_scale
        if is_clip:
            count = rng.randint(*(round(share * length)
                                  for share in (config.min_clip, config.clip_win_size)))
        else:
            count = round(rng.uniform(config.min_crop, 1) * frames)
            if config.framing == "sliding":
                count = min(count, length)
        count = min(max(1, count), frames)
        first = rng.randint(0, frames - count)
        return first, first + count - 1

    def _as_window(self, row, first, last):
        video, rate = self.videos[row], self.rates[row]
        if self.config.framing == "sliding":
            return Window(video.name, first, last, rate, video.duration)
        # Whole videos are counted in seconds, and their frames spread over the duration.
        seconds = video.duration / self.frames[row]
        return Window(video.name, first * seconds, (last + 1) * seconds)


class RandomWindows(WindowDataset):
    """The windows of one epoch of a WindowDraw, as a WindowDataset."""

    def __init__(self, draw, videos, features, config):
        self.draw = draw
        super().__init__(draw(0), videos, features, config, with_targets=True)

    def redraw(self, epoch):
        """Draw the windows of an epoch. -> True."""
        self.fill(self.draw(epoch))
        return True

    @property
    def video_names(self):
        """Names of all videos that windows may be drawn of."""
        return list(self.videos)
