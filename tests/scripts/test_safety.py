"""Nothing from a file is executed or becomes a path, and no script touches the network."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch

from tests.processes import Scripts
from tests.small_data import entry, noise
from tests.small_run import NETWORK, call, copy_run, make_run, options, places, refusal

PATHS = ("../escaped", "../../escaped", "/escaped/absolute", "a/../../escaped", "..", ".",
         "~/escaped", "$HOME", "con|nul:*?", "new\nline", "\N{SNOWMAN}\N{GREEK SMALL LETTER ALPHA}",
         "\N{RIGHT-TO-LEFT OVERRIDE}gpj", "x" * 5000, "-rf", "<script>alert(1)</script>", "%00",
         " ")


def files(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


def hostile(database, arrays):
    """Videos and classes whose names try to be paths; features are filed where HDF5 can."""
    for number, name in enumerate(PATHS):
        subset = "train" if number % 2 else "test"
        database[name] = entry(subset, (1, 3, f"../{number % 2}"), (5, 8, "run"))
        if name in (".", "..") or name.startswith("..") or "\0" in name:
            continue
        for stream, videos in arrays.items():
            videos[name] = noise(stream + name, 100, 3 if stream == "rgb" else 2)


def test_names_never_leave_the_output_folders(tmp_path):
    """With such names, Cut, Train, Infer and Eval write the same files as with any others."""
    for name, change in (("ordinary", None), ("hostile", hostile)):
        (tmp_path / name).mkdir()
        make_run(tmp_path / name / "run", change, ["--skip_missing"])
    assert files(tmp_path / "hostile") - files(tmp_path / "ordinary") <= {
        path for path in files(tmp_path / "hostile") if path.parent.name == "tensorboard"}
    assert sorted(os.listdir(tmp_path)) == ["hostile", "ordinary"]
    assert not os.path.exists("/escaped") and not os.path.lexists("escaped")
    found = json.loads((tmp_path / "hostile/run/out/detections_postNMS.json").read_text())
    assert {"x" * 5000, "con|nul:*?", "new\nline", "<script>alert(1)</script>"} <= set(
        found["results"]) | set(PATHS[1::2])


@pytest.mark.parametrize("name", ["a\0b", "", "\ud800"])
def test_names_that_no_file_can_hold_are_refused(tmp_path, capsys, name):
    def change(database, arrays):
        database[name] = entry("test", (1, 3, "run"))

    tmp_path.joinpath("run").mkdir()
    assert call("Cut", tmp_path / "run", *options(tmp_path / "run", change)) == 2
    assert "the name cannot be used" in refusal(capsys.readouterr())


# ---- nothing is executed ------------------------------------------------------------------------

class Boom:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("safe") / "run"
    return folder, make_run(folder)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("script, name, words", [
    ("Infer", "best.pth.tar", ()), ("Train", "checkpoint.pth.tar", ("--resume",))])
def test_a_checkpoint_that_runs_code_is_refused_and_not_run(made, tmp_path, capsys, script, name,
                                                            words, legacy):
    folder = copy_run(made[0], tmp_path / "run")
    path = folder / "run" / name
    content = torch.load(path, weights_only=True) | {"boom": Boom(tmp_path / "executed")}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    before = path.read_bytes()
    assert call(script, folder, *made[1], *words) == 2
    said = refusal(capsys.readouterr())
    assert "is refused: it holds more than weights" in said and "mkdir" in said
    assert "weights_only" not in said       # torch's advice to load it in spite of that
    assert not (tmp_path / "executed").exists() and path.read_bytes() == before
    torch.load(path, weights_only=False)    # it would have
    assert (tmp_path / "executed").exists()


# ---- no network ---------------------------------------------------------------------------------

NO_SOCKETS = """
import os, sys
def audit(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        os.write(2, f"NETWORK: {event} {arguments}".encode())
        os._exit(99)
sys.addaudithook(audit)
"""


@pytest.fixture()
def offline(tmp_path):
    """Scripts in a process that ends at its first use of the network.

    If the system allows, it has no network either.
    """
    (tmp_path / "sitecustomize.py").write_text(NO_SOCKETS)
    prefix = ["unshare", "-n"] if shutil.which("unshare") and not subprocess.run(
        ["unshare", "-n", "true"], capture_output=True).returncode else []
    scripts = Scripts(tmp_path, ["Cut_long_videos", "Train", "Infer", "Eval"],
                      [*prefix, "env", f"PYTHONPATH={tmp_path}"])
    yield scripts
    scripts.close()


def test_no_script_touches_the_network(offline, tmp_path):
    words = [*places(tmp_path), "--dataset", "demo", "--recipe", "paper", *NETWORK,
             "--temporal_scale", "64", "--num_neigh", "4", "--no-use_VSS"]
    for script in ("Cut_long_videos", "Train", "Infer", "Eval"):
        offline.done(script, *words)
    assert (tmp_path / "out" / "metrics.json").exists()


def test_the_hook_would_have_caught_it(tmp_path):
    done = subprocess.run([sys.executable, "-c", NO_SOCKETS + "import socket\n"
                           "socket.create_connection(('192.0.2.1', 80), 1)"], capture_output=True)
    assert done.returncode == 99 and b"NETWORK: socket." in done.stderr
