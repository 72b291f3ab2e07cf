"""Detections written for other tools: the sample files byte for byte, and what is refused."""

import json
import shutil
from pathlib import Path

import pytest

from Utils.files import UserError
from Utils.prepare.formats.export import export, write
from Utils.prepare.formats.kept_rows import Choices

SAMPLES = Path(__file__).parents[3] / "data/interop/export"
LENGTHS = {"match_1": 3700, "match_2": 3700}
LOCAL_FILES = "/data/local-files/?d=videos/{video}.mp4"


@pytest.fixture
def results():
    return json.loads((SAMPLES / "detections.json").read_text())["results"]


def row(start, end, label="run", score=0.9):
    return {"label": label, "score": score, "segment": [start, end]}


def test_every_sample_is_written_byte_for_byte(results, tmp_path):
    export(results, ["csv", "srt", "vtt", "elan", "boris", "audacity"], tmp_path,
           Choices(fps=25, durations=LENGTHS))
    export(results, ["labelstudio"], tmp_path, Choices(fps=25, media=LOCAL_FILES))
    expected = {path.name: path.read_bytes() for path in SAMPLES.iterdir()
                if path.name != "detections.json"}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == expected


@pytest.mark.parametrize("suffix, name", [(".srt", "srt"), (".vtt", "vtt"), (".eaf", "elan")])
def test_the_suffix_says_the_format_of_one_video(results, tmp_path, suffix, name):
    path = tmp_path / f"match_1{suffix}"
    assert write({"match_1": results["match_1"]}, path).paths == [path]
    assert path.read_bytes() == (SAMPLES / path.name).read_bytes()
    with pytest.raises(UserError, match="holds one video, there are 3; write .csv, or a file per "
                                        f"video with --export {name}"):
        write(results, tmp_path / f"all{suffix}")
    export(results, [name], tmp_path / "each")
    assert (tmp_path / "each" / path.name).read_bytes() == path.read_bytes()


