"""What people do on the pages, done in a browser."""

import re
from typing import TYPE_CHECKING

import pytest

from support.lives import STAR

from .conftest import DESK, HEIGHT, PHONE
from .sites import AILING, WELL

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAPER = "getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(253, 253, 251)", "rgb(19, 21, 20)"
SCREENS = pytest.mark.parametrize(
    "context",
    [{"viewport": {"width": w, "height": HEIGHT}} for w in (PHONE, DESK)],
    indirect=True,
    ids=["phone", "desk"],
)
UNSCRIPTED = pytest.mark.parametrize(
    "context", [{}, {"java_script_enabled": False}], indirect=True, ids=["script", "no-script"]
)
STEPS_MAX = 60


@SCREENS
def test_from_the_board_to_a_members_streak(page: "Page") -> None:
    """The search finds a member, whose page shows the streak in words and in the calendar."""
    page.goto(f"{WELL}/")
    assert page.get_by_role("heading", level=1).inner_text() == "March 2026"
    page.get_by_label("Find a member").fill("lovelace")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url(f"**{WELL}/members/{STAR}")
    assert page.get_by_role("heading", level=1).inner_text() == "Ada Lovelace"
    streak = page.get_by_role("region", name="Streak", exact=True)
    assert "12 weekdays" in streak.inner_text()
    today = streak.get_by_role("cell", name="today: active")
    assert today.count() == 1
    assert today.is_visible()


@UNSCRIPTED
def test_a_page_of_history_is_turned(page: "Page") -> None:
    """Older entries follow where the reader was, and a link leads back; no script is needed."""
    page.goto(f"{WELL}/members/{STAR}")
    lines = page.get_by_role("table", name=re.compile("^Entries")).get_by_role("row")
    newest = lines.nth(1).inner_text()
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**/members/ada?before=*#history")
    assert lines.nth(1).inner_text() != newest
    assert page.get_by_role("heading", name="History").is_visible()
    page.get_by_role("link", name="Newest").click()
    page.wait_for_url(f"**/members/{STAR}#history")
    assert lines.nth(1).inner_text() == newest


@UNSCRIPTED
def test_a_day_and_an_entry_open_their_why(page: "Page") -> None:
    """A sign of the calendar and a line of the history open their why, which has a way back; no script is needed."""
    page.goto(f"{WELL}/members/{STAR}")
    page.get_by_role("link", name="today: active").click()
    page.wait_for_url("**?day=2026-03-05#why")
    why = page.get_by_role("region", name="Why?")
    assert why.locator(".lead").inner_text().startswith("Thu 2026-03-05 counts: XP rose between")
    reckoned = "267 XP and the 49 carried are 316 XP. They pay 3 points (300 XP), and 16 XP left over (316 - 300)"
    assert reckoned in why.inner_text()
    why.get_by_role("link", name="Close").click()
    page.get_by_role("table", name=re.compile("^Entries")).get_by_role("link", name="Benchmark, taken back").click()
    page.wait_for_url("**?entry=*#why")
    taken_back = re.compile(r"-40 points, because entry \d+ was taken back by admin-7 at .*run twice by mistake")
    assert taken_back.match(why.locator(".lead").inner_text())
    page.get_by_role("link", name="The streak of 35 weekdays ended on Mon 2026-02-16").click()
    page.wait_for_url("**?day=2026-02-16#why")
    assert "35 weekdays ended" in why.locator(".lead").inner_text()


def test_taking_is_as_plain_as_giving(page: "Page") -> None:
    """A line of the history that takes points looks like one that gives some."""
    page.goto(f"{WELL}/members/{STAR}")
    colours = page.locator(".history td.figure").evaluate_all("all => all.map(one => getComputedStyle(one).color)")
    figures = page.locator(".history td.figure").all_inner_texts()
    assert {one[0] for one in figures} >= {"+", "−"}
    assert len(set(colours)) == 1


@UNSCRIPTED
def test_times_are_shown_in_a_zone_of_ones_own(page: "Page") -> None:
    """A time zone chosen on the page of the rules is kept, and times are shown in it."""
    page.goto(f"{WELL}/members/{STAR}")
    when = page.locator(".history time").first
    assert when.inner_text().split()[-1] == "14:00"
    page.get_by_role("link", name="change").click()
    page.get_by_label("Show times in").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/rules#times")
    page.goto(f"{WELL}/members/{STAR}")
    assert when.inner_text().split()[-1] == "23:00"
    assert "times are of Asia/Tokyo" in page.get_by_role("contentinfo").inner_text()


