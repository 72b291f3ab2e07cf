"""Every bash and python block of README and docs runs, on small stand-ins for the data.

Words are run as written. Only the sizes of networks and inputs are made small, and
what a reader replaces (/path/to) is replaced. run_vsgn.sh is the real one; the scripts
it starts run here, in this process, since each start of Python takes seconds. The
pages named in ELSEWHERE have tests of their own.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import Prepare_data
from tests.house.docs_stage import PLACES, make_stage
from tests.house.test_docs import ROOT, blocks
from tests.small_run import MAINS

PAGES = ["README.md", "docs/activitynet.md", "docs/paper.md", "docs/data.md",
         "docs/strong_recipe.md", "docs/report.md", "docs/differences.md", "docs/results.md",
         "Evaluation/README.md", "docs/reliability.md", "docs/python.md"]
ELSEWHERE = {"docs/custom_dataset.md": "tests/house/test_docs.py",
             "docs/annotation_tools.md": "tests/house/test_docs.py",
             "docs/video.md": "tests/house/test_docs.py"}
# Lines that cannot run here, and what does it in their place.
NOT_HERE = {"my/videos": "tests/house/test_docs.py, the guide to own videos",
            "--video clip.mp4": "tests/house/test_docs.py, the guide to own videos",
            "--dataset demo_videos": "tests/house/test_docs.py, the guide to own videos",
            "pip install": "the installation that .ci/run makes",
            "vsgn runs": "the tests of Eval.py --list",
            "Export_model.py": "the tests of Export_model.py"}
SIZES = ["--temporal_scale", "64", "--stitch_gap", "8"]
SMALL = {"Cut_long_videos": SIZES,
         "Train": [*SIZES, "--num_levels", "3", "--bb_hidden_dim", "32", "--num_head_layers", "1",
                   "--num_neigh", "2", "--num_epoch", "1", "--batch_size", "8"]}
MAIN_OF = {"Cut_long_videos": MAINS["Cut"], "Train": MAINS["Train"], "Infer": MAINS["Infer"],
           "Eval": MAINS["Eval"], "Prepare_data": Prepare_data.main}
SHIM = """#!/bin/sh
case "$*" in
    *Utils/packages.py*|-c*) exec "{python}" "$@" ;;
esac
for word; do printf '%s\\037' "$word"; done >> "{steps}"
printf '\\n' >> "{steps}"
"""


def joined(block):
    """Lines of a block, continued ones as one."""
    return [line for line in block.replace("\\\n", " ").splitlines()
            if line.strip() and not line.startswith("#")]


class Reader:
    """Somebody who types the lines of the documentation in one folder."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.steps = folder, folder / ".steps"
        self.done = set()
        monkeypatch.chdir(folder)
        for name in ("python", "python3"):
            shim = folder / ".shims" / name
            shim.parent.mkdir(exist_ok=True)
            shim.write_text(SHIM.format(python=sys.executable, steps=self.steps))
            shim.chmod(0o755)

    def type_block(self, block):
        """Run a block, once; a training starts without what an earlier one left."""
        if block in self.done:
            return
        self.done.add(block)
        for line in joined(block):
            for written, here in PLACES.items():
                line = line.replace(written, here)
            if not any(words in line for words in NOT_HERE):
                self.type_line(line)

    def type_line(self, line):
        if "Train.py" in line:
            for place in ("CHECKPOINT_PATH", "OUTPUT_PATH"):
                shutil.rmtree(place, ignore_errors=True)
        script = re.search(r"(?:^python|^torchrun.*?|^srun.*?) (\w+)\.py(.*)", line)
        if "run_vsgn.sh" in line:
            self.through_the_shell(line)
        elif script and script[1] in MAIN_OF:
            self.call(script[1], shlex.split(script[2], comments=True), line)
        else:
            self.in_a_shell(line, {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})

    def call(self, script, argv, line):
        """Run a script in this process, its sizes made small."""
        # The checks of Prepare_data.py find that the stand-ins are not the official files.
        right = (0, 1, 2) if argv[:1] == ["check"] else (0,)
        assert MAIN_OF[script]([*argv, *SMALL.get(script, ())]) in right, line

    def through_the_shell(self, line):
        """Let run_vsgn.sh say what it would start, and run that here."""
        self.steps.write_text("")
        self.in_a_shell(line, {"PATH": f"{self.folder / '.shims'}:{os.environ['PATH']}"})
        started = [words.split("\x1f")[:-1] for words in self.steps.read_text().splitlines()]
        assert started, line
        for path, *argv in started:
            if path == "-m":
                assert argv[:1] == ["pytest"], line
            else:
                self.call(Path(path).stem, argv, line)

    def in_a_shell(self, line, environment):
        done = subprocess.run(["bash", "-e", "-c", line], capture_output=True, text=True,
                              cwd=self.folder, env={**os.environ, **environment})
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A reader in a folder like a fresh clone, with data."""
    (tmp_path / "Evaluation").mkdir()
    for name in ("run_vsgn.sh", "Utils", "benchmarks", "pyproject.toml", "requirements.txt",
                 "requirements-dev.txt", *(f"{script}.py" for script in MAIN_OF)):
        (tmp_path / name).symlink_to(ROOT / name)
    make_stage(tmp_path)
    return Reader(tmp_path, monkeypatch)


def test_every_page_with_commands_is_run_somewhere():
    pages = {str(path.relative_to(ROOT)) for path in (
        ROOT / "README.md", ROOT / "Evaluation/README.md", *(ROOT / "docs").glob("*.md"))
        if blocks(path) or blocks(path, "python")}
    assert pages <= {*PAGES, *ELSEWHERE}, f"let the commands of {pages - {*PAGES, *ELSEWHERE}} run"


def test_the_blocks_of_the_pages_run_as_written(reader):
    for name in PAGES:
        page = ROOT / name
        # A checkpoint of this README is what its line about one video needs.
        for block in sorted(blocks(page), key=lambda block: "--video " in block):
            self_made(reader, block)
            reader.type_block(block)
    for folder in ("output_demo", "output_mine", "output_my_run", "comparison"):
        assert (reader.folder / folder / "metrics.json").is_file() or folder == "comparison"
        assert any((reader.folder / folder).glob("*.html")), folder
    for name in ("out.json", "detections.csv", "detections.json"):
        assert (reader.folder / name).is_file(), name
    for block in blocks(ROOT / "Evaluation/README.md", "python"):
        found = {"truth": truth(reader.folder)}
        exec(block, found)      # noqa: S102
        assert found["precision"].shape == (3, len(found["truth"].classes))


def truth(folder):
    from Evaluation.metrics import action_table
    from Utils.config.resolve import resolve
    from Utils.data.ground_truth import load_ground_truth
    found = load_ground_truth(resolve({"dataset": "custom", "video_anno": str(
        folder / "ground_truth.json")}))
    return action_table(found.videos, found.classes)


def self_made(reader, block):
    """What a reader has made before a block: other runs to compare, a released checkpoint."""
    if " convert " in block:
        (reader.folder / "Evaluation/thumos/annot/thumos_gt.json").unlink(missing_ok=True)
    for name in re.findall(r"\boutput_[ab]\b", block):
        shutil.copytree(reader.folder / "output_mine", reader.folder / name)
    if "--checkpoint_path released" in block:
        shutil.copytree(reader.folder / "checkpoint_thumos_tsn", reader.folder / "released")
