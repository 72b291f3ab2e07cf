"""Follow what Extract_features.py, Export_model.py and Prepare_data.py say to do.

The remedy is taken from the words of the message, as in test_named_options.py.
"""

import importlib.util
import json
import shutil

import numpy as np
import pytest

import Cut_long_videos
import Export_model
import Infer
import Prepare_data
import Train
from tests.scripts.test_named_options import found, without
from tests.small_data import entry, write_annotations
from tests.small_run import NETWORK, make_run, refusal
from tests.video_files import even_times, write_video

ROW = {"label": "run", "score": 0.5, "segment": [1, 2.5]}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# ---- Extract_features.py ------------------------------------------------------------------------

@pytest.fixture
def extract(tmp_path):
    """Two videos in `films`, and Extract_features.py on them as a function of its other words."""
    pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")
    pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")
    import Extract_features

    (tmp_path / "films").mkdir()
    for name in ("train0", "test0"):
        write_video(tmp_path / "films" / f"{name}.mp4", even_times(20, 10), rate=10)
    return lambda *words: Extract_features.main(["films", "--workers", "0", *words])


@pytest.mark.parametrize("words, pattern", [
    (["--out", "f", "--check", "--template"], r"but (--\w+) would write; leave one of them out"),
    (["--out", "f", "--template", "--check"], r"error: (--\w+) only reads, but"),
    (["--out", "f", "--demo_seconds", "30"], r"or leave (--\w+) out")])
def test_an_option_of_the_extraction_is_left_out(extract, capsys, words, pattern):
    assert extract(*words) == 2
    option = found(pattern, refusal(capsys.readouterr()))
    assert extract(*without(words, option)) == 0


def test_a_file_is_no_folder_for_features(extract, capsys, tmp_path):
    (tmp_path / "f").touch()
    assert extract("--out", "f") == 2
    option = found(r"(--out) f is a file; name a folder", refusal(capsys.readouterr()))
    assert extract(option, "g") == 0


def test_two_videos_of_one_name_are_renamed(extract, capsys, tmp_path):
    (tmp_path / "films" / "more").mkdir()
    shutil.copy("films/train0.mp4", "films/more/train0.mp4")
    assert extract("--out", "f") == 2
    second = found(r"and (\S+) would both be train0.npy; rename one", refusal(capsys.readouterr()))
    (tmp_path / second).rename(tmp_path / "films" / "more" / "other.mp4")
    assert extract("--out", "f") == 0


def test_features_that_their_sidecar_does_not_know_are_removed(extract, capsys, tmp_path):
    assert extract("--out", "f") == 0
    np.save("f/train0.npy", np.zeros((4, 4)))
    assert extract("--out", "f", "--check") == 1
    name = found(r"wrong: train0: (\S+)\.npy is not what .* remove both and extract it again",
                 capsys.readouterr().out)
    for ending in (".npy", ".json"):
        (tmp_path / f"{name}{ending}").unlink()
    assert extract("--out", "f") == 0 and extract("--out", "f", "--check") == 0


def test_features_without_their_sidecar_are_extracted_again(extract, capsys, tmp_path):
    write_annotations(tmp_path / "a.json", {
        name: entry(name[:-1], (0.2, 1, "run"), duration=2.0) for name in ("train0", "test0")})
    words = ["--dataset", "custom", "--feature_path", "f", "--video_anno", "a.json"]
    assert extract("--out", "f") == 0
    (tmp_path / "f" / "train0.json").unlink()
    assert Cut_long_videos.main(words) == 2
    option = found(r"run Extract_features.py for them again, with (--\w+)",
                   refusal(capsys.readouterr()))
    assert extract("--out", "f", option) == 0 and Cut_long_videos.main(words) == 0


def test_features_of_another_tool_are_replaced_or_left_alone(extract, capsys, tmp_path):
    (tmp_path / "f").mkdir()
    np.save("f/train0.npy", np.zeros((4, 4)))
    assert extract("--out", "f") == 2
    said = refusal(capsys.readouterr())
    assert extract(found(r"another (--\w+) leaves them alone", said), "g") == 0
    assert extract("--out", "f", found(r"(--overwrite) replaces them", said)) == 0


