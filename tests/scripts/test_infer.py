"""Inference on one video alone, and from checkpoints of all kinds."""

import json
import re
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

import Cut_long_videos
import Infer
import Prepare_data
import Train
from Engine.inference import network
from Utils.config.resolve import resolve
from Utils.data.demo import CLASSES, write_demo
from Utils.prepare.formats.importing import import_files
from Utils.training.checkpoints import BEST, LAST, load_checkpoint, save_checkpoint

TINY = ["--dataset", "demo", "--recipe", "paper", "--num_epoch", "1", "--bb_hidden_dim",
        "32", "--num_head_layers", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Folder of a tiny trained network, and the features of a test video as features.npy."""
    folder = tmp_path_factory.mktemp("infer")
    write_demo(folder / "data", num_train=8, num_test=3)
    places = [f"--feature_path={folder}/data", f"--window_path={folder}/windows",
              f"--checkpoint_path={folder}/run"]
    assert Cut_long_videos.main(TINY + places) == 0
    assert Train.main(TINY + places) == 0
    with h5py.File(folder / "data/rgb.h5") as rgb, h5py.File(folder / "data/flow.h5") as flow:
        name = next(name for name in rgb if "test" in name)
        np.save(folder / "features.npy", np.concatenate([rgb[name][()], flow[name][()]], axis=1))
        np.save(folder / "narrow.npy", rgb[name][()])
    return folder, places, name


def results(path):
    return json.loads(path.read_text())["results"]


def detect(run, *flags, video="features.npy"):
    folder, _, _ = run
    return Infer.main(["--video", str(folder / video), "--checkpoint_path", str(folder / "run"),
                       "-o", str(folder / "out.json"), *flags])


def test_one_video_needs_neither_annotations_nor_windows(run):
    assert detect(run, "--feature_fps", "10") == 0
    content = json.loads((run[0] / "out.json").read_text())
    assert list(content["results"]) == ["features"] and "version" not in content
    assert {row["label"] for row in content["results"]["features"]} <= set(CLASSES)
    assert (run[0] / "out.png").read_bytes().startswith(b"\x89PNG")


def test_a_rate_other_than_in_training_gives_a_warning(run, capsys):
    content = load_checkpoint(run[0] / "run" / BEST)
    content["settings"]["feature_fps"] = 10.
    save_checkpoint(run[0] / BEST, content)
    other = ["--checkpoint_path", str(run[0])]
    assert detect(run, *other) == 0 and "warning" not in capsys.readouterr().out
    assert detect(run, *other, "--feature_fps", "25") == 0
    assert ("--feature_fps is 25, but the network was trained on 10 features per second: "
            "actions will look 2.5 times as long") in capsys.readouterr().out


def test_one_video_alone_is_detected_as_among_the_others(run):
    folder, places, name = run
    assert detect(run, "--feature_fps", "10") == 0
    assert Infer.main([*places, f"--output_path={folder}/all"]) == 0
    from Evaluation.postprocessing.detections import detection_rows, video_detections
    from Evaluation.postprocessing.proposal_file import read_proposals
    proposals, settings = read_proposals(folder / "all" / "proposals.h5")
    among = detection_rows(video_detections(proposals[name], proposals.duration(name), sigma=0.46,
                                            limit=200, rounded=False), settings["classes"])
    alone = json.loads((folder / "out.json").read_text())["results"]["features"]
    assert [row["label"] for row in alone] == [row["label"] for row in among]
    numbers = [[(row["score"], *row["segment"]) for row in rows] for rows in (alone, among)]
    assert np.array(numbers[0]) == pytest.approx(np.array(numbers[1]), abs=1e-5)


def test_batches_decoded_at_once_give_the_same_proposals(run, monkeypatch):
    """What a GPU does, done on the CPU."""
    from Evaluation.postprocessing.proposal_file import read_proposals
    from Models.BatchDecoding import Decoder
    folder, places, _ = run
    assert Infer.main([*places, f"--output_path={folder}/one"]) == 0
    monkeypatch.setattr(network, "gpu_decoder", lambda config, device: Decoder(config))
    assert Infer.main([*places, f"--output_path={folder}/batch"]) == 0
    expected, found = (read_proposals(folder / name / "proposals.h5")[0]
                       for name in ("one", "batch"))
    assert list(found) == list(expected) and len(found) == 3
    for name in expected:
        assert len(found[name]) == len(expected[name]) > 100
        assert np.array_equal(found[name].labels, expected[name].labels)
        assert np.abs(found[name].segments - expected[name].segments).max() < 1e-9
        assert found[name].scores == pytest.approx(expected[name].scores, rel=1e-5)


def test_the_rate_of_the_training_is_used_if_all_videos_shared_it(run, capsys):
    assert detect(run, "--feature_fps", "10") == 0
    told = results(run[0] / "out.json")
    assert detect(run) == 0 and results(run[0] / "out.json") == told


def test_the_rate_must_be_given_if_the_training_had_none(run, capsys):
    content = load_checkpoint(run[0] / "run" / BEST)
    del content["feature_rate"]
    save_checkpoint(run[0] / "no rate" / BEST, content)
    assert detect(run, "--checkpoint_path", str(run[0] / "no rate")) == 2
    assert "--feature_fps" in capsys.readouterr().err


def test_features_of_another_width_are_refused(run, capsys):
    assert detect(run, "--feature_fps", "10", video="narrow.npy") == 2
    assert "16" in capsys.readouterr().err


def test_a_missing_file_is_named(run, capsys):
    assert detect(run, "--feature_fps", "10", video="nowhere.npy") == 2
    assert "nowhere.npy" in capsys.readouterr().err


def test_a_released_checkpoint_takes_its_options_from_the_flags(run, capsys):
    folder, places, _ = run
    weights = torch.load(folder / "run" / "best.pth.tar", weights_only=True)["state_dict"]
    released = {"epoch": 3, "state_dict": {f"module.{name}": value
                                           for name, value in weights.items()}}
    (folder / "released").mkdir(exist_ok=True)
    torch.save(released, folder / "released" / "best.pth.tar")
    places = [*places, f"--checkpoint_path={folder}/released", f"--output_path={folder}/released"]
    assert Infer.main(TINY + places) == 0
    assert "has no settings" in capsys.readouterr().out
    paper = ["--dataset", "demo", "--recipe", "paper"]
    assert Infer.main([*paper, *places, "--overwrite"]) == 2
    assert "weights of another network" in capsys.readouterr().err


def test_annotations_of_other_classes_are_refused(run, capsys):
    folder, places, _ = run
    content = (folder / "data/annotations.json").read_text()
    (folder / "other.json").write_text(content.replace(f'"{CLASSES[0]}"', '"zzz"'))
    words = [*places, f"--output_path={folder}/other", f"--video_anno={folder}/other.json"]
    assert Infer.main(words) == 2
    assert "was trained on the classes" in capsys.readouterr().err


def test_a_network_option_that_contradicts_the_checkpoint_is_refused(run, capsys):
    folder, places, _ = run
    assert Infer.main([*places, f"--output_path={folder}/all", "--num_neigh", "4"]) == 2
    assert "--num_neigh 4 contradicts" in capsys.readouterr().err


# ---- many videos --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def unseen(run):
    """A folder of new feature files, two videos, and their features in the other layouts."""
    folder = run[0] / "unseen"
    (folder / "files").mkdir(parents=True)
    with h5py.File(run[0] / "data/rgb.h5") as rgb, h5py.File(run[0] / "data/flow.h5") as flow:
        for new, name in zip(("a", "b"), sorted(rgb), strict=False):
            np.save(folder / "files" / f"{new}.npy",
                    np.concatenate([rgb[name][()], flow[name][()]], axis=1))
    return folder


def predict(run, *words, code=0):
    assert Infer.main(["--checkpoint_path", str(run[0] / "run"), *map(str, words)]) == code


def test_a_folder_is_detected_at_once_as_its_files_one_by_one(run, unseen, tmp_path):
    predict(run, "--videos", unseen / "files", "-o", tmp_path / "all.json")
    found = results(tmp_path / "all.json")
    assert list(found) == ["a", "b"]
    predict(run, "--videos", unseen / "files/b.npy", unseen / "files/a.npy", "-o",
            tmp_path / "files.json")
    assert list(results(tmp_path / "files.json")) == ["b", "a"]
    for name in ("a", "b"):
        predict(run, "--video", unseen / "files" / f"{name}.npy", "-o", tmp_path / "one.json")
        one, = results(tmp_path / "one.json").values()
        assert len(one) == len(found[name]) > 10
        ends, others = (np.sort([row["segment"] for row in rows], axis=0)
                        for rows in (one, found[name]))
        assert np.abs(ends - others).max() < 1e-3
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")


def page_of(path):
    """What the page of a report reads."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text.split('type="application/json">')[1].split("</script>")[0])


def test_many_videos_have_one_page_without_scores(run, unseen, tmp_path, capsys):
    films = tmp_path / "films"
    films.mkdir()
    (films / "b.mp4").write_bytes(b"")
    words = ["--videos", unseen / "files", "-o", tmp_path / "all.json"]
    predict(run, *words, "--video_folder", films)
    assert f"report: {tmp_path / 'report.html'}" in capsys.readouterr().out
    data = page_of(tmp_path / "report.html")
    assert data["videos"]["names"] == ["a", "b"] and data["links"] == [["b", "films/b.mp4"]]
    assert data["title"]["run"] == "run" and data["sections"] == {} and data["least"] is None
    shown = sum(map(len, results(tmp_path / "all.json").values()))
    recipe, checkpoint, day, amount = data["title"]["facts"][:4]
    assert recipe.endswith(" recipe") and re.search(r"checkpoint.*, epoch \d+$", checkpoint)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)
    assert amount == f"{shown:,} detections in 2 videos"
    predict(run, *words, "--min_score", 0.25)          # the page of detections may be replaced
    assert page_of(tmp_path / "report.html")["least"] == 0.25