def test_a_csv_holds_several_videos_and_every_score(results, tmp_path):
    write(results, tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_bytes() == (SAMPLES / "detections.csv").read_bytes()


def test_another_suffix_is_refused_with_the_known_ones(results, tmp_path):
    with pytest.raises(UserError, match="known are .csv, .srt, .vtt, .eaf, .boris"):
        write(results, tmp_path / "all.xlsx")


def test_scores_and_the_best_of_each_video_choose_the_rows(results, tmp_path):
    written = write(results, tmp_path / "a.csv", Choices(min_score=0.6, top=2))
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[1:] == ["match_1,1.200,3.456,serve,0.910000",
                         "match_1,3.000,5.500,smash & run,0.800000"]
    assert written.left_out == {"detections below a score of 0.6": 3,
                                "detections beyond the best 2 of their video": 1}


def test_detections_without_length_are_left_out_and_counted(tmp_path):
    written = write({"a": [row(2, 2), row(3, 1), row(1, 2)]}, tmp_path / "a.csv")
    assert written.left_out == {"detections without length": 2}
    assert (tmp_path / "a.csv").read_text().count("\n") == 2


def test_rows_without_a_label_have_no_class(tmp_path):
    write({"a": [{"score": 0.5, "segment": [1, 2]}]}, tmp_path / "a.csv")
    assert "a,1.000,2.000,(no class),0.500000" in (tmp_path / "a.csv").read_text()


def test_nothing_at_all_is_an_empty_file(tmp_path):
    write({}, tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "video,start,end,label,score\n"
    write({"a": []}, tmp_path / "none.vtt")
    assert (tmp_path / "none.vtt").read_text() == "WEBVTT\n\n"
    write({"a": []}, tmp_path / "none.eaf")
    assert "<TIME_ORDER/>" in (tmp_path / "none.eaf").read_text()


def test_quotes_commas_and_letters_of_all_kinds_survive_in_csv(tmp_path):
    write({"küche, 1": [row(0, 1, 'say "hi", now')]}, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text("utf-8").splitlines()[1] == (
        '"küche, 1",0.000,1.000,"say ""hi"", now",0.900000')


def test_hours_beyond_99_are_written_out(tmp_path):
    write({"a": [row(360000.5, 360001)]}, tmp_path / "a.srt")
    assert "100:00:00,500 --> 100:00:01,000" in (tmp_path / "a.srt").read_text()


def test_frames_of_label_studio_are_those_that_a_segment_touches(tmp_path):
    export({"a": [row(1.0, 2.04), row(3.001, 3.002)]}, ["labelstudio"], tmp_path, Choices(fps=25))
    task, = json.loads((tmp_path / "labelstudio_predictions.json").read_text())
    ranges = [region["value"]["ranges"][0] for region in task["predictions"][0]["result"]]
    assert ranges == [{"start": 26, "end": 51}, {"start": 76, "end": 76}]


def test_label_studio_gets_names_and_a_rate_of_its_own(tmp_path):
    export({"a": [row(0, 1)]}, ["labelstudio"], tmp_path,
           Choices(fps=29.97, ls_names=("tl", "v")))
    task, = json.loads((tmp_path / "labelstudio_predictions.json").read_text())
    region, = task["predictions"][0]["result"]
    assert (region["from_name"], region["to_name"], task["data"]["fps"]) == ("tl", "v", 29.97)


# ---- what is refused, and that nothing is written then -------------------------------------------

def refused(results, formats, folder, choices=None, **words):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(UserError) as problem:
        export(results, formats, folder, choices, **words)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return str(problem.value)


def test_an_existing_file_is_replaced_only_with_overwrite(results, tmp_path):
    (tmp_path / "match_2.srt").write_text("mine")
    assert refused(results, ["csv", "srt"], tmp_path) == (
        f"{tmp_path / 'match_2.srt'} already exists; --overwrite replaces it")
    export(results, ["csv", "srt"], tmp_path, overwrite=True)
    assert (tmp_path / "match_2.srt").read_bytes() == (SAMPLES / "match_2.srt").read_bytes()


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a\nb", "n" * 252])
def test_a_name_that_no_file_can_have_is_refused_and_csv_helps(tmp_path, name):
    said = refused({"good": [row(0, 1)], name: [row(0, 1)]}, ["srt"], tmp_path)
    assert "no file can have this name" in said and "or write csv, boris or labelstudio" in said
    export({name: [row(0, 1)]}, ["csv", "boris", "labelstudio"], tmp_path,
           Choices(fps=5, durations={name: 9}))
    assert len(list(tmp_path.iterdir())) == 3


def test_label_studio_needs_a_frame_rate(results, tmp_path):
    said = refused(results, ["csv", "labelstudio"], tmp_path)
    assert said == ("Label Studio counts frames; give the frame rate of its labelling "
                    "configuration with --fps")
    export(results, ["csv", "labelstudio"], tmp_path, Choices(fps=30))


def test_boris_needs_the_length_of_every_video_with_rows(results, tmp_path):
    said = refused(results, ["srt", "boris"], tmp_path, Choices(durations={"match_1": 20}))
    assert said.startswith("BORIS needs the length of every video, match_2 has none (1 of 2); add "
                           "`duration` to the annotations, or give `Prepare_data.py export` a "
                           "table `video,seconds` with --durations")
    export(results, ["srt", "boris"], tmp_path, Choices(durations=LENGTHS))


def test_letters_that_xml_cannot_hold_are_refused(tmp_path):
    said = refused({"a": [row(0, 1, "bell\a")]}, ["elan"], tmp_path)
    assert "has a character that an .eaf cannot hold" in said and "or write csv" in said
    export({"a": [row(0, 1, "bell\a")]}, ["csv"], tmp_path)


def test_a_folder_that_is_a_file_is_refused(results, tmp_path):
    shutil.copy(SAMPLES / "detections.json", tmp_path / "out")
    assert "there is a file where a folder should be" in refused(results, ["csv"], tmp_path / "out")
