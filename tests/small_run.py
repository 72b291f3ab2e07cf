"""A complete small run on disk: data, windows, checkpoints, proposals; and scripts called on it."""

import shutil

import Cut_long_videos
import Eval
import Infer
import Train
from tests.small_data import write_custom

MAINS = {"Cut": Cut_long_videos.main, "Train": Train.main, "Infer": Infer.main, "Eval": Eval.main}
NETWORK = ["--num_levels", "3", "--bb_hidden_dim", "32", "--num_head_layers", "1",
           "--num_epoch", "1", "--batch_size", "64", "--device", "cpu"]


def places(folder, data=None):
    """The words that name the parts of a run in `folder`."""
    return ["--feature_path", str(data or folder / "data"), "--window_path",
            str(folder / "windows"), "--checkpoint_path", str(folder / "run"), "--output_path",
            str(folder / "out")]


def options(folder, change=None):
    """Write the data of `small_data`; gives all options of a run on them, without places."""
    words = write_custom(folder / "data", change=change)
    at = words.index("--feature_path")
    return words[:at] + words[at + 2:] + NETWORK


def make_run(folder, change=None, words=()):
    """Cut, train one epoch, infer and score in `folder`. Returns the options without places."""
    folder.mkdir(exist_ok=True)
    chosen = options(folder, change) + list(words)
    for script in MAINS:
        assert call(script, folder, *chosen) == 0, script
    return chosen


def call(script, folder, *words):
    """Exit code of a script on the run in `folder`."""
    annotations = ["--video_anno", str(folder / "data" / "annotations.json")]
    return MAINS[script]([*places(folder), *annotations, *map(str, words)])


def copy_run(source, folder):
    """A copy of a run, to be damaged."""
    return shutil.copytree(source, folder)


def refusal(captured):
    """The one sentence that a script said on stderr."""
    assert captured.err.startswith("error: ") and captured.err.count("\n") == 1, captured.err
    return captured.err
