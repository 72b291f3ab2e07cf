"""The commands in the documentation are right: every one parses, and those of a guide run."""

import functools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import Extract_features
import Prepare_data
import vsgn
from tests.small_data import entry, noise, write_annotations
from Utils.config.fields import SCRIPTS
from Utils.config.resolve import parse_config

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md")) + [ROOT / "README.md"]
CODE = ("Models", "Utils", "Evaluation", "DETAD", "Engine",
        *(f"{script}.py" for script in SCRIPTS))


def blocks(page, language="bash"):
    """The fenced blocks of one language in a page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


def commands(page):
    """(script, argv) of every `python <script>.py ...` line in a page's bash blocks."""
    for block in blocks(page):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True) if line.startswith("python ") else []
            if len(words) > 1 and words[1].endswith(".py"):
                yield words[1].removesuffix(".py"), words[2:]


FEW_STEPS = " --num_epoch 1 --steps_per_epoch 4"      # put behind a training of the guide to videos


def test_every_command_in_the_documentation_parses():
    seen = set()
    for page in PAGES:
        for script, argv in commands(page):
            seen.add(script)
            if script in SCRIPTS:
                parse_config(script, argv)
            elif script == "Prepare_data":
                Prepare_data.parser().parse_args(argv)
            elif script == "Extract_features":
                Extract_features.parser().parse_args(argv)
            else:
                assert (ROOT / f"{script}.py").is_file(), f"{page.name}: no {script}.py"
    assert seen >= {"Prepare_data", *SCRIPTS}


