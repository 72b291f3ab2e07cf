"""What is odd about features: they are read once, in parts, and compared between videos."""

import statistics
import zlib
from collections import defaultdict

import numpy as np

from Utils.data.features import FEW_FRAMES, FRAMES_AT_ONCE
from Utils.data.rates import has_rate, odd_shape
from Utils.data.sidecars import sidecars
from Utils.files import UserError, listed

ODD_RATE = 0.25  # a video's features per second differ from the usual ones by this share
SHORT = 0.5         # or are below this share of them: part of the video is missing
HUGE = 1e4          # features from networks stay far below


class Survey:
    """Reads videos one by one, and finds what is constant, huge or equal to another."""

    def __init__(self, store):
        self.store = store
        self.shapes = {}                    # video -> (frames, channels) per stream
        self.low, self.high = {}, {}        # stream -> (channels,) over all videos
        self.constant, self.huge = [], {}   # videos; video -> its largest value
        self.same = defaultdict(list)       # digests of the streams -> videos

    def add(self, video):
        """Read a whole video. Raises UserError if its features cannot be used."""
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
        self.shapes[video] = [self.store.shape(video, stream)
                              for stream in self.store.streams]
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
        """{stream: indices of the channels that have the same value in all videos}."""
        found = {stream: np.flatnonzero(self.low[stream] == self.high[stream])
                 for stream in self.low}
        return {stream: channels.tolist()
                for stream, channels in found.items() if len(channels)}


def look_at_features(report, store, videos, config):
    """Read the features of all videos and report what is wrong or odd. -> Survey."""
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
        more = f" (and {len(found) - 1} more like it: {listed(name for name, _ in found[1:])})"
        note("features that cannot be used", found[0][1] + more * (len(found) > 1))
    return survey


def look_at_values(report, survey):
    """Report constant, huge and equal features."""
    for stream, channels in survey.constant_channels().items():
        report.warning("channels with the same value in all videos",
                       f"{len(channels)} of {survey.store.named(stream)}: {listed(channels)}")
    for name in survey.constant:
        report.warning("videos whose features never change", name)
    for name, largest in survey.huge.items():
        report.warning(f"features beyond {HUGE:g}", f"{name} ({largest:.3g})")
    for names in survey.same.values():
        if len(names) > 1 and names[0] not in survey.constant:
            report.warning("videos with the same features", " = ".join(names))


def look_at_shapes(report, survey, config):
    """Report frames, channels that differ from the option, and arrays that look transposed."""
    if not survey.shapes:
        report.error("features", "no video has usable features")
        return
    width = sum(survey.store.widths)
    report.facts.append(f"channels: {width} ({', '.join(survey.store.streams)})")
    if config.input_feat_dim not in (None, width):
        report.error("channels", f"--input_feat_dim is {config.input_feat_dim}, the features "
                     f"have {width}; set --input_feat_dim {width}")
    frames = sorted(shapes[0][0] for shapes in survey.shapes.values())
    report.facts.append(f"frames per video: {frames[0]} to {frames[-1]}, median "
                        f"{statistics.median(frames):g}")
    text = odd_shape(frames, survey.store.widths[0])
    if text and not _has_sidecars(survey):
        report.warning("videos of equal length", text)


def _has_sidecars(survey):
    """Whether sidecars say how features were made.

    `refusals` reports those that are wrong.
    """
    try:
        return bool(sidecars(survey.store, survey.shapes))
    except UserError:
        return True


def look_at_rates(report, survey, videos):
    """Report videos whose rate is far from the usual one, or from the rate given."""
    rates = {video.name: survey.shapes[video.name][0][0] / video.duration for video in videos
             if video.name in survey.shapes and video.duration}
    if not rates:
        return
    given = {video.name: video for video in videos if video.rate}
    usual = statistics.median(video.rate for video in given.values()) if given else (
        statistics.median(rates.values()))
    report.facts.append(f"frames per second: {min(rates.values()):.3g} "
                        f"to {max(rates.values()):.3g}, usually {usual:.4g}")
    for name, rate in rates.items():
        expected = given[name].rate if name in given else usual
        if rate < SHORT * expected:
            report.warning("features that cover only part of their video",
                           f"{name} ({rate:.3g} per second)")
        elif abs(rate - expected) > ODD_RATE * expected or (
                name in given and not has_rate(given[name], survey.shapes[name][0][0])):
            report.warning("features of an unusual rate",
                           f"{name} ({rate:.3g} per second)")
