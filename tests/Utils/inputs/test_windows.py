"""Cutting by hand-made cases."""

import random
from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from Utils.data.annotations import Video
from Utils.inputs.windows import (
    ClipRule,
    Window,
    covering_spans,
    cut_sliding,
    cut_sliding_inference,
    cut_whole,
    cut_whole_inference,
    inference_clip,
    sliding_spans,
)


def video(segments, duration=10.0, name="a"):
    return Video(name, "train", duration, np.array(segments, float).reshape(-1, 2),
                 np.ones(len(segments), int))


class Always(random.Random):
    """Draws the given share of every interval."""

    def __init__(self, share):
        super().__init__(0)
        self.share = share

    def uniform(self, a, b):
        return a + (b - a) * self.share


def spans(windows):
    return [(window.start, window.end) for window in windows]


def test_sliding_windows_start_every_quarter_and_tails_are_shorter():
    assert sliding_spans(10, 8) == [(0, 7), (2, 9), (4, 9), (6, 9), (8, 9)]


def test_every_window_of_a_video_is_inferred_and_numbered():
    windows = cut_sliding_inference(video([]), 10, 1.0, 8)
    assert [window.index for window in windows] == [0, 1, 2, 3, 4]
    assert windows[-1] == Window("a", 8, 9, 1.0, 10.0, 4)


def test_training_keeps_windows_that_hold_a_whole_action():
    assert spans(cut_sliding(video([[5, 8]]), 10, 1.0, 8)) == [(2, 9), (4, 9)]


def test_a_video_without_actions_has_no_training_windows():
    assert cut_sliding(video([]), 10, 1.0, 8) == []


def test_a_clip_follows_its_long_window():
    # W = 4 frames; the action is 2 frames long: the clip starts 2 frames before it at the earliest.
    clips = ClipRule(long_from=7, max_length=4, random=Always(0))
    windows = cut_sliding(video([[5, 6]]), 8, 1.0, 8, clips)
    assert spans(windows)[:2] == [(0, 7), (3, 7)]


def test_a_window_of_exactly_the_short_length_gets_no_clip():
    clips = ClipRule(long_from=8, max_length=4, random=Always(0))
    assert spans(cut_sliding(video([[5, 6]]), 8, 1.0, 8, clips)) == [(0, 7), (2, 7), (4, 7)]


def clips_of(segments, share=1.0, limit=10, first=0, last=99):
    """Clips in one window of 100 frames, starts drawn at a share of their interval."""
    rule = ClipRule(40, limit, Always(share))
    windows = cut_sliding(video(segments, 100.0), last + 1, 1.0, 400, rule)
    return spans(windows)[1:1 + len(windows)]


def test_an_action_that_ends_inside_the_open_clip_shares_it():
    assert clips_of([[10, 12], [14, 18]]) == [(10, 20)]


def test_an_action_that_starts_inside_the_open_clip_shortens_it():
    assert clips_of([[10, 12], [16, 25]]) == [(10, 16), (16, 26)]


def test_an_action_longer_than_a_clip_ends_the_open_clip_without_one_of_its_own():
    assert clips_of([[10, 12], [15, 60]]) == [(10, 15)]


def test_an_action_that_starts_before_the_previous_one_ends_is_skipped():
    assert clips_of([[10, 30], [25, 33]]) == []
    assert clips_of([[10, 30], [20, 22], [30, 32]]) == [(30, 40)]


def test_a_clip_never_starts_before_the_previous_action_ends_or_passes_the_window():
    assert clips_of([[0, 50], [52, 53]], share=0.0) == [(50, 60)]
    assert clips_of([[97, 98]]) == [(97, 99)]


def test_whole_videos_come_after_their_clips_in_seconds():
    clips = ClipRule(long_from=50, max_length=10, random=Always(0.5))
    assert spans(cut_whole(video([[20, 24]], 60.0), clips)) == [(17.0, 27.0), (0, 60.0)]


