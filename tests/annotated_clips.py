"""Clips of noise with two kinds of actions, and their annotations as ELAN's users make them."""

import numpy as np
import pympi

FPS = 5                 # features per second
CHANNELS, FRAMES = 16, 120
LAST_START = 90


def make_clips(places, apart, seed=0):
    """Write features of clips. places: {name: folder}. apart: frames from a start to the next.

    -> {name: [(start, end, label)]}, in seconds.
    """
    rng, truth = np.random.default_rng(seed), {}
    patterns = {label: rng.normal(size=CHANNELS) * 2 for label in ("wave", "jump")}
    for name, folder in places.items():
        features, truth[name] = rng.normal(size=(FRAMES, CHANNELS)), []
        for start in range(5, LAST_START, apart):
            label, length = str(rng.choice(list(patterns))), int(rng.integers(8, 25))
            features[start:start + length] += patterns[label]
            truth[name].append((start / FPS, (start + length) / FPS, label))
        np.save(folder / f"{name}.npy", features.astype(np.float32))
    return truth


def write_elan(path, video, rows):
    """An .eaf as someone who annotates would make it: one tier for all labels. rows: in seconds."""
    eaf = pympi.Elan.Eaf()
    eaf.add_linked_file(f"file:///C:/talks/{video}.mp4", f"./{video}.mp4", "video/mp4")
    eaf.add_tier("behaviour")
    for start, end, label in rows:
        eaf.add_annotation("behaviour", round(1000 * start), round(1000 * end), label)
    eaf.to_file(str(path))
