"""A headless browser for the tests of the report, and what a reader sees and does in it."""

import json
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)
DRIVER = shutil.which("chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--window-size=1280,1000")
SCROLL_TO = ("arguments[0].scrollIntoView("
             "{block: 'center', inline: 'nearest', behavior: 'instant'});")
PLACE = "return arguments[0].getBoundingClientRect().toJSON();"
# Its first box, as WebDriver clicks: a link over two lines has two.
IS_ON_TOP = """
    const {left, right, top, bottom} = arguments[0].getClientRects()[0];
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return hit !== null && arguments[0].contains(hit);"""
# What a machine that is busy with something else needs at most.
PATIENCE = 120


def selenium(module):
    """A module of the package that drives the browser."""
    return pytest.importorskip(f"selenium.{module}", reason="BROWSER TESTS LEFT OUT: no package "
                               "selenium is installed (requirements-dev.txt)")


def open_browser(profile):
    """Headless Chromium, which logs its console and its requests. profile: an empty folder."""
    webdriver, service = selenium("webdriver"), selenium("webdriver.chrome.service")
    if not CHROMIUM or not DRIVER:
        pytest.skip("BROWSER TESTS LEFT OUT: no chromium or no chromedriver on the path (Debian's "
                    "packages chromium and chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=service.Service(DRIVER))
    browser.set_script_timeout(PATIENCE)
    return browser


class Page:
    """A report in the browser, and what its reader sees and does."""

    def __init__(self, browser, path, dark=False):
        self.browser = browser
        self.emulate("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        browser.get("about:blank")
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        # What earlier pages stored is gone before this one's scripts read it.
        self.open_after(path, "localStorage.clear()")

    def emulate(self, command, **values):
        return self.browser.execute_cdp_cmd(command, values)

    def open_after(self, path, script):
        """Open a page; `script` runs in it before its own scripts do."""
        added = self.emulate("Page.addScriptToEvaluateOnNewDocument", source=script)
        self.browser.get(path.as_uri())
        self.emulate("Page.removeScriptToEvaluateOnNewDocument", **added)

    def js(self, code, *values):
        return self.browser.execute_script(code, *values)

    def all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def one(self, selector):
        return self.browser.find_element("css selector", selector)

    def texts(self, selector):
        return [element.text for element in self.all(selector)]

    def choose(self, selector, text):
        """Choose the option of a <select> by its text."""
        self.bring_into_view(self.one(selector))
        option = next(option for option in self.all(f"{selector} option") if option.text == text)
        option.click()

    def click(self, element):
        """Click an element as a reader does: where it is seen, and nothing lies over it."""
        self.bring_into_view(element)
        element.click()

    def click_text(self, selector, text):
        """Click the first of the selector's elements that has this text."""
        self.click(next(one for one in self.all(selector) if one.text == text))

    def bring_into_view(self, element):
        """Scroll an element to the middle until it stays there with nothing over its centre."""
        def stays():
            before = self.js(f"{SCROLL_TO} {PLACE}", element)
            self.settle()               # what comes into sight is drawn, and may move the rest
            return self.js(PLACE, element) == before and self.js(IS_ON_TOP, element)
        self.until(stays)

    def summary(self):
        """(detections, actions found, actions) above the timelines."""
        detections, found = (self.all("#summary b")[i].text for i in (0, 1))
        return (int(detections.replace(",", "")),
                *(int(part.replace(",", "")) for part in found.split(" of ")))

    def score(self):
        return float(self.one("#score-number").get_attribute("value"))

    def set_score(self, score):
        self.js("const e = document.getElementById('score-number'); e.value = arguments[0];"
                "e.dispatchEvent(new Event('change'))", score)

    def press(self, element, *keys):
        for key in keys:
            element.send_keys(key)

    def picture(self, index=0):
        """The drawing of a timeline, once it is in sight and drawn."""
        self.js("document.querySelectorAll('.video')[arguments[0]].scrollIntoView("
                "{block: 'center'})", index)
        video = "document.querySelectorAll('.video')[arguments[0]]"
        image = f"{video}.querySelector('.timeline svg')"
        self.settle()
        self.until(lambda: self.js(f"return {image} !== null && !{video}.timeline.isWaiting",
                                   index))
        self.settle()
        return self.js(f"return {image}.outerHTML", index)

    def settle(self):
        """Wait until the browser has drawn."""
        self.browser.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))")

    def until(self, is_so):
        """Wait until a function gives something true."""
        selenium("webdriver.support.ui").WebDriverWait(self.browser, PATIENCE, 0.05).until(
            lambda _: is_so())

    def errors(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self):
        """Addresses that were asked for since the page was opened."""
        entries = (json.loads(entry["message"])["message"]
                   for entry in self.browser.get_log("performance"))
        return [entry["params"]["request"]["url"] for entry in entries
                if entry["method"] == "Network.requestWillBeSent"]