def test_features_of_another_extractor_are_replaced_or_left_alone(extract, capsys):
    assert extract("--out", "f") == 0
    capsys.readouterr()
    words = ["--feature_fps", "10", "--out"]
    assert extract(*words, "f") == 2
    said = refusal(capsys.readouterr())
    assert extract(*words[:-1], found(r"another (--\w+) leaves them alone", said), "g") == 0
    assert extract(*words, "f", found(r"(--overwrite) replaces them", said)) == 0


def test_features_of_other_videos_are_not_mixed(extract, capsys, tmp_path):
    assert extract("--out", "f") == 0
    capsys.readouterr()
    (tmp_path / "films" / "test0.mp4").unlink()
    words = ["--feature_fps", "10", "--overwrite"]
    assert extract(*words, "--out", "f") == 2
    option = found(r"would mix extractors: choose another (--\w+)", refusal(capsys.readouterr()))
    assert extract(*words, option, "g") == 0


def test_a_damaged_sidecar_is_removed_with_its_features(extract, capsys, tmp_path):
    assert extract("--out", "f") == 0
    (tmp_path / "f" / "train0.json").write_text('{"extractor": 3, "fingerprint": 4}')
    capsys.readouterr()
    assert extract("--out", "f") == 2
    said = refusal(capsys.readouterr())
    for pattern in (r"error: (\S+) is not a sidecar", r"remove it and (\S+),"):
        (tmp_path / "f" / found(pattern, said).removeprefix("f/")).unlink()
    assert extract("--out", "f") == 0 and extract("--out", "f", "--check") == 0


def test_an_extractor_and_a_file_get_a_name_that_is_known(extract, capsys, tmp_path):
    assert extract("--out", "f", "--extractor", "moton") == 2
    name = found(r"did you mean (\w+)\?", refusal(capsys.readouterr()))
    assert extract("--out", "f", "--extractor", name) == 0
    for path in (tmp_path / "films").iterdir():
        path.rename(path.with_suffix(".film"))
    capsys.readouterr()
    assert extract("--out", "f") == 2
    ending = found(r"no video in films; known extensions are (\.\w+)",
                   refusal(capsys.readouterr()))
    for path in (tmp_path / "films").iterdir():
        path.rename(path.with_suffix(ending))
    assert extract("--out", "f") == 0


def test_a_folder_of_two_extractors_is_extracted_anew(extract, capsys, tmp_path):
    """In the same way, into a new folder; then without a rate that contradicts the features."""
    write_annotations(tmp_path / "a.json", {
        name: entry(name[:-1], (0.2, 1, "run"), duration=2.0) for name in ("train0", "test0")})
    assert extract("--out", "f") == 0 and extract("--out", "g", "--feature_fps", "10") == 0
    for ending in (".npy", ".json"):
        shutil.copy(f"g/train0{ending}", f"f/train0{ending}")
    words = ["--dataset", "custom", "--video_anno", "a.json", "--feature_path"]
    capsys.readouterr()
    assert Cut_long_videos.main([*words, "f"]) == 2
    assert found(r"extract all of them in the same way, into a (new) folder",
                 refusal(capsys.readouterr()))
    assert extract("--out", "new") == 0 and Cut_long_videos.main([*words, "new"]) == 0
    capsys.readouterr()
    rated = [*words, "new", "--overwrite", "--feature_fps", "6"]
    assert Cut_long_videos.main(rated) == 2
    option = found(r"but (--\w+) is 6; leave it out", refusal(capsys.readouterr()))
    assert Cut_long_videos.main(without(rated, option)) == 0


