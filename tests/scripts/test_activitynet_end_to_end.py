"""Cut, Train, Infer, Eval on a few dozen real ActivityNet videos with synthetic features."""

import json

import h5py
import numpy as np
import pytest

import Cut_long_videos
import Eval
import Infer
import Train
from tests.activitynet_data import (
    ANNOTATIONS,
    SCORES,
    SMALL,
    official_actions,
    write_activitynet,
    write_features,
    write_video_scores,
)
from Utils.inputs.window_file import read_windows

TRAINED = ["--num_epoch", "2", "--batch_size", "8", "--input_feat_dim", "10"]
TRAIN = ["--is_train", "true", "--dataset", "activitynet", "--feature_path", "features",
         "--checkpoint_path", "run"]
INFER = ["--is_train", "false", "--dataset", "activitynet", "--feature_path", "features",
         "--checkpoint_path", "run", "--output_path", "out"]
EVAL = ["--dataset", "activitynet", "--output_path"]


@pytest.fixture(scope="module")
def real(shared):
    return shared / "annotations" / "activitynet"


@pytest.fixture(scope="module")
def whole(real, tmp_path_factory):
    """The folder in which the four commands ran, evaluated twice, and the annotations.

    out: without a video-level file; fused: with one.
    """
    folder = tmp_path_factory.mktemp("activitynet")
    database = write_activitynet(folder, real)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert Cut_long_videos.main(SMALL) == 0
        assert Train.main(TRAIN + SMALL + TRAINED) == 0
        assert Infer.main(INFER) == 0
        assert Eval.main([*EVAL, "out", "--figures", "both"]) == 0
        write_video_scores(folder, database)
        copy_proposals(folder, "fused")
        assert Eval.main([*EVAL, "fused"]) == 0
    (folder / ANNOTATIONS / SCORES).unlink()
    return folder, database


@pytest.fixture
def folder(whole, monkeypatch):
    monkeypatch.chdir(whole[0])
    return whole[0]


@pytest.fixture
def copy(whole, tmp_path, monkeypatch):
    """A folder with the data and results of the run, to be damaged; the tests start in it."""
    folder, _ = whole
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".csv", ".gz", ".h5", ".tar"):
            target = tmp_path / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def copy_proposals(folder, name):
    (folder / name).mkdir()
    (folder / name / "proposals.h5").write_bytes((folder / "out/proposals.h5").read_bytes())


def read(path):
    return json.loads(path.read_text())


def scored(folder, name):
    """Names of the validation videos as results have them."""
    windows, _ = read_windows(folder / "windows/activitynet/infer.json")
    return [window.video.removeprefix("v_") for window in windows]


# ---- the whole way ------------------------------------------------------------------------------

def test_windows_are_whole_videos_and_clips_of_long_ones(folder, whole):
    durations = {name: entry["duration_second"] for name, entry in whole[1].items()}
    for kind, count in (("train", 24), ("val", 12), ("infer", 12)):
        windows, _ = read_windows(folder / f"windows/activitynet/{kind}.json")
        clips = [w for w in windows if (w.start, w.end) != (0, durations[w.video])]
        assert len(windows) - len(clips) == count
        assert bool(clips) == (kind != "infer")
        # T = 256 at 5 features per second: longer than 20.48 s is long, a clip has 19.456 s.
        assert all(durations[w.video] > 20.48 and w.end - w.start <= 19.456 + 1e-9 for w in clips)


def test_every_video_has_one_row_per_anchor(folder):
    with h5py.File(folder / "out/proposals.h5") as file:
        assert len(file) == 12 and file.attrs["unit"] == b"shares of the duration"
        for group in file.values():
            assert group["segments"].shape == (2 * (64 + 32 + 16 + 8), 2)
            assert 0 <= group["segments"][()].min() <= group["segments"][()].max() < 1
            assert not group["labels"][()].any()


