"""The command that an import says to type next works unchanged."""

import shlex

import numpy as np
import pytest

import Cut_long_videos
import Prepare_data
from Utils.prepare.formats.after_import import guessed_rate, without_features


@pytest.fixture
def features(tmp_path, monkeypatch):
    """Features of two videos of 24 s, 5 per second."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my features").mkdir()
    for name in ("a", "b"):
        np.save(f"my features/{name}.npy", np.random.default_rng(0).normal(size=(120, 16))
                .astype(np.float32))
    return "my features"


def annotate(*rows):
    with open("table.csv", "w") as file:
        print("video,start,end,label,subset", *(",".join(map(str, row)) for row in rows),
              sep="\n", file=file)


def imported(features, capsys, *words):
    """Import table.csv. -> what it prints, and the command to type next as words."""
    assert Prepare_data.main(["import", "table.csv", "--to", "annotations.json",
                              "--feature_path", features, *words]) == 0
    said = capsys.readouterr().out
    return said, shlex.split(said[said.index("\nnext: ") + 7:])


def test_the_next_command_works_if_no_duration_is_known(features, capsys):
    annotate(("a", 1, 4, "wave", "training"), ("a", 8, 22.4, "jump", "training"),
             ("b", 2, 9, "wave", "testing"), ("b", 10, 23.9, "jump", "testing"))
    said, command = imported(features, capsys)
    assert "--feature_fps 5 is a guess from the last actions" in said and "ERRORS" not in said
    assert command[:5] == ["DATASET=custom", "DATA_PATH=my features", "bash", "run_vsgn.sh",
                           "traininfereval"]
    # run_vsgn.sh looks and cuts first; it hands the options of the user on.
    words = ["--dataset", "custom", "--feature_path", features, *command[6:]]
    assert words[-2:] == ["--feature_fps", "5"]
    assert Cut_long_videos.main([*words, "--check"]) in (0, 1)
    assert Cut_long_videos.main([*words, "--window_path", "windows"]) == 0


def test_known_durations_need_no_rate(features, capsys):
    annotate(("a", 1, 4, "wave", "training"), ("b", 2, 9, "wave", "testing"))
    with open("durations.csv", "w") as file:
        file.write("video,seconds\na,24\nb,24\n")
    said, command = imported(features, capsys, "--durations", "durations.csv")
    assert "--feature_fps" not in said and "traininfereval" in command


@pytest.mark.parametrize("ends, rate", [
    ((23.9, 23.0), 5), ((24.2, 3.0), 5), ((4.0, 2.0), 30), ((3000, 1), 0.04), ((76.7, 9), 1.5625)])
def test_the_guess_is_a_usual_rate_at_which_features_reach_the_last_action(features, ends, rate):
    database = {name: {"annotations": [{"segment": [0, end], "label": "x"}]}
                for name, end in zip("ab", ends, strict=True)}
    assert guessed_rate(database, features) == (rate, "the last actions")


def test_without_actions_or_features_nothing_is_guessed(features):
    for name, actions in (("a", []), ("c", [{"segment": [0, 9], "label": "x"}])):
        assert guessed_rate({name: {"annotations": actions}}, features) == (None, None)


def test_videos_with_a_duration_tell_the_rate_of_the_others(features, capsys):
    annotate(("a", 1, 4, "wave", "training"), ("b", 2, 9, "wave", "testing"))
    with open("durations.csv", "w") as file:
        file.write("video,seconds\na,24\n")
    said, command = imported(features, capsys, "--durations", "durations.csv")
    assert "--feature_fps 5 is a guess from the videos that have a duration" in said
    assert "traininfereval" in command and command[-2:] == ["--feature_fps", "5"]


@pytest.mark.parametrize("names, said", [
    ("a", "0 of 1 video have no"), ("c", "1 of 1 video has no"), ("ac", "1 of 2 videos has no"),
    ("acd", "2 of 3 videos have no")])
def test_the_line_about_videos_without_features_agrees_in_number(features, names, said):
    line, = without_features(dict.fromkeys(names), features)
    assert line.startswith(f"{said} features in my features")
