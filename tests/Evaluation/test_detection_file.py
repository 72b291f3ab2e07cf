import json

import pytest

from Evaluation.detection_file import NO_CLASS, mismatches, read_detections, without_prefix
from Evaluation.metrics import align
from tests.tables import actions, detections
from Utils.files import UserError

ROW = {"label": "x", "score": 0.5, "segment": [1, 2.5]}


@pytest.fixture
def write(tmp_path):
    """Write a detection file: of the results, or text as it is. -> its path."""
    def write(content):
        path = tmp_path / "detections.json"
        path.write_text(content if isinstance(content, str) else json.dumps({"results": content}))
        return path
    return write


def test_rows_are_read_in_the_order_of_the_file(write):
    table, warnings = read_detections(write(
        {"v": [ROW, {**ROW, "label": "y", "score": 1}], "none": [], "w": [{**ROW, "extra": 0}]}))
    assert table.videos == ("v", "none", "w") and table.classes == ("x", "y")
    assert table.video.tolist() == [0, 0, 2] and table.label.tolist() == [0, 1, 0]
    assert table.segments.tolist() == [[1, 2.5]] * 3 and table.scores.tolist() == [.5, 1, .5]
    assert warnings == []


def test_no_detections_is_a_warning(write):
    table, warnings = read_detections(write({}))
    assert len(table) == 0 and table.segments.shape == (0, 2)
    assert len(warnings) == 1 and "holds no detections" in warnings[0]


def test_rows_without_any_label_are_proposals(write):
    row = {"score": 0.5, "segment": [1, 2]}
    table, _ = read_detections(write({"v": [], "w": [row, row]}))
    assert table.classes == (NO_CLASS,) and table.label.tolist() == [0, 0]
    with pytest.raises(UserError, match="detection 1 of video 'w' has the label 'x', while those"):
        read_detections(write({"w": [row, ROW]}))


def test_odd_segments_and_repetitions_are_counted_and_kept(write):
    table, warnings = read_detections(write({
        "v": [ROW, ROW, ROW, {**ROW, "segment": [3, 2]}, {**ROW, "segment": [2, 2]}],
        "w": [ROW, {**ROW, "segment": [-1, 2]}]}))
    assert len(table) == 7
    assert [text.split(": ")[1] for text in warnings] == [
        "1 of 7 detections ends before it starts", "1 of 7 detections has no length",
        "1 of 7 detections starts before 0", "2 of 7 detections are copies of others"]


@pytest.mark.parametrize("change, message", [
    ({"score": None}, "has 'None' for a score or a second"),
    ({"score": "half"}, "has 'half' for a score"),
    ({"score": "nan"}, "has 'nan' for a score"),
    ({"score": True}, "has 'True' for a score"),
    ({"segment": [0, float("nan")]}, "has 'nan' for a score or a second"),
    ({"score": float("inf")}, "has 'inf' for a score"),
    ({"score": 10 ** 400}, "has '1000000000"),
    ({"segment": [1]}, r"has the segment '\[1\]', expected \[start, end\]"),
    ({"segment": [1, 2, 3]}, "has the segment"),
    ({"segment": "1 2"}, "has the segment '1 2'"),
    ({"label": 3}, "has the label 3, expected the name of a class"),
    ({"label": None}, "has the label None"),
    ({"label": "\ud800"}, r"has the label '\\ud800'"),
])
def test_a_wrong_value_is_named_with_its_row(write, change, message):
    with pytest.raises(UserError, match=f"detection 1 of video 'v' {message}"):
        read_detections(write({"u": [], "v": [ROW, {**ROW, **change}]}))


@pytest.mark.parametrize("key, message", [
    ("segment", r"has the segment \"\{'label': 'x', 'score': 0.5, 'segment': \[1.0, 2.5\]\}\""),
    ("label", r"has the label \{'label': 'x', 'score': 0.5, 'segment': \[1.0, 2.5\]\}, expected"),
    ("score", r"has \"\{'label': 'x', 'score': 0.5, .* for a score")])
def test_a_row_in_place_of_a_value_is_shown_as_the_file_has_it(write, key, message):
    with pytest.raises(UserError, match=f"detection 1 of video 'v' {message}"):
        read_detections(write({"v": [ROW, {**ROW, key: ROW}]}))


