"""One row per frame, one column of 0 and 1 per behaviour.

DeepEthogram's labels and SimBA's targets are such tables.
"""

from Utils.files import UserError, counted, listed
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.framelabels import BACKGROUND, add_runs
from Utils.prepare.formats.times import frame, rate

UNLABELLED = -1
VALUES = {"0": 0, "1": 1, "-1": UNLABELLED, "0.0": 0, "1.0": 1, "-1.0": UNLABELLED}
SUFFIX = "_labels"


def read(source, options):
    """The runs of each column. Needs --fps; --labels chooses columns."""
    found = Found(source.path, options.skip_bad, background=BACKGROUND)
    if not source.rows:
        raise UserError(f"{source.path} is empty")
    table = source.table(Found(source.path))
    media, fps = source.stem.removesuffix(SUFFIX), rate(options, None, source.path)
    chosen = _columns(source, list(table.columns), options.labels)
    _check_frames(source, table.iloc[:, 0])
    columns = {label: [_value(source, line, label, cell) for line, cell in table[label].items()]
               for label in chosen}
    # the values of all columns, frame by frame
    frames = zip(*columns.values(), strict=True)
    unlabelled = sum(UNLABELLED in values for values in frames)
    if unlabelled:
        if not options.skip_bad:
            raise UserError(f"{source.path}: {counted(unlabelled, 'frame')} not yet "
                            "labelled (-1); label all, or leave the video out with "
                            "--skip_bad")
        found.left_out["videos with unlabelled frames"] += 1
        return found
    for label, column in columns.items():
        add_runs(found, media, [label if value else "" for value in column], fps)
    return found


def _columns(source, names, labels):
    """The columns with behaviours."""
    if unknown := [label for label in labels if label not in names[1:]]:
        raise UserError(f"{source.path} has no column {unknown[0]!r}; choose with "
                        f"--labels of {listed(names[1:], 20)}")
    columns = list(labels) or names[1:]
    doubled = [name for name in columns if names.count(name) > 1 or not name]
    if doubled or not columns:
        raise UserError(f"{source.path}: the column {doubled[0] if doubled else ''!r} "
                        "has no name of its own; rename it, or choose columns with "
                        "--labels")
    return columns


def _check_frames(source, cells):
    """Refuse missing rows and rows out of order, since times are counted in rows."""
    if not len(cells):
        raise UserError(f"{source.path} holds no frames")
    before = None
    for line, cell in cells.items():
        try:
            number = frame(cell, "the index of the frame")
        except BadRow as fault:
            raise UserError(f"{source.path}, line {line}: {fault}") from None
        if before is not None and number != before + 1:
            raise UserError(f"{source.path}, line {line}: frame {number} follows frame "
                            f"{before}; every frame needs its row, in order")
        before = number


def _value(source, line, label, cell):
    """The value of a cell: 0, 1 or -1."""
    if cell not in VALUES:
        raise UserError(f"{source.path}, line {line}: {label} is {cell[:40]!r}, "
                        "expected 0 or 1; choose "
                        "the columns of behaviours with --labels")
    return VALUES[cell]
