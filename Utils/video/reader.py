"""Frames of a video file with their exact times, upright; damage is counted, not fatal.

PyAV decodes. The time of a frame comes from the file, never from its number, so variable rates,
offsets and cuts are handled correctly.
"""

import contextlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from Utils.files import UserError, counted, reason

USUAL_RATE = 25             # for a file with neither times nor rate
# In seconds. Frames that are late by less than LATE are dropped; a longer step back, or a gap
# longer than LONGEST_GAP, means that the clock of the file has jumped.
LATE, LONGEST_GAP = 1, 3600
MISSING_SHARE = 0.02        # share of the header's frames that may be missing without a warning
LEAST_SHARE = 0.5           # with a smaller share of frames, a video is not used


@dataclass
class Facts:
    """What is known about a file after reading its frames. Times are in seconds.

    duration: from the first frame to the end of the last one. header_frames: number according to
    the file, or None. rotation: degrees, clockwise, by which frames were rotated.
    """
    duration: float = 0.0
    first_time: float = 0.0
    frames: int = 0
    header_frames: int | None = None
    decode_errors: int = 0
    rotation: int = 0

    def fault(self):
        """Why the features would not represent the video, in words; "" if they do."""
        if not self.frames:
            return "no frame of it can be decoded"
        if self.frames < LEAST_SHARE * (self.header_frames or 0):
            return (f"only {self.frames} of its {self.header_frames} frames can be decoded; the "
                    "file is truncated or damaged")
        return ""

    def warning(self):
        """What is odd about the file, in words; "" if nothing is."""
        lacking = (self.header_frames or 0) - self.frames
        parts = []
        if lacking > max(1, MISSING_SHARE * (self.header_frames or 0)):
            parts.append(f"{lacking} of its {self.header_frames} frames are missing: the file is "
                         "truncated or damaged")
        if self.decode_errors:
            parts.append(f"{counted(self.decode_errors, 'packet')} could not be decoded")
        return "; ".join(parts)


class Frame:
    """One picture, upright, at `seconds` from the first one; width and height in pixels."""

    def __init__(self, picture, seconds, scalers):
        self.seconds = seconds
        self.rotation = round(-picture.rotation) % 360
        self.is_turned = self.rotation in (90, 270)
        self._picture, self._scalers = picture, scalers
        self.width, self.height = (
            (picture.height, picture.width) if self.is_turned else (picture.width, picture.height))

    def pixels(self, width, height, colour):
        """The picture resized. colour: "gray" or "rgb24". -> (height, width[, 3]) uint8."""
        size = (height, width) if self.is_turned else (width, height)
        # One scaler per use, since it keeps its tables as long as its arguments do not change.
        scaler = self._scalers[colour, size] = (self._scalers.get((colour, size))
                                                or library().video.reformatter.VideoReformatter())
        array = scaler.reformat(self._picture, *size, colour, interpolation="BILINEAR",
                                threads=1).to_ndarray()
        return np.ascontiguousarray(np.rot90(array, -(self.rotation // 90)))


class VideoReader:
    """Iterates over the frames of a file once; `facts` is complete at the end.

    Raises UserError if the file cannot be opened as a video.
    """

    def __init__(self, path):
        self.path, self.facts = Path(path), Facts()
        self._container = _opened(self.path)
        streams = [stream for stream in self._container.streams.video
                   if not stream.disposition & library().stream.Disposition.attached_pic]
        if not streams:
            self._container.close()
            raise UserError(f"{path} has no video stream")
        self._stream = streams[0]
        self._stream.codec_context.thread_count = 1
        self.facts.header_frames = self._expected()
        self.seconds = self._seconds()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._container.close()

    def _seconds(self):
        """The duration according to the header, or None."""
        if self._container.duration:
            return self._container.duration / 1e6
        stream = self._stream
        return float(stream.duration * stream.time_base) if stream.duration else None

    def _expected(self):
        """Number of frames according to the header, without those removed by an edit list."""
        stream, seconds = self._stream, self._seconds()
        counts = [stream.frames] if stream.frames else []
        if seconds and stream.average_rate:
            counts.append(round(seconds * stream.average_rate))
        return min(counts, default=None)

    def __iter__(self):
        scalers, clock = {}, _Clock(self._stream)
        for picture in self._pictures():
            seconds = clock.at(picture)
            if seconds is None:
                continue
            frame = Frame(picture, seconds, scalers)
            self.facts.frames += 1
            self.facts.rotation = frame.rotation
            yield frame
        self.facts.duration = clock.end
        self.facts.first_time = clock.first
        self.facts.decode_errors += clock.faults

    def _pictures(self):
        """Every picture that can be decoded; errors are counted."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except library().FFmpegError:
                self.facts.decode_errors += 1
                packet = None
            if packet is None:
                break
            yield from self._decoded(packet)
        # Nothing is left after a regular end, whose last packet flushes the decoder.
        with contextlib.suppress(library().FFmpegError):
            yield from self._stream.codec_context.decode(None)

    def _decoded(self, packet):
        try:
            pictures = packet.decode()
        except library().FFmpegError:
            self.facts.decode_errors += 1
            return
        yield from pictures


class _Clock:
    """Seconds of each picture from the first one; never backwards."""

    def __init__(self, stream):
        self.usual = 1 / Fraction(stream.average_rate or stream.guessed_rate or USUAL_RATE)
        self.start, self.previous, self.length = None, None, self.usual
        self.faults, self.first = 0, 0.0

    def at(self, picture):
        """Seconds of a picture; None for one that is too late to be shown."""
        known = picture.pts is not None and picture.time_base is not None
        time = picture.pts * Fraction(picture.time_base) if known else None
        if self.start is None:
            self.start, self.first = time or Fraction(0), float(time or 0)
            self.previous = Fraction(0)
        else:
            expected = self.previous + self.length
            now = expected if time is None else time - self.start
            if self.previous - LATE < now <= self.previous:
                self.faults += 1
                return None
            if not self.previous < now <= self.previous + LONGEST_GAP:
                self.faults += 1
                now = expected
                # The clock of the file has jumped; count from here.
                self.start = self.start if time is None else time - now
            self.length, self.previous = now - self.previous, now
        if known and picture.duration:
            self.length = picture.duration * Fraction(picture.time_base)
        return float(self.previous)

    @property
    def end(self):
        """The end of the last picture; 0 before the first."""
        return 0.0 if self.previous is None else float(self.previous + self.length)


def _opened(path):
    if not path.is_file():
        raise UserError(f"no video file at {path}")
    if not path.stat().st_size:
        raise UserError(f"{path} is empty")
    try:
        # Playlists and the like may point elsewhere, so only local files are opened.
        return library().open(f"file:{path}", options={"protocol_whitelist": "file"},
                          metadata_errors="replace")
    except (library().FFmpegError, OSError, ValueError) as problem:
        raise UserError(f"{path} cannot be read as a video: {reason(problem)}") from None


def library():
    """PyAV, imported when the first video is opened."""
    try:
        import av
    except ImportError:
        raise UserError("reading videos needs the package av: pip install -r "
                        "requirements-video.txt") from None
    return av
