"""Features of all videos: a store of one or more streams, read in part or whole, and checked."""


import numpy as np

from Utils.files import UserError, agreeing, counted, listed
from Utils.names import named_there

# Streams of one video may differ by this share of their frames, and always by a few frames.
LENGTH_TOLERANCE = 0.05
FEW_FRAMES = 4
FRAMES_AT_ONCE = 4096    # frames read at a time when all are checked
ONLY = "features"        # the name of a single stream


class FeatureStore:
    """Features of all videos.

    streams: {name: Hdf5Stream or FolderStream}, in channel order.
    deltas: whether `read` appends the deltas of the channels, see `with_deltas`.
    standard: function (stream, frames (n, channels)) that `read` applies to the
    frames, or None.
    """

    def __init__(self, streams):
        self.parts = dict(streams)
        self.deltas, self.standard = False, None
        self.streams = tuple(self.parts)
        self._shapes = {}
        self._width = {}

    def __contains__(self, video):
        return not self.missing(video)

    @staticmethod
    def named(*streams):
        """The streams in words: "rgb and flow features", or "features" for a single stream."""
        return ONLY if streams == (ONLY,) else f"{' and '.join(streams)} features"

    def missing(self, video):
        """The streams that lack this video."""
        return [stream for stream in self.streams if video not in self.parts[stream]]

    def lengths(self, video):
        """Frames of each stream; only shapes are read.

        UserError if they differ too much.
        """
        lengths = tuple(self.shape(video, stream)[0] for stream in self.streams)
        difference = max(lengths) - min(lengths)
        if difference > max(FEW_FRAMES, LENGTH_TOLERANCE * max(lengths)):
            found = ", ".join(f"{n} of {s}" for n, s in zip(lengths, self.streams, strict=True))
            raise UserError(f"video {video}: its streams differ too much in length (frames: "
                            f"{found}); extract its features again, or leave it out with "
                            "--skip_missing")
        return lengths

    def shape(self, video, stream):
        """(frames, channels) of one video in one stream, checked."""
        if (video, stream) not in self._shapes:
            part = self.parts[stream]
            if video not in part:
                raise UserError(f"video {video} is not in the {self.named(stream)} ({part.places})")
            self._shapes[video, stream] = self._checked(part.shape(video), video, stream)
        return self._shapes[video, stream]

    def _checked(self, shape, video, stream):
        if len(shape) != 2:
            raise UserError(f"video {video}: its {self.named(stream)} have the shape {shape}, "
                            "expected [frames, channels]")
        if 0 in shape:
            raise UserError(f"video {video}: its {self.named(stream)} are empty, shape {shape}")
        width, shown = self._width.setdefault(stream, (shape[1], (video, shape)))
        if shape[1] != width:
            hint = ("if they are stored [channels, frames], store [frames, channels]; or "
                    if shape[0] == shown[1][0] else "")
            raise UserError(f"video {video}: its {self.named(stream)} have the shape {shape}, "
                            f"those of {shown[0]} have {shown[1]}; {hint}extract all of "
                            "them in the same way")
        return tuple(shape)

    @property
    def has_own_files(self):
        """Whether each video has its own file, beside which there could be a sidecar."""
        return any(part.path_of(name) for part in self.parts.values() for name in part.names()[:1])

    @property
    def widths(self):
        """Channels of each stream as they are read."""
        return tuple(width * (1 + self.deltas) for width in self.stored_widths)

    @property
    def stored_widths(self):
        """Channels of each stream in the files, judging by the videos read so far.

        If none was read, by the first one.
        """
        for stream in self.streams:
            if stream not in self._width:
                names = self.parts[stream].names()
                if not names:
                    raise UserError(f"no video in the {self.named(stream)} "
                                    f"({self.parts[stream].places})")
                self.shape(names[0], stream)
        return tuple(self._width[stream][0] for stream in self.streams)

    @property
    def first_frames(self):
        """Frames per stream of the video from which `widths` are taken."""
        return tuple(self._width[stream][1][1][0] for stream in self.streams)

    def read(self, video, stream, start=0, stop=None):
        """Frames start .. stop - 1 of one stream. -> (n, channels) float32, finite."""
        length = self.shape(video, stream)[0]
        if self.deltas:
            stop = length if stop is None else min(stop, length)
            first = max(start - 1, 0)
            around = self._stored(video, stream, first, min(stop + 1, length))
            frames = with_deltas(around)[start - first:stop - first]
        else:
            frames = self._stored(video, stream, start, stop)
        return self.standard(stream, frames) if self.standard else frames

    def _stored(self, video, stream, start, stop):
        """Frames as they are in the files."""
        frames = self.parts[stream].read(video, start, stop)
        frames = np.ascontiguousarray(frames, dtype=np.float32)
        # The sum is finite unless a value is not, or it overflows: then the slow check decides.
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = np.isfinite(frames.sum())
        if not is_finite and not (good := np.isfinite(frames).all(axis=1)).all():
            raise UserError(f"video {video}: its {self.named(stream)} have NaN or infinite values, "
                            f"first at frame {start + int(np.argmin(good))}; extract them again, "
                            "or leave it out with --skip_missing (Cut_long_videos.py --check "
                            "lists all such videos)")
        return frames

    def read_through(self, video):
        """Read all frames of a video in parts, only to raise what `read` raises."""
        for stream, frames in zip(self.streams, self.lengths(video), strict=True):
            for start in range(0, frames, FRAMES_AT_ONCE):
                self.read(video, stream, start, start + FRAMES_AT_ONCE)

    def close(self):
        """Close every open file."""
        for part in self.parts.values():
            part.close()