def test_the_report_of_scores_is_not_replaced(run, unseen, tmp_path, capsys):
    (tmp_path / "report.html").write_text('"isScored":true')
    predict(run, "--videos", unseen / "files", "-o", tmp_path / "all.json")
    assert f"report: {tmp_path / 'all_report.html'}" in capsys.readouterr().out
    assert (tmp_path / "report.html").read_text() == '"isScored":true'
    assert page_of(tmp_path / "all_report.html")["isJudged"] is False


def test_without_a_file_to_write_detections_are_shown(run, unseen, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predict(run, "--videos", unseen / "files", "--top", 3)
    said = capsys.readouterr().out
    assert "\na (" in said and "\nb (" in said and "the best 3" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".csv", ".srt", ".vtt", ".eaf"])
def test_other_tools_get_their_own_format(run, unseen, tmp_path, suffix, capsys):
    out = tmp_path / f"found{suffix}"
    words = ["--videos", unseen / "files", "-o", out, "--min_score", 0, "--top", 5]
    predict(run, *words)
    assert "10 detections of 2 videos in" in capsys.readouterr().out
    if suffix == ".csv":
        rows = pd.read_csv(out)
        assert list(rows.columns) == ["video", "start", "end", "label", "score"]
        assert rows.groupby("video").size().to_dict() == {"a": 5, "b": 5}
    else:
        assert {path.name for path in (tmp_path / "found").iterdir()} == {f"a{suffix}",
                                                                          f"b{suffix}"}
        database = import_files([*(tmp_path / "found").iterdir()]).annotations.database
        assert {name: len(video["annotations"]) for name, video in database.items()} == {
            "a": 5, "b": 5}
    predict(run, *words, code=2)
    assert "--overwrite" in capsys.readouterr().err
    predict(run, *words, "--overwrite")


