"""The built-in demo data: ordinary files, with actions that only their order defines.

Each of the sub-actions A, B, C has its own feature vector; the six classes are their
six orders. So a single frame says nothing about the class of an action. Lone
sub-actions, which belong to no action, occur in the background.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from Utils.files import UserError, read_json, replacing, write_json

MARK = "VSGN demo"
VERSION = f"{MARK} 1"       # raise this with every change to the data below
ANNOTATIONS, STREAMS = "annotations.json", ("rgb", "flow")
FILES = (ANNOTATIONS, *(f"{stream}.h5" for stream in STREAMS))

FPS = 10.0
NUM_TRAIN, NUM_TEST = 60, 30
VIDEO_FRAMES = (260, 620)
SHORT_SHARE, SHORT_FRAMES, LONG_FRAMES = 0.6, (5, 15), (60, 150)
QUIET_FRAMES = (6, 24)      # between any two sub-actions or actions
LONE_SHARE = 0.5            # share of gaps between actions that hold a lone sub-action
STREAM_DIM = 16
# length of a sub-action's vector; standard deviation per dimension
STRENGTH, NOISE = 2.0, 1.0

ORDERS = tuple(itertools.permutations(range(3)))
CLASSES = tuple("-".join("ABC"[part] for part in order) for order in ORDERS)


@dataclass(frozen=True)
class DemoVideo:
    """One video: the sub-action of each frame, and its actions."""
    parts: np.ndarray                               # (n,) int; -1 = none of the three
    actions: tuple[tuple[int, int, int], ...]  # first frame, frame after the last, class


def ensure_demo(folder):
    """Write the demo data to `folder` unless they are complete. -> whether it wrote.

    Raises UserError rather than replace a file that the demo did not write.
    """
    folder = Path(folder)
    origins = {name: _origin(folder / name) for name in FILES if (folder / name).exists()}
    foreign = [name for name, origin in origins.items() if not origin.startswith(MARK)]
    if foreign:
        raise UserError(f"{folder} holds {', '.join(foreign)}, not written by the demo; "
                        "give another --feature_path, or --dataset custom for your own "
                        "data")
    made_together = len(origins) == len(FILES) and len(set(origins.values())) == 1
    if made_together and origins[ANNOTATIONS].startswith(VERSION):
        return False
    write_demo(folder)
    return True


def write_demo(folder, num_train=NUM_TRAIN, num_test=NUM_TEST):
    """Write annotations.json, rgb.h5 and flow.h5 of the demo videos to `folder`.

    The same numbers of videos give the same data. Every file stores the version that
    wrote it.
    """
    folder = Path(folder)
    # RandomState gives the same numbers in every version of numpy; a Generator may not.
    rng = np.random.RandomState(7)
    version = f"{VERSION}, {num_train} + {num_test} videos"
    names = _video_names(num_train, num_test)
    videos = dict(zip(names, _videos(rng, len(names)), strict=True))
    for stream in STREAMS:
        vectors = _sub_action_vectors(rng)
        with replacing(folder / f"{stream}.h5") as part, h5py.File(part, "w") as file:
            file.attrs["version"] = version
            for name, video in videos.items():
                file[name] = _features(video.parts, vectors, rng)
    write_json(folder / ANNOTATIONS, {
        "version": version,
        "database": {name: _annotation(name, video) for name, video in videos.items()},
    })


def _origin(path):
    """The version stored in a demo file; "" if there is none or it cannot be read."""
    try:
        if path.suffix == ".h5":
            with h5py.File(path, "r") as file:
                return str(file.attrs.get("version", ""))
        return str(read_json(path).get("version", ""))
    except (OSError, UserError, AttributeError):    # another kind of file, or of JSON
        return ""


def _video_names(num_train, num_test):
    return [f"demo_{subset}_{number:03d}"
            for subset, count in (("train", num_train), ("test", num_test))
            for number in range(count)]


def _annotation(name, video):
    """A video's entry in the ActivityNet layout, in seconds."""
    return {
        "subset": name.split("_")[1],
        "duration": len(video.parts) / FPS,
        "annotations": [{"segment": [start / FPS, end / FPS], "label": CLASSES[label]}
                        for start, end, label in video.actions],
    }


def _sub_action_vectors(rng):
    """Orthogonal vectors of length STRENGTH for A, B and C, then zeros for none of them."""
    basis, _ = np.linalg.qr(rng.normal(size=(STREAM_DIM, len("ABC"))))
    return np.vstack([STRENGTH * basis.T, np.zeros((1, STREAM_DIM))])


def _features(parts, vectors, rng):
    """The vector of each frame's sub-action, plus noise.

    parts: (n,) -> (n, STREAM_DIM) float32.
    """
    noise = rng.normal(scale=NOISE, size=(len(parts), STREAM_DIM))
    return (vectors[parts] + noise).astype(np.float32)


def _videos(rng, count):
    """Draw `count` videos.

    An action that no longer fits opens the next video, so the lengths of videos do not
    distort the distribution of lengths and classes of actions.
    """
    label, length = _draw_action(rng)
    for _ in range(count):
        num_frames = _between(rng, VIDEO_FRAMES)
        parts, actions = _background(rng), []
        while len(parts) + length <= num_frames:
            actions.append((len(parts), len(parts) + length, label))
            parts += _action_parts(label, length) + _background(rng)
            label, length = _draw_action(rng)
        parts += [-1] * (num_frames - len(parts))
        yield DemoVideo(np.array(parts[:num_frames]), tuple(actions))


def _draw_action(rng):
    """Class and length in frames of an action."""
    frames = SHORT_FRAMES if rng.uniform() < SHORT_SHARE else LONG_FRAMES
    return rng.randint(len(ORDERS)), _between(rng, frames)


def _action_parts(label, length):
    """The sub-action of each frame of an action: three in its class's order, each a third."""
    edges = np.round(np.linspace(0, length, 4)).astype(int)
    return np.repeat(ORDERS[label], np.diff(edges)).tolist()


def _background(rng):
    """Frames between actions: quiet, perhaps with a lone sub-action as long as in an action."""
    quiet = [-1] * _between(rng, QUIET_FRAMES)
    if rng.uniform() >= LONE_SHARE:
        return quiet
    _, length = _draw_action(rng)
    lone = [rng.randint(3)] * round(length / 3)
    return quiet + lone + [-1] * _between(rng, QUIET_FRAMES)


def _between(rng, limits):
    """A random whole number within limits, both ends included."""
    return int(rng.randint(limits[0], limits[1] + 1))
