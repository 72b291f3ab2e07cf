"""The report in a real browser: videos, kinds of errors, comparisons, the address, files, paper."""

import base64
import csv
import json
import re
import shutil
import subprocess
from urllib.parse import unquote

import numpy as np
import pytest

from DETAD.error_profile import TYPES, error_types, nearest_actions
from DETAD.normalized_precision import rank_detections
from Evaluation.detection_file import read_detections
from Evaluation.metrics import ActionTable, match
from Evaluation.report.compare import compare
from Evaluation.report.report import linked_videos, write_report
from tests.browser import Page, selenium
from tests.report_data import CLASSES, better, left_by_eval, random_run, scores_of

BAD_NAME = "</script><img src=x onerror='window.hacked=1'>"
WIDTHS = {"phone": 390, "desk": 1400}
# Scrolls through the timelines; gives how many were drawn in each frame, and the most there were.
SCROLL_DOWN = """
    const done = arguments[0], drawn = new Map(), list = document.getElementById("timelines");
    let most = 0, still = 0;
    new MutationObserver(changes => {
      const now = document.timeline.currentTime;      // the same throughout a frame
      const images = changes.flatMap(({ addedNodes }) => [...addedNodes])
        .filter(node => node.localName === "svg");
      drawn.set(now, (drawn.get(now) ?? 0) + images.length);
      most = Math.max(most, list.querySelectorAll("svg").length);
    }).observe(list, { childList: true, subtree: true });
    list.scrollIntoView();
    const step = () => {
      scrollBy(0, 100);
      if (list.getBoundingClientRect().bottom < innerHeight) still++;
      if (still > 30) return done([[...drawn.values()].filter(Boolean), most]);
      requestAnimationFrame(step);
    };
    step();"""


@pytest.fixture(scope="module")
def report_file(tmp_path_factory, run):
    truth, found, durations = run
    path = tmp_path_factory.mktemp("report") / "report.html"
    history = [{"epoch": epoch, "train": {"total": 3 / epoch},
                "val": {"total": 2 / epoch, "threshold": 0.625}} for epoch in (1, 2, 3)]
    scores = scores_of(truth, found)
    scores["provenance"] |= {"run": "first try", "epoch": 2, "date": "2026-11-25", "settings": {
        "recipe": "strong", "checkpoint": "best", "best_by": "map", "val_split": "heldout",
        "seed": 4}}
    write_report(path, scores, truth, found, durations, history, own=["seed"],
                 files=["precision_recall.pdf"])
    return path


def kinds_of(run, threshold):
    """DETAD's kind of every detection: (M,) index into TYPES."""
    truth, found, _ = run
    ranking = rank_detections(truth, found, (threshold,))
    overlap, nearest = nearest_actions(truth, found)
    same = truth.label[nearest] == found.label
    kinds = np.empty(len(found), int)
    kinds[ranking.rows] = error_types(ranking, overlap[ranking.rows], same[ranking.rows],
                                      (threshold,), 0.1)[0]
    return kinds


def shown_numbers(page):
    """The number beside each kind in the legend."""
    return {int(button.get_attribute("data-kind")): int(button.text.split()[-1].replace(",", ""))
            for button in page.all(".kinds button")}


def toggle(page, kind):
    """Click a kind in the legend, wherever the page is scrolled to."""
    page.click(page.one(f"[data-kind='{kind}']"))


def boxes(page, video=0):
    """{kind: number of boxes} of a timeline."""
    page.picture(video)
    kinds = page.js("return [...document.querySelectorAll('.video')[arguments[0]]"
                    ".querySelectorAll('.timeline rect[class^=k]')].map(one => +one.className"
                    ".baseVal[1])", video)
    return {kind: kinds.count(kind) for kind in kinds}


def time_axis(page):
    """The pixels where the axis of the first timeline begins and ends, from its left edge."""
    return page.js("const axis = document.querySelector('.timeline .axis');"
                   "return [+axis.getAttribute('x1'), +axis.getAttribute('x2')]")


def click_box(page, kind, video=0):
    """Click the first box of a kind on a timeline."""
    page.picture(video)
    box = page.all(".video")[video].find_element("css selector", f".timeline rect.k{kind}")
    page.bring_into_view(box)
    action_chains = selenium("webdriver.common.action_chains")
    action_chains.ActionChains(page.browser).move_to_element(box).click().perform()
    return box


