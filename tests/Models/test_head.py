import torch

from Models.Head import Head


def test_outputs_run_level_position_scale():
    head = Head(32, num_layers=1, num_scales=2, num_scores=3)
    for layer in (head.cls_logits, head.bbox_pred):
        torch.nn.init.zeros_(layer.weight)
        layer.bias.data = torch.arange(float(layer.out_channels))
    logits, codes = head([torch.randn(1, 32, 4), torch.randn(1, 32, 2)])
    assert logits[0].tolist() == [[0, 1, 2], [3, 4, 5]] * 6
    assert codes[0].tolist() == [[0, 1], [2, 3]] * 6


def test_a_position_is_where_its_features_are():
    head = Head(32, num_layers=0, num_scales=2, num_scores=3)
    fine, coarse = torch.zeros(1, 32, 8), torch.zeros(1, 32, 4)
    fine[:, :, 4] = 1
    changed = (head([fine, coarse])[0] - head([torch.zeros(1, 32, 8), coarse])[0]).abs().sum(-1) > 0
    # Kernel 3 around position 4: positions 3 to 5, two scales each.
    assert changed[0].nonzero()[:, 0].tolist() == [6, 7, 8, 9, 10, 11]


def test_levels_share_the_weights():
    head = Head(32, num_layers=2, num_scales=1, num_scores=1)
    x = torch.randn(1, 32, 6)
    logits, codes = head([x, x])
    assert torch.equal(logits[:, :6], logits[:, 6:]) and torch.equal(codes[:, :6], codes[:, 6:])
