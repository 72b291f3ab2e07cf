"""Window lists, inputs and targets against the original's (differences: tests/parity_data.py)."""

import pytest

from tests import parity_data  # noqa: F401 (registers its stages)
from tests.parity import STAGES


@pytest.mark.parametrize("name", ["cut-thumos", "cut-activitynet", "items-thumos",
                                  "items-activitynet"])
def test_stage_is_within_its_tolerances(name, shared):
    rows = list(STAGES[name](shared))
    assert rows
    assert [row for row in rows if not row.error <= row.tolerance] == []


def test_counts_are_those_of_the_spec(shared):
    lengths = parity_data.json.loads(
        (shared / "golden/thumos/g_cut_lengths.json").read_text())
    source = parity_data.real_source(
        "thumos", shared / "annotations/thumos14/thumos_gt.json", lengths, seed=0)
    lists = parity_data.sliding_lists(source)
    assert [len(lists[name]) for name in ("train", "val", "infer")] == [8378, 9427, 4380]
    source = parity_data.real_source(
        "activitynet", shared / "annotations/activitynet/anet_anno_action.json", seed=0)
    lists = parity_data.whole_lists(source)
    assert [len(lists[name]) for name in ("train", "val", "infer")] == [13752, 6770, 4725]
