"""run_vsgn.sh: which steps it runs with which flags, what it refuses, how it sets itself up.

It runs here in a tree of its own, where scripts that record how they were called stand
in for Cut_long_videos.py, Train.py, Infer.py and Eval.py; test_demo_end_to_end.py runs
the real ones.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from Utils.video.listing import ENDINGS

ROOT = Path(__file__).parents[2]
CUT, TRAIN, INFER, EVAL = "Cut_long_videos", "Train", "Infer", "Eval"
EXTRACT = "Extract_features"

RECORDER = """
import json, os, sys
from pathlib import Path

name = Path(sys.argv[0]).stem
with open("steps.jsonl", "a") as steps:
    print(json.dumps([name, sys.argv[1:]]), file=steps)
sys.exit(int(os.environ.get("EXIT_" + name, 0)))
"""

# signal.pause() would sleep through a signal that comes right before it.
FOR_EVER = "while True: time.sleep(0.05)"

SLEEPER = f"""
import os, signal, sys, time
from pathlib import Path

def stop(signum, frame):
    Path("stopped").touch()
    sys.exit(130)

signal.signal(signal.SIGTERM, stop)
Path("pid").write_text(str(os.getpid()))
Path("pid").rename("started")
{FOR_EVER}
"""


class Tree:
    """A copy of what run_vsgn.sh needs, and the folder it is called from."""

    def __init__(self, folder):
        self.root, self.here = folder / "the project", folder / "here"
        self.here.mkdir()
        (self.root / "Utils").mkdir(parents=True)
        for name in ("run_vsgn.sh", "Utils/packages.py"):
            shutil.copy(ROOT / name, self.root / name)
        for name in (EXTRACT, CUT, TRAIN, INFER, EVAL):
            (self.root / f"{name}.py").write_text(RECORDER)
        self.need()

    def need(self, *dependencies):
        """Make pyproject.toml ask for these."""
        (self.root / "pyproject.toml").write_text(
            f"[project]\ndependencies = {json.dumps(dependencies)}\n"
            "[project.optional-dependencies]\ntest = []\nvideo = []\n")

    def offer(self, version):
        """Make requirements.txt install this version of the package `tiny`, from a file."""
        wheel = self.root / f"tiny-{version}-py3-none-any.whl"
        info = f"tiny-{version}.dist-info"
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr("tiny.py", "")
            file.writestr(f"{info}/METADATA",
                          f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
            file.writestr(f"{info}/WHEEL",
                          "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            file.writestr(f"{info}/RECORD", "")
        (self.root / "requirements.txt").write_text(f"tiny @ {wheel.as_uri()}\n")

    def start(self, *words, **environment):
        known = {key: value for key, value in os.environ.items()
                 if key not in ("DATASET", "DATA_PATH") and not key.startswith("OMP_")}
        return subprocess.Popen(
            ["bash", str(self.root / "run_vsgn.sh"), *words], cwd=self.here, text=True,
            env={**known, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *words, code=0, **environment):
        """Call run_vsgn.sh; checks its exit code and gives stdout and stderr together."""
        process = self.start(*words, **environment)
        out, err = process.communicate()
        assert process.returncode == code, out + err
        return out + err

    @property
    def steps(self):
        """[(script, its arguments)] in the order they were called."""
        path = self.here / "steps.jsonl"
        return [tuple(json.loads(line)) for line in path.read_text().splitlines()
                ] if path.exists() else []

    @property
    def scripts(self):
        return [script for script, _ in self.steps]

    def put(self, *paths, text=""):
        for path in paths:
            (self.here / path).parent.mkdir(parents=True, exist_ok=True)
            (self.here / path).write_text(text)

    def put_lists(self, text='{"settings": {}, "windows": []}', name="demo"):
        self.put(*(f"windows/{name}/{kind}.json" for kind in ("train", "val", "infer")), text=text)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def value(arguments, flag):
    """The last value of a flag, which is the one that counts."""
    return arguments[len(arguments) - arguments[::-1].index(flag)]


@pytest.mark.parametrize(("verb", "scripts"), [
    ("traininfereval", [CUT, TRAIN, INFER, EVAL]),
    ("traininfer", [CUT, TRAIN, INFER]),
    ("train", [CUT, TRAIN]),
    ("infer", [INFER]),
    ("eval", [EVAL]),
    ("cut", [CUT]),
])
def test_a_verb_runs_its_steps_in_order(tree, verb, scripts):
    tree.run(verb)
    assert tree.scripts == scripts


def test_the_demo_is_the_default_and_names_the_run(tree):
    tree.run("infer")
    assert tree.steps == [(INFER, [
        "--dataset", "demo", "--window_path", "windows/demo", "--checkpoint_path",
        "checkpoint_demo", "--output_path", "output_demo"])]


def test_name_flags_and_environment_are_passed_on(tree):
    tree.run("infer", "mine", "--nms_thr", "0.3", "--no-use_VSS", DATASET="thumos",
             DATA_PATH="a folder")
    assert tree.steps == [(INFER, [
        "--dataset", "thumos", "--feature_path", "a folder", "--window_path", "windows/mine",
        "--checkpoint_path", "checkpoint_mine", "--output_path", "output_mine",
        "--nms_thr", "0.3", "--no-use_VSS"])]


def test_a_step_gets_the_folders_that_it_reads(tree):
    tree.run("traininfereval", "mine", DATASET="thumos", DATA_PATH="features")
    folders = {script: [word for word in arguments if word.endswith("_path")]
               for script, arguments in tree.steps}
    assert folders == {CUT: ["--feature_path", "--window_path"],
                       TRAIN: ["--feature_path", "--window_path", "--checkpoint_path"],
                       INFER: ["--feature_path", "--window_path", "--checkpoint_path",
                               "--output_path"],
                       EVAL: ["--feature_path", "--output_path"]}


def test_a_run_knows_its_data_set_and_its_features(tree):
    said = tree.run("eval", "mine") + tree.run("infer", "mine")
    assert "dataset of the run" in said
    assert tree.steps == [
        (EVAL, ["--output_path", "output_mine"]),
        (INFER, ["--window_path", "windows/mine", "--checkpoint_path", "checkpoint_mine",
                 "--output_path", "output_mine"])]


def test_a_given_dataset_is_left_for_the_script_to_check_against_the_run(tree):
    tree.run("eval", "mine", DATASET="thumos")
    assert tree.steps == [(EVAL, ["--dataset", "thumos", "--output_path", "output_mine"])]


def test_scores_may_go_elsewhere_and_the_run_stays_where_it_is(tree):
    tree.put("output_mine/config.json", text="{}")
    tree.run("eval", "mine", "--output_path", "new")
    [(_, arguments)] = tree.steps
    assert value(arguments, "--config") == "output_mine/config.json"
    assert value(arguments, "--output_path") == "new"


def test_an_argument_with_a_dash_is_a_flag_not_a_name(tree):
    tree.run("infer", "--seed", "3")
    [(_, arguments)] = tree.steps
    assert value(arguments, "--checkpoint_path") == "checkpoint_demo"
    assert value(arguments, "--seed") == "3"


def test_flags_win_over_the_environment(tree):
    tree.run("infer", "--dataset", "custom", "--feature_path=mine", "--output_path", "there",
             DATASET="thumos", DATA_PATH="theirs")
    [(_, arguments)] = tree.steps
    assert value(arguments, "--dataset") == "custom"
    assert value(arguments, "--checkpoint_path") == "checkpoint_custom"
    assert value(arguments, "--output_path") == "there"
    assert value(arguments, "--feature_path") == "mine"


def test_a_data_path_without_a_dataset_means_activitynet_and_says_so(tree):
    assert "using activitynet, the default" in tree.run("infer", DATA_PATH="features")
    [(_, arguments)] = tree.steps
    assert value(arguments, "--dataset") == "activitynet"


@pytest.mark.parametrize("dataset", ["thumos", "activitynet", "custom"])
def test_a_data_set_without_its_features_is_refused(tree, dataset):
    said = tree.run("train", code=2, DATASET=dataset)
    assert f"error: dataset {dataset} needs its features: set DATA_PATH" in said
    assert tree.steps == []


@pytest.mark.parametrize(("words", "environment", "sentence"), [
    ([], {}, "usage:"),
    (["trian"], {}, "unknown verb trian; one of traininfereval"),
    (["train"], {"DATASET": "kinetics"}, "unknown dataset kinetics; DATASET is thumos"),
    (["train", "../elsewhere"], {}, "the name of a run cannot be '../elsewhere'"),
    (["train", ""], {}, "the name of a run cannot be ''"),
    (["train", "a\nb"], {}, "the name of a run cannot be 'a?b'"),
])
def test_mistakes_are_a_sentence_and_a_2(tree, words, environment, sentence):
    assert sentence in tree.run(*words, code=2, **environment)
    assert tree.steps == []


# files that are there, words, environment, the remedy in the message, and what it makes of the two
@pytest.mark.parametrize(("there", "words", "environment", "remedy", "follow"), [
    ([], ["train"], {"DATASET": "custom"}, r"set (DATA_PATH) to their folder",
     lambda words, environment, named: (words, environment | {named: "features"})),
    ([], ["train"], {"DATASET": "thumos"}, r"or leave (DATASET) unset for the demo data",
     lambda words, environment, named: (words, {})),
    ([], ["trian"], {}, r"unknown verb trian; one of (\w+),",
     lambda words, environment, named: ([named], environment)),
    ([], ["train"], {"DATASET": "kinetics"}, r"DATASET is \w+, \w+, \w+, (\w+) or",
     lambda words, environment, named: (words, {"DATASET": named})),
    ([], ["train", "a/b"], {}, r"cannot be 'a/(b)'; .* one without a slash",
     lambda words, environment, named: (["train", named], environment)),
    (["checkpoint_demo/best.pth.tar"], ["train"], {}, r"(--resume) continues it",
     lambda words, environment, named: ([*words, named], environment)),
    (["checkpoint_demo/best.pth.tar"], ["train"], {}, r"(--overwrite) replaces it",
     lambda words, environment, named: ([*words, named], environment)),
    (["checkpoint_demo/best.pth.tar"], ["train"], {}, r"(another) name leaves it alone",
     lambda words, environment, named: ([*words, named], environment)),
    (["features/a.npy"], ["train"], {"DATA_PATH": "features"}, r"DATASET=(custom) is for your own",
     lambda words, environment, named: (words, environment | {"DATASET": named})),
])
def test_what_a_message_says_to_do_is_done(tree, there, words, environment, remedy, follow):
    tree.put(*there)
    code = 0 if environment.keys() == {"DATA_PATH"} else 2      # where it is only a note
    named = re.search(remedy, tree.run(*words, code=code, **environment))
    (tree.here / "steps.jsonl").unlink(missing_ok=True)
    words, environment = follow(words, environment, named[1])
    said = tree.run(*words, **environment)
    assert TRAIN in tree.scripts and not re.search(remedy, said)


def test_help_explains_and_succeeds(tree):
    assert "DATA_PATH  folder of the features" in tree.run("help")


def test_the_first_failure_ends_it_with_its_code(tree):
    said = tree.run("traininfereval", code=3, EXIT_Train="3")
    assert tree.scripts == [CUT, TRAIN]
    assert "Train.py ended with exit code 3; stopping here" in said


def test_lists_that_are_there_are_not_cut_again(tree):
    tree.put_lists()
    tree.run("train")
    assert tree.scripts == [TRAIN]


@pytest.mark.parametrize("kind", ["train", "val", "infer"])
def test_a_missing_list_is_cut(tree, kind):
    tree.put_lists()
    (tree.here / "windows/demo" / f"{kind}.json").unlink()
    tree.run("train")
    assert tree.scripts == [CUT, TRAIN]


def test_overwriting_cuts_again_but_keeps_lists_of_others(tree):
    tree.put_lists()
    tree.run("train", "--overwrite")
    tree.put_lists(text="[]")
    tree.run("train", "--overwrite")
    assert tree.scripts == [CUT, TRAIN, TRAIN]


@pytest.mark.parametrize("file", ["checkpoint_demo/checkpoint.pth.tar",
                                  "checkpoint_demo/best.pth.tar", "output_demo/proposals.h5",
                                  "output_demo/metrics.json"])
def test_an_earlier_run_is_neither_replaced_nor_resumed_unasked(tree, file):
    tree.put(file)
    said = tree.run("traininfereval", code=2)
    assert f"{file} belongs to an earlier run" in said and tree.steps == []
    assert "--resume" in said and "--overwrite" in said
    tree.run("traininfereval", "another")
    assert tree.scripts == [CUT, TRAIN, INFER, EVAL]


@pytest.mark.parametrize("flag", ["--resume", "--overwrite"])
def test_resume_and_overwrite_are_left_to_the_scripts(tree, flag):
    tree.put("checkpoint_demo/checkpoint.pth.tar")
    tree.put_lists()
    tree.run("traininfereval", flag)
    assert [flag in arguments for _, arguments in tree.steps if _ != CUT] == [True] * 3


def test_infer_and_eval_may_be_done_again(tree):
    tree.put("checkpoint_demo/best.pth.tar", "output_demo/proposals.h5", "output_demo/metrics.json")
    tree.run("infer")
    tree.run("eval")
    assert tree.scripts == [INFER, EVAL]


def test_training_alone_does_not_mind_earlier_results(tree):
    tree.put("output_demo/metrics.json")
    tree.run("train")
    assert tree.scripts == [CUT, TRAIN]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_the_step_that_runs_and_all_after_it(tree, sent):
    (tree.root / "Train.py").write_text(SLEEPER)
    tree.put_lists()
    process = tree.start("traininfereval")
    while not (tree.here / "started").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(sent)
    try:
        process.communicate()
    finally:
        if not (tree.here / "stopped").exists():
            os.kill(int((tree.here / "started").read_text()), signal.SIGKILL)
    assert process.returncode == 130
    assert (tree.here / "stopped").exists() and tree.steps == []


@pytest.mark.parametrize("code", [0, 1, 129])
def test_a_signal_means_130_whatever_the_step_makes_of_it(tree, code):
    (tree.root / f"{CUT}.py").write_text(
        f"import signal, sys, time; signal.signal(15, lambda *_: sys.exit({code}))\n"
        + RECORDER.replace("sys.exit(", f"os.kill(os.getppid(), 1)\n{FOR_EVER}\nsys.exit("))
    said = tree.run("traininfereval", code=130)
    assert tree.scripts == [CUT] and f"{CUT}.py ended with exit code 130" in said


def test_a_signal_at_the_end_of_a_step_is_not_lost(tree):
    (tree.root / f"{CUT}.py").write_text(
        "import signal; signal.signal(15, signal.SIG_IGN)"
        + RECORDER.replace("sys.exit(", "os.kill(os.getppid(), 15); sys.exit("))
    said = tree.run("traininfereval", code=130)
    assert tree.scripts == [CUT] and f"{CUT}.py ended with exit code 130" in said


def test_a_signal_that_the_caller_ignores_stops_nothing(tree):
    (tree.root / f"{CUT}.py").write_text(
        RECORDER.replace("sys.exit(", "os.kill(os.getppid(), 1); sys.exit("))
    done = subprocess.run(["nohup", "bash", str(tree.root / "run_vsgn.sh"), "traininfer"],
                          cwd=tree.here, capture_output=True, text=True)
    assert done.returncode == 0 and tree.scripts == [CUT, TRAIN, INFER], done.stdout + done.stderr


def test_a_log_that_nobody_reads_stops_nothing(tree):
    process = tree.start("traininfereval")
    process.stdout.close()
    assert process.wait() == 0
    assert tree.scripts == [CUT, TRAIN, INFER, EVAL] and process.stderr.read() == ""
    process.stderr.close()


def test_run_vsgn_finds_its_own_folder_whatever_cdpath_says(tree):
    """CDPATH leads cd astray, and makes it say where it went."""
    (tree.here / "the project").mkdir()
    done = subprocess.run(["bash", "the project/run_vsgn.sh", "eval", "--output_path", "out"],
                          cwd=tree.root.parent, capture_output=True, text=True,
                          env={**os.environ, "CDPATH": str(tree.here), "PYTHONSAFEPATH": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tree.root.parent / "steps.jsonl").read_text())[0] == EVAL
    assert not any("\n" in path.name for path in tree.root.parent.rglob("*"))


def test_an_environment_is_made_when_needed_and_then_kept(tree):
    tree.need("tiny>=1.2")
    tree.offer("1.2.3")
    said = tree.run("eval")
    assert "lacks tiny>=1.2" in said and "installing" in said
    python = tree.root / ".venv/bin/python"
    assert subprocess.run([python, "-c", "import tiny"]).returncode == 0

    said = tree.run("eval")
    assert f"using {python}" in said and "installing" not in said

    tree.need("tiny>=1.10")
    tree.offer("1.10")
    said = tree.run("eval")
    assert "lacks tiny>=1.10 (has 1.2.3)" in said and "making" not in said
    assert tree.scripts == [EVAL] * 3


def test_an_environment_without_pip_gets_it_and_a_failed_installation_ends_it(tree):
    venv = tree.root / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    tree.need("tiny>=2")
    (tree.root / "requirements.txt").write_text("./absent-2.0-py3-none-any.whl\n")
    said = tree.run("eval", code=2)
    assert "error: the packages could not be installed" in said and tree.steps == []


# ---- folders of videos --------------------------------------------------------------------------

def test_a_folder_of_videos_is_extracted_first(tree):
    tree.put("clips/in/a.MP4", "clips/notes.txt", "my.json")
    said = tree.run("traininfereval", "mine", "--video_anno", "my.json", "--extractor=s3d",
                    "--workers", "3", "--feature_fps", "10", "--num_epoch", "2", "--overwrite",
                    DATASET="custom", DATA_PATH="clips")
    assert "dataset custom in data/mine/features" in said
    assert tree.scripts == [EXTRACT, CUT, TRAIN, INFER, EVAL]
    steps = dict(tree.steps)
    assert steps[EXTRACT] == ["clips", "--out", "data/mine/features", "--extractor=s3d",
                              "--workers", "3", "--feature_fps", "10", "--overwrite"]
    for script in (CUT, TRAIN, INFER, EVAL):
        words = " ".join(steps[script])
        assert "--dataset custom" in words and "--feature_path data/mine/features" in words
        assert "--feature_fps 10" in words and "--num_epoch 2" in words
        assert "extractor" not in words and "workers" not in words
    assert value(steps[EVAL], "--video_folder") == "clips" and "clips" not in steps[INFER]


def test_bad_videos_stop_the_run_unless_they_may_be_missing(tree):
    tree.put("clips/a.mp4")
    words = ("traininfereval", "mine", "--dataset", "custom", "--feature_path", "clips")
    said = tree.run(*words, code=1, EXIT_Extract_features="1")
    assert "go on without them: --skip_missing" in said and tree.scripts == [EXTRACT]
    tree.run(*words, "--skip_missing", EXIT_Extract_features="1")
    assert tree.scripts == [EXTRACT, EXTRACT, CUT, TRAIN, INFER, EVAL]
    assert "--skip_missing" in dict(tree.steps)[TRAIN]
    assert "--skip_missing" not in dict(tree.steps)[EXTRACT]
    tree.run(*words, "--skip_missing", code=2, EXIT_Extract_features="2")


def test_annotations_beside_the_videos_are_found(tree):
    tree.put("clips/a.mkv", "clips/annotations.json")
    tree.run("train", "mine", "--dataset", "custom", "--feature_path", "clips")
    assert tree.scripts == [EXTRACT, CUT, TRAIN]
    words = " ".join(dict(tree.steps)[TRAIN])
    assert "--video_anno clips/annotations.json" in words and words.count("--feature_path") == 1


def test_features_are_not_taken_for_videos(tree):
    tree.put("clips/a.mp4", "clips/a.npy", "streams/rgb/a.npy", "streams/rgb/a.mp4")
    for folder in ("clips", "streams"):
        tree.run("cut", DATASET="custom", DATA_PATH=folder)
    assert tree.scripts == [CUT, CUT]


def test_evaluating_extracts_nothing(tree):
    tree.put("clips/a.mp4")
    tree.run("eval", "mine", "--video_folder", "other", DATASET="custom", DATA_PATH="clips")
    (script, words), = tree.steps
    assert script == EVAL and words.count("--video_folder") == 1 and "other" in words


def test_demo_videos_are_made_and_named_custom(tree):
    tree.run("traininfereval", "clips", "--dataset", "demo_videos", "--workers", "1",
             "--demo_seconds", "8")
    assert tree.scripts == [EXTRACT, CUT, TRAIN, INFER, EVAL]
    steps = dict(tree.steps)
    assert steps[EXTRACT] == ["data/demo_videos", "--out", "data/clips/features", "--workers", "1",
                              "--demo_seconds", "8", "--demo"]
    words = " ".join(steps[TRAIN])
    assert "demo_videos/annotations.json" in words and "--dataset custom" in words
    assert "--dataset demo_videos" not in words


def test_what_videos_need_is_installed_only_for_videos(tree):
    tree.offer("1.2.3")
    (tree.root / "requirements.txt").rename(tree.root / "requirements-video.txt")
    (tree.root / "requirements.txt").write_text("")
    project = tree.root / "pyproject.toml"
    project.write_text(project.read_text().replace("video = []", 'video = ["tiny>=1.2"]'))
    tree.put("clips/a.mp4", "features/a.npy")
    assert "installing" not in tree.run("cut", DATASET="custom", DATA_PATH="features")
    said = tree.run("cut", "mine", DATASET="custom", DATA_PATH="clips")
    assert "lacks tiny>=1.2" in said and "requirements-video.txt" in said
    assert tree.scripts == [CUT, EXTRACT, CUT]


def test_the_shell_and_the_scripts_know_the_same_endings():
    line = next(line for line in (ROOT / "run_vsgn.sh").read_text().splitlines()
                if line.startswith("VIDEO_ENDINGS="))
    assert sorted(line.split('"')[1].split()) == sorted(e.removeprefix(".") for e in ENDINGS)
