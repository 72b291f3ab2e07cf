"""Annotations and features opened together, and the use of each video."""

import numpy as np
import pytest

from tests.small_data import entry, write_custom
from Utils.config.resolve import parse_config, resolve
from Utils.data.datasets import Video
from Utils.data.sources import open_source
from Utils.data.splits import by_use, with_splits
from Utils.files import UserError

CUSTOM = resolve({"dataset": "custom", "recipe": "paper"})


def video(name, subset="train", order=0):
    return Video(name, subset, 1.0, np.zeros((0, 2)), np.zeros(0, int), order)


def test_val_is_evaluated_if_there_is_no_test():
    videos = [video("a"), video("b", "Validation")]
    assert with_splits(CUSTOM, videos)[0].subset == "val"
    given = resolve({"dataset": "custom", "recipe": "paper", "subset": "test"})
    assert with_splits(given, videos)[0].subset == "test"
    assert with_splits(CUSTOM, [*videos, video("c", "Testing")])[0].subset == "test"


def test_held_out_videos_train_nothing_and_inference_keeps_its_order():
    videos = [video(f"t{i}") for i in range(10)]
    videos += [video(f"e{i}", "test", order=-i) for i in range(3)]
    found = by_use(CUSTOM, videos, ("train", "val", "infer"))
    names = {use: [v.name for v in chosen] for use, chosen in found.items()}
    assert names["val"] == ["t4", "t9"] and len(names["train"]) == 8
    assert not set(names["val"]) & set(names["train"])
    assert names["infer"] == ["e2", "e1", "e0"]
    assert list(by_use(CUSTOM, videos, ("infer",))) == ["infer"]


def test_a_source_has_videos_features_and_options(tmp_path):
    config = parse_config("Train", write_custom(tmp_path / "data"))
    source = open_source(config, ("train", "val"))
    assert [len(source.videos[use]) for use in ("train", "val")] == [4, 1]
    assert source.config.input_feat_dim == 5 and source.config.decoder_num_classes == 3
    assert source.frames(source.videos["train"][0]) == 100
    assert {v.name for v in source.all_videos} == {f"train{i}" for i in range(5)}


def no_durations(database, arrays):
    for name in database:
        database[name] = entry(name[:-1], (1, 2, "run"), duration=None)


def test_a_duration_that_is_missing_comes_from_the_rate_of_the_features(tmp_path):
    words = write_custom(tmp_path / "data", change=no_durations)
    source = open_source(parse_config("Train", [*words, "--feature_fps", "20"]))
    assert {v.duration for v in source.all_videos} == {5.0}
    with pytest.raises(UserError, match="train0 has no duration; .*--feature_fps"):
        open_source(parse_config("Train", words))


@pytest.mark.parametrize("rate, is_refused", [("30", True), ("2", True), ("10", False),
                                              ("10.5", False), ("12", True)])
def test_a_rate_that_the_durations_contradict_is_refused(tmp_path, rate, is_refused):
    config = parse_config("Train", [*write_custom(tmp_path / "data"), "--feature_fps", rate])
    if not is_refused:
        assert open_source(config).config.feature_fps == float(rate)
        return
    with pytest.raises(UserError, match=f"--feature_fps is {rate}, but by their durations 7 of 7 "
                                        f"videos differ: train0 .10 features per second, "
                                        f"not {rate}"):
        open_source(config)


def test_all_videos_left_out_is_an_error(tmp_path):
    def change(database, arrays):
        for name in database:
            arrays["rgb"][name][3, 0] = np.nan

    words = write_custom(tmp_path / "data", change=change)
    with pytest.raises(UserError, match="no video has features in .*train0"):
        open_source(parse_config("Train", [*words, "--skip_missing"]))


def test_a_class_agnostic_network_accepts_fewer_classes_with_a_note(tmp_path):
    """A network with a score per class refuses fewer, and every network refuses more."""
    words = write_custom(tmp_path / "data")
    agnostic = [*words, "--class_agnostic", "--decoder_num_classes", "5"]
    notes = open_source(parse_config("Train", agnostic)).notes
    assert ("the annotations have 2 of 4 classes, which does not matter: the network has one score "
            "for all of them") in notes
    for more in ([*words, "--decoder_num_classes", "5"],
                 [*words, "--class_agnostic", "--decoder_num_classes", "2"]):
        with pytest.raises(UserError, match="set --decoder_num_classes 3"):
            open_source(parse_config("Train", more))
    assert not any("one score" in note for note in open_source(parse_config(
        "Train", [*words, "--class_agnostic"])).notes)
