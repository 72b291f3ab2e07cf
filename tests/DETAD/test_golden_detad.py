"""DETAD against its goldens: every row of tests/parity_detad.py within its tolerance."""

import pytest

from DETAD import diagnose
from DETAD.characteristics import bucket_table, read_characteristics
from tests.parity_detad import column, comparable, detad, detection_table, difference, edge_cases


@pytest.fixture(scope="module")
def rows(shared):
    return list(detad(shared))


def test_every_number_is_the_references(rows):
    assert [row for row in rows if row.error > row.tolerance] == []


def test_every_comparable_entry_was_compared(rows, shared):
    edges = sum(comparable(key, name, expected) for key, case in edge_cases(shared).items()
                for name, expected in case.items())
    assert (len(rows), edges) == (2 * (2 * 8 + edges + 3), 64)


def test_equal_scores_differ_by_their_order_only(shared):
    case = edge_cases(shared)["ties_small_all_equal"]
    table = detection_table(case["predictions"]["results"])
    found = diagnose(*read_characteristics(case["ground_truth"], "testing"), table[::-1],
                     [0.3, 0.5, 0.7], bucket_table("thumos"))
    assert difference(column(found, "AP_N"), case["sensitivity"]["ap_N_per_class"]) < 1e-9
