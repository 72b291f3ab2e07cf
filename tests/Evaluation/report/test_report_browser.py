"""The report in a real browser: what its controls change, and what it never loads or runs."""

import numpy as np
import pytest

from DETAD import diagnose
from DETAD.characteristics import bucket_table, compute_characteristics
from Evaluation.average_recall import average_recall
from Evaluation.curves import precision_recall
from Evaluation.metrics import ActionTable, match
from Evaluation.report.report import write_report
from tests.browser import Page, selenium
from tests.report_data import CLASSES, THRESHOLDS, random_run, scores_of

BAD_NAME = "</script><img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
# Pairs of words in one drawing whose boxes overlap; letters leave some room in theirs.
OVERLAPS = """
    return [...document.querySelectorAll("main svg")].flatMap(image => {
      const words = [...image.querySelectorAll("text")].map(
        one => [one.textContent, one.getBoundingClientRect()]);
      const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
        && a.top < b.bottom - 3 && b.top < a.bottom - 3;
      return words.flatMap(([word, a], i) => words.slice(i + 1).filter(([, b]) => meet(a, b))
        .map(([other]) => [word, other]));
    })"""


@pytest.fixture(scope="module")
def diagnosis(run):
    truth, found, durations = run
    return diagnose(truth, compute_characteristics(truth, durations), found, THRESHOLDS,
                    bucket_table("activitynet"))


@pytest.fixture(scope="module")
def report_file(tmp_path_factory, run, diagnosis):
    """A report with all its sections."""
    truth, found, durations = run
    path = tmp_path_factory.mktemp("report") / "report.html"
    losses = [{"epoch": epoch, "train": {"total": 3 / epoch, "loss_action": 1 / epoch},
               "val": {"total": 3.3 / epoch}} for epoch in range(1, 6)]
    write_report(path, scores_of(truth, found), truth, found, durations, losses, diagnosis,
                 precision_recall(truth, found, THRESHOLDS), average_recall(truth, found))
    return path


def expected(run, score, threshold, label=None):
    """(detections, actions found, actions), by the matching of the scores."""
    truth, found, _ = run
    found = found[found.scores >= score]
    _, matched = match(truth, found, (threshold,))
    if label is None:
        return len(found), int((matched >= 0).sum()), len(truth)
    own = found.label == label
    return int(own.sum()), int((matched[0, own] >= 0).sum()), int((truth.label == label).sum())


# ---- what is seen -------------------------------------------------------------------------------

def test_the_page_has_its_sections_and_no_error_or_request(page, report_file):
    assert page.texts("#navigation a") == ["Scores", "Videos", "Errors", "Classes", "Curves",
                                           "Diagnosis", "Training", "Settings"]
    for section in page.all("main > section"):
        page.js("arguments[0].scrollIntoView()", section)
        page.settle()
    assert page.errors() == []
    assert {url for url in page.requests() if not url.startswith("data:")} == {report_file.as_uri()}
    assert "40.00 %" in page.one(".tile.main").text.replace("\n", " ")
    assert "one video is missing" in page.one("#scores .warning").text
    assert "nms thr" in page.one("#settings").text and "0.4" in page.one("#settings").text


def test_every_figure_is_drawn_at_the_width_it_has(page):
    page.settle()
    charts = page.js("""return [...document.querySelectorAll("figure.chart")].map(figure =>
        [figure.clientWidth, figure.querySelector("svg").clientWidth,
         figure.querySelectorAll("rect, polyline").length, figure.outerHTML.includes("NaN")])""")
    assert len(charts) == 1 + 2 + 4 + 2
    assert all(0 < drawn <= width and marks for width, drawn, marks, _ in charts)
    assert not any(broken for *_, broken in charts)


def test_the_diagnosis_shows_the_numbers_of_detad_json(page, diagnosis):
    section = page.one("#diagnosis")
    assert f"{100 * diagnosis['average_mAP_N']:.1f} %" in section.text
    shown = set(page.texts("#diagnosis svg text"))
    for gain in diagnosis["false_positives"]["impact"].values():
        assert f"{100 * gain:+.1f}" in shown
    for buckets in diagnosis["sensitivity"].values():
        for value in buckets.values():
            assert value is None or f"{100 * value:.1f}" in shown
    for buckets in diagnosis["false_negatives"].values():
        assert {f"{100 * entry['miss_rate']:.1f}" for entry in buckets.values() if entry} <= shown
    counts = diagnosis["false_positives"]["counts"]
    rows = dict(zip(page.texts("#diagnosis .last-words tbody th"),
                    page.texts("#diagnosis .last-words td:nth-child(2)"), strict=True))
    names = dict(true_positive="right", double_detection="double", wrong_label="wrong label")
    assert rows == {names.get(kind, kind): f"{int(number + 0.5):,}"
                    for kind, number in counts.items()}


