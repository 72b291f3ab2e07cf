"""Worker processes for tasks with many partial results; a crash affects no other task.

Library pools return one result per task; features of a long video have to arrive in
parts, or all of them would be in memory.
"""

import contextlib
import multiprocessing
import signal
from multiprocessing.connection import wait

CRASHED = "crashed"


def in_workers(number, work, tasks):
    """Run work(task) -> iterator of events for each task. -> iterator of (task, event).

    number: of processes; 0 runs in this one. tasks: iterator, advanced only when a process
    is free. A process that dies yields the event (CRASHED, its exit code) and is replaced by
    another. A process waits while its pipe is full, so unread events do not pile up.
    """
    if not number:
        for task in tasks:
            for event in work(task):
                yield task, event
        return
    tasks, idle, busy = iter(tasks), [], {}
    try:
        while True:
            while len(busy) < number and (task := next(tasks, None)) is not None:
                worker = idle.pop() if idle else _Worker(work)
                worker.events.send(task)
                busy[worker.events] = worker, task
            if not busy:
                return
            for events in wait(list(busy)):
                worker, task = busy[events]
                try:
                    event = events.recv()
                except (EOFError, ConnectionError):
                    worker.process.join()
                    del busy[events]
                    yield task, (CRASHED, worker.process.exitcode)
                    continue
                if event is None:
                    del busy[events]
                    idle.append(worker)
                else:
                    yield task, event
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.stop()


class _Worker:
    """A process, and our end of the pipe to it."""

    def __init__(self, work):
        # A forked process starts at once, with everything already imported.
        kinds = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in kinds else "spawn")
        self.events, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, theirs, self.events), daemon=True)
        self.process.start()
        theirs.close()

    def stop(self):
        """End the process, whatever it is doing."""
        self.process.terminate()
        self.process.join()
        self.events.close()


def _serve(work, events, theirs):
    """Receive tasks from a pipe; send their events, and None after the last."""
    # Ctrl-C reaches every process of a terminal; the first process ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    theirs.close()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            for event in work(events.recv()):
                events.send(event)
            events.send(None)
