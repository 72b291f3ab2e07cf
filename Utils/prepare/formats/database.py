"""Annotations already in our layout (ActivityNet's, OpenTAD's), to join or split them."""

from Utils.data.annotation_files import records_of
from Utils.prepare.formats.found import Found


def read(source, options):
    """The actions of a JSON file `database -> video -> annotations`. -> Found."""
    found = Found(source.path, options.skip_bad)
    for record in records_of(source.json, source.path):
        with found.row(f"video {record.name}"):
            found.add_media(record.name, record.duration, record.subset)
            found.names[record.name] = record.name
        for number, ((start, end), label) in enumerate(
                zip(record.segments.tolist(), record.labels, strict=True)):
            with found.row(f"annotation {number} of video {record.name}"):
                found.add(record.name, start, end, label)
    return found
