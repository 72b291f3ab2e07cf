"""The motion descriptors of pictures with known motion."""

import numpy as np
import pytest

pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")

from Models.extractors.motion import (  # noqa: E402
    Cells,
    Flow,
    Motion,
    cell_means,
    coarser,
    spread,
    working_size,
)

RNG = np.random.default_rng(3)
TEXTURE = np.kron(RNG.integers(0, 255, (40, 60)), np.ones((4, 4))).astype(np.uint8)


class Picture:
    """A frame as decoding gives it. pixels: (h, w) uint8 of the right size."""

    def __init__(self, gray, seconds):
        self.gray, self.seconds = gray, seconds
        self.height, self.width = gray.shape

    def pixels(self, width, height, colour):
        assert (width, height) == (self.width, self.height) and colour == "gray"
        return np.ascontiguousarray(self.gray)


def steps(pictures, rate, count, motion=None):
    sampler = (motion or Motion()).sampler()
    items = [item for number, gray in enumerate(pictures)
             for item in sampler.push(Picture(gray, number / rate))]
    items += sampler.finish(count)
    assert len(items) == count
    return np.stack(items)


def square(x, y, shift=0):
    """A bright square on a texture that is shifted to the left, 160 x 120."""
    picture = (TEXTURE[20:140, 20 + shift:180 + shift] // 4).copy()
    picture[y:y + 24, x:x + 24] = 200 + TEXTURE[:24, :24] // 5
    return picture


def flow_of(features, motion):
    """The mean HOF of the whole frame, and its camera, from one step."""
    bins = motion.bins
    half = motion.channels // 2
    return features[bins:2 * bins], features[half - 3:half]


@pytest.mark.parametrize("height, width", [(120, 160), (91, 160), (57, 83)])
def test_the_flow_is_in_pixels_of_the_frames_whatever_their_size(height, width):
    before, after = (np.ascontiguousarray(TEXTURE[20:20 + height, left:left + width])
                     for left in (20, 17))
    flow = Flow().between(before, after)
    assert flow.shape == (height, width, 2) and flow.dtype == np.float32
    assert np.median(flow[10:-10, 10:-10], axis=(0, 1)) == pytest.approx([3, 0], abs=0.15)


def test_the_smallest_frames_have_a_flow():
    noise = RNG.integers(0, 255, (2, 16, 16)).astype(np.uint8)
    found = Flow().between(*noise)
    assert np.isfinite(found).all() and (found == Flow().between(*noise)).all()


def test_a_still_picture_has_no_flow_except_traces_at_the_edges():
    flow = Flow().between(square(60, 50), square(60, 50))
    assert np.abs(flow[20:-20, 20:-20]).max() < 1e-3 and np.abs(flow).mean() < 0.01


def test_a_shape_that_moves_right_is_seen_as_that():
    motion = Motion()
    found = steps([square(20 + 3 * number, 50) for number in range(16)], 15, 5, motion)
    hof, camera = flow_of(found[2], motion)
    assert np.argmax(hof) == 0 and hof[0] > 4 * hof[4]
    assert np.abs(camera[:2]).max() < 0.05


def test_a_camera_that_pans_is_taken_out():
    motion = Motion()
    still = steps([square(60, 50, 0) for number in range(7)], 15, 2, motion)
    panned = steps([TEXTURE[20:140, 2 * number:160 + 2 * number] for number in range(7)], 15, 2,
                   motion)
    hof, camera = flow_of(panned[1], motion)
    assert camera[0] == pytest.approx(-2 * 15 / 160, rel=0.1) and abs(camera[1]) < 0.02
    assert hof.max() < 0.35 * np.sqrt(np.hypot(*camera[:2]))
    assert flow_of(still[1], motion)[0].max() < 0.01


def test_speed_does_not_depend_on_the_rate_of_the_video():
    motion = Motion()
    slow = steps([square(10 + 4 * number, 50) for number in range(16)], 15, 5, motion)
    fast = steps([square(10 + 2 * number, 50) for number in range(31)], 30, 5, motion)
    assert (slow[1:4] == fast[1:4]).mean() > 0.99       # every second frame is taken


def test_a_single_frame_and_gaps_give_every_step():
    one = steps([square(30, 30)], 15, 3)
    assert (one == one[0]).all() and np.isfinite(one).all()
    rare = steps([square(10, 50), square(30, 50), square(50, 50)], 1, 13)
    assert np.isfinite(rare).all() and (rare[0] == rare[4]).all() and (rare[12] == rare[5]).all()
    assert (rare[4] != rare[5]).any()


@pytest.mark.parametrize("size, expected", [
    ((320, 240), (160, 120)), ((240, 320), (120, 160)), ((1, 1), (160, 160)),
    ((7680, 4320), (160, 90)), ((1000, 1), (160, 16))])
def test_working_sizes(size, expected):
    assert working_size(*size, 160, 3) == expected


def test_cells_share_pixels_fairly():
    means = cell_means(10, 4)
    assert means.sum(axis=1) == pytest.approx(1) and means.sum(axis=0) == pytest.approx(0.4)
    assert coarser(np.arange(16.).reshape(1, 4, 4), 2).tolist() == [[[2.5, 4.5], [10.5, 12.5]]]
    assert coarser(np.arange(9.).reshape(1, 3, 3), 1).tolist() == [[[4.0]]]


def test_a_vector_counts_for_its_direction_alone_when_bins_are_far_apart():
    planes = np.empty((4, 1, 1), np.float32)
    spread(np.float32([[3]]), np.float32([[0]]), np.arange(4) * np.pi / 2, planes)
    assert planes.ravel() == pytest.approx([1.5, 0, 0, 0], abs=1e-6)
    spread(np.float32([[-3]]), np.float32([[0]]), np.arange(4) * np.pi / 4, planes)
    assert planes.ravel()[0] == pytest.approx(1.5, abs=1e-6)      # both directions are one


def test_channels_are_as_announced():
    motion = Motion(grids=(1, 2, 4), bins=6)
    gray = RNG.integers(0, 255, (16, 20)).astype(np.uint8)
    flow = RNG.standard_normal((16, 20, 2)).astype(np.float32)
    found = Cells((20, 16), (1, 2, 4), 6).descriptor(gray, gray, flow, 1.0)
    assert 2 * len(found) == motion.channels


def test_blinking_is_told_apart_from_moving():
    """Brighter and darker are the last two channels of the frame as a whole."""
    motion, last = Motion(), 4 * 8 + 3
    dark = square(60, 50)
    dark[50:74, 60:84] //= 2
    blinking = steps([dark, square(60, 50)] * 8, 15, 5, motion)[2][last - 2:last]
    moving = steps([square(20 + number, 50) for number in range(16)], 15, 5,
                   motion)[2][last - 2:last]
    assert blinking.min() > 1.5 * moving.max()


def test_descriptors_do_not_depend_on_where_in_memory_a_picture_lies():
    """So a video gives the same bytes in every process."""
    before, gray = square(20, 50), square(23, 52)
    found = []
    for shift in range(0, 64, 4):
        buffer = np.zeros(before.size + 64, np.uint8)
        start = (shift - buffer.ctypes.data) % 64
        moved = buffer[start:start + before.size].reshape(before.shape)
        moved[:] = before
        sampler = Motion().sampler()
        sampler.push(Picture(moved, 0))
        sampler.push(Picture(gray, 1 / 15))
        found.append((sampler.parts[0], sampler.cells.planes.copy()))
    for parts in zip(*found, strict=True):
        assert all((part == parts[0]).all() for part in parts)
