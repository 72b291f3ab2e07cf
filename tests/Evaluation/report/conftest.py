"""What the tests of the report share: a browser, and a run to report on."""

import pytest

from tests.browser import Page, open_browser
from tests.report_data import random_run


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    driver = open_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def run():
    """Ground truth, detections and durations of 26 videos."""
    return random_run()


@pytest.fixture
def page(browser, report_file):
    """The report that a test module writes, freshly opened, in the light theme."""
    return Page(browser, report_file)
