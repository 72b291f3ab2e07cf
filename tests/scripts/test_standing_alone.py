"""Scripts as processes: started from anywhere, without a log, stopped at any instant."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.processes import ROOT
from tests.small_run import call, options, places

SCRIPTS = ("Cut_long_videos.py", "Train.py", "Infer.py", "Eval.py", "Prepare_data.py",
           "Extract_features.py", "Export_model.py")


def start(script, *words, flags=(), closing="", **environment):
    """A script as a process of its own. closing: what bash does to its streams, as "2>&-"."""
    known = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.Popen(
        ["bash", "-c", f'set -o pipefail; "$@" {closing}', "bash", sys.executable, *flags,
         str(ROOT / script), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd="/", start_new_session=True,
        env={**known, "OMP_NUM_THREADS": "1", **environment})


def ended(process):
    """Exit code, stdout, stderr."""
    return (*reversed((*reversed(process.communicate()), process.returncode)),)


@pytest.mark.parametrize("script, flags, environment", [
    *((script, ["-I"], {}) for script in SCRIPTS), ("Cut_long_videos.py", ["-P"], {}),
    ("Cut_long_videos.py", [], {"PYTHONSAFEPATH": "1"})])
def test_a_script_finds_its_modules(script, flags, environment):
    code, out, err = ended(start(script, "--help", flags=flags, **environment))
    assert (code, err) == (0, "") and f"{script} " in out


# ---- a lost log ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """The words of a training on windows that are cut; of a folder that is named."""
    folder = tmp_path_factory.mktemp("log")
    chosen = [*options(folder), "--num_epoch", "2"]
    assert call("Cut", folder, *chosen) == 0
    return lambda run: [*places(folder), "--video_anno", folder / "data" / "annotations.json",
                        *chosen, "--checkpoint_path", folder / run]


def epochs(words):
    return torch.load(words[-1] / "checkpoint.pth.tar", weights_only=True)["epoch"]


@pytest.mark.parametrize("name, closing, said", [
    ("one line read", "| head -n 1 >&2", "the log cannot be written (Broken pipe); continuing "
     "without it\n"),
    ("full disk", "> /dev/full", "the log cannot be written (No space left on device); "
     "continuing without it\n"),
    ("no stderr", "2>&-", ""), ("nothing", "<&- >&- 2>&-", "")])
def test_a_training_goes_on_without_its_log(words, name, closing, said):
    code, _, err = ended(start("Train.py", *words(name), closing=closing))
    assert code == 0 and said in err and "Traceback" not in err, err
    assert epochs(words(name)) == 2


@pytest.mark.parametrize("closing", ["> /dev/full", "| true"])
@pytest.mark.parametrize("script, more", [
    ("Cut_long_videos.py", ["--help"]), ("Cut_long_videos.py", ["--check"]),
    ("Prepare_data.py", ["check", "--dataset", "thumos"])])
def test_words_that_are_the_whole_result_must_arrive(words, script, more, closing):
    asked = [*words("none")] if more == ["--check"] else []
    code, _, err = ended(start(script, *asked, *more, closing=closing))
    assert "Traceback" not in err and "Exception" not in err
    if closing == "> /dev/full":
        assert code == 2 and ("error: the result could not be written to the standard "
                              "output (No space left on device); send it elsewhere\n") in err
    else:
        assert "error" not in err


@pytest.mark.parametrize("closing", ["2>&-", ">&- 2>&-", "> /dev/full 2>&1"])
def test_a_mistake_ends_with_2_even_if_no_stream_is_open(words, closing):
    code, out, _ = ended(start("Eval.py", "--output_path", "/nowhere", closing=closing))
    assert code == 2
    assert out == "" or out.startswith("error: no folder /nowhere")


def test_a_terminal_without_our_letters(words, tmp_path):
    """Non-ASCII paths in an ASCII locale, through all four scripts."""
    folder = tmp_path / "caf\N{LATIN SMALL LETTER E WITH ACUTE} \N{SNOWMAN}"
    folder.mkdir()
    chosen = [*options(folder), "--video_anno", folder / "data" / "annotations.json"]
    for script in SCRIPTS[:4]:
        code, out, err = ended(start(script, *places(folder), *chosen, LC_ALL="C", PYTHONUTF8="0",
                                     PYTHONCOERCECLOCALE="0"))
        assert (code, err) == (0, ""), (script, out, err)
    assert (folder / "out" / "report.html").stat().st_size > 10000
    code, out, err = ended(start("Infer.py", "--checkpoint_path", folder / "gone", LC_ALL="C",
                                 PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"))
    assert code == 2 and err.startswith("error: no checkpoint at ") and err.count("\n") == 1


# ---- signals at any instant ---------------------------------------------------------------------

def catches(process, number):
    """Whether a process has a handler of its own for a signal."""
    with open(f"/proc/{process}/status") as status:
        masks = dict(line.split(":\t") for line in status)
    return int(masks["SigCgt"], 16) >> (number - 1) & 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("delay", [0.0, 0.2, 0.8])
def test_a_signal_while_modules_are_imported_is_one_word(number, delay):
    process = subprocess.Popen([sys.executable, ROOT / "Train.py", "--is_train", "neither"],
                               stderr=subprocess.PIPE, text=True)
    # From then on our own handlers stand; before, nothing of ours has run.
    while not catches(process.pid, signal.SIGTERM):
        assert process.poll() is None
        time.sleep(0.002)
    time.sleep(delay)
    process.send_signal(number)
    code, _, err = ended(process)
    assert (code, err) == (130, "stopped\n") or (code == 2 and err.startswith("error: "))
