"""Annotations and classes that are possible but odd, in sentences."""

import math
import re
import unicodedata

import numpy as np

from Utils.data.annotations import canonical
from Utils.files import counted, listed

BACKGROUND = ("background", "bg")     # the network has its own class for it


def odd_lines(annotations, train_subset):
    """Sentences about odd annotations and classes."""
    return [*(f"annotations that {kind}: {len(names)}, in {listed(dict.fromkeys(names))}"
              for kind, names in odd_annotations(annotations.videos).items()),
            *(f"{kind}: {listed(names)}"
              for kind, names in odd_classes(annotations, train_subset).items())]


def odd_classes(annotations, train_subset):
    """Odd classes: {kind in words: [class with its number of actions, ...]}."""
    classes = annotations.classes
    counts = _actions_of_classes(annotations.videos, len(classes))
    training = _actions_of_classes([video for video in annotations.videos if canonical(
        video.subset) == canonical(train_subset)], len(classes))
    texts = [f"{name!r} ({counted(count, 'action')})"
             for name, count in zip(classes, counts.tolist(), strict=True)]
    spellings = {}
    for name, text in zip(classes, texts, strict=True):
        plain = unicodedata.normalize("NFKC", name).casefold()
        spellings.setdefault(" ".join(re.split(r"[\s_-]+", plain)).strip(),
                             []).append(text)
    kinds = {
        "a class is called background, which needs no annotations": [
            text for plain in BACKGROUND for text in spellings.get(plain, ())],
        "classes differ only in case, spaces or hyphens": [
            " and ".join(same) for same in spellings.values() if len(same) > 1],
        "classes have no action in training": [
            text for text, count, seen in zip(texts, counts, training, strict=True)
            if count and not seen and training.any()]}
    return {kind: names for kind, names in kinds.items() if names}


def _actions_of_classes(videos, num_classes):
    """How many actions each class has. -> (num_classes,) int."""
    labels = np.concatenate([np.zeros(0, np.int64), *(video.labels for video in videos)])
    return np.bincount(labels - 1, minlength=num_classes)


def odd_annotations(videos):
    """Annotations that give no box, or only a clamped one: {kind in words: [video, ...]}."""
    kinds = {"end before they start": [], "have no length": [], "start before 0": [],
             "end after their video": [], "occur twice": []}
    for video in videos:
        start, end = video.segments.T
        rows = [*map(tuple, np.column_stack([video.segments, video.labels]).tolist())]
        counts = {"end before they start": (end < start).sum(),
                  "have no length": (end == start).sum(), "start before 0": (start < 0).sum(),
                  "end after their video": (end > (video.duration or math.inf)).sum(),
                  "occur twice": len(rows) - len(set(rows))}
        for kind, count in counts.items():
            kinds[kind] += [video.name] * int(count)
    return {kind: names for kind, names in kinds.items() if names}
