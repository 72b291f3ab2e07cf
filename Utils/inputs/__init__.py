"""From videos to batches: windows, how they become inputs, their targets, the loaders.

Code outside imports `Targets` from here; ours imports the modules.
"""

__all__ = ["Targets"]


def __getattr__(name):
    """Import `Utils.inputs.Targets` on demand: Cut_long_videos.py must run without torch."""
    if name != "Targets":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from Utils.inputs.dataset import Targets
    return Targets
