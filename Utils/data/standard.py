"""Standardization of features: (channel - mean) / deviation, over the training videos.

Train.py measures mean and deviation and stores them in the checkpoint; they are
applied when features are read.
"""

import math
from dataclasses import dataclass

import numpy as np

from Utils.files import UserError

CHUNK = 4096        # frames read at once
UNEVEN = 10         # ratio of large to small deviations of channels, see `is_uneven`
LOOKED_AT = 50      # number of videos used to decide whether channels are uneven
CONSTANT = 1e-6     # a channel with a smaller ratio of deviation to largest value is constant


@dataclass(frozen=True)
class Standard:
    """Mean and factor of each channel, by stream: (channels,) float32.

    The factor is 1 / deviation; 0 for a constant channel, which becomes zeros.
    """
    means: dict[str, np.ndarray]
    factors: dict[str, np.ndarray]

    def __call__(self, stream, frames):
        """Frames (n, channels) of one stream, standardized."""
        return (frames - self.means[stream]) * self.factors[stream]

    @property
    def num_constant(self):
        """Number of constant channels in all streams."""
        return sum(int((factor == 0).sum()) for factor in self.factors.values())

    def state(self):
        """Its form in a checkpoint: {stream: {"mean", "factor"}} with tensors."""
        import torch  # takes seconds to import, and cutting does not need it

        return {stream: {"mean": torch.from_numpy(mean.copy()),
                         "factor": torch.from_numpy(self.factors[stream].copy())}
                for stream, mean in self.means.items()}

    @classmethod
    def of(cls, state):
        """The inverse of `state`; None for None, as in a checkpoint without standardization."""
        if state is None:
            return None
        try:
            means = {stream: part["mean"].numpy() for stream, part in state.items()}
            factors = {stream: part["factor"].numpy() for stream, part in state.items()}
        except (AttributeError, LookupError, TypeError) as problem:
            raise UserError("the checkpoint's means and deviations of the features are not as "
                            f"Train.py writes them ({problem!r}); train again "
                            "with --overwrite") from None
        return cls(means, factors)

    def fitting(self, store):
        """The Standard for a store that has all streams joined in one; otherwise unchanged."""
        widths = [len(mean) for mean in self.means.values()]
        if len(store.streams) > 1 or len(widths) == 1 or store.widths != (sum(widths),):
            return self
        if store.deltas:        # they lie between the streams of the training
            return self
        return Standard(*({store.streams[0]: np.concatenate([*parts.values()])}
                          for parts in (self.means, self.factors)))

    @classmethod
    def measured(cls, store, videos):
        """The Standard of the features of some videos (names), read once, in parts."""
        means, factors = {}, {}
        for stream in store.streams:
            means[stream], deviation, largest = _moments(store, videos, stream)
            is_constant = deviation <= CONSTANT * np.maximum(largest, np.finfo(np.float32).tiny)
            with np.errstate(divide="ignore"):
                factors[stream] = np.where(is_constant, 0, 1 / deviation).astype(np.float32)
        return cls(means, factors)


def is_uneven(store, videos):
    """Whether the channels have very different deviations.

    That is: their 90 % quantile is more than UNEVEN times the 10 % one, as in raw
    coordinates or measurements in several units. Constant channels do not count.
    """
    if not videos:
        return False
    few = videos[::math.ceil(len(videos) / LOOKED_AT)]
    factors = np.concatenate([*Standard.measured(store, few).factors.values()])
    factors = factors[factors > 0]
    low, high = np.quantile(factors, (0.1, 0.9)) if len(factors) else (1, 1)
    return bool(high > UNEVEN * low)


def check_streams(standard, store):
    """Refuse to standardize features with other streams or widths than those measured."""
    measured = {stream: len(mean) for stream, mean in standard.means.items()}
    found = dict(zip(store.streams, store.widths, strict=True))
    if measured != found:
        raise UserError(f"the features have the channels {_channels(found)}, the checkpoint was "
                        f"trained on {_channels(measured)}; give it features of the same streams "
                        "with --feature_path")


def _channels(widths):
    """Streams and their widths in words: `rgb 1024 + flow 1024`."""
    return " + ".join(f"{stream} {width}" for stream, width in widths.items())


def _moments(store, videos, stream):
    """Mean (float32), deviation and largest absolute value (float64) of the channels."""
    count, mean, squares, largest = 0, 0.0, 0.0, 0.0
    for video in videos:
        for start in range(0, store.shape(video, stream)[0], CHUNK):
            frames = store.read(video, stream, start, start + CHUNK).astype(np.float64)
            # Chan's update stays exact where a sum of squares would lose small deviations.
            share = len(frames) / (count + len(frames))
            centre = frames.mean(axis=0)
            squares = (squares + ((frames - centre) ** 2).sum(axis=0)
                       + (centre - mean) ** 2 * count * share)
            mean, count = mean + (centre - mean) * share, count + len(frames)
            largest = np.maximum(largest, np.abs(frames).max(axis=0))
    return mean.astype(np.float32), np.sqrt(squares / count), largest
