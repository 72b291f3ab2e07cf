"""Classical dense motion descriptors, which need no training and no GPU.

Histograms of oriented gradients (HOG), of optical flow (HOF) and of motion boundaries (MBH; Dalal,
Triggs and Schmid 2006; Laptev et al. 2008; Wang and Schmid 2013) on grids of cells, and how much
became brighter or darker beyond what moved. Camera motion, taken as the median flow, is removed.
Each step gets the mean and the maximum over its pairs of frames.
"""

import math
from collections.abc import Sequence

import numpy as np

from Utils.files import UserError

try:
    import cv2
except ImportError:
    raise UserError("the extractor motion needs OpenCV: pip install -r "
                    "requirements-video.txt") from None

LONG_SIDE = 160         # pixels of the frames that are described
FLOW_SHARE = 0.5        # size of the pictures whose flow is computed, as a share of it
PAIRS = 3               # pairs of frames per step
GRIDS = (1, 3)          # cells per side; each grid covers the frame
BINS = 8                # directions per histogram
STILL = 0.02            # slower flow, in long sides per second, counts as still
DIFFERENCE = np.array([[-0.5, 0, 0.5]], np.float32)


class Motion:
    """The extractor `motion`. feature_fps: steps per second."""

    def __init__(self, feature_fps=5.0, grids=GRIDS, bins=BINS, long_side=LONG_SIDE, pairs=PAIRS):
        self.rate, self.grids, self.bins = feature_fps, tuple(grids), bins
        self.long_side, self.pairs = long_side, pairs
        cells = sum(grid ** 2 for grid in grids)
        self.channels = 2 * (cells * (4 * bins + 3) + 3)
        self.identity = {
            "name": "motion", "code_version": 2, "weights": None, "feature_fps": feature_fps,
            "clip_length": pairs, "size": long_side, "crop": None, "mean": None, "std": None,
            "pooling": "mean and max", "precision": "fp32", "channels": self.channels}

    def sampler(self) -> "MotionSampler":
        """A sampler that turns the frames of one video into items, one per step."""
        return MotionSampler(self)

    def forward(self, items: Sequence) -> np.ndarray:
        """Features of some items, which already are features here.

        -> (n, channels) float32.
        """
        return np.stack(items)


class MotionSampler:
    """Descriptors of each step of one video, as its frames arrive."""

    def __init__(self, settings):
        self.settings = settings
        cv2.setNumThreads(0)
        # Its last digits depend on where in memory a picture lies.
        cv2.ipp.setUseIPP(False)
        self.flow = Flow()
        self.next_time, self.previous, self.size = 0.0, None, None
        self.step, self.parts = 0, []       # the step being filled, and its descriptors
        self.last = None                    # the item of the last step that has any

    def push(self, frame: object) -> list:
        """Add one frame. -> items of the steps that it completes."""
        if frame.seconds < self.next_time - 1e-6:
            return []
        tick = 1 / (self.settings.rate * self.settings.pairs)
        self.next_time = (np.floor(frame.seconds / tick + 1e-6) + 1) * tick
        if self.size is None:
            self.size = working_size(frame.width, frame.height, self.settings.long_side,
                                     max(self.settings.grids))
            self.cells = Cells(self.size, self.settings.grids, self.settings.bins)
        gray = frame.pixels(*self.size, "gray")
        previous, self.previous = self.previous, (frame.seconds, gray)
        if previous is None:
            return []
        seconds = frame.seconds - previous[0]
        flow = self.flow.between(previous[1], gray)
        descriptor = self.cells.descriptor(previous[1], gray, flow,
                                           1 / (seconds * self.settings.long_side))
        return self._add(previous[0], frame.seconds, descriptor)

    def _add(self, start, end, descriptor):
        """Add the descriptor of two frames to the step at their middle.

        Steps between them that have none get it too.
        """
        step, done = int((start + end) / 2 * self.settings.rate), []
        while self.step < step:
            is_before = (self.step + 0.5) / self.settings.rate < start
            if self.parts or not is_before or self.last is None:
                self._pool(self.parts or [descriptor])
            done.append(self.last)
            self.step, self.parts = self.step + 1, []
        self.parts.append(descriptor)
        return done

    def finish(self, count: int) -> list:
        """The items of the remaining steps, `count` in the whole video. -> list."""
        if self.previous is not None and self.last is None and not self.parts:
            # With a single frame, nothing moves.
            still = np.zeros((*self.previous[1].shape, 2), np.float32)
            self.parts = [self.cells.descriptor(self.previous[1], self.previous[1], still, 1.0)]
        done = []
        while self.step < count:
            if self.parts:
                self._pool(self.parts)
            done.append(self.last)
            self.step, self.parts = self.step + 1, []
        return done

    def _pool(self, parts):
        parts = np.stack(parts)
        self.last = np.concatenate([parts.mean(axis=0), parts.max(axis=0)])


