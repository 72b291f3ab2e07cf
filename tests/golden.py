"""Weights, inputs and options of the golden files, by the recipes of their READMEs."""

import functools
import json
import zlib

import numpy as np
import torch

from Utils.config.resolve import resolve

# Options of the ActivityNet goldens that have another name here.
RENAMED_OPTIONS = {"feat_dim": "input_feat_dim"}
# Theirs, and not options here: of the unused encoder head, and of the files themselves.
NOT_OPTIONS = {"is_train", "decoder_out_dim", "num_frms"}


def fill(module, rename=lambda name: name):
    """Give every weight of `module` its golden value, drawn by its name; gives the module back."""
    module.load_state_dict({name: golden_weight(rename(name), value.shape)
                            for name, value in module.state_dict().items()})
    return module


def golden_weight(name, shape):
    """The golden value of one tensor: float32 of `shape`."""
    x = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(tuple(shape))
    if len(shape) >= 2:
        x = x / np.sqrt(np.prod(shape) / shape[0])
    elif name.endswith("weight"):
        x = 1 + 0.1 * x
    else:
        x = 0.1 * x
    return torch.from_numpy(x.astype(np.float32))


def golden_input(seed, shape):
    """Network input of a golden file: float32."""
    x = np.random.RandomState(int(seed)).standard_normal(tuple(int(n) for n in shape))
    return torch.from_numpy(x.astype(np.float32))


def stitched_input(seed, shape, num_frames, gap, short_ratio):
    """Input of the ActivityNet models: as `golden_input`, the gap or the padding set to zero."""
    x = golden_input(seed, shape)
    for item, n in zip(x, num_frames, strict=True):
        end = n + gap if n <= short_ratio * shape[-1] else shape[-1]
        item[:, n:end] = 0
    return x


def golden_config(dataset, options):
    """Our config for the options of a golden file."""
    given = {RENAMED_OPTIONS.get(name, name): value for name, value in options.items()
             if name not in NOT_OPTIONS}
    if "edge_weight" in given:
        given["edge_weight"] = given["edge_weight"] in (True, "true")
    for name in ("iou_thr", "anchor_scale"):
        if name in given:
            given[name] = tuple(float(value) for value in given[name])
    return resolve({"dataset": dataset, **given})


def load(path):
    """Arrays of an .npz golden as a dict; numpy arrays of numbers as tensors."""
    with np.load(path) as file:
        return {name: torch.from_numpy(file[name]) if file[name].dtype.kind in "fiub" else
                file[name] for name in file.files}


def thumos_config(folder, stem):
    """Config of a THUMOS14 golden, by the options that model_meta.json has for it."""
    return golden_config("thumos", thumos_meta(folder)[stem]["options"])


@functools.cache
def thumos_meta(folder):
    """model_meta.json: what each THUMOS14 golden was made with, by file stem."""
    return json.loads((folder / "model_meta.json").read_text())


def activitynet_config(arrays):
    """Config of an ActivityNet golden, by the options inside it."""
    return golden_config("activitynet", json.loads(str(arrays["options"])))


class GoldenTargets:
    """Targets of a golden batch: its boxes are divided by T, ours are in frames."""

    def __init__(self, arrays, length):
        boxes = arrays["gt_bbox"]
        self.segments = boxes[..., :2] * length
        self.labels = boxes[..., 2].long()
        self.counts = arrays["num_gt"]
        self.action, self.start, self.end = (arrays[f"gt_{name}"]
                                             for name in ("action", "start", "end"))
