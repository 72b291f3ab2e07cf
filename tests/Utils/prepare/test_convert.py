"""Text files of the challenge and foreign JSON become thumos_gt.json."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest
from scipy.io import loadmat

import Prepare_data
from Utils.config.resolve import resolve
from Utils.data.datasets import load_videos
from Utils.files import UserError
from Utils.prepare.convert import CLASSES, convert, write_annotations, write_durations


def write_texts(folder, rows, endings=("val", "test")):
    """The challenge's files; rows {file stem: [(video, start, end)]}, other classes empty."""
    for ending in endings:
        (folder / ending).mkdir(parents=True)
        for label in (*CLASSES, "Ambiguous"):
            lines = [f"{video}  {start} {end}\n"
                     for video, start, end in rows.get(f"{label}_{ending}", ())]
            (folder / ending / f"{label}_{ending}.txt").write_text("".join(lines))
    (folder / "readme.txt").write_text("not an annotation\n")
    return folder


@pytest.fixture
def texts(tmp_path):
    return write_texts(tmp_path / "texts", {
        "Diving_val": [("video_validation_0000002", "3.5", "5.0")],
        "CliffDiving_val": [("video_validation_0000002", "3.5", "5.0"),
                            ("video_validation_0000001", "0.1", "0.9")],
        "Billiards_test": [("video_test_0000009", "7.0", "12.3")],
        "HammerThrow_test": [("video_test_0000270", "1.0", "2.0")],
        "Ambiguous_test": [("video_test_0001292", "4.0", "6.0")],
    })


def foreign_json(path, names, **fields):
    """A JSON in ActionFormer's (fps) or OpenTAD's (frame) manner."""
    videos = {}
    labels = {"video_validation_0000051": "Billiards", "video_test_0000004": "CricketBowling"}
    for (video, label), subset in zip(labels.items(), names, strict=True):
        videos[video] = {"subset": subset, "duration": 169.79, **fields, "annotations": [
            {"label": label, "label_id": 3, "segment": [1.5, "2.75"],
             "segment(frames)": [45.0, 82.5]},
            {"label": "Ambiguous", "segment": [5, 6]}]}
    path.write_text(json.dumps({"version": "x", "database": videos}))
    return path


def test_text_files_become_one_database(texts):
    made = convert(texts)
    assert made.videos == {
        "video_validation_0000001": {"subset": "train", "annotations": [
            {"segment": [0.1, 0.9], "label": "CliffDiving"}]},
        "video_validation_0000002": {"subset": "train", "annotations": [
            {"segment": [3.5, 5.0], "label": "CliffDiving"},
            {"segment": [3.5, 5.0], "label": "Diving"}]},
        "video_test_0000009": {"subset": "test", "annotations": [
            {"segment": [7.0, 12.3], "label": "Billiards"}]}}
    assert list(made.videos)[-1] == "video_test_0000009"       # training first, then by name
    assert made.counts() == {"train videos": 2, "train actions": 3, "test videos": 1,
                             "test actions": 1}


def test_left_out_actions_are_counted_and_mislabelled_videos_can_be_kept(texts):
    assert convert(texts).left_out == {
        "ambiguous intervals (for Eval.py --ambiguous)": 1,
        "actions of video_test_0000270 (mislabelled)": 1}
    assert "video_test_0000270" in convert(texts, all_videos=True).videos


@pytest.mark.parametrize("names, fields", [
    (("Validation", "Test"), {"fps": 30.0}),                   # ActionFormer
    (("training", "validation"), {"frame": 5093}),             # OpenTAD
    (("train", "test"), {})])                                  # ours
def test_foreign_subset_names_mean_train_and_test(tmp_path, names, fields):
    made = convert(foreign_json(tmp_path / "anno.json", names, **fields))
    assert made.videos == {
        "video_validation_0000051": {"subset": "train", "duration": 169.79, "annotations": [
            {"segment": [1.5, 2.75], "label": "Billiards"}]},
        "video_test_0000004": {"subset": "test", "duration": 169.79, "annotations": [
            {"segment": [1.5, 2.75], "label": "CricketBowling"}]}}
    assert made.left_out == {"ambiguous intervals": 2}


