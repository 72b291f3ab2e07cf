"""Eval.py as users call it: its files, what it prints, and what it refuses."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pysubs2
import pytest

import Prepare_data
from Eval import finding, main
from Evaluation.postprocessing.proposals import Proposals
from tests.small_data import write_proposals
from Utils.config.resolve import parse_config, settings
from Utils.files import REPOSITORY
from Utils.inputs.windows import Window

FIGURES = ("detad_false_positives", "detad_sensitivity", "detad_false_negatives")


def evaluate(*words):
    return main(list(map(str, words)))


def read(path):
    return json.loads(path.read_text())


def annotations(*actions, duration=100):
    return {"subset": "testing", "duration": duration,
            "annotations": [{"label": label, "segment": [start, end]}
                            for label, start, end in actions]}


def row(label, start, end, score):
    return {"label": label, "segment": [start, end], "score": score}


@pytest.fixture
def folder(tmp_path):
    """Ground truth and detections of two videos; half of class x is found, all of class y."""
    (tmp_path / "gt.json").write_text(json.dumps({"database": {
        "v": annotations(("x", 0, 10), ("y", 0, 4)), "w": annotations(("x", 0, 40)),
        "train": {"subset": "training", "annotations": []}}}))
    (tmp_path / "found.json").write_text(json.dumps({"results": {
        "v": [row("x", 0, 10, .9), row("y", 0, 4, .8), row("fly", 0, 1, .7)],
        "new": [row("y", 0, 4, .1)]}}))
    return tmp_path


def change(path, **entries):
    """Change a video's detections in a file."""
    content = read(path)
    content["results"] |= entries
    path.write_text(json.dumps(content))


# ---- a detection file ---------------------------------------------------------------------------

@pytest.fixture
def evaluated(folder, capsys):
    code = evaluate("--detections", folder / "found.json", "--video_anno", folder / "gt.json",
                    "--short_seconds", 5, "--figures", "both")
    assert code == 0
    return folder, capsys.readouterr().out


def test_scores_are_written_beside_the_detections(evaluated):
    folder, said = evaluated
    scores = read(folder / "metrics.json")
    assert scores["ap_per_class"] == {"x": [.5] * 7, "y": [1] * 7}
    assert scores["mAP"] == [.75] * 7
    assert scores["average_mAP"] == {"0.1:0.7": .75, "0.3:0.7": .75}
    assert [scores[name] for name in ("dataset", "subset", "protocol", "num_videos",
                                      "num_ground_truth", "num_detections")] == [
        "custom", "test", "activitynet", 2, 3, 4]
    assert scores["short_actions"]["mAP"] == [1] * 7
    assert set(scores["AR@AN"]) == {"1", "5", "10", "100"}
    diagnosis = read(folder / "detad.json")
    assert diagnosis["average_mAP_N"] == pytest.approx(.75, abs=.05)
    assert diagnosis["videos_without_detections"] == ["w"]
    for name in (*FIGURES, "average_recall"):
        assert (folder / f"{name}.pdf").stat().st_size and (folder / f"{name}.png").stat().st_size
    # What is printed are the same numbers, on what they were computed, and what is odd.
    assert "75.00" in said and "4 detections against 3 actions of 2 classes in 2 videos" in said
    assert "DETAD: average mAP_N" in said and "actions are missed most: " in said
    for warning in ("1 detection is in 1 video that the ground truth lacks", "1 label",
                    "1 of 2 videos of the ground truth has no detections: w"):
        assert any(line.startswith("warning: ") and warning in line for line in said.splitlines())
    # And the numbers say where they come from.
    origin = scores["provenance"]
    assert origin["videos"] == 2 and origin["instances"] == 3 and len(origin["notes"]) == 3
    assert origin["ground_truth"] == str(folder / "gt.json")
    assert origin["detections"].endswith("found.json") and origin["settings"]["protocol"]
    assert "train_lr" not in origin["settings"] and origin["versions"]["numpy"]


