"""Options that come from the data, by hand-made lengths."""

import numpy as np

from tests.parity_data import ArrayStore
from Utils.config.checks import check_network
from Utils.config.derive import (
    choose_anchors,
    choose_framing,
    choose_length,
    choose_width,
    complete,
)
from Utils.config.resolve import resolve
from Utils.data.datasets import Video

CUSTOM = resolve({"dataset": "custom", "recipe": "paper"})


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
    check_network(resolve({"dataset": "custom", "recipe": "paper", "temporal_scale": least}))


def test_anchors_are_centred_on_the_actions():
    # Cells of 4 to 64 frames: actions of 4 to 64 frames need a scale of 1, of 32 to 512 of 8.
    assert choose_anchors(np.array([4.] * 5 + [64.] * 5), CUSTOM) == (1.0, 1.5)
    assert choose_anchors(np.array([32.] * 5 + [512.] * 5), CUSTOM) == (8.0, 12.0)
    assert choose_anchors(np.array([]), CUSTOM) == (1.0, 1.5)


def test_few_actions_make_the_network_narrow():
    assert [choose_width(count) for count in (0, 1499, 1500, 2999, 3000)] == [64, 64, 128, 128, 256]
    store = ArrayStore({"x": {name: np.zeros((100, 7), np.float32) for name in "ab"}})
    videos = [video("a", [10] * 5), video("b", [0.01] * 1600, subset="test")]
    strong = resolve({"dataset": "custom", "recipe": "strong"})
    assert complete(strong, videos, ("run",), store, videos[:1]).bb_hidden_dim == 64
    assert complete(strong, videos, ("run",), store).bb_hidden_dim == 128
    paper = resolve({"dataset": "custom", "recipe": "paper"})
    assert complete(paper, videos, ("run",), store).bb_hidden_dim == 256


def test_what_the_user_gave_is_not_derived():
    given = resolve({"dataset": "custom", "recipe": "paper", "temporal_scale": 640,
                     "anchor_scale": (2.0,), "framing": "whole"})
    store = ArrayStore({"x": {"a": np.zeros((100, 7), np.float32)}})
    found = complete(given, [video("a", [50])], ("run", "jump"), store)
    assert (found.temporal_scale, found.anchor_scale, found.framing) == (640, (2.0,), "whole")
    assert (found.input_feat_dim, found.decoder_num_classes) == (7, 3)


def test_a_complete_config_is_left_alone():
    config = resolve({"dataset": "thumos"})
    assert complete(config, [], (), None) is config


def test_videos_without_actions_still_give_options():
    store = ArrayStore({"x": {"a": np.zeros((100, 7), np.float32)}})
    found = complete(CUSTOM, [video("a", [])], ("run",), store)
    assert found.framing == "sliding" and found.anchor_scale == (1.0, 1.5)
