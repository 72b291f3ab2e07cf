"""Progress of an extraction, in videos and in seconds of video."""

import sys
import time

from tqdm import tqdm

from Utils.files import UserError, counted
from Utils.run import SECONDS_BETWEEN_LINES
from Utils.video.reader import VideoReader


class SecondsProgress:
    """A bar on a terminal, otherwise a line every 30 s. lengths: {name: seconds by its header}."""

    def __init__(self, lengths):
        self.lengths, self.so_far, self.ended = lengths, dict.fromkeys(lengths, 0.0), 0
        self.start = self.said = time.monotonic()
        self.total = sum(lengths.values())
        self.bar = (tqdm(total=round(self.total), unit="s", leave=False)
                    if sys.stderr.isatty() else None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.bar is not None:
            self.bar.close()

    def see(self, name, seconds, has_ended):
        """Update the progress of a video."""
        self.so_far[name] = self.lengths[name] if has_ended else min(seconds, self.lengths[name])
        self.ended += has_ended
        done, now = sum(self.so_far.values()), time.monotonic()
        ended = f"{self.ended} of {counted(len(self.lengths), 'video')}"
        if self.bar is not None:
            self.bar.set_description(ended, refresh=False)
            self.bar.update(round(done) - self.bar.n)
        elif now - self.said >= SECONDS_BETWEEN_LINES:
            self.said = now
            rate = done / (now - self.start)
            left = f", {(self.total - done) / rate:.0f} s left" if done else ""
            print(f"{ended}, {done:.0f} of {self.total:.0f} s, "
                  f"{rate:.3g} video seconds per second{left}", flush=True)


def headers(videos):
    """Seconds of each video from its header, 0 if unknown. -> {name: seconds}."""
    found = {}
    for name, path in videos.items():
        try:
            with VideoReader(path) as reader:
                found[name] = reader.seconds or 0.0
        except UserError:
            found[name] = 0.0       # its extraction says what is wrong
    return found