# ---- kinds of errors ----------------------------------------------------------------------------

@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_the_legend_counts_the_kinds_that_detad_gives(page, run, threshold):
    page.set_score(0.4)
    page.choose("#tiou", str(threshold))
    truth, found, _ = run
    kinds = kinds_of(run, threshold)[found.scores >= 0.4]
    _, matched = match(truth, found[found.scores >= 0.4], (threshold,))
    taken = int((matched >= 0).sum())
    assert shown_numbers(page) == dict(enumerate(np.bincount(kinds, minlength=6).tolist())) | {
        6: taken, 7: len(truth) - taken}


def test_the_legend_filters_what_is_drawn_and_which_videos_are_listed(page):
    page.set_score(0)
    everything = boxes(page)
    assert len(everything) > 3
    for kind in (0, 1, 2, 3, 5, 6, 7):
        toggle(page, kind)
    assert all(set(boxes(page, video)) == {4} for video in range(len(page.all(".video"))))
    assert page.one("[data-kind='4']").get_attribute("aria-pressed") == "true"
    assert page.one("[data-kind='0']").get_attribute("aria-pressed") == "false"
    toggle(page, 4)
    assert page.texts(".video h3") == [] and "No video" in page.one("#timelines").text
    for kind in range(8):
        toggle(page, kind)
    assert boxes(page) == everything and page.errors() == []


def test_a_tooltip_names_kind_score_tiou_and_the_class_it_was_mistaken_for(page, run):
    truth, found, _ = run
    page.set_score(0)
    for kind in (0, 1, 3, 4, 5, 6, 7):
        toggle(page, kind)
    page.picture(0)
    box = page.one(".timeline rect.k2")
    page.bring_into_view(box)
    action_chains = selenium("webdriver.common.action_chains")
    action_chains.ActionChains(page.browser).move_to_element(box).perform()
    page.until(lambda: page.one("#tip").is_displayed())
    name, place, score, kind, closest = page.one("#tip").text.split("\n")
    assert name in CLASSES and place.startswith("detection ") and score.startswith("score 0.")
    assert kind == "wrong label at tIoU 0.5: right place, another class"
    other, overlap = re.fullmatch(r"closest action: (\w+), tIoU ([01]\.\d\d)", closest).groups()
    assert other in CLASSES and other != name and float(overlap) >= 0.5


def test_a_cell_of_the_matrix_shows_its_actions_and_detections(page, run):
    truth, found, _ = run
    page.set_score(0)
    page.until(lambda: "score at least 0. Rows" in page.one("#errors").text)
    numbers = {tuple(json.loads(cell.get_attribute("data-cell"))): int(cell.text)
               for cell in page.all(".matrix .cell")}
    anyone = [ActionTable(table.videos, table.classes, table.video, np.zeros_like(table.label),
                          table.segments, table.scores) for table in (truth, found)]
    _, (matched,) = match(*anyone, (0.5,))
    expected = {}
    for row, action in enumerate(matched):
        cell = (int(truth.label[action]) if action >= 0 else -1, int(found.label[row]))
        expected[cell] = expected.get(cell, 0) + 1
    for action in set(range(len(truth))) - set(matched):
        cell = (int(truth.label[action]), -1)
        expected[cell] = expected.get(cell, 0) + 1
    assert numbers == expected
    wrong = next(cell for cell in numbers if -1 not in cell and cell[0] != cell[1])
    button = page.one(f".matrix [data-cell='{json.dumps(list(wrong)).replace(' ', '')}']")
    page.click(button)
    words = f"actions of {CLASSES[wrong[0]]} mistaken for {CLASSES[wrong[1]]}"
    assert words in page.one("#cell").text
    shown = [boxes(page, video) for video in range(len(page.all(".video")))]
    actions = sum(one.get(6, 0) + one.get(7, 0) for one in shown)
    others = sum(sum(one.values()) for one in shown) - actions
    assert actions == others == numbers[wrong]
    page.click(page.one("#cell button"))
    assert not page.one("#cell").is_displayed() and len(page.all(".video")) == 20
    assert page.errors() == []