def test_windows_and_features_of_another_extractor_are_made_again(extract, capsys, tmp_path):
    names = [f"{part}{number}" for part, count in (("train", 4), ("test", 2))
             for number in range(count)]
    for name in names:
        write_video(tmp_path / "films" / f"{name}.mp4", even_times(80, 10), rate=10)
    write_annotations(tmp_path / "a.json", {
        name: entry(name[:-1], (1, 3, "run"), duration=8.0) for name in names})
    words = ["--dataset", "custom", "--video_anno", "a.json", "--feature_path", "f",
             "--recipe", "paper", "--temporal_scale", "64", "--num_neigh", "2", "--stitch_gap", "8",
             *NETWORK]
    assert extract("--out", "f") == 0 and Cut_long_videos.main(words) == 0
    assert extract("--out", "f", "--overwrite", "--feature_fps", "4") == 0
    capsys.readouterr()
    assert Train.main(words) == 2
    assert "of another extractor than those in f; run Cut_long_videos.py again" in refusal(
        capsys.readouterr())
    assert Cut_long_videos.main(words) == 0 and Train.main(words) == 0
    # And features of another rate than the network was trained on.
    assert extract("--out", "g") == 0
    elsewhere, longer = [*words, "--feature_path", "g"], ["--resume", "--num_epoch", "2"]
    for main, more in ((Infer.main, []), (Train.main, longer)):
        capsys.readouterr()
        assert main([*elsewhere, *more]) == 2
        rate = found(r"in feature_fps \(5\.0, not (\S+)\); extract them with the same extractor "
                     "and options", refusal(capsys.readouterr()))
    assert extract("--out", "g", "--overwrite", "--feature_fps", rate) == 0
    assert Infer.main(elsewhere) == 0 and Train.main([*elsewhere, *longer]) == 0


# ---- Export_model.py ----------------------------------------------------------------------------

@pytest.mark.parametrize("name, pattern", [
    ("model.pth", r"name a file that ends in (\.\w+) or"),
    ("model.onnx", r"or write a (\.\w+) file")])
def test_a_network_is_written_in_the_format_that_is_named(tmp_path, capsys, monkeypatch, name,
                                                          pattern):
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda module: None if "onnx" in module else known(module))
    make_run(tmp_path / "run")
    capsys.readouterr()
    words = ["--checkpoint_path", "run/run", "-o"]
    assert Export_model.main([*words, name]) == 2
    ending = found(pattern, refusal(capsys.readouterr()))
    assert Export_model.main([*words, f"model{ending}"]) == 0


# ---- Prepare_data.py ----------------------------------------------------------------------------

def write_found(**results):
    with open("found.json", "w", encoding="utf-8") as file:
        json.dump({"results": results}, file)


@pytest.mark.parametrize("results, kind, pattern, values", [
    ({"v": [ROW]}, "labelstudio", r"configuration with (--\w+)", ["25"]),
    ({"v": [ROW]}, "boris", r"with (--durations)", ["seconds.csv"]),
    ({"a/b": [ROW]}, "srt", r"or write (csv)", None),
    ({"v": [{**ROW, "label": "a\u0001"}]}, "elan", r"or write (csv)", None)])
def test_an_export_is_made_as_the_message_says(tmp_path, capsys, results, kind, pattern, values):
    write_found(**results)
    (tmp_path / "seconds.csv").write_text("video,seconds\nv,10\n")
    words = ["export", "found.json", "--to", "out", "--as"]
    assert Prepare_data.main([*words, kind]) == 2
    named = found(pattern, refusal(capsys.readouterr()))
    more = [named] if values is None else [kind, named, *values]
    assert Prepare_data.main([*words, *more]) == 0


def test_what_is_there_is_replaced_with_the_option(capsys):
    write_found(v=[ROW])
    words = ["export", "found.json", "--as", "csv", "--to", "out"]
    assert Prepare_data.main(words) == 0 and Prepare_data.main(words) == 2
    option = found(r"; (--\w+) replaces it", refusal(capsys.readouterr()))
    assert Prepare_data.main([*words, option]) == 0


def test_an_import_goes_to_the_file_that_is_named(tmp_path, capsys):
    (tmp_path / "t.csv").write_text("video,start,end,label\nv,1,2,run\n")
    (tmp_path / "out").mkdir()
    assert Prepare_data.main(["import", "t.csv", "--to", "out"]) == 2
    path = found(r"name a file in it, such as (\S+)", refusal(capsys.readouterr()))
    assert Prepare_data.main(["import", "t.csv", "--to", path]) == 0
