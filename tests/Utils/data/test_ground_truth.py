import gzip
import json
import shutil

import pytest

from Utils.config.resolve import parse_config
from Utils.data.ground_truth import check_actions, load_ground_truth
from Utils.files import UserError


def load(*words):
    return load_ground_truth(parse_config("Eval", list(map(str, words))))


def instances(found):
    return sum(len(video.labels) for video in found.videos)


def entry(subset, *segments, **more):
    return {"subset": subset, "annotations": [{"segment": segment, "label": label}
                                              for label, segment in segments], **more}


@pytest.fixture
def write(tmp_path):
    def write(database, name="gt.json"):
        path = tmp_path / name
        path.write_text(json.dumps(database))
        return path
    return write


# ---- one file of any layout ---------------------------------------------------------------------

def test_the_tested_videos_are_taken_with_all_classes(write):
    path = write({"database": {
        "a": entry("training", ("run", [0, 1])),
        "b": entry("testing", ("jump", ["2.5", 4]), ("run", [0, 1]), duration=9),
        "c": entry("testing")}})
    found = load("--detections", "x.json", "--video_anno", path)
    assert [video.name for video in found.videos] == ["b", "c"]
    assert found.classes == ("jump", "run") and found.videos[0].labels.tolist() == [0, 1]
    assert found.videos[0].segments.tolist() == [[2.5, 4], [0, 1]]
    assert (found.videos[0].duration, found.videos[1].duration) == (9, None)
    assert found.notes == [f"ground truth {path}"]


def test_without_a_test_part_validation_is_scored(write):
    path = write({"a": entry("train", ("x", [0, 1])), "b": entry("validation", ("x", [0, 1]))})
    assert [v.name for v in load("--detections", "x.json", "--video_anno", path).videos] == ["b"]


def test_a_subset_can_be_chosen_and_an_unknown_one_is_refused(write):
    path = write({"a": entry("train", ("x", [0, 1])), "b": entry("test", ("x", [0, 1]))})
    words = ("--detections", "x.json", "--video_anno", path, "--subset")
    assert [video.name for video in load(*words, "training").videos] == ["a"]
    with pytest.raises(UserError, match=r"no video is in subset other; the annotations have train"):
        load(*words, "other")


def test_a_file_without_subsets_is_scored_whole(write):
    path = write({"a": entry(None, ("x", [0, 1])), "b": entry(None, ("x", [0, 1]))})
    assert len(load("--detections", "x.json", "--video_anno", path).videos) == 2


def test_with_only_training_videos_the_held_out_ones_are_scored(write):
    path = write({f"v{i}": entry("training", ("x", [0, 1])) for i in range(10)})
    found = load("--dataset", "custom", "--video_anno", path, "--subset", "val")
    assert [video.name for video in found.videos] == ["v4", "v9"]
    assert "one in 5" in found.notes[1]


@pytest.mark.parametrize("content, message", [
    ("", "line 1, column 1"), ("{}", "holds no videos"), ("[1]", "holds no videos"),
    ('{"a": {"subset": "test"}}', "video 'a' has no list of 'annotations'"),
    ('{"a": {"annotations": [{"segment": [0, "x"], "label": "l"}]}}', "expected a number"),
    ('{"a": {"annotations": [{"segment": [0, NaN], "label": "l"}]}}', "expected a number"),
    ('{"a": {"annotations": [{"segment": [0, 1]}]}}', "expected the name of a class"),
])
def test_a_broken_file_is_named(tmp_path, content, message):
    path = tmp_path / "gt.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        load("--detections", "x.json", "--video_anno", path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="none.json"):
        load("--detections", "x.json", "--video_anno", tmp_path / "none.json")


# ---- THUMOS14 -----------------------------------------------------------------------------------

@pytest.mark.parametrize("name, videos, actions", [
    ("thumos_gt.json", 210, 3311), ("thumos14_test_extra_characteristics.json", 212, 3358)])
def test_both_files_of_thumos14(shared, name, videos, actions):
    found = load("--dataset", "thumos", "--video_anno", shared / "annotations/thumos14" / name)
    assert (len(found.videos), instances(found), len(found.classes)) == (videos, actions, 20)


# ---- ActivityNet --------------------------------------------------------------------------------

@pytest.fixture
def folder(shared):
    return shared / "annotations/activitynet"


def is_activitynet(found):
    """Whether it is the ground truth that the paper's numbers were computed on."""
    return ((len(found.videos), instances(found), len(found.classes)) == (4725, 7290, 200)
            and not any(video.name.startswith("v_") for video in found.videos[:100])
            and all(video.duration for video in found.videos))


def test_the_official_file_is_restricted_to_the_videos_of_the_table(folder, tmp_path):
    official = folder / "anet_v1-3_validation_gt.json.gz"
    assert is_activitynet(load("--dataset", "activitynet", "--video_anno", official))
    plain = tmp_path / "gt.json"
    plain.write_bytes(gzip.decompress(official.read_bytes()))
    assert is_activitynet(load("--dataset", "activitynet", "--video_anno", plain, "--video_info",
                               folder / "video_info_new.csv"))


def test_without_the_table_of_videos_only_the_named_ones_are_left_out(folder, tmp_path):
    official = tmp_path / "anet_v1-3_validation_gt.json.gz"
    shutil.copy(folder / official.name, official)
    found = load("--dataset", "activitynet", "--video_anno", official)
    assert len(found.videos) > 4900 and "every video of the file is scored" in found.notes[1]
    assert "0dkIbKXXFzI" not in {video.name for video in found.videos}


def test_an_absent_ground_truth_is_built_from_the_annotations(folder, tmp_path, monkeypatch):
    usual = tmp_path / "Evaluation/activitynet/annot"
    usual.mkdir(parents=True)
    for name in ("anet_anno_action.json", "video_info_new.csv", "anet_classes_idx.json"):
        (usual / name).symlink_to(folder / name)
    monkeypatch.chdir(tmp_path)
    found = load("--dataset", "activitynet")
    assert is_activitynet(found)
    assert found.notes[0].startswith("ground truth built from the annotations")


def test_the_annotations_themselves_do_as_a_ground_truth(folder):
    assert is_activitynet(load("--dataset", "activitynet", "--video_anno",
                               folder / "anet_anno_action.json"))


def test_for_a_detection_file_a_labelled_val_replaces_a_hidden_test(write):
    path = write({"a": entry("train", ("x", [1, 2])), "b": entry("val", ("x", [1, 2])),
                  "c": entry("test")})
    words = "--dataset", "custom", "--video_anno", path
    found = load(*words, "--detections", "found.json")
    assert [video.name for video in found.videos] == ["b"]
    assert "no video of subset test has an action: val is scored instead" in found.notes
    # Of proposals the subset was decided before they were made.
    found = load(*words)
    assert [video.name for video in found.videos] == ["c"]
    with pytest.raises(UserError, match="nothing to score, since no video of subset test "
                                        r"\(1 in all\) has an action"):
        check_actions(found)
