"""Frame labels, one per line: `groundTruth/<video>.txt` of Breakfast, GTEA, 50Salads."""

import itertools

from Utils.files import UserError
from Utils.prepare.formats.found import Found
from Utils.prepare.formats.source import Source
from Utils.prepare.formats.times import rate

BACKGROUND = ("background", "SIL", "action_start", "action_end")


def read(source, options):
    """The actions in one file: runs of equal labels. Needs --fps."""
    found = Found(source.path, options.skip_bad, background=BACKGROUND)
    mapping = read_mapping(options.mapping, options.encoding) if options.mapping else None
    labels = [line.strip() for line in source.text.rstrip().split("\n")]
    if not any(labels):
        raise UserError(f"{source.path} holds no frames")
    labels = [_mapped(label, mapping, f"{source.path}, line {line}", options.mapping)
              for line, label in enumerate(labels, 1)]
    add_runs(found, source.stem, labels, rate(options, None, source.path))
    return found


def add_runs(found, media, labels, fps):
    """Add an action for each run of equal labels; the labels determine the duration."""
    found.add_media(media, len(labels) / fps)
    first = 0
    for label, run in itertools.groupby(labels):
        end = first + len(list(run))
        if label:
            found.add(media, first / fps, end / fps, label)
        first = end


def read_mapping(path, encoding):
    """{id: label} from a file of lines `id label`."""
    mapping = {}
    for number, line in enumerate(Source(path, encoding).text.split("\n"), 1):
        words = line.split(maxsplit=1)
        if len(words) == 1 or words and words[0] in mapping:
            raise UserError(f"{path}, line {number}: expected 'id label', each id once, "
                            f"found {line.strip()[:40]!r}; fix the file of --mapping")
        if words:
            mapping[words[0]] = words[1].strip()
    return mapping


def _mapped(label, mapping, where, path):
    """The label of one line, which may be an id of the mapping."""
    if not label:
        raise UserError(f"{where}: the line is blank, expected the label of a frame; fix the file")
    if mapping is None or label in mapping.values():
        return label
    if label not in mapping:
        raise UserError(f"{where}: {label[:40]!r} is neither a label nor an id of "
                        f"{path}; add it there, or leave --mapping out")
    return mapping[label]


