"""Exported rows come back from every tool's format, and other readers can read them."""

import json
from collections import defaultdict
from pathlib import Path

import pympi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from Utils.prepare.formats.export import export
from Utils.prepare.formats.found import Options
from Utils.prepare.formats.importing import import_files
from Utils.prepare.formats.kept_rows import Choices

SAMPLES = Path(__file__).parents[3] / "data/interop/export"
LABELS = ("serve", "smash & run", "serve (2)", "score serve", "läuft, <schnell>", "a\"b")


@st.composite
def detections(draw):
    """Detections of some videos, to the millisecond."""
    row = st.tuples(st.sampled_from(LABELS), st.integers(0, 9000), st.integers(1, 3000),
                    st.integers(300_000, 1_000_000))
    names = st.lists(st.sampled_from(["a", "b c", "küche_1", "50%25", "d.e", "f#g?h"]),
                     min_size=1, unique=True)
    return {name: [{"label": label, "score": score / 1e6,
                    "segment": [start / 1000, (start + length) / 1000]}
                   for label, start, length, score in draw(
                        st.lists(row, max_size=12, unique_by=lambda row: row[:3]))]
            for name in draw(names)}


def rows_of(results):
    """{video: sorted rows} of detections, videos without rows left out."""
    return {video: sorted((*row["segment"], row["label"]) for row in rows)
            for video, rows in results.items() if rows}


def imported(folder, options=None):
    """{video: sorted rows} of all files in a folder."""
    files = sorted(folder.iterdir())
    if not files:
        return {}
    found = import_files(files, options).annotations.database
    return {video: sorted((*action["segment"], action["label"]) for action in entry["annotations"])
            for video, entry in found.items()}



@pytest.mark.parametrize("name", ["csv", "elan", "audacity"])
@settings(max_examples=25)
@given(results=detections())
def test_what_is_written_comes_back(name, results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    export(results, [name], folder)
    if any(results.values()):
        assert imported(folder) == rows_of(results)


@settings(max_examples=25)
@given(results=detections())
def test_elan_gives_the_label_tiers_back_when_they_are_named(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    export(results, ["elan"], folder)
    for path in folder.iterdir():
        eaf = pympi.Elan.Eaf(str(path))
        tiers = [tier for tier in eaf.get_tier_names() if eaf.tiers[tier][0]]
        found = import_files([path], Options(tiers=tuple(tiers))).annotations
        rows = {video: sorted((*action["segment"], action["label"])
                              for action in entry["annotations"])
                for video, entry in found.database.items()}
        assert rows == {path.stem: rows_of(results)[path.stem]}
        assert found.left_out == {}


@settings(max_examples=25)
@given(results=detections())
def test_boris_gives_back_what_its_pairs_can_hold(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    durations = dict.fromkeys(results, 100.0)
    export(results, ["boris"], folder, Choices(durations=durations))
    project = json.loads((folder / "detections.boris").read_text())
    paired = {video: paired_by_boris(entry) for video, entry in project["observations"].items()}
    kept = {video: shifted(best_without_overlaps(rows)) for video, rows in results.items() if rows}
    assert {video: sorted(rows) for video, rows in paired.items()} == kept
    if paired:
        assert imported(folder) == kept


def paired_by_boris(observation):
    """Pair events by BORIS's own rule. -> [(start, end, label)].

    Of a subject, behaviour and modifier, every second event is an end. All must be
    paired, in order of time, with a code from the ethogram.
    """
    open_since, rows = {}, []
    times = [event[0] for event in observation["events"]]
    assert times == sorted(times)
    for time, subject, label, modifier, *_ in observation["events"]:
        key = (subject, label, modifier)
        if key in open_since:
            rows.append((open_since.pop(key), time, label))
        else:
            open_since[key] = time
    assert not open_since
    return rows


def best_without_overlaps(rows):
    """Rows (start, end, label) kept per label, best first, in whole milliseconds."""
    rows = sorted(rows, key=lambda row: (*row["segment"], row["label"]))
    kept = defaultdict(list)
    for row in sorted(rows, key=lambda row: -row["score"]):
        start, end = row["segment"]
        if all(end <= first or last <= start for first, last in kept[row["label"]]):
            kept[row["label"]].append((start, end))
    return {label: sorted(segments) for label, segments in kept.items()}


def shifted(kept):
    """A state that starts when the last of its label ends comes a millisecond later."""
    rows = []
    for label, segments in kept.items():
        before = None
        for start, end in segments:
            start = round(start + 0.001, 3) if start == before else start
            before = max(end, round(start + 0.001, 3))
            rows.append((start, before, label))
    return sorted(rows)


def test_pympi_reads_the_tiers_and_the_scores(tmp_path):
    results = json.loads((SAMPLES / "detections.json").read_text())["results"]
    export(results, ["elan"], tmp_path)
    eaf = pympi.Elan.Eaf(str(tmp_path / "match_1.eaf"))
    assert eaf.get_annotation_data_for_tier("serve") == [(1200, 3456, "serve"),
                                                         (3456, 6000, "serve")]
    assert eaf.get_annotation_data_for_tier("serve (2)") == [(2000, 4000, "serve")]
    assert eaf.get_ref_annotation_data_for_tier("score serve (2)")[0][:3] == (2000, 4000, "0.550")
    assert eaf.get_child_tiers_for("serve") == ["score serve"]
    assert [medium["RELATIVE_MEDIA_URL"] for medium in eaf.media_descriptors] == ["./match_1.mp4"]


@settings(max_examples=25)
@given(results=detections())
def test_no_tier_of_elan_holds_overlaps_and_every_annotation_has_a_length(results,
                                                                          tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    export(results, ["elan"], folder)
    for path in folder.iterdir():
        eaf = pympi.Elan.Eaf(str(path))
        for tier in eaf.get_tier_names():
            if eaf.tiers[tier][0]:
                rows = sorted(eaf.get_annotation_data_for_tier(tier))
                assert all(start < end for start, end, _ in rows)
                assert all(a[1] <= b[0] for a, b in zip(rows, rows[1:], strict=False))
                constraint = eaf.linguistic_types[eaf.get_parameters_for_tier(tier)[
                    "LINGUISTIC_TYPE_REF"]].get("CONSTRAINTS")
                assert constraint is None


@pytest.mark.parametrize("media", ["{video}.mp4", "/data/videos/{video}.mp4",
                                   "https://host.example/{video}.mp4?x=1", "D:\\lab\\{video}.mp4"])
def test_the_media_of_a_template_gives_the_name_back(media, tmp_path):
    export({"clip 5": [{"label": "a", "score": 1, "segment": [0, 1]}]}, ["elan", "boris"], tmp_path,
           Choices(media=media, durations={"clip 5": 9}))
    for path in tmp_path.iterdir():
        assert list(import_files([path]).annotations.database) == ["clip 5"]
