"""Features of all videos: one store of one or more streams, read in part or whole, and checked."""

from pathlib import Path

import numpy as np

from Utils.data.feature_arrays import HDF5_ENDINGS, refusal
from Utils.data.feature_files import (
    ARRAY_ENDINGS,
    FILE_ENDINGS,
    FolderStream,
    Hdf5Stream,
    are_of_one_video,
    files_below,
)
from Utils.files import UserError, listed
from Utils.names import named_there

STREAMS = ("rgb", "flow")   # in the order of their channels
# Streams of one video may differ by this share of their frames, and a few frames anyhow.
LENGTH_TOLERANCE = 0.05
FEW_FRAMES = 4
FRAMES_AT_ONCE = 4096    # when all frames are looked at
ONLY = "features"        # the name of a stream that is alone


class FeatureStore:
    """Features of all videos. streams: {name: Hdf5Stream or FolderStream}, in channel order.

    standard: what `read` gives the frames to, as (stream, frames (n, channels)); None: nothing.
    """

    def __init__(self, streams):
        self.parts = dict(streams)
        self.standard = None
        self.streams = tuple(self.parts)
        self._shapes = {}
        self._width = {}

    def __contains__(self, video):
        return not self.missing(video)

    @staticmethod
    def named(*streams):
        """What a message calls streams: "rgb and flow features"; "features" of a single stream."""
        return ONLY if streams == (ONLY,) else f"{' and '.join(streams)} features"

    def missing(self, video):
        """The streams that lack this video."""
        return [stream for stream in self.streams if video not in self.parts[stream]]

    def lengths(self, video):
        """Frames of each stream; only shapes are read. UserError where they make no sense."""
        lengths = tuple(self.shape(video, stream)[0] for stream in self.streams)
        difference = max(lengths) - min(lengths)
        if difference > max(FEW_FRAMES, LENGTH_TOLERANCE * max(lengths)):
            found = ", ".join(f"{n} of {s}" for n, s in zip(lengths, self.streams, strict=True))
            raise UserError(f"video {video}: its streams differ too much in length, frames: "
                            f"{found}; extract its features again, or leave it out")
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
            hint = ("; if they are stored [channels, frames], store [frames, channels]"
                    if shape[0] == shown[1][0] else "; extract them all alike")
            raise UserError(f"video {video}: its {self.named(stream)} have the shape {shape}, "
                            f"those of {shown[0]} have {shown[1]}{hint}")
        return tuple(shape)

    @property
    def has_own_files(self):
        """Whether each video has a file of its own, beside which a side-car could lie."""
        return any(part.path_of(name) for part in self.parts.values() for name in part.names()[:1])

    @property
    def widths(self):
        """Channels of each stream, by the videos looked at so far (else the first there is)."""
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
        """Frames, in each stream, of the video that `widths` are taken from."""
        return tuple(self._width[stream][1][1][0] for stream in self.streams)

    def read(self, video, stream, start=0, stop=None):
        """Frames start .. stop - 1 of one stream. -> (n, channels) float32, finite."""
        self.shape(video, stream)
        frames = self.parts[stream].read(video, start, stop)
        frames = np.ascontiguousarray(frames, dtype=np.float32)
        # A sum is finite unless a value is not, or it overflows: then the slow look decides.
        with np.errstate(over="ignore", invalid="ignore"):
            is_finite = np.isfinite(frames.sum())
        if not is_finite and not (good := np.isfinite(frames).all(axis=1)).all():
            raise UserError(f"video {video}: its {self.named(stream)} have NaN or infinite values, "
                            f"first at frame {start + int(np.argmin(good))}; extract them again, "
                            "or leave the video out (Cut_long_videos.py --check lists all such)")
        return self.standard(stream, frames) if self.standard else frames

    def read_through(self, video):
        """Read all frames of a video, a part at a time, only to raise what `read` raises."""
        for stream, frames in zip(self.streams, self.lengths(video), strict=True):
            for start in range(0, frames, FRAMES_AT_ONCE):
                self.read(video, stream, start, start + FRAMES_AT_ONCE)

    def close(self):
        """Close every open file."""
        for part in self.parts.values():
            part.close()


def open_places(places):
    """The features that a user names: files of one video each, or a folder or HDF5 file of many.
    -> FeatureStore, names of the videos that have all of its streams.
    """
    paths = [Path(place) for place in places]
    if absent := [path for path in paths if not path.exists()]:
        raise UserError(f"no file or folder {listed(absent)}")
    if len(paths) == 1 and (paths[0].is_dir() or paths[0].suffix in HDF5_ENDINGS):
        store = open_features(paths[0])
        return store, [name for name in store.parts[store.streams[0]].names() if name in store]
    if odd := [path for path in paths if path.suffix not in ARRAY_ENDINGS or path.is_dir()]:
        raise UserError(f"{odd[0]} is {'a folder' if odd[0].is_dir() else 'no file of features'}; "
                        "expected one folder, or files of one video each "
                        f"({listed(ARRAY_ENDINGS)}), [frames, channels]")
    names = {}
    for path in paths:
        if path.stem in names:
            raise UserError(f"{names[path.stem]} and {path} would both be video {path.stem}; "
                            "rename one of them")
        names[path.stem] = path
    return FeatureStore({ONLY: FolderStream.of_files(names)}), list(names)


