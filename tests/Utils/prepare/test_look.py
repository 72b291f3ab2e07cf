"""A look at the data: what is found, its exit code, and that nothing is written."""

import numpy as np
import pytest

from Cut_long_videos import main
from tests.small_data import entry, noise, write_annotations, write_custom
from Utils.data.sidecars import Sidecar, fingerprint


def looked_at(tmp_path, *words, change=None):
    """Exit code of a look at a small dataset."""
    named = write_custom(tmp_path / "data", change=change)
    return main([*named, "--window_path", str(tmp_path / "windows"), "--check", *words])


def test_check_finds_nothing_in_good_data_and_writes_nothing(tmp_path, capsys):
    assert looked_at(tmp_path) == 0
    said = capsys.readouterr().out
    for fact in ("subset train: 5 videos, 10 actions", "classes: 2", "channels: 5 (rgb, flow)",
                 "frames per video: 100 to 100", "usually 10", "0 errors, 0 warnings"):
        assert fact in said
    assert not (tmp_path / "windows").exists()


def test_check_counts_and_lists_oddities_as_warnings(tmp_path, capsys):
    def change(database, arrays):
        database["train0"] = entry("train", (3, 1, "run"), (9, 12, "run"), (9, 12, "run"))
        database["train1"] = entry("train")
        database["test0"]["annotations"][0]["label"] = "swim"
        database["train2"]["duration"] = 40.0
        database["train3"]["duration"] = 14.0
        arrays["flow"]["test1"] = arrays["flow"]["test1"][:95]

    assert looked_at(tmp_path, change=change) == 1
    said = capsys.readouterr().out
    for line in ("annotations that end before they start (1)\n  train0\n",
                 "annotations that end after their video (2)\n  train0 (2)\n",
                 "annotations that occur twice (1)\n  train0\n",
                 "training videos without actions (1)\n  train1\n",
                 "classes have no action in training (1)\n  'swim' (1 action)\n",
                 "features that cover only part of their video (1)\n  train2 (2.5 per second)\n",
                 "features of an unusual rate (1)\n  train3 (7.14 per second)\n",
                 "streams of slightly different length (1)\n  test1 (100 and 95 frames)\n"):
        assert line in said
    assert "0 errors, 9 warnings" in said


def test_check_counts_and_lists_errors(tmp_path, capsys):
    def change(database, arrays):
        del arrays["rgb"]["train1"], arrays["flow"]["train1"], arrays["flow"]["train2"]
        arrays["flow"]["test0"][5, 1] = np.inf
        arrays["rgb"]["test1"] = arrays["rgb"]["test1"][:0]

    assert looked_at(tmp_path, "--input_feat_dim", "7", change=change) == 2
    said = capsys.readouterr().out
    for line in ("ERRORS: videos without rgb and flow features (1)\n  train1\n",
                 "ERRORS: videos without flow features (1)\n  train2\n",
                 "ERRORS: features that cannot be used (2)", "first at frame 5", "are empty",
                 "set --input_feat_dim 5", "errors, 0 warnings"):
        assert line in said


def test_check_without_features_looks_at_annotations(tmp_path, capsys, shared):
    annotations = str(shared / "annotations/activitynet/anet_anno_action.json")
    assert main(["--check", "--video_anno", annotations]) == 1
    said = capsys.readouterr().out
    assert "features: not checked" in said and "annotations that have no length (12)" in said


def sidecar(**identity):
    """The text of the sidecar of a video of 10 s."""
    identity |= {"feature_fps": 1.0}
    return Sidecar(identity, fingerprint(identity), "", {}, 10.0, 0.0, 10, None, 0, 0).text()


@pytest.mark.parametrize("sidecars, sentence", [
    ({"train0": sidecar(name="a")}, "4 of 5 videos have features but no sidecar"),
    ({f"train{i}": sidecar(name="ab"[i % 2]) for i in range(6)}, "features of 2 extractors"),
    ({"train0": sidecar(name="a").replace("10.0", "-1")}, "is not a sidecar"),
])
def test_odd_sidecars_hide_no_other_finding(tmp_path, capsys, sidecars, sentence):
    """The videos have equal lengths, which is a question unless sound sidecars answer it."""
    database = {f"train{i}": entry("train", (3, 1, "run"), (1, 4, "jump")) for i in range(6)}
    write_annotations(tmp_path / "annotations.json", database)
    for name in database:
        np.save(tmp_path / f"{name}.npy", noise(name, 10, 20))
    for name, text in sidecars.items():
        (tmp_path / f"{name}.json").write_text(text)
    np.save(tmp_path / "train5.npy", np.full((10, 20), np.inf, np.float32))
    assert main(["--dataset", "custom", "--feature_path", str(tmp_path), "--subset", "train",
                 "--check"]) == 2
    said = " ".join(capsys.readouterr().out.split())
    for found in (sentence, "annotations that end before they start (6)",
                  "ERRORS: features that cannot be used (1)"):
        assert found in said
