"""Labels, ids and encodings of annotation files as other tools leave them."""

import codecs
import json

import pytest

from Evaluation.detection_file import read_detections
from Evaluation.thumos14_protocol import read_ambiguous
from tests.small_data import custom_config, entry, write_annotations
from Utils.data.annotation_files import read_records
from Utils.data.datasets import load_annotations, read_csv_rows
from Utils.data.odd_annotations import odd_lines
from Utils.files import UserError, read_json
from Utils.prepare.convert import _rows as text_rows

ENCODINGS = [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE),
             ("utf-16-be", codecs.BOM_UTF16_BE), ("utf-16-le", b"")]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding, mark", ENCODINGS)
def test_every_text_is_read_in_every_usual_encoding(tmp_path, encoding, mark, ends):
    def write(name, text):
        (tmp_path / name).write_bytes(mark + text.replace("\n", ends).encode(encoding))
        return tmp_path / name

    database = {"database": {"v\u00e9lo": entry("test", (1, 2, "run"))}}
    path = write("a.json", json.dumps(database, ensure_ascii=False, indent=1))
    assert [record.name for record in read_records(path)] == ["v\u00e9lo"]
    assert read_json(path) == database
    assert read_csv_rows(write("a.csv", "video,subset\nv_a,training\n"))["v_a"][
        "subset"] == "training"
    assert text_rows(write("a.txt", "video_a 1.5 2\n\nvideo_b 1 3\n")) == [
        ("video_a", 1.5, 2.0), ("video_b", 1.0, 3.0)]
    assert read_ambiguous(write("b.txt", "video_a 1.5 2\n")).videos == ("video_a",)
    rows = {"results": {"v": [{"label": "a", "score": "0.5", "segment": ["1", 2.5]}]}}
    table, _ = read_detections(write("r.json", json.dumps(rows)))
    assert table.segments.tolist() == [[1, 2.5]] and table.scores.tolist() == [0.5]


def load(tmp_path, *actions, **options):
    path = write_annotations(tmp_path / "a.json", {
        "a": {"subset": "train", "annotations": list(actions[:2])},
        "b": {"subset": "test", "annotations": list(actions[2:])}})
    return load_annotations(custom_config(path, **options))


def action(label, **more):
    return {"segment": [1, 2], "label": label, **more}


def test_an_annotation_without_label_id_among_others_is_refused_every_time(tmp_path):
    for label in (*"abcdefgh", "run"):
        with pytest.raises(UserError, match="annotations of 1 video have no label_id, while "
                                            "others have one: b; give it to all of them or to"):
            load(tmp_path, action(label, label_id=1), action("x", label_id=0), action(label))
    assert load(tmp_path, action("z", label_id=0), action("a", label_id=1)).classes == ("z", "a")
    (tmp_path / "classes.json").write_text(json.dumps({"a": 2, "z": 1}))
    assert load(tmp_path, action("z", label_id=0), action("a"),
                class_index=str(tmp_path / "classes.json")).classes == ("z", "a")


def test_a_video_that_is_there_twice_is_refused(tmp_path):
    (tmp_path / "a.json").write_text('{"database": {"a": {"annotations": []}, "b": '
                                     '{"annotations": []}, "a": {"annotations": []}}}')
    with pytest.raises(UserError, match="the name 'a' occurs 2 times in one object; rename one"):
        read_records(tmp_path / "a.json")


def test_odd_classes_are_listed_with_their_counts(tmp_path):
    found = load(tmp_path, action("Wave"), action("Background"), action("wave"), action("wave "),
                 action("wave "), action("swim"))
    assert odd_lines(found, "train")[-3:] == [
        "a class is called background, which needs no annotations: 'Background' (1 action)",
        "classes differ only in case, spaces or hyphens: 'Wave' (1 action) and 'wave' (1 action) "
        "and 'wave ' (2 actions)",
        "classes have no action in training: 'swim' (1 action), 'wave' (1 action), 'wave ' "
        "(2 actions)"]
    assert not odd_lines(load(tmp_path, action("a"), action("b"), action("a")), "train")