def test_detections_are_exported_to_several_tools_at_once(run, unseen, tmp_path, capsys):
    words = ["--videos", unseen / "files", "--output_path", tmp_path, "--min_score", 0, "--top", 5,
             "--export", "srt", "boris"]
    predict(run, *words)
    assert "wrote 3 files: " in capsys.readouterr().out
    exported = tmp_path / "export"
    assert sorted(path.name for path in exported.iterdir()) == ["a.srt", "b.srt",
                                                                "detections.boris"]
    assert (exported / "a.srt").read_text().count(" --> ") == 5
    predict(run, *words, code=2)
    assert "may have been corrected since; --overwrite replaces" in capsys.readouterr().err
    predict(run, *words, "--overwrite")


def test_an_export_to_label_studio_is_refused_with_the_command_for_it(run, unseen, tmp_path, capsys,
                                                                      monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--videos", unseen / "files", "--checkpoint_path", run[0].resolve() / "run"]
    predict(run, *words, "--export", "labelstudio", code=2)
    said = capsys.readouterr().err
    assert "write the detections with -o detections.json, and then say" in said
    predict(run, *words, "-o", "detections.json")
    command = said.split("`")[1].replace("RATE", "25").split()
    assert Prepare_data.main(command[2:]) == 0
    assert len(json.loads(next(tmp_path.rglob("labelstudio*.json")).read_text())) == 2


def test_a_hidden_test_set_is_detected_by_its_list_of_videos(run, tmp_path, capsys):
    folder, _, _ = run
    truth = json.loads((folder / "data/annotations.json").read_text())
    for video in truth["database"].values():
        video["annotations"] = []
    (tmp_path / "hidden.json").write_text(json.dumps(truth))
    words = ["--videos", folder / "data", "--video_anno", tmp_path / "hidden.json", "-o",
             tmp_path / "out.json"]
    predict(run, *words, "--subset", "testing")
    assert list(results(tmp_path / "out.json")) == [f"demo_test_00{i}" for i in range(3)]
    predict(run, *words)
    assert len(results(tmp_path / "out.json")) == 11
    predict(run, *words, "--subset", "other", code=2)
    assert "is in subset other; it has train, test" in capsys.readouterr().err


def test_least_score_and_number_choose_what_is_written(run, tmp_path):
    words = ["--video", run[0] / "features.npy", "-o", tmp_path / "out.json"]
    predict(run, *words)
    scores = [row["score"] for row in results(tmp_path / "out.json")["features"]]
    predict(run, *words, "--min_score", scores[20], "--top", 7)
    assert [row["score"] for row in results(tmp_path / "out.json")["features"]] == scores[:7]
    predict(run, *words, "--min_score", scores[3])
    assert [row["score"] for row in results(tmp_path / "out.json")["features"]] == scores[:4]


def test_the_recommended_score_is_that_of_the_training(run, tmp_path, capsys):
    words = ["--video", run[0] / "features.npy", "-o", tmp_path / "out.json"]
    predict(run, *words, "--min_score", "auto", code=2)
    assert "recommends no score" in capsys.readouterr().err
    content = load_checkpoint(run[0] / "run" / BEST)
    content["history"][-1]["val"]["threshold"] = 0.05
    save_checkpoint(tmp_path / BEST, content)
    predict(run, *words, "--min_score", "auto", "--checkpoint_path", tmp_path)
    scores = [row["score"] for row in results(tmp_path / "out.json")["features"]]
    assert scores and min(scores) >= 0.05
    # What other tools read has that score as its least unless another is given, csv excepted.
    for words_more, least in (([], 0.05), (["--min_score", 0.02], 0.02)):
        predict(run, *words[:2], "-o", tmp_path / "a.csv", "--export", "audacity", "--output_path",
                tmp_path, "--checkpoint_path", tmp_path, "--overwrite", *words_more)
        found = pd.read_csv(tmp_path / "a.csv")["score"]
        lines = (tmp_path / "export/features.txt").read_text().splitlines()
        assert len(lines) == (found >= least).sum() > 0


def test_broken_features_are_left_out_on_request(run, unseen, tmp_path, capsys):
    shutil.copytree(unseen / "files", tmp_path / "files")
    np.save(tmp_path / "files/c.npy", np.full((90, 32), np.nan, np.float32))
    words = ["--videos", tmp_path / "files", "-o", tmp_path / "out.json"]
    predict(run, *words, code=2)
    assert "NaN" in capsys.readouterr().err and not (tmp_path / "out.json").exists()
    predict(run, *words, "--skip_missing")
    assert "left out: video c" in capsys.readouterr().out
    assert list(results(tmp_path / "out.json")) == ["a", "b"]


@pytest.mark.parametrize(("words", "said"), [
    (["-o", "x.json"], "--out applies to the detections of --video or --videos"),
    (["--export", "csv"], "--export applies to the detections of --video or --videos"),
    (["--save_features", "d"], "--save_features is for the video files of --video and --videos"),
    (["--videos", "{files}", "--export", "xls"], "--export xls is not one of csv, srt, vtt, elan"),
    (["--videos", "{files}", "-o", "x.doc"], "the extension sets the format"),
    (["--videos", "{files}", "-o", "x.json", "--min_score", "high"], "a number or auto"),
    (["--videos", "{files}", "nowhere.npy"], "no file or folder nowhere.npy"),
    (["--videos", "{files}/a.npy", "{files}/../../features.npy", "{files}"], "is a folder"),
])
def test_impossible_options_are_refused_in_a_sentence(run, unseen, tmp_path, capsys, monkeypatch,
                                                      words, said):
    monkeypatch.chdir(tmp_path)
    predict(run, *(word.format(files=unseen / "files") for word in words), code=2)
    assert said in capsys.readouterr().err


def test_the_checkpoint_is_the_one_that_the_recipe_takes(run, tmp_path):
    """For the strong recipe, the last one, even if inference names no recipe."""
    for name, epoch, wanted in ((LAST, 2, "last"), (BEST, 1, "last")):
        content = load_checkpoint(run[0] / "run" / BEST)
        content["settings"] |= {"recipe": "strong", "checkpoint": wanted}
        save_checkpoint(tmp_path / name, content | {"epoch": epoch})
    at = {"checkpoint_path": str(tmp_path)}
    assert network.trained(resolve(at))[1]["epoch"] == 2
    assert network.trained(resolve(at | {"checkpoint": "best"}))[1]["epoch"] == 1
    (tmp_path / LAST).unlink()
    assert network.trained(resolve(at))[1]["epoch"] == 1
