"""Files of other tools -> annotations in our layout. Writes nothing."""

import itertools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from Utils.files import UserError, counted, listed
from Utils.prepare.formats.found import BadRow, Options
from Utils.prepare.formats.recognize import READERS, files_in, recognize
from Utils.prepare.formats.rules import Imported, annotations_of
from Utils.prepare.formats.source import Source

# Options that only some formats read.
READ_BY = {
    "fps": ("table", "labelstudio", "framelabels", "onehot"), "video_name": ("boris",),
    "unclosed": ("boris",), "tiers": ("elan",), "label": ("table",), "columns": ("table",),
    "labels": ("onehot",), "mapping": ("framelabels",), "timeseries": ("labelstudio",)}


@dataclass
class Import:
    """The result of an import: annotations, and the format of each file."""
    annotations: Imported
    formats: dict[Path, str]

    def summary(self):
        """Lines for the user: formats, counts, notes, what was left out."""
        database = self.annotations.database
        labels = [action["label"]
                  for video in database.values() for action in video["annotations"]]
        lines = [f"{format}: {counted(len(paths), 'file')} ({listed(paths)})"
                 for format, paths in self._by_format().items()]
        lines.append(", ".join((counted(len(database), "video"), counted(len(labels), "action"),
                                counted(len(set(labels)), "class", "classes"))))
        subsets = Counter(video["subset"] for video in database.values())
        lines.append("subsets: " + ", ".join(f"{subset} {count}"
                                             for subset, count in subsets.items()))
        without = [name for name, video in database.items() if "duration" not in video]
        if without:
            lines.append(f"{counted(len(without), 'video')} without a duration: "
                         f"{listed(without)} (--durations, or --feature_fps later, "
                         "gives it)")
        lines += self.annotations.notes
        counts = [f"{why} ({count})" for why, count in self.annotations.left_out.items()]
        return lines + [f"left out or changed: {', '.join(counts)}"] * bool(counts)

    def _by_format(self):
        groups = {}
        for path, format in self.formats.items():
            groups.setdefault(format, []).append(path)
        return groups


def import_files(paths: list[str | Path], options: Options | None = None,
                 format: str | None = None) -> Import:
    """Read files (or folders of frame labels) of other tools.

    format: a key of READERS for all files; None: recognize each by its content. Raises
    UserError for anything that cannot be read or is contradictory.
    """
    if format is not None and format not in READERS:
        raise UserError(f"--from {format}: known formats are {', '.join(READERS)}")
    try:
        return _read_all(paths, options or Options(), format)
    except UserError as problem:
        # Names and labels in the message come from the file, with whatever characters.
        raise UserError("".join(character if character.isprintable() else " "
                                for character in str(problem))) from None


def _read_all(paths, options, format):
    formats, found = {}, []
    for path, of_folder in itertools.chain(*(files_in(Path(named)) for named in paths)):
        source = Source(path, options.encoding)
        formats[path] = format or of_folder or recognize(source, options)
        try:
            found.append(READERS[formats[path]](source, options))
        except BadRow as fault:
            raise UserError(f"{path}: {fault}; fix it") from None
        found[-1].notes += source.notes
    made = Import(annotations_of(found, options), formats)
    made.annotations.notes += _without_effect(options, set(formats.values()))
    return made


def _without_effect(options, formats):
    """Lines about options that none of the formats reads."""
    return [f"--{name} has no effect: it is for {' and '.join(readers)}, but the files "
            f"are {' and '.join(sorted(formats))}" for name, readers in READ_BY.items()
            if getattr(options, name) != getattr(Options(), name) and not formats & set(readers)]
