"""Compare the files a user has with what THUMOS14 and ActivityNet-1.3 should be."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from Utils.config.resolve import Config, resolve
from Utils.data.annotations import canonical
from Utils.data.datasets import DATASETS, load_videos
from Utils.data.features import FeatureStore, Hdf5Stream, open_features
from Utils.files import UserError, listed
from Utils.prepare.known_files import COPIES, FEATURE_SOURCES, KNOWN_FILES, digests

# Worst first; the exit code of a check is that of its worst finding.
EXIT_CODES = {"missing": 2, "unreadable": 2, "different": 1, "absent (optional)": 0, "right": 0}
# Features a second of one video may differ by this factor from the median before it is remarked:
# extracted at a fixed stride, videos of 24 and of 30 frames a second differ by 1.25.
RATE_FACTOR = 1.5


@dataclass(frozen=True)
class Finding:
    """What was found of one file: `state` is a key of EXIT_CODES."""
    name: str
    state: str
    detail: str = ""


def exit_code(findings):
    """0 all right, 1 something differs, 2 something needed is missing or unreadable."""
    return max((EXIT_CODES[finding.state] for finding in findings), default=0)


def check_annotations(dataset, folder):
    """One Finding for each known annotation file of a dataset, looked for in `folder`."""
    return [_check_file(known, known.find(folder)) for known in KNOWN_FILES[dataset]]


def _check_file(known, path):
    """The Finding of one known file; path None where there is none."""
    if path is None:
        state = "missing" if known.needed else "absent (optional)"
        return Finding(" or ".join(known.names), state,
                       f"{known.purpose}; comes from {known.source}")
    try:
        if digests(path) & {COPIES[name] for name in known.names if name in COPIES}:
            return Finding(path.name, "right", "checksum as known")
        differing = _differing(known.count(path), known.counts)
    except UserError as problem:
        return Finding(path.name, "unreadable", f"{problem}; a good one comes from {known.source}")
    if differing:
        return Finding(path.name, "different", "; ".join(differing))
    if path.name not in COPIES:
        return Finding(path.name, "right", f"{_listed(known.counts)}; no checksum is known")
    return Finding(path.name, "different", f"another checksum, but the usual counts "
                   f"({_listed(known.counts)}): a rewritten or edited copy")


def _differing(found, expected):
    """Sentences on the counts that are not the expected ones."""
    return [f"{found[what]} {what}, expected {count}"
            for what, count in expected.items() if found[what] != count]


def _listed(counts):
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def check_features(dataset, folder, feature_path):
    """One Finding for each feature file of a dataset, then one for its streams together.

    folder: of the annotations, which say which videos are needed and how long they are. Reads
    names and shapes only.
    """
    files, needed = DATASETS[dataset].feature_files, _needed_videos(dataset, folder)
    findings = {}
    for subset, videos in needed.items():
        for stream, name in files[subset].items():
            # One file may hold several subsets: its videos are those of all of them.
            videos = [v for part in needed if name in files[part].values() for v in needed[part]]
            if name not in findings:
                findings[name] = _check_feature_file(Path(feature_path) / name, stream, videos,
                                                     FEATURE_SOURCES[dataset])
    findings = list(findings.values())
    if exit_code(findings) < EXIT_CODES["missing"]:
        findings.append(_compare_streams(open_features(feature_path, files, needed), needed))
    return findings


def _needed_videos(dataset, folder):
    """Videos to train, validate or infer on, by subset; empty lists if annotations are unusable."""
    known = KNOWN_FILES[dataset][0]
    config = resolve({"dataset": dataset, "video_anno": str(Path(folder) / known.name)})
    needed = {canonical(config.train_subset): [], canonical(config.subset): []}
    with contextlib.suppress(UserError):     # check_annotations tells what is wrong with them
        for video in load_videos(config)[0]:
            needed.get(canonical(video.subset), []).append(video)
    return needed


def _check_feature_file(path, stream, videos, source):
    """The Finding of one HDF5 file that should hold `videos`."""
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
        remarks = ["without annotations its videos and lengths cannot be checked"]
    detail = f"{held} videos of {channels} channels, {len(videos)} needed"
    return Finding(path.name, "different" if remarks else "right", "; ".join([detail, *remarks]))


def _odd_features(store, stream, videos):
    """Sentences on videos that lack, have a wrong shape, or a length unlike their duration."""
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
    remarks = ((lacking, f"{len(lacking)} lack: {listed(lacking)}"),
               (broken, f"{len(broken)} are unusable, first: {next(iter(broken), '')}"),
               (odd, f"{len(odd)} do not fit their duration, features a second where "
                     f"{usual:.3g} are usual: {listed(odd)}"))
    return [sentence for videos, sentence in remarks if videos]


def _compare_streams(store, needed):
    """The Finding of all streams together: lengths of each video, channels of all."""
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
        return Finding("streams together", "different", f"{len(odd)} videos, first: {odd[0]}")
    flag = "" if channels == Config.input_feat_dim else f": say --input_feat_dim {channels}"
    return Finding("streams together", "right", f"{channels} channels{flag}")
