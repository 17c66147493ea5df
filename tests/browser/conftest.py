"""A real browser: the system's Chromium, never one that is downloaded."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

PATIENCE = 15_000
"""Milliseconds after which a page will not show any more what it has not shown yet."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Tests run as root in containers, where Chromium's own sandbox does not start; they only meet our pages.
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


class Complaints(list[str]):
    """What the browser complained about: errors of scripts, refusals of the page's own policy."""

    def heed(self, page: Page) -> None:
        def said(message: ConsoleMessage) -> None:
            # That an answer was an error, or did not come, the page itself has to tell.
            if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
                self.append(message.text)

        page.on("console", said)
        page.on("pageerror", lambda error: self.append(str(error)))


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


@pytest.fixture
def page(chromium: Browser, complaints: Complaints) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints.heed(page)
    yield page
    context.close()
    assert complaints == []
