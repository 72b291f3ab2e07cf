"""Video-level scores: columns go to the dataset's labels; each bad file has its sentence."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from Evaluation.postprocessing.video_scores import check_covered, read_video_scores
from Utils.files import UserError

CLASSES = ("jump", "run", "swim")


@pytest.fixture
def read(tmp_path):
    def write_and_read(content):
        (tmp_path / "scores.json").write_text(
            content if isinstance(content, str) else json.dumps(content))
        return read_video_scores(tmp_path / "scores.json", CLASSES)
    return write_and_read


def test_columns_go_to_the_labels_of_their_classes(read):
    scores = read({"class": ["swim", "jump", "run"],
                   "results": {"b": [.5, .25, 0], "a": [1, 2, 3]}})
    assert list(scores) == ["b", "a"]
    assert scores["b"].tolist() == [0, .25, 0, .5]
    assert scores["a"].tolist() == [0, 2, 3, 1]


def test_no_videos_are_no_scores(read):
    assert read({"class": list(CLASSES), "results": {}}) == {}


@pytest.mark.parametrize("content, message", [
    ("{", "not valid JSON: line 1, column 2"),
    ([], "holds no video-level scores: expected"),
    ({"results": {}}, "holds no video-level scores"),
    ({"results": [], "class": []}, "holds no video-level scores"),
    ({"results": {}, "class": ["jump", "run", "fly"]},
     "names 1 class that the dataset does not have: fly; it has jump, run, swim"),
    ({"results": {}, "class": ["jump", "run", ["swim"]]}, "does not have"),
    ({"results": {}, "class": ["jump", "run", "run"]}, "names 1 class more than once: run"),
    ({"results": {}, "class": ["jump", "run"]}, "no scores for 1 of the dataset's classes: swim"),
    ({"results": {"v": [1, 2]}, "class": list(CLASSES)},
     "video v has 2 scores, expected a list of 3, one per class"),
    ({"results": {"v": {"jump": 1}}, "class": list(CLASSES)}, "video v has .*expected a list of 3"),
    ({"results": {"v": [1, 2, float("nan")]}, "class": list(CLASSES)},
     "score of video v is not a number of 0 or above"),
    ({"results": {"v": [1, 2, float("inf")]}, "class": list(CLASSES)}, "not a number of 0 or"),
    ({"results": {"v": [1, 2, -.1]}, "class": list(CLASSES)}, "not a number of 0 or"),
    ({"results": {"v": [1, 2, None]}, "class": list(CLASSES)}, "not a number of 0 or"),
    ({"results": {"v": [1, 2, "3"]}, "class": list(CLASSES)}, "not a number of 0 or"),
    ({"results": {"v": [1, 2, 10 ** 400]}, "class": list(CLASSES)}, "not a number of 0 or"),
])
def test_other_files_are_refused(read, content, message):
    with pytest.raises(UserError, match=message):
        read(content)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no file of video-level scores at .*none.json"):
        read_video_scores(tmp_path / "none.json", CLASSES)


def test_videos_without_scores_are_named():
    check_covered("s.json", {"a": np.zeros(3), "b": np.zeros(3)}, ["a"])
    with pytest.raises(UserError, match=r"s.json has no scores of 7 of 8 videos: b0, b1, b2, "
                                        r"b3, b4 and 2 more; leave --video_scores out"):
        check_covered("s.json", {"a": np.zeros(3)}, ["a", *(f"b{i}" for i in range(7))])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: (st.lists(inner, max_size=3)
                   | st.dictionaries(st.sampled_from(["results", "class", "v"]), inner)),
    max_leaves=9)


@given(JSON | st.fixed_dictionaries({"results": JSON, "class": JSON | st.just(list(CLASSES))}))
def test_any_json_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("scores") / "scores.json"
    path.write_text(json.dumps(content))
    try:
        scores = read_video_scores(path, CLASSES)
    except UserError:
        return
    assert all(row.shape == (4,) and np.isfinite(row).all() for row in scores.values())