def test_the_diagnosis_is_summed_up_as_a_finding():
    impact = {"double_detection": 0.01, "localization": 0.123, "background": 0.05}
    missed = {"XS": {"miss_rate": 0.4}, "M": {"miss_rate": 0.1}}
    found = {"average_mAP_N": 0.531, "false_positives": {"impact": impact},
             "false_negatives": {"length": missed}, "num_missed": [1, 3], "num_instances": 8}
    assert finding(found) == ("average mAP_N 53.10 %; localization errors cost most: 12.3 points; "
                              "the shortest actions are missed most: 40 %")
    nothing = {"false_positives": {"impact": dict.fromkeys(impact, 0.0)}, "false_negatives": {},
               "num_missed": [0, 0]}
    assert finding(found | nothing) == "average mAP_N 53.10 %; no kind of error costs anything"


@pytest.mark.parametrize("rates", [{"XS": 1.0, "M": 1.0}, {"M": 1.0}, {"XS": 0.997, "L": 1.0}, {}])
def test_no_length_is_named_if_all_are_missed_alike(rates):
    found = {"average_mAP_N": 0.0, "false_positives": {"impact": {"background": 0.0}},
             "false_negatives": {"length": {size: {"miss_rate": r} for size, r in rates.items()}},
             "num_missed": [400, 398], "num_instances": 400}
    assert finding(found) == "average mAP_N 0.00 %; 100 % of all actions are missed"


def test_the_length_that_is_missed_most_is_named():
    missed = {"XS": {"miss_rate": 0.4}, "M": {"miss_rate": 0.4}, "XL": {"miss_rate": 0.6}}
    found = {"average_mAP_N": 0.2, "false_positives": {"impact": {"background": 0.0}},
             "false_negatives": {"length": missed}, "num_missed": [2, 2], "num_instances": 4}
    assert "the longest actions are missed most: 60 %" in finding(found)


def test_proposals_without_labels_have_recall_alone(folder, capsys):
    rows = [{"score": 1 - i / 10, "segment": [0, 10 + i]} for i in range(5)]
    change(folder / "found.json", v=rows, new=[])
    out = folder / "out"
    assert evaluate("--detections", folder / "found.json", "--video_anno", folder / "gt.json",
                    "--output_path", out) == 0
    assert "mAP" not in read(out / "metrics.json") and read(out / "metrics.json")["AUC"] > 0
    assert not (out / "detad.json").exists()
    assert "5 proposals against 3 actions" in capsys.readouterr().out


def test_activitynet_results_may_have_v_before_their_videos(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "gt.json").write_text(json.dumps({"database": {
        "a": {**annotations(("x", 0, 10)), "subset": "validation"},
        "b": {**annotations(("x", 5, 9)), "subset": "validation"}}}))
    (folder / "found.json").write_text(json.dumps({"results": {
        "v_a": [row("x", 0, 10, .9)], "b": [row("x", 5, 9, .8)]}}))
    words = ("--detections", folder / "found.json", "--video_anno", folder / "gt.json")
    assert evaluate(*words, "--dataset", "activitynet") == 0
    scores = read(folder / "metrics.json")
    assert scores["mAP"] == [1] * 10
    assert any("1 of 2 videos of" in note for note in scores["provenance"]["notes"])
    said = capsys.readouterr().out
    assert "warning: 1 of 2 videos of" in said and "was renamed" in said
    # Names of other datasets mean what they say.
    assert evaluate(*words, "--subset", "validation", "--overwrite") == 0
    assert read(folder / "metrics.json")["mAP"] == [.25] * 7


def test_the_published_score_of_s_cnn(shared, tmp_path, capsys):
    real, thumos = shared / "real/scnn_detections", shared / "annotations/thumos14"
    truth = thumos / "thumos14_test_extra_characteristics.json"
    assert evaluate("--dataset", "thumos", "--protocol", "thumos14", "--video_anno", truth,
                    "--detad_anno", truth, "--ambiguous", real / "Ambiguous_test.txt",
                    "--detections", real / "THUMOS14_dets_nms0.4.json.gz",
                    "--output_path", tmp_path) == 0
    scores = read(tmp_path / "metrics.json")
    assert scores["mAP"][4] == pytest.approx(0.1897, abs=5e-5)
    assert scores["num_videos"] == 212 and "by name of the video" in scores["provenance"]["ties"]
    assert "video_test_0001292" in capsys.readouterr().out
    diagnosis = read(tmp_path / "detad.json")
    assert diagnosis["ground_truth"] == str(truth) and diagnosis["num_instances"] > 3300
    assert diagnosis["bucket_edges"]["length"].startswith("XS 0-3")


