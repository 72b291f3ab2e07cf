"""Random training windows: lengths and places, actions in them, the same for the same epoch."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.parity_data import ArrayStore
from tests.small_data import noise
from tests.Utils.inputs.test_dataset import config, video
from Utils.inputs.framing import InputShape, sliding_layout, whole_layout
from Utils.inputs.loader import WindowLoader
from Utils.inputs.random_windows import TRIES, RandomWindows, WindowDraw

FRAMES = {"a": 100, "b": 41, "c": 30}
VIDEOS = [video("a", [[1, 2.5], [3.1, 4], [7.3, 8.9]], 10.0), video("b", [[1, 2]], 4.1),
          video("c", [], 3.0)]


def store():
    return ArrayStore({"x": {name: noise(name, count, 2) for name, count in FRAMES.items()}})


def draw(videos=VIDEOS, **options):
    options = {"steps_per_epoch": 50, "batch_size": 8, "min_inside": 0.6, "random_windows": True,
               **options}
    return WindowDraw(videos, store(), config(**options))


def lengths(windows):
    return np.array([window.end - window.start + 1 for window in windows])


def test_an_epoch_has_its_own_windows_whatever_was_drawn_before():
    rule = draw()
    first, second = rule(0), rule(1)
    assert len(first) == 400 and first != second
    assert draw()(1) == second and draw(seed=5)(1) != second


def test_without_steps_an_epoch_is_as_long_as_the_list_that_was_cut():
    def count(listed, batch_size):
        options = config(random_windows=True, min_inside=0.6, steps_per_epoch=None,
                         batch_size=batch_size)
        return len(WindowDraw(VIDEOS, store(), options, listed)(0))

    assert count(90, 8) == 400 and count(480, 8) == 480
    assert count(480, 32) == 480 and count(480, 7) == 483


def test_no_epoch_shows_every_class_more_often_than_needed():
    # A video of one long action for each window: as many windows as views.
    def count(classes, actions, listed=10 ** 4, batch_size=8, **options):
        names = [f"{row}" for row in range(actions)]
        videos = [dataclasses.replace(video(name, [[0, 4]], 4.0), labels=np.array([row % classes]))
                  for row, name in enumerate(names)]
        features = ArrayStore({"x": {name: noise(name, 40, 2) for name in names}})
        settings = config(random_windows=True, min_inside=0.1, use_VSS=False,
                          steps_per_epoch=None, batch_size=batch_size, **options)
        return len(WindowDraw(videos, features, settings, listed)(0))

    assert count(2, 100) == 600 and count(3, 100) == 904      # 113 batches of 8
    assert count(2, 100, listed=480) == 480                   # the list
    assert count(1, 100) == 400                               # the least
    assert count(2, 250) == 752                               # each action three times
    assert count(2, 100, seed=5) == 600 and count(2, 100, num_epoch=28) == 600


def test_an_epoch_without_any_action_has_the_least_windows():
    settings = config(random_windows=True, steps_per_epoch=None, batch_size=8)
    assert len(WindowDraw(VIDEOS[2:], store(), settings)(0)) == 400


def test_clips_and_crops_have_the_lengths_of_the_options():
    # T = 64, and nothing of the 100 frames of `a` is cut off by it at 30 to 60 %.
    windows = draw(VIDEOS[:1], clip_share=0.5, min_clip=0.12, clip_win_size=0.2, min_crop=0.3)(0)
    found = lengths(windows)
    is_clip = found <= 13
    assert 0.4 < is_clip.mean() < 0.6
    assert found[is_clip].min() == 8 and found[is_clip].max() == 13
    assert found[~is_clip].min() >= 30 and found[~is_clip].max() == 64
    assert min(w.start for w in windows) >= 0 and max(w.end for w in windows) == 99
    assert len({window.start for window in windows}) > 40


def test_without_self_stitching_there_are_no_clips():
    assert lengths(draw(VIDEOS[:1], use_VSS=False)(0)).min() >= 60


def test_a_window_never_leaves_its_video():
    found = lengths(draw(VIDEOS[1:2], min_clip=0.9, clip_win_size=0.95, clip_share=1)(0))
    assert set(found) == {41}


def test_windows_without_an_action_are_drawn_again():
    rule, shape = draw(), InputShape.of(draw().config)
    by_name = {one.name: one for one in VIDEOS}
    held = [len(sliding_layout(window, by_name[window.video], (FRAMES[window.video],),
                               shape).labels) for window in rule(0)]
    assert all(held)
    # Where there is none at all, the last of the draws is taken.
    assert len(draw(VIDEOS[2:])(0)) == 400 and TRIES == 20


def test_an_action_counts_with_its_share_and_is_clipped():
    one = [dataclasses.replace(VIDEOS[0], segments=np.array([[3.0, 5.0]]), labels=np.array([1]))]
    for share, held in ((0.6, True), (0.9, False)):
        shape = InputShape.of(config(min_inside=share, use_VSS=False))
        window = draw(one)(0)[0]
        layout = sliding_layout(dataclasses.replace(window, start=0, end=45), one[0], (100,), shape)
        assert len(layout.labels) == held
        if held:
            assert layout.segments.tolist() == [[30, 45]]
    stitched = sliding_layout(dataclasses.replace(window, start=25, end=45), one[0], (100,),
                              InputShape.of(config(min_inside=0.6)))
    # 21 frames, gap 8, 35 columns for the copy.
    assert stitched.segments.tolist() == [[5, 20], [37, 63]] or stitched.segments.tolist() == [
        [5, 20], [5 / 21 * 35 + 29, 63]]


def test_whole_videos_are_cut_in_seconds():
    rule = draw(framing="whole", temporal_scale=64, min_crop=0.5, clip_share=0.3)
    shape = InputShape.of(rule.config)
    by_name = {one.name: one for one in VIDEOS}
    layouts = [whole_layout(window, by_name[window.video], (FRAMES[window.video],), shape)
               for window in rule(3)]
    assert {layout.is_stitched for layout in layouts} == {True, False}
    assert all(len(layout.labels) for layout in layouts)
    assert max(layout.num_frames for layout in layouts) == 64


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_takes_the_windows_of_its_epoch(workers):
    options = config(steps_per_epoch=3, batch_size=4, min_inside=0.6, mask_padding=True)
    data = RandomWindows(WindowDraw(VIDEOS, store(), options), VIDEOS, store(), options)
    loader = WindowLoader(data, 4, shuffle=True, cache="none", num_workers=workers)
    loader.set_epoch(2)
    batches = list(loader)
    assert len(batches) == len(loader) == 3 and loader.sizes == [4, 4, 4]
    seen = [window for batch in batches for window in batch.windows]
    assert sorted(map(repr, seen)) == sorted(map(repr, WindowDraw(VIDEOS, store(), options)(2)))
    assert data.video_names == ["a", "b", "c"]


def test_the_mask_leaves_out_padding_and_gap():
    options = config(mask_padding=True, steps_per_epoch=1, batch_size=30)
    batch = RandomWindows(WindowDraw(VIDEOS, store(), options), VIDEOS, store(), options).batch(
        list(range(30)))
    assert batch.stitched.any() and not batch.stitched.all()
    # Features are noise: zeros are padding and gap alone.
    assert torch.equal(batch.targets.mask, batch.features.any(dim=1))
