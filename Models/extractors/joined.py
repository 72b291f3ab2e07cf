"""Several extractors as one, with the channels of all for the same steps."""

from collections.abc import Sequence

import numpy as np


class Joined:
    """The extractor `a+b`. parts: extractors with the same rate."""

    def __init__(self, parts):
        self.parts, self.rate = parts, parts[0].rate
        self.channels = sum(part.channels for part in parts)
        ids = [part.identity for part in parts]
        own = {"name": "+".join(identity["name"] for identity in ids),
               "feature_fps": self.rate, "channels": self.channels}
        # Values that differ between parts are listed in their order.
        self.identity = {name: own.get(name, [identity[name] for identity in ids])
                         for name in ids[0]}

    def sampler(self) -> object:
        """A sampler that turns the frames of one video into items, one per step."""
        return _JoinedSampler([part.sampler() for part in self.parts])

    def forward(self, items: Sequence) -> np.ndarray:
        """Features of some items. -> (n, channels) float32."""
        return np.concatenate([part.forward(list(own)) for part, own in zip(
            self.parts, zip(*items, strict=True), strict=True)], axis=1)


class _JoinedSampler:
    def __init__(self, samplers):
        self.samplers, self.waiting = samplers, [[] for _ in samplers]

    def push(self, frame):
        """Add one frame. -> items of the steps that all parts have completed."""
        return self._together([sampler.push(frame) for sampler in self.samplers])

    def finish(self, count):
        """The items of the remaining steps, `count` in the whole video. -> list."""
        return self._together([sampler.finish(count) for sampler in self.samplers])

    def _together(self, new):
        for waiting, items in zip(self.waiting, new, strict=True):
            waiting.extend(items)
        ready = min(map(len, self.waiting))
        done = list(zip(*(waiting[:ready] for waiting in self.waiting), strict=True))
        for waiting in self.waiting:
            del waiting[:ready]
        return done
