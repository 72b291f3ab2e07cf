"""Check a dataset before hours of training: count and list everything odd.

Errors would stop or spoil a training. Warnings concern data that are corrected on the
way (clamped, left out) or merely look wrong. Nothing is written.
"""

import dataclasses
import textwrap
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from Utils.config.checks import check_clips, check_network
from Utils.config.describe import opening
from Utils.data.annotations import canonical
from Utils.data.datasets import DATASETS, load_annotations
from Utils.data.demo import ensure_demo
from Utils.data.feature_places import open_features
from Utils.data.ground_truth import check_actions, load_ground_truth
from Utils.data.odd_annotations import odd_annotations, odd_classes
from Utils.data.rates import timed
from Utils.data.sources import open_source
from Utils.data.splits import with_splits
from Utils.files import UserError, counted
from Utils.prepare.look_features import (
    look_at_features,
    look_at_rates,
    look_at_shapes,
    look_at_values,
)


@dataclass
class Report:
    """Findings by kind: errors and warnings, each {kind: [video or sentence, ...]}.

    facts: lines that are neither.
    """
    facts: list[str] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)

    def error(self, kind, what):
        """Add a finding, `what`, to the errors of a kind."""
        self.errors.setdefault(kind, []).append(what)

    def warning(self, kind, what):
        """Add a finding, `what`, to the warnings of a kind."""
        self.warnings.setdefault(kind, []).append(what)

    @property
    def exit_code(self):
        """0 if all is well, 1 if something is odd, 2 if something is wrong."""
        return 2 if self.errors else 1 if self.warnings else 0

    def __str__(self):
        lines = list(self.facts)
        for title, findings in (("ERRORS", self.errors), ("warnings", self.warnings)):
            for kind, names in findings.items():
                lines.append(f"{title}: {kind} ({len(names)})")
                once = (f"{name} ({count})" if count > 1 else name
                        for name, count in Counter(names).items())
                lines += textwrap.wrap(", ".join(once), 98, initial_indent="  ",
                                       subsequent_indent="  ", break_on_hyphens=False,
                                       break_long_words=False)     # paths stay whole
        errors, warnings = (sum(map(len, kinds.values()))
                            for kinds in (self.errors, self.warnings))
        return "\n".join([*lines, f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"])


def check_data(config, cut=None):
    """Check annotations and features of the config's dataset; print the report.

    -> exit code.
    """
    report = look(config, cut)
    print(*opening(config, "Cut_long_videos", " --check"), report, sep="\n")
    return report.exit_code


def look(config, cut=None):
    """Everything odd about a dataset.

    -> Report. Raises UserError if it cannot be opened at all.
    cut: function from a Source to sentences about what the window lists lack; None:
    not checked.
    """
    spec, report = DATASETS[config.dataset], Report()
    if spec.is_built_in:
        ensure_demo(config.feature_path)
    annotations = load_annotations(config)
    chosen, notes = with_splits(config, annotations.videos)
    report.facts += [*annotations.notes, *notes]
    videos = used_videos(chosen, annotations.videos)
    look_at_annotations(report, annotations, videos, chosen)
    if config.feature_path is None:
        report.facts.append("features: not checked; name their folder with --feature_path")
    else:
        look_at_all_features(report, spec, videos, chosen)
        for sentence in refusals(config, cut):
            report.error("refused by the scripts", sentence)
    try:
        check_actions(load_ground_truth(chosen))
    except UserError as problem:
        report.error("refused by Eval.py", str(problem))
    return report


def used_videos(config, videos):
    """The videos of the training and evaluated subsets; all videos if there are none."""
    wanted = {canonical(config.train_subset), canonical(config.subset)}
    return [video for video in videos if canonical(video.subset) in wanted] or videos


def look_at_annotations(report, annotations, videos, config):
    """Report counts, odd annotations, classes and videos without actions."""
    for subset, count in Counter(video.subset for video in videos).items():
        actions = sum(len(video.labels) for video in videos if video.subset == subset)
        report.facts.append(f"subset {subset}: {counted(count, 'video')}, "
                            f"{counted(actions, 'action')}")
    for kind, names in odd_annotations(annotations.videos).items():
        report.warnings[f"annotations that {kind}"] = names
    for kind, names in odd_classes(annotations, config.train_subset).items():
        report.warnings[kind] = names
    training = [v for v in videos
                if canonical(v.subset) == canonical(config.train_subset)]
    look_at_classes(report, annotations.classes, videos, training)
    for video in training:
        if not len(video.labels):
            report.warning("training videos without actions", video.name)


def look_at_classes(report, classes, videos, training):
    """Report how many actions each class has, and how long they are."""
    report.facts.append(f"classes: {len(classes)}")
    in_training = Counter(label for video in training for label in video.labels.tolist())
    lengths = {}
    for video in videos:
        for label, (start, end) in zip(video.labels.tolist(), video.segments, strict=True):
            lengths.setdefault(label, []).append(end - start)
    for label, name in enumerate(classes, 1):
        if label not in lengths:
            report.facts.append(f"  {name}: no action")
            continue
        low, usual, high = np.quantile(lengths[label], [0, 0.5, 1])
        count = len(lengths[label])
        report.facts.append(f"  {name}: {counted(count, 'action')}, "
                            f"{in_training[label]} in training, {low:.3g} to {high:.3g} "
                            f"s, median {usual:.3g}")


def look_at_all_features(report, spec, videos, config):
    """Report everything about the features of these videos."""
    subsets = dict.fromkeys(canonical(video.subset) for video in videos)
    store = open_features(config.feature_path, spec.feature_files, subsets,
                          config.follow_links)
    survey = look_at_features(report, store, videos, config)
    look_at_shapes(report, survey, config)
    look_at_values(report, survey)
    look_at_rates(report, survey, [_timed(video, survey, config) for video in videos])
    store.close()


def _timed(video, survey, config):
    """The video with its rate, as far as options and annotations tell."""
    try:
        return timed(video, survey.shapes[video.name][0][0], config)
    except (UserError, LookupError):
        return video


def refusals(config, cut):
    """The sentences with which Cut, Train or Infer would refuse the data."""
    found = {}
    # Missing or broken features hide other findings, so the second round skips them.
    for skip in dict.fromkeys((config.skip_missing, True)):
        try:
            source = open_source(dataclasses.replace(config, skip_missing=skip))
            found |= dict.fromkeys(cut(source) if cut else ())
            check_clips(source.config)
            check_network(source.config)
            break
        except UserError as problem:
            found[str(problem)] = None
    return list(found)
