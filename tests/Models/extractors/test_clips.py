"""Clips are chosen by time, centred in their step, edges repeated."""

import numpy as np
import pytest

from Models.extractors.clips import ClipSampler, ClipShape


class Picture:
    """A frame whose pixels are all its number."""

    def __init__(self, number, seconds):
        self.number, self.seconds, self.width, self.height = number, seconds, 40, 30

    def pixels(self, width, height, colour):
        assert colour == "rgb24"
        return np.full((height, width, 3), self.number, np.uint8)


def clips(times, rate, count, shape):
    sampler, found = ClipSampler(shape, rate), []
    for number, seconds in enumerate(times):
        found += sampler.push(Picture(number, seconds))
        assert len(sampler.kept) < 40
    found += sampler.finish(count)
    return [clip[:, 0, 0, 0].tolist() for clip in found]


SHAPE = ClipShape(frames=3, fps=10, resize=(20,), crop=(20, 20))


def test_a_clip_is_centred_in_its_step():
    # Steps of half a second: middles at 0.25, 0.75, ...; frames at 0.15, 0.25, 0.35 are wanted.
    times = np.arange(20) / 10
    assert clips(times, 2, 4, SHAPE) == [[1, 2, 3], [6, 7, 8], [11, 12, 13], [16, 17, 18]]


def test_edges_are_repeated():
    wide = ClipShape(frames=5, fps=10, resize=(20,), crop=(20, 20))
    assert clips([0, 0.1, 0.2], 10, 3, wide) == [[0, 0, 0, 1, 2], [0, 0, 1, 2, 2], [0, 1, 2, 2, 2]]
    assert clips([0], 5, 2, wide) == [[0] * 5] * 2


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_numbers_of_frames_do_not_matter_but_their_times(factor):
    times = np.arange(20 * factor) / (10 * factor)
    found = clips(times, 2, 4, SHAPE)
    assert [times[clip].round(3).tolist() for clip in found] == [
        pytest.approx([middle - 0.1, middle, middle + 0.1], abs=0.051)
        for middle in (0.25, 0.75, 1.25, 1.75)]


def test_a_gap_shows_its_last_frame():
    assert clips([0, 0.1, 3.0], 1, 4, SHAPE) == [[1, 1, 1]] * 3 + [[2, 2, 2]]


def test_sizes():
    assert SHAPE.resized(40, 30) == (27, 20) and SHAPE.resized(30, 40) == (20, 27)
    assert ClipShape(1, 1, (128, 171), (112, 112)).resized(9, 1000) == (171, 128)
    assert ClipShape(1, 1, (10,), (16, 16)).resized(40, 40) == (16, 16)
    sampler = ClipSampler(SHAPE, 1)
    sampler.push(Picture(0, 0))
    assert sampler.finish(1)[0].shape == (3, 20, 20, 3)
