"""A report of many videos in Chromium: its size, the time to open it, and long tasks.

    python benchmarks/report.py --videos 5000 --detections 40 --openings 10
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from Evaluation.report.report import write_report
from tests.browser import Page, open_browser
from tests.report_data import random_run, scores_of

CLASSES = 200
LOADED = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
# Watches for tasks of 50 ms and more, by the clock, from now on.
WATCH = """
    window.tasks = [];
    new PerformanceObserver(list => tasks.push(...list.getEntries().map(one => one.duration)))
      .observe({ type: "longtask" });"""
SCROLL = """
    const done = arguments[0];
    let last = -1;
    const step = () => {
      scrollBy(0, 120);
      if (scrollY === last) return setTimeout(done, 500);
      last = scrollY;
      requestAnimationFrame(step);
    };
    scrollTo(0, 0);
    step();"""
TURN = """
    const done = arguments[0];
    let turned = 0;
    const turn = () => {
      if (turned++ === 10) return done();
      document.querySelectorAll(".pages button")[2].click();
      setTimeout(turn, 300);
    };
    turn();"""


def main():
    """Write a report of made-up detections, and measure it in a browser."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--videos", type=int, default=5000)
    parser.add_argument("--detections", type=int, default=40, help="per video")
    parser.add_argument("--openings", type=int, default=10)
    options = parser.parse_args()
    run = random_run(options.videos, 5, options.detections,
                     classes=tuple(f"class {number}" for number in range(CLASSES)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        write_report(path, scores_of(*run[:2]), *run)
        print(f"{path.stat().st_size / 1e6:.2f} MB")
        browser = open_browser(Path(folder) / "profile")
        try:
            measure(browser, path, options.openings)
        finally:
            browser.quit()


def measure(browser, path, openings):
    """Print the seconds to open the page, and the long tasks of scrolling and turning pages."""
    browser.set_script_timeout(300)
    times = []
    for _ in range(openings):
        page = Page(browser, path)
        page.until(lambda page=page: page.js(LOADED) > 0)
        times.append(page.js(LOADED) / 1000)
    print("open, in s:", *(f"{seconds:.2f}" for seconds in sorted(times)))
    page.set_score(0)
    page.settle()
    page.js(WATCH)
    for name, steps in (("scrolling", SCROLL), ("ten pages", TURN)):
        page.js("tasks.length = 0")
        browser.execute_async_script(steps)
        print(f"{name}, tasks over 50 ms:", *map(round, page.js("return tasks")))


if __name__ == "__main__":
    main()
