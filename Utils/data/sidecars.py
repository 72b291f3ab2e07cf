"""Sidecars: the JSON file beside a video's features that says how they were made.

NAME.npy holds the features of a video; NAME.json says what extracted them, and from
which file. It is written last, so its presence means that the video is done.
"""

import hashlib
import json
from dataclasses import asdict, dataclass

from Utils.files import UserError, agreeing, counted, listed, read_json

# What distinguishes extractors, in the order in which differences are named.
IDENTITY = ("name", "code_version", "weights", "feature_fps", "clip_length", "size", "crop", "mean",
            "std", "pooling", "precision", "channels")


@dataclass(frozen=True)
class Sidecar:
    """How the features of one video were made.

    extractor: its identity, {name in IDENTITY: plain value}. sha256: of the .npy file.
    source: name, size and mtime of the video file, and the sha256 of pieces of it.
    Times are in seconds.
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

    def text(self):
        """What its file holds."""
        return json.dumps(asdict(self))

    @property
    def rate(self):
        """Features per second."""
        return self.extractor["feature_fps"]


def fingerprint(identity):
    """A short hash of the identity of an extractor."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def fingerprints(extractors):
    """The fingerprint of each stream's extractor. extractors: {stream: identity}."""
    return {stream: fingerprint(identity) for stream, identity in extractors.items()}


def read_sidecar(path):
    """The Sidecar of the features at `path`; None if it is missing, or another kind of JSON.

    Raises UserError for an incomplete sidecar.
    """
    path = path.with_suffix(".json")
    if not path.is_file():
        return None
    content = read_json(path, "sidecar")
    if not isinstance(content, dict) or not {"extractor", "fingerprint"} <= content.keys():
        return None
    try:
        found = Sidecar(**{name: content[name] for name in Sidecar.__dataclass_fields__})
        is_sound = found.rate > 0 and found.duration > 0 and (
            found.fingerprint == fingerprint(found.extractor))
    except (LookupError, TypeError):
        is_sound = False
    if not is_sound:
        raise UserError(f"{path} is not a sidecar as Extract_features.py writes it; "
                        f"remove it and {path.with_suffix('.npy').name}, and extract the "
                        "video again")
    return found


def sidecars(store, videos):
    """The sidecars of some videos.

    -> {stream: {video: Sidecar}}, without streams that have none.
    Raises UserError if a folder has them for only some of its videos, or for several
    extractors.
    """
    found = {}
    for stream, part in store.parts.items():
        cars = {video: read_sidecar(path) for video in videos
                if (path := part.path_of(video)) is not None}
        there = {video: car for video, car in cars.items() if car is not None}
        if not there:
            continue
        if lacking := [video for video in cars if video not in there]:
            have = agreeing(len(lacking), "has", "have")
            raise UserError(f"{part.places}: {len(lacking)} of "
                            f"{counted(len(cars), 'video')} {have} features but no "
                            f"sidecar (a .json next to them): {listed(lacking)}; they "
                            "were not made together: run Extract_features.py for them "
                            "again, with --overwrite")
        _check_alike(there, part.places)
        found[stream] = there
    return found


def _check_alike(cars, places):
    """Refuse sidecars {video: Sidecar} of several extractors."""
    prints = {}
    for video, car in cars.items():
        prints.setdefault(car.fingerprint, []).append(video)
    if len(prints) > 1:
        first, second, *_ = prints.values()
        names = differences(cars[first[0]].extractor, cars[second[0]].extractor)
        raise UserError(f"{places} holds features of {len(prints)} extractors: "
                        f"{listed(first, 2)} and {listed(second, 2)} differ in {names}; "
                        "extract all of them in the same way, into a new folder")


def identities(cars):
    """The identity of each stream's extractor.

    cars: from `sidecars`. -> {stream: dict}.
    """
    return {stream: next(iter(parts.values())).extractor
            for stream, parts in cars.items()}


def differences(found, expected):
    """The differences between two identities, in words: "feature_fps (10, not 5)"."""
    names = [name for name in dict.fromkeys((*IDENTITY, *found, *expected))
             if found.get(name) != expected.get(name)]
    return ", ".join(f"{name} ({_short(found.get(name))}, not {_short(expected.get(name))})"
                     for name in names)


def check_identities(found, trained, where):
    """Refuse features of other extractors than those a checkpoint was trained on.

    found, trained: {stream: identity}; streams that only one of them has are not
    compared.
    """
    for stream in found.keys() & (trained or {}).keys():
        if names := differences(found[stream], trained[stream]):
            raise UserError(f"the features differ from those that {where} was trained "
                            f"on in {names}; extract them with the same extractor and "
                            "options")


def _short(value):
    """A value of an identity, shortened if it is long: hashes of weights have 64 digits."""
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:16]}..."
