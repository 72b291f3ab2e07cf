"""Refusals that a change of the data remedies: the message says which, and it is made.

Then the script that refused succeeds. test_named_options.py does the same with options.
"""

import json
import re
import shutil

import h5py
import numpy as np
import pytest

from tests.scripts.test_bad_input import edited, features, nothing, one_class, video
from tests.scripts.test_named_options import adds, all_videos, found, leaves_out, sets, without
from tests.small_data import noise
from tests.small_run import call, copy_run, make_run, refusal


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "run"
    words = make_run(folder)
    (folder / "empty").mkdir()
    return folder, words


@pytest.fixture()
def run(made, tmp_path, monkeypatch):
    """A copy of the run, in which the test starts."""
    folder = copy_run(made[0], tmp_path / "run")
    monkeypatch.chdir(folder)
    return folder, made[1]


# ---- how a message is followed ------------------------------------------------------------------

def corrects(pattern, damage):
    """The message says `pattern`; what it means is done to the folder by `damage`."""
    def follow(folder, words, said):
        assert re.search(pattern, said), said
        damage(folder)
        return words
    return follow


def by_words(follow):
    """A change of the words, as test_named_options.py has them."""
    return lambda folder, words, said: follow(words, said)


def keeps_one(pattern):
    """Of the files or arrays that the pattern's group lists, one is kept."""
    def follow(folder, words, said):
        _, *others = found(pattern, said).split(", ")
        for other in others:
            file, _, inside = other.partition(": ")
            if inside:
                with h5py.File(file, "r+") as content:
                    del content[inside]
            else:
                (folder / file).unlink()
        return words
    return follow


def saves(pattern):
    """Run the line of Python in the pattern's group for every video of the annotations.

    It calls the video's array `array` and its file `path`.
    """
    def follow(folder, words, said):
        line = found(pattern, said)
        for path in (folder / "own").glob("*.npy"):
            exec(line, {"np": np, "path": path, "array": np.load(path)})
        return words
    return follow


# ---- damage -------------------------------------------------------------------------------------

def labelled(**identities):
    """Annotations whose labels have these label_ids; None: without one."""
    def change(content):
        for of_video in content["database"].values():
            for action in of_video["annotations"]:
                action.pop("label_id", None)
                if (identity := identities[action["label"]]) is not None:
                    action["label_id"] = identity
    return edited("data/annotations.json", change)


def twice_in_json(folder):
    text = (folder / "data/annotations.json").read_text()
    (folder / "data/annotations.json").write_text(text.replace('"train1"', '"train0"'))


def renamed_in_json(folder):
    text = (folder / "data/annotations.json").read_text()
    (folder / "data/annotations.json").write_text(text.replace('"train0"', '"train1"', 1))


def twice_in_hdf5(folder):
    with h5py.File(folder / "data/rgb.h5", "r+") as file:
        file["more/train0"] = file["train0"][:]
        for name in [name for name in file if name != "more"]:
            file.move(name, f"all/{name}")


def stretched(folder):
    """Each stream on its own clock, in one video."""
    features("flow", "train1", noise("flowtrain1", 50, 2))(folder)


def own_files(change):
    """One .npy a video in `own`, of arrays that `change(name, array)` gives, and no streams."""
    def damage(folder):
        (folder / "own").mkdir()
        with h5py.File(folder / "data/rgb.h5") as file:
            for name in file:
                np.save(folder / "own" / f"{name}.npy", change(name, file[name][:]))
    return damage


def twice_in_folders(folder):
    own_files(lambda name, array: array)(folder)
    (folder / "own" / "more").mkdir()
    shutil.copy(folder / "own/train0.npy", folder / "own/more/train0.npy")


def circular(folder):
    with h5py.File(folder / "data/rgb.h5", "r+") as file:
        file["more/around"] = file.require_group("more")


def plain(folder):
    with h5py.File(folder / "data/rgb.h5", "r+") as file:
        del file["more"]


def short_windows(folder):
    """Actions that are longer than any window."""
    all_videos(annotations=[{"segment": [0.5, 9.5], "label": "run"}])(folder)


def demo_folder(folder):
    (folder / "own").mkdir()
    (folder / "own" / "rgb.h5").write_bytes((folder / "data/rgb.h5").read_bytes())


