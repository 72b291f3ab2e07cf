"""How the actions of all files become annotations: the rules that all formats share."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace

import pandas as pd

from Utils.files import UserError, listed
from Utils.prepare.formats.found import Action, BadRow, agreed
from Utils.prepare.formats.subsets import assign_subsets, subset_of_stem, written_subset
from Utils.prepare.formats.video_names import names_of

DECIMALS = 6
JOIN = ("join",)


@dataclass
class Video:
    """One video from all files: duration in seconds, subset in its final form, actions."""
    duration: float | None = None
    subset: str | None = None
    stem_subset: str | None = None
    actions: list[Action] = field(default_factory=list)


@dataclass
class Imported:
    """Annotations in their final form, what was left out (why -> count), and notes."""
    database: dict[str, dict]
    left_out: dict[str, int]
    notes: list[str]


def annotations_of(files, options):
    """The annotations of all files. files: list of Found. -> Imported.

    Raises UserError for contradictory names, durations or subsets.
    """
    notes = list(dict.fromkeys(note for found in files for note in found.notes))
    videos = joined(files, options, notes)
    left_out = sum((found.left_out for found in files), Counter())
    _note_subjects(files, videos, options, notes)
    for video in videos.values():
        kept = _of_subjects(video.actions, options.subjects, left_out)
        kept = _timed(kept, video.duration, options.point, left_out)
        kept = _once(kept, left_out)
        video.actions = _merged(kept, left_out) if options.overlaps == "merge" else kept
    if not videos:
        raise UserError(f"{listed(found.path for found in files)}: no video is left")
    assign_subsets(videos, options, notes)
    _note_labels(videos, notes)
    _note_ends(videos, notes)
    return Imported({name: _entry(videos[name]) for name in sorted(videos)},
                    {why: count for why, count in left_out.items() if count}, notes)


def joined(files, options, notes):
    """{name: Video} from all files, without labels that are background in their file."""
    videos, places = {}, {}
    for found in files:
        names = names_of(found, options.names)
        background = found.background if options.background is None else options.background
        background = {label.casefold() for label in background}
        for media, about in found.media.items():
            video = videos.setdefault(names[media], Video())
            _agree(video, about, options, f"{found.path}: video {names[media]}",
                   subset_of_stem(found.path.name.partition(".")[0]))
            places.setdefault(names[media], {})[str(found.path)] = None
        for action in found.actions:
            if action.label.casefold() in background:
                found.left_out["background"] += 1
            else:
                videos[names[action.media]].actions.append(action)
    for name, paths in places.items():
        if len(paths) > 1:
            notes.append(f"video {name} is in {listed(paths)}: its actions are merged")
    for name, video in videos.items():
        if video.duration is None:
            video.duration = options.durations.get(name)
    return videos


def _agree(video, about, options, where, stem_subset):
    """Add what one file says about a video.

    Raises UserError if files contradict each other.
    """
    try:
        if about.duration is not None and not 0 < round(about.duration, DECIMALS) < math.inf:
            raise BadRow(f"the duration is {about.duration:g} s, expected more than 0")
        video.duration = agreed(video.duration, about.duration, "the duration")
    except BadRow as fault:
        raise UserError(f"{where}: {fault}; fix it") from None
    if options.split is not None:       # which says the subsets instead
        return
    try:
        subset = None if about.subset is None else written_subset(about.subset)
        video.subset = agreed(video.subset, subset, "the subset")
        video.stem_subset = agreed(video.stem_subset, stem_subset,
                                   "the subset by the name of the file")
    except BadRow as fault:
        raise UserError(f"{where}: {fault}; fix it, or give the subsets with --split") from None


def _of_subjects(actions, subjects, left_out):
    """The actions of the selected subjects, or of all with the subject in the label."""
    if subjects == JOIN:
        return [replace(action, label=f"{action.subject}:{action.label}") if action.subject
                else action for action in actions]
    if not subjects:
        return actions
    kept = [action for action in actions if action.subject in subjects]
    left_out["actions of other subjects"] += len(actions) - len(kept)
    return kept


def _note_subjects(files, videos, options, notes):
    """Note the subjects and how they are treated; refuse unknown ones."""
    subjects = dict.fromkeys(action.subject for video in videos.values()
                             for action in video.actions if action.subject)
    words = " and ".join(dict.fromkeys(found.subject_word for found in files))
    if options.subjects and options.subjects != JOIN:
        if unknown := [name for name in options.subjects if name not in subjects]:
            raise UserError(f"--subjects {unknown[0]}: no action has this subject; there are "
                            f"{listed(subjects, 20) or 'none'}")
    elif subjects and not options.subjects:
        notes.append(f"{words} ignored: {listed(subjects, 20)} (--subjects join puts "
                     "them into the label, --subjects NAME... keeps some)")


def _timed(actions, duration, point, left_out):
    """Make each point last `point` seconds around its time, or leave points out.

    The action stays within the video.
    """
    kept = []
    for action in actions:
        start, end = round(action.start, DECIMALS), round(action.end, DECIMALS)
        if start == end and point is not None:
            last = max(start, duration) if duration else start + point
            start = round(max(min(0.0, start), start - point / 2), DECIMALS)
            end = round(min(last, end + point / 2), DECIMALS)
        if start == end:
            left_out["point events"] += 1
        else:
            kept.append(replace(action, start=start, end=end))
    return kept


def _once(actions, left_out):
    """Each (start, end, label, subject) once."""
    table = pd.DataFrame([(one.start, one.end, one.label, one.subject)
                          for one in actions])
    is_again = table.duplicated() if len(table) else []
    left_out["the same twice"] += int(sum(is_again))
    return [action for action, again in zip(actions, is_again, strict=True) if not again]


def _merged(actions, left_out):
    """Merge actions of one label that overlap or touch."""
    kept, last = [], {}
    for action in sorted(actions, key=lambda one: one.start):
        before = last.get(action.label)
        if before is not None and action.start <= kept[before].end:
            kept[before] = replace(kept[before], end=max(kept[before].end, action.end))
            left_out["merged"] += 1
        else:
            last[action.label] = len(kept)
            kept.append(action)
    return kept


def _note_labels(videos, notes):
    """Name labels that differ only by case or spaces."""
    alike = {}
    for label in sorted({one.label for video in videos.values() for one in video.actions}):
        alike.setdefault("".join(label.casefold().split()), []).append(label)
    for labels in alike.values():
        if len(labels) > 1:
            notes.append("labels that differ only by case or spaces are kept apart: "
                         + ", ".join(map(repr, labels)))


def _note_ends(videos, notes):
    """Name videos with actions after their end."""
    late = []
    for name, video in videos.items():
        last = max((action.end for action in video.actions), default=0)
        if video.duration and last > video.duration + 10 ** -DECIMALS:
            late.append(name)
    if late:
        notes.append(f"actions end after their video, and are kept as they are, in {listed(late)}")


def _entry(video):
    """The entry of a video in the annotation file."""
    actions = sorted(video.actions, key=lambda one: (one.start, one.end, one.label))
    duration = {} if video.duration is None else {"duration": round(video.duration, DECIMALS)}
    return {"subset": video.subset, **duration, "annotations": [
        {"segment": [action.start, action.end], "label": action.label} for action in actions]}