def with_deltas(frames):
    """Frames (n, channels), followed by the deltas of the channels. -> (n, 2 * channels).

    The delta of a frame is half the difference between the next frame and the previous
    one; at either end, the difference between the last two.
    """
    deltas = np.gradient(frames, axis=0) if len(frames) > 1 else np.zeros_like(frames)
    return np.concatenate([frames, deltas], axis=1)


def with_features(videos, store, skip_missing):
    """Split videos by whether their features can be used. -> kept, {name: what is wrong}.

    Without skip_missing, only shapes are read, and missing or broken features raise a UserError.
    With it, all features are read once, so that NaN and infinite values are found too.
    """
    lacking = {video.name: streams for video in videos if (streams := store.missing(video.name))}
    wrong = {name: f"not in the {store.named(*streams)}"
             for name, streams in lacking.items()}
    if wrong and not skip_missing:
        first, (stream, *_) = next(iter(wrong.values())), next(iter(lacking.values()))
        part = store.parts[stream]
        there = named_there([v for v in wrong if stream in lacking[v]], part.names(), part.places)
        are = agreeing(len(wrong), "is", "are")
        raise UserError(f"{len(wrong)} of {counted(len(videos), 'video')} {are} {first}: "
                        f"{listed(wrong)}; "
                        f"{there or f'these are read from {part.places}'}; check --feature_path, "
                        "or leave them out with --skip_missing")
    for video in videos:
        try:
            if video.name not in wrong:
                (store.read_through if skip_missing else store.lengths)(video.name)
        except UserError as problem:
            if not skip_missing:
                raise
            wrong[video.name] = str(problem)
    return [video for video in videos if video.name not in wrong], wrong


def check_width(store, expected, is_trained=False):
    """Refuse features that do not have `expected` channels, and say what to do.

    is_trained: whether a trained network expects them.
    """
    widths, frames = store.stored_widths, store.first_frames
    parts = " + ".join(f"{stream} {width}" for stream, width in
                       zip(store.streams, widths, strict=True))
    channels = counted(sum(widths), "channel")
    if sum(widths) != expected == sum(frames):
        raise UserError("the features seem to be stored [channels, frames]: "
                        f"{counted(sum(frames), 'frame')} of {channels} ({parts}) in the first "
                        f"video, and --input_feat_dim is {expected}; store [frames, channels]")
    if sum(widths) != expected and is_trained:
        raise UserError(f"the features have {channels} ({parts}), the network was "
                        f"trained on {expected}; give --feature_path a folder of features "
                        "extracted in the same way, or train again on these")
    if sum(widths) != expected:
        raise UserError(f"the features have {channels} ({parts}), but --input_feat_dim "
                        f"is {expected}; set --input_feat_dim {sum(widths)}, or check "
                        "--feature_path")
