"""What a refusal says to do, done by the letter: the script that refused then goes on.

Remedies of single readers and options are tested beside these (grep for "remed").
"""

import shutil

import h5py
import numpy as np
import pytest
import torch

from tests.scripts.test_bad_input import ANEW, checkpoint, cut_short, edited, proposals, with_nan
from tests.small_run import call, copy_run, make_run, refusal
from Utils.training.checkpoints import BEST, LAST

OTHER_T = ("--temporal_scale", "96")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remedies") / "run"
    return folder, make_run(folder)


def gone(*names):
    def damage(folder):
        for name in names:
            (folder / name).unlink()
    return damage


def both_cut_short(folder):
    cut_short(f"run/{LAST}")(folder)
    cut_short(f"run/{BEST}")(folder)


def without_results(folder):
    shutil.rmtree(folder / "out")


def foreign_proposals(folder):
    shutil.copy(folder / "data" / "rgb.h5", folder / "out" / "proposals.h5")


def of_an_old_version(folder):
    """Settings without the classes, which the first versions did not write."""
    with h5py.File(folder / "out" / "proposals.h5", "r+") as file:
        settings = file.attrs["settings"].decode()
        assert '"classes": ["jump", "run"]' in settings
        del file.attrs["settings"]
        file.attrs["settings"] = np.bytes_(settings.replace('"classes"', '"names"'))


def other_windows(found):
    found["windows"][0].update(w_end=900)


def nameless_windows(found):
    del found["windows"][0]["v_name"]


def windows_of_others(found):
    found["windows"][0].update(v_name="gone")


def no_list(folder):
    (folder / "windows" / "infer.json").write_text("3")


def nothing(folder):
    pass


# damage, the script that refuses, what it says to do, what is done: scripts with their words
TRAIN_ANEW = ("train again with --overwrite", [("Train", "--overwrite")])
INFER_AGAIN = ("run Infer.py again", [("Infer",)])
CUT_AGAIN = ("run Cut_long_videos.py again", [("Cut",)])
CASES = {
    "checkpoint cut short": (cut_short(f"run/{BEST}"), ("Infer",), *TRAIN_ANEW),
    "both checkpoints": (both_cut_short, ("Infer",), *TRAIN_ANEW),
    "to be resumed": (cut_short(f"run/{LAST}"), ("Train", "--resume"), *TRAIN_ANEW),
    "weights of NaN": (checkpoint(BEST, with_nan), ("Infer",), *TRAIN_ANEW),
    "another state": (checkpoint(BEST, lambda found: found.update(settings=3)), ("Infer",),
                      *TRAIN_ANEW),
    "no optimizer": (checkpoint(LAST, lambda found: found["optimizer"].update(param_groups=[])),
                     ("Train", "--resume", "--num_epoch", "2"), "--overwrite starts again",
                     [("Train", "--overwrite")]),
    "no checkpoint": (gone(f"run/{BEST}", f"run/{LAST}"), ("Infer",),
                      "run Train.py --checkpoint_path ", [("Train",)]),
    "proposals cut short": (cut_short("out/proposals.h5"), ("Eval",), *INFER_AGAIN),
    "old proposals": (of_an_old_version, ("Eval",), *INFER_AGAIN),
    "proposals of NaN": (proposals("scores", np.nan), ("Eval",), *INFER_AGAIN),
    "no proposals": (gone("out/proposals.h5"), ("Eval",), "run Infer.py --output_path ",
                     [("Infer",)]),
    "no results": (without_results, ("Eval",), "run Infer.py --output_path ", [("Infer",)]),
    "foreign proposals": (foreign_proposals, ("Eval",), "name the output_path of a run of Infer.py",
                          [("Infer",)]),
    "no list": (gone("windows/train.json"), ("Train", *ANEW), "run Cut_long_videos.py first",
                [("Cut",)]),
    "no list to infer": (gone("windows/infer.json"), ("Infer",), "run Cut_long_videos.py first",
                         [("Cut",)]),
    "a damaged list": (edited("windows/infer.json", other_windows), ("Infer",), *CUT_AGAIN),
    "a list without names": (edited("windows/infer.json", nameless_windows), ("Infer",),
                             *CUT_AGAIN),
    "a list of others": (edited("windows/infer.json", windows_of_others), ("Infer",), *CUT_AGAIN),
    "no list in the file": (no_list, ("Infer",), *CUT_AGAIN),
    "an empty list": (edited("windows/train.json", lambda found: found["windows"].clear()),
                      ("Train", *ANEW), "run Cut_long_videos.py again", [("Cut",)]),
    "settings of no option": (edited("windows/infer.json", lambda found: found["settings"].update(
        temporal_scale="long")), ("Infer",), "create it again", [("Cut",)]),
    "labels of no class": (proposals("labels", 9), ("Eval",), "evaluate with the dataset they",
                           [("Infer",)]),
    "another T": (nothing, ("Train", *ANEW, *OTHER_T), "run Cut_long_videos.py again",
                  [("Cut", *OTHER_T)]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_remedy_works(made, tmp_path, capsys, case):
    damage, (script, *words), said, steps = CASES[case]
    folder = copy_run(made[0], tmp_path / "run")
    damage(folder)
    capsys.readouterr()
    assert call(script, folder, *made[1], *words) == 2
    assert said in refusal(capsys.readouterr())
    for step, *more in steps:
        assert call(step, folder, *made[1], *more) == 0
    assert call(script, folder, *made[1], *words) == 0


# ---- files of tensors ---------------------------------------------------------------------------

def test_a_tensor_that_repeats_itself_is_saved_as_the_sentence_says(made, tmp_path, capsys):
    folder = copy_run(made[0], tmp_path / "run")
    path = folder / "run" / BEST
    content = torch.load(path, weights_only=True)
    name, tensor = next((name, value) for name, value in content["state_dict"].items()
                        if value.dim() == 1 and len(value) > 1)
    content["state_dict"][name] = tensor.new_zeros(1).expand(len(tensor))
    torch.save(content, path)
    assert call("Infer", folder, *made[1], "--overwrite") == 2
    assert "save tensor.clone() instead" in refusal(capsys.readouterr())
    content["state_dict"][name] = content["state_dict"][name].clone()
    torch.save(content, path)
    assert call("Infer", folder, *made[1], "--overwrite") == 0
