"""Batches of a WindowDataset, epoch by epoch, wherever its features are kept."""

from concurrent.futures import ThreadPoolExecutor

import torch
from torch.utils.data import DataLoader

from Utils.inputs.resident import DeviceInputs, ResidentFeatures, choose_place

AHEAD = 2   # batches prepared while a GPU computes


class WindowLoader:
    """Iterates over Batch records on `device`.

    Global batch i of an epoch is order[i * B : (i + 1) * B]; process `rank` of
    `world` gets every world-th input of it. The order depends only on seed and
    epoch, so resuming needs no state. drop_last drops the last incomplete batch
    unless it is the only one. cache, half: see `Utils.inputs.resident.choose_place`;
    `place` is its result.
    """

    def __init__(self, dataset, batch_size, device="cpu", shuffle=False, seed=0, drop_last=False,
                 rank=0, world=1, num_workers=0, cache="auto", half=False):
        self.dataset, self.batch_size, self.device = dataset, batch_size, torch.device(device)
        self.shuffle, self.seed, self.drop_last = shuffle, seed, drop_last
        self.rank, self.world, self.num_workers, self.epoch = rank, world, num_workers, 0
        videos, store = dataset.video_names, dataset.features
        values = sum(frames * width for video in videos for frames, width in
                     zip(store.lengths(video), store.widths, strict=True))
        self.place = choose_place(cache, values, self.device, half, world)
        self.inputs = dataset
        if self.place.where == "gpu":
            self.resident = ResidentFeatures(store, videos, self.device, self.place.dtype)
            self.inputs = DeviceInputs(dataset, self.resident)
        elif self.place.where == "ram":
            dataset.features = ResidentFeatures(store, videos)

    def describe(self):
        """A line for the log about where the features are."""
        words = {"none": "read from the files when needed", "ram": "kept in RAM",
                 "gpu": f"kept on the GPU, {str(self.place.dtype).removeprefix('torch.')}"}
        return f"features are {words[self.place.where]} ({self.place.reason})"

    def set_epoch(self, epoch):
        """Set the order of the next pass; if the windows are random, draw new ones."""
        self.epoch = epoch
        if self.dataset.redraw(epoch) and self.place.where == "gpu":
            self.inputs = DeviceInputs(self.dataset, self.resident)

    def __len__(self):
        whole, rest = divmod(len(self.dataset), self.batch_size)
        return whole + bool(rest and not (self.drop_last and whole))

    @property
    def sizes(self):
        """The number of inputs in each global batch, in order. -> list of int."""
        return [min(self.batch_size, len(self.dataset) - first)
                for first in range(0, len(self) * self.batch_size, self.batch_size)]

    def order(self):
        """Rows of the dataset in the order of this epoch. -> list of int."""
        if not self.shuffle:
            return list(range(len(self.dataset)))
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + self.epoch) % 2 ** 63)
        return torch.randperm(len(self.dataset), generator=generator).tolist()

    def rows(self):
        """The rows of each of this process's batches, in order.

        -> list of list of int.
        """
        order, size = self.order(), self.batch_size
        return [order[i * size:(i + 1) * size][self.rank::self.world]
                for i in range(len(self))]

    def __iter__(self):
        if self.place.where == "gpu":
            return self.inputs.batches(self.rows())
        if self.num_workers:
            batches = self._from_workers()
        elif self.device.type == "cuda":
            batches = prepared_ahead(lambda rows: self.dataset.batch(rows).pin_memory(),
                                     self.rows())
        else:
            batches = map(self.dataset.batch, self.rows())
        return (batch.to(self.device, non_blocking=True) for batch in batches)

    def _from_workers(self):
        # With its own generator; DataLoader would otherwise draw
        # from the one of the training.
        return DataLoader(_Rows(self.dataset), batch_size=None, sampler=self.rows(),
                          num_workers=self.num_workers, pin_memory=self.device.type == "cuda",
                          generator=torch.Generator())


def prepared_ahead(make, requests):
    """make(request) for each request in order, computed by a thread slightly ahead of its use."""
    with ThreadPoolExecutor(1) as pool:
        waiting = []
        for request in requests:
            waiting.append(pool.submit(make, request))
            if len(waiting) > AHEAD:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


class _Rows:
    """What worker processes index: a list of rows -> their batch."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __getitem__(self, rows):
        return self.dataset.batch(rows)

    def __len__(self):
        return len(self.dataset)