def test_a_row_in_a_list_is_shown_as_the_file_has_it(write):
    for entry, said in (({**ROW, "segment": [ROW]}, "has the segment \"[{'label': 'x', "),
                        ({**ROW, "segment": [ROW, 2]}, "has \"{'label': 'x', "),
                        ([[ROW]], "is \"[[{'label': 'x', "),
                        ({"a": 1, "label": 3, "score": 1, "segment": {"in": ROW}},
                         "has the label 3")):
        with pytest.raises(UserError) as caught:
            read_detections(write({"v": [ROW, entry]}))
        assert f"detection 1 of video 'v' {said}" in str(caught.value)


@pytest.mark.parametrize("depth", [59, 60, 500, 900])
def test_a_value_of_many_lists_in_each_other_is_shown_to_its_first_characters(write, depth):
    text = json.dumps(ROW).replace("[1, 2.5]", "[" * depth + json.dumps(ROW) + "]" * depth)
    with pytest.raises(UserError, match=r"has the segment .\[{50}"):
        read_detections(write('{"results": {"v": [' + text + "]}}"))


@pytest.mark.parametrize("key", ["label", "score", "segment"])
def test_a_missing_key_is_named(write, key):
    with pytest.raises(UserError, match=f"detection 1 of video 'v' has no '{key}'; it has "):
        read_detections(write({"v": [ROW, {name: ROW[name] for name in ROW if name != key}]}))


def test_a_row_that_is_not_an_object_is_refused(write):
    with pytest.raises(UserError, match="detection 0 of video 'v' is '7', expected an object"):
        read_detections(write({"v": [7]}))
    with pytest.raises(UserError, match="the results of video 'v' are not a list"):
        read_detections(write({"v": {"label": "x"}}))


@pytest.mark.parametrize("text, message", [
    ("", "line 1, column 1"),
    ('{"results": {\n"v": [}}', "line 2, column 7"),
    ('{"results": {"v": [', "is not valid JSON"),
    ("[]", 'has no object "results"; expected'),
    ("{}", 'has no object "results"'),
    ('{"results": []}', 'has no object "results"'),
    ('{"results": {"v": [], "w": [], "v": []}}', "the name 'v' occurs 2 times in one object"),
    (r'{"results": {"\ud800": []}}', r"the name of video '\\ud800' cannot be used"),
    ("[" * 100_000, "cannot read detection file"),
])
def test_a_file_of_another_layout(write, text, message):
    with pytest.raises(UserError, match=message):
        read_detections(write(text))


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(UserError, match="no detection file at"):
        read_detections(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot read detection file"):
        read_detections(tmp_path / "binary.json")


# ---- against the ground truth -------------------------------------------------------------------

def warnings_of(found, truth):
    return mismatches(align(found, truth), truth)


def test_matching_files_give_no_warnings():
    truth = actions(("v", "x", 0, 1))
    assert warnings_of(detections(("v", "x", 0, 1, 1)), truth) == []


def test_unknown_videos_and_labels_and_missing_videos_are_counted_and_named():
    truth = actions(("v", "x", 0, 1), ("w", "x", 0, 1), ("u", "y", 0, 1))
    found = detections(("new", "x", 0, 1, 1), ("new", "fly", 0, 1, 1), ("u", "fly", 0, 1, 1))
    assert warnings_of(found, truth) == [
        "2 detections are in 1 video that the ground truth lacks, and count as false positives: "
        "new",
        "2 detections have 1 label that the ground truth lacks, and belong to no class scored: "
        "fly",
        "2 of 3 videos of the ground truth have no detections: v, w"]


def test_proposals_have_no_unknown_labels():
    truth = actions(("v", "x", 0, 1))
    assert warnings_of(detections(("v", NO_CLASS, 0, 1, 1)), truth) == []


def test_a_prefix_is_dropped_if_the_truth_has_the_name_without_it():
    truth = actions(("a", "x", 0, 1), ("v_own", "x", 0, 1), ("own", "x", 0, 1))
    table = detections(("v_a", "x", 0, 1, .5), ("v_own", "x", 0, 2, .5), ("v_new", "x", 0, 3, .5))
    found, (line,) = without_prefix(table, "v_", truth, "f.json")
    assert found.videos == ("a", "v_own", "v_new")
    assert found.segments is table.segments
    assert line.startswith("1 of 3 videos of f.json was renamed") and "without 'v_'" in line
    assert without_prefix(found, "v_", truth, "f.json")[1] == []
    assert without_prefix(table, "", truth, "f.json")[0].videos == table.videos


def test_a_video_with_both_names_is_refused():
    truth = actions(("a", "x", 0, 1))
    table = detections(("v_a", "x", 0, 1, .5), ("a", "x", 0, 2, .5))
    with pytest.raises(UserError, match="f.json has videos with and without 'v_' .*: a; merge"):
        without_prefix(table, "v_", truth, "f.json")
