"""The whole loop: annotate in ELAN, import, train, predict, export, correct, import again.

pympi, a library for ELAN's files that shares nothing with ours, writes and corrects them.
"""

import json

import pympi
import pytest

import Cut_long_videos
import Eval
import Infer
import Prepare_data
import Train
from tests.annotated_clips import FPS, make_clips, write_elan

TRAINED, TESTED = [f"clip_{i:02d}" for i in range(12)], ["clip_90", "clip_91"]
OWN = ["--dataset", "custom", "--recipe", "strong", "--feature_path", "features",
       "--video_anno", "annotations.json", "--window_path", "windows"]
SMALL = ["--bb_hidden_dim", "32", "--num_head_layers", "1", "--num_neigh", "4", "--num_epoch", "4"]


@pytest.fixture
def truth(tmp_path, monkeypatch):
    """Clips of two kinds of action, annotated in .eaf files. -> {video: rows in ms}."""
    monkeypatch.chdir(tmp_path)
    for folder in ("features", "talks"):
        (tmp_path / folder).mkdir()
    clips = make_clips(dict.fromkeys((*TRAINED, *TESTED), tmp_path / "features"), apart=35)
    for name, rows in clips.items():
        write_elan(tmp_path / "talks" / f"{name}.eaf", name, rows)
    return {name: [(round(1000 * start), round(1000 * end), label) for start, end, label in rows]
            for name, rows in clips.items()}


def actions(path):
    """{video: [(start, end, label)]} of an annotation file, in milliseconds."""
    database = json.loads(path.read_text())["database"]
    return {name: [(*(round(1000 * edge) for edge in action["segment"]), action["label"])
                   for action in video["annotations"]] for name, video in database.items()}


def test_what_is_annotated_in_elan_trains_and_comes_back_to_be_corrected(truth, tmp_path, capsys):
    (tmp_path / "split.csv").write_text("video,subset\n" + "".join(
        f"{name},{'testing' if name in TESTED else 'training'}\n" for name in truth))
    files = sorted(map(str, (tmp_path / "talks").iterdir()))
    assert Prepare_data.main(["import", *files, "--to", "annotations.json", "--split", "split.csv",
                              "--feature_path", "features"]) == 0
    assert "0 of 14 videos have no features in features" in capsys.readouterr().out
    assert actions(tmp_path / "annotations.json") == truth

    rate, run, out = ["--feature_fps", str(FPS)], ["--checkpoint_path", "run"], ["--output_path",
                                                                              "out"]
    assert Cut_long_videos.main([*OWN, *rate]) == 0
    assert Train.main([*OWN, *rate, *run, *SMALL]) == 0
    assert Infer.main([*OWN, *run, *out]) == 0
    assert Eval.main([*OWN[:4], "--video_anno", "annotations.json", *out]) == 0
    assert Prepare_data.main(["export", "out/detections_postNMS.json", "--as", "elan", "--to",
                              "found"]) == 0
    assert {path.stem for path in (tmp_path / "found").iterdir()} == set(TESTED)

    # In ELAN: take everything away that was found in one video, but for one action.
    path = tmp_path / "found" / f"{TESTED[0]}.eaf"
    eaf = pympi.Elan.Eaf(str(path))
    for tier in [tier for tier in eaf.get_tier_names() if tier != "wave"]:
        eaf.remove_tier(tier)
    eaf.remove_all_annotations_from_tier("wave")
    eaf.add_annotation("wave", 10_040, 12_345, "wave")
    eaf.to_file(str(path))

    files = sorted(map(str, (tmp_path / "found").glob("*.eaf")))
    assert Prepare_data.main(["import", *files, "--to", "corrected.json", "--split",
                              "split.csv"]) == 0
    corrected = actions(tmp_path / "corrected.json")
    assert list(corrected) == TESTED
    assert corrected[TESTED[0]] == [(10_040, 12_345, "wave")]
    found = json.loads((tmp_path / "out/detections_postNMS.json").read_text())["results"]
    assert corrected[TESTED[1]] == sorted(
        (*(round(1000 * edge) for edge in row["segment"]), row["label"])
        for row in found[TESTED[1]] if row["score"] >= 0.3)
