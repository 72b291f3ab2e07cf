"""Extract_features.py on videos that the tests write: files, resuming, faults, and use."""

import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import joblib
import numpy as np
import pytest

pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")
pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")

import Extract_features  # noqa: E402
from Engine.inference.extraction import Extraction  # noqa: E402
from Extract_features import TEMPLATE  # noqa: E402
from Models.extractors.registry import Setting, build  # noqa: E402
from tests.small_run import call, refusal  # noqa: E402
from tests.video_files import coded, damage, even_times, write_sound, write_video  # noqa: E402
from Utils.data.sidecars import fingerprint, read_sidecar  # noqa: E402
from Utils.files import UserError  # noqa: E402
from Utils.video.writing import (  # noqa: E402
    FeatureWriter,
    begun,
    npy_header,
    sha256_of,
    sha256_of_pieces,
)

ROOT = Path(__file__).parents[2]
LENGTHS = {"a": 20, "b": 47, "c": 61, "d": 5}       # frames at 10 per second


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Four videos of 0.5 to 6.1 s."""
    folder = tmp_path_factory.mktemp("videos")
    for name, count in LENGTHS.items():
        write_video(folder / f"{name}.mp4", even_times(count, 10), rate=10)
    return folder


def extract(*words, code=0):
    assert Extract_features.main([str(word) for word in words]) == code


def contents(folder):
    """The files of a folder, as bytes."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@pytest.fixture(scope="module")
