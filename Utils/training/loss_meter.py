"""Means of losses over an epoch, with a check that they are finite."""

import torch

from Utils.files import UserError


class LossMeter:
    """Means of the losses over an epoch, weighted by the inputs of each (global) batch.

    sizes: numbers of inputs of the batches. epoch, folder (of the run): for messages.
    world: number of processes.
    """

    PATIENCE = 50  # steps between two checks on a GPU, each of which makes it wait

    def __init__(self, sizes, epoch, folder, world=1):
        self.sizes, self.epoch, self.folder, self.world = iter(sizes), epoch, folder, world
        self.names, self.sum, self.count, self.unseen = None, 0.0, 0, []

    def add(self, losses, windows):
        """Add the losses of one batch (dict of scalars).

        Whether they are finite is checked at once on a CPU, every PATIENCE steps on a
        GPU.
        """
        self.names = list(losses)
        values = torch.stack([loss.detach() for loss in losses.values()])
        size = next(self.sizes)
        self.sum = self.sum + values.double() * size
        self.count += size
        self.unseen.append((values, windows))
        if values.device.type == "cpu" or len(self.unseen) >= self.PATIENCE:
            self.look()

    def look(self):
        """Raise UserError if an unchecked batch has a loss that is not finite."""
        if not self.unseen:
            return
        finite = torch.stack([values for values, _ in self.unseen]).isfinite().cpu()
        for is_finite, (_, windows) in zip(finite, self.unseen, strict=True):
            if not is_finite.all():
                name = self.names[int((~is_finite).nonzero()[0])]
                videos = sorted({window.video for window in windows})
                raise UserError(
                    f"{name} is not finite in epoch {self.epoch}, at videos "
                    f"{', '.join(videos[:5])}{' ...' if len(videos) > 5 else ''}; "
                    f"checkpoints in {self.folder} are from before. Lower --train_lr, "
                    "or check these features with Cut_long_videos.py --check")
        self.unseen.clear()

    def means(self):
        """{name: mean}, over the batches of all processes."""
        self.look()
        if self.world > 1:
            torch.distributed.all_reduce(self.sum)
        means = self.sum / (self.count * self.world)
        return dict(zip(self.names, means.tolist(), strict=True))
