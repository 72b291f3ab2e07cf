"""What is said after an import: videos without features, what --check finds, what to type next."""

import shlex

from Utils.config.resolve import resolve
from Utils.data.features import open_features
from Utils.files import UserError, listed
from Utils.prepare.look import look


def without_features(database, feature_path):
    """[a line on the videos, of all subsets, that have no features]; [] without a folder."""
    if feature_path is None:
        return []
    store = open_features(feature_path)
    without = [name for name in database if store.missing(name)]
    store.close()
    return [f"{len(without)} of {len(database)} videos have no features in {feature_path}"
            + f": {listed(without)}" * bool(without)]


def look_and_go_on(database, path, feature_path):
    """Lines of what `Cut_long_videos.py --check` says of new annotations, and the next command."""
    config = resolve({"dataset": "custom", "video_anno": str(path), "feature_path": feature_path})
    try:
        report = look(config)
        said, is_good = str(report).splitlines(), not report.errors
    except UserError as problem:
        said, is_good = [f"error: {problem}"], False
    return ["Cut_long_videos.py --check says of it:", *(f"  {line}" for line in said),
            f"next: {_next_command(database, path, feature_path, is_good)}"]


def _next_command(database, path, feature_path, is_good):
    """Training, where annotations and features are good; else the check of both."""
    annotations, features = shlex.quote(str(path)), shlex.quote(str(feature_path or "DIR"))
    rate = " --feature_fps RATE" * any("duration" not in video for video in database.values())
    if feature_path is not None and is_good:
        return (f"DATASET=custom DATA_PATH={features} bash run_vsgn.sh traininfereval mine "
                f"--video_anno {annotations}{rate}")
    return (f"python Cut_long_videos.py --dataset custom --video_anno {annotations} "
            f"--feature_path {features}{rate} --check")
