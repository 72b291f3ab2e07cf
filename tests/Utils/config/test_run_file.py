"""config.json: what a run writes of its settings, and how scripts read it."""

import json

import pytest

from Utils.config.describe import notes
from Utils.config.options import SETTLED, STORED_NAMES
from Utils.config.resolve import adopt, parse_config, settings
from Utils.config.run_file import data_places, write_run_file
from Utils.files import UserError


def run_of(folder, *words):
    """Write the config.json of a run of Train.py; gives its path."""
    (folder / "features").mkdir(exist_ok=True)
    write_run_file(folder, parse_config("Train", [
        "--dataset", "demo", "--recipe", "paper", "--checkpoint_path", str(folder),
        "--feature_path", str(folder / "features"), *words]), "Train")
    return folder / "config.json"


def test_a_run_file_holds_all_that_is_stored_and_where_things_are(tmp_path):
    content = json.loads(run_of(tmp_path, "--num_epoch", "3").read_text())
    assert set(STORED_NAMES) <= set(content) and content["num_epoch"] == 3
    assert content["feature_path"] == str(tmp_path / "features")
    assert content["checkpoint_path"] == str(tmp_path) and "output_path" not in content
    assert not {"device", "resume", "overwrite", "check"} & set(content)


def test_a_script_takes_its_options_from_a_file_and_flags_count_more(tmp_path):
    path = run_of(tmp_path, "--num_epoch", "3", "--anchor_scale", "1", "2")
    config = parse_config("Train", ["--config", str(path), "--num_epoch", "5"])
    assert (config.dataset, config.num_epoch, config.anchor_scale) == ("demo", 5, (1, 2))
    assert config.feature_path == str(tmp_path / "features")
    again = parse_config("Train", ["--config", str(path)])
    assert settings(again) == {name: value for name, value in json.loads(path.read_text()).items()
                               if name in STORED_NAMES}
    # An option from a file that the script does not read is not a user's mistake.
    assert notes(parse_config("Cut_long_videos", ["--config", str(path)]), "Cut_long_videos") == []


def test_another_recipe_beside_the_file_sets_its_own_options(tmp_path):
    path = run_of(tmp_path, "--recipe", "paper", "--temporal_scale", "512")
    config = parse_config("Train", ["--config", str(path), "--recipe", "strong"])
    assert (config.optimizer, config.temporal_scale) == ("adamw", 512)


def test_options_of_a_config_file_are_checked_against_the_checkpoint_too(tmp_path):
    path = run_of(tmp_path, "--num_levels", "4", "--temporal_scale", "128")
    config = parse_config("Infer", ["--config", str(path)])
    with pytest.raises(UserError, match=r"--temporal_scale 128 of .*config.json contradicts X"):
        adopt(config, settings(parse_config("Train", ["--dataset", "demo"])), "X", SETTLED["Infer"])


@pytest.mark.parametrize(("content", "sentence"), [
    ("[]", "holds no settings"),
    ('{"num_epochs": 3}', "unknown option 'num_epochs'; did you mean --num_epoch?"),
    ('{"num_epoch": "3"}', "num_epoch is '3', expected int"),
    ('{"tiou": [0.5, "x"]}', "tiou is [0.5, 'x'], expected float in a list"),
    ('{"dataset": 3}', "dataset is 3, expected str"),
    ('{"dataset": "kinetics"}', "--dataset kinetics is not one of thumos"),
    ('{"recipe": "weak"}', "--recipe weak is not one of paper, strong"),
    ('{"batch_size": -1}', "--batch_size -1 is impossible"),
    ('{"num_epoch": 3, "num_epoch": 4}', "num_epoch"),
])
def test_a_file_with_mistakes_is_refused_naming_it(tmp_path, content, sentence):
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(UserError) as caught:
        parse_config("Train", ["--config", str(tmp_path / "c.json")])
    assert sentence in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="no settings at .*absent.json"):
        parse_config("Eval", ["--config", str(tmp_path / "absent.json")])


def test_paths_that_no_longer_exist_are_not_adopted(tmp_path):
    run_of(tmp_path)
    assert data_places(tmp_path) == {"feature_path": str(tmp_path / "features")}
    (tmp_path / "features").rmdir()
    assert data_places(tmp_path) == {} == data_places(tmp_path / "elsewhere")
