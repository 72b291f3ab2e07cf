"""Features kept in RAM or in GPU memory, and the choice of where to keep them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch

from Utils.files import UserError
from Utils.inputs.dataset import FACTS
from Utils.stitching import expand_plan

# Share of the free memory for features; the rest is for the network and its batches.
RAM_SHARE, GPU_SHARE = 0.5, 0.6
GIB = 2 ** 30
LOADERS = 4      # threads


@dataclass(frozen=True)
class Place:
    """Where features are kept, and why, in words: "none" (read when needed), "ram" or "gpu"."""
    where: str
    dtype: torch.dtype = torch.float32
    reason: str = ""


def choose_place(cache, num_values, device, half=False, world=1):
    """Where to keep features of `num_values` numbers. -> Place.

    cache: auto, none, ram or gpu. half: half precision on a GPU even if full precision
    would fit. world: number of processes that share the memory. A place that the user
    names is used whether the features fit or not.
    """
    if cache == "gpu" and device.type != "cuda":
        raise UserError("--cache gpu needs a GPU, and this run computes on the CPU; use "
                        "--cache auto or ram")
    places = [("gpu", torch.float32)] * (not half) + [("gpu", torch.float16)]
    places = [*(places if device.type == "cuda" else []), ("ram", torch.float32)]
    places = [place for place in places if cache in ("auto", place[0])]
    free = {"gpu": lambda: _free_gpu(device) * GPU_SHARE,
            "ram": lambda: _free_ram() * RAM_SHARE / world}
    for where, dtype in places:
        size, room = num_values * dtype.itemsize, free[where]()
        facts = f"{size / GIB:.2f} GiB of features, {room / GIB:.2f} GiB available"
        if size <= room or (cache == where and (where, dtype) == places[-1]):
            return Place(where, dtype, facts)
    return Place("none", reason=facts if places else "--cache none")


def _free_gpu(device):
    return torch.cuda.mem_get_info(device)[0]


def _free_ram():
    """Bytes that this process may still use, on the machine and in its container."""
    free = psutil.virtual_memory().available
    try:
        group = Path("/sys/fs/cgroup")
        limit, used = ((group / name).read_text().strip() for name in ("memory.max",
                                                                       "memory.current"))
        free = min(free, int(limit) - int(used))
    except (OSError, ValueError):
        pass    # no such files, or no limit
    return free


class ResidentFeatures:
    """All frames of some videos, in one table per stream; reads like a FeatureStore.

    A table is (frames, channels).
    """

    def __init__(self, store, videos, device="cpu", dtype=torch.float32):
        self.streams, self.widths = store.streams, store.widths
        self.frames = {video: store.lengths(video) for video in videos}
        counts = np.array(list(self.frames.values())).reshape(-1, len(self.streams))
        starts = np.cumsum(counts, axis=0) - counts
        self.starts = dict(zip(self.frames, starts.tolist(), strict=True))
        self.tables = [torch.empty(int(total), width, dtype=dtype, device=device)
                       for total, width in zip(counts.sum(axis=0), self.widths, strict=True)]
        # HDF5 reads one video at a time, but checking and copying run in parallel.
        with ThreadPoolExecutor(LOADERS) as pool:
            for _ in pool.map(lambda video: self._load(store, video), self.frames):
                pass

    def _load(self, store, video):
        for part, stream in enumerate(self.streams):
            self._rows(video, part).copy_(torch.from_numpy(store.read(video, stream)))

    def _rows(self, video, part):
        start = self.starts[video][part]
        return self.tables[part][start:start + self.frames[video][part]]

    def lengths(self, video):
        """Frames of each stream."""
        return self.frames[video]

    def shape(self, video, stream):
        """(frames, channels) of one video in one stream."""
        part = self.streams.index(stream)
        return self.frames[video][part], self.widths[part]

    def read(self, video, stream, start=0, stop=None):
        """Frames start .. stop - 1 of one stream, not copied: (n, channels) float32."""
        return self._rows(video, self.streams.index(stream))[start:stop].numpy()


class DeviceInputs:
    """Inputs of a WindowDataset, built where its features are, without waiting for the CPU."""

    def __init__(self, dataset, resident):
        device = resident.tables[0].device
        names = [window.video for window in dataset.windows]
        self.dataset, self.tables, self.device = dataset, resident.tables, device
        self.plans = torch.from_numpy(dataset.plans).to(device)
        self.starts, self.frames = (
            torch.tensor([where[name] for name in names], device=device).reshape(len(names), -1)
            for where in (resident.starts, resident.frames))
        self.facts = {name: getattr(dataset, name).to(device) for name in FACTS}
        self.labels = dataset.labels.to(device)

    def batches(self, requests):
        """The inputs of each request (list of int), in order. -> iterator of Batch.

        All row numbers go to the device at once, so no batch has to wait for its own.
        """
        counts = [len(rows) for rows in requests]
        index = torch.tensor([row for rows in requests
                              for row in rows], dtype=torch.int64)
        return map(self._batch, requests, index.to(self.device).split(counts))

    def _batch(self, rows, index):
        """The inputs `rows` (list of int); index: the same numbers on the device (B,)."""
        most = self.dataset.most_actions(rows)
        targets = (self.labels.targets(index, most, self.dataset.length)
                   if self.dataset.with_targets else None)
        return self.dataset.as_batch(self.features(index), rows, targets,
                                     **{name: fact[index] for name, fact in self.facts.items()})

    def features(self, index):
        """Features of the windows `index` (B,). -> (B, C, T) float32."""
        # plans[index]: (B, streams, 2, 6) -> low, weight: (B, streams, T).
        low, weight = expand_plan(self.plans[index], self.dataset.length)
        parts = [_gathered(table, low[:, part], weight[:, part], self.starts[index, part, None],
                           self.frames[index, part, None])
                 for part, table in enumerate(self.tables)]
        return torch.cat(parts, dim=2).transpose(1, 2).contiguous()


def _gathered(table, index, weight, start, frames):
    """Rows of a table (F, C) mixed by a plan: index, weight (B, T) -> (B, T, C) float32.

    start, frames: (B, 1), where the video of each input begins in the table, and its
    length.
    """
    last = frames - 1
    low = torch.minimum(index.clamp(min=0), last)
    high = torch.minimum(index.clamp(min=0) + (weight > 0), last)
    mixed = torch.lerp(table[start + low].float(), table[start + high].float(),
                       weight[..., None])
    return mixed * (index >= 0)[..., None]
