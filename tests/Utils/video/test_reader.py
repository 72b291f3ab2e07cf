"""Frames, times and faults of video files against known answers."""

from fractions import Fraction

import numpy as np
import pytest

from tests.video_files import (
    CLOCK,
    HEIGHT,
    WIDTH,
    coded,
    cut_by_edit_list,
    cut_short,
    damage,
    even_times,
    number_of,
    turn,
    write_sound,
    write_video,
)
from Utils.files import UserError
from Utils.video.reader import VideoReader

pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")


def read(path, size=(WIDTH, HEIGHT)):
    """Seconds and number of each frame, and the facts."""
    with VideoReader(path) as reader:
        frames = [(frame.seconds, number_of(frame.pixels(*size, "gray"))) for frame in reader]
    return [seconds for seconds, _ in frames], [number for _, number in frames], reader.facts


@pytest.mark.parametrize("name, codec", [("a.mp4", "libx264"), ("a.mkv", "libx264"),
                                         ("a.webm", "libvpx-vp9"), ("a.avi", "mpeg4"),
                                         ("a.ts", "mpeg2video"), ("a.mov", "mjpeg")])
def test_a_constant_rate(tmp_path, name, codec):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    clock = {"mpeg2video": 30, "mpeg4": 30}.get(codec, CLOCK)
    path = write_video(tmp_path / name, even_times(60, 30), codec, pix_fmt=pixels, clock=clock)
    seconds, numbers, facts = read(path)
    assert numbers == list(range(60))
    assert seconds == pytest.approx([number / 30 for number in range(60)], abs=1e-3)
    assert facts.duration == pytest.approx(2.0, abs=2e-3) and facts.frames == 60
    assert facts.decode_errors == 0 and not facts.warning() and not facts.fault()


def test_a_variable_rate(tmp_path):
    times = [0, Fraction(1, 10), Fraction(1, 2), Fraction(6, 10), 2, Fraction(5, 2)]
    seconds, numbers, facts = read(write_video(tmp_path / "a.mp4", times))
    assert numbers == list(range(6)) and seconds == [float(time) for time in times]
    assert facts.duration >= 2.5 and not facts.warning()


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_times_count_from_the_first_frame(tmp_path, name):
    path = write_video(tmp_path / name, even_times(20, 10, start=3), rate=10)
    seconds, numbers, facts = read(path)
    assert seconds == pytest.approx([number / 10 for number in range(20)], abs=1e-3)
    assert numbers == list(range(20)) and facts.duration == pytest.approx(2.0, abs=2e-3)
    assert facts.first_time >= 3


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_frames_are_upright(tmp_path, degrees):
    path = turn(write_video(tmp_path / "a.mp4", even_times(5, 10), picture=lambda _: coded(0xF0)),
                degrees)
    with VideoReader(path) as reader:
        frame = next(iter(reader))
        pixels = frame.pixels(frame.width, frame.height, "gray")
    shown = np.rot90(coded(0xF0)[..., 0], -degrees // 90)
    assert (frame.width, frame.height) == (shown.shape[1], shown.shape[0])
    assert np.abs(pixels.astype(int) - shown).max() < 40
    assert frame.rotation == degrees


def test_an_edit_list_cuts(tmp_path):
    path = write_video(tmp_path / "a.mp4", even_times(60, 30), options={"bf": "0", "g": "1"})
    cut_by_edit_list(path, start_ticks=CLOCK // 3, length_ticks=500)    # frame 10, 0.5 s
    seconds, numbers, facts = read(path)
    assert numbers == list(range(10, 25))
    assert seconds == pytest.approx([number / 30 for number in range(15)], abs=1e-3)
    assert facts.duration == pytest.approx(0.5, abs=1e-3)
    assert not facts.fault() and not facts.warning()


def test_frames_that_are_shown_in_another_order_than_stored(tmp_path):
    path = write_video(tmp_path / "a.mp4", even_times(40, 20), options={"bf": "3"})
    assert read(path)[1] == list(range(40))


def test_ten_bits_and_odd_sizes(tmp_path):
    path = write_video(tmp_path / "a.mkv", even_times(5, 10), "ffv1", size=(65, 33),
                       pix_fmt="yuv444p10le", picture=lambda number: coded(number, 65, 33))
    assert read(path, (65, 33))[1] == list(range(5))


def test_one_pixel_and_one_frame(tmp_path):
    path = write_video(tmp_path / "a.mkv", [0], "ffv1", size=(1, 1), pix_fmt="yuv444p",
                       picture=lambda _: np.full((1, 1, 3), 255, np.uint8))
    with VideoReader(path) as reader:
        frames = [frame.pixels(16, 16, "gray") for frame in reader]
    assert len(frames) == 1 and frames[0].min() > 250 and reader.facts.duration > 0


def test_damaged_packets_are_counted(tmp_path):
    path = write_video(tmp_path / "a.mp4", even_times(90, 30), options={"g": "10"})
    seconds, numbers, facts = read(damage(path, 0.4, 0.5))
    assert facts.decode_errors > 0 and 45 <= facts.frames <= 90
    assert "could not be decoded" in facts.warning() and not facts.fault()
    assert seconds == sorted(seconds) and seconds[-1] <= 3.0
    assert numbers[:20] == list(range(20)) and numbers[-1] == 89


def test_a_file_that_was_cut_short(tmp_path):
    path = write_video(tmp_path / "a.mp4", even_times(200, 20), "mpeg4", movflags="faststart")
    facts = read(cut_short(path, 0.7))[2]
    assert facts.header_frames == 200 and 110 <= facts.frames <= 170
    assert "frames are missing: the file is truncated" in facts.warning() and not facts.fault()
    assert "truncated or damaged" in read(cut_short(path, 0.5))[2].fault()


@pytest.mark.parametrize("make, words", [
    (lambda path: write_sound(path), "has no video stream"),
    (lambda path: path.write_bytes(b""), "is empty"),
    (lambda path: path.write_bytes(b"no video at all" * 99), "cannot be read as a video"),
    (lambda path: path.mkdir(), "no video file at"),
    (lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost:1/x.ts\n"),
     "cannot be read as a video"),
])
def test_files_that_are_not_videos_are_refused(tmp_path, make, words):
    path = tmp_path / "a.wav"
    make(path)
    with pytest.raises(UserError, match=words):
        VideoReader(path)


def test_a_name_that_looks_like_an_address(tmp_path):
    path = write_video(tmp_path / "a.mp4", even_times(3, 10)).rename(tmp_path / "http:x.mp4")
    assert read(path)[1] == [0, 1, 2]
