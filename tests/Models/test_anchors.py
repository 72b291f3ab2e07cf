import math

import pytest
import torch

from Models.anchors import decode, encode, make_anchors


def test_anchors_run_level_position_scale():
    anchors = make_anchors(16, strides=(4, 8), scales=(1.0, 1.5))
    assert anchors[:4].tolist() == [[0.5, 3.5], [-0.5, 4.5], [4.5, 7.5], [3.5, 8.5]]
    assert anchors[8:].tolist() == [[0.5, 7.5], [-1.5, 9.5], [8.5, 15.5], [6.5, 17.5]]


def test_default_pyramid_has_1240_anchors():
    assert len(make_anchors(1280, strides=(4, 8, 16, 32, 64), scales=(1.0, 1.5))) == 1240


def test_a_zero_code_is_the_anchor_itself():
    anchors = make_anchors(64, strides=(4, 8), scales=(1.0, 1.5))
    torch.testing.assert_close(decode(torch.zeros_like(anchors), anchors), anchors)


def test_code_known_by_hand():
    anchor = torch.tensor([[10.0, 19.0]])               # 10 frames, centre 14.5
    action = torch.tensor([[11.0, 30.0]])               # 20 frames, centre 20.5
    code = encode(action, anchor)
    assert code[0].tolist() == pytest.approx([6.0, 5 * math.log(2)])
    torch.testing.assert_close(decode(code, anchor), action)


def test_boxes_grow_at_most_by_the_clamp():
    anchor = torch.tensor([[10.0, 19.0]])
    start, end = decode(torch.tensor([[0.0, 1e6]]), anchor)[0]
    assert float(end - start + 1) == pytest.approx(10 * 1000 / 16)


def test_no_anchors():
    assert decode(torch.zeros(0, 2), torch.zeros(0, 2)).shape == (0, 2)
