"""Small video files with known frames, written by the tests themselves.

Frame i shows i in binary as black and white stripes, so that a decoded frame can be
identified.
"""

import struct
from fractions import Fraction

import numpy as np

WIDTH, HEIGHT, BITS = 64, 48, 8
CLOCK = 60_000      # ticks per second of the times written, unless the codec wants others


def coded(number, width=WIDTH, height=HEIGHT):
    """A picture of a number: stripes from left to right, the highest bit first. -> uint8 RGB."""
    bits = [(number >> (BITS - 1 - bit)) & 1 for bit in range(BITS)]
    row = np.array(bits, np.uint8)[np.arange(width) * BITS // width] * 255
    return np.repeat(np.tile(row, (height, 1))[..., None], 3, axis=2)


def number_of(gray):
    """The number that a picture (h, w) uint8 shows."""
    row = gray[len(gray) // 2]
    places = ((np.arange(BITS) + 0.5) * len(row) / BITS).astype(int)
    return int(sum(1 << (BITS - 1 - bit) for bit in range(BITS) if row[places[bit]] > 127))


def write_video(path, times, codec="libx264", picture=coded, size=(WIDTH, HEIGHT), rate=30,
                pix_fmt="yuv420p", options=None, clock=CLOCK, **container_options):
    """Write frames at `times` (seconds). picture: number -> (h, w, 3) uint8. -> path."""
    import av
    with av.open(str(path), "w", container_options=container_options) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = stream.time_base = Fraction(1, clock)
        stream.codec_context.thread_count = 1
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture(number)), "rgb24")
            frame.pts, frame.time_base = round(Fraction(time) * clock), Fraction(1, clock)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def even_times(count, rate, start=0):
    """Times of a constant rate. -> list of Fraction."""
    return [Fraction(start) + Fraction(number, rate) for number in range(count)]


def write_sound(path, seconds=1):
    """Write a file without pictures."""
    import av
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000 * seconds), np.int16), "s16", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turn(path, degrees):
    """Mark an mp4 to be shown turned clockwise."""
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack(">9i", cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30)
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    content[at:at + len(matrix)] = matrix
    path.write_bytes(content)
    return path


def cut_by_edit_list(path, start_ticks, length_ticks):
    """Let the edit list of an mp4 show only a part; ticks: of the media, and of the movie."""
    content = bytearray(path.read_bytes())
    at = content.index(b"elst") + 4
    version, = struct.unpack_from(">B", content, at)
    assert version == 0 and struct.unpack_from(">I", content, at + 4) == (1,)
    before, = struct.unpack_from(">i", content, at + 12)
    struct.pack_into(">Ii", content, at + 8, length_ticks, before + start_ticks)
    path.write_bytes(content)
    return path


def damage(path, start, stop, seed=1):
    """Overwrite a stretch of a file, given as shares of it, by noise."""
    content = bytearray(path.read_bytes())
    first, last = (int(len(content) * share) for share in (start, stop))
    content[first:last] = np.random.default_rng(seed).bytes(last - first)
    path.write_bytes(content)
    return path


def cut_short(path, share):
    """Leave only the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:int(len(content) * share)])
    return path
