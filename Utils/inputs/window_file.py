"""Window lists as JSON files: windows, and the settings that shaped them."""

import math
from pathlib import Path

from Utils.config.options import shown
from Utils.data.annotations import canonical
from Utils.files import UserError, read_json, write_json
from Utils.inputs.windows import Window

# Options that shape each list. The seed does too, but any seed will do for training.
# The width of the features is stored in case it came from the data, to notice a stream
# that has disappeared.
RATES = ("feature_fps", "feature_stride", "clip_length")
SHAPERS = ("dataset", "framing", "temporal_scale", "subset", "input_feat_dim", *RATES)
INFER_SHAPERS = (*SHAPERS, "infer_windows", "infer_clips")
TRAIN_SHAPERS = (*SHAPERS, "recipe", "train_subset", "val_split", "use_VSS", "short_ratio",
                 "clip_win_size", "seed", "anchor_scale", "decoder_num_classes")
SUBSETS = ("subset", "train_subset")   # their names have several spellings
NOT_COMPARED = ("seed", "input_feat_dim", "anchor_scale", "decoder_num_classes")


def write_windows(path, windows, settings):
    """Write a window list and its settings, the whole file or nothing."""
    write_json(path, {"settings": settings, "windows": [_entry(window)
                                                        for window in windows]})


def _entry(window):
    entry = {"v_name": window.video, "w_start": window.start, "w_end": window.end}
    if window.fps is not None:
        entry |= {"fps": window.fps, "v_duration": window.duration}
    return entry | ({"w_index": window.index} if window.index is not None else {})


def read_windows(path):
    """Windows of a file and its settings, which are None in the authors' own lists.

    Raises UserError for a missing file, another layout, or an invalid entry.
    """
    if not Path(path).exists():
        raise UserError(f"no window list at {path}; run Cut_long_videos.py first")
    content = read_json(path, "window list")
    entries = content.get("windows") if isinstance(content, dict) else content
    if not isinstance(entries, list):
        raise UserError(f"{path} is not a window list: expected a list or an object "
                        "'windows'; run Cut_long_videos.py again")
    windows = [_window(entry, f"{path}: window {row}")
               for row, entry in enumerate(entries)]
    settings = content.get("settings") if isinstance(content, dict) else None
    return windows, settings if isinstance(settings, dict) else None


def _window(entry, where):
    """A Window from its JSON entry. where: start of the message about a fault."""
    if not isinstance(entry, dict) or not isinstance(entry.get("v_name"), str):
        raise UserError(f"{where} has no v_name; run Cut_long_videos.py again")
    numbers = {key: entry.get(key)
               for key in ("w_start", "w_end", "fps", "v_duration", "w_index")}
    for key, value in numbers.items():
        is_number = (isinstance(value, int | float) and not isinstance(value, bool)
                     and math.isfinite(value))
        if not is_number and (value is not None or key in ("w_start", "w_end")):
            raise UserError(f"{where}: {key} is {value!r}, not a number")
    if numbers["w_start"] < 0 or numbers["w_end"] < numbers["w_start"]:
        raise UserError(f"{where} runs from {numbers['w_start']} to {numbers['w_end']}")
    return Window(entry["v_name"], *numbers.values())


def check_window_settings(stored, config, path):
    """Refuse a window list cut with other options, naming the first that differs.

    stored: the settings from `read_windows` (not None). config: has the options as
    attributes.
    """
    for name, value in stored.items():
        wanted = getattr(config, name, None)
        is_same = (canonical(str(value)) == canonical(str(wanted)) if name in SUBSETS else
                   value == wanted)
        if name not in NOT_COMPARED and not is_same:
            remedy = (f"leave --{name} out" if value is None else f"give --{name} as it was cut")
            raise UserError(f"{path} was cut with --{name} {shown(value)}, this run has "
                            f"{shown(wanted)}; run Cut_long_videos.py again, or {remedy}")
