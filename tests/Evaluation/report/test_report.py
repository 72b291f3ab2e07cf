"""The report file: what it holds, and that nothing in the data can break out of it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import PurePath

import numpy as np
import pytest

from DETAD.error_profile import error_types, nearest_actions
from DETAD.normalized_precision import rank_detections
from Evaluation.curves import precision_recall
from Evaluation.detection_file import NO_CLASS
from Evaluation.metrics import ActionTable, align, best_score, match
from Evaluation.report import report
from Evaluation.report.report import PAGE, SCRIPTS, STYLES, THEME, embedded_json, write_report
from Evaluation.report.report_data import page_data
from Evaluation.report.video_tables import packed, video_tables
from tests.report_data import THRESHOLDS, random_run, scores_of
from tests.tables import actions, detections
from Utils.files import UserError

HOSTILE = ("</script><script>alert(1)</script>", "<!--<script>", "]]>", "a\u2028b", "\ud800", "\0",
           "__proto__", "constructor", "\"'&amp;", "<img src=x onerror=alert(1)>", "x" * 5000, "")


class Elements(HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.open = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.open = tag
        if tag == "script":
            self.scripts.append((dict(attributes), ""))

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open == "script":
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))


def written(path, truth, found, durations=None, **more):
    """(elements of the report, its data) of a run."""
    write_report(path, {**scores_of(truth, found), **more.pop("scores", {})}, truth, found,
                 durations or {}, **more)
    page = Elements(path.read_text(encoding="utf-8"))
    (_, data), = [script for script in page.scripts if script[0].get("id") == "data"]
    return page, json.loads(data)


# ---- videos -------------------------------------------------------------------------------------

def columns(table):
    """The packed columns of a table as lists; what is not packed is left out."""
    kinds = {"u1": "u1", "u2": "<u2", "i4": "<i4", "f8": "<f8"}
    return {name: np.frombuffer(base64.b64decode(column["bytes"]), kinds[column["type"]]).tolist()
            for name, column in table.items() if isinstance(column, dict)}


def tables_of(truth, found, durations, thresholds):
    """(video_tables, columns of the actions, columns of the one run, durations)."""
    content = video_tables(truth, [align(found, truth)], durations, thresholds)
    return (content, columns(content["actions"]), columns(content["runs"][0]),
            columns({"durations": content["durations"]})["durations"])


def test_a_video_holds_its_detections_by_falling_score_and_who_takes_what():
    truth = actions(("v", "x", 0, 10), ("v", "y", 20, 30), ("w", "x", 1, 2))
    found = detections(("w", "x", 1, 2, 0.5), ("v", "x", 40, 50, 0.1), ("v", "x", 0, 9, 0.3),
                       ("v", "x", 0, 6, 0.8), classes=("x", "y"))
    content, own, run, durations = tables_of(truth, found, {"v": 60}, (0.5, 0.7))
    assert content["names"] == ["v", "w"] and content["known"] == 2 and durations == [60, 2]
    assert own["edges"] == [0, 2, 3] and run["edges"] == [0, 3, 4]
    assert own["start"] == [0, 2000, 100] and own["end"] == [1000, 3000, 200]
    assert run["score"] == [0.8, 0.3, 0.1, 0.5] and own["label"] == [0, 1, 0]
    assert run["start"] == [0, 0, 4000, 100] and run["end"] == [600, 900, 5000, 200]
    # At 0.5 the best one takes the action; at 0.7 it overlaps too little, and the next does.
    assert run["taken"] == [1, 0, 1, 2, 0, 1]


def test_an_unknown_duration_is_the_last_end():
    truth, found = actions(("v", "x", 0, 10)), detections(("v", "x", 4, 12.5, 0.5))
    assert tables_of(truth, found, {"v": None}, (0.5,))[3] == [12.5]
    assert tables_of(truth, detections(), {}, (0.5,))[3] == [10]


def test_a_video_that_the_truth_lacks_comes_last():
    truth, found = actions(("v", "x", 0, 10)), detections(("w", "x", 4, 12, 0.5))
    content = tables_of(truth, found, {}, (0.5,))[0]
    assert content["names"] == ["v", "w"] and content["known"] == 1


def test_proposals_without_a_class_take_actions_of_any():
    truth = actions(("v", "x", 0, 10), ("v", "y", 20, 30))
    found = detections(("v", NO_CLASS, 0, 10, 0.5), ("v", NO_CLASS, 20, 30, 0.9))
    run = tables_of(truth, found, {}, (0.5,))[2]
    assert run["taken"] == [2, 1] and run["level"] == [4 + 2 + 1] * 2


def test_far_and_odd_numbers_stay_numbers():
    truth = actions(("v", "x", 0, 1e300), ("v", "x", -5, 2))
    found = detections(("v", "x", 3, 1, 1e-200), ("v", "x", 0, 1, 0.0),
                       ("v", "x", 0, 1, -12345.678))
    _, own, run, durations = tables_of(truth, found, {"v": float("inf")}, (0.5,))
    assert durations == [2e7] and own["end"] == [2 * 10 ** 9, 200] and own["start"] == [0, -500]
    assert run["score"] == [1e-200, 0, -12345.678]


@pytest.mark.parametrize("seed", range(3))
def test_taken_is_what_matching_says_also_among_the_best_few(seed):
    """The page shows detections above a score; they keep the matches they have among all."""
    truth, found, durations = random_run(seed=seed)
    content, own, run, _ = tables_of(truth, found, durations, THRESHOLDS)
    assert content["runs"][0]["best"] == [best_score(truth, found, t) for t in THRESHOLDS]
    taken = np.reshape(run["taken"], (len(THRESHOLDS), len(truth)))
    video = np.repeat(np.arange(len(truth.videos)), np.diff(own["edges"]))
    for score in (0.2, 0.6, 0.9):
        few = found[found.scores >= score]
        _, matched = match(truth, few, THRESHOLDS)
        shown = np.bincount(few.video, minlength=len(truth.videos))
        for t in range(len(THRESHOLDS)):
            hits = np.bincount(video[(taken[t] > 0) & (taken[t] <= shown[video])],
                               minlength=len(truth.videos))
            assert hits.tolist() == np.bincount(few.video[matched[t] >= 0],
                                                minlength=len(truth.videos)).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_levels_give_the_kinds_of_errors_that_detad_gives(seed):
    truth, found, durations = random_run(seed=seed)
    run = tables_of(truth, found, durations, THRESHOLDS)[2]
    ranking = rank_detections(truth, found, THRESHOLDS)
    overlap, nearest = nearest_actions(truth, found)
    same = truth.label[nearest] == found.label
    types = error_types(ranking, overlap[ranking.rows], same[ranking.rows], THRESHOLDS, 0.1)
    order = np.lexsort((-found.scores, found.video))
    level = np.empty(len(found), int)
    level[order] = run["level"]
    level = level[ranking.rows]
    for t in range(len(THRESHOLDS)):
        wrong = types[t] > 0
        kinds = np.where(level >> 2 > t, 2 - (level & 1),
                         np.where(level & 2, 4 - (level & 1), 5))
        assert kinds[wrong].tolist() == types[t][wrong].tolist()
        assert set(kinds[wrong]) == {1, 2, 3, 4, 5}


def test_integers_take_the_least_room():
    assert [packed(np.array(values, np.int64))["type"] for values in (
        [], [0, 255], [0, 256], [-1], [2 ** 31 - 1])] == ["u1", "u1", "u2", "i4", "i4"]


# ---- the rest of the data -----------------------------------------------------------------------

def parts(section, kind):
    """Every part of a type in a section, at any depth."""
    for part in section:
        if part["type"] == kind:
            yield part
        yield from parts(part.get("parts", ()), kind)


def test_the_page_gets_the_scores_their_source_and_a_row_a_class(tmp_path):
    truth, found, durations = random_run(num_videos=2)
    curves = precision_recall(truth, found, THRESHOLDS)
    history = [{"epoch": 1, "train": {"total": 2.0}, "val": {"total": float("nan")}}]
    _, data = written(tmp_path / "r.html", truth, found, durations, curves=curves,
                      history=history)
    sections = data["sections"]
    bars, = parts(sections["scores"], "bars")
    shown = [bar["value"] for group in bars["groups"] for bar in group["bars"]]
    assert shown == pytest.approx(100 * np.array(scores_of(truth, found)["mAP"]))
    notes, = parts(sections["scores"], "list")
    assert notes["items"] == ["one video is missing"]
    entries = [entry for part in parts(sections["settings"], "facts") for entry in part["entries"]]
    assert ["seed", "21"] in entries and ["tiou", "0.3, 0.5"] in entries
    series, = [part["series"] for part in parts(sections["training"], "lines")]
    assert [(one["name"], one["points"]) for one in series] == [("training", [[1, 2]])]
    table, = parts(sections["classes"], "classes")
    counts = zip(truth.classes, np.bincount(truth.label, minlength=3),
                 np.bincount(found.label, minlength=3), strict=True)
    assert [tuple(row["keys"][:3]) for row in table["rows"]] == list(counts)
    drawn, = parts(sections["curves"], "curves")
    for row, entry in zip(drawn["classes"], curves.corners.items(), strict=True):
        assert data["labels"][row["label"]] == entry[0]
        assert row["corners"][1][0] == pytest.approx(100 * entry[1][1][0], abs=1e-2)


def test_missing_parts_of_a_report_are_left_out():
    truth, found = actions(("v", "x", 0, 1)), detections()
    data = page_data({}, truth, found, {})
    assert data["thresholds"] == [0.5] and not data["isScored"]
    assert [name for name, section in data["sections"].items() if section] == ["scores"]
    assert report.page(data)


# ---- nothing breaks out -------------------------------------------------------------------------

@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_ends_the_script_or_changes_the_page(tmp_path, name):
    truth = ActionTable((name, "v"), (name, "x"), np.array([0, 1]), np.array([0, 1]),
                        np.array([[0.0, 5.0], [0.0, 5.0]]))
    found = ActionTable((name,), (name,), np.array([0]), np.array([0]), np.array([[0.0, 5.0]]),
                        np.array([0.5]))
    plain, _ = written(tmp_path / "plain.html", *random_run(num_videos=1)[:2])
    page, data = written(tmp_path / "r.html", truth, found, scores={
        "dataset": name, "subset": name, "ap_per_class": {name: [0.1, 0.2, 0.3]},
        "provenance": {name: name, "detections": name, "settings": {name: [name]},
                       "notes": [name]}}, history=[{"epoch": 1, "train": {name: 1.0}}])
    assert page.tags == plain.tags
    assert data["labels"] == [name, "x"] and data["videos"]["names"][0] == name
    table, = parts(data["sections"]["classes"], "classes")
    assert table["rows"][0]["keys"] == [name, 1, 1, 0.1, 0.2, 0.3, pytest.approx(0.2)]
    assert table["rows"][0]["cells"][0] == name
    settings, = [part for part in parts(data["sections"]["settings"], "facts")
                 if part["kind"] == "many"]
    assert settings["entries"] == [[name.replace("_", " "), name]]


def test_embedded_json_means_the_same():
    content = {name: [name, 1, 0.5, True, None] for name in HOSTILE}
    text = embedded_json(content)
    assert json.loads(text) == content
    assert not re.search(r"[<>&]|[^\x20-\x7e]", text)


def test_what_json_lacks_becomes_null_or_text():
    assert embedded_json([float("nan"), float("inf"), PurePath("a"), (1,)]) == (
        '[null,null,"a",[1]]')


def test_the_page_requests_nothing_and_runs_only_its_own_scripts(tmp_path):
    page, _ = written(tmp_path / "r.html", *random_run(num_videos=1))
    outside = [(tag, value) for tag, attributes in page.tags for name, value in attributes.items()
               if name in ("src", "href", "action", "data", "srcset")
               and not value.startswith(("#", "data:,"))]
    assert outside == []
    assert not any(name.startswith("on") or name == "style"
                   for _, attributes in page.tags for name in attributes)
    policy = next(attributes["content"] for tag, attributes in page.tags
                  if attributes.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    run = [text for attributes, text in page.scripts if "type" not in attributes]
    assert len(run) == 2
    for text in run:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_the_parts_of_the_page_are_all_used_and_name_no_address():
    files = {path.name for path in PAGE.iterdir()}
    assert files == {*STYLES, *THEME, *SCRIPTS, "page.html"}
    for name in files:
        text = (PAGE / name).read_text(encoding="utf-8")
        addresses = set(re.findall(r"\w+://[^\"'\s)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert not addresses
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b",
                             text)
        assert name.endswith(".html") or not re.search(r"</(script|style)|<!--", text)


# ---- files --------------------------------------------------------------------------------------

def test_the_same_run_gives_the_same_file(tmp_path):
    run = random_run(num_videos=3)
    for name in ("a", "b"):
        written(tmp_path / name, *run)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        written(tmp_path / "file" / "r.html", *random_run(num_videos=1))


def test_a_large_run_stays_a_small_file(tmp_path):
    """213 videos and 40,000 detections, as THUMOS14 has: some 30 bytes per detection."""
    run = random_run(213, 16, 188)
    write_report(tmp_path / "r.html", scores_of(*run[:2]), *run)
    assert (tmp_path / "r.html").stat().st_size < 1.6e6
