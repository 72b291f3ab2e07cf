"""The demo videos: moving shapes on panning textures, annotated with what they do.

A shape crosses to the left or right, bounces, spins or blinks: five classes of 1 to
3.5 s. Shapes also stand still, sink, rise and swell, which belongs to no class. None
of this shows in a single frame.
"""

import functools
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import joblib
import numpy as np

from Utils.files import UserError, read_json, replacing, write_json
from Utils.video.reader import library

MARK = "VSGN demo videos"
VERSION = f"{MARK} 2"       # raise this with every change to the videos below
ANNOTATIONS = "annotations.json"

CLASSES = ("cross_left", "cross_right", "bounce", "spin", "blink")
CROSSING = {"cross_left": -1, "cross_right": 1}
DISTRACTIONS = ("sink", "rise", "swell")
RATE, WIDTH, HEIGHT = 15, 320, 240
NUM_TRAIN, NUM_TEST, SECONDS = 20, 10, 40
ACTION_SECONDS, QUIET_SECONDS = (1.0, 3.5), (0.8, 2.5)
LEAST_SECONDS = 8           # per video, so that each one holds an action
DISTRACTED = 0.5            # share of quiet periods in which a shape does something else
SHAPES, SIDE = ("square", "disc", "triangle"), 44
HOMES = (80, 160, 240)      # initial positions of the shapes, from the left
MARGIN = 40                 # pixels of texture beyond the picture, for panning


@dataclass(frozen=True)
class Event:
    """What a shape (given by its number) does between two times, in seconds.

    reach: how many pixels to the right it has moved by the end.
    """
    kind: str
    shape: int
    start: float
    end: float
    reach: float = 0.0


def ensure_demo_videos(folder, num_train=NUM_TRAIN, num_test=NUM_TEST, seconds=SECONDS, workers=1):
    """Write the videos and their annotations to `folder` unless they exist. -> whether it wrote.

    workers: number of processes. Raises UserError rather than replace foreign annotations.
    """
    folder = Path(folder)
    version = f"{VERSION}, {num_train} + {num_test} of {seconds} s"
    names = [f"shapes_{subset}_{number:02d}" for subset, count in (("train", num_train),
                                                                  ("test", num_test))
             for number in range(count)]
    path = folder / ANNOTATIONS
    if path.exists():
        found = read_json(path)
        found = str(found.get("version", "") if isinstance(found, dict) else "")
        if not found.startswith(MARK):
            raise UserError(f"{path} does not belong to the demo; give its videos another folder")
        if found == version and all((folder / f"{name}.mp4").is_file() for name in names):
            return False
    path.unlink(missing_ok=True)
    library()       # says what to install, before processes start
    stories = [story(np.random.RandomState(100 + number), seconds) for number in range(len(names))]
    joblib.Parallel(n_jobs=workers)(
        joblib.delayed(write_video)(folder / f"{name}.mp4", events, seconds, number)
        for number, (name, events) in enumerate(zip(names, stories, strict=True)))
    database = {name: _annotation(name, events, seconds)
                for name, events in zip(names, stories, strict=True)}
    write_json(path, {"version": version, "database": database})
    return True


def _annotation(name, events, seconds):
    """The entry of one video in the annotation file."""
    actions = [{"segment": [event.start, event.end], "label": event.kind}
               for event in events if event.kind in CLASSES]
    return {"subset": name.split("_")[1], "duration": float(seconds), "annotations": actions}


def story(rng, seconds):
    """What happens in one video, in order of time. -> list of Event."""
    events, time, places = [], rng.uniform(*QUIET_SECONDS), list(HOMES)
    while True:
        length = rng.uniform(*ACTION_SECONDS)
        if time + length > seconds - 0.5:
            return events
        kind, shape, reach = CLASSES[rng.randint(len(CLASSES))], rng.randint(len(SHAPES)), 0.0
        if kind in CROSSING:
            # The shape with the most room on that side, which uses most of it.
            shape = max(range(len(SHAPES)), key=lambda shape: CROSSING[kind] * -places[shape])
            edge = WIDTH - MARGIN if kind == "cross_right" else MARGIN
            reach = rng.uniform(0.6, 1) * (edge - places[shape])
            places[shape] += reach
        events.append(Event(kind, shape, round(time, 3), round(time + length, 3), reach))
        time += length
        quiet = rng.uniform(*QUIET_SECONDS)
        if rng.uniform() < DISTRACTED:
            other = DISTRACTIONS[rng.randint(len(DISTRACTIONS))]
            events.append(Event(other, rng.randint(len(SHAPES)), time + 0.2, time + quiet - 0.1))
        time += quiet


