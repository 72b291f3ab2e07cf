"""The network and its losses in plain form: test oracle and baseline of the timings.

Written straight from the formulas, step by step: a (B, C, L, L) tensor of differences
for the neighbours, the mlp on every edge, the boundary convolution on three cells of every box,
and a loop over the items of a batch wherever they differ. Weights have the names of Models.VSGN.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class PlainVSGN(nn.Module):
    """The whole network. Returns a dict with the fields of Models.VSGN.Predictions."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        hidden = config.bb_hidden_dim
        self.xGPN = PlainXGPN(config)
        self.head_dec = PlainHead(config)
        self.bd_adjust = PlainBoundaryAdjust(config)
        self.head_actionness = plain_score_head(hidden)
        self.head_startness = plain_score_head(hidden)
        self.head_endness = plain_score_head(hidden)
        self.anchors = plain_anchors(config)

    def forward(self, features, num_frames):
        """features: (B, D, T); num_frames: (B,) int -> dict with the fields of Predictions."""
        levels = self.xGPN(features, num_frames)
        logits, code = self.head_dec(levels[::-1])
        boxes = plain_decode(code, self.anchors)
        scores = {}
        for name in ("actionness", "startness", "endness"):
            score = torch.sigmoid(getattr(self, f"head_{name}")(levels[-1]))
            scores[name] = F.interpolate(score, size=features.shape[2], mode="linear",
                                         align_corners=True)[:, 0]
        return {"logits": logits, "boxes": boxes,
                "adjusted": self.bd_adjust(levels[-1], boxes), **scores}


class PlainXGPN(nn.Module):
    """Encoder and decoder; the decoder's levels, coarse to fine."""

    def __init__(self, config):
        super().__init__()
        hidden, count = config.bb_hidden_dim, config.num_levels
        self.conv0 = plain_conv(config.input_feat_dim, hidden, 2)
        self.levels_enc = nn.ModuleList(
            PlainXGN(config) if config.use_xGPN else plain_conv(hidden, hidden, 2)
            for _ in range(count))
        self.levels_dec = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose1d(hidden, hidden, 3, stride=2, padding=1,
                                             output_padding=1), nn.ReLU())
            for _ in range(count - 1))
        self.levels1 = nn.ModuleList(plain_conv(hidden, hidden, 1) for _ in range(count))
        self.levels2 = nn.ModuleList(plain_conv(hidden, hidden, 1) for _ in range(count - 1))

    def forward(self, features, num_frames):
        """features: (B, D, T); num_frames: (B,) int -> list of (B, C, T / stride)."""
        x, encoder = self.conv0(features), []
        for level in self.levels_enc:
            x = level(x, num_frames) if isinstance(level, PlainXGN) else level(x)
            encoder.append(x)
        x = self.levels1[0](encoder[-1])
        decoder = [x]
        for i in range(len(encoder) - 1):
            x = self.levels1[i + 1](self.levels2[i](encoder[-2 - i]) + self.levels_dec[i](x))
            decoder.append(x)
        return decoder


