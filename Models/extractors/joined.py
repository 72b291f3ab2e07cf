"""Several extractors as one: the channels of all, of the same steps."""

import numpy as np


class Joined:
    """The extractor called `a+b`. parts: extractors of one rate."""

    def __init__(self, parts):
        self.parts, self.rate = parts, parts[0].rate
        self.channels = sum(part.channels for part in parts)
        ids = [part.identity for part in parts]
        own = {"name": "+".join(identity["name"] for identity in ids),
               "feature_fps": self.rate, "channels": self.channels}
        # What differs from part to part is listed in their order.
        self.identity = {name: own.get(name, [identity[name] for identity in ids])
                         for name in ids[0]}

    def sampler(self):
        """What turns the frames of one video into the items of its steps."""
        return _JoinedSampler([part.sampler() for part in self.parts])

    def forward(self, items):
        """Features of some items. -> (n, channels) float32."""
        return np.concatenate([part.forward(list(own)) for part, own in zip(
            self.parts, zip(*items, strict=True), strict=True)], axis=1)


class _JoinedSampler:
    def __init__(self, samplers):
        self.samplers, self.waiting = samplers, [[] for _ in samplers]

    def push(self, frame):
        """Take one frame. -> items of the steps that all parts have completed."""
        return self._together([sampler.push(frame) for sampler in self.samplers])

    def finish(self, count):
        """The items of the steps still open, `count` of the whole video. -> list."""
        return self._together([sampler.finish(count) for sampler in self.samplers])

    def _together(self, new):
        for waiting, items in zip(self.waiting, new, strict=True):
            waiting.extend(items)
        ready = min(map(len, self.waiting))
        done = list(zip(*(waiting[:ready] for waiting in self.waiting), strict=True))
        for waiting in self.waiting:
            del waiting[:ready]
        return done
