"""Small tables that go with the files of an import or export: --durations, --names."""

from Utils.files import UserError, listed
from Utils.prepare.formats.found import BadRow, Found
from Utils.prepare.formats.source import Source
from Utils.prepare.formats.table import normal
from Utils.prepare.formats.times import seconds
from Utils.prepare.formats.video_names import video_name


def two_columns(source, first, second, option):
    """[(cell, cell)] of the columns `first` and `second` of a small table."""
    headers = [normal(header) for header in source.rows[0][1]] if source.rows else []
    for name in (first, second):
        if headers.count(name) != 1:
            raise UserError(f"{source.path} has no column {name!r}; {option} expects a "
                            f"table with the header {first},{second}, found "
                            f"{listed(headers) or 'nothing'}")
    table = source.table(Found(source.path))
    return list(zip(table.iloc[:, headers.index(first)], table.iloc[:, headers.index(second)],
                    strict=True))


def read_durations(path, encoding=None):
    """{video: seconds} of a table `video,seconds`, by written and by imported names."""
    durations, written, source = {}, {}, Source(path, encoding)
    for media, text in two_columns(source, "video", "seconds", "--durations"):
        try:
            name, value = video_name(media), seconds(text, source.decimal_comma)
        except BadRow as fault:
            raise UserError(f"{path}: video {media}: {fault}") from None
        if not value > 0:
            raise UserError(f"{path}: video {media}: the duration is {value:g}, "
                            "expected more than 0 seconds")
        if durations.setdefault(name, value) != value:
            raise UserError(f"{path}: video {name} has the durations "
                            f"{durations[name]:g} and {value:g}; leave one of them out")
        written[media] = value
    return written | durations


def read_names(path, encoding=None):
    """{name or path in the files: name to use} of a table `from,to`."""
    names = {}
    for old, new in two_columns(Source(path, encoding), "from", "to", "--names"):
        if names.setdefault(old, new) != new or not new:
            raise UserError(f"{path}: {old!r} has the new names {names[old]!r} and {new!r}; "
                            "keep one")
    return names
