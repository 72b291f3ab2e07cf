"""Clips of frames around the middle of each step, chosen by time, with edges repeated."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

LATE = 1e-6     # seconds by which a frame may come after the time it stands for


@dataclass(frozen=True)
class ClipShape:
    """What a network sees: `frames` at `fps`, resized, then the middle cut out.

    resize: (height, width), or (short side,). crop: (height, width).
    """
    frames: int
    fps: float
    resize: tuple[int, ...]
    crop: tuple[int, int]

    def resized(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of a frame before cropping, never smaller than the crop."""
        if len(self.resize) == 2:
            height, width = self.resize
        else:
            scale = self.resize[0] / min(width, height)
            width, height = round(width * scale), round(height * scale)
        return max(width, self.crop[1]), max(height, self.crop[0])


class ClipSampler:
    """Clips (frames, height, width, 3) uint8 of the steps of one video, as its frames arrive."""

    def __init__(self, shape, rate):
        self.shape, self.rate, self.step = shape, rate, 0
        self.offsets = (np.arange(shape.frames) - (shape.frames - 1) / 2) / shape.fps
        self.kept = deque()     # (seconds, picture) needed by later steps, oldest first

    def push(self, frame: object) -> list:
        """Add one frame. -> clips of the steps that it completes."""
        size = self.shape.resized(frame.width, frame.height)
        left, top = ((side - cut) // 2 for side, cut in zip(size, self.shape.crop[::-1],
                                                            strict=True))
        picture = frame.pixels(*size, "rgb24")[top:top + self.shape.crop[0],
                                               left:left + self.shape.crop[1]]
        done = []
        while self.kept and self._times()[-1] + LATE < frame.seconds:
            done.append(self._clip())
        self.kept.append((frame.seconds, picture))
        self._forget()
        return done

    def finish(self, count: int) -> list:
        """The clips of the remaining steps, `count` in the whole video. -> list."""
        return [self._clip() for _ in range(self.step, count)]

    def _times(self):
        return (self.step + 0.5) / self.rate + self.offsets

    def _clip(self):
        """The clip of the next step: for each time, the frame that is shown then."""
        shown = np.array([seconds for seconds, _ in self.kept])
        rows = (np.searchsorted(shown, self._times() + LATE, side="right") - 1).clip(0)
        self.step += 1
        clip = np.stack([self.kept[row][1] for row in rows])
        self._forget()
        return clip

    def _forget(self):
        """Drop frames before the one that is shown at the first time needed."""
        first = self._times()[0] + LATE
        while len(self.kept) > 1 and self.kept[1][0] <= first:
            self.kept.popleft()


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """A single thread on a CPU, so that numbers do not depend on the number of threads."""
    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def forward_clips(network: Callable, clips: Sequence[np.ndarray], device: torch.device,
                  precision: str) -> np.ndarray:
    """Features of clips, (channels, ...) float32 tensors of one shape. -> (n, D) float32.

    On a CPU one by one: a batch would not be faster, but would change the last digits.
    """
    at_once = 1 if device == "cpu" else len(clips)
    parts = []
    with one_thread(device), torch.autocast(torch.device(device).type, torch.bfloat16,
                                            enabled=precision == "bf16"):
        for first in range(0, len(clips), at_once):
            batch = torch.stack(clips[first:first + at_once]).to(device)
            parts.append(network(batch).float().cpu())
    return torch.cat(parts).numpy()


def sha256_of_files(paths: Iterable[str | Path]) -> str:
    """The sha256 of the concatenated contents of some files, as a hex digest."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while part := file.read(2 ** 20):
                digest.update(part)
    return digest.hexdigest()
