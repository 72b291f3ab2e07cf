"""Parity of the network and the losses with golden/thumos a_* to f_* and golden/activitynet."""

import json

import torch

from Models.anchors import decode, encode
from Models.GCNs import XGN, neighbours
from Models.Head import Head
from Models.Loss import Criterion, sigmoid_focal
from Models.matcher import NO_MATCH, match, matching_iou
from Models.VSGN import VSGN, config_anchors, graph_options
from Models.XGPN import XGPN
from tests.golden import (
    GoldenTargets,
    activitynet_config,
    fill,
    golden_config,
    golden_input,
    load,
    stitched_input,
    thumos_config,
    thumos_meta,
)
from tests.parity import Row, differing, largest, stage

EXACT = 0.0
SCORE = 1e-5
# Of a gradient norm, relative; norms below 2e-3 count as 2e-3, so that those that are zero but for
# rounding (biases before a one-channel GroupNorm group) may be 2e-6.
GRADIENT, SMALL_NORM = 1e-3, 2e-3


def files(shared, pattern):
    """(stem, arrays, config) of the goldens that match `pattern`, e.g. "thumos/e_vsgn_*"."""
    for path in sorted((shared / "golden").glob(f"{pattern}.npz")):
        arrays = load(path)
        if "options" in arrays:
            yield path.stem, arrays, activitynet_config(arrays)
        elif path.parent.name == "thumos" and path.stem[0] != "b":
            yield path.stem, arrays, thumos_config(path.parent, path.stem)
        else:
            yield path.stem, arrays, None


@stage("anchors")
def anchors(shared):
    for pattern in ("thumos/a_*", "activitynet/anchors_*"):
        for stem, levels, config in files(shared, pattern):
            golden = torch.cat([levels[f"level{i}"] for i in range(config.num_levels)])
            yield Row(stem, largest(config_anchors(config), golden), EXACT)


@stage("boxes")
def boxes(shared):
    for stem, golden, _ in files(shared, "thumos/b_*"):
        anchors = golden["anchors"]
        found = {"encoded": encode(golden["gt"], anchors),
                 "decoded": decode(golden["pred"], anchors),
                 "roundtrip": decode(golden["encoded"], anchors)}
        for name, value in found.items():
            scale = golden[name].abs().max()
            yield Row(f"{stem} {name}, relative", largest(value / scale, golden[name] / scale),
                      1e-6)
    for stem, golden, config in files(shared, "activitynet/targets_*"):
        found = decode(golden["pred"], config_anchors(config))
        yield Row(f"{stem} decoded", largest(found, golden["decoded"]), 1e-3)


@stage("matching")
def matching(shared):
    for stem, golden, config in files(shared, "thumos/c_*"):
        iou = matching_iou(config_anchors(config), golden["gt"])[None]
        yield Row(f"{stem} IoU", largest(iou[0], golden["iou"]), 1e-6)
        everything = torch.ones(1, len(golden["gt"]), dtype=torch.bool)
        for name, threshold in (("match_05", 0.5), ("match_07", 0.7)):
            found = match(iou, everything, threshold)[0]
            yield Row(f"{stem} {name}, entries", differing(found, golden[name]), EXACT)
        good = match(iou, everything, 0.5)[0].masked_fill(iou[0].amax(dim=1) < 0.5, NO_MATCH)
        yield Row(f"{stem} match_05_nolow, entries", differing(good, golden["match_05_nolow"]),
                  EXACT)
    for stem, golden, config in files(shared, "activitynet/targets_*"):
        yield from _activitynet_matching(stem, golden, config)


def _activitynet_matching(stem, golden, config):
    anchors = config_anchors(config)
    actions = golden["gt_bbox"][..., :2] * config.temporal_scale
    iou = matching_iou(anchors, actions)
    count = golden["num_gt"]
    yield Row(f"{stem} IoU", largest(iou[0, :, :count[0]], golden["iou_first"]), 1e-6)
    is_action = torch.arange(actions.shape[1]) < count[:, None]
    for number, threshold in enumerate(config.iou_thr):
        found = match(iou, is_action, threshold)
        wrong = differing(found, golden[f"match_stage{number}"])
        wrong += differing(found >= 0, golden[f"labels_stage{number}"] > 0)
        yield Row(f"{stem} stage {number}, entries", wrong, EXACT)
        matched = actions.gather(1, found.clamp(min=0)[..., None].expand(-1, -1, 2))
        code = encode(matched, anchors)[:, ::7]
        is_matched = found[:, ::7, None] >= 0
        yield Row(f"{stem} stage {number} code", largest(
            code.where(is_matched, 0), golden[f"reg_stage{number}"].where(is_matched, 0)), 1e-4)


