"""How far we are from the original's numbers, stage by stage: `python -m tests.parity [STAGE ...]`.

A module tests/parity_<name>.py adds stages with the `stage` decorator; what each yields is printed
here and held to its tolerance by tests/test_golden_<name>.py.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import NamedTuple

import torch

STAGES = {}


class Row(NamedTuple):
    """One comparison: what, the largest error found, the largest allowed."""
    what: str
    error: float
    tolerance: float


def stage(name):
    """Register a function (shared folder: Path) -> iterable of Row as the stage `name`."""
    def register(function):
        STAGES[name] = function
        return function
    return register


def largest(found, golden):
    """Largest absolute difference; infinite where shapes differ or a NaN is found."""
    found, golden = torch.as_tensor(found).detach().double(), torch.as_tensor(golden).double()
    if found.shape != golden.shape:
        return float("inf")
    return float((found - golden).abs().nan_to_num(nan=float("inf")).max()) if len(found.shape) \
        else float((found - golden).abs().nan_to_num(nan=float("inf")))


def differing(found, golden):
    """Number of entries that differ; infinite where shapes differ."""
    found, golden = torch.as_tensor(found), torch.as_tensor(golden)
    return float((found != golden).sum()) if found.shape == golden.shape else float("inf")


def discover():
    """Import every tests/parity_*.py, which registers its stages."""
    for path in sorted(Path(__file__).parent.glob("parity_*.py")):
        importlib.import_module(f"tests.{path.stem}")


def main(argv=None):
    """Print the table; 1 if an error is above its tolerance."""
    from tests.conftest import SHARED
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="*", help="stages to print (all)")
    chosen = parser.parse_args(argv).stages
    if not (SHARED / "golden").is_dir():
        print(f"error: the original's numbers are not at {SHARED / 'golden'}; set VSGN_SHARED to "
              "the folder that holds golden/", file=sys.stderr)
        return 2
    discover()
    too_large = 0
    print(f"{'stage':<12} {'what':<58} {'error':>9} {'allowed':>9}")
    for name, function in STAGES.items():
        for row in function(SHARED) if not chosen or name in chosen else ():
            mark = "" if row.error <= row.tolerance else "  TOO LARGE"
            too_large += bool(mark)
            print(f"{name:<12} {row.what:<58} {row.error:>9.1e} {row.tolerance:>9.1e}{mark}")
    return 1 if too_large else 0


if __name__ == "__main__":
    # Run under the name that the stages import, so that there is one table of them.
    sys.exit(importlib.import_module("tests.parity").main())
