"""Side-cars: the JSON file beside the features of a video that says how they were made.

NAME.npy holds the features of a video, NAME.json what extracted them and from which file; it is
written last, so that its presence means that the video is done.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from Utils.files import UserError, listed, read_json, write_json

# What tells extractors apart; in the order in which differences are named.
IDENTITY = ("name", "code_version", "weights", "feature_fps", "clip_length", "size", "crop", "mean",
            "std", "pooling", "precision", "channels")


@dataclass(frozen=True)
class Sidecar:
    """How the features of one video were made.

    extractor: its identity, {name of IDENTITY: plain value}. sha256: of the .npy file. source:
    name, size and mtime of the video file. Times in seconds.
    """
    extractor: dict
    fingerprint: str
    sha256: str
    source: dict
    duration: float
    first_time: float
    frames: int
    header_frames: int | None
    decode_errors: int
    rotation: int

    def write(self, path):
        """Write it, whole or not at all."""
        write_json(path, asdict(self))

    @property
    def rate(self):
        """Features per second."""
        return self.extractor["feature_fps"]


def fingerprint(identity):
    """A short text that differs whenever the identity of an extractor does."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprints(extractors):
    """The fingerprint of each stream's extractor. extractors: {stream: identity}."""
    return {stream: fingerprint(identity) for stream, identity in extractors.items()}


def read_sidecar(path):
    """The Sidecar beside the features at `path`; None where there is none, or another kind of JSON.

    Raises UserError for a side-car that lacks something.
    """
    path = path.with_suffix(".json")
    if not path.is_file():
        return None
    content = read_json(path, "side-car")
    if not isinstance(content, dict) or not {"extractor", "fingerprint"} <= content.keys():
        return None
    try:
        found = Sidecar(**{name: content[name] for name in Sidecar.__dataclass_fields__})
        is_sound = found.rate > 0 and found.duration > 0 and (
            found.fingerprint == fingerprint(found.extractor))
    except (LookupError, TypeError):
        is_sound = False
    if not is_sound:
        raise UserError(f"{path} is not as Extract_features.py writes it; remove it and extract "
                        "the video again")
    return found


def sidecars(store, videos):
    """The side-cars of some videos, by stream and video. -> {stream: {video: Sidecar}}.

    Streams without any are left out. Raises UserError where a folder has them for a part of its
    videos, or where its videos come from several extractors.
    """
    found = {}
    for stream, part in store.parts.items():
        cars = {video: read_sidecar(path) for video in videos
                if (path := part.path_of(video)) is not None}
        there = {video: car for video, car in cars.items() if car is not None}
        if not there:
            continue
        if lacking := [video for video in cars if video not in there]:
            raise UserError(f"{part.places}: {len(lacking)} of {len(cars)} videos have features "
                            f"but no side-car (.json beside them): {listed(lacking)}; they were "
                            "not made together: run Extract_features.py for them again")
        _check_alike(there, part.places)
        found[stream] = there
    return found


def _check_alike(cars, places):
    """Refuse side-cars {video: Sidecar} of several extractors."""
    prints = {}
    for video, car in cars.items():
        prints.setdefault(car.fingerprint, []).append(video)
    if len(prints) > 1:
        first, second, *_ = prints.values()
        names = differences(cars[first[0]].extractor, cars[second[0]].extractor)
        raise UserError(f"{places} holds features of {len(prints)} extractors: "
                        f"{listed(first, 2)} and {listed(second, 2)} differ in {names}; extract "
                        "them alike, into a folder of their own")


def identities(cars):
    """The identity of each stream's extractor. cars: what `sidecars` gives. -> {stream: dict}."""
    return {stream: next(iter(parts.values())).extractor for stream, parts in cars.items()}


def differences(found, expected):
    """What differs between two identities, in words: "feature_fps (10, not 5)"."""
    names = [name for name in dict.fromkeys((*IDENTITY, *found, *expected))
             if found.get(name) != expected.get(name)]
    return ", ".join(f"{name} ({_short(found.get(name))}, not {_short(expected.get(name))})"
                     for name in names)


def check_identities(found, trained, where):
    """Refuse features of other extractors than a checkpoint was trained on, naming what differs.

    found, trained: {stream: identity}; streams that only one of them knows are not compared.
    """
    for stream in found.keys() & (trained or {}).keys():
        if names := differences(found[stream], trained[stream]):
            raise UserError(f"the features differ from those that {where} was trained on in "
                            f"{names}; extract them with the same extractor and options")


def _short(value):
    """A value of an identity, cut where it is long (weights have 64 digits)."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:16]}..."