def test_detections_are_exported_for_other_tools(folder, capsys):
    words = ("--detections", folder / "found.json", "--video_anno", folder / "gt.json",
             "--output_path", folder / "out", "--export", "srt", "csv", "boris")
    change(folder / "found.json", new=[])
    (folder / "out").mkdir()
    assert evaluate(*words) == 0
    out = folder / "out/export"
    assert sorted(path.name for path in out.iterdir()) == ["detections.boris", "detections.csv",
                                                           "v.srt"]
    assert (out / "v.srt").read_text().endswith("00:00:00,000 --> 00:00:10,000\nx 0.90\n\n")
    assert "wrote 3 files: " in capsys.readouterr().out
    (out / "v.srt").write_text("corrected")
    assert evaluate(*words) == 2
    assert capsys.readouterr().err.endswith(
        "already exists, and may have been corrected since; --overwrite replaces what an "
        "earlier --export wrote\n")
    assert (out / "v.srt").read_text() == "corrected"
    assert evaluate(*words, "--overwrite") == 0
    assert "x 0.90" in (out / "v.srt").read_text()


def test_an_export_that_cannot_be_is_refused_before_anything_is_scored(folder, capsys):
    words = ("--detections", folder / "found.json", "--video_anno", folder / "gt.json")
    assert evaluate(*words, "--export", "xlsx") == 2
    assert ("--export xlsx is not one of csv, srt, vtt, elan, boris, labelstudio, audacity"
            in capsys.readouterr().err)
    assert evaluate(*words, "--export", "labelstudio") == 2
    command = capsys.readouterr().err.split("`")[1]
    assert not (folder / "metrics.json").exists()
    assert Prepare_data.main(command.replace("RATE", "25").split()[2:]) == 0
    assert (folder / "export/labelstudio_predictions.json").is_file()


# ---- the proposals of Infer.py ------------------------------------------------------------------

def infer(folder, rows, words, classes=("x", "y"), **stored):
    """Write proposals.h5 of {video: (segments, scores, labels)} as Infer.py would."""
    parts = [(Window(video, 0., 1., None, 100., None), Proposals(
        np.array(segments, np.float64), np.array(scores, np.float32),
        np.array(labels, np.int32))) for video, (segments, scores, labels) in rows.items()]
    config = parse_config("Infer", words)
    write_proposals(folder / "proposals.h5", parts,
                    settings(config) | {"classes": list(classes)} | stored)


def test_detections_are_made_of_proposals(folder, capsys):
    infer(folder, {"v": ([[0, 10], [0, 4], [0, 4.1]], [.5, .25, .125], [1, 2, 2]),
                   "w": ([[0, 40], [50, 50]], [.75, .5], [1, 1])},
          ["--dataset", "custom", "--recipe", "paper"])
    words = ("--output_path", folder, "--video_anno", folder / "gt.json")
    assert evaluate(*words) == 0
    found = read(folder / "detections_postNMS.json")
    assert found["results"]["w"] == [row("x", 0, 40, .75)]
    assert "version" not in found and list(found["results"]) == ["v", "w"]
    scores = read(folder / "metrics.json")
    assert scores["mAP"] == [1] * 7 and "AR@AN" not in scores and scores["dataset"] == "custom"
    assert scores["provenance"]["settings"]["nms_alpha_detect"] == .46
    assert "warning" not in capsys.readouterr().out
    # What is written may be less than what is scored.
    assert evaluate(*words, "--min_score", .3, "--top", 1) == 0
    assert read(folder / "detections_postNMS.json")["results"] == {
        "v": [row("x", 0, 10, .5)], "w": [row("x", 0, 40, .75)]}
    assert read(folder / "metrics.json")["num_detections"] == scores["num_detections"]
    assert evaluate(*words, "--min_score", "auto") == 2
    assert "history.json recommends no score" in capsys.readouterr().err
    # With another suppression, and no new inference.
    assert evaluate(*words, "--nms_alpha_detect", 1e-4, "--max_detections", 1, "--overwrite") == 0
    assert [len(rows) for rows in read(folder / "detections_postNMS.json")["results"].values()] == [
        1, 1]


