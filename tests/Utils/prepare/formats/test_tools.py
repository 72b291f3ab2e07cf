"""Peculiarities of single tools: file borders in BORIS, ELAN slots without a time."""

import gzip
import json
from pathlib import Path

import pytest

from Utils.files import UserError
from Utils.prepare.formats.boris_media import Observation
from Utils.prepare.formats.found import Found, Options
from Utils.prepare.formats.importing import import_files

SAMPLES = Path(__file__).parents[3] / "data/interop"


def pieces(observation, start, end):
    found = Found(Path("x"))
    observation.add(found, start, end, "x", "")
    return [(action.media, action.start, action.end) for action in found.actions]


@pytest.mark.parametrize("start, end, expected", [
    (1, 2, [("a", 1, 2)]),
    (9, 12, [("a", 9, 10), ("b", 0, 2)]),
    (9, 30, [("a", 9, 10), ("b", 0, 8), ("c", 0, 12)]),
    (9, 10, [("a", 9, 10)]),              # ends at a border: nothing of the next file
    (10, 11, [("b", 0, 1)]),              # starts at a border: of the next file
    (10, 10, [("b", 0, 0)]),              # a point at a border, too
    (23, 23, [("c", 5, 5)]),              # and at the end of the last file
    (22, 25, [("c", 4, 7)]),              # beyond the end: kept
    (-1, 1, [("a", -1, 1)]),              # before the start: kept
])
def test_times_run_through_the_files_of_an_observation(start, end, expected):
    observation = Observation("o", [("a", 10.0), ("b", 8.0), ("c", 5.0)])
    assert pieces(observation, start, end) == expected


def test_the_offset_is_taken_off_and_lengths_are_cut_to_milliseconds():
    observation = Observation("o", [("a", 10.0009999), ("b", 8.0)], offset=100.0)
    assert pieces(observation, 109.5, 111.0) == [("a", 9.5, 10), ("b", 0, 1)]
    assert observation.end() == 118.0


def test_events_of_unknown_behaviours_are_counted(tmp_path):
    project = json.loads((SAMPLES / "boris_project.boris").read_text())
    project["observations"]["walk 1"]["events"].append([15, "dog", "fly", "", ""])
    (tmp_path / "x.boris").write_text(json.dumps(project))
    found = import_files([tmp_path / "x.boris"]).annotations
    assert found.left_out["behaviours missing from the ethogram"] == 1


def test_a_project_may_be_packed_hold_nan_and_have_no_offset(tmp_path):

    project = json.loads((SAMPLES / "boris_project.boris").read_text())
    project["observations"]["walk 1"]["time offset"] = None
    project["observations"]["walk 1"]["media_info"]["fps"] = float("nan")
    (tmp_path / "x.boris.gz").write_bytes(gzip.compress(json.dumps(project).encode()))
    found = import_files([tmp_path / "x.boris.gz"]).annotations
    plain = import_files([SAMPLES / "boris_project.boris"]).annotations
    assert found.database == plain.database


def test_two_observations_of_one_file_are_put_together_or_kept_apart(tmp_path):
    project = json.loads((SAMPLES / "boris_project.boris").read_text())
    del project["observations"]["walk 2"]
    project["observations"]["second look"] = project["observations"]["walk 1"]
    (tmp_path / "x.boris").write_text(json.dumps(project))
    found = import_files([tmp_path / "x.boris"]).annotations
    assert list(found.database) == ["walk1"] and found.left_out["the same twice"] == 2
    assert any("several observations are of /data/walk1.mp4" in note for note in found.notes)
    found = import_files([tmp_path / "x.boris"], Options(video_name="observation")).annotations
    assert list(found.database) == ["second look", "walk 1"]


def test_an_offset_that_a_table_does_not_write_is_remarked(tmp_path):
    text = (SAMPLES / "boris_tabular_offset.tsv").read_text()
    lines = [line.split("\t") for line in text.splitlines()]
    place = lines[0].index("Time offset (s)")
    (tmp_path / "x.tsv").write_text("\n".join(
        "\t".join(line[:place] + line[place + 1:]) for line in lines))
    notes = import_files([tmp_path / "x.tsv"]).annotations.notes
    assert any("does not write the offset: check a few times" in note for note in notes)


def eaf(slots, tiers, header=""):
    """An .eaf: slots {id: ms or None}; tiers [(attributes, [(slot 1, slot 2, label)])]."""
    number, body = 0, ""
    for attributes, rows in tiers:
        body += f"<TIER {attributes}>"
        for first, second, label in rows:
            number += 1
            body += (f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number}" '
                     f'TIME_SLOT_REF1="{first}" TIME_SLOT_REF2="{second}"><ANNOTATION_VALUE>{label}'
                     "</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>")
        body += "</TIER>"
    order = "".join(f'<TIME_SLOT TIME_SLOT_ID="{slot}"' + (
        "/>" if time is None else f' TIME_VALUE="{time}"/>') for slot, time in slots.items())
    return (f'<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds">{header}</HEADER>'
            f"<TIME_ORDER>{order}</TIME_ORDER>{body}</ANNOTATION_DOCUMENT>")


def read_eaf(tmp_path, text, **options):
    (tmp_path / "talk.eaf").write_text(text, encoding="utf-8")
    found = import_files([tmp_path / "talk.eaf"], Options(**options)).annotations
    (name, video), = found.database.items()
    return name, [(*action["segment"], action["label"]) for action in video["annotations"]]