@stage("neighbours")
def graph_neighbours(shared):
    for stem, golden, config in files(shared, "thumos/d_*"):
        x, k = golden_input(golden["x_seed"], golden["x_shape"]), config.num_neigh
        yield Row(f"{stem} plain, entries", differing(neighbours(x, k), golden["idx_novss"]), EXACT)
        found = neighbours(x, k, second_copy(golden["num_frms"], config, x.shape[-1]))
        half = k // 2
        yield Row(f"{stem} stitched, first half, entries",
                  differing(found[..., :half], golden["idx_vss"][..., :half]), EXACT)
        free = ~golden["forced_tie_vss"]
        yield Row(f"{stem} stitched, second half, entries",
                  differing(found[free][:, half:], golden["idx_vss"][free][:, half:]), EXACT)
        forced = ~free
        yield Row(f"{stem} forced ties (same topk), entries",
                  differing(found[forced], golden["idx_vss"][forced]), EXACT)
    for stem, golden, _ in files_without_config(shared, "activitynet/graph_*"):
        x, config = golden["x"], graph_config(golden)
        found = neighbours(x, config.num_neigh, second_copy(golden["num_frms"], config,
                                                            x.shape[-1]))
        half = config.num_neigh // 2
        for name, part in (("first", found[..., :half]), ("rest", found[..., half:])):
            yield Row(f"{stem} {name}, entries",
                      differing(part.sort(dim=-1).values, golden[f"neigh_{name}_sorted"]), EXACT)


def second_copy(num_frames, config, length):
    """Where the magnified copies begin in a level of `length` positions, as VSGN works it out."""
    frames = second_copy_frames(num_frames, config)
    return None if frames is None else frames * length // config.temporal_scale


def second_copy_frames(num_frames, config):
    """The same in frames of the input."""
    if not config.use_VSS:
        return None
    stitched = num_frames <= config.short_ratio * config.temporal_scale
    return torch.where(stitched, num_frames + config.stitch_gap, config.temporal_scale)


def graph_config(golden):
    """Config of an ActivityNet graph golden, whose options are arrays of their own."""
    return golden_config("activitynet", {
        "temporal_scale": int(golden["temporal_scale"]), "num_neigh": int(golden["num_neigh"]),
        "stitch_gap": int(golden["stitch_gap"]), "short_ratio": float(golden["short_ratio"])})


def files_without_config(shared, pattern):
    """As `files`, for goldens without an `options` entry."""
    for path in sorted((shared / "golden").glob(f"{pattern}.npz")):
        yield path.stem, load(path), None


@stage("layer")
@torch.no_grad()
def layer(shared):
    for stem, golden, config in files(shared, "thumos/e_xgn_*"):
        seed = thumos_meta(shared / "golden/thumos")[stem]["seed"]
        x = golden_input(seed, golden["x_shape"])
        xgn = fill(XGN(x.shape[1], x.shape[1], graph_options(config)))
        found = xgn(x, second_copy(golden["num_frms"], config, x.shape[-1]))
        yield Row(stem, largest(found, golden["out"]), SCORE)
    for stem, golden, _ in files_without_config(shared, "activitynet/graph_*"):
        x, config = golden["x"], graph_config(golden)
        xgn = fill(XGN(x.shape[1], int(golden["out_channels"]), graph_options(config)))
        found = xgn(x, second_copy(golden["num_frms"], config, x.shape[-1]))
        yield Row(stem, largest(found, golden["layer_out"]), SCORE)


@stage("pyramid")
@torch.no_grad()
def pyramid(shared):
    for stem, golden, config in files(shared, "thumos/e_xgpn_*"):
        x = golden_input(golden["seed"], golden["x_shape"])
        xgpn = fill(XGPN(x.shape[1], config.bb_hidden_dim, config.num_levels,
                         graph_options(config) if config.use_xGPN else None))
        encoder = xgpn.encode(x, second_copy_frames(golden["num_frms"], config))
        found = {f"enc{i}": level for i, level in enumerate(encoder)}
        found |= {f"dec{i}": level for i, level in enumerate(xgpn.decode(encoder))}
        yield Row(stem, max(largest(level, golden[name]) for name, level in found.items()), 1e-4)
        yield Row(f"{stem} sums, relative",
                  max(largest(level.double().sum() / golden[f"{name}_sum"], torch.ones(()))
                      for name, level in found.items()), 1e-6)