# ---- videos -------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A folder with a video of 120 s, v00.mp4."""
    av = pytest.importorskip("av", reason="TESTS OF THE PLAYER LEFT OUT: no package av")
    path = tmp_path_factory.mktemp("films") / "sub" / "v00.mp4"
    path.parent.mkdir()
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=5, options={"g": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(600):
            picture = np.full((48, 64, 3), number % 256, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    return path


def slow(page):
    """Slow the video down so much that a busy machine misses nothing of it."""
    page.until(lambda: playing(page)[2] > 0)
    page.js("document.querySelector('.player video').playbackRate = 1 / 16")


def playing(page):
    """Second, whether it is paused, how much of it is read (0: nothing yet)."""
    return page.js("const one = document.querySelector('.player video');"
                   "return [one.currentTime, one.paused, one.readyState]")


def test_a_click_on_a_missed_action_plays_it(browser, run, film, tmp_path):
    truth, found, durations = run
    links = linked_videos(film.parents[1], tmp_path)
    assert [stem for stem, _ in links] == ["v00"]
    write_report(tmp_path / "r.html", scores_of(truth, found), truth, found, durations,
                 links=links)
    page = Page(browser, tmp_path / "r.html")
    page.picture(0)
    slow(page)
    assert len(page.all(".player video")) == 1 and playing(page)[1]
    own = truth[truth.video == 0]
    missed = page.one(".timeline rect.k7")
    click_box(page, 7)
    page.until(lambda: playing(page)[0] > 0)
    starts = own.segments[:, 0]
    second = playing(page)[0]
    row = np.abs(starts - second).argmin()
    assert starts[row] - 0.3 <= second <= own.segments[row, 1]
    page.until(lambda: f"{truth.classes[own.label[row]]} (action)" in page.one(".now").text)
    assert page.one(".playhead").is_displayed()
    # It is the action under the pointer, and stops at its end.
    left, right = time_axis(page)
    share = (missed.rect["x"] - page.one(".timeline").rect["x"] - left) / (right - left)
    assert starts[row] == pytest.approx(120 * share, abs=2.5)
    end = own.segments[row, 1]
    page.js("const one = document.querySelector('.player video');"
            "one.playbackRate = 1; one.currentTime = arguments[0]", end - 1)
    page.until(lambda: playing(page)[1])
    # As much past its end as the machine is late; the film is longer.
    assert end - 0.1 <= playing(page)[0] < 119
    assert page.errors() == []
    assert all(url.startswith(("file:", "data:")) for url in page.requests())


def test_a_click_beside_the_boxes_plays_from_there(browser, run, film, tmp_path):
    truth, found, durations = run
    write_report(tmp_path / "r.html", scores_of(truth, found), truth, found, durations,
                 links=linked_videos(film.parent, tmp_path))
    page = Page(browser, tmp_path / "r.html")
    page.picture(0)
    slow(page)
    area = page.one(".timeline")
    page.bring_into_view(area)
    action_chains = selenium("webdriver.common.action_chains")
    (left, right), size = time_axis(page), area.size
    action_chains.ActionChains(browser).move_to_element_with_offset(
        area, left + (right - left) * 0.75 - size["width"] / 2, size["height"] / 2 - 12
    ).click().perform()
    page.until(lambda: playing(page)[0] >= 89)
    assert playing(page)[0] < 95 and not playing(page)[1]


def test_a_file_that_the_reader_adds_plays_and_stays_here(page, film):
    assert page.all("video") == []
    page.one("#files").send_keys(str(film))
    page.picture(0)
    page.until(lambda: page.all(".player video"))
    assert "1 of 1 file has the name of a video here" in page.one(".taken").text
    assert page.one(".player video").get_attribute("src").startswith("blob:")
    page.until(lambda: playing(page)[2] > 0)
    click_box(page, 6)
    page.until(lambda: playing(page)[0] > 0)
    assert page.errors() == []


def test_a_file_that_is_dropped_onto_the_page_plays(page, film):
    page.js("""
        const box = document.createElement("input");
        box.type = "file";
        box.id = "carried";
        document.body.append(box);""")
    page.one("#carried").send_keys(str(film))
    page.js("""
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(document.getElementById("carried").files[0]);
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));""")
    page.picture(0)
    page.until(lambda: page.all(".player video"))
    page.until(lambda: playing(page)[2] > 0)
    click_box(page, 6)
    page.until(lambda: playing(page)[0] > 0)
    assert page.errors() == []


def test_videos_are_found_by_their_stem_and_browsers_choice(tmp_path):
    for name in ("a b.mkv", "a b.mp4", "sub/c#1.webm", "notes.txt"):
        path = tmp_path / "films" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    links = linked_videos(tmp_path / "films", tmp_path / "out")
    assert links == [("a b", "../films/a%20b.mp4"), ("c#1", "../films/sub/c%231.webm")]
    assert linked_videos(None, tmp_path) == []


# ---- lanes --------------------------------------------------------------------------------------

def report_of_overlap(path, name):
    """A report of one video, in which actions of one class lie within each other."""
    segments = np.array([[10, 50], [20, 30], [60, 70]], float)
    truth = ActionTable(("v",), (name,), np.zeros(3, int), np.zeros(3, int), segments)
    found = ActionTable(("v",), (name,), np.zeros(1, int), np.zeros(1, int), segments[:1],
                        np.array([0.9]))
    write_report(path, scores_of(truth, found), truth, found, {"v": 100.0})


def test_no_action_hides_another_of_its_class(browser, tmp_path):
    report_of_overlap(tmp_path / "r.html", "Dive")
    page = Page(browser, tmp_path / "r.html")
    page.picture(0)
    drawn = page.all(".timeline rect.k6, .timeline rect.k7")
    first, hidden, later = sorted((box.rect for box in drawn), key=lambda rect: rect["x"])
    assert hidden["y"] >= first["y"] + first["height"] and later["y"] == pytest.approx(
        first["y"], abs=1)
    box = page.one(".timeline rect.k7")
    page.bring_into_view(box)
    action_chains = selenium("webdriver.common.action_chains")
    action_chains.ActionChains(browser).move_to_element(box).perform()
    page.until(lambda: "missed at tIoU" in page.one("#tip").text)


@pytest.mark.parametrize("name, is_beside", [
    ("put in the board", True), ("take the cutting board out of the cupboard", False)])
def test_a_name_is_whole_beside_its_lane_or_above_it(browser, tmp_path, name, is_beside):
    report_of_overlap(tmp_path / "r.html", name)
    page = Page(browser, tmp_path / "r.html")
    page.picture(0)
    page.js("dispatchEvent(new Event('beforeprint'))")
    drawn = page.js("return [...document.querySelectorAll('.lane-name')].map(one => ["
                    "one.textContent, one.getBBox().x + one.getBBox().width,"
                    "+one.closest('svg').querySelector('.axis').getAttribute('x1')])")
    assert len(drawn) == 2                                      # on screen and on paper
    for shown, end, axis in drawn:
        assert shown == name and (end < axis) == is_beside
    page.js("dispatchEvent(new Event('afterprint'))")


# ---- honesty ------------------------------------------------------------------------------------

def test_the_title_names_run_recipe_checkpoint_data_and_date(page):
    assert page.one("h1").text == "first try custom test"
    line = page.one(".subtitle").text
    for words in ("strong recipe", "best checkpoint by map, epoch 2", "found.json", "2026-11-25"):
        assert words in line
    assert page.browser.title == "first try custom test: detection report"


def test_a_score_chosen_on_the_test_videos_says_so_and_offers_the_validated_one(page, run):
    note = page.one(".controls").text
    assert "one with the highest F1 on these same videos" in note
    page.click_text(".slider button", "Validation")
    assert page.score() == 0.625 and page.summary()[0] == (run[1].scores >= 0.625).sum()
    assert "these same videos" not in page.one(".controls").text


def test_the_curves_mark_the_checkpoint_and_own_settings_come_first(page):
    assert "after epoch 2" in page.one("#training").text
    page.js("document.querySelector('#training').scrollIntoView()")
    page.until(lambda: page.all("#training svg .mark"))
    assert page.texts("#training h3") == ["total loss"]       # the threshold is not a loss
    titles = page.texts("#settings h3")
    assert titles[:2] == ["Settings that differ from the preset", "Other settings"]
    assert page.one("#settings .card").text.split("\n")[1:] == ["seed", "4"]


# ---- the address --------------------------------------------------------------------------------

def test_the_address_brings_back_what_was_chosen(page, browser, report_file):
    page.set_score(0.25)
    page.choose("#tiou", "0.7")
    page.choose("#class-filter", "Jump")
    page.choose("#order", "most missed first")
    toggle(page, 5)
    page.one("#search").send_keys("v1")
    page.picture(1)
    page.press(page.all(".timeline")[1], "+")
    page.until(lambda: "video=" in browser.current_url)
    address, summary, names = browser.current_url, page.summary(), page.texts(".video h3")
    words = unquote(address.split("#")[1])
    for part in ("tiou=0.7", "score=0.25", "class=Jump", "hide=background", "order=missed",
                 "find=v1"):
        assert part in words
    view = page.js("return document.querySelectorAll('.video')[1].timeline.view")
    browser.get("about:blank")
    browser.get(address)
    page.settle()
    assert page.summary() == summary and page.texts(".video h3") == names
    assert page.js("return document.querySelectorAll('.video')[1].timeline.view") == pytest.approx(
        view, abs=0.01)
    assert page.errors() == []
    # Another address in the same page is followed too, and the plain one is as at first.
    browser.get(report_file.as_uri() + "#tiou=0.3")
    page.settle()
    assert page.one("#tiou").get_attribute("value") == "0" and page.score() != 0.25


@pytest.mark.parametrize("fragment", [
    "tiou=x&score=nan,1&class=nobody&hide=zz&order=toString&page=-4&actual=a&detected=b", "%%%",
    "video=v00&from=9&to=3", "page=9999", "order=__proto__", "score=", "find=%00"])
def test_an_odd_address_does_no_harm(browser, report_file, fragment):
    browser.get("about:blank")
    page = Page(browser, report_file)
    browser.get("about:blank")
    browser.get(f"{report_file.as_uri()}#{fragment}")
    page.settle()
    assert page.summary()[2] == 104 and page.errors() == []


# ---- files --------------------------------------------------------------------------------------

def saved(page, folder, name, click):
    """A file that the page saves when something is clicked."""
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior",
                                 {"behavior": "allow", "downloadPath": str(folder)})
    page.click(click)
    page.until(lambda: (folder / name).is_file() and (folder / name).stat().st_size > 0)
    return folder / name


def test_detections_are_saved_as_they_are_shown(page, run, tmp_path):
    truth, found, _ = run
    page.set_score(0.5)
    page.choose("#class-filter", "Dive")
    shown = found[(found.scores >= 0.5) & (found.label == CLASSES.index("Dive"))]
    with open(saved(page, tmp_path, "detections.csv", page.one("#save-csv")), newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(float(row["score"]) for row in rows) == sorted(shown.scores)
    assert {row["label"] for row in rows} == {"Dive"}
    assert {row["kind"] for row in rows} <= set(TYPES)
    again, _ = read_detections(saved(page, tmp_path, "detections.json", page.one("#save-json")))
    assert sorted(again.scores) == sorted(shown.scores) and again.classes == ("Dive",)
    by_score = [table.segments[np.argsort(table.scores)] for table in (again, shown)]
    assert by_score[0] == pytest.approx(by_score[1])


def test_figures_are_saved_with_their_colours(page, tmp_path):
    page.settle()
    path = saved(page, tmp_path, "Mean_average_precision_at_each_temporal_IoU_threshold.svg",
                 page.one("#scores .save"))
    text = path.read_text()
    assert text.startswith("<svg") and "rgb(0, 114, 178)" in text and "class=" not in text
    page.picture(0)
    drawing = saved(page, tmp_path, "v00.svg", page.one(".video .save")).read_text()
    assert "Throw" in drawing and "rgb(194, 24, 122)" in drawing
    assert "precision_recall.pdf" in [link.get_attribute("href").rsplit("/", 1)[1]
                                      for link in page.all(".files a")]


# ---- comparison ---------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def comparison_file(tmp_path_factory, run):
    truth, found, durations = run
    folder = tmp_path_factory.mktemp("comparison")
    first = left_by_eval(folder / "output_plain", truth, found, durations)
    second = left_by_eval(folder / "output_better", truth, better(truth, found), durations)
    compare([first, second], folder / "report.html")
    return folder / "report.html"


def test_a_comparison_says_whether_runs_differ_and_shows_them_below_each_other(
        browser, comparison_file, run):
    page = Page(browser, comparison_file)
    assert page.texts("#navigation a") == ["Comparison", "Videos", "Errors", "Settings"]
    assert "better is better than plain, and the difference is real: +" in page.one(
        "#comparison").text
    rows = page.texts("#comparison .runs tbody th")
    assert rows[0] == "plain" and rows[1] == "better" and "plain" in rows[2]
    assert len(page.texts("#comparison .classes tbody tr")) == 3
    page.picture(0)
    assert page.texts(".video:first-child h4") == ["plain", "better"]
    assert len(page.all(".video:first-child .timeline svg")) == 2
    # Both at their own best score, and the video in which they differ most comes first.
    truth, found, _ = run
    assert len(page.all("#summary p")) == 2
    page.set_score(0.9)
    found_by = [np.bincount(found.video[rows], minlength=26) for rows in (
        (match(truth, one, (0.5,))[1][0] >= 0) & (one.scores >= 0.9)
        for one in (found, better(truth, found)))]
    differ = np.abs(found_by[0] - found_by[1])
    assert differ[int(page.texts(".video h3")[0][1:])] == differ.max() > 0
    assert len(page.all("#errors .matrix")) == 2
    assert page.errors() == []


def test_timelines_of_runs_move_together(browser, comparison_file):
    page = Page(browser, comparison_file)
    page.picture(0)
    ticks = "return [...document.querySelectorAll('.video')[0].querySelectorAll('.timeline')]" \
            ".map(one => [...one.querySelectorAll('.tick')].map(t => t.textContent).join())"
    first, second = page.js(ticks)
    page.press(page.all(".timeline")[1], "+", "+")
    page.settle()
    upper, lower = page.js(ticks)
    assert first == second and upper == lower and upper != first


# ---- paper and phone ----------------------------------------------------------------------------

def printed(page, path):
    """The page as a PDF on A4; a list of the words of every sheet, and its pictures."""
    result = page.browser.execute_cdp_cmd("Page.printToPDF", {
        "printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69})
    path.write_bytes(base64.b64decode(result["data"]))
    if not shutil.which("pdftotext"):
        pytest.skip("TESTS OF THE PRINTED PAGE LEFT OUT: no pdftotext (package poppler-utils)")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True,
                          check=True).stdout
    subprocess.run(["pdftoppm", "-r", "40", path, path.with_suffix("")], check=True)
    return text.split("\f")[:-1], [read_ppm(file) for file in sorted(path.parent.glob("*.ppm"))]


def read_ppm(path):
    """(height, width, 3) uint8 of a PPM file."""
    content = path.read_bytes()
    header = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", content)
    width, height = map(int, header.groups())
    return np.frombuffer(content, np.uint8, offset=header.end()).reshape(height, width, 3)


def near(picture, colour):
    return (np.abs(picture.astype(int) - colour).max(axis=-1) < 30).sum()


@pytest.mark.parametrize("dark", [False, True])
def test_on_paper_every_timeline_is_drawn_and_nothing_is_cut(browser, report_file, tmp_path, dark):
    page = Page(browser, report_file, dark=dark)
    sheets, pictures = printed(page, tmp_path / "page.pdf")
    words = "\n".join(sheets)
    names = [f"v{number:02d}" for number in range(26)]
    assert [name for name in names if len(re.findall(rf"^\s*{name}\s*$", words, re.M)) != 1] == []
    assert 8 <= len(sheets) <= 20 and len(pictures) == len(sheets)
    for sheet, picture in zip(sheets, pictures, strict=True):
        assert near(picture, (255, 255, 255)) > picture.size / 3 / 2       # white paper
        margin = np.concatenate([picture[:, :12], picture[:, -12:]], axis=1)
        assert near(margin, (255, 255, 255)) == margin.size / 3            # nothing is cut
        if on_sheet := re.findall(r"^\s*v\d\d\s*$", sheet, re.M):
            assert len(re.findall(r"\b0:00\b", sheet)) == len(on_sheet)    # no video is torn apart
            assert near(picture, (68, 84, 106)) + near(picture, (194, 24, 122)) > 20
    bars = near(pictures[0], (0, 114, 178))
    assert bars > 300                                                      # of the first chart
    # And the screen is as before.
    page.settle()
    assert page.all("#printed") == [] and page.js(
        "return document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert page.errors() == []


def test_paper_says_what_is_selected(page):
    page.set_score(0.25)
    page.choose("#tiou", "0.7")
    page.choose("#class-filter", "Jump")
    page.one("#search").send_keys("v1")
    page.js("dispatchEvent(new Event('beforeprint'))")
    words = page.js("return document.querySelector('#printed').textContent")
    assert words.startswith("Score at least 0.25, found at tIoU 0.7, class Jump, names with "
                            "\u201cv1\u201d.")
    page.js("dispatchEvent(new Event('afterprint'))")


def test_a_long_report_prints_some_videos_and_says_how_to_print_all(browser, tmp_path):
    run = random_run(320, 1, 2)
    write_report(tmp_path / "r.html", scores_of(*run[:2]), *run)
    page = Page(browser, tmp_path / "r.html")
    printed = "return document.querySelectorAll('#printed article').length"
    page.js("dispatchEvent(new Event('beforeprint'))")
    assert page.js(printed) == 300
    words = page.js("return document.querySelector('#printed').textContent")
    assert "the first 300 of 320 videos; 20 are left out" in words
    page.js("dispatchEvent(new Event('afterprint'))")
    # The dialog that a browser would show does not come up without a screen.
    page.js("window.print = () => dispatchEvent(new Event('beforeprint'))")
    page.js("document.getElementById('print-all').click()")
    assert page.js(printed) == 320
    assert "left out" not in page.js("return document.querySelector('#printed').textContent")
    page.js("dispatchEvent(new Event('afterprint')); dispatchEvent(new Event('beforeprint'))")
    assert page.js(printed) == 300 and page.errors() == []


def test_the_matrix_of_many_classes_shows_the_rest_when_asked(browser, tmp_path):
    run = random_run(60, classes=tuple(f"class {number}" for number in range(30)))
    write_report(tmp_path / "r.html", scores_of(*run[:2]), *run)
    page = Page(browser, tmp_path / "r.html")
    page.set_score(0)
    page.until(lambda: "score at least 0. Rows" in page.one("#errors").text)
    assert "The 24 most confused of 30 classes." in page.one("#errors").text
    assert len(page.all(".matrix tbody tr")) == 25
    page.js("document.querySelector('#errors .note .link').click()")
    assert len(page.all(".matrix tbody tr")) == 31
    assert page.one("#errors .note .link").text == "Show the 24 most confused classes"
    page.js("document.querySelector('#errors .note .link').click()")
    assert len(page.all(".matrix tbody tr")) == 25 and page.errors() == []


@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("which", ["report_file", "comparison_file"])
def test_no_width_overflows(browser, request, device, which):
    page = Page(browser, request.getfixturevalue(which))
    page.emulate("Emulation.setDeviceMetricsOverride", width=WIDTHS[device], height=844,
                 deviceScaleFactor=1, mobile=device == "phone")
    try:
        page.picture(0)
        for section in page.all("main > section"):
            page.js("arguments[0].scrollIntoView()", section)
            page.settle()
            wide = page.js("return [...document.querySelectorAll('*')].filter(one => !one.closest("
                           "'.scroll') && one.getBoundingClientRect().right > arguments[0]).map("
                           "one => one.outerHTML.slice(0, 99))", WIDTHS[device])
            assert page.js("return document.documentElement.scrollWidth") <= WIDTHS[device], wide
        page.picture(0)
        names = page.js("return [...document.querySelectorAll('.timeline .lane-name')].map("
                        "one => [one.textContent, one.getBBox().x + one.getBBox().width, "
                        "one.closest('svg').clientWidth])")
        assert names and all(name in CLASSES and end <= width for name, end, width in names)
    finally:
        page.emulate("Emulation.clearDeviceMetricsOverride")


@pytest.mark.parametrize("which", ["report_file", "comparison_file"])
def test_nothing_is_wider_than_paper(browser, request, which):
    """Anything wider would make the browser shrink the whole print."""
    page = Page(browser, request.getfixturevalue(which))
    page.emulate("Emulation.setDeviceMetricsOverride", width=704, height=1000,
                 deviceScaleFactor=1, mobile=False)
    page.emulate("Emulation.setEmulatedMedia", media="print")
    try:
        page.js("dispatchEvent(new Event('beforeprint'))")
        page.settle()
        assert page.js("return document.documentElement.scrollWidth") <= 704
        drawn = page.js("return [...document.querySelectorAll('#printed svg')].map("
                        "one => one.querySelectorAll('rect[class^=k]').length)")
        assert len(drawn) == (26 if which == "report_file" else 52) and min(drawn) > 0
    finally:
        page.js("dispatchEvent(new Event('afterprint'))")
        page.emulate("Emulation.setEmulatedMedia", media="")
        page.emulate("Emulation.clearDeviceMetricsOverride")


def test_on_a_phone_sections_are_reachable_and_tables_show_that_they_scroll(browser, report_file):
    page = Page(browser, report_file)
    page.emulate("Emulation.setDeviceMetricsOverride", width=390, height=844,
                 deviceScaleFactor=1, mobile=True)
    try:
        page.settle()
        assert not page.one("#navigation").is_displayed()
        assert not page.one(".help").is_displayed()           # there is no keyboard
        page.click(page.one("#menu"))
        page.click_text("#navigation a", "Classes")
        page.settle()
        assert 0 <= page.js("return document.querySelector('#classes').getBoundingClientRect().y"
                            ) < 200
        assert not page.one("#navigation").is_displayed()
        scroller = page.one("#classes .scroller")
        page.until(lambda: "more-right" in scroller.get_attribute("class"))
        page.js("arguments[0].firstChild.scrollLeft = 9999", scroller)
        page.until(lambda: "more-left" in scroller.get_attribute("class"))
        assert "more-right" not in scroller.get_attribute("class")
        # What fits does not say so.
        page.js("document.querySelector('#training').scrollIntoView()")
        page.settle()
        assert "more" not in page.one("#training .scroller").get_attribute("class")
    finally:
        page.emulate("Emulation.clearDeviceMetricsOverride")


# ---- size and odd names -------------------------------------------------------------------------

def test_thousands_of_videos_are_one_small_page_of_which_little_is_drawn(browser, tmp_path):
    """5,000 videos and 200,000 detections of 200 classes."""
    run = random_run(5000, 5, 40, classes=tuple(f"class {number}" for number in range(200)))
    write_report(tmp_path / "r.html", scores_of(*run[:2]), *run)
    assert (tmp_path / "r.html").stat().st_size < 20e6
    page = Page(browser, tmp_path / "r.html")
    assert page.summary()[2] == 25000 and len(page.all(".video")) == 20
    assert len(page.all(".timeline svg")) < 12
    assert page.js("return document.querySelectorAll('*').length") < 8000
    page.set_score(0)
    assert page.summary()[0] == 200000
    # Scrolling draws one timeline a frame, and takes away those that are out of sight.
    drawn, most = page.browser.execute_async_script(SCROLL_DOWN)
    assert max(drawn) == 1 and sum(drawn) > 15 and most < 14
    page.js("document.querySelectorAll('.pages button')[2].click()")
    page.picture(0)
    assert page.texts(".video h3")[0] == "v20" and page.errors() == []


def test_the_page_without_data_is_small(tmp_path):
    truth, found, durations = random_run(1)
    write_report(tmp_path / "r.html", {}, truth, found[:0], {})
    assert (tmp_path / "r.html").stat().st_size < 400e3


def test_names_are_text_everywhere(browser, tmp_path):
    truth, found, durations = random_run(3, classes=(BAD_NAME, "=1+1", "a,\"b\"\n"))
    names = (BAD_NAME, "__proto__", "v\u202e")
    truth, found = (ActionTable(names, table.classes, table.video, table.label, table.segments,
                                table.scores) for table in (truth, found))
    folder = tmp_path / "<img src=x onerror=window.hacked=2>"
    folder.mkdir()
    runs = [left_by_eval(folder / name, truth, table, {}) for name, table in
            (("output_<b>a", found), ("output_b", better(truth, found)))]
    compare(runs, tmp_path / "r.html", [(BAD_NAME, "javascript:window.hacked=3")])
    page = Page(browser, tmp_path / "r.html")
    page.set_score(0)
    for video in range(3):
        page.picture(video)
    assert BAD_NAME in page.texts(".video h3") and "<b>a" in page.one("h1").text
    with open(saved(page, tmp_path, "detections.csv", page.one("#save-csv")), newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == set(truth.classes) and len(rows) == 2 * len(found)
    content = json.loads(saved(page, tmp_path, "detections.json",
                               page.one("#save-json")).read_text())
    assert set(content["b"]["results"]) == set(names)
    assert page.js("return window.hacked") is None and page.all("img") == []
