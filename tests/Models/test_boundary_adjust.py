import pytest
import torch

from benchmarks.plain_network import PlainBoundaryAdjust
from Models.BoundaryAdjust import BoundaryAdjust, edge_cells
from tests.golden import fill, golden_config


def cells(start, end, num_cells=20):
    return edge_cells(torch.tensor([[[start, end]]]), 4, num_cells)[0, 0].tolist()


def test_cells_are_an_eighth_of_the_length_around_each_edge():
    # 32 frames: 4 frames to each side, 4 frames per cell.
    assert cells(20.0, 51.0) == [[4, 5, 6], [11, 12, 13]]


def test_boxes_outside_are_read_inside():
    assert cells(-50.0, -10.0) == [[0, 0, 0], [0, 0, 0]]
    assert cells(200.0, 300.0) == [[19, 19, 19], [19, 19, 19]]
    # Clamped first, so the length is that of the part inside: 80 frames.
    assert cells(-500.0, 500.0) == [[0, 0, 2], [17, 19, 19]]


def test_a_box_that_is_not_a_number_reads_inside():
    found = edge_cells(torch.full((1, 1, 2), torch.nan), 4, 20)
    assert ((found >= 0) & (found < 20)).all()


@pytest.fixture()
def pair():
    config = golden_config("thumos", {"bb_hidden_dim": 32})
    return fill(BoundaryAdjust(32, 4)), fill(PlainBoundaryAdjust(config))


def test_adjustment_is_the_plain_one_with_its_gradients(pair):
    generator = torch.Generator().manual_seed(0)
    finest = torch.randn(2, 32, 20, generator=generator, requires_grad=True)
    boxes = (torch.rand(2, 30, 2, generator=generator) * 120 - 20).requires_grad_()
    weights = torch.randn(2, 30, 2, generator=generator)
    gradients = []
    found, expected = (module(finest, boxes) for module in pair)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    for out, module in zip((found, expected), pair, strict=True):
        gradients.append(torch.autograd.grad((out * weights).sum(),
                                             [finest, boxes, *module.parameters()]))
    for ours, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-4)


def test_the_box_moves_by_its_own_gradient_only(pair):
    boxes = torch.tensor([[[20.0, 51.0]]], requires_grad=True)
    pair[0](torch.randn(1, 32, 20), boxes).sum().backward()
    # The features are read at the detached box: d adjusted / d box is the identity.
    assert boxes.grad.tolist() == [[[1.0, 1.0]]]


def test_no_boxes(pair):
    assert pair[0](torch.randn(2, 32, 20), torch.zeros(2, 0, 2)).shape == (2, 0, 2)