def features(videos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    extract(videos, "--out", folder, "--workers", "0")
    return folder


def test_each_video_gets_a_row_per_step_and_a_sidecar(features, videos):
    assert set(contents(features)) == {f"{name}.{ending}" for name in LENGTHS
                                       for ending in ("npy", "json")}
    for name, count in LENGTHS.items():
        array, car = np.load(features / f"{name}.npy"), read_sidecar(features / f"{name}.npy")
        assert array.shape == (-(-count // 2), car.extractor["channels"])   # ceil(seconds x 5)
        assert array.dtype == np.float32 and np.isfinite(array).all()
        assert car.sha256 == sha256_of(features / f"{name}.npy")
        assert car.duration == pytest.approx(count / 10)
        assert car.frames == car.header_frames == count
        path = videos / f"{name}.mp4"
        assert car.source == {"name": path.name, "size": path.stat().st_size,
                              "mtime": path.stat().st_mtime, "pieces": sha256_of_pieces(path)}


def test_the_header_is_what_numpy_writes(tmp_path):
    for shape in ((0, 3), (7, 666), (10 ** 9, 12345)):
        (tmp_path / "a.npy").write_bytes(npy_header(*shape))
        with open(tmp_path / "a.npy", "rb") as file:
            np.lib.format.read_magic(file)
            assert np.lib.format.read_array_header_1_0(file) == (shape, False, np.dtype("<f4"))
            assert file.tell() == 128


@pytest.mark.parametrize("words", [["--workers", "3"], ["--workers", "1", "--batch_size", "3"]])
def test_workers_and_batches_change_nothing(videos, features, tmp_path, words):
    extract(videos, "--out", tmp_path, *words)
    assert contents(tmp_path) == contents(features)


def test_finished_videos_are_left_alone(videos, features, tmp_path, capsys):
    folder = shutil.copytree(features, tmp_path / "f")
    (folder / "b.json").unlink()
    begun(folder / "b.npy").write_text("a kill came between the two")
    before = (folder / "a.npy").stat().st_mtime_ns
    extract(videos, "--out", folder)
    assert "3 had features before" in capsys.readouterr().out
    assert contents(folder) == contents(features)
    assert (folder / "a.npy").stat().st_mtime_ns == before


def test_a_video_that_changed_is_extracted_again(videos, features, tmp_path):
    folder = shutil.copytree(features, tmp_path / "f")
    other = shutil.copytree(videos, tmp_path / "v")
    write_video(other / "a.mp4", even_times(33, 10), rate=10)
    extract(other, "--out", folder)
    assert np.load(folder / "a.npy").shape[0] == 17


def write_raw(folder, picture):
    """Write `film.avi`, whose size does not depend on what it shows. -> path, size."""
    path = write_video(folder / "film.avi", even_times(20, 10), "rawvideo", picture, rate=10,
                       clock=10)
    return path, path.stat().st_size


def test_a_video_of_the_same_size_that_changed_is_extracted_again(tmp_path, capsys):
    (tmp_path / "v").mkdir()
    words = [tmp_path / "v", "--out", tmp_path / "f", "--workers", "0"]
    path, size = write_raw(tmp_path / "v", coded)
    extract(*words)
    before = contents(tmp_path / "f")
    os.utime(path, (1, 1))                          # as a copy of the folder may be
    extract(*words, "--check")
    extract(*words)
    assert "1 had features before" in capsys.readouterr().out
    assert contents(tmp_path / "f") == before
    assert write_raw(tmp_path / "v", lambda number: 255 - coded(number)) == (path, size)
    capsys.readouterr()
    extract(*words, "--check", code=1)
    assert "film.npy was extracted from another file than" in capsys.readouterr().out
    extract(*words)                                 # as it says: without --check
    assert contents(tmp_path / "f")["film.npy"] != before["film.npy"]
    extract(*words, "--check")


def test_sidecars_of_old_versions_are_done(tmp_path, capsys):
    (tmp_path / "v").mkdir()
    path, _ = write_raw(tmp_path / "v", coded)
    extract(tmp_path / "v", "--out", tmp_path / "f", "--workers", "0")
    content = json.loads((tmp_path / "f" / "film.json").read_text())
    assert content["source"].pop("pieces")
    (tmp_path / "f" / "film.json").write_text(json.dumps(content))
    os.utime(path, (1, 1))
    extract(tmp_path / "v", "--out", tmp_path / "f", "--workers", "0")
    assert "1 had features before" in capsys.readouterr().out


@pytest.mark.parametrize("size, places", [(1, [0]), (40_000, [0, 39_999]),
                                          (5_000_000, [0, 2_450_000, 4_999_999])])
def test_pieces_reach_from_the_first_to_the_last_byte(tmp_path, size, places):
    path = tmp_path / "film"
    path.write_bytes(bytes(size))
    before = sha256_of_pieces(path)
    for place in places:
        content = bytearray(size)
        content[place] = 1
        path.write_bytes(content)
        assert sha256_of_pieces(path) != before, place


def test_killed_at_any_instant_it_goes_on_to_the_same_bytes(videos, features, tmp_path):
    rng = np.random.default_rng(5)
    for _ in range(25):
        process = started(videos, "--out", tmp_path / "f", "--workers", "1")
        time.sleep(rng.uniform(0, 0.5))
        process.kill()
        process.join()
        done = list((tmp_path / "f").glob("*.json"))
        for path in done:
            assert read_sidecar(path).sha256 == sha256_of(path.with_suffix(".npy"))
        for path in done[2:]:       # so that there is more to be killed
            path.unlink()
            path.with_suffix(".npy").unlink()
    extract(videos, "--out", tmp_path / "f")
    assert contents(tmp_path / "f") == contents(features)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="FORK ABSENT")
def test_killed_before_any_file_operation_it_goes_on_to_the_same_bytes(videos, features,
                                                                       tmp_path):
    """Killed before the first, second, ... operation in its folder, until a run comes through."""
    expected, path = contents(features), videos / "d.mp4"
    for number in range(1000):
        folder = tmp_path / str(number)
        process = multiprocessing.get_context("fork").Process(
            target=_killed_at, args=(number, folder, path))
        process.start()
        process.join()
        for json_file in folder.glob("*.json"):
            car = read_sidecar(json_file)
            assert car.sha256 == sha256_of(json_file.with_suffix(".npy"))
        extract(path, "--out", folder, "--workers", "0")
        assert contents(folder) == {name: expected[name] for name in ("d.json", "d.npy")}
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert number > 8


def _killed_at(number, folder, path):
    """Extract, but be killed before file operation `number` in the folder."""
    left = iter(range(number))

    def see(event, arguments):
        touches = event in ("open", "os.rename", "os.remove", "os.mkdir")
        if touches and str(arguments[0]).startswith(str(folder)) and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(see)
    _run((path, "--out", folder, "--workers", "0"))


def test_two_processes_share_a_folder(videos, features, tmp_path):
    both = [started(videos, "--out", tmp_path, "--workers", "1") for _ in range(2)]
    for process in both:
        process.join()
        assert process.exitcode == 0
    assert contents(tmp_path) == contents(features)


@pytest.mark.parametrize("then", [lambda folder: None, Path.mkdir])
def test_a_folder_that_moves_between_two_videos_is_not_made_anew(videos, tmp_path, then):
    folder, taken = tmp_path / "f", {name: videos / f"{name}.mp4" for name in ("a", "d")}

    def move(name, seconds, has_ended):
        if has_ended:
            folder.rename(tmp_path / "moved")
            then(folder)

    extractor = build("motion", Setting(5, None, "cpu", "fp32"))
    with pytest.raises(UserError, match="f was moved, .*; run the same command again"):
        Extraction(extractor, folder, taken, see=move).run()
    assert not folder.exists() or not list(folder.iterdir())
    Extraction(extractor, tmp_path / "moved", taken).run()
    assert contents(tmp_path / "moved").keys() == {"a.npy", "a.json", "d.npy", "d.json"}


def started(*words):
    """Extract_features.py in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(words,))
    process.start()
    return process


def _run(words):
    sys.exit(Extract_features.main([str(word) for word in words]))


def torchrun(*words):
    """Extract_features.py in two processes of torchrun. -> exit code, and their output."""
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
         str(ROOT / "Extract_features.py"), *map(str, words)], capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"})
    return done.returncode, done.stdout + done.stderr


def test_torchrun_shares_the_videos_by_size(videos, features, tmp_path):
    code, said = torchrun(videos, "--out", tmp_path, "--template")
    assert code == 0, said
    workers = min(2, max(1, joblib.cpu_count() // 2))
    assert len(re.findall(rf"2 videos to .*, {workers} process(?:es)?, cpu", said)) == 2
    # c and b are the longest; the one process gets c and a, the other b and d.
    assert "extracted 8 s of 2 videos" in said and "extracted 5 s of 2 videos" in said
    template = json.loads((tmp_path / TEMPLATE).read_text())
    assert set(template["database"]) == set(LENGTHS)
    (tmp_path / TEMPLATE).unlink()
    assert contents(tmp_path) == contents(features)


def test_a_bad_video_of_one_process_stops_no_other(tmp_path):
    """Its process has nothing else to do, and would end long before the other."""
    write_video(tmp_path / "long.mp4", even_times(600, 10), rate=10)
    (tmp_path / "bad.mp4").write_bytes(bytes(10))
    code, said = torchrun(tmp_path, "--out", tmp_path / "f", "--workers", "0")
    assert code == 1 and "1 of 1 video has no features: bad" in said, said
    extract(tmp_path / "long.mp4", "--out", tmp_path / "g")
    assert contents(tmp_path / "f") == contents(tmp_path / "g")


# ---- what is refused, and what is wrong ---------------------------------------------------------

def test_another_extractor_in_the_folder_is_refused_naming_what_differs(videos, features, tmp_path,
                                                                        capsys):
    folder = shutil.copytree(features, tmp_path / "f")
    extract(videos, "--out", folder, "--feature_fps", "10", code=2)
    said = refusal(capsys.readouterr())
    assert "feature_fps (5.0, not 10.0)" in said and "--overwrite replaces them" in said
    assert contents(folder) == contents(features)
    extract(videos, "--out", folder, "--feature_fps", "10", "--overwrite")
    assert np.load(folder / "b.npy").shape[0] == 47
    extract(videos / "a.mp4", "--out", folder, "--overwrite", code=2)
    assert "--overwrite would mix extractors" in refusal(capsys.readouterr())


def test_features_of_another_tool_are_not_replaced_unasked(videos, tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.zeros((3, 2)))
    extract(videos, "--out", tmp_path, code=2)
    assert "without sidecars, of another tool: a;" in refusal(capsys.readouterr())
    extract(videos, "--out", tmp_path, "--overwrite")
    assert np.load(tmp_path / "a.npy").shape[0] == 10


def bad_videos(folder):
    folder.mkdir()
    write_sound(folder / "sound.avi")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("no video")
    write_video(folder / "good.mp4", even_times(20, 10), rate=10)
    damage(write_video(folder / "scratched.mp4", even_times(60, 10), rate=10,
                       options={"g": "5"}), 0.4, 0.5)
    return folder


def test_bad_videos_are_named_and_skipped(tmp_path, capsys):
    extract(bad_videos(tmp_path / "v"), "--out", tmp_path / "f", code=1)
    said = capsys.readouterr()
    for words in ("sound.avi has no video stream", "empty.mp4 is empty", "text.mp4 cannot be read",
                  "3 of 5 videos have no features"):
        assert words in said.err
    assert "scratched.mp4: " in said.out and "could not be decoded" in said.out
    assert {path.stem for path in (tmp_path / "f").glob("*.npy")} == {"good", "scratched"}
    assert read_sidecar(tmp_path / "f" / "scratched.npy").decode_errors > 0
    assert not list((tmp_path / "f").glob(".*.part"))


def test_no_keep_going_stops_at_the_first(tmp_path, capsys):
    extract(bad_videos(tmp_path / "v"), "--out", tmp_path / "f", "--workers", "0",
            "--no-keep_going", code=1)
    assert capsys.readouterr().err.count("error: ") == 1


def test_check_reads_headers_and_sidecars_only(tmp_path, features, capsys):
    extract(bad_videos(tmp_path / "v"), "--out", tmp_path / "f", "--check", code=1)
    said = capsys.readouterr().out
    assert "5 videos" in said and "wrong: empty: " in said and "3 wrong" in said
    assert not (tmp_path / "f").exists()
    folder = shutil.copytree(features, tmp_path / "g")
    with open(folder / "b.npy", "r+b") as file:
        file.seek(500)
        file.write(b"!")
    extract(tmp_path / "v" / "good.mp4", "--out", folder, "--check")
    shutil.copy(tmp_path / "v" / "good.mp4", tmp_path / "b.mp4")
    extract(tmp_path / "b.mp4", "--out", folder, "--check", code=1)
    assert "is not what its sidecar says" in capsys.readouterr().out


@pytest.mark.parametrize("words, said", [
    ([], "the following arguments are required"),
    (["--workers", "-1"], "it must be 0 or above"),
    (["--batch_size", "0"], "it must be 1 or above"),
    (["--feature_fps", "nan"], "nan is not a number"),
    (["--extractor", "motoin"], "did you mean motion?"),
    (["--device", "cuda"], "no CUDA device"),
    (["--demo_seconds", "9"], "give --demo too, or leave --demo_seconds out"),
    (["--demo", "--check"], "--check only reads, but --demo would write; leave one of them out"),
    (["--template", "--check"], "but --template would write; leave one of them out"),
    (["--demo", "--demo_seconds", "7"], "no time for an action; give 8 or more"),
])
def test_impossible_options(videos, tmp_path, capsys, words, said):
    chosen = [videos, "--out", tmp_path / "f", *words] if words else [videos]
    extract(*chosen, code=2)
    assert said in refusal(capsys.readouterr())


def test_motion_leaves_gpus_alone(videos, features, tmp_path, monkeypatch, capsys):
    """The second process of torchrun on a machine with one GPU, alone. No test has such a machine.
    """
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "1",
                        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}.items():
        monkeypatch.setenv(name, value)
    extract(videos, "--out", tmp_path, "--workers", "0", code=0)
    assert contents(tmp_path) == contents(features)
    capsys.readouterr()
    extract(videos, "--out", tmp_path, "--extractor", "motion+s3d", code=2)
    assert "torch finds 1 CUDA device here" in refusal(capsys.readouterr())


def test_a_template_has_names_and_durations(videos, tmp_path):
    extract(videos, "--out", tmp_path, "--template")
    database = json.loads((tmp_path / "annotations_template.json").read_text())["database"]
    assert {name: video["duration"] for name, video in database.items()} == {
        name: count / 10 for name, count in LENGTHS.items()}
    assert all(video["annotations"] == [] for video in database.values())


# ---- the other scripts on it --------------------------------------------------------------------

@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on the features of seven videos whose annotations tell no duration."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "videos").mkdir()
    database = {}
    for number in range(7):
        name = f"v{number}"
        write_video(folder / "videos" / f"{name}.mp4", even_times(80 + number, 10), rate=10)
        database[name] = {"subset": "test" if number > 4 else "train", "annotations": [
            {"segment": [1, 3], "label": "x"}, {"segment": [4, 7], "label": "y"}]}
    extract(folder / "videos", "--out", folder / "data")
    (folder / "data" / "annotations.json").write_text(json.dumps({"database": database}))
    for script in ("Cut", "Train", "Infer"):
        assert call(script, folder, *WORDS) == 0
    return folder


WORDS = ["--dataset", "custom", "--recipe", "paper", "--temporal_scale", "64", "--framing",
         "sliding", "--num_neigh", "2", "--stitch_gap", "8", "--num_levels", "3", "--bb_hidden_dim",
         "32", "--num_head_layers", "1", "--num_epoch", "1", "--batch_size", "8", "--device", "cpu"]


def copied(run, folder):
    return shutil.copytree(run, folder / "own")


def test_rate_and_duration_come_from_the_sidecars(run):
    lists = json.loads((run / "windows" / "infer.json").read_text())
    assert {window["fps"] for window in lists["windows"]} == {5.0}
    assert {window["v_duration"] for window in lists["windows"]} == {8.5, 8.6}


def test_videos_of_equal_length_raise_no_question_if_they_have_sidecars(videos, tmp_path, capsys):
    """Other tools' arrays might have their axes swapped if all have one length."""
    database = {}
    for name in "xyz":
        shutil.copy(videos / "b.mp4", tmp_path / f"{name}.mp4")
        database[name] = {"subset": "test" if name == "z" else "train", "duration": 4.7,
                          "annotations": [{"segment": [1, 3], "label": "x"}]}
    extract(tmp_path, "--out", tmp_path / "data")
    (tmp_path / "data" / "annotations.json").write_text(json.dumps({"database": database}))
    for words in ((), ("--check",)):
        call("Cut", tmp_path, *WORDS, *words)
        said = capsys.readouterr().out
        assert "dataset custom" in said and "equal length" not in said
    for path in (tmp_path / "data").glob("[xyz].json"):
        path.unlink()
    for words in (("--overwrite",), ("--check",)):
        call("Cut", tmp_path, *WORDS, *words)
        assert "equal length" in capsys.readouterr().out


def test_own_features_are_standardized_and_their_extractor_is_remembered(run):
    torch = pytest.importorskip("torch")
    checkpoint = torch.load(run / "run" / "checkpoint.pth.tar", weights_only=True)
    identity = read_sidecar(run / "data" / "v0.npy").extractor
    assert checkpoint["extractors"] == {"features": identity}
    assert len(checkpoint["standard"]["features"]["mean"]) == identity["channels"]


def test_features_of_two_extractors_are_refused(run, tmp_path, capsys):
    folder = copied(run, tmp_path)
    extract(folder / "videos" / "v0.mp4", "--out", tmp_path / "other", "--feature_fps", "10")
    for path in (tmp_path / "other").glob("v0.*"):
        shutil.copy(path, folder / "data")
    capsys.readouterr()
    for script in ("Cut", "Train"):
        assert call(script, folder, *WORDS, "--overwrite") == 2
        said = refusal(capsys.readouterr())
        assert "features of 2 extractors" in said and "feature_fps (10.0, not 5.0)" in said


def test_a_video_without_its_sidecar_is_refused(run, tmp_path, capsys):
    folder = copied(run, tmp_path)
    (folder / "data" / "v3.json").unlink()
    capsys.readouterr()
    assert call("Cut", folder, *WORDS) == 2
    assert "1 of 7 videos has features but no sidecar" in refusal(capsys.readouterr())


def test_infer_refuses_features_of_another_extractor(run, tmp_path, capsys):
    folder = copied(run, tmp_path)
    for path in (folder / "data").glob("v*.json"):
        car = read_sidecar(path)
        identity = car.extractor | {"size": 200}
        car = replace(car, extractor=identity, fingerprint=fingerprint(identity))
        path.write_text(car.text())
    capsys.readouterr()
    assert call("Train", folder, *WORDS, "--overwrite") == 2
    assert "run Cut_long_videos.py again" in refusal(capsys.readouterr())
    assert call("Cut", folder, *WORDS) == 0
    capsys.readouterr()
    assert call("Infer", folder, *WORDS, "--overwrite") == 2
    said = refusal(capsys.readouterr())
    assert "differ from those that" in said and "size (200, not 160)" in said


def detections_in(folder, *words, code=0):
    out = folder / "found.json"
    out.unlink(missing_ok=True)
    assert call("Infer", folder, "--device", "cpu", "-o", out, *words) == code
    return json.loads(out.read_text()) if code == 0 else None


def test_a_video_file_and_its_features_give_the_same_detections(run, tmp_path, capsys):
    folder = copied(run, tmp_path)
    from_features = detections_in(folder, "--video", folder / "data" / "v5.npy")
    found = detections_in(folder, "--video", folder / "videos" / "v5.mp4",
                          "--save_features", tmp_path / "kept")
    assert found == from_features and found["results"]["v5"]
    assert contents(tmp_path / "kept") == {
        name: (folder / "data" / name).read_bytes() for name in ("v5.npy", "v5.json")}


def test_features_are_kept_in_no_folder_of_others(run, tmp_path, capsys):
    """Of another tool, as there is no sidecar; both remedies of the message work."""
    folder, kept = copied(run, tmp_path), tmp_path / "kept"
    kept.mkdir()
    (kept / "v5.npy").write_text("of somebody else")
    words = ["--video", folder / "videos" / "v5.mp4", "--save_features"]
    capsys.readouterr()
    detections_in(folder, *words, kept, code=2)
    said = refusal(capsys.readouterr())
    assert "holds features without sidecars, of another tool: v5; --overwrite replaces them, " \
           "another --save_features leaves them alone" in said
    assert contents(kept) == {"v5.npy": b"of somebody else"}
    assert detections_in(folder, *words, tmp_path / "another")
    assert detections_in(folder, *words, kept, "--overwrite")
    assert contents(kept).keys() == {"v5.npy", "v5.json"}


def test_a_file_that_is_not_a_video_is_refused(run, tmp_path, capsys):
    (tmp_path / "bad.mp4").write_bytes(b"")
    folder = copied(run, tmp_path)
    capsys.readouterr()
    detections_in(folder, "--video", tmp_path / "bad.mp4", code=2)
    assert "bad.mp4 has no features: " in refusal(capsys.readouterr())


def test_a_video_file_needs_to_know_its_extractor(run, tmp_path, capsys):
    torch = pytest.importorskip("torch")
    folder = copied(run, tmp_path)
    for change, words in ((lambda found: found["extractors"]["features"].update(size=99),
                           "here differs from that of .* in size \\(160, not 99\\); extract"),
                          (lambda found: found.pop("extractors"),
                           "does not say what extracted the features")):
        for name in ("checkpoint.pth.tar", "best.pth.tar"):
            content = torch.load(folder / "run" / name, weights_only=True)
            change(content)
            torch.save(content, folder / "run" / name)
        capsys.readouterr()
        detections_in(folder, "--video", folder / "videos" / "v5.mp4", code=2)
        assert re.search(words, refusal(capsys.readouterr()))


def test_a_different_duration_in_the_annotations_gives_a_note(run, tmp_path, capsys):
    folder = copied(run, tmp_path)
    path = folder / "data" / "annotations.json"
    content = json.loads(path.read_text())
    content["database"]["v1"]["duration"] = 12
    path.write_text(json.dumps(content))
    assert call("Cut", folder, *WORDS) == 0
    assert "1 video with another duration in the annotations" in capsys.readouterr().out


def test_a_given_rate_that_is_not_that_of_the_features_is_refused(run, tmp_path, capsys):
    capsys.readouterr()
    assert call("Cut", copied(run, tmp_path), *WORDS, "--feature_fps", "6") == 2
    assert "--feature_fps is 6; leave it out" in refusal(capsys.readouterr())


def test_long_videos_take_no_more_memory(tmp_path):
    """A frame every 100 s, for a minute and a half or for half an hour."""
    peaks = []
    for count in (1, 18):
        path = write_video(tmp_path / f"{count}.mp4", even_times(count + 1, Fraction(1, 100)))
        tracemalloc.start()
        extract(path, "--out", tmp_path, "--workers", "0")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    rows = np.load(tmp_path / "18.npy", mmap_mode="r")
    assert len(rows) >= 9000 and rows.nbytes > 20 * abs(peaks[1] - peaks[0])


def test_a_video_that_vanished_is_named_and_not_the_folder(tmp_path):
    writer = FeatureWriter(tmp_path, "a", {"channels": 2})
    writer.append(np.zeros((3, 2), np.float32))
    with pytest.raises(UserError, match=r"gone\.mp4 cannot be read any more: .*; put it back"):
        writer.finish(None, tmp_path / "gone.mp4")
    writer.close()
    assert not any(tmp_path.iterdir())