@stage("head")
@torch.no_grad()
def head(shared):
    for stem, golden, config in files(shared, "thumos/e_head_*"):
        scales, hidden = len(config.anchor_scale), config.bb_hidden_dim
        module = fill(Head(hidden, config.num_head_layers, scales, config.num_scores))
        levels = [golden_input(seed, (3, hidden, n))
                  for seed, n in zip(golden["seeds"], golden["lengths"], strict=True)]
        found = module(levels)
        for name, joined in zip(("cls", "reg"), found, strict=True):
            by_level = [golden[f"{name}{i}"].unflatten(1, (scales, -1)).permute(0, 3, 1, 2)
                        .flatten(1, 2) for i in range(len(levels))]
            yield Row(f"{stem} {name}", largest(joined, torch.cat(by_level, dim=1)), SCORE)


@stage("network")
@torch.no_grad()
def network(shared):
    for stem, golden, config in files(shared, "thumos/e_vsgn_*"):
        found = fill(VSGN(config)).eval()(golden_input(golden["seed"], golden["x_shape"]),
                                          golden["num_frms"])
        frames = 2.5e-4 if config.temporal_scale == 1280 else 1e-4
        yield Row(f"{stem} boxes (frames)", largest(found.boxes, golden["loc_dec"]), frames)
        yield Row(f"{stem} adjusted (frames)", largest(found.adjusted, golden["loc_adjusted"]),
                  frames)
        yield Row(f"{stem} class scores", largest(found.logits.softmax(-1), golden["score_dec"]),
                  SCORE)
        yield Row(f"{stem} frame scores", max(largest(getattr(found, name), golden[name]) for name
                                              in ("actionness", "startness", "endness")), SCORE)
    for stem, golden, config in files(shared, "activitynet/model_*"):
        yield from _activitynet_network(stem, golden, config)


def _activitynet_network(stem, golden, config):
    model, x = activitynet_model(golden, config)
    encoder = model.xGPN.encode(x, second_copy_frames(golden["num_frms"], config))
    decoder = model.xGPN.decode(encoder)
    levels = {**{f"enc{i}": level for i, level in enumerate(encoder)},
              **{f"dec{i}": level for i, level in enumerate(decoder)}}
    yield Row(f"{stem} level statistics", max(
        max(largest(level.mean((1, 2)), golden[f"{name}_mean"]),
            largest(level.std((1, 2)), golden[f"{name}_std"]))
        for name, level in levels.items()), 1e-4)
    yield Row(f"{stem} coarsest levels", max(largest(encoder[-1], golden["enc_last"]),
                                             largest(decoder[0], golden["dec_first"])), 1e-4)
    found = model(x, golden["num_frms"])
    yield Row(f"{stem} boxes (frames)", largest(found.boxes, golden["loc_dec"]), 5e-3)
    yield Row(f"{stem} adjusted (frames)", largest(found.adjusted, golden["loc_st2"]), 5e-3)
    yield Row(f"{stem} scores", max(
        largest(found.logits[..., 0].sigmoid(), golden["score_dec"]),
        largest(found.actionness, golden["actionness"][:, 0]),
        largest(found.startness, golden["start"]), largest(found.endness, golden["end"])), 1e-4)


def activitynet_model(golden, config):
    """The filled network of an ActivityNet golden, and its input."""
    model = fill(VSGN(config), lambda name: name.replace("bd_adjust.", "bd_refine."))
    shape = (len(golden["num_frms"]), config.input_feat_dim, config.temporal_scale)
    x = stitched_input(golden["input_seed"], shape, golden["num_frms"], config.stitch_gap,
                       config.short_ratio)
    return model, x


@stage("training")
def training(shared):
    for stem, golden, config in files(shared, "thumos/f_*"):
        model, criterion = fill(VSGN(config)), Criterion(config)
        optimizer = torch.optim.Adam(model.parameters(), lr=config.train_lr,
                                     weight_decay=config.weight_decay)
        x, targets = (golden_input(golden["seed"], golden["x_shape"]),
                      GoldenTargets(golden, config.temporal_scale))
        worst = 0.0
        for step in range(3):
            predictions = model(x, golden["num_frms"])
            losses = criterion(predictions, targets)
            losses["total"] = criterion.total(losses)
            worst = max(worst, *(largest(value, golden[f"step{step}_{name}"])
                                 for name, value in losses.items()))
            if step == 2:
                break
            optimizer.zero_grad()
            losses["total"].backward()
            if step == 0:
                yield from _first_step(stem, model, predictions, golden)
            optimizer.step()
        yield Row(f"{stem} losses of three steps", worst, 1e-4)
        yield from _weights_after(stem, model, golden)


