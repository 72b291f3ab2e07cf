"""The page of detections without ground truth: what it shows, and what it leaves out."""

import csv

from Evaluation.report.detected import detected_page, place_beside, write_detected_report
from tests.browser import Page
from tests.report_data import random_run


def found_in(run):
    """(name, seconds, rows) of the videos of a run."""
    _, found, durations = run
    rows = {name: [] for name in found.videos}
    for video, label, segment, score in zip(found.video, found.label, found.segments.tolist(),
                                            found.scores.tolist(), strict=True):
        rows[found.videos[video]].append(
            {"label": found.classes[label], "segment": segment, "score": score})
    return [(name, durations[name], own) for name, own in rows.items()]


def test_the_page_has_every_video_and_no_scores():
    videos = found_in(random_run(num_videos=30))
    data = detected_page([*videos, ("empty", 7.5, [])], "mine", 0.3)
    assert data["videos"]["names"] == [*(name for name, _, _ in videos), "empty"]
    assert data["title"]["facts"][0] == "360 detections in 31 videos"
    about = detected_page(videos, "mine", facts=["strong recipe", "2026-11-30"])["title"]["facts"]
    assert about[:2] == ["strong recipe", "2026-11-30"]
    assert data["least"] == 0.3 and data["sections"] == {} and not data["isJudged"]


def test_detections_without_classes_and_without_any_are_shown_too():
    for rows in ([], [{"segment": [0.0, 2.0], "score": 0.5}]):
        assert detected_page([("v", 9.0, rows)], "mine")["videos"]["names"] == ["v"]


def test_the_page_of_scores_is_not_replaced(tmp_path):
    path = tmp_path / "report.html"
    assert place_beside(tmp_path / "a.json") == path
    write_detected_report(path, found_in(random_run(num_videos=2)), "mine")
    assert place_beside(tmp_path / "a.json") == path
    path.write_text("scores")
    assert place_beside(tmp_path / "a.json") == tmp_path / "a_report.html"


def test_a_reader_sees_timelines_and_nothing_that_needs_a_truth(browser, tmp_path):
    videos = found_in(random_run(num_videos=30))
    write_detected_report(tmp_path / "r.html", videos, "mine", 0.5)
    page = Page(browser, tmp_path / "r.html")
    assert page.texts("#navigation a") == ["Videos"]
    assert page.one("h1").text == "mine detections"
    scores = [row["score"] for _, _, rows in videos for row in rows]
    shown = sum(score >= 0.5 for score in scores)
    assert page.one("#summary").text == f"{shown} detections" and page.score() == 0.5
    assert [button.text for button in page.all(".slider button")] == ["All"]
    assert not page.one(".legend.kinds").is_displayed() and not page.one("#tiou").is_displayed()
    assert page.texts("#order option") == ["as in the file", "by name", "most detections first"]
    page.picture(0)
    assert page.all(".timeline rect.k8") and not page.all(".timeline rect.hollow")
    page.set_score(0)
    assert page.one("#summary").text == f"{len(scores)} detections"
    page.press(page.one(".timeline"), "n")
    assert len(page.one("#tip").text.split("\n")) == 3        # class, place, score
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior",
                                 {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.one("#save-csv").click()
    page.until((tmp_path / "detections.csv").is_file)
    with open(tmp_path / "detections.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(scores)
    assert list(rows[0]) == ["video", "label", "start", "end", "score"]
    assert page.errors() == []
