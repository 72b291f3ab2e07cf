"""The network: features of a window in, scored boxes and frame-level scores out.

Attribute names (xGPN, head_dec, bd_adjust, head_*) are those of the released weights.
"""

import dataclasses
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from Models.anchors import decode, make_anchors
from Models.BoundaryAdjust import BoundaryAdjust
from Models.GCNs import GraphOptions
from Models.Head import Head
from Models.XGPN import XGPN
from Utils.config.checks import check_network
from Utils.config.options import Config
from Utils.files import UserError
from Utils.stitching import is_stitched

# Names in the authors' ActivityNet checkpoints: the same layers under other names, and a head
# whose loss never entered their total.
RENAMED = (("module.", ""), ("bd_refine.", "bd_adjust."))
IGNORED = "head_enc."


@dataclass
class Predictions:
    """Predictions for a batch, all float32.

    Anchors run level (fine to coarse), cell, scale.
    """
    logits: torch.Tensor      # (B, M, N), N = Config.num_scores, before softmax or sigmoid
    boxes: torch.Tensor       # (B, M, 2), decoded, in input frames
    adjusted: torch.Tensor    # (B, M, 2), with adjusted boundaries
    actionness: torch.Tensor  # (B, T), from 0 to 1, as are the boundary scores startness, endness
    startness: torch.Tensor
    endness: torch.Tensor


class VSGN(nn.Module):
    """Video self-stitching graph network.

    Raises UserError for a config that cannot be built.
    """

    def __init__(self, config):
        super().__init__()
        check_network(config)
        self.num_frames, self.stitch_gap = config.temporal_scale, config.stitch_gap
        self.short_ratio = config.short_ratio if config.use_VSS else None
        self.xGPN = XGPN(config.num_channels, config.bb_hidden_dim, config.num_levels,
                         graph_options(config) if config.use_xGPN else None)
        self.head_dec = Head(config.bb_hidden_dim, config.num_head_layers,
                             len(config.anchor_scale), config.num_scores)
        self.bd_adjust = BoundaryAdjust(config.bb_hidden_dim, config.base_stride)
        self.head_actionness = score_head(config.bb_hidden_dim)
        self.head_startness = score_head(config.bb_hidden_dim)
        self.head_endness = score_head(config.bb_hidden_dim)
        self.register_buffer("anchors", config_anchors(config), persistent=False)

    def forward(self, features: Tensor, num_frames: Tensor) -> Predictions:
        """features: (B, D, T); num_frames: (B,) int, frames per window -> Predictions."""
        levels = self.xGPN(features, self._second_copy(num_frames.to(features.device)))
        finest = levels[-1]
        logits, code = self.head_dec(levels[::-1])
        boxes = decode(code.float(), self.anchors)
        return Predictions(logits.float(), boxes, self.bd_adjust(finest, boxes),
                           *self._frame_scores(finest))

    def _second_copy(self, num_frames):
        """First frame of each item's magnified copy, T if it has none.

        (B,) -> (B,) int64.
        """
        if self.short_ratio is None:
            return None
        stitched = is_stitched(num_frames, self.num_frames, self.short_ratio)
        return torch.where(stitched, num_frames.long() + self.stitch_gap, self.num_frames)

    def _frame_scores(self, finest):
        """Action, start and end score of each frame: (B, C, L) -> three times (B, T)."""
        heads = (self.head_actionness, self.head_startness, self.head_endness)
        scores = torch.cat([head(finest) for head in heads], dim=1).float().sigmoid()
        return F.interpolate(scores, self.num_frames, mode="linear", align_corners=True).unbind(1)


def config_anchors(config: Config) -> Tensor:
    """The anchors of a config's pyramid: (M, 2) float32, in frames."""
    strides = [config.base_stride * 2 ** level for level in range(config.num_levels)]
    return make_anchors(config.temporal_scale, strides, config.anchor_scale)


def graph_options(config: Config) -> GraphOptions:
    """The options of the graph in a config."""
    return GraphOptions(**{field.name: getattr(config, field.name)
                           for field in dataclasses.fields(GraphOptions)})


def score_head(channels: int) -> nn.Sequential:
    """One score per cell, before the sigmoid."""
    return nn.Sequential(nn.Conv1d(channels, channels, 3, padding=1), nn.ReLU(inplace=True),
                         nn.Conv1d(channels, 1, 1))


def load_weights(model: nn.Module, state_dict: dict, source: object) -> None:
    """Load weights, ours or the original's (with or without `module.`), into `model`.

    source: where they come from, for the message. Raises UserError with a list of differences.
    """
    model.load_state_dict(_fitting(model, state_dict, source))


def check_weights(config: Config, state_dict: dict, source: object) -> None:
    """Refuse weights that do not match `config`, as `load_weights` does.

    The network is not built, since it may not fit into memory.
    """
    with torch.device("meta"):
        _fitting(VSGN(config), state_dict, source)


def _fitting(model, state_dict, source):
    """The weights under our names, if they match those of `model`."""
    weights = {original_name(name): value for name, value in state_dict.items()}
    weights = {name: value for name, value in weights.items() if not name.startswith(IGNORED)}
    differences = weight_differences(model.state_dict(), weights)
    if differences:
        shown = "; ".join(differences[:5])
        more = f"; and {len(differences) - 5} more" if len(differences) > 5 else ""
        raise UserError(f"{source} holds the weights of another network: {shown}{more}. Give the "
                        "network options it was trained with")
    return weights


def original_name(name: str) -> str:
    """Our name of a tensor of the original."""
    for theirs, ours in RENAMED:
        if name.startswith(theirs):
            name = ours + name.removeprefix(theirs)
    return name


def weight_differences(expected: dict, found: dict) -> list[str]:
    """Sentences about tensors that are missing, unknown or of another shape."""
    missing = [f"{name} is missing" for name in expected.keys() - found.keys()]
    unknown = [f"{name} is unknown here" for name in found.keys() - expected.keys()]
    reshaped = [f"{name} is {tuple(found[name].shape)}, expected {tuple(expected[name].shape)}"
                for name in expected.keys() & found.keys()
                if found[name].shape != expected[name].shape]
    return sorted(reshaped) + sorted(missing) + sorted(unknown)