def test_durations_go_to_the_row_of_the_video_number(tmp_path):
    made = convert(foreign_json(tmp_path / "anno.json", ("Validation", "Test")))
    val_path, test_path = write_durations(made, tmp_path)
    videos = loadmat(val_path)["videos"]
    assert videos.shape == (1, 1010)
    assert videos[0, 50]["video_name"].item() == "video_validation_0000051"
    assert videos[0, 50]["video_duration_seconds"].item() == 169.79
    assert videos[0, 0]["video_duration_seconds"].item() == 0
    assert loadmat(test_path)["videos"].shape == (1, 1574)


def test_existing_mat_files_are_kept(tmp_path):
    made = convert(foreign_json(tmp_path / "anno.json", ("Validation", "Test")))
    (tmp_path / "val_info.mat").write_bytes(b"the official one")
    assert write_durations(made, tmp_path) == [tmp_path / "test_info.mat"]
    assert (tmp_path / "val_info.mat").read_bytes() == b"the official one"


def test_text_annotations_bring_no_durations(texts, tmp_path):
    assert write_durations(convert(texts), tmp_path) == []


def spoiled(texts, file, text):
    (texts / file).write_text(text)
    return texts


@pytest.mark.parametrize("text, message", [
    ("video_test_0000009 7.0\n", r"Billiards_test.txt, line 1: expected 'video start end'"),
    ("\nvideo_test_0000009 7.0 x\n", r"Billiards_test.txt, line 2: expected a number, found 'x'"),
    ("video_test_0000009 7.0 nan\n", r"line 1: expected a number, found 'nan'"),
    ("video_validation_0000002 1 2\n", r"0000002 is in a validation and in a test file"),
])
def test_a_bad_row_is_named_by_file_and_line(texts, text, message):
    with pytest.raises(UserError, match=message):
        convert(spoiled(texts, "test/Billiards_test.txt", text))


def test_a_missing_class_is_named(texts):
    (texts / "test" / "Shotput_test.txt").unlink()
    with pytest.raises(UserError, match=r"lacks Shotput_test.txt"):
        convert(texts)


def test_a_foreign_class_is_named(texts):
    with pytest.raises(UserError, match="Juggling is not a class of THUMOS14"):
        convert(spoiled(texts, "val/Juggling_val.txt", ""))


def test_two_copies_of_a_file_are_refused(texts):
    shutil.copytree(texts / "val", texts / "copy")
    with pytest.raises(UserError, match="_val.txt was found 2 times"):
        convert(texts)


def test_one_subset_alone_is_enough(tmp_path):
    rows = {"Shotput_test": [("video_test_0000001", 1, 2)]}
    assert list(convert(write_texts(tmp_path, rows, ["test"])).videos) == ["video_test_0000001"]


def test_a_folder_without_annotations_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no files named like BaseballPitch_val.txt"):
        convert(tmp_path)
    with pytest.raises(UserError, match="there is no .*absent"):
        convert(tmp_path / "absent")
    with pytest.raises(UserError, match="holds no annotated video"):
        convert(write_texts(tmp_path / "empty", {}))


@pytest.mark.parametrize("content, message", [
    ([], "holds no videos"),
    ({"database": {"a": {"subset": "train"}}}, "video 'a' has no list of 'annotations'"),
    ({"database": {"a": {"annotations": []}}}, "by the subsets none"),
    ({"database": {"a": {"subset": "part 7", "annotations": []}}},
     "cannot tell training from test by the subsets part 7"),
    ({"database": {"a": {"subset": "validation", "annotations": []}}},
     "only the subset validation, which means training in the challenge and test in OpenTAD"),
    ({"database": {"a": {"subset": "train", "annotations": [{"label": "x"}]}}},
     "video 'a', annotation 0: segment is "),
    ({"database": {"a": {"subset": "train", "annotations": [{"segment": [1, 2]}]}}},
     "video 'a', annotation 0: label is "),
    ({"database": {"a": {"subset": "train", "duration": "long",
                         "annotations": [{"segment": [1, 2], "label": "x"}]}}},
     "video 'a': duration: expected a number, found 'long'"),
])
def test_a_bad_json_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "anno.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        convert(path)