def test_a_short_whole_video_has_no_clips():
    clips = ClipRule(long_from=60, max_length=10, random=Always(0.5))
    assert spans(cut_whole(video([[20, 24]], 60.0), clips)) == [(0, 60.0)]
    assert spans(cut_whole(video([[20, 24]], 60.0), None)) == [(0, 60.0)]


def test_the_same_seed_gives_the_same_clips():
    first, second, other = (spans(cut_sliding(
        video([[30, 33], [70, 75]], 100.0), 100, 1.0, 100,
        ClipRule.of(100, 0.4, 0.38, random.Random(seed)))) for seed in (3, 3, 4))
    assert first == second != other


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-5, 120), st.floats(-5, 120)), max_size=8), st.integers(0, 99))
def test_no_clip_leaves_its_window_whatever_the_annotations(segments, seed):
    rule = ClipRule.of(64, 0.4, 0.38, random.Random(seed))
    for window in cut_sliding(video(segments, 100.0), 100, 1.0, 64, rule):
        assert 0 <= window.start < window.end <= 99
        assert isinstance(window.start, int) and isinstance(window.end, int)
    for window in cut_whole(video(segments, 100.0), ClipRule(20, 10, random.Random(seed))):
        assert 0 <= window.start < window.end <= 100


def test_few_windows_cover_a_video():
    assert covering_spans(64, 64) == covering_spans(64, 100) == [(0, 63)]
    assert covering_spans(65, 64) == [(0, 63), (1, 64)]
    assert covering_spans(112, 64) == [(0, 63), (48, 111)]
    assert covering_spans(113, 64) == [(0, 63), (24, 87), (49, 112)]
    assert covering_spans(1, 64) == [(0, 0)]


@given(st.integers(1, 4000), st.integers(4, 700), st.sampled_from([0.25, 0.5]))
def test_nothing_is_lost_at_the_seams(num_frames, length, share):
    overlap = int(length * share)
    spans = covering_spans(num_frames, length, overlap)
    assert spans[0][0] == 0 and spans[-1][1] == num_frames - 1
    assert {last - first + 1 for first, last in spans} == {min(length, num_frames)}
    for (start, end), (following, _) in zip(spans, spans[1:], strict=False):
        assert following > start and end - following + 1 >= overlap
    # So what is no longer than the overlap, wherever it is, lies wholly in a window.
    for first in range(0, num_frames - overlap + 1, max(1, length // 7)):
        assert any(start <= first and first + overlap - 1 <= end for start, end in spans)
    # And with a window fewer they would overlap less.
    reach = length + (len(spans) - 2) * (length - overlap)
    assert len(spans) == 1 or reach < num_frames


def test_clips_are_inferred_on_in_addition():
    found = cut_sliding_inference(video([]), 100, 10.0, 64, "cover", 24)
    spans = [(window.start, window.end) for window in found]
    assert spans[:2] == [(0, 63), (36, 99)]
    assert spans[2:] == covering_spans(100, 24, 12) and len(spans) == 2 + 8
    assert [window.index for window in found] == list(range(10))
    # Of a video as short as a clip there is nothing to add.
    assert len(cut_sliding_inference(video([]), 24, 10.0, 64, "cover", 24)) == 1


def test_whole_videos_are_inferred_on_with_clips_of_them():
    assert cut_whole_inference(video([])) == [Window("a", 0, 10.0)]
    found = [(w.start, w.end) for w in cut_whole_inference(video([]), 4.0)]
    assert found == [(0, 10), (0, 4), (2, 6), (4, 8), (6, 10)]
    assert len(cut_whole_inference(video([]), 10.0)) == 1


def test_clips_for_inference_are_as_long_as_those_of_training():
    options = {"temporal_scale": 640, "clip_win_size": 0.38, "infer_clips": True, "use_VSS": True}
    assert inference_clip(SimpleNamespace(**options)) == 243
    assert inference_clip(SimpleNamespace(**{**options, "use_VSS": False})) is None
    assert inference_clip(SimpleNamespace(**{**options, "infer_clips": False})) is None