@pytest.mark.parametrize("words, csv, srt", [
    ((), [.5, .25, .75, .125], [.5, .75]),                          # srt: from 0.3 on
    (("--min_score", .2), [.5, .25, .75], [.5, .25, .75]),
    (("--top", 1), [.5, .75], [.5, .75]),
    (("--min_score", .6, "--top", 1), [.75], [.75]),
])
@pytest.mark.parametrize("recommended", [None, .75])
def test_an_export_is_cut_as_it_says(folder, words, csv, srt, recommended):
    """--min_score and --top decide, or what the training recommends for other tools' files.

    They apply before anything is rounded; the scores stay those of all detections.
    """
    infer(folder, {"v": ([[0, 10], [20, 24]], [.5, .25], [1, 2]),
                   "w": ([[0, 40], [60, 70]], [.75, .125], [1, 2])},
          ["--dataset", "custom", "--recipe", "paper"], epoch=1)
    if recommended is not None:
        (folder / "history.json").write_text(json.dumps(
            [{"epoch": 1, "train": {"total": 1}, "val": {"total": 1, "threshold": recommended}}]))
        srt = srt if "--min_score" in words else [.75]
    assert evaluate("--output_path", folder, "--video_anno", folder / "gt.json", "--export", "csv",
                    "srt", *words) == 0
    table = pd.read_csv(folder / "export/detections.csv")
    assert sorted(table["score"]) == sorted(csv) and set(table["video"]) <= {"v", "w"}
    shown = [float(line.text.split()[-1]) for path in (folder / "export").glob("*.srt")
             for line in pysubs2.load(str(path))]
    assert sorted(shown) == pytest.approx(sorted(srt), abs=.006)
    assert read(folder / "metrics.json")["num_detections"] == 4


def test_proposals_without_classes_need_a_classifier(folder, capsys):
    (folder / "gt.json").write_text(json.dumps({"database": {
        "a": {**annotations(("x", 0, 10)), "subset": "validation"}}}))
    infer(folder, {"v_a": ([[0, .1], [.5, .5]], [.5, .75], [0, 0])}, ["--dataset", "activitynet"])
    words = ("--output_path", folder, "--video_anno", folder / "gt.json")
    assert evaluate(*words) == 0
    assert read(folder / "proposals_postNMS.json")["results"] == {
        "a": [{"score": .5, "segment": [0, 10]}]}
    scores = read(folder / "metrics.json")
    assert scores["AR@AN"]["100"] == 1 and "mAP" not in scores
    assert "no video-level scores" in capsys.readouterr().out
    assert not (folder / "detections_postNMS.json").exists()
    (folder / "classifier.json").write_text(json.dumps({
        "results": {"a": [.25, .75]}, "class": ["y", "x"]}))
    assert evaluate(*words, "--video_scores", folder / "classifier.json") == 0
    assert read(folder / "detections_postNMS.json")["results"] == {"a": [row("x", 0, 10, .375)]}
    scores = read(folder / "metrics.json")
    assert scores["average_mAP"] == {"0.5:0.95": 1} and scores["AR@AN"]["100"] == 1


def test_no_proposals_at_all_score_0(folder):
    infer(folder, {"v": (np.zeros((0, 2)), [], [])}, ["--dataset", "custom", "--recipe", "paper"])
    assert evaluate("--output_path", folder, "--video_anno", folder / "gt.json") == 0
    assert read(folder / "metrics.json")["mAP"] == [0] * 7


