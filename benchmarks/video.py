"""The cost of extraction: CPU seconds of one process, and memory.

    python benchmarks/video.py [--networks]

A minute of the demo's video (320 x 240, 15 per second) is decoded and extracted by
`motion`; the networks of torchvision, if it is installed, get random weights, which
cost the same as real ones.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from Engine.inference.extraction import Extraction, features_of
from Models.extractors.registry import KINETICS, Setting, build
from Utils.files import UserError
from Utils.video.demo_videos import RATE, story, write_video
from Utils.video.reader import VideoReader, library

SECONDS, CLIPS = 60, 2


def main():
    """Run the benchmark. argv: words of the command line, None for those of the process."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--networks", action="store_true", help="also time torchvision's networks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shapes.mp4"
        write_video(path, story(np.random.RandomState(1), SECONDS), SECONDS, 1)
        decoding = cpu_seconds(lambda: decode(path))
        motion = cpu_seconds(lambda: features_of(path, build("motion", Setting())))
        print(f"motion: {SECONDS / motion:.1f} video seconds of 320 x 240 per CPU second (target "
              f"15); decoding is {decoding / motion:.0%} of it (target 33 % at most)", flush=True)
        memory_with(Path(folder), 1, (320, 240))
        memory_with(Path(folder), 2 * 3600, (320, 240), rate=2)
        memory_with(Path(folder), 1, (7680, 4320))
        for name in KINETICS if options.networks else ():
            network(name, Path(folder))


def decode(path):
    """Decode a video to small gray pictures, as `motion` takes them."""
    with VideoReader(path) as reader:
        for frame in reader:
            frame.pixels(160, 120, "gray")


def memory_with(folder, seconds, size, rate=RATE):
    """Print the peak memory of a process that extracts a video of so many seconds."""
    path = folder / f"{seconds}_{size[0]}.mp4"
    in_new_process(write_noise, path, seconds * rate, size, rate)
    print(f"{seconds} s of {size[0]} x {size[1]}, {rate} per second: peak memory "
          f"{in_new_process(peak_of_extraction, path):.2f} GiB", flush=True)


def in_new_process(call, *arguments):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(call, *arguments).result()


def write_noise(path, frames, size, rate):
    """Write a video of coarse noise that moves."""
    width, height = size
    noise = np.random.default_rng(0).integers(0, 255, (height // 16, width // 16))
    picture = np.kron(noise.astype(np.uint8), np.ones((16, 16), np.uint8))
    av = library()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, number, axis=1), "gray")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())


def peak_of_extraction(path):
    """GiB that this process has taken at most, after it has extracted a video."""
    folder = path.parent / "features"
    Extraction(build("motion", Setting()), folder, {path.stem: path}).run()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2 ** 20


def network(name, folder):
    """Print the cost of one clip for a network."""
    try:
        import torchvision
    except (ImportError, RuntimeError) as problem:
        raise UserError(f"torchvision cannot be imported: {problem}") from None
    path = folder / f"{name}.pth"
    torch.save(torchvision.models.get_model(name, weights=None).state_dict(), path)
    extractor = build(name, Setting(weights=str(path)))
    clips = [np.zeros((extractor.shape.frames, *extractor.shape.crop, 3), np.uint8)] * CLIPS
    seconds = cpu_seconds(lambda: extractor.forward(clips)) / CLIPS
    print(f"{name}: {seconds:.2f} CPU seconds per clip of {extractor.shape.frames} frames, "
          f"{seconds * extractor.rate:.1f} per second of video", flush=True)


def cpu_seconds(call):
    """CPU seconds of this process in a call, the lowest of three."""
    least = float("inf")
    for _ in range(3):
        start = time.process_time()
        call()
        least = min(least, time.process_time() - start)
    return least


if __name__ == "__main__":
    main()
