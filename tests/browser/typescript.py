"""The TypeScript example, built and served as its page says, and used in a browser."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

import pytest

from support.lives import STAR, half_year
from support.visitor import URN
from trc_engage import Engage
from trc_engage.entrypoints.web import create_app

from .conftest import DESK, HEIGHT, Heard
from .looks import THEMES, TOO_WIDE, violations
from .sites import apart, listening
from .walks import SCREENS, tab_to

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request, Route

EXAMPLE = Path(__file__).parents[2] / "examples/typescript_app"
VITE = EXAMPLE / "node_modules/vite/bin/vite.js"
READ = "a-token-that-only-reads"
SECONDS_MAX = 600
MEMBER, NEW, ASKING = f"/?member={STAR}", "/?member=new", "/"
LOST_DAY = "Monday 16 February: missed"


def live() -> Engage:
    """Live the half year, at the end of which someone enrolls who has done nothing yet."""
    engage = half_year()
    engage.enroll("new", name="Nova")
    return engage


@contextmanager
def previewed(api: str, token: str) -> Iterator[str]:
    """Serve the built page, and yield its address."""
    words = ["node", str(VITE), "preview", "--host", "127.0.0.1", "--port", "0"]
    environment = {**os.environ, "NO_COLOR": "1", "TRC_ENGAGE_URL": api, "TRC_ENGAGE_WEB_READ_TOKEN": token}
    process = subprocess.Popen(words, cwd=EXAMPLE, env=environment, stdout=subprocess.PIPE, text=True)
    watchdog = Timer(SECONDS_MAX, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        line = next(line for line in process.stdout if "Local:" in line)
        yield line.split()[-1].rstrip("/")
    finally:
        process.kill()
        process.communicate()
        watchdog.cancel()


@pytest.fixture(scope="session")
def api() -> Iterator[str]:
    """Serve only the API, to clients that have the token."""
    if not VITE.exists():
        pytest.skip("the example's packages are not installed: run `tox -e typescript`, or `npm ci` in its folder")
    subprocess.run(["npm", "run", "build"], cwd=EXAMPLE, check=True, capture_output=True)
    with listening(create_app(apart(live), alone=True, read_token=READ)) as url:
        yield url


@pytest.fixture(scope="session")
def url(api: str) -> Iterator[str]:
    """Serve the page beside the API."""
    with previewed(api, READ) as url:
        yield url


def opened(page: "Page", path: str) -> None:
    """Open a page, and return once nothing is loading."""
    page.goto(path)
    page.locator("h1").wait_for()
    page.locator("[role=status]").first.wait_for(state="detached")


def failing(page: "Page", kind: str | None, status: int = 503) -> None:
    """Let the next answers be a problem, or fail without an answer."""

    def fail(route: "Route") -> None:
        if kind is None:
            route.abort()
            return
        body = {"type": f"{URN}{kind}", "title": "A title", "status": status, "detail": "A detail."}
        route.fulfill(status=status, content_type="application/problem+json", json=body)

    page.route("**/api/**", fail)


@SCREENS
def test_a_member_reads_points_streak_and_why(page: "Page") -> None:
    """The last loss is shown without asking; a day of the calendar shows what happened on it, with its entries."""
    opened(page, MEMBER)
    assert page.get_by_role("heading", level=1).inner_text() == "Ada Lovelace"
    points = page.get_by_role("region", name="Points", exact=True).inner_text()
    assert "688" in points
    assert "84 XP to the next one" in points
    assert "12 weekdays" in page.get_by_role("region", name="Streak").inner_text()
    lost = page.get_by_role("region", name="Why did I lose points?")
    assert "XP was taken away on Discord" in lost.inner_text()
    assert lost.get_by_role("listitem").first.inner_text().startswith("-1 discord")
    page.get_by_role("button", name=LOST_DAY).click()
    why = page.get_by_role("region", name="Why? Monday 16 February")
    why.get_by_text("35 weekdays ended").wait_for()
    assert page.locator("[aria-pressed=true]").get_attribute("aria-label") == LOST_DAY
    signs = page.get_by_role("region", name="Calendar").get_by_role("listitem").all_inner_texts()
    assert [sign for sign in signs if not sign[0].strip()] == []
    page.get_by_role("button", name="Wednesday 4 March: active").click()
    why = page.get_by_role("region", name="Why? Wednesday 4 March")
    assert why.get_by_role("listitem").first.inner_text().startswith("+2 discord")
    why.get_by_role("button").click()
    lost.get_by_text("XP was taken away on Discord").wait_for()
    assert page.evaluate("document.activeElement.id") == "why"


def test_everything_can_be_done_with_the_keyboard(page: "Page") -> None:
    """A member is chosen, a day opened and the calendar skipped by keyboard alone, and the focus is always visible."""
    opened(page, ASKING)
    tab_to(page, "Member id")
    page.keyboard.type(STAR)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?member={STAR}")
    page.get_by_role("button", name=LOST_DAY).wait_for()
    tab_to(page, "Skip the calendar")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Why? ").get_by_role("button").wait_for()
    page.get_by_role("link", name="Skip the calendar").focus()
    page.keyboard.press("Enter")
    tab_to(page, "What did I lose last?")
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Why did I lose points?").wait_for()


def test_who_is_new_reads_what_there_is_not(page: "Page") -> None:
    """A new member reads that there are no points, no loss, no account, and no weeks before the first."""
    opened(page, NEW)
    assert page.get_by_role("table").get_by_role("row").count() == 2
    for words in ("Nothing has earned points yet.", "You have lost nothing", "No Discord account is linked."):
        assert page.get_by_text(words).is_visible()


def test_a_member_that_there_is_not(context: "BrowserContext") -> None:
    """The page words a missing member itself and shows no button, since trying again would not help."""
    page = context.new_page()
    opened(page, "/?member=nobody")
    assert page.get_by_role("alert").inner_text().startswith("No such member")
    assert "There is no member with this id" in page.get_by_role("alert").inner_text()
    assert page.get_by_role("button").count() == 0
    assert violations(page) == []


@pytest.mark.parametrize(
    ("kind", "words"), [("busy", "over in a second"), ("store-failed", "A detail."), (None, "cannot be reached")]
)
def test_what_passes_can_be_tried_again(context: "BrowserContext", kind: str | None, words: str) -> None:
    """A temporary failure can be retried, whether the page or the API words it, or there is no answer."""
    page = context.new_page()
    failing(page, kind)
    opened(page, MEMBER)
    assert words in page.get_by_role("alert").inner_text()
    page.unroute("**/api/**")
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="Ada Lovelace").wait_for()


def test_a_server_without_the_token_says_so(context: "BrowserContext", api: str) -> None:
    """The page names the variable of a missing token."""
    with previewed(api, "") as url:
        page = context.new_page()
        opened(page, f"{url}{MEMBER}")
        assert "TRC_ENGAGE_WEB_READ_TOKEN" in page.get_by_role("alert").inner_text()


def test_behind_a_session_members_read_no_words_for_admins(context: "BrowserContext", url: str) -> None:
    """With the token the page shows commands for admins; mounted in an app with its own sessions it shows none."""
    page = context.new_page()
    app = create_app(apart(live), may_see=lambda _request, member_id: member_id == STAR)
    with listening(app) as api, previewed(api, "") as mounted:
        for site, commands in ((url, 2), (mounted, 0)):
            opened(page, f"{site}{MEMBER}")
            page.get_by_role("button", name=LOST_DAY).click()
            assert page.get_by_text("35 weekdays ended").inner_text().count("`trc-engage") == commands
        opened(page, f"{mounted}{NEW}")
        assert "you may not see them" in page.get_by_role("alert").inner_text()


def test_no_browser_has_the_token(page: "Page") -> None:
    """The token is in no request and no answer."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.extend([request]))
    opened(page, MEMBER)
    assert {"/api/members/ada", "/api/members/ada/calendar", "/api/members/ada/why"} <= {
        one.url.removeprefix(page.url.partition("/?")[0]) for one in asked
    }
    for request in asked:
        response = request.response()
        assert response
        body = "" if request.url.startswith("data:") else response.text()
        assert READ not in f"{request.all_headers()}{response.all_headers()}{body}"


