import pytest
import torch

from Models.VSGN import VSGN, load_weights
from tests.golden import fill, golden_config
from Utils.files import UserError

SMALL = {"temporal_scale": 64, "input_feat_dim": 8, "bb_hidden_dim": 32, "num_levels": 2,
         "num_head_layers": 1, "num_neigh": 4}


@pytest.fixture()
def model():
    return VSGN(golden_config("thumos", SMALL))


@pytest.fixture()
def weights():
    return fill(VSGN(golden_config("thumos", SMALL))).state_dict()


def assert_loaded(model, weights):
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_default_network_has_the_originals_size():
    model = VSGN(golden_config("thumos", {}))
    assert sum(value.numel() for value in model.state_dict().values()) == 8_373_299


def test_names_are_the_originals(weights):
    names = list(weights)
    assert names[:6] == ["xGPN.conv0.0.weight", "xGPN.conv0.0.bias",
                         "xGPN.levels_enc.0.tconv1.weight", "xGPN.levels_enc.0.tconv1.bias",
                         "xGPN.levels_enc.0.nconv1.mlp.weight",
                         "xGPN.levels_enc.0.nconv1.mlp.bias"]
    assert {"xGPN.levels_dec.0.0.weight", "xGPN.levels1.1.0.bias", "xGPN.levels2.0.0.weight",
            "head_dec.cls_tower.1.weight", "head_dec.bbox_pred.bias", "head_endness.2.weight",
            "bd_adjust.end_conv.2.bias"} <= set(names)
    assert "anchors" not in names


@pytest.mark.parametrize("prefix", ["", "module."])
def test_originals_weights_load(model, weights, prefix):
    load_weights(model, {prefix + name: value for name, value in weights.items()}, "file")
    assert_loaded(model, weights)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_activitynet_weights_load_by_their_names(model, weights, prefix):
    theirs = {prefix + name.replace("bd_adjust.", "bd_refine."): value
              for name, value in weights.items()}
    theirs[f"{prefix}head_enc.cls_logits.weight"] = torch.zeros(3)
    load_weights(model, theirs, "file")
    assert_loaded(model, weights)


def test_what_differs_is_listed(model, weights):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    del weights["xGPN.conv0.0.bias"]
    weights["extra.weight"] = torch.zeros(1)
    weights["head_dec.bbox_pred.weight"] = torch.zeros(6, 32, 3)
    with pytest.raises(UserError) as problem:
        load_weights(model, weights, "best.pth.tar")
    message = str(problem.value)
    assert message.startswith("best.pth.tar holds the weights of another network: "
                              "head_dec.bbox_pred.weight is (6, 32, 3), expected (4, 32, 3)")
    assert "xGPN.conv0.0.bias is missing" in message and "extra.weight is unknown" in message
    assert_loaded(model, before)


def test_a_long_list_is_cut(model):
    with pytest.raises(UserError, match=f"and {len(model.state_dict()) - 5} more"):
        load_weights(model, {}, "file")