class PlainXGN(nn.Module):
    """Convolution and graph, ReLU, pooling."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        hidden = config.bb_hidden_dim
        self.tconv1 = nn.Conv1d(hidden, hidden, 3, padding=1)
        self.nconv1 = nn.Module()
        self.nconv1.mlp = nn.Linear(2 * hidden, hidden)

    def forward(self, x, num_frames):
        """x: (B, C, L); num_frames: (B,) int -> (B, C, L / 2)."""
        if self.config.gcn_insert == "par":
            out = self.tconv1(x) + self.graph(x, num_frames)
        else:
            out = self.graph(self.tconv1(x), num_frames)
        return F.max_pool1d(F.relu(out), 2)

    def graph(self, x, num_frames):
        """The mlp on every edge, then the maximum or mean over the edges of a cell."""
        nearest = plain_neighbours(x, num_frames, self.config)
        items = torch.arange(len(x))[:, None, None]
        nodes = x.transpose(1, 2)
        neighbour = nodes[items, nearest]
        centre = nodes[:, :, None, :].expand_as(neighbour)
        first = neighbour - centre if self.config.nfeat_mode == "dif_ctr" else neighbour
        edges = self.nconv1.mlp(torch.cat([first, centre], dim=-1))
        if self.config.edge_weight:
            edges = edges * F.cosine_similarity(neighbour, centre, dim=-1)[..., None]
        out = edges.mean(dim=2) if self.config.agg_type == "mean" else edges.max(dim=2).values
        return out.transpose(1, 2)


def plain_neighbours(x, num_frames, config):
    """K nearest cells of each cell; in a magnified copy, half of them from the other copy."""
    difference = x[:, :, :, None] - x[:, :, None, :]
    distance = (difference ** 2).sum(dim=1)
    nearest = distance.topk(config.num_neigh, largest=False).indices
    if not config.use_VSS:
        return nearest
    length, half = x.shape[2], config.num_neigh // 2
    ratio = config.temporal_scale / length
    for item, frames in enumerate(num_frames.tolist()):
        if frames > config.short_ratio * config.temporal_scale:
            continue
        first = int((frames + config.stitch_gap) / ratio)
        masked = distance[item].clone()
        masked.scatter_(1, nearest[item, :, :half], torch.inf)
        masked[first:, first:] = torch.inf
        nearest[item, :, half:] = masked.topk(config.num_neigh - half, largest=False).indices
    return nearest


class PlainHead(nn.Module):
    """Scores and box codes of every anchor."""

    def __init__(self, config):
        super().__init__()
        hidden, self.scales = config.bb_hidden_dim, len(config.anchor_scale)
        self.num_scores = config.num_scores
        self.cls_tower = plain_tower(hidden, config.num_head_layers)
        self.bbox_tower = plain_tower(hidden, config.num_head_layers)
        self.cls_logits = nn.Conv1d(hidden, self.scales * self.num_scores, 3, padding=1)
        self.bbox_pred = nn.Conv1d(hidden, self.scales * 2, 3, padding=1)

    def forward(self, levels):
        """levels: (B, C, L) each -> logits (B, M, N), codes (B, M, 2)."""
        logits, codes = [], []
        for x in levels:
            scores = self.cls_logits(self.cls_tower(x))
            code = self.bbox_pred(self.bbox_tower(x))
            batch, _, length = x.shape
            scores = scores.view(batch, self.scales, self.num_scores, length).permute(0, 3, 1, 2)
            code = code.view(batch, self.scales, 2, length).permute(0, 3, 1, 2)
            logits.append(scores.reshape(batch, length * self.scales, self.num_scores))
            codes.append(code.reshape(batch, length * self.scales, 2))
        return torch.cat(logits, dim=1), torch.cat(codes, dim=1)


class PlainBoundaryAdjust(nn.Module):
    """A convolution over three cells of every box, for its start and for its end."""

    def __init__(self, config):
        super().__init__()
        self.stride = config.base_stride
        self.start_conv = plain_edge_conv(config.bb_hidden_dim)
        self.end_conv = plain_edge_conv(config.bb_hidden_dim)

    def forward(self, finest, boxes):
        """finest: (B, C, L); boxes: (B, M, 2) in frames -> adjusted boxes (B, M, 2)."""
        num_cells = finest.shape[2]
        inside = boxes.detach().clamp(0, num_cells * self.stride - 1)
        eighth = (inside[..., 1] - inside[..., 0] + 1) / 8
        items = torch.arange(len(finest))[:, None, None]
        moved = []
        for side, conv in enumerate((self.start_conv, self.end_conv)):
            edge = inside[..., side]
            frames = torch.stack([edge - eighth, edge, edge + eighth], dim=-1)
            cells = (frames / self.stride).trunc().long().clamp(0, num_cells - 1)
            columns = finest.transpose(1, 2)[items, cells]
            offset = conv(columns.flatten(0, 1).transpose(1, 2)).view(boxes.shape[:2])
            moved.append(boxes[..., side] + offset)
        return torch.stack(moved, dim=-1)


def plain_conv(in_channels, out_channels, stride):
    return nn.Sequential(nn.Conv1d(in_channels, out_channels, 3, stride=stride, padding=1),
                         nn.ReLU())


def plain_tower(hidden, num_layers):
    """num_layers x (convolution, GroupNorm, ReLU)."""
    layers = []
    for _ in range(num_layers):
        layers.append(nn.Conv1d(hidden, hidden, 3, padding=1))
        layers.append(nn.GroupNorm(32, hidden))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def plain_score_head(hidden):
    return nn.Sequential(nn.Conv1d(hidden, hidden, 3, padding=1), nn.ReLU(),
                         nn.Conv1d(hidden, 1, 1))


def plain_edge_conv(hidden):
    return nn.Sequential(nn.Conv1d(hidden, hidden, 3, stride=2), nn.ReLU(),
                         nn.Conv1d(hidden, 1, 1))


def plain_anchors(config):
    """Anchors one by one: level, cell, scale."""
    anchors = []
    for level in range(config.num_levels):
        stride = config.base_stride * 2 ** level
        for position in range(config.temporal_scale // stride):
            for scale in config.anchor_scale:
                centre, reach = position * stride + stride / 2, (stride * scale - 1) / 2
                anchors.append([centre - reach, centre + reach])
    return torch.tensor(anchors, dtype=torch.float32)


def plain_decode(code, anchors):
    """Boxes, item by item."""
    boxes = []
    for item in code:
        length = anchors[:, 1] - anchors[:, 0] + 1
        centre = item[:, 0] / 10 * length + (anchors[:, 0] + anchors[:, 1]) / 2
        length = torch.exp(torch.clamp(item[:, 1] / 5, max=math.log(1000 / 16))) * length
        boxes.append(torch.stack([centre - (length - 1) / 2, centre + (length - 1) / 2], dim=1))
    return torch.stack(boxes)


def plain_match(boxes, actions, threshold):
    """The action of each box of one item, -1 for none. boxes: (M, 2), actions: (G, 2)."""
    matches = torch.full((len(boxes),), -1)
    if len(actions) == 0:
        return matches
    overlap = (torch.minimum(boxes[:, None, 1], actions[None, :, 1])
               - torch.maximum(boxes[:, None, 0], actions[None, :, 0])).clamp(min=0)
    union = ((boxes[:, 1] - boxes[:, 0] + 1)[:, None]
             + (actions[:, 1] - actions[:, 0])[None] - overlap)
    iou = overlap / union
    best, action = iou.max(dim=1)
    matches[best >= threshold] = action[best >= threshold]
    for column in iou.t():
        if column.max() > 0:
            attains = column == column.max()
            matches[attains] = action[attains]
    return matches


def plain_losses(predictions, targets, config):
    """All losses of a batch, item by item where they differ. predictions: dict of PlainVSGN."""
    anchors = plain_anchors(config)
    entropies, positives, regression, adjustment = [], [], [], []
    for item in range(len(predictions["boxes"])):
        actions = targets.segments[item, :targets.counts[item]]
        labels = targets.labels[item, :targets.counts[item]]
        boxes = predictions["boxes"][item]
        by_box = plain_match(boxes.detach(), actions, config.iou_thr[1])
        by_anchor = plain_match(anchors, actions, config.iou_thr[1])
        strict = plain_match(boxes.detach(), actions, config.iou_thr[2])
        entropies.append(plain_class_loss(predictions["logits"][item], by_box, labels, config))
        positives.append(by_box >= 0)
        regression.append(plain_giou_losses(boxes, by_anchor, actions))
        adjustment.append(plain_giou_losses(predictions["adjusted"][item], strict, actions))
    entropy, positive = torch.cat(entropies), torch.cat(positives)
    if config.class_agnostic:
        class_loss = entropy.sum() / max(1, int(positive.sum()))
    else:
        class_loss = plain_mean(entropy[positive]) + plain_mean(entropy[~positive])
    epsilon = config.boundary_loss_epsilon
    losses = {
        "loss_cls_dec": class_loss,
        "loss_reg_dec": plain_mean(torch.cat(regression)),
        "loss_bd_adjust": plain_mean(torch.cat(adjustment)),
        "loss_action": plain_balanced(predictions["actionness"], targets.action, 1e-5),
        "loss_start": plain_balanced(predictions["startness"], targets.start, epsilon),
        "loss_end": plain_balanced(predictions["endness"], targets.end, epsilon)}
    losses["total"] = (losses["loss_cls_dec"] + losses["loss_reg_dec"] + losses["loss_bd_adjust"]
                       + config.score_loss_weight * (losses["loss_action"] + losses["loss_start"]
                                                     + losses["loss_end"]))
    return losses


def plain_mean(values):
    """Mean; 0 for an empty tensor."""
    return values.sum() / max(1, len(values))


def plain_class_loss(logits, matches, labels, config):
    """Cross-entropy or focal loss of each anchor of one item."""
    if not config.class_agnostic:
        wanted = torch.zeros(len(matches), dtype=torch.int64)
        wanted[matches >= 0] = labels[matches[matches >= 0]]
        return -torch.log_softmax(logits, dim=1)[torch.arange(len(wanted)), wanted]
    log_probability = F.logsigmoid(torch.stack([-logits[:, 0], logits[:, 0]]))
    low, high = log_probability.exp()
    alpha = config.focal_alpha
    return torch.where(matches >= 0, -alpha * low ** 2 * log_probability[1],
                       -(1 - alpha) * high ** 2 * log_probability[0])


def plain_giou_losses(boxes, matches, actions):
    """1 - GIoU of the matched boxes of one item: (P,)."""
    matched = matches >= 0
    boxes, actions = boxes[matched], actions[matches[matched]]
    start, end = boxes.min(dim=1).values, boxes.max(dim=1).values
    overlap = (torch.minimum(end, actions[:, 1]) - torch.maximum(start, actions[:, 0])).clamp(min=0)
    union = (end - start) + (actions[:, 1] - actions[:, 0]) - overlap + 1e-7
    hull = torch.maximum(end, actions[:, 1]) - torch.minimum(start, actions[:, 0]) + 1e-7
    return 1 - (overlap / union - (hull - union) / hull)


def plain_balanced(scores, truth, epsilon):
    """Balanced binary cross-entropy over the whole batch, in its usual form."""
    positive = (truth > 0.5).float()
    count, entries = float(positive.sum()), truth.numel()
    if count == 0 or count == entries:
        # The empty side contributes nothing; r / (r - 1) or r has no value.
        chosen = scores if count else 1 - scores
        return -0.5 * torch.log(chosen + epsilon).mean()
    ratio = entries / count
    c0 = 0.5 * ratio / (ratio - 1)
    c1 = c0 * (ratio - 1)
    return -(c1 * positive * torch.log(scores + epsilon)
             + c0 * (1 - positive) * torch.log(1 - scores + epsilon)).mean()
