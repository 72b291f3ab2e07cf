"""The rules that all formats share, each on a table small enough to check by hand."""

import gzip
import json

import numpy as np
import pytest

from Utils.files import UserError
from Utils.prepare.formats.found import Options
from Utils.prepare.formats.importing import import_files
from Utils.prepare.formats.side_files import read_names
from Utils.prepare.formats.subsets import by_chance


@pytest.fixture
def table(tmp_path):
    """A function that writes a file and imports it. -> (rows by video, Imported)."""
    def imported(text, name="table.csv", format=None, **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        found = import_files([path], Options(**options), format).annotations
        return rows(found), found
    return imported


def rows(found):
    return {video: [(*action["segment"], action["label"]) for action in entry["annotations"]]
            for video, entry in found.database.items()}


HENS = ("video,start,end,label,subject\n"
        "a.mp4,1,3,peck,hen1\na.mp4,1,3,peck,hen2\na.mp4,1,3,peck,hen1\n"
        "a.mp4,3,4,peck,No focal subject\na.mp4,8,8,call,\n")


def test_the_same_action_twice_counts_once_but_two_animals_are_two(table):
    found, imported = table(HENS)
    assert found == {"a": [(1, 3, "peck"), (1, 3, "peck"), (3, 4, "peck")]}
    assert imported.left_out == {"the same twice": 1, "point events": 1}
    assert any("subjects ignored: hen1, hen2" in note for note in imported.notes)


def test_subjects_join_their_label_or_choose_the_actions(table):
    found, _ = table(HENS, subjects=("join",))
    assert found == {"a": [(1, 3, "hen1:peck"), (1, 3, "hen2:peck"), (3, 4, "peck")]}
    found, imported = table(HENS, subjects=("hen2",))
    assert found == {"a": [(1, 3, "peck")]}
    assert imported.left_out == {"actions of other subjects": 4}
    with pytest.raises(UserError, match="--subjects hen3: no action has this subject; there "
                                        "are hen1"):
        table(HENS, subjects=("hen3",))


def test_overlapping_and_touching_actions_of_a_label_merge(table):
    found, imported = table(HENS, overlaps="merge")
    assert found == {"a": [(1, 4, "peck")]}
    assert imported.left_out["merged"] == 2


def test_points_become_actions_within_their_video(table):
    text = "video,start,end,label,video_duration\na,0.2,0.2,x,10\na,5,5,x,10\na,9.9,9.9,x,10\n"
    assert table(text, point=1.0)[0] == {"a": [(0, 0.7, "x"), (4.5, 5.5, "x"), (9.4, 10, "x")]}


def test_labels_that_are_background_are_left_out_without_regard_to_case(table):
    found, imported = table(HENS.replace("call", "Peck"), background=("PECK",))
    assert found == {"a": []} and imported.left_out == {"background": 5}


def test_times_are_read_as_spreadsheets_write_them(table):
    text = ("video;start;end;label\na;1,5;0:02,25;x\na;1:00;01:00:00.5;x\na;1e1;1.1E1;x\n\n;;;\n")
    assert table(text)[0] == {"a": [(1.5, 2.25, "x"), (10, 11, "x"), (60, 3600.5, "x")]}


@pytest.mark.parametrize("encode", [
    lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16"),
    lambda text: gzip.compress(text.encode()), lambda text: text.replace("\n", "\r\n").encode(),
    lambda text: text.replace("\n", "\r").encode(), lambda text: text.replace(",", " , ").encode(),
    lambda text: (text + "\n\n  \n").encode(), lambda text: text.encode("cp1252"),
], ids=["utf-8 mark", "utf-16", "gzip", "CRLF", "CR", "spaces", "blank lines", "cp1252"])
def test_bytes_of_all_kinds_are_the_same_table(table, encode):
    found, _ = table(encode("video,start,end,label\nküche.mp4,1,2,gießen\n"))
    assert found == {"küche": [(1, 2, "gießen")]}


def test_cp1252_is_remarked_and_an_encoding_can_be_given(table):
    text = "video,start,end,label\na,1,2,přes\n".encode("cp1250")
    assert any("was read as cp1252; if characters look wrong, give --encoding" in note
               for note in table(text)[1].notes)
    found, imported = table(text, encoding="cp1250")
    assert found == {"a": [(1, 2, "přes")]} and imported.notes == []


def test_quoted_cells_hold_commas_and_tables_may_be_ragged_at_their_end(table):
    found, _ = table('video,start,end,label,subject\n"a, b.mp4",1,2,"run, ""fast"""\n')
    assert found == {"a, b": [(1, 2, 'run, "fast"')]}


def test_labels_that_differ_by_case_or_spaces_are_named(table):
    _, imported = table("video,start,end,label\na,1,2,Run\na,3,4,run\na,5,6,sit down\n"
                        "a,7,8,sitdown\n")
    assert [note for note in imported.notes if "kept apart" in note] == [
        "labels that differ only by case or spaces are kept apart: 'Run', 'run'",
        "labels that differ only by case or spaces are kept apart: 'sit down', 'sitdown'"]


def test_actions_beyond_the_end_are_kept_and_named(table):
    found, imported = table("video,start,end,label,video_duration\na,1,12,x,10\n")
    assert found == {"a": [(1, 12, "x")]}
    assert "actions end after their video, and are kept as they are, in a" in imported.notes


def test_a_video_in_several_files_is_put_together(tmp_path):
    (tmp_path / "one").mkdir()
    for name, start in (("a.srt", 1), ("one/a.srt", 5)):
        (tmp_path / name).write_text(f"1\n00:00:0{start},000 --> 00:00:0{start + 1},000\ngoal\n")
    found = import_files([tmp_path / "a.srt", tmp_path / "one/a.srt"]).annotations
    assert rows(found) == {"a": [(1, 2, "goal"), (5, 6, "goal")]}
    assert "its actions are merged" in found.notes[0]


def test_a_video_without_actions_stays(table):
    assert table("WEBVTT\n", "quiet.vtt")[0] == {"quiet": []}


def test_names_map_paths_and_names(table, tmp_path):
    text = "video,start,end,label\nx/a.mp4,1,2,r\ny/a.mp4,3,4,r\nb.mp4,5,6,r\n"
    with pytest.raises(UserError, match="x/a.mp4 and y/a.mp4 would both be video a; give one "
                                        "of them another name with --names"):
        table(text)
    (tmp_path / "names.csv").write_text("from,to\ny/a.mp4,a2\nb,c\n")
    found, _ = table(text, names=read_names(tmp_path / "names.csv"))
    assert list(found) == ["a", "a2", "c"]


def test_durations_of_a_table_fill_in_what_is_missing(table):
    text = "video,start,end,label,video_duration\na.mp4,1,2,x,10\nb.mp4,1,2,x,\n"
    _, imported = table(text, durations={"a": 99.0, "b": 20.0})
    assert [video["duration"] for video in imported.database.values()] == [10, 20]


def test_an_option_that_no_format_reads_is_named(table):
    text = "video,start,end,label\na,1,2,run\n"
    _, imported = table(text, tiers=("hand",), fps=25.0)
    assert imported.notes == ["--tiers has no effect: it is for elan, but the files are table"]


# ---- subsets ------------------------------------------------------------------------------------

VIDEOS = "video,start,end,label\n" + "".join(f"v{i}.mp4,1,2,{'xy'[i % 2]}\n" for i in range(10))


def subsets(found):
    return {name: video["subset"] for name, video in found.database.items()}


def test_a_share_of_the_videos_is_drawn_by_the_seed_over_sorted_names(table):
    names = sorted(f"v{i}" for i in range(10))
    drawn = np.random.default_rng(3).permutation(names)[:3]
    assert by_chance(names[::-1], 0.3, 3) == set(drawn)
    found = subsets(table(VIDEOS, test_share=0.3, seed=3)[1])
    assert {name for name, subset in found.items() if subset == "testing"} == set(drawn)


@pytest.mark.parametrize("share, count", [(0.01, 1), (0.5, 5), (0.99, 9)])
def test_a_share_leaves_a_video_on_each_side(share, count):
    assert len(by_chance([f"v{i}" for i in range(10)], share, 0)) == count


def test_classes_that_only_test_videos_have_are_named(table):
    _, found = table("video,start,end,label\na,1,2,x\nb,1,2,y\n", test_share=0.5, seed=0)
    assert any(note.startswith("classes without a training action: ") for note in found.notes)


def test_one_video_cannot_be_split_and_imports_without_it(table):
    text = "video,start,end,label\na,1,2,x\n"
    with pytest.raises(UserError, match="--test_share cannot split one video; leave it out"):
        table(text, test_share=0.5)
    table(text)


def test_a_column_goes_before_the_name_of_the_file_and_that_before_chance(table):
    text = "video,start,end,label,split\na,1,2,x,val\nb,1,2,x,\n"
    assert subsets(table(text, "my_test.csv")[1]) == {"a": "validation", "b": "testing"}
    assert subsets(table(text, "my_testers.csv")[1]) == {"a": "validation", "b": "training"}
    _, found = table(text, "my_train.csv", test_share=0.5)
    assert subsets(found) == {"a": "validation", "b": "training"}
    assert any(note.startswith("--test_share has no effect") for note in found.notes)


@pytest.mark.parametrize("name, text", [
    ("split.csv", "video,subset\na.mp4,Train\nb,test\nzz,val\n"),
    ("split.tsv", "subset\tvideo\ntraining\ta\ntesting\tb.mp4\nval\tzz\n"),
    ("split.json", '{"a": "train", "b.avi": "Testing", "zz": "validation"}'),
])
def test_a_list_says_the_subsets(table, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    videos = "video,start,end,label,set\na,1,2,x,test\nb,1,2,x,train\n"
    _, found = table(videos, split=tmp_path / name)
    assert subsets(found) == {"a": "training", "b": "testing"}
    assert f"not in the files: 1 video of {tmp_path / name} (zz)" in found.notes


def test_a_video_in_no_list_is_refused_and_may_be_added(table, tmp_path):
    path = tmp_path / "split.json"
    path.write_text('{"v1": "train"}')
    with pytest.raises(UserError, match="does not list 9 of 10 videos: v0, v2, v3, v4, v5 and 4 "
                                        "more; add them"):
        table(VIDEOS, split=path)
    with pytest.raises(UserError, match="does not list 1 of 1 video: a; add"):
        table("video,start,end,label\na,1,2,x\n", split=path)
    path.write_text(json.dumps({f"v{i}": "train" for i in range(10)}))
    table(VIDEOS, split=path)


def test_a_video_in_two_lists_is_refused_and_one_split_alone_is_read(table, tmp_path):
    folder = tmp_path / "splits"
    folder.mkdir()
    for name in ("train.split1.bundle", "test.split2.bundle"):
        (folder / name).write_text("".join(f"v{i}.txt\n" for i in range(10)))
    with pytest.raises(UserError, match="give --split the lists of one split alone"):
        table(VIDEOS, split=folder)
    (folder / "test.split2.bundle").unlink()
    assert set(subsets(table(VIDEOS, split=folder)[1]).values()) == {"training"}
