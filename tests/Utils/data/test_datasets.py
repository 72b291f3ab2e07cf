"""Where a dataset's files are found, and the readers of each dataset."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from tests.small_data import custom_config, entry, write_annotations
from Utils.config.resolve import resolve
from Utils.data.annotations import videos_of
from Utils.data.datasets import (
    DATASETS,
    find_file,
    held_out,
    load_annotations,
    load_videos,
    read_durations,
)
from Utils.files import UserError


def load(tmp_path, database, **options):
    path = write_annotations(tmp_path / "a.json", database)
    return load_videos(custom_config(path, **options))


def test_a_missing_file_says_where_it_comes_from_and_which_flag_names_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("Utils.data.datasets.REPOSITORY", tmp_path)
    with pytest.raises(UserError, match="no thumos_gt.json in Evaluation/thumos/annot; it comes "
                                        "from github.com/.*--video_anno"):
        load_videos(resolve({"dataset": "thumos"}))


def test_usual_places_are_below_the_working_folder_and_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "Evaluation/activitynet/annot"
    place.mkdir(parents=True)
    (place / "cuhk_val_simp_share.json").write_text("{}")
    config = resolve({"dataset": "activitynet"})
    assert find_file(config, "video_scores").name == "cuhk_val_simp_share.json"
    assert find_file(config, "detad_anno", optional=True) is None


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="that is a folder; name the file in it"):
        load_videos(custom_config(tmp_path))
    with pytest.raises(UserError, match="there is no such file"):
        load_videos(custom_config(tmp_path / "none.json"))


def test_one_in_five_training_videos_becomes_val_if_there_is_nothing_else(tmp_path):
    path = write_annotations(tmp_path / "a.json", {f"v{i}": entry("training") for i in range(11)})
    found = load_annotations(custom_config(path))
    assert [v.name for v in found.videos if v.subset == "val"] == ["v4", "v9"]
    assert "so one in 5 (2 in all) becomes subset val" in found.notes[0]


def test_videos_without_any_subset_are_for_training(tmp_path):
    database = {f"v{i}": entry(None) for i in range(5)}
    videos, _ = load(tmp_path, database)
    assert [video.subset for video in videos] == ["train"] * 4 + ["val"]


def test_held_out_videos_are_one_in_five_and_at_least_one():
    assert held_out("abcdefghijk") == ["e", "j"]
    assert held_out("ab") == ["b"]
    assert held_out("") == []


# ---- THUMOS14 -----------------------------------------------------------------------------------

def thumos(tmp_path, database, rows=3):
    write_annotations(tmp_path / "thumos_gt.json", database)
    durations = np.empty((1, rows), dtype=[("video_duration_seconds", object)])
    for row in range(rows):
        durations[0, row]["video_duration_seconds"] = float(10 * row)
    savemat(tmp_path / "val_info.mat", {"videos": durations})
    return resolve({"dataset": "thumos", "video_anno": str(tmp_path / "thumos_gt.json")})


def thumos_entry(subset="train"):
    return {"subset": subset, "annotations": [{"segment": ["1.0", "2.5"], "label": "Diving"}]}


def test_thumos_durations_come_from_the_row_of_the_number(tmp_path):
    config = thumos(tmp_path, {"video_validation_0000003": thumos_entry()})
    videos, classes = load_videos(config)
    assert videos[0].duration == 20 and classes == ("Diving",)
    assert read_durations(tmp_path / "val_info.mat") == {1: 0, 2: 10, 3: 20}


@pytest.mark.parametrize("name, message", [
    ("video_validation_0000007", "val_info.mat has no row for video video_validation_0000007"),
    ("nameless", "has no row for video nameless"),
    ("video_validation_0000001", "the duration of video video_validation_0000001 is 0")])
def test_a_video_without_a_good_row_is_an_error(tmp_path, name, message):
    with pytest.raises(UserError, match=message):
        load_videos(thumos(tmp_path, {name: thumos_entry()}))


def test_other_subsets_and_missing_meta_files_are_errors(tmp_path):
    with pytest.raises(UserError, match="subset 'dev'; THUMOS14's are train and test"):
        load_videos(thumos(tmp_path, {"video_validation_0000003": thumos_entry("dev")}))
    with pytest.raises(UserError, match="no test_info.mat in .*--video_info"):
        load_videos(thumos(tmp_path, {"video_test_0000003": thumos_entry("test")}))


@settings(max_examples=60)
@given(st.data())
def test_a_garbled_meta_file_is_refused_with_a_sentence(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    thumos(folder, {})
    content = bytearray((folder / "val_info.mat").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "garbled.mat"
    path.write_bytes(content[:data.draw(st.integers(0, len(content)))])
    try:
        durations = read_durations(path)
    except UserError as problem:
        assert "garbled.mat" in str(problem)
    else:
        assert all(np.isfinite(value) for value in durations.values())


# ---- ActivityNet --------------------------------------------------------------------------------

def activitynet(tmp_path, rows, header="video,subset,seconds"):
    path = tmp_path / "anet_anno_action.json"
    path.write_text(json.dumps({name: {"duration_second": 30.0, "annotations": [
        {"segment": [1, 2], "label": "Zumba"}]} for name in ("v_a", "v_b", "v_0dkIbKXXFzI")}))
    (tmp_path / "video_info_new.csv").write_text("\n".join([header, *rows]) + "\n")
    return resolve({"dataset": "activitynet", "video_anno": str(path)})


def test_subsets_and_the_order_of_inference_come_from_the_csv(tmp_path):
    config = activitynet(tmp_path, ["v_b,validation,30", "v_a,training,30", "v_c,validation,44.5",
                                    "v_0dkIbKXXFzI,training,9"])
    found = load_annotations(config)
    assert [(v.name, v.subset, v.duration, v.order) for v in found.videos] == [
        ("v_a", "training", 30, 1), ("v_b", "validation", 30, 0), ("v_c", "validation", 44.5, 2)]
    assert found.notes == ["left out by name: 1 video, v_0dkIbKXXFzI"]


def test_annotated_videos_that_the_csv_lacks_are_left_out_with_a_note(tmp_path):
    found = load_annotations(activitynet(tmp_path, ["v_b,validation,30"]))
    info = tmp_path / "video_info_new.csv"
    assert found.notes[0] == f"left out, not in {info}: 2 videos, v_a, v_0dkIbKXXFzI"


@pytest.mark.parametrize("rows, header, message", [
    (["v_a,30"], "video,seconds", "has no column 'subset'; it has video, seconds"),
    ([], "", "has no column 'video'; it has none"),
    (["v_a,,3"], "video,subset,seconds", "row 1: a video or its subset is missing"),
    (["v_x,validation,long"], "video,subset,seconds", "seconds of v_x: expected a number"),
    (["v_x,validation,-1"], "video,subset,seconds", "1 video without a duration above 0: v_x"),
    (["v_x,validation"], "video,subset", "seconds of v_x: expected a number, found 'None'")])
def test_a_csv_without_what_is_needed_is_an_error(tmp_path, rows, header, message):
    with pytest.raises(UserError, match=message):
        load_videos(activitynet(tmp_path, rows, header))


def test_the_skip_list_is_exact_with_and_without_prefix():
    skipped = DATASETS["activitynet"].skipped
    assert len(skipped) == 8 and {"v_0dkIbKXXFzI", "0dkIbKXXFzI"} <= skipped


# ---- the real files -----------------------------------------------------------------------------

def test_real_annotations_have_the_counts_of_the_spec(shared):
    folder = shared / "annotations"
    videos, classes = load_videos(resolve({
        "dataset": "thumos", "video_anno": str(folder / "thumos14/thumos_gt.json")}))
    assert [len(videos_of(videos, subset)) for subset in ("train", "test")] == [200, 210]
    assert sum(len(v.labels) for v in videos_of(videos, "test")) == 3311 and len(classes) == 20
    videos, classes = load_videos(resolve({
        "dataset": "activitynet",
        "video_anno": str(folder / "activitynet/anet_anno_action.json")}))
    counts = [len(videos_of(videos, s)) for s in ("training", "validation", "testing")]
    assert counts == [9648, 4725, 4851] and len(classes) == 200
    assert sum(len(v.labels) for v in videos_of(videos, "validation")) == 7290