def test_bars_of_few_misses_are_tall_enough_to_compare(browser, tmp_path, run):
    truth, _, durations = run
    found = ActionTable(truth.videos, truth.classes, truth.video, truth.label, truth.segments,
                        np.linspace(1, 0.5, len(truth)))[4:]
    report = diagnose(truth, compute_characteristics(truth, durations), found, THRESHOLDS,
                      bucket_table("activitynet"))
    write_report(tmp_path / "r.html", scores_of(truth, found), truth, found, durations,
                 detad=report)
    page = Page(browser, tmp_path / "r.html")
    chart, = page.all("figure.chart svg[aria-label^='Share of missed']")
    heights = page.js("return [...arguments[0].querySelectorAll('rect:not(.clear)')].map("
                      "one => +one.getAttribute('height'))", chart)
    most = max(entry["miss_rate"] for buckets in report["false_negatives"].values()
               for entry in buckets.values() if entry)
    assert 0 < most < 0.5 and max(heights) > 150


@pytest.mark.parametrize("width", [1400, 390])
def test_words_of_a_chart_do_not_overlap_on_screen_or_paper(page, width):
    page.emulate("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=1, mobile=width < 500)
    try:
        page.settle()
        page.picture()
        assert page.js("return document.querySelectorAll('figure svg').length") == 9
        assert page.js(OVERLAPS) == []
        page.js("dispatchEvent(new Event('beforeprint'))")
        page.settle()
        assert page.js(OVERLAPS) == []
    finally:
        page.js("dispatchEvent(new Event('afterprint'))")
        page.emulate("Emulation.clearDeviceMetricsOverride")


def test_missed_actions_have_one_colour(page):
    missed = page.js("""return [...document.querySelectorAll(
        "[aria-label^='Share of missed'] .column, .timeline rect.k7, .kinds .k7")].map(
        one => getComputedStyle(one).getPropertyValue("--paint"))""")
    assert len(missed) > 10 and set(missed) == {"#c2187a"}


def test_words_have_room_on_a_phone(page):
    page.emulate("Emulation.setDeviceMetricsOverride", width=420, height=900, deviceScaleFactor=1,
                 mobile=False)
    try:
        page.settle()
        assert page.js("return document.documentElement.scrollWidth") <= 420
        assert all(facts.size["height"] < 45 for facts in page.all(".facts"))
        rows = page.all(".last-words tr")
        edges = [[cell.rect["x"] + cell.rect["width"] for cell in
                  row.find_elements("css selector", "th, td")[:3]] for row in rows]
        assert np.ptp(edges, axis=0).max() <= 1 and len(rows) == 7
        assert all(row.size["height"] < 60 for row in rows)
    finally:
        page.emulate("Emulation.clearDeviceMetricsOverride")


def test_videos_without_detections_are_named(browser, tmp_path, page, run):
    assert "no detections" not in page.one("#diagnosis").text
    truth, found, durations = run
    for first, line in ((1, "1 video of the ground truth has no detections: v00."), (
            7, "7 videos of the ground truth have no detections: v00, v01, v02, v03, v04 and 2")):
        silent = diagnose(truth, compute_characteristics(truth, durations),
                          found[found.video >= first], THRESHOLDS, bucket_table("activitynet"))
        write_report(tmp_path / "r.html", scores_of(truth, found), truth, found, durations,
                     detad=silent)
        other = Page(browser, tmp_path / "r.html")
        assert line in other.one("#diagnosis").text and other.errors() == []


def test_a_curve_can_be_read_under_the_pointer(page, run):
    action_chains = selenium("webdriver.common.action_chains")
    truth, found, _ = run
    page.choose("#curve-class", "Jump")
    page.settle()
    chart = page.one("#curves svg")
    for line in page.all("#curves .card:first-child polyline"):
        points = np.array([pair.split(",") for pair in line.get_attribute("points").split()], float)
        assert (np.diff(points, axis=0) >= 0).all()       # recall rises, precision falls
    page.js("arguments[0].scrollIntoView({block: 'center'})", chart)
    # Twice: a pointer that was there already, from another test, has not moved.
    pointer = action_chains.ActionChains(page.browser)
    pointer.move_to_element(chart).move_by_offset(9, 0).move_to_element(chart).perform()
    page.until(lambda: page.one("#tip").text)
    first, *values = page.one("#tip").text.split("\n")
    recall = float(first.removeprefix("Recall (%) ")) / 100
    corners = precision_recall(truth, found, THRESHOLDS).corners["Jump"]
    for value, (recalls, precisions) in zip(values, corners, strict=True):
        # Either side of the pointer, whose recall is shown with one decimal.
        near = {f"{100 * np.append(precisions, 0)[np.searchsorted(recalls, recall + by)]:.1f}"
                for by in (-1e-3, 0, 1e-3)}
        assert value.split(": ")[1] in near


def test_the_slider_changes_what_is_seen(page, run):
    keys = selenium("webdriver.common.keys").Keys
    slider = page.one("#score")
    page.press(slider, keys.HOME)
    assert page.summary() == expected(run, 0, 0.5) and page.score() == 0
    everything = page.picture()
    page.press(slider, *[keys.PAGE_UP] * 4)
    some, score = page.summary(), page.score()
    assert 1 < some[0] < len(run[1]) and some == expected(run, score, 0.5)
    fewer = page.picture()
    page.press(slider, keys.END)
    assert page.summary() == expected(run, run[1].scores.max(), 0.5)
    assert page.summary()[0] == 1
    assert everything != fewer and everything != page.picture()
    assert page.errors() == []


def test_the_score_can_be_typed_and_the_best_f1_is_where_it_starts(page, run):
    start = page.score()

    def f1(score):
        detections, found, actions = expected(run, score, 0.5)
        return found / (detections + actions)

    assert f1(start) == max(f1(score) for score in run[1].scores)
    page.set_score(0.77)
    assert page.summary() == expected(run, 0.77, 0.5)
    page.click_text(".slider button", "Best F1")
    assert page.score() == start
    page.click_text(".slider button", "All")
    assert page.summary()[0] == len(run[1])


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_found_and_right_follow_the_tiou(page, run, threshold):
    page.set_score(0.4)
    page.choose("#tiou", str(threshold))
    assert page.summary() == expected(run, 0.4, threshold)


@pytest.mark.parametrize("label", range(len(CLASSES)))
def test_the_class_filter_shows_that_class_alone(page, run, label):
    page.set_score(0.4)
    before = page.picture()
    page.choose("#class-filter", CLASSES[label])
    assert page.summary() == expected(run, 0.4, 0.5, label)
    truth, found, _ = run
    videos = {*truth.video[truth.label == label],
              *found.video[(found.label == label) & (found.scores >= 0.4)]}
    shown = [f"v{number:02d}" for number in sorted(videos)]
    assert page.texts(".video h3") == shown[:20]
    assert page.picture() != before
    page.click(page.one(".video summary"))
    page.until(lambda: page.all(".video table"))
    assert set(page.texts(".video table tbody th")) == {CLASSES[label]}
    assert page.one("#curve-class").get_attribute("value") == str(label)
    page.choose("#class-filter", "All classes")
    assert page.summary() == expected(run, 0.4, 0.5)


def test_a_timeline_tells_the_same_as_its_table(page, run):
    truth, found, _ = run
    page.set_score(0.3)
    page.choose("#tiou", "0.3")
    page.click(page.one(".video summary"))
    page.until(lambda: page.all(".video:first-child tbody tr"))
    rows = [[cell.text for cell in row.find_elements("css selector", "th, td")]
            for row in page.all(".video:first-child tbody tr")]
    shown = found[found.scores >= 0.3]
    _, matched = match(truth, shown, (0.3,))
    mine, = np.nonzero(shown.video == 0)
    taken = set(matched[0, mine]) - {-1}
    actions = [row for row in rows if row[1] == "action"]
    assert len(actions) == (truth.video == 0).sum()
    assert sum(row[5] == "found" for row in actions) == len(taken)
    scores = {row[4]: "right" if row[5] == "right" else "wrong"
              for row in rows if row[1] == "detection"}
    assert len(scores) == len(rows) - len(actions)
    for place in mine:
        text = f"{shown.scores[place]:.4g}"
        hidden = CLASSES[shown.label[place]] not in {row[0] for row in rows}
        assert hidden or scores[text] == ("right" if matched[0, place] >= 0 else "wrong")


def test_videos_can_be_ordered_found_and_paged(page, run):
    truth, found, _ = run
    page.set_score(0)
    page.choose("#order", "most missed first")
    _, matched = match(truth, found, (0.5,))
    missed = np.bincount(truth.video, minlength=26) - np.bincount(
        found.video[matched[0] >= 0], minlength=26)
    names = [f"v{number:02d}" for number in np.argsort(-missed, kind="stable")]
    assert page.texts(".video h3") == names[:20]
    page.click_text(".pages button", "Next")
    assert page.texts(".video h3") == names[20:]
    assert "21 to 26 of 26" in page.one(".pages").text
    page.one("#search").send_keys("V1")
    assert sorted(page.texts(".video h3")) == [f"v{number}" for number in range(10, 20)]
    page.one("#search").send_keys("nothing")
    assert page.texts(".video h3") == [] and "No video" in page.one("#timelines").text


def test_classes_sort_and_lead_to_their_videos(page):
    def names():
        return page.texts("#classes tbody button")

    assert names() == ["Throw", "Jump", "Dive"]
    page.click(page.one("#classes thead button"))
    assert names() == ["Dive", "Jump", "Throw"]
    page.click(page.one("#classes thead button"))
    assert names() == ["Throw", "Jump", "Dive"]
    assert page.one("#classes thead th").get_attribute("aria-sort") == "descending"
    page.click(page.all("#classes tbody button")[1])
    assert page.one("#class-filter").get_attribute("value") == str(CLASSES.index("Jump"))


# ---- keyboard, pointer, reader ------------------------------------------------------------------

def test_a_timeline_is_moved_and_read_by_keyboard(page):
    keys = selenium("webdriver.common.keys").Keys
    page.set_score(0)
    whole, canvas = page.picture(), page.one(".timeline")
    page.press(canvas, "+", "+")
    zoomed = page.picture()
    page.press(canvas, keys.ARROW_RIGHT)
    moved = page.picture()
    page.press(canvas, "0")
    assert page.picture() == whole and len({whole, zoomed, moved}) == 3
    page.press(canvas, "n")
    first = page.one(".video .unseen").get_attribute("textContent")
    page.press(canvas, "n")
    second = page.one(".video .unseen").get_attribute("textContent")
    page.press(canvas, "p")
    assert first != second and " to 0:" in first
    assert page.one(".video .unseen").get_attribute("textContent") == first
    assert page.one("#tip").is_displayed()
    page.press(canvas, keys.ESCAPE)
    assert not page.one("#tip").is_displayed()


def test_the_pointer_shows_what_is_under_it(page, run):
    action_chains = selenium("webdriver.common.action_chains")
    truth, _, _ = run
    page.picture()
    canvas = page.one(".timeline")
    page.press(canvas, "n")          # the first item in time; its middle is where the tip points
    spoken = page.one(".video .unseen").get_attribute("textContent")
    first = truth.segments[truth.video == 0][:, 0].min()
    left, right = page.js("const axis = arguments[0].querySelector('.axis');"
                          "return [+axis.getAttribute('x1'), +axis.getAttribute('x2')]", canvas)
    width = canvas.size["width"]
    x = left + (first + 0.5) / 120 * (right - left)
    lane = {truth.classes[label] for label in truth.label[truth.video == 0]}
    for y in range(8, 150, 6):
        action_chains.ActionChains(page.browser).move_to_element_with_offset(
            canvas, x - width / 2, y - canvas.size["height"] / 2).perform()
        tip = page.one("#tip")
        if tip.is_displayed() and "action" in tip.text:
            assert tip.text.split("\n")[0] in lane
            break
    else:
        pytest.fail(f"no action under the pointer at {x}; the first item is {spoken}")


def test_everything_that_can_be_used_has_a_name(page):
    nameless = page.js("""
        return [...document.querySelectorAll(
            "button, select, input, .timeline, figure svg, nav, [role]")]
          .filter(node => !(node.getAttribute("aria-label") || node.closest("label")
            || (node.id && document.querySelector(`label[for="${node.id}"]`))
            || node.textContent.trim() || node.id === "tip" || node.classList.contains("pages")))
          .map(node => node.outerHTML.slice(0, 90))""")
    assert nameless == []
    levels = [int(tag[1]) for tag in page.js(
        "return [...document.querySelectorAll('h1, h2, h3')].map(node => node.tagName)")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


# ---- themes, sizes ------------------------------------------------------------------------------

def test_the_theme_is_the_systems_until_the_reader_chooses(browser, report_file):
    theme = "return document.documentElement.dataset.theme"
    stored = "return localStorage.getItem('report-theme')"
    back = "return getComputedStyle(document.body).backgroundColor"
    page = Page(browser, report_file)
    box = ("return getComputedStyle(document.querySelector('.timeline rect:not(.lane)')).fill")
    page.picture()
    light, drawn = page.js(back), page.js(box)
    assert page.js(theme) == "light"
    page = Page(browser, report_file, dark=True)
    page.picture()
    assert page.js(theme) == "dark" and page.js(back) != light and page.js(box) != drawn
    page.click(page.one("#theme"))
    assert page.js(theme) == "light" and page.js(back) == light and page.js(box) == drawn
    assert page.one("#theme").get_attribute("aria-pressed") == "false"

    assert page.js(stored) == "light"
    # Chromium itself may lose what a busy page stored when it starts another process for the next.
    page.open_after(report_file, "localStorage.setItem('report-theme', 'light')")
    assert page.js(theme) == "light" and page.js(back) == light
    assert page.errors() == []


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_no_width_needs_scrolling_sideways(page, width):
    page.emulate("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=1, mobile=False)
    try:
        page.settle()
        assert page.js("return document.documentElement.scrollWidth") <= width
    finally:
        page.emulate("Emulation.clearDeviceMetricsOverride")


def test_a_large_run_draws_only_what_is_in_sight(browser, tmp_path):
    truth, found, durations = random_run(213, 16, 188)
    write_report(tmp_path / "r.html", scores_of(truth, found), truth, found, durations)
    page = Page(browser, tmp_path / "r.html")
    assert page.summary()[2] == len(truth)
    page.picture(0)
    drawn = ("return [...document.querySelectorAll('.video')].map("
             "one => one.querySelector('.timeline svg') !== null)")
    assert len(page.js(drawn)) == 20 and page.js(drawn)[0] and not page.js(drawn)[-1]
    page.picture(19)
    assert page.js(drawn)[19] and not page.js(drawn)[0]
    page.set_score(0)
    assert page.summary() == expected((truth, found, durations), 0, 0.5)
    assert page.errors() == []


# ---- odd data -----------------------------------------------------------------------------------

def test_names_are_shown_as_they_are_and_never_run(browser, tmp_path):
    truth, found, durations = random_run(3, classes=(BAD_NAME, "__proto__", "\u202eodd\u2028"))
    truth, found = (ActionTable((BAD_NAME, "constructor", "v"), table.classes, table.video,
                                table.label, table.segments, table.scores)
                    for table in (truth, found))
    scores = scores_of(truth, found)
    scores |= {"dataset": BAD_NAME, "provenance": {BAD_NAME: BAD_NAME, "notes": [BAD_NAME]}}
    write_report(tmp_path / "r.html", scores, truth, found, {}, [
        {"epoch": 1, "train": {BAD_NAME: 1.0, "toString": 2.0}}],
        curves=precision_recall(truth, found, THRESHOLDS))
    page = Page(browser, tmp_path / "r.html")
    page.choose("#order", "by name")
    assert set(page.texts(".video h3")) == {BAD_NAME, "constructor", "v"}
    assert BAD_NAME in page.texts("#classes tbody button") and BAD_NAME in page.one("h1").text
    assert BAD_NAME in page.texts("#training h3")
    page.settle()
    assert page.js("return window.hacked") is None and page.all("img") == []
    assert page.errors() == []


def test_an_injected_script_would_not_run(page):
    """The content security policy would hold even if text became an element some day."""
    page.js("const node = document.createElement('script'); node.textContent = 'window.hacked = 1';"
            "document.body.append(node); const image = document.createElement('div');"
            "image.innerHTML = '<img src=x onerror=\"window.hacked = 2\">';"
            "image.firstChild.addEventListener('error', () => { window.tried = true; });"
            "document.body.append(image);")
    page.until(lambda: page.js("return window.tried"))
    assert page.js("return window.hacked") is None
    assert any("Content Security Policy" in message for message in page.errors())


def test_a_report_without_detections_or_with_proposals_alone_has_no_error(browser, tmp_path):
    truth, found, durations = random_run(2)
    scores = {"dataset": "activitynet", "num_videos": 2, "AR@AN": {"100": 0.5}, "AUC": 0.4}
    nothing, proposals = found[:0], ActionTable(
        found.videos, ("(no class)",), found.video, np.zeros_like(found.label), found.segments,
        found.scores)
    for table in (nothing, proposals):
        write_report(tmp_path / "r.html", scores, truth, table, durations)
        page = Page(browser, tmp_path / "r.html")
        assert page.texts("#navigation a") == ["Scores", "Videos"]
        assert page.texts(".video h3") == ["v00", "v01"]
        page.picture()
        assert page.errors() == []
