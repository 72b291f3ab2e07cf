"""Prepare_data.py: what it says about files, and what it converts."""

import contextlib
import gzip
import json
import os
import shutil
import socket

import h5py
import pytest

import Prepare_data
from Utils.config.resolve import resolve
from Utils.data.annotations import videos_of
from Utils.data.datasets import load_videos
from Utils.prepare.verify import check_features

# The script

def run(capsys, *words):
    """Exit code, stdout and stderr of Prepare_data.py."""
    code = Prepare_data.main([str(word) for word in words])
    return code, *capsys.readouterr()


def compared(capsys, dataset, folder, features=None):
    """`run` of the verb check."""
    return run(capsys, "check", "--dataset", dataset, "--folder", folder,
               *(("--feature_path", features) if features else ()))


@pytest.fixture
def annotations(shared, tmp_path):
    """Writable copies of the real annotation files."""
    for name in ("thumos14", "activitynet"):
        (tmp_path / name).mkdir()
        for path in (shared / "annotations" / name).iterdir():
            shutil.copyfile(path, tmp_path / name / path.name)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*words, **named):
        raise AssertionError("this verb touches the network")
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_real_thumos_files_are_right(annotations, capsys, no_network):
    code, said, _ = compared(capsys, "thumos", annotations / "thumos14")
    assert code == 0
    assert said.count(": right; known checksum") == 6


def test_real_activitynet_files_are_right_and_missing_ones_have_a_source(annotations, capsys):
    code, said, _ = compared(capsys, "activitynet", annotations / "activitynet")
    assert code == 0
    assert said.count(": right; known checksum") == 4
    assert "cuhk_val_simp_share.json: absent (optional); video-level classes" in said


def test_an_unpacked_ground_truth_is_the_same_file(annotations, capsys):
    packed = annotations / "activitynet" / "anet_v1-3_validation_gt.json.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    code, said, _ = compared(capsys, "activitynet", annotations / "activitynet")
    assert code == 0
    assert "anet_v1-3_validation_gt.json: right; known checksum" in said


def test_the_full_ground_truth_is_recognized_by_its_validation_part(annotations, capsys):
    packed = annotations / "activitynet" / "anet_v1-3_validation_gt.json.gz"
    content = json.loads(gzip.decompress(packed.read_bytes()))
    content["database"]["other"] = {"subset": "training", "annotations": []}
    (packed.parent / "activity_net.v1-3.min.json").write_text(json.dumps(content))
    packed.unlink()
    _, said, _ = compared(capsys, "activitynet", packed.parent)
    assert ("activity_net.v1-3.min.json: right; 4926 validation videos, 7654 validation actions; "
            "no checksum is known") in said


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1))


def test_a_differing_count_is_named(annotations, capsys):
    def drop_one(content):
        content["database"]["video_test_0000896"]["annotations"].pop()
    edit(annotations / "thumos14/thumos_gt.json", drop_one)
    code, said, _ = compared(capsys, "thumos", annotations / "thumos14")
    assert code == 1
    assert "thumos_gt.json: different; test actions: 3310, expected 3311\n" in said


def test_a_rewritten_copy_with_the_same_counts_is_reported(annotations, capsys):
    edit(annotations / "thumos14/thumos_gt.json", lambda content: None)
    code, said, _ = compared(capsys, "thumos", annotations / "thumos14")
    assert code == 1
    assert "thumos_gt.json: different; unknown checksum, but the usual counts (200 train" in said


