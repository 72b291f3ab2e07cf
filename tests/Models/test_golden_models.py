"""Holds tests/parity_models.py to its tolerances."""

import pytest

from tests import parity_models
from tests.parity import STAGES

MODEL_STAGES = [name for name, function in STAGES.items()
                if function.__module__ == parity_models.__name__]
COVERED = {"thumos": "[a-f]_*.npz", "activitynet": "[afgmt]*.npz"}


@pytest.fixture(scope="module")
def rows(shared):
    return {name: list(STAGES[name](shared)) for name in MODEL_STAGES}


@pytest.mark.parametrize("name", MODEL_STAGES)
def test_stage_is_within_tolerance(rows, name):
    assert rows[name]
    too_large = [row for row in rows[name] if not row.error <= row.tolerance]
    assert not too_large, "\n".join(map(str, too_large))


@pytest.mark.parametrize("folder, pattern", COVERED.items())
def test_every_golden_is_used(shared, rows, folder, pattern):
    used = {row.what.split()[0] for stage in rows.values() for row in stage}
    stems = {path.stem for path in (shared / "golden" / folder).glob(pattern)}
    assert stems and stems <= used
