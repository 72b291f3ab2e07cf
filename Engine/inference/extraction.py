"""Extract the features of many videos into a folder.

Worker processes decode; batches are forwarded across the borders of videos; what the
folder already has is not made again.
"""

import contextlib
import functools
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import filelock
import numpy as np

from Models.extractors.registry import forward
from Utils.files import UserError, counted, listed, moved
from Utils.run import same_file
from Utils.video.reader import Facts, VideoReader
from Utils.video.workers import CRASHED, in_workers
from Utils.video.writing import FeatureWriter, state_of

ITEMS, END, FAULT = "items", "end", "fault"     # kinds of events of a video
AT_ONCE = 32            # items that leave a worker together, at most
SLACK = 0.002           # seconds; containers round times, which must not add a step
WAITING = 1.0           # seconds between two checks of what other processes have done


def num_steps(duration, rate):
    """Number of features of a video: one for every step that begins before its end."""
    return max(1, math.ceil((duration - SLACK) * rate))


def video_events(path, extractor, forwards, most=AT_ONCE):
    """Decode one video, as an iterator of events.

    These are (ITEMS, seconds, items), then (END, Facts) or (FAULT, sentence). forwards:
    whether items become features here, arrays (n, channels). most: items per event.
    """
    try:
        with VideoReader(path) as reader:
            sampler, items, seconds = extractor.sampler(), [], 0.0
            for frame in reader:
                items += sampler.push(frame)
                seconds = frame.seconds
                while len(items) >= most:
                    yield ITEMS, seconds, _ready(extractor, items[:most], forwards)
                    del items[:most]
            facts = reader.facts
            if fault := facts.fault():
                yield FAULT, fault
                return
            items += sampler.finish(num_steps(facts.duration, extractor.rate))
            for first in range(0, len(items), most):
                yield ITEMS, facts.duration, _ready(extractor,
                                                    items[first:first + most], forwards)
        yield END, facts
    except UserError as problem:
        yield FAULT, str(problem)
    except MemoryError:
        yield FAULT, "there is not enough memory for its frames"


def _ready(extractor, items, forwards):
    return forward(extractor, items) if forwards else items


def features_of(path, extractor):
    """Features of one video file.

    -> (n, channels) float32, Facts. UserError if it is unusable.
    """
    parts = []
    for kind, *rest in video_events(Path(path), extractor, forwards=True):
        if kind == FAULT:
            raise UserError(f"{path}: {rest[0]}" if str(path) not in rest[0] else rest[0])
        if kind == END:
            return np.concatenate(parts), rest[0]
        parts.append(rest[1])
    raise AssertionError("a video without an end")


@dataclass
class Outcome:
    """What became of all videos: names, or {name: why}."""
    done: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0        # total of the videos done


@dataclass
class _Open:
    """A video in progress: its lock and writer; number of waiting items; its Facts, once read."""
    name: str
    lock: filelock.BaseFileLock
    writer: FeatureWriter
    waiting: int = 0
    facts: Facts | None = None


class Extraction:
    """Extracts missing features of videos into `folder`.

    videos: {name: Path}, in the order of processing. forwards_here: items become
    features in this process, `batch_size` at a time, as suits a GPU; otherwise in the
    workers. see: called with (name, seconds processed so far, whether it has ended)
    to show progress.
    """

    def __init__(self, extractor, folder, videos, workers=0, batch_size=8, forwards_here=False,
                 keep_going=True, see=lambda *facts: None):
        self.extractor, self.folder, self.videos = extractor, Path(folder), videos
        self.workers, self.batch_size, self.forwards_here = workers, batch_size, forwards_here
        self.keep_going, self.see = keep_going, see
        self.open, self.pending, self.outcome = {}, [], Outcome()
        self.locks, self.is_there = self.folder / ".locks", None

    def run(self):
        """Extract all videos, and wait for those that other processes work on.

        -> Outcome.
        """
        self.locks.mkdir(parents=True, exist_ok=True)
        self.is_there = same_file(self.folder)
        left, said = list(self.videos), False
        work = functools.partial(_work, self.extractor, not self.forwards_here)
        with contextlib.ExitStack() as held:
            held.callback(self._let_go)
            while left:
                busy = []
                for (name, _), event in in_workers(self.workers, work, self._tasks(left, busy)):
                    self._take(name, event)
                    if self.outcome.faults and not self.keep_going:
                        return self.outcome
                self._forward(len(self.pending))
                if busy == left:
                    if not said:
                        print(f"waiting for {counted(len(busy), 'video')} that another "
                              f"process extracts: {listed(busy)}", flush=True)
                    said = True
                    time.sleep(WAITING)
                left = busy
        return self.outcome

    def _tasks(self, names, busy):
        """The videos that are free and still to be done; those of other processes go to `busy`."""
        for name in names:
            if not self.is_there():     # the lock would make it anew
                raise UserError(moved(self.folder))
            lock = filelock.FileLock(self.locks / f"{name}.lock")
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                busy.append(name)
                continue
            path, identity = self.videos[name], self.extractor.identity
            if state_of(self.folder, name, path, identity) == "done":
                self.outcome.before.append(name)
                self.see(name, 0.0, True)
                lock.release()
                continue
            self.open[name] = _Open(name, lock,
                                    FeatureWriter(self.folder, name, identity))
            yield name, path

    def _take(self, name, event):
        kind, *rest = event
        video = self.open[name]
        if kind == ITEMS:
            seconds, items = rest
            self.see(name, seconds, False)
            if self.forwards_here:
                video.waiting += len(items)
                self.pending += [(video, item) for item in items]
                while len(self.pending) >= self.batch_size:
                    self._forward(self.batch_size)
            else:
                video.writer.append(items)
        elif kind == END:
            video.facts = rest[0]
            self._finish_if_complete(video)
        else:
            self._close(video)
            why = (f"the process that decoded it died (exit code {rest[0]}): the file "
                   "may be damaged, or memory short") if kind == CRASHED else rest[0]
            self.outcome.faults[name] = why
            self.see(name, 0.0, True)

    def _forward(self, count):
        """Turn the first `count` waiting items into features, whichever videos they belong to."""
        batch, self.pending = self.pending[:count], self.pending[count:]
        features = forward(self.extractor, [item for _, item in batch])
        for (video, _), row in zip(batch, features, strict=True):
            video.waiting -= 1
            if video.name in self.open:
                video.writer.append(row[None])
                self._finish_if_complete(video)

    def _finish_if_complete(self, video):
        if video.facts is None or video.waiting:
            return
        video.writer.finish(video.facts, self.videos[video.name])
        self._close(video)
        self.outcome.done.append(video.name)
        self.outcome.seconds += video.facts.duration
        if warning := video.facts.warning():
            self.outcome.warnings[video.name] = warning
        self.see(video.name, video.facts.duration, True)

    def _close(self, video):
        video.writer.close()
        video.lock.release()
        del self.open[video.name]

    def _let_go(self):
        for video in list(self.open.values()):
            self._close(video)


def _work(extractor, forwards, task):
    """The events of a task (name, path); run by worker processes."""
    return video_events(task[1], extractor, forwards)
