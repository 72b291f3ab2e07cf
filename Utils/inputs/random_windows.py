"""Training windows that are drawn anew in every epoch, instead of a fixed list."""

import math
import random

import numpy as np

from Utils.data.annotations import frames_per_second
from Utils.inputs.dataset import WindowDataset
from Utils.inputs.windows import Window
from Utils.segments import inside

TRIES = 20   # draws of a window until it holds an action; the last one is used as it is
# Windows per epoch, unless the options set it: as many as Cut listed, but no more
# than it takes to show a class this often (averaged over the classes) and an action
# this often, and at least LEAST_WINDOWS. docs/strong_recipe.md says how these
# numbers were found.
CLASS_VIEWS, ACTION_VIEWS, LEAST_WINDOWS = 300, 3, 400
SAMPLED = 400    # windows drawn to estimate how many actions one shows


class WindowDraw:
    """Draws windows from random videos: clips short enough to be stitched, and longer crops.

    videos: list of Video with durations. features: FeatureStore. config: Config
    without unset fields. listed: windows that Cut has listed. Without self-stitching
    there are no clips.
    """

    def __init__(self, videos, features, config, listed=LEAST_WINDOWS):
        self.videos = videos
        self.frames = [features.lengths(video.name)[0] for video in videos]
        self.rates = [frames_per_second(video, frames)
                      for video, frames in zip(videos, self.frames, strict=True)]
        self.config = config
        steps = config.steps_per_epoch or math.ceil(self._wanted(listed) / config.batch_size)
        self.count = steps * config.batch_size

    def __call__(self, epoch):
        """The windows of one epoch, which depend only on epoch and seed.

        -> list of Window.
        """
        rng = random.Random(self.config.seed * 1_000_003 + epoch)
        return [self._window(rng) for _ in range(self.count)]

    def _wanted(self, listed):
        """The length of an epoch in windows, see CLASS_VIEWS."""
        labels = np.concatenate([video.labels for video in self.videos])
        views = max(CLASS_VIEWS * len(np.unique(labels)), ACTION_VIEWS * len(labels))
        rng = random.Random(0)      # fixed, so that every training is equally long
        shown = sum(self._drawn(rng)[-1] for _ in range(SAMPLED)) / SAMPLED
        return max(LEAST_WINDOWS, min(listed, views / max(shown, 1)))

    def _window(self, rng):
        row, first, last, _ = self._drawn(rng)
        return self._as_window(row, first, last)

    def _drawn(self, rng):
        """A random window: row of its video, first and last frame, number of actions it holds."""
        # Decided once: clips hold an action less often,
        # so redrawing would make them too rare.
        is_clip = self.config.use_VSS and rng.random() < self.config.clip_share
        for _ in range(TRIES):
            row = rng.randrange(len(self.videos))
            first, last = self._span(self.frames[row], is_clip, rng)
            actions = np.rint(self.videos[row].feature_segments * self.rates[row])
            held = int(inside(actions, first, last, self.config.min_inside).sum())
            if held:
                break
        return row, first, last, held

    def _span(self, frames, is_clip, rng):
        """(first, last) frame of a clip or crop of a video with `frames` frames."""
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
        # Whole-video framing counts in seconds, with the frames spread over the duration.
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
        """Names of all videos from which windows may be drawn."""
        return list(self.videos)