def holds_features(place):
    """Whether a folder has files of features, or a file is one."""
    path = Path(place)
    return bool(files_below(path, FILE_ENDINGS)) if path.is_dir() else path.suffix in FILE_ENDINGS


def open_features(folder, feature_files=None, subsets=(), follow_links=False):
    """The store of a folder of features.

    feature_files: subset -> stream -> file, of the subsets used; None looks at what is there:
    rgb*.h5 and flow*.h5, or any .h5; folders rgb and flow, or files .npy, .npz, .pt. A single
    HDF5 file may be named itself. follow_links: HDF5 files may lead to others.
    """
    if folder is None:
        raise UserError("--feature_path is needed: the folder of the feature files")
    folder = Path(folder)
    try:
        if not folder.exists():
            raise UserError(f"--feature_path {folder} does not exist")
        if feature_files is None:
            return FeatureStore(_found_streams(folder, follow_links))
    except OSError as problem:
        raise UserError(f"--feature_path {folder} cannot be read: {problem.strerror}; get the "
                        "right to read it, or name another folder") from None
    names = {}
    for subset in subsets:
        for stream, name in feature_files[subset].items():
            names.setdefault(stream, {})[folder / name] = None
    absent = [path for paths in names.values() for path in paths if not path.exists()]
    if absent:
        raise UserError(f"no feature file {listed(absent)}; check --feature_path")
    return FeatureStore({stream: Hdf5Stream(paths, follow_links)
                         for stream, paths in names.items()})


def _found_streams(folder, follow_links):
    """Streams by what lies in a folder of the user's own. -> {name: stream}."""
    if folder.is_file():
        return {ONLY: Hdf5Stream([folder], follow_links)}
    # Not only files: a folder that is called like one gets its sentence.
    tables = sorted(path for path in folder.iterdir() if path.suffix in HDF5_ENDINGS) or (
        files_below(folder, HDF5_ENDINGS) if not files_below(folder, ARRAY_ENDINGS) else [])
    if any(path.stem.split("_")[0] in STREAMS for path in tables) or (
            tables and not are_of_one_video(tables)):
        found = {name: paths for name in STREAMS
                 if (paths := [path for path in tables if name in path.stem.split("_")])}
        return {name: Hdf5Stream(paths, follow_links)
                for name, paths in (found or {ONLY: tables}).items()}
    files = files_below(folder, FILE_ENDINGS if tables else ARRAY_ENDINGS)
    if not files:
        raise UserError(refusal(folder) or (
            f"no features in {folder}: expected rgb.h5 and flow.h5, one .h5 file, or a .npy, .npz, "
            ".pt or .h5 file for each video"))
    return {name: FolderStream(folder, named, follow_links)
            for name, named in _named_files(folder, files)}


def _named_files(folder, files):
    """[(stream, [(video, path)])] of files of one video each.

    Streams are told by folders called rgb and flow, else by names that end in _rgb and _flow.
    """
    by_folder = [(name, [(path.stem, path) for path in files
                         if name in path.relative_to(folder).parts[:-1]]) for name in STREAMS]
    if any(named for _, named in by_folder):
        return [(name, named) for name, named in by_folder if named]
    by_name = [(name, [(path.stem.removesuffix(f"_{name}"), path) for path in files
                       if path.stem.endswith(f"_{name}")]) for name in STREAMS]
    if sum(len(named) for _, named in by_name) < len(files):
        return [(ONLY, [(path.stem, path) for path in files])]
    there = [(name, named) for name, named in by_name if named]
    return there if len(there) > 1 else [(ONLY, there[0][1])]


def with_features(videos, store, skip_missing):
    """Split videos by whether their features can be used. -> kept, {name: what is wrong}.

    Only shapes are read, and missing or broken features are a UserError (how many, the first five).
    With skip_missing all features are read once, so that NaN and infinite values are found too.
    """
    lacking = {video.name: streams for video in videos if (streams := store.missing(video.name))}
    wrong = {name: f"not in the {store.named(*streams)}"
             for name, streams in lacking.items()}
    if wrong and not skip_missing:
        first, (stream, *_) = next(iter(wrong.values())), next(iter(lacking.values()))
        part = store.parts[stream]
        there = named_there([v for v in wrong if stream in lacking[v]], part.names(), part.places)
        raise UserError(f"{len(wrong)} of {len(videos)} videos are {first}: {listed(wrong)}; "
                        f"{there or f'these are read from {part.places}'}; check --feature_path, "
                        "or go on without them: --skip_missing")
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
    """Refuse features of another width than `expected` channels, saying what to do. is_trained:
    a network has them already."""
    widths, frames = store.widths, store.first_frames
    parts = " + ".join(f"{stream} {width}" for stream, width in
                       zip(store.streams, widths, strict=True))
    if sum(widths) != expected == sum(frames):
        raise UserError(f"the features seem to be stored [channels, frames]: {sum(frames)} frames "
                        f"of {sum(widths)} channels ({parts}) in the first video, and "
                        f"--input_feat_dim is {expected}; store [frames, channels]")
    if sum(widths) != expected and is_trained:
        raise UserError(f"the features have {sum(widths)} channels ({parts}), the network was "
                        f"trained on {expected}; give the folder of features made alike with "
                        "--feature_path, or train again on these")
    if sum(widths) != expected:
        raise UserError(f"the features have {sum(widths)} channels ({parts}), but --input_feat_dim "
                        f"is {expected}; set --input_feat_dim {sum(widths)}, or check "
                        "--feature_path")
