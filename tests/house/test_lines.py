"""Lines breathe: few of them are longer than 90 characters."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("Models", "Utils", "Evaluation", "DETAD", "Engine")


def test_few_lines_are_long():
    files = [*ROOT.glob("*.py"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    long = sum(len(line) > 90 for line in lines)
    assert len(lines) > 20_000
    assert long < 0.05 * len(lines), f"{long} of {len(lines)} lines"