def test_slots_without_a_time_lie_evenly_in_the_chain_of_their_tier(tmp_path):
    """A slot of another tier in between changes nothing."""
    text = eaf({"t1": 0, "t2": None, "x": 1700, "t3": None, "t4": 3000, "y": 2000},
               [('TIER_ID="words"', [("t1", "t2", "a"), ("t2", "t3", "b"), ("t3", "t4", "c")]),
                ('TIER_ID="other"', [("x", "y", "d")])])
    assert read_eaf(tmp_path, text)[1] == [(0, 1, "a"), (1, 2, "b"), (1.7, 2, "d"), (2, 3, "c")]


def test_a_subdivision_of_a_subdivision_lies_within_its_parent(tmp_path):
    """Even though the child comes first in the file, it is divided after its parent."""
    text = eaf({"t1": 0, "c1": None, "t2": None, "t3": 4000},
               [('TIER_ID="letters" PARENT_REF="words"', [("t1", "c1", "x"), ("c1", "t2", "y"),
                                                          ("t2", "t3", "z")]),
                ('TIER_ID="words"', [("t1", "t2", "a"), ("t2", "t3", "b")])])
    assert read_eaf(tmp_path, text, tiers=("letters",))[1] == [(0, 1, "x"), (1, 2, "y"),
                                                              (2, 4, "z")]


@pytest.mark.parametrize("header, name, first", [
    ('<MEDIA_DESCRIPTOR MEDIA_URL="file:///a.wav" MIME_TYPE="audio/x-wav" TIME_ORIGIN="9000"/>'
     '<MEDIA_DESCRIPTOR MEDIA_URL="file:///b.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="500"/>',
     "b", 1.5),
    ('<MEDIA_DESCRIPTOR MEDIA_URL="file:///a.wav" MIME_TYPE="audio/x-wav" TIME_ORIGIN="9000"/>',
     "a", 10),
    ('<MEDIA_DESCRIPTOR MEDIA_URL="" RELATIVE_MEDIA_URL="./my%20b.mp4" MIME_TYPE="video/mp4"/>',
     "my b", 1),
    ("", "talk", 1),
])
def test_the_first_video_names_the_file_and_its_origin_is_added(tmp_path, header, name, first):
    text = eaf({"t1": 1000, "t2": 2000}, [('TIER_ID="a"', [("t1", "t2", "x")])], header)
    assert read_eaf(tmp_path, text) == (name, [(first, first + 1, "x")])


def test_white_space_in_a_label_of_elan_is_one_space(tmp_path):
    text = eaf({"t1": 1000, "t2": 2000}, [('TIER_ID="a"', [("t1", "t2", " look \n at ")])])
    assert read_eaf(tmp_path, text)[1] == [(1, 2, "look at")]


def test_a_vtt_without_its_notes_styles_ids_tags_and_settings(tmp_path):
    (tmp_path / "v.vtt").write_text(
        "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred\n\nfirst cue\n"
        "00:01.000 --> 00:02.000 line:0\n<v Ann><b>fish &amp;\nchips</b>\n\nNOTE a --> b\n\n"
        "NOTE\nmore\n\nlast id\n1:00:00.500 --> 1:00:01.000\nend\n")
    found = import_files([tmp_path / "v.vtt"]).annotations.database
    assert [(*action["segment"], action["label"]) for action in found["v"]["annotations"]] == [
        (1, 2, "fish & chips"), (3600.5, 3601, "end")]


def test_a_subrip_file_of_two_lines_a_cue_and_empty_lines_around(tmp_path):
    (tmp_path / "clip.mp4.srt").write_text(
        "\n\n1\n00:00:01,000 --> 00:00:02,000\n{\\an8}<i>two</i>\nlines\n\n\n\n"
        "00:00:03.5 --> 100:00:04,000\nno number\n")
    found = import_files([tmp_path / "clip.mp4.srt"]).annotations.database
    assert [(*action["segment"], action["label"]) for action in found["clip"]["annotations"]] == [
        (1, 2, "two lines"), (3.5, 360004, "no number")]


DATABASE = {"a.b": {"subset": "Validation", "duration": 9.5, "other": 1, "annotations": [
    {"segment": ["1", 2.5], "label": "run"}, {"segment": [3, 3], "label": "run"}]}}


@pytest.mark.parametrize("encode", [str.encode, lambda text: text.encode("utf-8-sig"),
                                    lambda text: gzip.compress(text.encode())])
def test_annotations_in_our_layout_are_normalized(tmp_path, encode):
    (tmp_path / "x.dat").write_bytes(encode(json.dumps({"database": DATABASE})))
    found = import_files([tmp_path / "x.dat"])
    assert found.formats == {tmp_path / "x.dat": "activitynet"}
    assert found.annotations.database == {"a.b": {
        "subset": "validation", "duration": 9.5,
        "annotations": [{"segment": [1.0, 2.5], "label": "run"}]}}
    assert found.annotations.left_out == {"point events": 1}


def test_a_name_twice_in_one_object_is_refused(tmp_path):
    (tmp_path / "x.json").write_text('{"database": {"a": {"annotations": []}, "a": {}}}')
    with pytest.raises(UserError, match="the name 'a' occurs 2 times in one object"):
        import_files([tmp_path / "x.json"])
