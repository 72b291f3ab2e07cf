"""Work that several processes share."""

from collections.abc import Callable, Sequence
from multiprocessing import current_process

from Utils.stopping import stoppable

# bytes of proposals; with fewer, processes cost more than they save
PARALLEL_FROM = 2 ** 25


def processes_for(size: int, jobs: int) -> int:
    """How many processes share some jobs on a file of `size` bytes.

    One per core, but no more than there are jobs. Only this one on a small file, and
    in a pool, whose processes may start none.
    """
    if size < PARALLEL_FROM or current_process().daemon:
        return 1
    import joblib  # a quarter of a second that small evaluations save

    return max(1, min(joblib.cpu_count(), jobs))


def at_once(function: Callable, jobs: Sequence[tuple], processes: int) -> None:
    """Call a function with the arguments of each job, in several processes or in this one."""
    if processes == 1:
        for arguments in jobs:
            function(*arguments)
        return
    import joblib

    joblib.Parallel(processes, "multiprocessing")(
        joblib.delayed(stoppable)(function, *arguments) for arguments in jobs)
