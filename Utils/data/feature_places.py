"""The features at a user's paths: which files there are, with which streams and videos."""

from pathlib import Path

from Utils.data.feature_arrays import HDF5_ENDINGS, refusal
from Utils.data.feature_files import ARRAY_ENDINGS, FILE_ENDINGS, FolderStream, files_below
from Utils.data.features import ONLY, FeatureStore
from Utils.data.hdf5_stream import Hdf5Stream, are_of_one_video
from Utils.files import UserError, listed

STREAMS = ("rgb", "flow")   # in the order of their channels


def open_places(places):
    """The features at a user's paths: files of one video each, or a folder or HDF5 file of many.

    -> FeatureStore, names of the videos that have all of its streams.
    """
    paths = [Path(place) for place in places]
    if absent := [path for path in paths if not path.exists()]:
        raise UserError(f"no file or folder {listed(absent)}")
    if len(paths) == 1 and (paths[0].is_dir() or paths[0].suffix in HDF5_ENDINGS):
        store = open_features(paths[0])
        return store, [name for name in store.parts[store.streams[0]].names() if name in store]
    if odd := [path for path in paths if path.suffix not in ARRAY_ENDINGS or path.is_dir()]:
        raise UserError(f"{odd[0]} is {'a folder' if odd[0].is_dir() else 'not a feature file'}; "
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
    """Whether a path is a feature file, or a folder with some."""
    path = Path(place)
    return bool(files_below(path, FILE_ENDINGS)) if path.is_dir() else path.suffix in FILE_ENDINGS


def open_features(folder, feature_files=None, subsets=(), follow_links=False):
    """The FeatureStore of a folder of features, or of a single HDF5 file.

    feature_files: subset -> stream -> file, of the subsets used. None takes what exists: rgb*.h5
    and flow*.h5, or any .h5; folders rgb and flow, or .npy, .npz and .pt files.
    follow_links: HDF5 files may point to others.
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
        raise UserError(f"--feature_path {folder} cannot be read: {problem.strerror}; get read "
                        "permission, or name another folder") from None
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
    """The streams found in a user's own folder. -> {name: stream}."""
    if folder.is_file():
        return {ONLY: Hdf5Stream([folder], follow_links)}
    # Not only files: a folder with such a name gets its own message.
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
            f"no features in {folder}: expected rgb.h5 and flow.h5, one .h5 file, or one .npy, "
            ".npz, .pt or .h5 file per video"))
    return {name: FolderStream(folder, named, follow_links)
            for name, named in _named_files(folder, files)}


def _named_files(folder, files):
    """[(stream, [(video, path)])] from files of one video each.

    Streams are recognized by folders named rgb and flow, or else by names that end in
    _rgb and _flow.
    """
    by_folder, by_name = {}, {}
    for path in files:
        for stream in STREAMS:
            if stream in path.relative_to(folder).parts[:-1]:
                by_folder.setdefault(stream, []).append((path.stem, path))
            if path.stem.endswith(f"_{stream}"):
                video = path.stem.removesuffix(f"_{stream}")
                by_name.setdefault(stream, []).append((video, path))
    if by_folder:
        return _in_channel_order(by_folder)
    if sum(map(len, by_name.values())) < len(files):
        return [(ONLY, [(path.stem, path) for path in files])]
    if len(by_name) == 1:
        return [(ONLY, named) for named in by_name.values()]
    return _in_channel_order(by_name)


def _in_channel_order(streams):
    return [(name, streams[name]) for name in STREAMS if name in streams]
