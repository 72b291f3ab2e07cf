"""Every sample file of other tools, by the command line, against what was worked out by hand."""

import json
import shlex
from pathlib import Path

import pytest

import Prepare_data
from Utils.prepare.formats.arguments import import_options
from Utils.prepare.formats.importing import import_files

SAMPLES = Path(__file__).parents[3] / "data/interop"
CASES = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))


def facts(database):
    """Videos with subset, duration and sorted actions, to six decimals."""
    return {name: (video["subset"], video.get("duration"), sorted(
        (*(round(edge, 6) for edge in action["segment"]), action["label"])
        for action in video["annotations"])) for name, video in database.items()}


def test_there_are_26_cases():
    assert len(CASES) == 26


@pytest.mark.parametrize("is_told", [False, True], ids=["recognized", "told"])
@pytest.mark.parametrize("name", CASES)
def test_a_sample_becomes_what_is_expected(name, is_told, tmp_path, monkeypatch, capsys):
    case, to = CASES[name], tmp_path / "annotations.json"
    monkeypatch.chdir(SAMPLES)
    words = ["import", *case["files"], "--to", str(to), *shlex.split(case["options"]),
             *(["--from", case["from"]] if is_told else [])]
    assert Prepare_data.main(words) == 0
    assert facts(json.loads(to.read_text(encoding="utf-8"))["database"]) == facts(case["database"])
    said = capsys.readouterr().out
    assert all(f"{why} ({count})" in said for why, count in case["left_out"].items())

    parsed = vars(Prepare_data.parser().parse_args(words))
    parsed.pop("verb")
    files, _, format, _, _, options = import_options(parsed)
    found = import_files(files, options, format)
    assert found.annotations.left_out == case["left_out"]
    assert set(found.formats.values()) == {case["from"]}


def test_videos_come_by_name_and_actions_by_start(tmp_path, monkeypatch):
    monkeypatch.chdir(SAMPLES)
    found = import_files(["boris_project.boris", "boris_aggregated_v9.tsv"]).annotations.database
    assert list(found) == sorted(found)
    starts = [action["segment"][0] for action in found["penB_part2"]["annotations"]]
    assert starts == [0.0, 5.0]
