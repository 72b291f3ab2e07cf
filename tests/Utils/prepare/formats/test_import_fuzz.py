"""A damaged file of any tool gives a sentence for the user or annotations, nothing else."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from Utils.data.annotation_files import read_records
from Utils.files import UserError, write_json
from Utils.prepare.formats.found import Options
from Utils.prepare.formats.importing import import_files
from Utils.prepare.formats.recognize import READERS

SAMPLES = Path(__file__).parents[3] / "data/interop"
FILES = [
    "boris_aggregated_v7.csv", "boris_aggregated_v9.tsv", "boris_project.boris",
    "boris_tabular_offset.tsv", "boris_tabular_v7.tsv", "boris_tabular_v9.csv", "birds_2.txt",
    "elan.eaf", "epic.csv", "framelabels/groundTruth/rgb-01.txt", "labelstudio.json",
    "labelstudio_min.json", "mouse_1_labels.csv", "play_3.srt", "play_3.vtt", "solomon_rat4.csv",
    "table.csv", "table_frames.tsv", "table_semicolon.csv"]
PARTS = [b"", b"\0", b"\xff", b"\n", b"\t", b",", b";", b'"', b"<", b">", b"&", b"--> ", b"{", b"}",
         b"[", b"]", b"null", b"NaN", b"1e999", b"-1", b"999999999999999999999", b"true", b'""',
         b"http://[x.mp4", b".mp4", b"STOP", b"STATE", b"player #1:", b"\xed\xa0\x80", b"'", b"\\"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(
        ["a.mp4", "http://[x.mp4", "MEDIA", "State event", "\ud800", "1:2:3", "9" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner,
                                                                max_size=3), max_leaves=6)
CHOICES = st.builds(
    Options, fps=st.sampled_from([None, 25.0, 1e-300, 1e300]), skip_bad=st.booleans(),
    unclosed=st.sampled_from(["error", "drop", "end"]), overlaps=st.sampled_from(["keep", "merge"]),
    subjects=st.sampled_from([(), ("join",)]), point=st.sampled_from([None, 1.0]),
    label=st.sampled_from([None, "verb", "Behaviour"]), labels=st.sampled_from([(), ("groom",)]),
    video_name=st.sampled_from(["media", "observation"]), test_share=st.sampled_from([None, 0.5]),
    timeseries=st.sampled_from([None, "seconds"]))


@st.composite
def damaged(draw, content):
    """Some bytes of a file replaced, left out or repeated."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([0, 1, 2, 5, 30, 10 ** 6])))
        part = draw(st.sampled_from(PARTS) | st.just(content[start:end] * 2)
                    | st.binary(max_size=4))
        content = content[:start] + part + content[end:]
    return content


def changed(content, draw, value):
    """JSON with one node, somewhere, replaced by a value."""
    if draw(st.integers(0, 3)) and isinstance(content, dict | list) and content:
        copy = dict(content) if isinstance(content, dict) else list(content)
        key = draw(st.sampled_from(sorted(copy) if isinstance(copy, dict) else range(len(copy))))
        copy[key] = changed(copy[key], draw, value)
        return copy
    return value


def ends_well(path, options, format):
    """Whether a file is refused with a sentence, or its annotations are sound when read again."""
    try:
        found = import_files([path], options, format)
    except UserError as problem:
        return str(problem).isprintable() and bool(str(problem))
    written = path.parent / "a.json"
    write_json(written, {"database": found.annotations.database})
    return bool(found.summary()) and all(map(is_sound, read_records(written)))


def is_sound(record):
    start, end = record.segments.T
    return (all(math.isfinite(edge) for edge in record.segments.ravel()) and (start < end).all()
            and (record.duration is None or record.duration > 0))


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=20)
@given(data=st.data(), options=CHOICES)
def test_a_damaged_file_is_refused_or_imported(name, data, options, tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / Path(name).name
    path.write_bytes(data.draw(damaged((SAMPLES / name).read_bytes())))
    assert ends_well(path, options, data.draw(st.none() | st.sampled_from(sorted(READERS))))


@pytest.mark.parametrize("name", ["boris_project.boris", "labelstudio.json",
                                  "labelstudio_min.json"])
@settings(max_examples=40)
@given(data=st.data(), options=CHOICES)
def test_json_with_anything_in_it_is_refused_or_imported(name, data, options, tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / name
    content = json.loads((SAMPLES / name).read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        content = changed(content, data.draw, data.draw(VALUES))
    path.write_text(json.dumps(content))
    format = data.draw(st.none() | st.sampled_from(["boris", "labelstudio"]))
    assert ends_well(path, options, format)
