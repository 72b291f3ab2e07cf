"""The stages of parity_postproc.py hold their tolerances."""

import pytest

from tests import parity_postproc  # noqa: F401 (registers the stages)
from tests.parity import STAGES


@pytest.mark.parametrize("name, least", [("nms", 3), ("proposals", 19), ("detections", 33)])
def test_stage_is_within_its_tolerances(shared, name, least):
    rows = list(STAGES[name](shared))
    assert len(rows) >= least
    assert not [row for row in rows if not row.error <= row.tolerance]
