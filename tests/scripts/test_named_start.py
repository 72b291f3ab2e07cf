"""Follow what the scripts say to do before they begin.

The remedy is taken from the words of the message, as in test_named_options.py: files
of settings, folders, variables of the environment, and how to continue a run.
"""

import json
import shutil

import pytest

from tests.scripts.test_named_options import found, without
from tests.small_run import MAINS, call, copy_run, make_run, refusal
from Utils.run import locked


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start") / "run"
    return folder, make_run(folder)


@pytest.fixture()
def run(made, tmp_path, monkeypatch):
    """A copy of the run, in which the test starts."""
    folder = copy_run(made[0], tmp_path / "run")
    monkeypatch.chdir(folder)
    return folder, made[1]


# ---- files of settings --------------------------------------------------------------------------

@pytest.mark.parametrize(("text", "pattern", "follow"), [
    ('{"num_epochs": 1}', r"did you mean --(\w+)\?", lambda named: json.dumps({named: 1})),
    ('{"num_epoch": "1"}', r"num_epoch is '1', expected (int)",
     lambda kind: json.dumps({"num_epoch": int("1")})),
    ("[1]", r"as in the (config\.json) of a run", None),
    ('{"num_levels": 0}', r"num_levels 0 is impossible: it must be from (\d+) to",
     lambda least: json.dumps({"num_levels": int(least)})),
    ('{"num_epoch": 1, "num_epoch": 2}', r"occurs 2 times in one object; rename one of (them)",
     lambda _: '{"num_epoch": 1, "seed": 2}')])
def test_a_file_of_settings_is_corrected_as_the_message_says(run, capsys, text, pattern, follow):
    folder, words = run
    words = [*without(without(words, "--num_epoch"), "--num_levels"), "--config", "mine.json"]
    (folder / "mine.json").write_text(text)
    assert call("Cut", folder, *words) == 2
    named = found(pattern, refusal(capsys.readouterr()))
    text = (folder / "run" / named).read_text() if follow is None else follow(named)
    (folder / "mine.json").write_text(text)
    assert call("Cut", folder, *words) == 0, capsys.readouterr().err


# ---- folders ------------------------------------------------------------------------------------

@pytest.mark.parametrize(("script", "place", "option"), [
    ("Cut", "windows", "--window_path"), ("Train", "run", "--checkpoint_path"),
    ("Infer", "out", "--output_path")])
def test_a_folder_of_another_run_is_waited_for_or_left(run, capsys, script, place, option):
    folder, words = run
    words = [*words, "--overwrite"]
    with locked(folder / place):
        assert call(script, folder, *words) == 2
        said = refusal(capsys.readouterr())
        assert "wait for it, or choose another folder" in said
        assert call(script, folder, *words, option, "another") == 0
    assert call(script, folder, *words) == 0


def test_a_folder_that_is_a_file_gets_another_name(run, capsys):
    folder, words = run
    (folder / "taken").write_text("mine")
    assert call("Cut", folder, *words, "--window_path", "taken/windows") == 2
    assert "taken/windows" in refusal(capsys.readouterr())
    assert call("Cut", folder, *words, "--window_path", "free/windows") == 0
    assert (folder / "taken").read_text() == "mine"


@pytest.mark.parametrize("remedy", [r"; (put) it there", r"or name it with (--\w+)"])
def test_annotations_that_are_sought_are_put_there_or_named(run, capsys, remedy):
    folder, words = run
    words = [*words, "--feature_path", "data", "--window_path", "new"]
    (folder / "data" / "annotations.json").rename(folder / "mine.json")
    assert MAINS["Cut"](words) == 2
    said = refusal(capsys.readouterr())
    named = found(remedy, said)
    if named == "put":
        name, place = found(r"no (\S+) in", said), found(r"no \S+ in (\S+);", said)
        (folder / place).mkdir(parents=True, exist_ok=True)
        shutil.copy("mine.json", folder / place / name)
    else:
        words += [named, "mine.json"]
    assert MAINS["Cut"](words) == 0


# ---- continuing a run ---------------------------------------------------------------------------

def test_a_cosine_goes_on_without_another_number_of_epochs(run, capsys):
    folder, words = run
    words = [*words, "--schedule", "cosine", "--checkpoint_path", "cosine"]
    assert call("Train", folder, *words) == 0
    capsys.readouterr()
    longer = [*words, "--resume", "--num_epoch", "2"]
    assert call("Train", folder, *longer) == 2
    option = found(r"leave (--\w+) out", refusal(capsys.readouterr()))
    assert call("Train", folder, *without(longer, option)) == 0


def test_values_that_are_not_finite_are_gone_with_a_lower_learning_rate(run, capsys):
    folder, words = run
    words = [*words, "--overwrite", "--num_epoch", "3"]
    assert call("Train", folder, *words, "--train_lr", "1e30") == 2
    option = found(r"Lower (--\w+), or check", refusal(capsys.readouterr()))
    assert call("Train", folder, *words, option, "1e-4") == 0


# ---- the environment ----------------------------------------------------------------------------

RANKS = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}


@pytest.mark.parametrize("script", ["Train", "Infer"])
def test_half_of_the_variables_of_torchrun_are_unset(run, monkeypatch, capsys, script):
    folder, words = run
    for name, value in RANKS.items():
        monkeypatch.setenv(name, value)
    assert call(script, folder, *words, "--overwrite") == 2
    for name in found(r"or unset ([A-Z_ ]+) to run one process", refusal(
            capsys.readouterr())).split():
        monkeypatch.delenv(name, raising=False)
    assert call(script, folder, *words, "--overwrite") == 0
