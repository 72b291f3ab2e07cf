"""Assign videos to training and test: by a list, by the file, or at random."""

import re

import numpy as np

from Utils.data.annotations import canonical
from Utils.files import UserError, counted, listed
from Utils.prepare.formats.found import BadRow
from Utils.prepare.formats.side_files import two_columns
from Utils.prepare.formats.source import Source
from Utils.prepare.formats.video_names import video_name

WRITTEN = {"train": "training", "val": "validation", "test": "testing"}
IN_STEM = re.compile(r"_(train|val|test)(ing|idation)?(?![a-z])", re.I)
LISTS = (".bundle", ".txt")


def assign_subsets(videos, options, notes):
    """Set the subset of every video. videos: {name: Video of `rules`}."""
    if options.split is not None:
        _by_list(videos, read_split(options.split, options.encoding),
                 options.split, notes)
        return
    for video in videos.values():
        if video.subset is None and video.stem_subset is not None:
            video.subset = video.stem_subset
    without = sorted(name for name, video in videos.items() if video.subset is None)
    testing = ()
    if options.test_share is not None:
        if without:
            testing = by_chance(without, options.test_share, options.seed)
            _note_classes(videos, testing, notes)
        else:
            notes.append("--test_share has no effect: the files say the subset of every video")
    for name in without:
        videos[name].subset = "testing" if name in testing else "training"


def _note_classes(videos, testing, notes):
    """Note classes that only test videos have."""
    labels = {True: set(), False: set()}
    for name, video in videos.items():
        labels[name in testing or video.subset == "testing"] |= {
            action.label for action in video.actions}
    if only := sorted(labels[True] - labels[False]):
        notes.append(f"classes without a training action: {listed(only, 20)}; another "
                     "--seed splits otherwise")


def by_chance(names, share, seed):
    """Names of random test videos: a share of all, at least one and never all."""
    if len(names) < 2:
        raise UserError("--test_share cannot split one video; leave it out, or import more videos")
    count = min(max(1, round(share * len(names))), len(names) - 1)
    order = np.random.default_rng(seed).permutation(sorted(names))
    return set(order[:count].tolist())


def written_subset(word):
    """training, validation or testing, from a word for it; BadRow for any other word."""
    if canonical(word) not in WRITTEN:
        raise BadRow(f"the subset is {word[:40]!r}, expected training, validation or testing")
    return WRITTEN[canonical(word)]


def subset_of_stem(stem):
    """The subset that a file's name states (`_train`, `_val`, `_test`), or None."""
    match = IN_STEM.search(stem)
    return WRITTEN[match[1].lower()] if match else None


def _by_list(videos, split, path, notes):
    """Set the subsets from a list, which must name every video."""
    unlisted = sorted(name for name in videos if name not in split)
    if unlisted:
        raise UserError(f"{path} does not list {len(unlisted)} of "
                        f"{counted(len(videos), 'video')}: {listed(unlisted)}; add them")
    for name, video in videos.items():
        video.subset = split[name]
    if absent := sorted(set(split) - set(videos)):
        notes.append(f"not in the files: {counted(len(absent), 'video')} of {path} "
                     f"({listed(absent)})")


def read_split(path, encoding=None):
    """{video: subset} of --split: a folder of lists, a table or a JSON object."""
    pairs = []
    if path.is_dir():
        for file in sorted(path.iterdir()):
            word = re.match(r"(train|val|test)", file.name, re.I)
            if word and file.suffix in LISTS:
                names = Source(file, encoding).text.split("\n")
                pairs += [(name.strip().removesuffix(".txt"), word[1].lower(), file)
                          for name in names if name.strip()]
        if not pairs:
            raise UserError(f"{path} holds no lists of videos; they are called train*, "
                            "val* and test*, and end in .bundle or .txt")
    else:
        pairs = [(name, word, path) for name, word in _entries(Source(path, encoding))]
    split, places = {}, {}
    for media, word, place in pairs:
        try:
            name, subset = video_name(media), written_subset(word)
        except BadRow as fault:
            raise UserError(f"{place}: video {media}: {fault}; fix it") from None
        if split.setdefault(name, subset) != subset:
            raise UserError(f"video {name} is {split[name]} in {places[name]}, but "
                            f"{subset} in {place}; give --split the lists of one split "
                            "alone")
        places.setdefault(name, place)
    return split


def _entries(source):
    """[(video, subset)] of a JSON object, or of a table with these columns."""
    if not source.text.lstrip().startswith("{"):
        return two_columns(source, "video", "subset", "--split")
    entries = [*source.json.items()] if isinstance(source.json, dict) else []
    if not entries or not all(isinstance(word, str) for _, word in entries):
        raise UserError(f"{source.path}: expected {{video: subset}} in the file of --split")
    return entries
