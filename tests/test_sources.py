"""Options that come from the data, and annotations and features opened together."""

import numpy as np
import pytest

from tests.parity_data import ArrayStore
from tests.small_data import entry, write_custom
from Utils.config import check_network, parse_config, resolve
from Utils.datasets import Video
from Utils.derive import choose_anchors, choose_framing, choose_length, complete, describe_derived
from Utils.files import UserError
from Utils.sources import by_use, open_source, with_subset

CUSTOM = resolve({"dataset": "custom"})


def video(name, frames_of_actions, duration=100.0, subset="train"):
    ends = np.cumsum(frames_of_actions)
    segments = np.stack([ends - frames_of_actions, ends], axis=-1).astype(float)
    return Video(name, subset, duration, segments.reshape(-1, 2), np.ones(len(ends), int))


def test_a_few_large_actions_make_whole_videos_many_small_ones_windows():
    assert choose_framing(np.array([0.5, 0.3]), 2) == "whole"
    assert choose_framing(np.array([0.05, 0.3, 0.1]), 2) == "sliding"
    assert choose_framing(np.full(9, 0.3), 2) == "sliding"
    assert choose_framing(np.array([]), 2) == "sliding"


def test_the_input_holds_most_videos_or_twice_a_long_action_and_fits_the_pyramid():
    assert choose_length(np.array([500., 540.]), np.array([20.]), "sliding", CUSTOM) == 576
    assert choose_length(np.array([9000.]), np.array([300.]), "sliding", CUSTOM) == 640
    assert choose_length(np.array([9000.]), np.array([3000.]), "sliding", CUSTOM) == 1280
    assert choose_length(np.array([9000.]), np.array([3000.]), "whole", CUSTOM) == 1280
    least = choose_length(np.array([10.]), np.array([3.]), "sliding", CUSTOM)
    assert least == 384                   # 12 neighbours at the coarsest level's input, T / 32
    check_network(resolve({"dataset": "custom", "temporal_scale": least}))


def test_anchors_are_centred_on_the_actions():
    # Cells of 4 to 64 frames: actions of 4 to 64 frames need a scale of 1, of 32 to 512 of 8.
    assert choose_anchors(np.array([4.] * 5 + [64.] * 5), CUSTOM) == (1.0, 1.5)
    assert choose_anchors(np.array([32.] * 5 + [512.] * 5), CUSTOM) == (8.0, 12.0)
    assert choose_anchors(np.array([]), CUSTOM) == (1.0, 1.5)


def test_what_the_user_gave_is_not_derived():
    given = resolve({"dataset": "custom", "temporal_scale": 640, "anchor_scale": (2.0,),
                     "framing": "whole"})
    store = ArrayStore({"x": {"a": np.zeros((100, 7), np.float32)}})
    found = complete(given, [video("a", [50])], ("run", "jump"), store)
    assert (found.temporal_scale, found.anchor_scale, found.framing) == (640, (2.0,), "whole")
    assert (found.input_feat_dim, found.decoder_num_classes) == (7, 3)
    assert describe_derived(given, found) == \
        "from the data: input_feat_dim=7, decoder_num_classes=3"


def test_a_complete_config_is_left_alone():
    config = resolve({"dataset": "thumos"})
    assert complete(config, [], (), None) is config
    assert describe_derived(config, config) == ""


def test_videos_without_actions_still_give_options():
    store = ArrayStore({"x": {"a": np.zeros((100, 7), np.float32)}})
    found = complete(CUSTOM, [video("a", [])], ("run",), store)
    assert found.framing == "sliding" and found.anchor_scale == (1.0, 1.5)


def test_val_is_evaluated_where_there_is_no_test():
    videos = [video("a", []), video("b", [], subset="Validation")]
    assert with_subset(CUSTOM, videos).subset == "val"
    given = resolve({"dataset": "custom", "subset": "test"})
    assert with_subset(given, videos).subset == "test"
    assert with_subset(CUSTOM, [*videos, video("c", [], subset="Testing")]).subset == "test"


def test_held_out_videos_train_nothing_and_inference_keeps_its_order():
    videos = [video(f"t{i}", []) for i in range(10)]
    videos += [Video(f"e{i}", "test", 1.0, np.zeros((0, 2)), np.zeros(0, int), order=-i)
               for i in range(3)]
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


def test_all_videos_left_out_is_an_error(tmp_path):
    def change(database, arrays):
        for name in database:
            arrays["rgb"][name][3, 0] = np.nan

    words = write_custom(tmp_path / "data", change=change)
    with pytest.raises(UserError, match="no video has features in .*train0"):
        open_source(parse_config("Train", [*words, "--skip_missing"]))