def test_months_are_turned(page: "Page") -> None:
    """The board turns back a month, forward again, and to all time."""
    page.goto(f"{WELL}/")
    heading = page.get_by_role("heading", level=1)
    for link, title in (("February 2026", "February 2026"), ("March 2026", "March 2026"), ("All time", "All time")):
        page.get_by_role("link", name=link).click()
        page.wait_for_load_state()
        assert heading.inner_text() == title


@UNSCRIPTED
def test_a_theme_is_switched_and_remembered(page: "Page") -> None:
    """A theme is switched with one click on the present page, holds on the next page, and can be switched back."""
    page.goto(f"{WELL}/?month=all")
    page.get_by_role("button", name="Dark theme").click()
    page.wait_for_url("**/?month=all")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("link", name="Ada Lovelace").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert not page.get_by_role("button", name="Dark theme").is_visible()
    page.get_by_role("button", name="Light theme").click()
    page.wait_for_url(f"**/members/{STAR}")
    assert page.locator("html").get_attribute("data-theme") == "light"


@pytest.mark.parametrize(
    ("context", "before", "button", "after"),
    [({"color_scheme": "light"}, LIGHT, "Dark theme", DARK), ({"color_scheme": "dark"}, DARK, "Light theme", LIGHT)],
    indirect=["context"],
)
def test_the_theme_is_the_systems_until_one_is_chosen(page: "Page", before: str, button: str, after: str) -> None:
    """The page follows the system's theme until the visitor chooses the other."""
    page.goto(f"{WELL}/")
    assert page.evaluate(PAPER) == before
    page.get_by_role("button", name=button).click()
    page.wait_for_load_state()
    assert page.evaluate(PAPER) == after


def test_the_week_by_week_table_opens(page: "Page") -> None:
    """The drawing's values can be read in a table, which opens on a click."""
    page.goto(f"{WELL}/members/{STAR}")
    weeks = page.get_by_role("table", name=re.compile("^Points of the last 26 weeks"))
    assert not weeks.is_visible()
    page.get_by_text("The same, week by week").click()
    assert weeks.get_by_role("row").count() == 27


def test_an_admin_sees_what_needs_doing(page: "Page") -> None:
    """The status is one link away, and begins with the trouble."""
    page.goto(f"{AILING}/")
    page.get_by_role("link", name="Status").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Needs attention"
    assert "outage" in page.get_by_role("region", name="What needs doing").inner_text()


def focused(page: "Page") -> str:
    """Return what has the focus, after checking that the focus is visible."""
    told: dict[str, str] = page.evaluate(
        """() => {
            const it = document.activeElement, style = getComputedStyle(it);
            return {name: it.labels?.[0]?.innerText ?? it.innerText ?? "", outline: style.outlineStyle,
                    shadow: style.boxShadow, tag: it.tagName};
        }"""
    )
    assert told["tag"] == "MAIN" or told["outline"] != "none" or told["shadow"] != "none", told
    return " ".join(told["name"].split())


def tab_to(page: "Page", name: str) -> int:
    """Press Tab until this has the focus, and return how often."""
    for presses in range(1, STEPS_MAX):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return presses
    raise AssertionError(f"{name} cannot be reached")


@SCREENS
def test_everything_can_be_done_with_the_keyboard(page: "Page") -> None:
    """Skipping to the content, searching, paging and switching the theme work by keyboard, with the focus visible."""
    page.goto(f"{WELL}/")
    assert tab_to(page, "Skip to the content") == 1
    page.keyboard.press("Enter")
    tab_to(page, "Find a member")
    page.keyboard.type("hal")
    page.keyboard.press("Enter")
    page.wait_for_url("**/members/hal")
    tab_to(page, "The same, week by week")
    page.keyboard.press("Enter")
    assert page.get_by_role("table", name=re.compile("^Points of the last 26 weeks")).is_visible()
    tab_to(page, "Skip the calendar")
    page.keyboard.press("Enter")
    tab_to(page, "Older →")
    page.keyboard.press("Enter")
    page.wait_for_url("**/members/hal?before=*")
    page.goto(f"{WELL}/members/hal#weeks")
    tab_to(page, "Skip the calendar")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/members/hal?day=*#why")
    page.goto(f"{WELL}/members/hal")
    tab_to(page, "Dark theme")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("data-theme") == "dark"