def test_without_video_level_scores_there_are_proposals_and_their_recall(folder, real):
    metrics = read(folder / "out/metrics.json")
    assert "mAP" not in metrics and not (folder / "out/detections_postNMS.json").exists()
    assert not (folder / "out/detad.json").exists()
    assert (metrics["num_videos"], metrics["num_detections"]) == (12, 1200)
    assert metrics["num_ground_truth"] == official_actions(real, scored(folder, "out"))
    assert any("no video-level scores" in note for note in metrics["provenance"]["notes"])
    recall = list(metrics["AR@AN"].values())
    assert list(metrics["AR@AN"]) == ["1", "5", "10", "100"]
    assert recall == sorted(recall) and 0.4 < recall[-1] <= 1
    assert recall[0] <= metrics["AUC"] <= recall[-1]
    for ending in (".pdf", ".png"):
        assert (folder / "out/average_recall").with_suffix(ending).stat().st_size > 5000


def test_missing_video_level_scores_give_a_warning(folder, capsys):
    assert Eval.main([*EVAL, "out"]) == 0
    said = capsys.readouterr().out
    assert "warning: no video-level scores (--video_scores)" in said
    assert "anet_v1-3_validation_gt.json.gz" in said and "mAP" not in said.split("warning")[1]


def test_proposals_are_the_best_hundred_of_each_video(folder, whole):
    results = read(folder / "out/proposals_postNMS.json")["results"]
    assert list(results) == scored(folder, "out")
    for video, rows in results.items():
        scores = [row["score"] for row in rows]
        assert len(rows) == 100 and scores == sorted(scores, reverse=True)
        assert set(rows[0]) == {"score", "segment"}
        assert all(0 <= row["segment"][0] < row["segment"][1] <= duration(whole, video)
                   for row in rows)


def duration(whole, video):
    return whole[1][f"v_{video}"]["duration_second"]


def test_video_level_scores_give_each_detection_the_best_class(folder, whole):
    results = read(folder / "fused/detections_postNMS.json")["results"]
    assert list(results) == scored(folder, "fused")
    for video, rows in results.items():
        assert {row["label"] for row in rows} == {
            whole[1][f"v_{video}"]["annotations"][0]["label"]}
        assert 0 < len(rows) <= 100 and max(row["score"] for row in rows) < 0.8
        assert all(0 <= row["segment"][0] < row["segment"][1] <= duration(whole, video)
                   for row in rows)
    metrics = read(folder / "fused/metrics.json")
    assert metrics["tiou_thresholds"] == [.5, .55, .6, .65, .7, .75, .8, .85, .9, .95]
    assert metrics["average_mAP"] == {"0.5:0.95": pytest.approx(np.mean(metrics["mAP"]))}
    assert metrics["mAP"] == sorted(metrics["mAP"], reverse=True) and metrics["mAP"][0] > 0
    assert metrics["AR@AN"] == read(folder / "out/metrics.json")["AR@AN"]
    assert read(folder / "fused/detad.json")["average_mAP_N"] > 0


def test_wrong_classes_find_nothing(copy, whole):
    def change(content):
        for row in content["results"].values():
            row.insert(0, row.pop())                 # every score at the next class

    write_video_scores(copy, whole[1], change)
    assert Eval.main([*EVAL, "fused"]) == 0
    assert read(copy / "fused/metrics.json")["mAP"] == [0] * 10


def test_several_classes_may_be_fused(copy, whole):
    def change(content):
        for row in content["results"].values():
            row[row.index(max(row)) - 1] = 0.5

    write_video_scores(copy, whole[1], change)
    assert Eval.main([*EVAL, "fused", "--num_video_classes", "2", "--overwrite"]) == 0
    for rows in read(copy / "fused/detections_postNMS.json")["results"].values():
        assert len({row["label"] for row in rows}) == 2 and len(rows) == 100


