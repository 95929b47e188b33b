"""A member's page, as it is sent."""

from datetime import timedelta
from functools import cache

import pytest

from support.community import Community
from support.lives import STAR, half_year
from support.pages import rows, shown
from support.visitor import alone
from trc_engage import Engage


@cache
def engage() -> Engage:
    """Return half a year, which nobody here changes."""
    return half_year()


def test_a_members_page_tells_points_streak_and_rank() -> None:
    """The figures are those of the standing."""
    standing = engage().standing(STAR)
    assert standing.streak is not None
    page = shown(alone(engage()), f"/members/{STAR}")
    big = [one.words for one in page.all("span", class_="big")]
    assert big == [f"{standing.points:,}", f"{standing.streak.current}", "1st"]
    sources = {name.lower(): points for name, points in rows(page.one("table", class_="sources"))}
    assert sources == {name: f"{points:,}" for name, points in standing.points_by_source.items()}
    pairs = [pair.words for pair in page.one("dl", class_="pairs").all("div")]
    assert pairs == ["Current 12 weekdays", "Longest 35 weekdays", "Next milestone 50, 38 to go", "Reached 5, 10, 20"]


def test_the_chart_has_words_and_a_table() -> None:
    """Who does not see the drawing is told what it shows, and can read every week of it."""
    page, today = shown(alone(engage()), f"/members/{STAR}"), engage().today()
    drawing = page.one("svg", role="img")
    named = [one.attributes["id"] for one in (drawing.one("title"), drawing.one("desc"))]
    assert drawing.attributes["aria-labelledby"].split() == named
    told = rows(page.one("details").one("table"))
    entries = engage().history(STAR, limit=10_000)
    monday = today - timedelta(days=today.weekday())
    for number, (_, earned, balance) in enumerate(told):
        first = monday - number * timedelta(days=7)
        points = [entry.points for entry in entries if first <= entry.day < first + timedelta(days=7)]
        until = [entry.points for entry in entries if entry.day < first + timedelta(days=7)]
        assert (earned, balance) == (f"{sum(points):+}" if sum(points) else "0", f"{sum(until):,}")
    assert len(told) == 26


def test_the_calendar_says_in_words_what_each_sign_means() -> None:
    """26 weeks of seven days, each with its weekday and its week as headers, and each kind with a shape of its own."""
    page, today = shown(alone(engage()), f"/members/{STAR}"), engage().today()
    first = today - timedelta(days=today.weekday(), weeks=25)
    told = {}
    for half, table in enumerate(page.one("div", class_="calendar").all("table")):
        weeks = [cell.words for cell in table.one("thead").all("th")]
        for weekday, row in enumerate(table.one("tbody").all("tr")):
            assert row.one("th").words == f"{first + timedelta(days=weekday):%a}"
            for week, cell in enumerate(row.all("td")):
                day = first + timedelta(weeks=13 * half + week, days=weekday)
                monday = day - timedelta(days=weekday)
                assert weeks[week].startswith(f"Week from {monday.day} {monday:%b %Y}")
                told[day] = cell.words
    marks = {day.day: day for day in engage().days(STAR, first, today)}
    assert len(told) == 26 * 7
    for day, words in told.items():
        mark = marks[day].mark if day <= today else "yet to come"
        is_bonus = mark == "weekend" and marks[day].is_active
        assert ("active on a weekend" if is_bonus else mark) in words
        assert words.startswith("today: ") == (day == today)


def test_signs_differ_without_colour() -> None:
    """No two kinds of day have the same shape."""
    signs = shown(alone(engage()), f"/members/{STAR}").one("ul", class_="legend").all("svg")
    assert len({str(sign.parts) for sign in signs}) == len(signs) == 7


def test_days_before_the_enrollment_stay_blank() -> None:
    """Somebody new has missed nothing."""
    community = Community()
    community.enroll("ada")
    cells = shown(alone(community.engage), "/members/ada").one("div", class_="calendar").all("td")
    told = [cell.one("span").words for cell in cells if cell.all("span")]
    assert set(told) == {"before the enrollment", "today: not settled yet, nothing so far", "yet to come"}


def test_the_history_explains_each_line_and_turns_pages() -> None:
    """Every entry stands on one page, newest first, in the words of the command line."""
    visitor, path, told, pages = alone(engage()), f"/members/{STAR}", [], 0
    while path:
        page = shown(visitor, path)
        told += rows(page.one("table", class_="history"))
        older = page.one("nav", class_="paging").all("a", rel="next")
        path, pages = (older[0].attributes["href"] if older else ""), pages + 1
    entries = engage().history(STAR, limit=10_000)
    assert (len(told), pages) == (len(entries), -(-len(entries) // 25))
    assert told[0] == ["5 Mar 14:00", "Discord XP 30,049 → 30,316 (+267), carried 49 → 16", "+3"]
    assert told[3][1:] == [
        "Benchmark, taken back benchmark: entry 1220 taken back by admin-7: run twice by mistake",
        "−40",
    ]
    assert told[-1] == ["25 Aug 2025 09:00", "Account opened counts from 5,000 XP; no points for history", "0"]


def test_a_late_award_says_for_which_day_it_counts() -> None:
    """The line stands where it was posted, and names the day."""
    community = Community()
    community.enroll("ada")
    engage = community.engage
    community.now += timedelta(days=2)
    engage.award("ada", source="benchmark", points=5, key="late", at=community.now - timedelta(days=1))
    engage.reverse("late", reason="no", by="admin")
    page = shown(alone(engage), "/members/ada")
    assert "counts for Tue 3 Mar 2026" in rows(page.one("table", class_="history"))[0][1]


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        ("link", "waiting for its first sync"),
        ("leave", "left Discord; the XP is kept"),
        ("unlink", "unlinked; the points stay"),
        ("forget", "(forgotten) Name and Discord account were erased"),
        ("hide", "Discord account: tracked"),
    ],
)
def test_every_state_of_a_member_has_its_sentence(deed: str, sentence: str) -> None:
    """Whatever became of the Discord account, the page says it and shows the rest."""
    community = Community()
    engage = community.engage
    community.enroll("ada")
    if deed != "link":
        community.sync(ada=500)
        getattr(engage, deed)("ada")
    page = shown(alone(engage), "/members/ada")
    assert sentence in page.one("header", class_="opening").words
    assert ("left out of the leaderboard" in page.one("dl", class_="figures").words) == (deed == "hide")


def test_a_member_without_an_account_is_told_so() -> None:
    """Awards need no Discord."""
    assert "No Discord account linked" in shown(alone(engage()), "/members/m-101").words


def test_points_below_zero_are_drawn_and_told() -> None:
    """The ledger is signed, and so are page and drawing."""
    community = Community()
    community.enroll("ada")
    community.engage.adjust("ada", points=-1_234, key="fix", reason="a mistake", by="admin")
    page = shown(alone(community.engage), "/members/ada")
    assert page.all("span", class_="big")[0].words == "−1,234"
    assert "From 0 to -1,234 points" in page.one("desc").words


def test_a_chart_that_leaves_entries_out_says_so() -> None:
    """It counts the newest 10,000, which is exact for the days since."""
    community = Community()
    community.enroll("ada")
    community.award("ada", "benchmark:0", points=7)
    assert "not exact" not in shown(alone(community.engage), "/members/ada").words
    community.now += timedelta(days=1)
    for number in range(10_000):
        community.award("ada", f"benchmark:{number + 1}")
    page = shown(alone(community.engage), "/members/ada")
    assert "before 3 Mar 2026 the line is not exact" in page.words
    assert rows(page.one("details").one("table"))[0][2] == "100,007"