def write_video(path, events, seconds, seed):
    """Write one H.264 video of the events."""
    av = library()
    with replacing(path) as part, av.open(str(part), "w", format="mp4") as container:
        # x264's mbtree does not always produce the same file.
        stream = container.add_stream("libx264", rate=RATE, options={
            "preset": "veryfast", "crf": "26", "x264-params": "mbtree=0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.thread_count = 1
        for number, picture in enumerate(pictures(events, seconds, seed)):
            frame = av.VideoFrame.from_ndarray(picture, "gray")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())


def pictures(events, seconds, seed):
    """The frames of one video. -> iterator of (HEIGHT, WIDTH) uint8."""
    rng = np.random.RandomState(1000 + seed)
    ground = texture(rng, HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, 70, 40)
    skins = [texture(rng, SIDE, SIDE, 170, 50) for _ in SHAPES]
    heights = rng.uniform(0.35, 0.65, len(SHAPES)) * HEIGHT
    pans = rng.uniform(0.15, 0.5, 4), rng.uniform(0, 2 * np.pi, 4)
    for number in range(round(seconds * RATE)):
        time = number / RATE
        # Two waves along each axis, never beyond the margin.
        wave = np.sin(pans[0] * 2 * np.pi * time / 3 + pans[1])
        left, top = (round(MARGIN + MARGIN / 2 * (wave[axis] + wave[axis + 2])) for axis in (0, 1))
        picture = ground[top:top + HEIGHT, left:left + WIDTH].copy()
        for shape, (x, y) in enumerate(zip(HOMES, heights, strict=True)):
            own = [event for event in events if event.shape == shape]
            x += sum(event.reach for event in own if event.end <= time)
            pose = pose_of(next((event for event in own if event.start <= time < event.end), None),
                           time)
            draw(picture, skins[shape], SHAPES[shape], x + pose["x"] + MARGIN - left,
                 y + pose["y"] + MARGIN - top, pose)
        yield picture


def pose_of(event, time):
    """How a shape is drawn: shifted by x, y from its place, rotated, scaled, lit."""
    pose = {"x": 0.0, "y": 0.0, "angle": 0.0, "scale": 1.0, "light": 1.0}
    if event is None:
        return pose
    since, share = time - event.start, (time - event.start) / (event.end - event.start)
    if event.kind in CROSSING:
        pose["x"] = share * event.reach
    elif event.kind == "bounce":
        pose["y"] = -45 * abs(np.sin(2 * np.pi * since))
    elif event.kind == "spin":
        pose["angle"] = 300 * since
    elif event.kind == "blink":
        pose["light"] = 0.45 if since * 4 % 1 < 0.5 else 1.0
    elif event.kind == "swell":
        pose["scale"] = 1 + 0.5 * np.sin(np.pi * share)
    else:
        pose["y"] = (40 if event.kind == "sink" else -40) * np.sin(np.pi * share)
    return pose


def texture(rng, height, width, level, contrast):
    """Smooth random gray. -> (height, width) uint8."""
    import cv2
    coarse = rng.uniform(-1, 1, (height // 6 + 2, width // 6 + 2)).astype(np.float32)
    fine = rng.uniform(-1, 1, (height, width)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return (level + contrast * smooth + contrast / 6 * fine).clip(0, 255).astype(np.uint8)


def draw(picture, skin, shape, x, y, pose):
    """Draw a shape into a picture, centred at (x, y)."""
    import cv2
    middle = (SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), pose["angle"], pose["scale"])
    matrix[:, 2] += x - middle, y - middle
    warped, mask = (cv2.warpAffine(image, matrix, (WIDTH, HEIGHT)) for image in (
        skin, outline(shape)))
    inside = mask > 127
    picture[inside] = warped[inside] * pose["light"]


@functools.cache
def outline(shape):
    """Where a shape is, 255 in it. -> (SIDE, SIDE) uint8."""
    import cv2
    mask = np.zeros((SIDE, SIDE), np.uint8)
    if shape == "disc":
        return cv2.circle(mask, (SIDE // 2, SIDE // 2), SIDE // 2 - 3, 255, -1)
    corners = {"square": [(7, 7), (SIDE - 8, 7), (SIDE - 8, SIDE - 8), (7, SIDE - 8)],
               "triangle": [(SIDE // 2, 3), (SIDE - 4, SIDE - 8), (4, SIDE - 8)]}[shape]
    return cv2.fillConvexPoly(mask, np.array(corners, np.int32), 255)