@pytest.mark.parametrize("dataset, name, bad, message", [
    ("thumos14", "thumos_gt.json", b"{", "not valid JSON: line 1, column 2"),
    ("thumos14", "thumos_gt.json", b"[]", "holds no videos"),
    ("thumos14", "val_info.mat", b"MATLAB 5.0", "val_info.mat"),
    ("activitynet", "video_info_new.csv", b"video,seconds\nv_a,1\n", "has no column 'subset'"),
    ("activitynet", "anet_classes_idx.json", b"[]", "is not a JSON object"),
    ("activitynet", "anet_v1-3_validation_gt.json.gz", b"\x1f\x8b\x08", "cannot read"),
    ("activitynet", "anet_v1-3_validation_gt.json.gz",
     gzip.compress(b"{}" * 99, mtime=0)[:10] + b"no", "cannot read"),
    ("activitynet", "cuhk_val_simp_share.json", b"{}", "has no 'results'"),
])
def test_a_broken_file_is_unreadable_and_has_a_source(annotations, capsys, dataset, name, bad,
                                                      message):
    (annotations / dataset / name).write_bytes(bad)
    code, said, _ = compared(capsys, dataset.removesuffix("14"), annotations / dataset)
    line = next(line for line in said.splitlines() if line.startswith(f"  {name}:"))
    assert code == 2
    assert line.startswith(f"  {name}: unreadable; ")
    assert message in line
    assert "a good one comes from " in line


def test_missing_files_are_listed_with_their_source(tmp_path, capsys, no_network):
    code, said, _ = compared(capsys, "thumos", tmp_path)
    assert code == 2
    assert "val_info.mat: missing; durations of the training videos; comes from meta file" in said
    assert "3 missing, 3 absent (optional)" in said


def test_scores_of_another_width_are_counted(annotations, capsys):
    (annotations / "activitynet/cuhk_val_simp_share.json").write_text(json.dumps(
        {"results": {"a": [0.1] * 200, "b": [0.1] * 199}, "class": [str(i) for i in range(200)]}))
    code, said, _ = compared(capsys, "activitynet", annotations / "activitynet")
    assert code == 1
    assert "videos with another number of scores: 1, expected 0" in said


