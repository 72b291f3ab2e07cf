"""Infer.py refuses what --check refuses, in its words or in those of the trained network."""

import pytest

from tests.scripts.test_both_doors import CASES, said_by
from tests.small_run import call, copy_run, make_run, options

# The cases damage training videos: here those names are of test videos.
PAIRS = (("train1", "test0"), ("train2", "test1"))
# The network was trained with other options; a count is of the inferred videos alone.
OWN_WORDS = {
    "no fps": "infer.json was cut with --feature_stride unset, this run has 4",
    "unknown training subset": "--train_subset other contradicts ",
    "one video held out": "infer.json was cut with --subset test, this run has val",
    "milliseconds": "the videos have 0.01 features per second (median of 2)",
    "another rate": "infer.json was cut with --feature_fps unset, this run has 10",
    "no features": "1 of 2 videos is not in the rgb features: train1;",
    "of another width": "video train2: its rgb features have the shape (100, 4), those of train1",
    "transposed": "infer.json was cut with --feature_fps unset, this run has 10",
    "channels": "--input_feat_dim 7 contradicts ",
    "classes": "have 3 classes, 4 with background, but the network was trained on 3",
    "fewer classes": "--decoder_num_classes 7 contradicts ",
    "no training windows": "have 1 class, 2 with background, but the network was trained on 3",
}


def without_features(database, arrays):
    del arrays["rgb"]["train1"]


HERE = {**CASES, "no features": (without_features, (), "Cut")}


def swap(database, arrays):
    """Swap the names of training and test videos."""
    for pair in PAIRS:
        for table in (database, *arrays.values()):
            table[pair[0]], table[pair[1]] = table[pair[1]], table[pair[0]]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door") / "run"
    make_run(folder, swap)
    return folder


@pytest.mark.parametrize("case", HERE)
def test_infer_refuses_what_check_refuses(made, tmp_path, capsys, case):
    change, words, _ = HERE[case]

    def both(database, arrays):
        swap(database, arrays)
        if change:
            change(database, arrays)

    folder = copy_run(made, tmp_path / "run")
    chosen = [*options(folder, both), *words]
    before = (folder / "out" / "proposals.h5").read_bytes()
    capsys.readouterr()
    code = call("Infer", folder, *chosen, "--overwrite")
    sentence = said_by(capsys)[1].removeprefix("error: ")
    assert call("Cut", folder, *chosen, "--check") == 2
    out, err = said_by(capsys)
    if case == "nothing to score":      # for which Infer needs no labels
        assert code == 0
        return
    assert code == 2 and (folder / "out" / "proposals.h5").read_bytes() == before
    assert OWN_WORDS.get(case, sentence) in sentence
    assert case in OWN_WORDS or sentence in out + err