def test_a_sweep_says_what_it_was_computed_on(folder, capsys):
    infer(folder, {"v": ([[0, 10], [0, 4], [20, 24]], [.5, .25, .75], [1, 2, 1]),
                   "w": ([[0, 40]], [.75], [1])}, ["--dataset", "custom", "--recipe", "paper"])
    words = ("--output_path", folder, "--video_anno", folder / "gt.json")
    assert evaluate(*words, "--sweep", "max_detections=1,3", "nms_alpha_detect=0.3") == 0
    content = read(folder / "sweep.json")
    assert [row["settings"] for row in content["tried"]] == [
        {"max_detections": 1, "nms_alpha_detect": .3}, {"max_detections": 3,
                                                        "nms_alpha_detect": .3}]
    # The same numbers, from the same things, as Eval.py with these settings.
    assert not (folder / "metrics.json").exists()
    assert evaluate(*words, "--max_detections", 3, "--nms_alpha_detect", .3, "--overwrite") == 0
    scores = read(folder / "metrics.json")
    assert content["tried"][1]["scores"] == scores["average_mAP"]
    assert content["tried"][0]["scores"]["0.1:0.7"] < scores["average_mAP"]["0.1:0.7"]
    mine, its = content["provenance"], scores["provenance"]
    assert set(its["settings"]) - set(mine["settings"]) == {"max_detections", "nms_alpha_detect"}
    assert mine["settings"].items() <= its["settings"].items() and mine["instances"] == 3
    for name in ("ground_truth", "detections", "subset", "videos", "ties", "versions", "notes"):
        assert mine[name] == its[name]
    assert "git_commit" in mine
    assert "max_detections 3" in capsys.readouterr().out


# ---- refusals -----------------------------------------------------------------------------------

def refusal(capsys, *words):
    """The one sentence with which Eval.py ends."""
    assert evaluate(*words) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    return said


def test_broken_detection_files(folder, capsys):
    words = ("--video_anno", folder / "gt.json", "--detections", folder / "found.json")
    for content, message in (("", "line 1, column 1"), ('{"results": 3}', 'no object "results"'),
                             ('{"results": {"v": [{"label": "x"}]}}', "has no 'score'"),
                             ('{"results": {"v": [{"label": "x", "score": NaN, '
                              '"segment": [0, 1]}]}}', "expected a finite number")):
        (folder / "found.json").write_text(content)
        assert message in refusal(capsys, *words)
    assert not (folder / "metrics.json").exists()
    (folder / "found.json").unlink()
    assert "no detection file at" in refusal(capsys, *words)


