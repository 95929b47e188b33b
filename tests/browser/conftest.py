"""One browser and one site for all tests of a run; the tests are skipped if there is no browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import Factory, define

from .sites import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page

CHROMIUM = Path(os.environ.get("TRC_ENGAGE_CHROMIUM", "/usr/bin/chromium"))
PHONE, TABLET, DESK = 360, 768, 1280
HEIGHT = 900


@define(slots=False)
class Heard:
    """What a browser complains about, and what pages should never do."""

    complaints: list[str] = Factory(list)
    dialogs: list[str] = Factory(list)
    elsewhere: list[str] = Factory(list)

    def listen(self, page: Page, url: str) -> None:
        """Record everything that happens on a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dialog)
        page.on("request", lambda asked: None if asked.url.startswith(url) else self.elsewhere.append(asked.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Serve the site."""
    with served() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser; sandboxes do not nest, so as root in a container it has none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: see docs/web.md")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM} (TRC_ENGAGE_CHROMIUM names another): see docs/web.md")
    with playwright.sync_playwright() as started:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, url: str, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """Yield a fresh browser context; a parameter says how it differs from a light one on a desktop."""
    options = {"viewport": {"width": DESK, "height": HEIGHT}, "color_scheme": "light", **getattr(request, "param", {})}
    context = browser.new_context(base_url=url, **options)
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, heard: Heard, url: str) -> Page:
    """Return a page whose events are recorded."""
    page = context.new_page()
    heard.listen(page, url)
    return page


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Record what pages do, and fail if it is anything that no page should do."""
    heard = Heard()
    yield heard
    assert heard == Heard()
