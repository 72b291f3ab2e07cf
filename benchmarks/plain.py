"""The plain version of everything that has a fast one: test oracle and baseline of the timings."""

from benchmarks.plain_data import plain_frame_targets, plain_sliding_item
from benchmarks.plain_detad import plain_diagnose
from benchmarks.plain_network import PlainVSGN, plain_losses
from benchmarks.plain_nms import plain_soft_nms, plain_window_proposals
from benchmarks.plain_scores import plain_average_precision, plain_average_recall

__all__ = ["PlainVSGN", "plain_average_precision", "plain_average_recall", "plain_diagnose",
           "plain_frame_targets", "plain_losses", "plain_sliding_item", "plain_soft_nms",
           "plain_window_proposals"]