def test_every_link_between_the_pages_leads_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_every_test_that_the_page_on_reliability_names_is_there():
    """A file, a function, or both; three dots stand for the rest of a name."""
    files = {path.name: re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
             for path in (ROOT / "tests").rglob("test_*.py")}
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(?:(test_\w+\.py)(?:::)?)?(test_\w+(?:\.\.\.)?)?`", page)
    named = [(file, name) for file, name in named if file or name]
    assert len(named) > 60
    for file, name in named:
        assert not file or file in files, file
        known = files[file] if file else [name for names in files.values() for name in names]
        start = name.removesuffix("...")
        assert not name or any(other == start or (start != name and other.startswith(start))
                               for other in known), f"{file} {name}"


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like a fresh clone; what the scripts write lands in it."""
    for name in CODE:
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


@pytest.fixture
def checkout_with_samples(checkout):
    """A checkout that also has the samples of other tools."""
    for name in ("Prepare_data.py", "tests"):
        (checkout / name).symlink_to(ROOT / name)
    return checkout


def run_block(block, folder):
    """Run one bash block as a reader would paste it, stopping at the first failure."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(["bash", "-e", "-c", block], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PATH": path})
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_guide_to_own_data_runs_as_written(checkout):
    said = "".join(run_block(block, checkout) for block in blocks(ROOT / "docs/custom_dataset.md"))
    assert "output_mine" in said
    truth = json.loads((checkout / "data/mine/annotations.json").read_text())["database"]
    tested = {name: video for name, video in truth.items() if video["subset"] == "testing"}
    found = json.loads((checkout / "output_mine/detections_postNMS.json").read_text())["results"]
    assert len(tested) == 8 and set(found) <= set(tested)
    labels = {row["label"] for rows in found.values() for row in rows}
    assert labels == {"wave", "jump"}
    metrics = json.loads((checkout / "output_mine/metrics.json").read_text())
    assert len(metrics["mAP"]) == len(metrics["tiou_thresholds"]) == 7
    assert 0.9 < metrics["average_mAP"]["0.1:0.7"] <= 1 and metrics["num_videos"] == 8
    assert (checkout / "output_mine/detad.json").is_file()
    assert "<html" in (checkout / "output_mine/report.html").read_text(encoding="utf-8")


def test_the_guide_to_other_tools_runs_as_written(checkout_with_samples, monkeypatch, capsys):
    """Line by line, in this process: two dozen starts of Python would take a minute."""
    folder = checkout_with_samples
    monkeypatch.chdir(folder)
    lines = "".join(blocks(ROOT / "docs/annotation_tools.md")).splitlines()
    for line in lines:
        words = shlex.split(line)
        if words[:2] == ["python", "Prepare_data.py"]:
            assert Prepare_data.main(words[2:]) == 0, line
        else:
            run_block(line, folder)
    imported = {path.name for path in (folder / "data/imported").glob("*.json")}
    asked = sum(" import " in line for line in lines)
    assert len(imported) == asked == capsys.readouterr().out.count("\nnext: ")
    corrected = json.loads((folder / "data/imported/corrected.json").read_text())["database"]
    assert {name: len(video["annotations"]) for name, video in corrected.items()} == {
        "match_1": 4, "match_2": 1}
    for path in (ROOT / "tests/data/interop/export").iterdir():
        assert path.name == "detections.json" or (folder / "data/exported" / path.name).is_file()


def test_the_guide_to_own_videos_runs_as_written(checkout):
    """On a few of the demo's videos, in the places that the guide names."""
    pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")
    pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")
    from Utils.video.demo_videos import ensure_demo_videos
    for name in ("Extract_features.py", "run_vsgn.sh", "pyproject.toml"):
        (checkout / name).symlink_to(ROOT / name)
    videos = checkout / "my/videos"
    ensure_demo_videos(videos, num_train=6, num_test=2, seconds=20)
    (videos / "annotations.json").rename(checkout / "my/annotations.json")
    install, demo, *commands = blocks(ROOT / "docs/video.md")
    assert install.startswith("pip ") and demo in blocks(ROOT / "README.md")
    run_block(demo.rstrip() + " --demo_seconds 8" + FEW_STEPS, checkout)
    metrics = json.loads((checkout / "output_clips/metrics.json").read_text())
    assert metrics["num_videos"] == 10 and metrics["num_ground_truth"] > 10
    assert "shapes_test_09.mp4" in (checkout / "output_clips/report.html").read_text()
    (checkout / "list.txt").write_text("my/videos/shapes_train_00.mp4\n")
    for block in commands:
        if "new.mp4" in block:
            shutil.copy(videos / "shapes_test_00.mp4", videos / "new.mp4")
        run_block(block.rstrip() + FEW_STEPS * ("traininfereval" in block), checkout)
    assert len(list((checkout / "DIR").glob("*.npy"))) == 9
    found = json.loads((checkout / "new.json").read_text())["results"]["new"]
    report = json.loads((checkout / "output_mine/detections_postNMS.json").read_text())["results"]
    assert found and {row["label"] for row in found} <= {"cross_left", "cross_right", "bounce",
                                                         "spin", "blink"}
    assert len(found) == len(report["shapes_test_00"])
    assert "shapes_test_00.mp4" in (checkout / "output_mine/report.html").read_text()
    template = json.loads((checkout / "data/mine/features/annotations_template.json").read_text())
    assert len(template["database"]) == 8


def test_the_lines_for_python_of_the_readme_run(tmp_path, monkeypatch):
    """As they stand, with a network of a small size."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my/features").mkdir(parents=True)
    database = {f"clip{i}": entry("test" if i > 5 else "train", (1, 2.5, "jump"), (4, 8, "run"))
                for i in range(8)}
    for name in database:
        np.save(f"my/features/{name}.npy", noise(name, 100, 16))
    write_annotations(tmp_path / "my/annotations.json", database)
    np.save("new_video.npy", noise("new", 90, 16))
    small = {"temporal_scale": 64, "stitch_gap": 8, "num_levels": 3, "bb_hidden_dim": 32,
             "num_head_layers": 1, "num_neigh": 2, "num_epoch": 1, "batch_size": 8}
    monkeypatch.setattr(vsgn, "train", functools.partial(vsgn.train, **small))
    block, = blocks(ROOT / "README.md", "python")
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["run"].config["recipe"] == "strong" and len(names["run"].history) == 1
    assert list(names["table"].columns) == ["start", "end", "label", "score"]


def test_the_snippets_for_python_run_in_order(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, block in enumerate(blocks(ROOT / "docs/python.md", "python")):
        exec(compile(block, f"docs/python.md, snippet {number}", "exec"), names)
    assert names["scores"]["average_mAP"]["0.1:0.7"] > 0.5
    assert list(names["table"].columns) == ["start", "end", "label", "score"]
    assert len(names["tables"]["a"]) <= 20 and (names["tables"]["a"]["score"] >= 0.1).all()
    assert len(names["run"].history) == 4 and not names["seen"]     # it was finished before
    assert (tmp_path / "timeline.png").stat().st_size > 1000
