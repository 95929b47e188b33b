"""How the pages look, and whether everyone can read them."""

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.hostile_names import HOSTILE_NAMES
from support.lives import STAR

from .conftest import DESK, HEIGHT, PHONE, TABLET, Heard
from .sites import AILING, HALF, HOSTILE, WELL

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PAGES = {
    "board": f"{WELL}/",
    "own place": f"{WELL}/?month=all&member=hal",
    "search": f"{WELL}/members?q=a",
    "member": f"{WELL}/members/{STAR}",
    "older history": f"{WELL}/members/{STAR}?before=900",
    "long name": f"{WELL}/members/ivy",
    "why a day": f"{WELL}/members/{STAR}?day=2026-03-04",
    "why an entry": f"{WELL}/members/{STAR}?entry=1220",
    "rules": f"{WELL}/rules",
    "pending days": f"{AILING}/members/dee",
    "healthy": f"{WELL}/status",
    "not healthy": f"{AILING}/status",
}
REFUSED = f"{WELL}/members/nobody"
EVERY_PAGE = pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
THEMES = pytest.mark.parametrize(
    "context", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BYTES_MAX = 150_000
SHOTS = Path(os.environ.get("TRC_ENGAGE_SCREENSHOTS", ""))


def violations(page: "Page") -> list[dict[str, Any]]:
    """Return what axe finds wrong with a page."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [{**{key: one[key] for key in ("id", "impact", "help")}, "at": one["nodes"][0]["html"]} for one in found]


@THEMES
@EVERY_PAGE
def test_axe_finds_nothing(page: "Page", path: str) -> None:
    """Axe finds nothing on any page in either theme, not even something minor, also with all details open."""
    page.goto(path)
    assert violations(page) == []
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert violations(page) == []


@THEMES
def test_axe_finds_nothing_on_a_page_that_is_refused(context: "BrowserContext") -> None:
    """The page for a missing member passes axe too; its console is ignored, since the browser complains of its 404."""
    page = context.new_page()
    page.goto(REFUSED)
    assert violations(page) == []


def test_axe_would_find_something(page: "Page") -> None:
    """Axe finds a field without a name, so that finding nothing means something."""
    page.goto(PAGES["board"])
    page.evaluate("document.querySelector('label').remove(); document.querySelector('#q').placeholder = ''")
    assert {one["id"] for one in violations(page)} == {"label"}


@pytest.mark.parametrize("width", [320, PHONE, TABLET, DESK])
@EVERY_PAGE
def test_nothing_scrolls_sideways(page: "Page", path: str, width: int) -> None:
    """No page scrolls sideways, even on a phone or at 400 % on a desktop, which is as narrow."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.goto(path)
    assert page.evaluate(TOO_WIDE) == 0
    for details in page.locator("details").all():
        details.locator("summary").click()
    assert page.evaluate(TOO_WIDE) == 0


@pytest.mark.parametrize("context", [{"forced_colors": "active"}, {}], indirect=True, ids=["forced", "own"])
def test_signs_are_told_apart_without_colour(page: "Page") -> None:
    """Each kind of day has its own sign, even in grayscale and in forced colors."""
    page.goto(PAGES["member"])
    page.evaluate("document.documentElement.style.filter = 'grayscale(1)'")
    drawn = [sign.screenshot() for sign in page.locator(".legend .sign").all()]
    assert len(set(drawn)) == len(drawn) == 8


@pytest.mark.parametrize("context", [{"reduced_motion": "reduce"}], indirect=True)
def test_nothing_moves_for_who_wants_no_motion(page: "Page") -> None:
    """With reduced motion, no transition and no animation is left."""
    page.goto(PAGES["member"])
    moving = """[...document.querySelectorAll('*')].filter(one => {
        const style = getComputedStyle(one);
        return style.animationName !== 'none' || style.transitionDuration.split(', ').some(time => time !== '0s');
    }).length"""
    assert page.evaluate(moving) == 0


def test_paper_shows_what_can_be_read_on_it(page: "Page") -> None:
    """A printed page has no buttons and no links to other pages, and is dark on light in any theme."""
    page.goto(PAGES["board"])
    page.get_by_role("button", name="Dark theme").click()
    page.wait_for_load_state()
    page.emulate_media(media="print")
    assert page.get_by_role("table").is_visible()
    assert not page.get_by_role("button").all() or not page.get_by_role("button").first.is_visible()
    assert not page.get_by_role("link", name="All time").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_clipped_name_can_be_read_whole(page: "Page") -> None:
    """A long name takes one line in a list, and opens in full on its own page."""
    page.set_viewport_size({"width": PHONE, "height": HEIGHT})
    page.goto(PAGES["board"])
    name = page.get_by_role("link", name="Ivy the Second")
    box = name.bounding_box()
    assert box is not None
    assert box["height"] < 40
    name.click()
    whole = page.locator("details.whole bdi")
    assert not whole.is_visible()
    page.get_by_text("The whole name").click()
    assert whole.is_visible()
    assert whole.inner_text().endswith("the Quarterly Forecast")


@pytest.mark.parametrize("half", [0, 1])
def test_hostile_names_do_nothing(page: "Page", heard: Heard, half: int) -> None:
    """Hostile names cause no dialog, script, request elsewhere or sideways scrolling on any page on a phone."""
    page.set_viewport_size({"width": PHONE, "height": HEIGHT})
    root = HOSTILE[half]
    members = [f"{root}/members/m-{number}" for number in range(HALF)]
    for path in (f"{root}/", f"{root}/?month=all&member=m-0", f"{root}/members?q=a", f"{root}/status", *members):
        page.goto(path)
        assert page.evaluate(TOO_WIDE) == 0
        assert page.evaluate("document.scripts.length") == 0
        for name in page.locator(".board bdi, h1 bdi").all():
            name.hover()
    assert heard == Heard()
    assert len(HOSTILE_NAMES) == 2 * HALF


def test_the_ear_hears(context: "BrowserContext", url: str) -> None:
    """A script or an image from elsewhere in a page is blocked by its policy and recorded, as is a dialog."""
    page, heard = context.new_page(), Heard()
    heard.listen(page, url)
    page.goto(PAGES["board"])
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'alert(1)'}))")
    page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.2/x.png'}))")
    page.evaluate("alert(2)")
    assert heard.dialogs == ["2"]
    assert [text for text in heard.complaints if "script" in text and "Content Security Policy" in text]
    assert [text for text in heard.complaints if "127.0.0.2" in text and "Content Security Policy" in text]


SCREENSHOTS = {
    "board-light": (PAGES["board"], DESK, HEIGHT, "light"),
    "member-light": (PAGES["member"], DESK, 1_840, "light"),
    "member-phone": (PAGES["member"], PHONE, 1_640, "dark"),
    "board-phone": (PAGES["own place"], PHONE, 1_640, "light"),
    "status-dark": (PAGES["not healthy"], DESK, 960, "dark"),
}


@pytest.mark.parametrize("name", SCREENSHOTS)
def test_screenshots_are_small(page: "Page", name: str, tmp_path: Path) -> None:
    """Each screenshot is under 150,000 bytes; TRC_ENGAGE_SCREENSHOTS names the folder for those of the docs."""
    path, width, height, theme = SCREENSHOTS[name]
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": height})
    page.goto(path)
    shot = (SHOTS if SHOTS.name else tmp_path) / f"{name}.png"
    page.screenshot(path=shot)
    assert shot.stat().st_size < BYTES_MAX