OWN = ("--feature_path", "own")
NAN = np.full((100, 3), np.nan, np.float32)
# damage, the script, words, how the message is followed
CASES = {
    # annotations
    "a name twice": (twice_in_json, "Cut", (), corrects(
        "the name 'train0' occurs 2 times .* rename one of them", renamed_in_json)),
    "some have no id": (labelled(jump=1, run=None), "Cut", (), corrects(
        "give it to all of them or to none", labelled(jump=1, run=2))),
    "some have an id": (labelled(jump=1, run=None), "Cut", (), corrects(
        "give it to all of them or to none", labelled(jump=None, run=None))),
    "milliseconds": (all_videos(annotations=[{"segment": [1000, 2500], "label": "run"}]), "Cut",
                     (), corrects("give them in seconds", all_videos(
                         annotations=[{"segment": [1, 2.5], "label": "run"}]))),
    "no images": (nothing, "Cut", ("--feature_stride", "2"), corrects(
        "give each video its 'fps'", all_videos(fps=20))),
    "frames of videos": (nothing, "Cut", ("--feature_stride", "2"), corrects(
        "or its 'frame' and 'duration'", all_videos(frame=200))),
    # features
    "an array twice": (twice_in_hdf5, "Cut", (), keeps_one(
        r"video train0 occurs 2 times: (.*); keep one of them")),
    "a file twice": (twice_in_folders, "Cut", OWN, keeps_one(
        r"video train0 has several files: (.*); keep one of them")),
    "streams apart": (stretched, "Cut", (), corrects("extract its features again", features(
        "flow", "train1", noise("flowtrain1", 100, 2)))),
    "left out": (stretched, "Cut", (), by_words(adds(r"or leave it out with (--\w+)"))),
    "NaN": (features("rgb", "train1", NAN), "Train", ("--overwrite",), corrects(
        "extract them again", features("rgb", "train1", noise("rgbtrain1", 100, 3)))),
    "NaN left out": (features("rgb", "train1", NAN), "Train", ("--overwrite",), by_words(adds(
        r"or leave it out with (--\w+)"))),
    "one of another width": (features("rgb", "train2", noise("x", 100, 4)), "Cut", (), corrects(
        "extract all of them in the same way", features("rgb", "train2", noise("x", 100, 3)))),
    "one on its side": (features("rgb", "train2", noise("x", 3, 100)), "Cut", (), corrects(
        r"the shape \(3, 100\)", features("rgb", "train2", noise("x", 100, 3)))),
    "a tree with a circle": (circular, "Cut", (), corrects(
        "contains itself; store the arrays in a plain tree", plain)),
    "another width": (own_files(lambda name, array: array), "Cut",
                      ("--input_feat_dim", "5", *OWN), by_words(
        lambda words, said: [*without(words, found(r"check (--feature_path)", said))])),
    "the wrong folder": (nothing, "Cut", ("--feature_path", "empty"), by_words(
        lambda words, said: without(words, "--feature_path"))),
    "a foreign demo": (demo_folder, "Cut", ("--dataset", "demo", *OWN), by_words(sets(
        r"or (?P<option>--dataset) (?P<value>custom) for your own data"))),
    # windows
    "a rate not cut with": (nothing, "Train", ("--overwrite", "--feature_fps", "10"),
                            by_words(leaves_out(r"or leave (--\w+) out"))),
    "another framing": (nothing, "Train", ("--overwrite", "--framing", "whole"), by_words(sets(
        r"was cut with (?P<option>--framing) (?P<value>\w+), .* or give --framing as it was cut"))),
    "another subset": (nothing, "Infer", ("--overwrite", "--subset", "train"), by_words(sets(
        r"was cut with (?P<option>--subset) (?P<value>\w+), .* or give --subset as it was cut"))),
    # the network
    "other classes": (one_class, "Infer", ("--overwrite",), corrects(
        "annotate with its classes", video(annotations=[{"segment": [1, 2.5], "label": "jump"}]))),
    "classes of the file": (labelled(jump=2, run=1), "Infer", ("--overwrite",), by_words(adds(
        r"or give (--class_index)", "classes.json"))),
    "deltas": (nothing, "Train", ("--overwrite", "--deltas", "on", "--standardize", "off"),
               by_words(leaves_out(r"leave (--standardize) off out"))),
    "no deltas": (nothing, "Train", ("--overwrite", "--deltas", "on", "--standardize", "off"),
                  by_words(sets(r"or give (?P<option>--deltas) (?P<value>off)"))),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_message_says_about_the_data_works(run, capsys, case):
    damage, script, words, follow = CASES[case]
    folder, chosen = run
    (folder / "classes.json").write_text(json.dumps({"jump": 1, "run": 2}))
    damage(folder)
    capsys.readouterr()
    words = [*chosen, *words]
    assert call(script, folder, *words) == 2
    followed = follow(folder, words, refusal(capsys.readouterr()))
    assert call(script, folder, *followed) == 0, capsys.readouterr().err


# ---- what is only noted -------------------------------------------------------------------------

def authors_lists(folder):
    """Bare lists, as the authors' code writes them."""
    for path in (folder / "windows").glob("*.json"):
        path.write_text(json.dumps(json.loads(path.read_text())["windows"]))


# damage, words of Cut, the note (a part of its line), how it is followed
NOTES = {
    "channels first": (own_files(lambda name, array: np.tile(array, (1, 50)).T[:40]), OWN,
                       "they are stored [channels, frames]", saves(
                           r"(np\.save\(path, array\.T\)) fixes it")),
    "long actions": (short_windows, (), "no windows for train.json", by_words(adds(
        r"raise (--temporal_scale)", "128"))),
    "bare lists": (authors_lists, (), "it has no settings (the authors' layout)", by_words(adds(
        r"; (--overwrite) replaces it"))),
    "unused videos": (edited("data/annotations.json", lambda content: content["database"].update(
        more0=content["database"]["train0"] | {"subset": "more"})), (),
        "not used: 1 video of subset more", by_words(adds(r"\(see --train_subset, (--subset)\)",
                                                         "more"))),
}


@pytest.mark.parametrize("case", NOTES)
def test_a_note_about_the_data_is_gone_when_it_is_followed(run, capsys, case):
    damage, words, noted, follow = NOTES[case]
    folder, chosen = run
    with h5py.File(folder / "data/rgb.h5", "r+") as rgb, h5py.File(
            folder / "data/flow.h5", "r+") as flow:
        rgb["more0"], flow["more0"] = rgb["train0"][:], flow["train0"][:]
    damage(folder)
    words = [*chosen, *words]
    assert call("Cut", folder, *words) == 0
    said = capsys.readouterr().out
    assert noted in said
    call("Cut", folder, *follow(folder, words, said))
    assert noted not in capsys.readouterr().out
