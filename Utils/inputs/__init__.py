"""From videos to batches: windows, how they become inputs, their targets, the loaders.

Outside code imports `Targets` from here; ours imports the modules."""

from Utils.inputs.dataset import Targets

__all__ = ["Targets"]