@THEMES
def test_axe_finds_nothing(page: "Page") -> None:
    """Axe finds nothing on each page, or with a day chosen, in either theme."""
    for path in (ASKING, NEW, MEMBER):
        opened(page, path)
        assert violations(page) == []
    page.get_by_role("button", name=LOST_DAY).click()
    page.get_by_text("35 weekdays ended").wait_for()
    assert violations(page) == []


@pytest.mark.parametrize("width", [320, DESK])
def test_nothing_scrolls_sideways(page: "Page", width: int) -> None:
    """No page scrolls sideways, even on a phone; each day is large enough for a finger, and its why is in view."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    for path in (ASKING, NEW, MEMBER):
        opened(page, path)
        assert page.evaluate(TOO_WIDE) == 0
    box = page.get_by_role("button", name=LOST_DAY).bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 24
    page.get_by_role("button", name=LOST_DAY).click()
    words = page.get_by_text("35 weekdays ended")
    words.wait_for()
    assert words.evaluate("it => it.getBoundingClientRect().bottom <= innerHeight")


def test_the_theme_is_the_systems(page: "Page", heard: Heard) -> None:
    """The page is dark on light or light on dark, as the system prefers."""
    paper = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        opened(page, MEMBER)
        paper.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert paper == ["rgb(253, 253, 251)", "rgb(19, 21, 20)"]
    assert heard == Heard()
