"""Windows as inputs of the network: features by a sampling plan, and targets."""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from Utils.files import UserError, counted, listed
from Utils.inputs.framing import LAYOUTS, InputShape
from Utils.inputs.targets import frame_targets, real_frames
from Utils.inputs.windows import Window
from Utils.stitching import expand_plan

# actions per input for the boxes, as in the original; frame targets use all
MAX_ACTIONS = 50
AT_ONCE = 2 ** 16  # numbers to transpose at once
# of a Batch, known without its features
FACTS = ("num_frames", "stitched", "origin", "rate")


class OnDevice:
    """A record of tensors, or of such records, that moves between devices as a whole."""

    def to(self, device, non_blocking=False):
        """The record on `device`; fields that are not tensors stay as they are."""
        return self._each(lambda value: value.to(device, non_blocking=non_blocking))

    def pin_memory(self):
        """The record in page-locked memory, from which a GPU can copy asynchronously."""
        return self._each(lambda value: value.pin_memory())

    def _each(self, change):
        moved = {field.name: change(value) for field in fields(self)
                 if isinstance(value := getattr(self, field.name), torch.Tensor | OnDevice)}
        return replace(self, **moved)


@dataclass(frozen=True)
class Targets(OnDevice):
    """Targets of a batch. Segments are in input frames; unused rows are zeros."""
    segments: torch.Tensor   # (B, G, 2) float32
    labels: torch.Tensor     # (B, G) int64
    counts: torch.Tensor     # (B,) int64
    action: torch.Tensor     # (B, T) float32, class ids
    start: torch.Tensor      # (B, T) float32
    end: torch.Tensor        # (B, T) float32
    # (B, T) bool, padding mask: False on padding and gap
    mask: torch.Tensor | None = None


@dataclass(frozen=True)
class Batch(OnDevice):
    """Inputs, and what is needed to interpret the predictions for them.

    Seconds = (input frame + origin) / rate; with whole-video framing, shares of the
    duration.
    """
    features: torch.Tensor   # (B, C, T) float32
    num_frames: torch.Tensor  # (B,) int64, before padding or gap
    stitched: torch.Tensor   # (B,) bool
    origin: torch.Tensor     # (B,) float64
    rate: torch.Tensor       # (B,) float64
    windows: list[Window]
    targets: Targets | None = None


@dataclass(frozen=True)
class Labels(OnDevice):
    """Padded actions of every window, in input frames: the source of the targets.

    gap: frames between the copies of a stitched window, for the padding mask; None: no
    mask.
    """
    segments: torch.Tensor   # (W, G, 2) float64
    labels: torch.Tensor     # (W, G) int64
    counts: torch.Tensor     # (W,) int64
    num_frames: torch.Tensor  # (W,) int64
    stitched: torch.Tensor   # (W,) bool
    gap: int | None

    def targets(self, rows, most, length):
        """Targets of the windows `rows`, with at most `most` actions each.

        rows: (B,) int64, on the same device.
        """
        segments, labels = self.segments[rows, :most], self.labels[rows, :most]
        counts, kept = self.counts[rows], min(most, MAX_ACTIONS)
        mask = None if self.gap is None else real_frames(
            self.num_frames[rows], self.stitched[rows], length, self.gap)
        return Targets(segments[:, :kept].float(), labels[:, :kept], counts.clamp(max=kept),
                       *frame_targets(segments, labels, counts, length), mask)