def _first_step(stem, model, predictions, golden):
    yield Row(f"{stem} frame scores", max(
        largest(getattr(predictions, name), golden[f"{name}0"])
        for name in ("actionness", "startness", "endness")), SCORE)
    yield Row(f"{stem} gradient norms, relative",
              gradient_error(model, golden["param_names"], golden["grad_norm"]), GRADIENT)
    yield Row(f"{stem} weights without a gradient", float(golden["grad_is_none"].sum()), EXACT)


def _weights_after(stem, model, golden):
    weights = dict(model.named_parameters())
    for what, reduce in (("sum", torch.sum), ("norm", torch.linalg.vector_norm)):
        found = [float(reduce(weights[str(name)].detach().double()))
                 for name in golden["param_names"]]
        yield Row(f"{stem} weights after two Adam steps, {what}",
                  largest(found, golden[f"param_{what}_after2"]), 1e-4)


def gradient_error(model, names, norms):
    """Largest relative difference of the gradients' norms; infinite if one is missing."""
    parameters, worst = dict(model.named_parameters()), 0.0
    for name, norm in zip(names, norms.tolist(), strict=True):
        if name not in parameters or parameters[name].grad is None:
            return float("inf")
        found = float(torch.linalg.vector_norm(parameters[name].grad.double()))
        worst = max(worst, abs(found - norm) / max(norm, SMALL_NORM))
    return worst


@stage("training-anet")
def activitynet_training(shared):
    for stem, golden, config in files(shared, "activitynet/model_*"):
        model, x = activitynet_model(golden, config)
        criterion = Criterion(config)
        losses = criterion(model(x, golden["num_frms"]),
                           GoldenTargets(golden, config.temporal_scale))
        total = criterion.total(losses)
        total.backward()
        boundary = losses["loss_start"] + losses["loss_end"]
        pairs = [(losses["loss_cls_dec"], "loss_cls_dec"), (losses["loss_reg_dec"], "loss_reg_dec"),
                 (losses["loss_bd_adjust"], "loss_reg_st2"), (total, "loss_total"),
                 (losses["loss_action"], "loss_actionness"), (boundary, "loss_boundary")]
        yield Row(f"{stem} losses", max(largest(value, golden[name]) for value, name in pairs),
                  1e-4)
        ours = {str(name).replace("bd_refine.", "bd_adjust."): norm
                for name, norm in zip(golden["grad_names"], golden["grad_norms"], strict=True)
                if norm >= 0}
        yield Row(f"{stem} gradient norms, relative",
                  gradient_error(model, list(ours), torch.stack(list(ours.values()))), GRADIENT)


@stage("focal")
def focal(shared):
    for stem, golden, _ in files_without_config(shared, "activitynet/focal_*"):
        logits = golden["logits"][:, 0].clone().requires_grad_()
        loss = sigmoid_focal(logits, golden["targets"] > 0, float(golden["alpha"]))
        loss.sum().backward()
        scale = golden["loss"].max()
        yield Row(f"{stem} loss, relative", largest(loss / scale, golden["loss"][:, 0] / scale),
                  1e-6)
        yield Row(f"{stem} gradient", largest(logits.grad, golden["grad"][:, 0]), SCORE)


@stage("names")
def names(shared):
    folder = shared / "golden"
    original = json.loads((folder / "thumos/model_state_names.json").read_text())
    for size, config in (("small_xgpn", thumos_config(folder / "thumos", "e_vsgn_base_vss")),
                         ("default_size_xgpn", golden_config("thumos", {}))):
        yield Row(f"thumos {size}, tensors that differ",
                  name_differences(original[size], VSGN(config)), EXACT)
    plain = XGPN(64, 64, 5, None).levels_enc
    encoder = {name.removeprefix("xGPN.levels_enc."): shape
               for name, shape in original["small_noxgpn"].items()}
    yield Row("thumos small_noxgpn, tensors that differ", name_differences(encoder, plain), EXACT)
    original = json.loads((folder / "activitynet/state_names_default.json").read_text())
    ours = {name.replace("bd_refine.", "bd_adjust."): shape for name, shape in original.items()
            if not name.startswith("head_enc.")}
    yield Row("activitynet default, tensors that differ",
              name_differences(ours, VSGN(golden_config("activitynet", {}))), EXACT)


def name_differences(expected, module):
    """How many tensors differ in name, place or shape."""
    found = [(name, list(value.shape)) for name, value in module.state_dict().items()]
    return sum(a != b for a, b in zip(expected.items(), found, strict=False)) + abs(
        len(expected) - len(found))


