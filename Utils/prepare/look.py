"""A look at a dataset before hours of training: everything odd, counted and listed.

Errors would stop or spoil a training; warnings are mended on the way (clamped, left out) or merely
look wrong. Nothing is written.
"""

import statistics
import textwrap
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from Utils.config.describe import describe
from Utils.data.annotations import canonical, odd_annotations
from Utils.data.datasets import DATASETS, load_annotations, videos_of
from Utils.data.demo import ensure_demo
from Utils.data.features import FEW_FRAMES, open_features
from Utils.data.sources import with_subset
from Utils.files import UserError

ODD_RATE = 0.25     # a video's features a second differ by this share from the usual
SHORT = 0.5         # or are fewer than this share: part of the video is missing


@dataclass
class Report:
    """Findings by kind: errors and warnings {kind: [video or sentence, ...]}; facts are lines."""
    facts: list[str] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    def error(self, kind, what):
        self.errors.setdefault(kind, []).append(what)

    def warning(self, kind, what):
        self.warnings.setdefault(kind, []).append(what)

    @property
    def exit_code(self):
        """0 all is well, 1 something is odd, 2 something is wrong."""
        return 2 if self.errors else 1 if self.warnings else 0

    def __str__(self):
        lines = list(self.facts)
        for title, findings in (("ERRORS", self.errors), ("warnings", self.warnings)):
            for kind, names in findings.items():
                lines.append(f"{title}: {kind} ({len(names)})")
                once = (f"{name} ({count})" if count > 1 else name
                        for name, count in Counter(names).items())
                lines += textwrap.wrap(", ".join(once), 98, initial_indent="  ",
                                       subsequent_indent="  ", break_on_hyphens=False)
        totals = (sum(map(len, kinds.values())) for kinds in (self.errors, self.warnings))
        return "\n".join([*lines, "{} errors, {} warnings".format(*totals)])


def check_data(config):
    """Look at annotations and features of the config's dataset, print all, give the exit code."""
    report = look(config)
    print(f"Cut_long_videos.py --check\n{describe(config, 'Cut_long_videos')}\n{report}")
    return report.exit_code


def look(config):
    """Everything odd about a dataset. -> Report. UserError where it cannot be opened at all."""
    spec, report = DATASETS[config.dataset], Report()
    if spec.is_built_in:
        ensure_demo(config.feature_path)
    annotations = load_annotations(config)
    config = with_subset(config, annotations.videos)
    subsets = dict.fromkeys(canonical(name) for name in (config.train_subset, config.subset))
    videos = [video for subset in subsets for video in videos_of(annotations.videos, subset)]
    look_at_annotations(report, videos, annotations.classes, config)
    if config.feature_path is None:
        report.facts.append("features: not looked at; name their folder with --feature_path")
        return report
    store = open_features(config.feature_path, spec.feature_files, subsets)
    lengths = {video.name: found for video in videos
               if (found := look_at_features(report, store, video))}
    look_at_widths(report, store, lengths, config)
    look_at_rates(report, videos, lengths, config.feature_fps)
    store.close()
    return report


def look_at_annotations(report, videos, classes, config):
    """Counts, odd annotations, classes and videos without actions."""
    for subset, count in Counter(video.subset for video in videos).items():
        actions = sum(len(video.labels) for video in videos if video.subset == subset)
        report.facts.append(f"subset {subset}: {count} videos, {actions} actions")
    report.facts.append(f"classes: {len(classes)}")
    for kind, names in odd_annotations(videos).items():
        report.warnings[f"annotations that {kind}"] = names
    training = videos_of(videos, config.train_subset)
    seen = set(np.concatenate([video.labels for video in training]).tolist())
    for label, name in enumerate(classes, 1):
        if label not in seen:
            report.warning("classes without a training action", name)
    for video in training:
        if not len(video.labels):
            report.warning("training videos without actions", video.name)


def look_at_features(report, store, video):
    """One video's features, read whole but in parts. -> frames of each stream, () if unusable."""
    if streams := store.missing(video.name):
        report.error(f"videos without {store.named(*streams)}", video.name)
        return ()
    try:
        lengths = store.lengths(video.name)
        if max(lengths) - min(lengths) > FEW_FRAMES:
            report.warning("streams of slightly different length",
                           f"{video.name} ({' and '.join(map(str, lengths))} frames)")
        store.read_through(video.name)
    except UserError as problem:
        report.error("features that cannot be used", str(problem))
        return ()
    return lengths


def look_at_widths(report, store, lengths, config):
    """Channels, against the option."""
    if not lengths:
        report.error("features", "not one video has usable features")
        return
    width = sum(store.widths)
    report.facts.append(f"channels: {width} ({', '.join(store.streams)})")
    if config.input_feat_dim not in (None, width):
        report.error("channels", f"--input_feat_dim is {config.input_feat_dim}, the features "
                     f"have {width}; set --input_feat_dim {width}")


def look_at_rates(report, videos, lengths, feature_fps):
    """Frames and frames a second; videos that are far from the usual."""
    rates = {video.name: lengths[video.name][0] / video.duration for video in videos
             if video.name in lengths and video.duration}
    if lengths:
        frames = sorted(found[0] for found in lengths.values())
        report.facts.append(f"frames a video: {frames[0]} to {frames[-1]}, median "
                            f"{statistics.median(frames):g}")
    if not rates:
        return
    usual = feature_fps or statistics.median(rates.values())
    report.facts.append(f"frames a second: {min(rates.values()):.3g} to {max(rates.values()):.3g}, "
                        f"usually {usual:.4g}")
    for name, rate in rates.items():
        if rate < SHORT * usual:
            report.warning("features that cover only a part of their video",
                           f"{name} ({rate:.3g} a second)")
        elif abs(rate - usual) > ODD_RATE * usual:
            report.warning("features of an unusual rate", f"{name} ({rate:.3g} a second)")
