"""A headless browser for the tests of the report, and what its reader sees and does there."""

import json
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
                None)
DRIVER = shutil.which("chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--window-size=1280,1000")


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
    return webdriver.Chrome(options=options, service=service.Service(DRIVER))


class Page:
    """A report in the browser, and what its reader sees and does."""

    def __init__(self, browser, path, dark=False):
        self.browser = browser
        self.emulate("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        browser.get("about:blank")
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(path.as_uri())
        self.js("try { localStorage.clear() } catch {}")

    def emulate(self, command, **values):
        self.browser.execute_cdp_cmd(command, values)

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
        option = next(option for option in self.all(f"{selector} option") if option.text == text)
        option.click()

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
        image = ("document.querySelectorAll('.video')[arguments[0]].querySelector("
                 "'.timeline svg')")
        self.until(lambda: self.js(f"return {image} !== null", index))
        self.settle()
        return self.js(f"return {image}.outerHTML", index)

    def settle(self):
        """Wait until the browser has drawn."""
        self.browser.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))")

    def until(self, is_so, seconds=10):
        """Wait until a function gives something true."""
        selenium("webdriver.support.ui").WebDriverWait(self.browser, seconds).until(
            lambda _: is_so())

    def errors(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self):
        """Addresses that were asked for since the page was opened."""
        entries = (json.loads(entry["message"])["message"]
                   for entry in self.browser.get_log("performance"))
        return [entry["params"]["request"]["url"] for entry in entries
                if entry["method"] == "Network.requestWillBeSent"]