def test_ground_truths_that_cannot_be_scored(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    words = ("--detections", folder / "found.json")
    assert "name it with --video_anno" in refusal(capsys, *words)
    words += ("--video_anno", folder / "gt.json")
    assert "no video is in subset val; the annotations have" in refusal(capsys, *words,
                                                                        "--subset", "val")
    assert "nothing to score, since no video of subset training (1 in all)" in refusal(
        capsys, *words, "--subset", "train")


def test_broken_side_files(folder, capsys):
    words = ("--detections", folder / "found.json", "--video_anno", folder / "gt.json")
    (folder / "side").write_text("one two\n")
    assert "side, line 1: expected `video start end`" in refusal(
        capsys, *words, "--protocol", "thumos14", "--ambiguous", folder / "side")
    assert "line 1, column 1" in refusal(capsys, *words, "--detad_anno", folder / "side")


def test_proposals_that_cannot_be_used(folder, capsys):
    words = ("--output_path", folder, "--video_anno", folder / "gt.json")
    assert "no proposals at" in refusal(capsys, *words)
    rows = {"v": ([[0, 10]], [.5], [3])}
    infer(folder, rows, ["--dataset", "custom", "--recipe", "paper"])
    assert "the proposals have labels 3 to 3" in refusal(capsys, *words)
    assert "--num_levels 4 contradicts" in refusal(capsys, *words, "--num_levels", 4)
    assert "--video_scores" in refusal(capsys, *words, "--video_scores", folder / "none.json")
    write_proposals(folder / "proposals.h5", [], settings(parse_config("Infer", [])))
    assert "does not say its classes" in refusal(capsys, *words)


def test_frames_of_a_video_are_needed_to_floor_its_duration(folder, capsys):
    (folder / "video_info_new.csv").write_text("video,numFrame,subset\nother,3,validation\n")
    infer(folder, {name: ([[0, .5]], [.5], [0]) for name in ("v", "other")},
          ["--dataset", "activitynet"])
    (folder / "gt.json").write_text(json.dumps({"database": {
        "other": {**annotations(("x", 0, 10)), "subset": "validation"}}}))
    assert "has no frames of v" in refusal(
        capsys, "--output_path", folder, "--video_anno", folder / "gt.json", "--video_info",
        folder / "video_info_new.csv", "--floor_duration")


# ---- the report ---------------------------------------------------------------------------------

def page_of(path):
    """The data in a report."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text.split('type="application/json">')[1].split("</script>")[0])


def test_figures_are_drawn_as_asked_and_named_in_the_report(folder):
    words = ("--detections", folder / "found.json", "--video_anno", folder / "gt.json")
    for kind, endings in (("none", set()), ("png", {".png"}), ("pdf", {".pdf"})):
        out = folder / kind
        assert evaluate(*words, "--output_path", out, "--figures", kind) == 0
        drawn = {path.name for path in out.iterdir() if path.suffix in (".png", ".pdf")}
        beside = {group["stem"] + ending
                  for part in page_of(out / "report.html")["sections"]["scores"]
                  if part["type"] == "files"
                  for group in part["groups"] for ending in group["endings"]}
        assert beside == drawn
        assert {name[-4:] for name in drawn} == endings and len(drawn) in (0, 7)


def test_the_report_names_its_run_and_links_its_videos(folder, capsys):
    films = folder / "films"
    films.mkdir()
    (films / "v.mp4").write_bytes(b"")
    words = ("--detections", folder / "found.json", "--video_anno", folder / "gt.json",
             "--output_path", folder / "output_mine")
    assert evaluate(*words, "--video_folder", films, "--tiou", ".5") == 0
    data = page_of(folder / "output_mine" / "report.html")
    assert data["links"] == [["v", "../films/v.mp4"]] and data["title"]["run"] == "mine"
    first = data["sections"]["settings"][0]
    assert first["title"] == "Settings that differ from the preset"
    assert "tiou" in [name for name, _ in first["parts"][0]["entries"]]
    capsys.readouterr()
    assert evaluate(*words, "--video_folder", folder / "nowhere", "--overwrite") == 2
    assert "no folder" in capsys.readouterr().err


def test_two_runs_are_compared_and_the_remedies_of_refusals_work(folder, capsys):
    words = ("--detections", folder / "found.json", "--video_anno", folder / "gt.json")
    first, second, out = folder / "a", folder / "b", folder / "compared"
    assert evaluate(*words, "--output_path", first) == 0
    assert evaluate("--compare", first, second, "--output_path", out) == 2
    refused = capsys.readouterr().err
    assert f"{second} has no metrics.json; run Eval.py --output_path {second} first" in refused
    change(folder / "found.json", w=[row("x", 0, 40, .95)])
    assert evaluate(*words, "--output_path", second, "--tiou", ".5") == 0
    assert evaluate("--compare", first, second, "--output_path", out) == 2
    assert "--tiou" in capsys.readouterr().err
    assert evaluate(*words, "--output_path", second, "--overwrite", "--tiou", *read(
        first / "metrics.json")["tiou_thresholds"]) == 0
    capsys.readouterr()
    # The file has changed since a was scored.
    assert evaluate("--compare", first, second, "--output_path", out) == 2
    assert f"run Eval.py on them again, with --output_path {first}" in capsys.readouterr().err
    assert evaluate(*words, "--output_path", first) == 0
    capsys.readouterr()
    assert evaluate("--compare", first, second, "--output_path", out) == 0
    said = capsys.readouterr().out
    assert "b and a do not differ by more than chance" in said and "report: " in said
    assert page_of(out / "report.html")["runs"] == ["a", "b"]


def test_without_figures_neither_matplotlib_nor_torch_is_imported(folder):
    code = ("import sys, Eval; assert Eval.main(sys.argv[1:]) == 0; "
            "print([name for name in ('matplotlib', 'torch') if name in sys.modules])")
    done = subprocess.run(
        [sys.executable, "-c", code, "--detections", folder / "found.json", "--video_anno",
         folder / "gt.json"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
