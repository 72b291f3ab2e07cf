"""Which videos are used for training, validation and inference."""

import dataclasses
from collections import Counter

from Utils.data.annotations import canonical
from Utils.data.datasets import held_out, videos_of
from Utils.files import UserError, counted

TRAIN, INFER = ("train", "val"), ("infer",)


def with_splits(config, videos):
    """The config with the subset to evaluate and the split to validate on, and notes on them.

    What the user gives stays. Otherwise `val` is evaluated if the usual subset has no
    videos, or none with actions; and a single training video is not held out.
    """
    config, notes = _with_subset(config, videos)
    training = [v for v in videos
                if canonical(v.subset) == canonical(config.train_subset)]
    if len(training) == 1 and config.val_split == "heldout" and "val_split" not in config.given:
        config = dataclasses.replace(config, val_split="none")
        notes.append(f"subset {config.train_subset} has one video: nothing is held out, "
                     "and the validation loss is that of the training video")
    unused = Counter(video.subset for video in videos if canonical(video.subset) not in (
        canonical(config.train_subset), canonical(config.subset)))
    notes += [f"not used: {counted(count, 'video')} of subset {name} (see --train_subset, --subset)"
              for name, count in unused.items()]
    return config, notes


def _with_subset(config, videos):
    """The config with the subset to evaluate, and notes."""
    labelled = {canonical(video.subset) for video in videos if len(video.labels)}
    there, wanted = {canonical(video.subset)
                     for video in videos}, canonical(config.subset)
    is_hidden = wanted in there and wanted not in labelled
    if "subset" not in config.given and "val" in there and (
            wanted not in there or (is_hidden and "val" in labelled)):
        note = (f"no video of subset {config.subset} has an action: val is evaluated "
                f"instead; --subset {config.subset} would infer on it nevertheless")
        return dataclasses.replace(config, subset="val"), [note] * is_hidden
    return config, [f"no video of subset {config.subset} has an action: Infer.py and "
                    "Eval.py write detections, but "
                    "there is nothing to score"] * is_hidden


def by_use(config, videos, uses):
    """Which videos are used for training, validation and inference.

    -> {use: list of Video}.
    """
    chosen = {}
    if set(uses) & set(TRAIN):
        training = training_videos(config, videos, uses)
        held = held_out(training)
        chosen["train"], chosen["val"] = training, held
        if config.val_split == "test":
            chosen["val"] = videos_of(videos, config.subset)
        elif config.val_split == "heldout":
            if training and len(held) == len(training):
                raise UserError(f"subset {config.train_subset} has one video, so none "
                                "can be held out; leave --val_split out, or give "
                                "--val_split none")
            names = {video.name for video in held}
            chosen["train"] = [video for video in training if video.name not in names]
    if "infer" in uses:
        chosen["infer"] = sorted(videos_of(videos, config.subset),
                                 key=lambda video: video.order)
    return {use: chosen[use] for use in uses}


def training_videos(config, videos, uses):
    """Videos of the training subset.

    There may be none if inference is wanted too, unless the user named the subset.
    """
    there = {canonical(video.subset) for video in videos}
    if ("infer" in uses and "train_subset" not in config.given
            and canonical(config.train_subset) not in there):
        return []
    return videos_of(videos, config.train_subset, "train_subset")
