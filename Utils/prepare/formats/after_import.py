"""What is said after an import.

That is: which videos lack features, what --check finds, and what to type next.
"""

import shlex
import statistics

from Utils.config.resolve import resolve
from Utils.data.feature_places import open_features
from Utils.files import UserError, agreeing, counted, listed
from Utils.prepare.look import look

# Features per second that extractors make: of videos of 25 or 30 frames per second,
# every 4th, 8th or 16th frame, or a whole number per second.
USUAL_RATES = (0.5, 1, 1.5625, 1.875, 2, 3, 3.125, 3.75, 4, 5, 6, 6.25, 7.5, 8, 10, 12, 12.5, 15,
               16, 20, 24, 25, 30, 50, 60)


def without_features(database, feature_path):
    """A list with a line on the videos, of all subsets, without features.

    Empty if no folder of features is given.
    """
    if feature_path is None:
        return []
    store = open_features(feature_path)
    without = [name for name in database if store.missing(name)]
    store.close()
    have = agreeing(len(without), "has", "have")
    return [f"{len(without)} of {counted(len(database), 'video')} {have} no features in "
            f"{feature_path}" + f": {listed(without)}" * bool(without)]


def look_and_go_on(database, path, feature_path):
    """Lines: what `Cut_long_videos.py --check` says of new annotations, and the next command."""
    words = {"dataset": "custom", "video_anno": str(path), "feature_path": feature_path}
    said, is_good = _checked(words)
    rate = source = None
    if not is_good and feature_path is not None:
        rate, source = guessed_rate(database, feature_path)
    if rate is not None:
        said, is_good = _checked(words | {"feature_fps": rate})
    lines = ["Cut_long_videos.py --check says of it:", *(f"  {line}" for line in said)]
    if rate is not None:
        lines.append(f"note: not every duration is known, and --feature_fps {rate:g} is "
                     f"a guess from {source}; put in how many features your videos have "
                     "per second")
    return [*lines, f"next: {_next_command(path, feature_path, rate, is_good)}"]


def _checked(words):
    """What --check says with some options: its lines, and whether there is no error."""
    try:
        report = look(resolve(words))
    except UserError as problem:
        return [f"error: {problem}"], False
    return str(report).splitlines(), not report.errors


def guessed_rate(database, feature_path):
    """Features per second where videos lack a duration.

    -> (rate, what it is guessed from).
    The rate of the videos that have a duration. If none has one, the highest usual
    rate at which the features of every video reach its last action. (None, None) if
    nothing tells.
    """
    store = open_features(feature_path)
    try:
        lengths = {name: min(store.lengths(name))
                   for name in database if not store.missing(name)}
    except UserError:      # --check has said it
        return None, None
    finally:
        store.close()
    known = [lengths[name] / video["duration"] for name, video in database.items()
             if name in lengths and video.get("duration")]
    if known:
        return float(f"{statistics.median(known):.4g}"), "the videos that have a duration"
    ends = {name: max(action["segment"][1] for action in database[name]["annotations"])
            for name in lengths if database[name]["annotations"]}
    reach = min((lengths[name] / end for name, end in ends.items() if end > 0), default=0)
    if reach <= 0:
        return None, None
    # One percent more: the last action may end with the video, and its time may be rounded.
    usual = [rate for rate in USUAL_RATES if rate <= 1.01 * reach]
    return max(usual, default=float(f"{reach:.3g}")), "the last actions"


def _next_command(path, feature_path, rate, is_good):
    """Training if annotations and features are good, else the check of both."""
    annotations, features = shlex.quote(str(path)), shlex.quote(str(feature_path or "DIR"))
    given = "" if rate is None else f" --feature_fps {rate:g}"
    if feature_path is not None and is_good:
        return (f"DATASET=custom DATA_PATH={features} bash run_vsgn.sh traininfereval "
                f"mine --video_anno {annotations}{given}")
    return (f"python Cut_long_videos.py --dataset custom --video_anno {annotations} "
            f"--feature_path {features}{given} --check")