def test_the_ground_truth_may_be_built_from_the_annotations(copy):
    official = read(copy / "out/metrics.json")
    (copy / ANNOTATIONS / "anet_v1-3_validation_gt.json.gz").unlink()
    assert Eval.main([*EVAL, "out"]) == 0
    built = read(copy / "out/metrics.json")
    assert built["provenance"]["ground_truth"].startswith("built from the annotations")
    assert built["num_ground_truth"] == official["num_ground_truth"]
    assert built["AUC"] == pytest.approx(official["AUC"], abs=0.02)


def test_proposals_may_end_at_the_last_sixteen_whole_frames(copy, whole):
    plain = read(copy / "out/proposals_postNMS.json")["results"]
    assert Eval.main([*EVAL, "out", "--floor_duration", "--overwrite"]) == 0
    for video, rows in read(copy / "out/proposals_postNMS.json")["results"].items():
        frames = whole[1][f"v_{video}"]["duration_frame"]
        expected = np.array([row["segment"] for row in plain[video]]) * (frames // 16 * 16 / frames)
        assert np.array([row["segment"] for row in rows]) == pytest.approx(expected)


def test_detads_own_characteristics_may_be_given(copy, whole):
    write_video_scores(copy, whole[1])
    database = {}
    for name, entry in whole[1].items():
        actions = [{"label": action["label"], "segment": action["segment"],
                    "length": action["segment"][1] - action["segment"][0], "coverage": 0.5,
                    "num-instances": len(entry["annotations"])}
                   for action in entry["annotations"]]
        database[name.removeprefix("v_")] = {
            "subset": "validation" if name[2:] in scored(copy, "out") else "training",
            "duration": entry["duration_second"], "annotations": actions}
    (copy / "detad.json").write_text(json.dumps({"database": database}))
    assert Eval.main([*EVAL, "fused", "--detad_anno", "detad.json"]) == 0
    detad = read(copy / "fused/detad.json")
    assert detad["ground_truth"] == "detad.json" and list(detad["sensitivity"]["coverage"]) == ["M"]


def test_result_files_score_as_the_proposals_they_were_made_of(folder, tmp_path):
    for file, names in (("fused/detections_postNMS.json", ("mAP", "ap_per_class")),
                        ("out/proposals_postNMS.json", ("AR@AN", "AUC"))):
        assert Eval.main(["--detections", file, *EVAL, str(tmp_path), "--overwrite"]) == 0
        again = read(tmp_path / "metrics.json")
        before = read((folder / file).parent / "metrics.json")
        assert all(again[name] == before[name] for name in names)


def test_the_authors_bare_lists_are_accepted(copy, capsys):
    for kind in ("train", "val"):
        path = copy / f"windows/activitynet/{kind}.json"
        entries = read(path)["windows"]
        assert set(entries[0]) == {"v_name", "w_start", "w_end"}
        path.write_text(json.dumps(entries))
    assert Train.main(TRAIN + SMALL + TRAINED + ["--overwrite", "--num_epoch", "1"]) == 0
    said = capsys.readouterr().out
    assert said.count("has no settings (the authors' layout)") == 2 and "epoch 1/1" in said


def test_features_of_another_width_do_as_well(copy, whole):
    """I3D has another width than TSN: the same commands work with --input_feat_dim."""
    write_features(copy / "i3d", whole[1], (9, 8))
    places = ["--feature_path", "i3d", "--checkpoint_path", "i3d_run"]
    assert Train.main(TRAIN + SMALL + TRAINED + places + ["--input_feat_dim", "17",
                                                          "--num_epoch", "1"]) == 0
    assert Infer.main([*INFER, *places, "--output_path", "i3d_out"]) == 0
    assert Eval.main([*EVAL, "i3d_out"]) == 0
    assert read(copy / "i3d_out/metrics.json")["num_detections"] == 1200


# ---- what users get wrong -----------------------------------------------------------------------

def refused(capsys, main, words):
    """What is said when a script ends with 2."""
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and "Traceback" not in said
    return said


def change_stream(folder, stream, video, array):
    with h5py.File(folder / f"features/{stream}.h5", "a") as file:
        del file[video]
        if array is not None:
            file[video] = array


SPOILT = {"of very different length": (np.zeros((20, 4), np.float32), "differ too much in length"),
          "lacking in one": (None, "not in the flow features")}


@pytest.mark.parametrize("kind", SPOILT)
@pytest.mark.parametrize("main, words", [(Train.main, [*TRAIN, *SMALL, *TRAINED, "--overwrite"]),
                                         (Infer.main, INFER)], ids=["Train", "Infer"])
def test_streams_that_do_not_fit_each_other(copy, whole, capsys, kind, main, words):
    video = "v_" + scored(copy, "out")[2]
    array, expected = SPOILT[kind]
    change_stream(copy, "flow", video, array)
    said = refused(capsys, main, words)
    assert expected in said and video in said


def test_a_video_without_features_may_be_left_out(copy, capsys):
    video = scored(copy, "out")[2]
    change_stream(copy, "flow", f"v_{video}", None)
    assert Infer.main([*INFER, "--skip_missing"]) == 0
    assert Eval.main([*EVAL, "out"]) == 0
    said = capsys.readouterr().out
    assert f"1 of 12 videos of the ground truth has no detections: {video}" in said
    assert read(copy / "out/metrics.json")["num_videos"] == 12


def test_video_level_scores_that_lack_a_video(copy, whole, capsys):
    video = scored(copy, "out")[3]
    write_video_scores(copy, whole[1], lambda content: content["results"].pop(video))
    said = refused(capsys, Eval.main, [*EVAL, "out"])
    assert video in said and "no scores of 1 of 12 videos" in said


def test_video_level_scores_of_an_unknown_class(copy, whole, capsys):
    def change(content):
        content["class"][7] = "Juggling chainsaws"

    write_video_scores(copy, whole[1], change)
    assert "Juggling chainsaws" in refused(capsys, Eval.main, [*EVAL, "out"])


def test_annotations_of_an_unknown_class(copy, capsys):
    path = copy / ANNOTATIONS / "anet_anno_action.json"
    content = read(path)
    first = next(iter(content))
    content[first]["annotations"][0]["label"] = "Juggling chainsaws"
    path.write_text(json.dumps(content))
    said = refused(capsys, Cut_long_videos.main, [])
    assert "Juggling chainsaws" in said and first in said


@pytest.mark.parametrize("main, words", [(Cut_long_videos.main, []), (Infer.main, INFER),
                                         (Eval.main, [*EVAL, "out"])],
                         ids=["Cut", "Infer", "Eval"])
def test_a_table_without_the_column(copy, capsys, main, words):
    path = copy / ANNOTATIONS / "video_info_new.csv"
    path.write_text(path.read_text().replace("subset", "part", 1))
    assert "has no column 'subset'" in refused(capsys, main, words)


def test_a_table_without_frames_when_they_are_asked_for(copy, capsys):
    path = copy / ANNOTATIONS / "video_info_new.csv"
    path.write_text(path.read_text().replace("numFrame", "frames", 1))
    said = refused(capsys, Eval.main, [*EVAL, "out", "--floor_duration", "--overwrite"])
    assert "numFrame" in said and str(path.name) in said


def test_features_of_the_wrong_width_name_the_flag_that_fits(copy, capsys):
    said = refused(capsys, Train.main, [*TRAIN, *SMALL, "--overwrite"])
    assert "set --input_feat_dim 10" in said


def test_annotations_that_are_absent(copy, capsys):
    (copy / ANNOTATIONS / "video_info_new.csv").unlink()
    said = refused(capsys, Cut_long_videos.main, [])
    assert "no video_info_new.csv in Evaluation/activitynet/annot" in said and "VSGN" in said
