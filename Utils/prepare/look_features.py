"""What is odd about features: read once, a part at a time, and compared between the videos."""

import statistics
import zlib
from collections import defaultdict

import numpy as np

from Utils.data.features import FEW_FRAMES, FRAMES_AT_ONCE
from Utils.data.sources import has_rate, odd_shape
from Utils.files import UserError, listed

ODD_RATE = 0.25     # a video's features a second differ by this share from the usual
SHORT = 0.5         # or are fewer than this share: part of the video is missing
HUGE = 1e4          # features of networks stay far below


class Survey:
    """Reads videos one by one; knows which channels and videos are constant, huge or alike."""

    def __init__(self, store):
        self.store = store
        self.shapes = {}                    # video -> (frames, channels) of each stream
        self.low, self.high = {}, {}        # stream -> (channels,) over all videos
        self.constant, self.huge = [], {}   # videos; video -> its largest value
        self.same = defaultdict(list)       # digests of the streams -> videos

    def add(self, video):
        """Read all of a video. Raises UserError where its features cannot be used."""
        lengths = self.store.lengths(video)
        digests, is_constant, largest = [], True, 0.0
        for stream, frames in zip(self.store.streams, lengths, strict=True):
            low, high, digest = self._read(video, stream, frames)
            self.low[stream] = np.minimum(self.low.get(stream, low), low)
            self.high[stream] = np.maximum(self.high.get(stream, high), high)
            is_constant &= bool((low == high).all()) and frames > 1
            largest = max(largest, float(-low.min()), float(high.max()))
            digests.append(digest)
        self.same[tuple(digests)].append(video)
        self.shapes[video] = [self.store.shape(video, stream) for stream in self.store.streams]
        self.constant += [video] * is_constant
        if largest > HUGE:
            self.huge[video] = largest
        return lengths

    def _read(self, video, stream, frames):
        """Least and largest value of each channel, and a digest of all."""
        low, high, digest = np.inf, -np.inf, 0
        for start in range(0, frames, FRAMES_AT_ONCE):
            part = self.store.read(video, stream, start, start + FRAMES_AT_ONCE)
            low, high = np.minimum(low, part.min(axis=0)), np.maximum(high, part.max(axis=0))
            digest = zlib.crc32(part, digest)
        return low, high, (frames, digest)

    def constant_channels(self):
        """{stream: numbers of the channels that are one value in all videos}."""
        found = {stream: np.flatnonzero(self.low[stream] == self.high[stream])
                 for stream in self.low}
        return {stream: channels.tolist() for stream, channels in found.items() if len(channels)}


def look_at_features(report, store, videos, config):
    """Read the features of all videos; report what is wrong and odd. -> Survey."""
    survey, broken = Survey(store), {}
    note = report.warning if config.skip_missing else report.error
    for video in videos:
        if streams := store.missing(video.name):
            note(f"videos without {store.named(*streams)}", video.name)
            continue
        try:
            lengths = survey.add(video.name)
        except UserError as problem:
            broken.setdefault(str(problem).replace(f"video {video.name}: ", ""), []).append(
                (video.name, str(problem)))
            continue
        if max(lengths) - min(lengths) > FEW_FRAMES:
            report.warning("streams of slightly different length",
                           f"{video.name} ({' and '.join(map(str, lengths))} frames)")
    for found in broken.values():
        more = f" (and {len(found) - 1} more alike: {listed(name for name, _ in found[1:])})"
        note("features that cannot be used", found[0][1] + more * (len(found) > 1))
    return survey


def look_at_values(report, survey):
    """Constant, huge and equal features."""
    for stream, channels in survey.constant_channels().items():
        report.warning("channels of one value in all videos",
                       f"{len(channels)} of {survey.store.named(stream)}: {listed(channels)}")
    for name in survey.constant:
        report.warning("videos whose features never change", name)
    for name, largest in survey.huge.items():
        report.warning(f"features beyond {HUGE:g}", f"{name} ({largest:.3g})")
    for names in survey.same.values():
        if len(names) > 1 and names[0] not in survey.constant:
            report.warning("videos with the same features", " = ".join(names))


def look_at_shapes(report, survey, config):
    """Channels against the option, frames, and whether arrays seem to be stored the other way."""
    if not survey.shapes:
        report.error("features", "not one video has usable features")
        return
    width = sum(survey.store.widths)
    report.facts.append(f"channels: {width} ({', '.join(survey.store.streams)})")
    if config.input_feat_dim not in (None, width):
        report.error("channels", f"--input_feat_dim is {config.input_feat_dim}, the features "
                     f"have {width}; set --input_feat_dim {width}")
    frames = sorted(shapes[0][0] for shapes in survey.shapes.values())
    report.facts.append(f"frames a video: {frames[0]} to {frames[-1]}, median "
                        f"{statistics.median(frames):g}")
    if text := odd_shape(frames, survey.store.widths[0]):
        report.warning("videos of equal length", text)


def look_at_rates(report, survey, videos):
    """Frames a second; videos that are far from the usual, or from the rate given."""
    rates = {video.name: survey.shapes[video.name][0][0] / video.duration for video in videos
             if video.name in survey.shapes and video.duration}
    if not rates:
        return
    given = {video.name: video for video in videos if video.rate}
    usual = statistics.median(video.rate for video in given.values()) if given else (
        statistics.median(rates.values()))
    report.facts.append(f"frames a second: {min(rates.values()):.3g} to {max(rates.values()):.3g}, "
                        f"usually {usual:.4g}")
    for name, rate in rates.items():
        expected = given[name].rate if name in given else usual
        if rate < SHORT * expected:
            report.warning("features that cover only a part of their video",
                           f"{name} ({rate:.3g} a second)")
        elif abs(rate - expected) > ODD_RATE * expected or (
                name in given and not has_rate(given[name], survey.shapes[name][0][0])):
            report.warning("features of an unusual rate", f"{name} ({rate:.3g} a second)")