class Flow:
    """Dense optical flow (Farneback 2003), computed for smaller pictures: a sixth of the time."""

    def __init__(self):
        self.farneback = cv2.FarnebackOpticalFlow.create(numLevels=3, winSize=11, numIters=3)

    def between(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """(h, w) uint8 each -> (h, w, 2) float32, in pixels from the first to the second."""
        height, width = before.shape
        size = round(width * FLOW_SHARE), round(height * FLOW_SHARE)
        before, after = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
                         for picture in (before, after))
        flow = self.farneback.calc(before, after, None)
        return cv2.resize(flow, (width, height)) * np.float32([width / size[0], height / size[1]])


class Cells:
    """Histograms of frames of one size, by `bins` directions on grids.

    size: (width, height).
    """

    def __init__(self, size, grids, bins):
        width, height = size
        self.grids, self.bins = grids, bins
        self.rows, self.columns = (cell_means(side, max(grids)) for side in (height, width))
        self.signed, self.unsigned = (
            np.arange(bins) * circle / bins for circle in (2 * np.pi, np.pi))
        self.planes = np.empty((4 * bins + 3, height, width), np.float32)
        self.places = np.stack(np.meshgrid(np.arange(width), np.arange(height)),
                               axis=-1).astype(np.float32)

    def descriptor(self, before: np.ndarray, gray: np.ndarray, flow: np.ndarray,
                   scale: float) -> np.ndarray:
        """The channels that describe two frames: (channels,) float32.

        before, gray: (h, w) uint8, the two frames. flow: (h, w, 2) float32, in pixels
        from the first to the second; scale makes it long sides per second.
        """
        self.unexplained(before, gray, flow)
        flow = flow * np.float32(scale)
        camera = np.median(flow[::4, ::4].reshape(-1, 2), axis=0)
        x, y = cv2.split(cv2.subtract(flow, (*map(float, camera), 0, 0)))
        image = cv2.multiply(gray, 1 / 255, dtype=cv2.CV_32F)
        gradients, moving, along, across = self.planes[:-3].reshape(4, self.bins, *gray.shape)
        spread(*gradient(image), self.unsigned, gradients)
        spread(x, y, self.signed, moving)
        spread(*gradient(x), self.signed, along)
        spread(*gradient(y), self.signed, across)
        cv2.threshold(cv2.magnitude(x, y), STILL, 1, cv2.THRESH_BINARY_INV, dst=self.planes[-3])
        cells = self.rows @ (self.planes @ self.columns.T)
        parts = [np.sqrt(coarser(cells, grid)).ravel() for grid in self.grids]
        return np.concatenate([*parts, camera, [np.hypot(*camera)]]).astype(np.float32)

    def unexplained(self, before: np.ndarray, gray: np.ndarray, flow: np.ndarray) -> None:
        """Fill the last two planes with what became brighter, and darker, beyond any motion."""
        moved = cv2.remap(gray, cv2.add(self.places, flow), None, cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_REPLICATE)
        change = cv2.subtract(moved, before, dtype=cv2.CV_32F) * np.float32(1 / 255)
        cv2.threshold(change, 0, 0, cv2.THRESH_TOZERO, dst=self.planes[-2])
        cv2.threshold(-change, 0, 0, cv2.THRESH_TOZERO, dst=self.planes[-1])


def spread(x: np.ndarray, y: np.ndarray, angles: np.ndarray, planes: np.ndarray) -> None:
    """How far the vectors (x, y), each (h, w), point in each direction, into planes (bins, h, w).

    A vector counts for the directions within 60 degrees of its own; angles that span
    half a circle stand for both directions.
    """
    is_half = angles[-1] < np.pi
    half = cv2.multiply(cv2.magnitude(x, y), 0.5)
    for angle, plane in zip(angles.tolist(), planes, strict=True):
        toward = cv2.addWeighted(x, math.cos(angle), y, math.sin(angle), 0)
        toward = cv2.subtract(cv2.absdiff(toward, 0) if is_half else toward, half)
        cv2.threshold(toward, 0, 0, cv2.THRESH_TOZERO, dst=plane)


def cell_means(side: int, cells: int) -> np.ndarray:
    """The matrix that averages over `cells` equal parts of `side` pixels.

    -> (cells, side).
    """
    edges = np.linspace(0, side, cells + 1)
    pixels = np.arange(side)
    shares = (np.minimum(pixels + 1, edges[1:, None])
              - np.maximum(pixels, edges[:-1, None])).clip(0)
    return (shares * cells / side).astype(np.float32)


def coarser(cells: np.ndarray, grid: int) -> np.ndarray:
    """Cells (C, finest, finest) averaged to (C, grid, grid)."""
    part = cells.shape[1] // grid
    return cells.reshape(-1, grid, part, grid, part).mean(axis=(2, 4))


def gradient(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences of neighbouring pixels along x and y, (h, w) each."""
    return (cv2.filter2D(image, -1, DIFFERENCE), cv2.filter2D(image, -1, DIFFERENCE.T))


def working_size(width: int, height: int, long_side: int, least: int) -> tuple[int, int]:
    """(width, height) of a frame with the given long side.

    Both are at least `least` and 16 pixels.
    """
    scale = long_side / max(width, height)
    return tuple(max(16, least, round(side * scale)) for side in (width, height))
