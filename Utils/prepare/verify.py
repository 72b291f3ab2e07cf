"""Compare a user's files with the known ones of THUMOS14 and ActivityNet-1.3."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from Utils.config.options import Config
from Utils.config.resolve import resolve
from Utils.data.annotations import canonical
from Utils.data.datasets import DATASETS, load_videos
from Utils.data.feature_places import open_features
from Utils.data.features import FeatureStore
from Utils.data.hdf5_stream import Hdf5Stream
from Utils.files import UserError, counted, listed
from Utils.prepare.known_files import COPIES, FEATURE_SOURCES, KNOWN_FILES, digests

# Worst first; the worst finding of a check determines its exit code.
EXIT_CODES = {"missing": 2, "unreadable": 2, "different": 1, "absent (optional)": 0, "right": 0}
# A video is reported if its features per second differ from the median by more than this
# factor. Extracted at a fixed stride, videos with 24 and with 30 frames per second
# differ by 1.25.
RATE_FACTOR = 1.5


@dataclass(frozen=True)
class Finding:
    """The result for one file: `state` is a key of EXIT_CODES."""
    name: str
    state: str
    detail: str = ""


def exit_code(findings):
    """0 if all is right, 1 if something differs, 2 if something needed is missing or broken."""
    return max((EXIT_CODES[finding.state] for finding in findings), default=0)


def check_annotations(dataset, folder):
    """One Finding per known annotation file of a dataset, searched in `folder`."""
    return [_check_file(known, known.find(folder)) for known in KNOWN_FILES[dataset]]


def _check_file(known, path):
    """The Finding for one known file. path: None if it does not exist."""
    if path is None:
        state = "missing" if known.needed else "absent (optional)"
        return Finding(" or ".join(known.names), state,
                       f"{known.purpose}; comes from {known.source}")
    try:
        if digests(path) & {COPIES[name] for name in known.names if name in COPIES}:
            return Finding(path.name, "right", "known checksum")
        differing = _differing(known.count(path), known.counts)
    except UserError as problem:
        return Finding(path.name, "unreadable", f"{problem}; a good one comes from {known.source}")
    if differing:
        return Finding(path.name, "different", "; ".join(differing))
    if path.name not in COPIES:
        return Finding(path.name, "right", f"{_listed(known.counts)}; no checksum is known")
    return Finding(path.name, "different", f"unknown checksum, but the usual counts "
                   f"({_listed(known.counts)}): a rewritten or edited copy")


def _differing(found, expected):
    """Phrases about counts that differ from the expected ones."""
    return [f"{what}: {found[what]}, expected {count}"
            for what, count in expected.items() if found[what] != count]


def _listed(counts):
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def check_features(dataset, folder, feature_path):
    """One Finding per feature file of a dataset, then one for its streams together.

    folder: that of the annotations, which say which videos are needed and how long
    they are. Only names and shapes are read.
    """
    files, needed = DATASETS[dataset].feature_files, _needed_videos(dataset, folder)
    findings = {}
    for subset, videos in needed.items():
        for stream, name in files[subset].items():
            # One file may hold several subsets: its videos are those of all of them.
            videos = [v for part in needed
                      if name in files[part].values() for v in needed[part]]
            if name not in findings:
                findings[name] = _check_feature_file(Path(feature_path) / name, stream, videos,
                                                     FEATURE_SOURCES[dataset])
    findings = list(findings.values())
    if exit_code(findings) < EXIT_CODES["missing"]:
        findings.append(_compare_streams(open_features(feature_path, files, needed),
                                         needed))
    return findings


def _needed_videos(dataset, folder):
    """Videos for training, validation or inference, by subset; empty without annotations."""
    known = KNOWN_FILES[dataset][0]
    config = resolve({"dataset": dataset, "video_anno": str(Path(folder) / known.name)})
    needed = {canonical(config.train_subset): [], canonical(config.subset): []}
    with contextlib.suppress(UserError):  # check_annotations says what is wrong with them
        for video in load_videos(config)[0]:
            needed.get(canonical(video.subset), []).append(video)
    return needed


def _check_feature_file(path, stream, videos, source):
    """The Finding for one HDF5 file that should hold `videos`."""
    if not path.exists():
        return Finding(path.name, "missing", f"comes from {source}")
    store = FeatureStore({stream: Hdf5Stream([path])})
    try:
        held, remarks = len(store.parts[stream].names()), _odd_features(store, stream, videos)
        channels = store.widths[0]
    except UserError as problem:
        return Finding(path.name, "unreadable", f"{problem}; a good one comes from {source}")
    finally:
        store.close()
    if not videos:
        remarks = ["videos and lengths cannot be checked without annotations"]
    detail = f"{counted(held, 'video')} of {counted(channels, 'channel')}, {len(videos)} needed"
    return Finding(path.name, "different" if remarks else "right", "; ".join([detail, *remarks]))


def _odd_features(store, stream, videos):
    """Sentences on missing videos, wrong shapes, and lengths that do not match durations."""
    lacking = [video.name for video in videos if video.name not in store]
    rates, broken = {}, []
    for video in (video for video in videos if video.name in store):
        try:
            rates[video.name] = store.shape(video.name, stream)[0] / video.duration
        except UserError as problem:
            broken.append(str(problem))
    usual = float(np.median(list(rates.values()))) if rates else 0
    odd = [f"{name} {rate:.3g}" for name, rate in rates.items()
           if not 1 / RATE_FACTOR <= rate / usual <= RATE_FACTOR]
    remarks = ((lacking, f"{len(lacking)} missing: {listed(lacking)}"),
               (broken, f"{len(broken)} unusable, first: {next(iter(broken), '')}"),
               (odd, f"{len(odd)} not matching their duration (usual are {usual:.3g} "
                     f"features per second): {listed(odd)}"))
    return [sentence for videos, sentence in remarks if videos]


def _compare_streams(store, needed):
    """The Finding for all streams together: lengths per video, and total channels."""
    odd = []
    with contextlib.closing(store):
        for video in (video for videos in needed.values() for video in videos):
            try:
                if video.name in store:
                    store.lengths(video.name)
            except UserError as problem:
                odd.append(str(problem))
        channels = sum(store.widths)
    if odd:
        return Finding("streams together", "different",
                       f"{counted(len(odd), 'video')}, first: {odd[0]}")
    flag = "" if channels == Config.input_feat_dim else f": give --input_feat_dim {channels}"
    return Finding("streams together", "right", f"{counted(channels, 'channel')}{flag}")
