"""How the processes of torchrun share an extraction: their videos, the cores, and the end."""

import time
from datetime import timedelta

from Utils.files import UserError, reason

PATIENCE = timedelta(days=365)      # of processes that wait for each other


def meeting(process):
    """A function that waits for the other processes of torchrun.

    torchrun stops all of them when one ends with an error, so none may end before the
    others have done their work.
    """
    if process.world == 1:
        return lambda: None
    import torch.distributed as dist

    group = dist.new_group(backend="gloo", timeout=PATIENCE)

    def meet():
        try:
            work = dist.barrier(group=group, async_op=True)
            while not work.is_completed():      # a wait inside torch could not be interrupted
                time.sleep(0.1)
            work.wait()
        except RuntimeError as problem:
            raise UserError("another process of torchrun ended before its videos were done and "
                            "says why; run the same command again to continue with what is left "
                            f"({reason(problem)})") from None
    return meet


def sharing(process):
    """How many processes of torchrun share the cores of this machine."""
    from Utils.training.process import processes_here

    return processes_here(process.world) if process.world > 1 else 1


def chosen_workers(wanted, videos, sharing=1):
    """The number of worker processes: as requested, or one per core; no more than videos.

    Each of `sharing` processes takes its share of the cores, at least one.
    """
    if wanted is None:
        import joblib

        wanted = max(1, joblib.cpu_count() // sharing)
    return min(wanted, videos)


def share_of(videos, process):
    """The videos of this process among those of torchrun. -> {name: Path}.

    They are in order of decreasing file size, so that the longest start first.
    """
    by_size = sorted(videos, key=lambda name: (-videos[name].stat().st_size, name))
    return {name: videos[name] for name in by_size[process.rank::process.world]}
