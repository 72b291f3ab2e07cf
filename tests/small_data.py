"""Small datasets on disk, as a user might bring them."""

import json
import zlib

import h5py
import numpy as np

from Evaluation.postprocessing.proposal_file import ProposalWriter
from Utils.config.resolve import resolve


def write_hdf5(path, arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def custom_config(path, **options):
    """The config of own data whose annotations are at `path`."""
    return resolve({"dataset": "custom", "recipe": "paper", "video_anno": str(path), **options})


def noise(name, frames, channels):
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return rng.standard_normal((frames, channels)).astype(np.float32)


def entry(subset, *actions, duration=10.0, **more):
    """A video of an annotation file: actions are (start, end, label)."""
    return {"subset": subset, "duration": duration, "annotations": [
        {"segment": [start, end], "label": label} for start, end, label in actions], **more}


def write_annotations(path, database):
    path.write_text(json.dumps({"database": database}))
    return path


def write_custom(folder, frames=100, channels=(3, 2), change=None):
    """Five training and two test videos of 10 s, two streams; change(database, arrays) edits them.

    Returns the words that name it on a command line.
    """
    folder.mkdir(exist_ok=True)
    database = {f"train{i}": entry("train", (1, 2.5, "jump"), (4, 8, "run")) for i in range(5)}
    database |= {f"test{i}": entry("test", (3, 4, "run")) for i in range(2)}
    arrays = {stream: {name: noise(stream + name, frames, width) for name in database}
              for stream, width in zip(("rgb", "flow"), channels, strict=True)}
    if change:
        change(database, arrays)
    write_annotations(folder / "annotations.json", database)
    for stream, videos in arrays.items():
        write_hdf5(folder / f"{stream}.h5", videos)
    return ["--dataset", "custom", "--recipe", "paper", "--feature_path", str(folder),
            "--temporal_scale", "64",
            "--framing", "sliding", "--num_neigh", "2", "--stitch_gap", "8"]


def write_proposals(path, parts, settings):
    """proposals.h5 of (Window, Proposals) pairs, as Infer.py writes it."""
    with ProposalWriter(path, settings) as writer:
        for window, proposals in parts:
            writer.add(window, proposals)
