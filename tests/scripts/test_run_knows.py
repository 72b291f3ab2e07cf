"""A run knows where its data are and how it was made: scripts use that, or refuse."""

import json
import shutil

import pytest

from tests.small_run import MAINS, make_run, places, refusal


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    make_run(folder)
    return folder


@pytest.fixture
def run(made, tmp_path):
    """A copy of the run, whose config.json still tells where the data are."""
    return shutil.copytree(made, tmp_path / "run")


def call(script, *words):
    return MAINS[script]([str(word) for word in words])


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name != ".lock"}


def test_infer_and_eval_need_only_the_folder_of_the_run(run, made, capsys):
    assert call("Infer", "--checkpoint_path", run / "run", "--output_path", run / "new",
                "--device", "cpu") == 0
    assert call("Eval", "--output_path", run / "new") == 0
    first, again = (json.loads((folder / "metrics.json").read_text())
                    for folder in (run / "out", run / "new"))
    assert again["mAP"] == first["mAP"]
    assert again["provenance"]["ground_truth"] == str(made / "data" / "annotations.json")


@pytest.mark.parametrize(("script", "words", "sentence"), [
    ("Eval", ("--dataset", "demo"), "--dataset demo contradicts"),
    ("Infer", ("--dataset", "thumos"), "--dataset thumos contradicts"),
    ("Eval", ("--nms_thr", "0.9"), "--nms_thr 0.9 contradicts"),
    ("Eval", ("--score_threshold", "0.9"), "--score_threshold 0.9 contradicts"),
    ("Eval", ("--num_epoch", "99"), "--num_epoch 99 contradicts"),
    ("Eval", ("--nms_alpha_detect", "0.3"), "was scored with --nms_alpha_detect 0.46, this run "
     "has --nms_alpha_detect 0.3; --overwrite replaces it, another --output_path leaves it alone"),
    ("Eval", ("--tiou", "0.5"), "was scored with --tiou 0.1 0.2"),
    ("Eval", ("--ambiguous", "absent.txt"), "--ambiguous absent.txt: there is no such file"),
    ("Infer", ("--nms_thr", "0.9"), "was made with --nms_thr 0.4, this run has --nms_thr 0.9"),
])
def test_what_contradicts_the_run_or_its_results_is_refused_and_nothing_written(
        run, capsys, script, words, sentence):
    before = contents(run)
    assert call(script, *places(run)[4:] if script == "Infer" else ("--output_path", run / "out"),
                *words) == 2
    assert sentence in refusal(capsys.readouterr()) and contents(run) == before


def test_the_remedies_of_a_result_of_other_settings_work(run):
    words = ("--output_path", run / "out", "--nms_alpha_detect", "0.3")
    before = contents(run)
    assert call("Eval", "--config", run / "out" / "config.json", "--nms_alpha_detect", "0.3",
                "--output_path", run / "elsewhere") == 0
    assert {path: value for path, value in contents(run).items() if path in before} == before
    assert (run / "elsewhere" / "report.html").is_file()
    assert call("Eval", *words, "--overwrite") == 0
    assert call("Eval", *words) == 0              # the same again is no other result


def test_one_config_file_serves_every_script(run, made):
    for script in ("Cut", "Train", "Infer", "Eval"):
        file = run / ("out" if script == "Eval" else "run") / "config.json"
        extra = ("--output_path", run / "out") if script in ("Infer", "Eval") else ()
        assert call(script, "--config", file, "--window_path", run / "windows",
                    "--checkpoint_path", run / "run", *extra, "--overwrite") == 0


def test_a_cosine_is_not_continued_beyond_its_plan(run, capsys):
    words = ["--config", run / "run" / "config.json", "--checkpoint_path", run / "cosine",
             "--schedule", "cosine", "--device", "cpu"]
    assert call("Train", *words) == 0
    capsys.readouterr()
    assert call("Train", *words, "--resume", "--num_epoch", "2") == 2
    said = refusal(capsys.readouterr())
    assert "was planned for 1 epoch:" in said and "--overwrite" in said
    assert call("Train", *words, "--overwrite", "--num_epoch", "2") == 0


def test_features_of_another_width_have_a_remedy_that_is_none_for_training(run, capsys, tmp_path):
    make_run(tmp_path / "other", change=lambda database, arrays: arrays.pop("flow"))
    capsys.readouterr()
    words = (*places(run), "--video_anno", run / "data" / "annotations.json")
    assert call("Infer", *words, "--feature_path", tmp_path / "other" / "data") == 2
    said = refusal(capsys.readouterr())
    assert "the network was trained on 5" in said and "--input_feat_dim" not in said