class WindowDataset:
    """Every window of a list as an input. All plans and actions are computed once, here.

    windows: list of Window. videos: list of Video, including all those of the windows.
    features: FeatureStore, or anything with its interface. config: Config without
    unset fields.
    """

    def __init__(self, windows, videos, features, config, with_targets):
        self.videos, self.features = {video.name: video for video in videos}, features
        self.length, self.with_targets = config.temporal_scale, with_targets
        self.shape, self.layout_of = InputShape.of(config), LAYOUTS[config.framing]
        self.mask_gap = config.stitch_gap if config.mask_padding else None
        self.widths = features.widths
        self.fill(list(windows))

    def fill(self, windows):
        """Replace the windows of the dataset."""
        strange = dict.fromkeys(w.video for w in windows if w.video not in self.videos)
        if strange:
            raise UserError(f"the windows are of {counted(len(strange), 'video')} "
                            f"without annotations or features: {listed(strange)}; run "
                            "Cut_long_videos.py again")
        layouts = [self.layout_of(window, self.videos[window.video],
                                  self.features.lengths(window.video), self.shape)
                   for window in windows]
        self.windows = windows
        self.plans = _stacked([layout.plan
                               for layout in layouts], (len(self.widths), 2, 6))
        self.num_frames = torch.tensor([layout.num_frames for layout in layouts])
        self.stitched = torch.tensor([layout.is_stitched
                                      for layout in layouts], dtype=torch.bool)
        self.origin = torch.tensor([layout.origin
                                    for layout in layouts], dtype=torch.float64)
        self.rate = torch.tensor([layout.rate for layout in layouts], dtype=torch.float64)
        self.labels = Labels(*_padded(layouts), self.num_frames, self.stitched,
                             self.mask_gap)

    def redraw(self, epoch):
        """Draw the windows of an epoch, if they are random. -> whether they changed."""
        return False

    def __len__(self):
        return len(self.windows)

    def __getitem__(self, row):
        """One input, as a batch of one."""
        return self.batch([range(len(self))[row]])

    @property
    def video_names(self):
        """Names of the videos in the windows, in order of first use."""
        return list(dict.fromkeys(window.video for window in self.windows))

    def batch(self, rows):
        """The inputs `rows` (list of int) on the CPU. -> Batch."""
        features = torch.empty(len(rows), sum(self.widths), self.length)
        for row, item in zip(rows, features, strict=True):
            self._fill(item, row)
        targets = (self.labels.targets(torch.tensor(rows, dtype=torch.int64),
                                       self.most_actions(rows), self.length)
                   if self.with_targets else None)
        return self.as_batch(features, rows, targets,
                             **{name: getattr(self, name)[rows] for name in FACTS})

    def as_batch(self, features, rows, targets, **facts):
        """The Batch of the inputs `rows` from finished tensors."""
        return Batch(features, windows=[self.windows[row] for row in rows], targets=targets,
                     **facts)

    def most_actions(self, rows):
        """The most actions that one of the windows `rows` has, known without a GPU."""
        return int(self.labels.counts[rows].max()) if len(rows) else 0

    def _fill(self, item, row):
        """Write the features of one window into item (C, T)."""
        # plan: (streams, 2, 6); first channel of a stream
        plan, first = self.plans[row], 0
        for stream, width, pieces, index, weight in zip(
                self.features.streams, self.widths, plan, *expand_plan(plan, self.length),
                strict=True):
            frames, low, high = self._read(self.windows[row].video, stream, index, weight)
            part, done = item[first:first + width], 0     # (channels of the stream, T)
            for start, count in pieces[pieces[:, 1] > 0, :2].tolist():
                some = slice(start, start + count)
                part[:, done:start] = 0
                _put(part[:, some], frames, low[some], high[some], weight[some])
                done = start + count
            part[:, done:] = 0
            first += width

    def _read(self, video, stream, index, weight):
        """The source frames (n, C) that an input needs from one stream, read at once.

        Also low and high (T,): the two of them that each input frame mixes.
        """
        # A stream a few frames shorter than the first one repeats its last frame.
        last = self.features.shape(video, stream)[0] - 1
        low, high = np.minimum(index, last), np.minimum(index + (weight > 0), last)
        start = low[index >= 0].min()
        frames = self.features.read(video, stream, start, high.max() + 1)
        return torch.from_numpy(frames), low - start, high - start


def _put(filled, frames, low, high, weight):
    """Write input frames (C, n), each a mix of two source frames.

    low, high: (n,) which of the (m, C) source frames; weight: (n,) that of high.
    """
    start, count = int(low[0]), len(low)
    is_copy = not weight.any() and low[-1] - start == count - 1
    low, high, weight = map(torch.from_numpy, (low, high, weight[:, None]))
    # Block by block, so that both stay in the cache while they are transposed.
    block_frames = max(1, AT_ONCE // frames.shape[1])
    for first in range(0, count, block_frames):
        some = slice(first, min(first + block_frames, count))
        block = (frames[start + some.start:start + some.stop] if is_copy else
                 frames.index_select(0, low[some]).lerp_(frames.index_select(0, high[some]),
                                                         weight[some]))
        filled[:, some].copy_(block.T)


def _stacked(arrays, shape):
    return np.stack(arrays) if arrays else np.zeros((0, *shape), dtype=np.int64)


def _padded(layouts):
    """Segments, labels and counts of all layouts, padded to the most actions of any."""
    counts = [len(layout.labels) for layout in layouts]
    most = max(counts, default=0)
    segments = np.zeros((len(layouts), most, 2))
    labels = np.zeros((len(layouts), most), dtype=np.int64)
    for row, layout in enumerate(layouts):
        segments[row, :counts[row]], labels[row, :counts[row]] = layout.segments, layout.labels
    return (torch.from_numpy(segments), torch.from_numpy(labels),
            torch.tensor(counts, dtype=torch.int64))