@pytest.mark.parametrize("videos, label, message", [
    (["../x"], "Diving", "../x: not a THUMOS14 name"),
    (["video_test_0000004"], "x", "video video_test_0000004: x is not a class of THUMOS14"),
    (["video_validation_0000051", "video_validation_00051"], "Diving", "have the same number")])
def test_converters_check_before_they_write(tmp_path, capsys, videos, label, message):
    path = tmp_path / "anno.json"
    path.write_text(json.dumps({"database": {name: {
        "subset": "train", "duration": 3.0,
        "annotations": [{"segment": [1, 2], "label": label}]} for name in videos}}))
    assert Prepare_data.main(["convert", str(path), "--to", str(tmp_path / "new")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def rows_of(database):
    """Every action of a database with its subset, in tenths of a second. -> Counter."""
    return Counter((name, video["subset"], action["label"],
                    *(round(10 * float(edge)) for edge in action["segment"]))
                   for name, video in database.items() for action in video["annotations"])


def test_real_annotations_written_as_text_come_back(shared, tmp_path):
    truth = json.loads((shared / "annotations/thumos14/thumos_gt.json").read_text())["database"]
    rows = {}
    for name, video in truth.items():
        for action in video["annotations"]:
            stem = f"{action['label']}_{'val' if video['subset'] == 'train' else 'test'}"
            rows.setdefault(stem, []).append((name, *action["segment"]))
    folder = write_texts(tmp_path / "texts", rows)
    shutil.copyfile(shared / "real/scnn_detections/Ambiguous_test.txt",
                    folder / "test" / "Ambiguous_test.txt")
    made = convert(folder)
    write_annotations(made, tmp_path / "thumos_gt.json")
    back = json.loads((tmp_path / "thumos_gt.json").read_text())["database"]
    assert rows_of(back) == rows_of(truth)
    assert sum(made.left_out.values()) == 99


def test_real_detad_file_converts_to_the_usual_test_set(shared):
    folder = shared / "annotations/thumos14"
    made = convert(folder / "thumos14_test_extra_characteristics.json")
    truth = json.loads((folder / "thumos_gt.json").read_text())["database"]
    assert rows_of(made.videos) == rows_of(
        {name: video for name, video in truth.items() if video["subset"] == "test"})


def test_real_data_in_the_layout_of_others_is_read_as_before(shared, tmp_path):
    """thumos_gt.json and the .mat files -> OpenTAD's JSON -> converted: the same videos."""
    folder = shared / "annotations/thumos14"
    before = load_videos(resolve({"dataset": "thumos", "video_anno": f"{folder}/thumos_gt.json"}))
    names = {"train": "training", "test": "validation"}
    database = {video.name: {
        "subset": names[video.subset], "duration": video.duration, "frame": 1, "annotations": [
            {"segment": segment, "label": before[1][label - 1], "label_id": int(label) - 1}
            for segment, label in zip(video.segments.tolist(), video.labels, strict=True)]}
        for video in before[0]}
    (tmp_path / "anno.json").write_text(json.dumps({"database": database}))
    made = convert(tmp_path / "anno.json")
    write_annotations(made, tmp_path / "thumos_gt.json")
    write_durations(made, tmp_path)
    after = load_videos(resolve({"dataset": "thumos",
                                 "video_anno": f"{tmp_path}/thumos_gt.json"}))
    assert after[1] == before[1]
    expected = {video.name: video for video in before[0]}
    assert len(after[0]) == len(expected) == 410
    for video in after[0]:
        assert video.duration == expected[video.name].duration
        assert np.array_equal(video.segments, expected[video.name].segments)
        assert np.array_equal(video.labels, expected[video.name].labels)
