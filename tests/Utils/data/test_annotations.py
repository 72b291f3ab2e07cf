"""Annotation files: every layout, and a sentence for every fault."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.small_data import custom_config, entry, write_annotations
from Utils.data.annotations import Video, frames_per_second, videos_of
from Utils.data.datasets import load_videos
from Utils.data.odd_annotations import odd_annotations
from Utils.files import UserError


def load(tmp_path, database, **options):
    path = write_annotations(tmp_path / "a.json", database)
    return load_videos(custom_config(path, **options))


# ---- layouts ------------------------------------------------------------------------------------

def test_videos_keep_file_order_and_raw_segments(tmp_path):
    videos, classes = load(tmp_path, {
        "b": entry("train", (3, 1, "run"), (-1, 99, "jump")), "a": entry("test")})
    assert [video.name for video in videos] == ["b", "a"]
    assert videos[0].segments.tolist() == [[3, 1], [-1, 99]]
    assert classes == ("jump", "run") and videos[0].labels.tolist() == [2, 1]
    assert videos[1].segments.shape == (0, 2) and videos[0].duration == 10


def test_strings_are_numbers_too(tmp_path):
    videos, _ = load(tmp_path, {"a": entry("train", ("1.5", "2", "x"), duration="7.5"),
                                "b": entry("test")})
    assert videos[0].segments.tolist() == [[1.5, 2]] and videos[0].duration == 7.5


def test_a_file_without_the_outer_database_is_read(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps({"v": entry("train"), "w": entry("val")}))
    videos, _ = load_videos(custom_config(tmp_path / "a.json"))
    assert [video.name for video in videos] == ["v", "w"]


def test_duration_comes_from_frames_and_fps_if_it_is_not_given(tmp_path):
    video = {"subset": "Validation", "fps": 25.0, "frame": 500, "annotations": []}
    videos, _ = load(tmp_path, {"a": video, "b": {**video, "fps": None}})
    assert [video.duration for video in videos] == [20.0, None]


def test_label_ids_give_the_order_of_classes(tmp_path):
    actions = [{"segment": [0, 1], "label": "a", "label_id": 7},
               {"segment": [0, 1], "label": "b", "label_id": 2}]
    _, classes = load(tmp_path, {"v": {"subset": "train", "duration": 3, "annotations": actions},
                                 "w": entry("test")})
    assert classes == ("b", "a")


def test_label_ids_alone_are_names(tmp_path):
    actions = [{"segment": [0, 1], "label_id": i} for i in (10, 9)]
    _, classes = load(tmp_path, {"v": {"subset": "train", "duration": 3, "annotations": actions},
                                 "w": entry("test")})
    assert classes == ("9", "10")


def test_a_class_index_decides_the_ids(tmp_path):
    index = tmp_path / "classes.json"
    index.write_text('{"Background": 0, "run": 1, "jump": 2}')
    videos, classes = load(tmp_path, {"v": entry("train", (0, 1, "jump"))}, class_index=str(index))
    assert classes == ("run", "jump") and videos[0].labels.tolist() == [2]


# ---- faults -------------------------------------------------------------------------------------

@pytest.mark.parametrize("content, message", [
    ('{"database": {"a": ', r"line 1, column \d+"),
    ('[]', "holds no videos"),
    ('{"database": {}}', "holds no videos"),
    ('{"database": {"a": 3}}', "video 'a' has no list of 'annotations'"),
    ('{"database": {"a": {"annotations": {}}}}', "has no list of 'annotations'"),
    ('{"database": {"": {"annotations": []}}}', "the name cannot be used"),
    ('{"database": {"a\\u0000b": {"annotations": []}}}', "the name cannot be used"),
    ('{"database": {"\\ud800": {"annotations": []}}}', "the name cannot be used"),
    ('{"database": {"a": {"subset": 3, "annotations": []}}}', "subset is 3, not a name"),
    ('{"database": {"a": {"subset": "x", "duration": 0, "annotations": []}}}',
     "video 'a': duration is 0; it must be above 0"),
    ('{"database": {"a": {"subset": "x", "duration": "long", "annotations": []}}}',
     "duration: expected a number, found 'long'"),
    ('{"database": {"a": {"subset": "x", "duration": NaN, "annotations": []}}}',
     "expected a number, found 'nan'"),
    ('{"database": {"a": {"subset": "x", "annotations": [3]}}}', "annotation 0: segment is 'None'"),
    ('{"database": {"a": {"subset": "x", "annotations": [{"segment": [1], "label": "b"}]}}}',
     r"annotation 0: segment is '\[1\]', expected \[start, end\]"),
    ('{"database": {"a": {"subset": "x", "annotations": [{"segment": [1, "b"], "label": "b"}]}}}',
     "annotation 0: expected a number, found 'b'"),
    ('{"database": {"a": {"subset": "x", "annotations": [{"segment": [true, 2], "label": "b"}]}}}',
     "expected a number, found 'True'"),
    ('{"database": {"a": {"subset": "x", "annotations": [{"segment": [1, 2]}]}}}',
     "annotation 0: label is 'None'"),
    ('{"database": {"a": {"subset": "x", "annotations": '
     '[{"segment": [1, 2], "label": "b", "label_id": "z"}]}}}', "label_id is 'z'"),
    ('{"database": {"a": {"annotations": []}, "b": {"subset": "x", "annotations": []}}}',
     "1 video without 'subset': a"),
])
def test_a_malformed_annotation_file_says_where(tmp_path, content, message):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(UserError, match=message):
        load_videos(custom_config(tmp_path / "a.json"))


def test_contradicting_label_ids_are_refused(tmp_path):
    actions = [{"segment": [0, 1], "label": "a", "label_id": i} for i in (1, 2)]
    with pytest.raises(UserError, match="labels and label_ids .* contradict each other: see a"):
        load(tmp_path, {"v": {"subset": "train", "duration": 3, "annotations": actions}})


def test_an_unknown_label_is_named_with_its_video(tmp_path):
    (tmp_path / "c.json").write_text('{"run": 1, "jump": 2}')
    with pytest.raises(UserError, match="video v has the label 'fly', which is not one of the "
                                        "classes: run, jump"):
        load(tmp_path, {"v": entry("train", (0, 1, "fly"))}, class_index=str(tmp_path / "c.json"))


@pytest.mark.parametrize("content, message", [
    ("[]", "is not a class index"), ('{"a": 1, "b": 3}', "ids of its 2 classes are not 1 .. 2"),
    ('{"a": "x"}', "expected a number")])
def test_a_class_index_must_count_from_one(tmp_path, content, message):
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(UserError, match=message):
        load(tmp_path, {"v": entry("train")}, class_index=str(tmp_path / "c.json"))


def test_an_unknown_subset_lists_what_there_is(tmp_path):
    videos, _ = load(tmp_path, {"a": entry("train"), "b": entry("train"), "c": entry("dev")})
    with pytest.raises(UserError, match=r"subset test; the annotations have train \(2 videos\), "
                                        r"dev \(1 video\)"):
        videos_of(videos, "test")


def test_subsets_are_found_by_any_spelling(tmp_path):
    videos, _ = load(tmp_path, {"a": entry("Training"), "b": entry("testing"), "c": entry("Test")})
    assert [video.name for video in videos_of(videos, "train")] == ["a"]
    assert [video.name for video in videos_of(videos, "TEST")] == ["b", "c"]


def test_odd_annotations_are_counted_by_kind():
    video = Video("a", "train", 10.0, np.array([[2., 1], [3, 3], [-1, 4], [5, 11], [6, 7], [6, 7]]),
                  np.ones(6, int))
    assert odd_annotations([video]) == {
        "end before they start": ["a"], "have no length": ["a"], "start before 0": ["a"],
        "end after their video": ["a"], "occur twice": ["a"]}
    assert odd_annotations([]) == {}


def test_the_rate_is_the_given_one_else_frames_a_second():
    video = Video("a", "train", 8.0, np.zeros((0, 2)), np.zeros(0, int))
    assert frames_per_second(video, 16) == 2
    assert frames_per_second(dataclasses.replace(video, rate=25.0), 16) == 25
    with pytest.raises(UserError, match="--feature_fps"):
        frames_per_second(Video("a", "train", None, video.segments, video.labels), 16)


KEYS = ["database", "annotations", "segment", "label", "duration", "subset", "a", ""]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(-9, 9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4), max_leaves=12)


@settings(max_examples=200)
@given(JSON)
def test_any_json_is_read_or_refused_with_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content))
    try:
        videos, _ = load_videos(custom_config(path))
    except UserError as problem:
        assert str(problem)
    else:
        assert all(np.isfinite(video.segments).all() for video in videos)