@pytest.mark.parametrize("words, message", [
    ("", "the following arguments are required: VERB"),
    ("check", "the following arguments are required: --dataset"),
    ("check --dataset charades", "invalid choice: 'charades'"),
    ("check --dataset thumos --folders x", "unrecognized arguments: --folders"),
])
def test_wrong_words_are_one_sentence(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, said = run(capsys, *words.split())
    assert code == 2
    assert said.startswith("error: ") and message in said and said.count("\n") == 1


def test_convert_writes_and_does_not_overwrite(tmp_path, capsys, no_network):
    source = tmp_path / "anno.json"
    source.write_text(json.dumps({"database": {"video_test_0000004": {
        "subset": "Test", "duration": 33.7,
        "annotations": [{"segment": [1, 2], "label": "Shotput"}]}}}))
    order = ("convert", source, "--to", tmp_path / "annot")
    code, said, _ = run(capsys, *order)
    assert code == 0
    assert "1 test videos (210 in the usual thumos_gt.json)" in said
    assert sorted(os.listdir(tmp_path / "annot")) == ["test_info.mat", "thumos_gt.json"]
    assert "still missing: val_info.mat (durations of the training videos)" in said
    code, _, said = run(capsys, *order)
    assert code == 2 and "already exists; --overwrite replaces it" in said
    assert run(capsys, *order, "--overwrite")[0] == 0


def test_help_is_shown_for_every_verb(capsys):
    for verb in ("check", "convert", "import", "export"):
        with contextlib.suppress(SystemExit):
            Prepare_data.main([verb, "--help"])
        assert "usage: Prepare_data.py " + verb in capsys.readouterr().out


# Features

RATE = 30.0
FILES = {"rgb_val.h5": "train", "flow_val.h5": "train",
         "rgb_test.h5": "test", "flow_test.h5": "test"}


@pytest.fixture
def features(annotations):
    """Tiny THUMOS14 features (4 channels per stream) of the real lengths, for every video."""
    folder = annotations / "features"
    folder.mkdir()
    config = resolve({"dataset": "thumos",
                      "video_anno": str(annotations / "thumos14/thumos_gt.json")})
    for name, subset in FILES.items():
        with h5py.File(folder / name, "w") as file:
            for video in videos_of(load_videos(config)[0], subset):
                # Never written, so that no space is taken.
                file.create_dataset(video.name, (round(RATE * video.duration), 4), "f4")
    return folder


def test_whole_features_are_right(annotations, features, capsys):
    code, said, _ = compared(capsys, "thumos", annotations / "thumos14", features)
    assert code == 0
    assert "rgb_val.h5: right; 200 videos of 4 channels, 200 needed" in said
    assert "flow_test.h5: right; 210 videos of 4 channels, 210 needed" in said
    assert "streams together: right; 8 channels: give --input_feat_dim 8" in said


def test_missing_videos_and_odd_lengths_are_named(annotations, features, capsys):
    with h5py.File(features / "rgb_val.h5", "r+") as file:
        del file["video_validation_0000051"]
        frames = file["video_validation_0000052"].shape[0]
        del file["video_validation_0000052"]
        file.create_dataset("video_validation_0000052", (frames // 2, 4), "f4")
    code, said, _ = compared(capsys, "thumos", annotations / "thumos14", features)
    assert code == 1
    assert ("rgb_val.h5: different; 199 videos of 4 channels, 200 needed; 1 missing: "
            "video_validation_0000051; 1 not matching their duration (usual are 30 features per "
            "second): video_validation_0000052 15") in said
    assert "streams together: different; 1 video, first: video video_validation_0000052" in said


def test_an_unusable_shape_is_reported(annotations, features, capsys):
    with h5py.File(features / "flow_test.h5", "r+") as file:
        del file["video_test_0000004"]
        file.create_dataset("video_test_0000004", (4,), "f4")
    code, said, _ = compared(capsys, "thumos", annotations / "thumos14", features)
    assert code == 1
    assert "1 unusable, first: video video_test_0000004" in said


def test_missing_and_foreign_feature_files_have_a_source(annotations, features, capsys):
    (features / "rgb_val.h5").unlink()
    (features / "flow_val.h5").write_bytes(b"not HDF5")
    code, said, _ = compared(capsys, "thumos", annotations / "thumos14", features)
    assert code == 2
    assert "rgb_val.h5: missing; comes from your own extraction, or the TSN features" in said
    assert "flow_val.h5: unreadable; " in said and "cannot be read as HDF5" in said
    assert "rgb_test.h5: right" in said


def test_features_without_annotations_are_only_counted(features, tmp_path, capsys):
    code, said, _ = compared(capsys, "thumos", tmp_path / "none", features)
    assert code == 2
    assert ("rgb_val.h5: different; 200 videos of 4 channels, 0 needed; videos and lengths "
            "cannot be checked without annotations") in said


def test_activitynet_needs_training_and_validation_videos_in_both_streams(annotations, tmp_path):
    """300 real names and durations; the streams differ by a frame, videos of testing lack."""
    path = annotations / "activitynet/anet_anno_action.json"
    path.write_text(json.dumps(dict(list(json.loads(path.read_text()).items())[:300])))
    (annotations / "activitynet/video_info_new.csv").write_text("video,subset\n" + "".join(
        f"{name},{('training', 'validation', 'testing')[i % 3]}\n"
        for i, name in enumerate(json.loads(path.read_text()))))
    config = resolve({"dataset": "activitynet", "video_anno": str(path)})
    videos = [video for video in load_videos(config)[0] if video.subset != "testing"]
    for name, more in (("rgb.h5", 0), ("flow.h5", 1)):
        with h5py.File(tmp_path / name, "w") as file:
            for video in videos:
                file.create_dataset(video.name, (round(5 * video.duration) + more, 2), "f4")
    assert [(f.name, f.state, f.detail) for f in check_features(
        "activitynet", path.parent, tmp_path)] == [
        ("rgb.h5", "right", "200 videos of 2 channels, 200 needed"),
        ("flow.h5", "right", "200 videos of 2 channels, 200 needed"),
        ("streams together", "right", "4 channels: give --input_feat_dim 4")]
