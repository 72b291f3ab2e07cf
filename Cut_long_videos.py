"""Cut videos into windows: annotations in, window_path/{train,val,infer}.json out.

With --check, the data are checked instead and nothing is written.
"""

import os
import sys

# With -P, -I or PYTHONSAFEPATH, sys.path lacks the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (reports missing packages)

# isort: split
import functools
import random
import statistics
from pathlib import Path

from Utils.config.checks import check_clips
from Utils.config.describe import opening
from Utils.config.resolve import parse_config, settings
from Utils.data.annotations import frames_per_second
from Utils.data.datasets import DATASETS
from Utils.data.sidecars import fingerprints
from Utils.data.sources import open_source
from Utils.files import UserError, counted, listed
from Utils.inputs.window_file import INFER_SHAPERS, TRAIN_SHAPERS, write_windows
from Utils.inputs.windows import (
    ClipRule,
    cut_sliding,
    cut_sliding_inference,
    cut_whole,
    cut_whole_inference,
    inference_clip,
)
from Utils.prepare.look import check_data
from Utils.run import Stopwatch, locked, script_main
from Utils.streams import check_said


@script_main
def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    watch = Stopwatch()
    given = parse_config("Cut_long_videos", argv)
    if given.check:
        code = check_data(given, lambda source: lacking(cut_lists(source), source))
        check_said()
        return code
    with locked(given.window_path):
        cut(given)
    print(watch.summary("done"))
    return 0


def cut(given, say=print):
    """Write the three window lists. say: called with each line to report."""
    # Whole videos are cut by their durations alone if the nominal rate is known.
    by_seconds = given.framing == "whole" and DATASETS[given.dataset].clip_rate is not None
    source = open_source(given, needs_features=not by_seconds)
    config = source.config
    check_clips(config)
    for line in opening(config, "Cut_long_videos", lines=source.notes):
        say(line)
    lists = cut_lists(source)
    for sentence in lacking(lists, source):
        say(f"warning: {sentence}")
    for name, windows in lists.items():
        path = list_path(config, name)
        if is_authors_list(path) and not config.overwrite:
            say(f"kept {path}: it has no settings (the authors' layout); --overwrite replaces it")
        else:
            write_windows(path, windows, list_settings(source, name))
    say(summary(lists, source))


def cut_lists(source):
    """The three lists. -> {name: list of Window}."""
    return (whole_lists if source.config.framing == "whole" else sliding_lists)(source)


def sliding_lists(source):
    """The three lists of sliding windows. -> {name: list of Window}."""
    config = source.config
    length = config.temporal_scale
    # One generator for both lists, training first, in the order of the original's draws.
    clips = clip_rule(config, random.Random(config.seed))

    def cut_each(use, rule):
        windows = []
        for video in source.videos[use]:
            frames = source.frames(video)
            rate = frames_per_second(video, frames)
            windows += rule(video, frames, rate, length)
        return windows

    return {"train": cut_each("train", functools.partial(cut_sliding, clips=clips)),
            "val": cut_each("val", functools.partial(cut_sliding, clips=clips)),
            "infer": cut_each("infer", functools.partial(
                cut_sliding_inference, rule=config.infer_windows,
                clip_length=inference_clip(config)))}


def whole_lists(source):
    """The three lists of whole videos, and of clips of long ones.

    -> {name: list of Window}.
    """
    config, spec = source.config, DATASETS[source.config.dataset]
    rate = spec.clip_rate or statistics.median(
        source.frames(video) / video.duration for video in source.all_videos)
    lists = {}
    for name in ("train", "val"):
        clips = clip_rule(config, random.Random(config.seed), rate)
        lists[name] = [w for video in source.videos[name]
                       for w in cut_whole(video, clips)]
    clip = inference_clip(config)
    lists["infer"] = [w for video in source.videos["infer"]
                      for w in cut_whole_inference(video, clip and clip / rate)]
    return lists


def clip_rule(config, rng, rate=1.0):
    """The rule for cutting short clips; None without self-stitching."""
    return ClipRule.of(config.temporal_scale, config.short_ratio, config.clip_win_size, rng,
                       rate) if config.use_VSS else None


def lacking(lists, source):
    """Sentences on empty lists and on what cannot run without them.

    Raises UserError if there are no windows for inference.
    """
    config, found = source.config, []
    if not lists["infer"]:
        raise UserError(f"no windows for infer.json: no video of subset {config.subset} "
                        "has usable features; nothing was written")
    for name in ("train", "val"):
        count = len(source.videos[name])
        if lists[name]:
            continue
        why = (f"no action of its {counted(count, 'video')} lies wholly in a window of "
               f"{config.temporal_scale} frames; raise --temporal_scale or inspect the "
               "data with --check" if count else "there are no videos for it")
        found.append(f"no windows for {name}.json, so Train.py cannot run: {why}")
    return found


def list_path(config, name):
    """The file of a list."""
    return Path(config.window_path) / f"{name}.json"


def is_authors_list(path):
    """Whether a file is a bare JSON list, as in the authors' layout; ours stores settings too."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(1) == b"["


def list_settings(source, name):
    """The settings that shaped a list, to be stored with it."""
    shapers = INFER_SHAPERS if name == "infer" else TRAIN_SHAPERS
    made_by = {"extractors": fingerprints(source.extractors)} if source.extractors else {}
    return settings(source.config, shapers) | made_by


def summary(lists, source):
    """Lines that say what was read, left out and written."""
    lines = [f"read {counted(len(source.all_videos), 'video')}, "
             f"{counted(len(source.classes), 'class', 'classes')}"]
    if source.left_out:
        lines.append(f"left out {counted(len(source.left_out), 'video')} without usable "
                     f"features: {listed(source.left_out)}")
    for name, windows in lists.items():
        videos = len({window.video for window in windows})
        lines.append(f"wrote {counted(len(windows), 'window')} of "
                     f"{counted(videos, 'video')} to {list_path(source.config, name)}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
