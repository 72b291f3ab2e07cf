"""Window lists come back from their files, and lists of other settings are refused."""

import json
from types import SimpleNamespace

import pytest

from Utils.files import UserError
from Utils.inputs.window_file import check_window_settings, read_windows, write_windows
from Utils.inputs.windows import Window


def test_windows_and_settings_survive_a_file(tmp_path):
    windows = [Window("ä/../b", 0, 9, 29.97, 3.3, 0), Window("c", 0.5, 7.25)]
    write_windows(tmp_path / "w" / "train.json", windows, {"use_VSS": True})
    assert read_windows(tmp_path / "w" / "train.json") == (windows, {"use_VSS": True})


def test_entries_have_the_keys_of_the_original(tmp_path):
    write_windows(tmp_path / "a.json", [Window("c", 0, 7.25), Window("d", 0, 9, 2.0, 5.0, 1)], {})
    entries = json.loads((tmp_path / "a.json").read_text())["windows"]
    assert [list(entry) for entry in entries] == [
        ["v_name", "w_start", "w_end"],
        ["v_name", "w_start", "w_end", "fps", "v_duration", "w_index"]]


def test_the_authors_bare_list_is_read_without_settings(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"v_name": "v_x", "w_start": 14.5, "w_end": 111.8}]')
    assert read_windows(path) == ([Window("v_x", 14.5, 111.8)], None)


@pytest.mark.parametrize("content, message", [
    ('{"a": 1}', "is not a window list"),
    ('3', "is not a window list"),
    ('[3]', "window 0 has no v_name"),
    ('[{"v_name": "a", "w_start": 0, "w_end": 3}, {"v_name": "a", "w_start": "0", "w_end": 3}]',
     "window 1: w_start is '0', not a number"),
    ('[{"v_name": "a", "w_start": 0}]', "w_end is None"),
    ('[{"v_name": "a", "w_start": 0, "w_end": NaN}]', "w_end is nan"),
    ('[{"v_name": "a", "w_start": 5, "w_end": 3}]', "window 0 runs from 5 to 3"),
    ('[{"v_name": "a", "w_start": -1, "w_end": 3}]', "window 0 runs from -1 to 3"),
    ('[{"v_name": "a",', "line 1, column"),
])
def test_a_file_that_is_not_a_window_list_is_refused(tmp_path, content, message):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=message):
        read_windows(tmp_path / "a.json")


def test_a_missing_list_says_who_makes_it(tmp_path):
    with pytest.raises(UserError, match="no window list at .*; run Cut_long_videos.py first"):
        read_windows(tmp_path / "none.json")


def test_windows_of_other_settings_are_refused_by_option():
    stored = {"dataset": "demo", "use_VSS": False, "seed": 3}
    config = SimpleNamespace(dataset="demo", use_VSS=True, seed=21)
    with pytest.raises(UserError, match="train.json was cut with --use_VSS false, this run has "
                                        "true; run Cut_long_videos.py again"):
        check_window_settings(stored, config, "train.json")
    check_window_settings(stored, SimpleNamespace(dataset="demo", use_VSS=False, seed=21), "x")


def test_a_subset_may_be_spelled_otherwise_than_when_cut():
    config = SimpleNamespace(subset="testing", temporal_scale=64)
    stored = {"subset": "test", "temporal_scale": 64}
    assert check_window_settings(stored, config, "train.json") is None      # no UserError
    with pytest.raises(UserError, match="--subset val"):
        check_window_settings(stored | {"subset": "val"}, config, "train.json")
