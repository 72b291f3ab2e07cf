"""A folder that is moved, deleted or replaced while a script writes there.

One sentence says so and how to continue, and that works.
"""

import json
import shutil
import signal

import numpy as np
import pytest

from tests.halting import go_on, wait_until_halted
from tests.processes import Scripts
from tests.small_data import noise
from tests.small_run import copy_run, make_run, places
from tests.video_files import even_times, write_video
from Utils.training.checkpoints import load_checkpoint

SCRIPTS = {"Cut": "Cut_long_videos"}      # whose name is not the short one
SAME = "run the same command again"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of one epoch: its folder, and the options without places."""
    folder = tmp_path_factory.mktemp("moved") / "run"
    chosen = make_run(folder)
    np.save(folder / "one.npy", noise("one", 80, 5))
    return folder, chosen


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    scripts = Scripts(tmp_path_factory.mktemp("scripts"), [
        "Cut_long_videos", "Train", "Infer", "Eval", "Extract_features"])
    yield scripts
    scripts.close()


@pytest.fixture()
def run(made, tmp_path):
    """A copy of the run, and the words of a script on it as a function."""
    folder = copy_run(made[0], tmp_path / "run")

    def words(*more):
        return [*places(folder), *made[1], "--video_anno", folder / "data" / "annotations.json",
                *more]
    return folder, words


def move(folder):
    folder.rename(folder.with_name("moved"))


def replace(folder):
    move(folder)
    folder.mkdir()


def by_attack(cases, for_all):
    """Parameters: each of the cases with a folder that is moved, those in for_all with the rest."""
    return [(case, attack) for attack in (move, shutil.rmtree, replace)
            for case in (cases if attack is move else for_all)]


def halted_and_attacked(scripts, script, words, written, folder, attack):
    """How a script ended that met `attack` on a folder right before it wrote a file there."""
    process = scripts.start(SCRIPTS.get(script, script), *words, halt=(written,))
    wait_until_halted(process)
    attack(folder)
    go_on(process, signal.SIGCONT)
    return scripts.end()


def left_in(folder):
    return sorted(folder.iterdir()) if folder.exists() else []


# ---- folders that a run has locked ---------------------------------------------------------------

LOCKED = {
    "a list of windows": ("Cut", "windows", "infer.json", ()),
    "a checkpoint": ("Train", "run", "best.pth.tar", ("--overwrite",)),
    "the history": ("Train", "run", "history.json", ("--overwrite",)),
    "proposals": ("Infer", "out", "proposals.h5", ("--overwrite",)),
    "scores": ("Eval", "out", "metrics.json", ("--overwrite",)),
    "a report": ("Eval", "out", "report.html", ("--overwrite",)),
    "an export": ("Eval", "out", "detections.csv", ("--overwrite", "--export", "csv")),
}


@pytest.mark.parametrize("case, attack", by_attack(LOCKED, ["a checkpoint", "proposals"]))
def test_a_locked_folder_that_vanishes_is_named(scripts, run, case, attack):
    script, name, written, more = LOCKED[case]
    folder, words = run
    ended = halted_and_attacked(scripts, script, words(*more), written, folder / name, attack)
    said = ended.refusal()
    assert f"{folder / name} was moved, deleted or replaced while this run wrote to it" in said
    assert not left_in(folder / name)


def test_a_training_that_was_moved_goes_on_in_its_new_place(scripts, run):
    folder, words = run
    longer = words("--num_epoch", "3", "--resume")
    ended = halted_and_attacked(scripts, "Train", longer, "checkpoint.pth.tar", folder / "run",
                                move)
    assert "give --resume and its new --checkpoint_path" in ended.refusal()
    moved = folder / "moved"
    said = scripts.done("Train", *longer, "--checkpoint_path", moved)
    assert "after epoch 1" in said and load_checkpoint(moved / "checkpoint.pth.tar")["epoch"] == 3
    assert not list(moved.rglob("*.part")) and not (folder / "run").exists()


@pytest.mark.parametrize("case", ["a list of windows", "proposals"])
def test_a_step_whose_folder_vanished_is_started_again(scripts, run, case):
    script, name, written, more = LOCKED[case]
    folder, words = run
    ended = halted_and_attacked(scripts, script, words(*more), written, folder / name,
                                shutil.rmtree)
    assert "Start again" in ended.refusal()
    scripts.done(SCRIPTS.get(script, script), *words(*more))
    assert (folder / name / written).is_file()


def test_a_stopped_training_whose_folder_moved_says_that(scripts, run):
    """It does not say that no epoch is saved, which it cannot know."""
    folder, words = run
    process = scripts.start("Train", *words("--num_epoch", "3", "--resume"),
                            halt=("checkpoint.pth.tar",))
    wait_until_halted(process)
    move(folder / "run")
    go_on(process, signal.SIGTERM)
    ended = scripts.end()
    assert ended.code == 130 and "run was moved, deleted or replaced" in ended.err


# ---- folders that are not locked -----------------------------------------------------------------

def detect(folder):
    return ("Infer", "one.json", ["--video", folder / "one.npy", "--checkpoint_path",
                                  folder / "run", "--feature_fps", "10", "-o",
                                  folder / "new" / "one.json"])


def picture(folder):
    return ("Infer", "one.png", detect(folder)[2])


def extract(folder):
    pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")
    pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")
    write_video(folder / "clip.mp4", even_times(20, 10), rate=10)
    return ("Extract_features", "clip.npy", [folder / "clip.mp4", "--out", folder / "new",
                                             "--workers", "0"])


@pytest.mark.parametrize("of, attack", by_attack([detect, picture, extract], [detect]))
def test_a_folder_of_results_that_goes_is_named(scripts, run, of, attack):
    folder, _ = run
    script, written, words = of(folder)
    ended = halted_and_attacked(scripts, script, words, written, folder / "new", attack)
    said = ended.refusal()
    assert f"the folder {folder / 'new'} was moved, deleted or replaced meanwhile; {SAME}" in said
    assert not left_in(folder / "new")
    scripts.done(script, *words)
    assert (folder / "new" / written).is_file()


def test_detections_go_to_the_new_place(scripts, run):
    folder, _ = run
    script, written, words = detect(folder)
    halted_and_attacked(scripts, script, words, written, folder / "new", move).refusal()
    scripts.done(script, *words[:-1], folder / "moved" / "one.json")
    assert json.loads((folder / "moved" / "one.json").read_text())["results"].keys() == {"one"}
