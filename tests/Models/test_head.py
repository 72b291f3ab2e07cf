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
    torch.testing.assert_close(logits[:, :6], logits[:, 6:])
    torch.testing.assert_close(codes[:, :6], codes[:, 6:])


def test_joined_levels_are_those_one_by_one():
    """In float64 and with biases, since the sign of a normalized 0 depends on the processor.

    A level of one cell is normalized to 0, which may pass one ReLU and not the other.
    """
    torch.manual_seed(1)
    head = Head(32, num_layers=2, num_scales=2, num_scores=3).double()
    for name, value in head.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.normal_(value)
    levels = [torch.randn(2, 32, length).double() for length in (16, 8, 4, 2, 1)]

    def gradients(outputs):
        loss = sum((output * torch.arange(output.numel()).view_as(output)).sum()
                   for output in outputs)
        return torch.autograd.grad(loss, list(head.parameters()))

    joined = head(levels)
    single = [torch.cat(parts, dim=1) for parts in zip(*(head([x]) for x in levels), strict=True)]
    torch.testing.assert_close(list(joined), single)
    torch.testing.assert_close(gradients(joined), gradients(single))
