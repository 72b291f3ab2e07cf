"""From videos to batches: windows, how they become inputs, their targets, the loaders.

Outside code imports `Targets` from here; ours imports the modules."""

__all__ = ["Targets"]


def __getattr__(name):
    """`Utils.inputs.Targets`, imported on demand,
    since Cut_long_videos.py runs without torch."""
    if name != "Targets":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from Utils.inputs.dataset import Targets
    return Targets
