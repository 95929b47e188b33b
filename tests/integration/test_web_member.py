"""The HTML of a member's page."""

import re
from datetime import timedelta
from functools import cache

import pytest

from support.community import Community
from support.lives import STAR, half_year
from support.markup import read
from support.pages import PLACE, mounted, rows, shown
from support.visitor import BEARER, TOKEN, alone, problem_of
from trc_engage import Engage


@cache
def engage() -> Engage:
    """Return half a year of history, which the tests only read."""
    return half_year()


def test_a_members_page_tells_points_streak_and_rank() -> None:
    """Points, streak and sources on the page equal the member's standing; rank and milestones are shown too."""
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
    """The chart has a title and description for screen readers, and a table of each week's points and balance."""
    page, today = shown(alone(engage()), f"/members/{STAR}"), engage().today()
    drawing = page.one("svg", role="img")
    named = [one.attributes["id"] for one in (drawing.one("title"), drawing.one("desc"))]
    assert drawing.attributes["aria-labelledby"].split() == named
    told = rows(page.all("details")[0].one("table"))
    entries = engage().history(STAR, limit=10_000)
    monday = today - timedelta(days=today.weekday())
    for number, (_, earned, balance) in enumerate(told):
        first = monday - number * timedelta(days=7)
        points = [entry.points for entry in entries if first <= entry.day < first + timedelta(days=7)]
        until = [entry.points for entry in entries if entry.day < first + timedelta(days=7)]
        assert (earned, balance) == (f"{sum(points):+}" if sum(points) else "0", f"{sum(until):,}")
    assert len(told) == 26


def test_the_calendar_says_in_words_what_each_sign_means() -> None:
    """The calendar has 26 weeks with headers for weekday and week, and each day's meaning in words."""
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
    """Every kind of day has a shape of its own, so that no one needs to see colors."""
    signs = shown(alone(engage()), f"/members/{STAR}").one("ul", class_="legend").all("svg")
    assert len({str(sign.parts) for sign in signs}) == len(signs) == 8


def test_days_before_the_enrollment_stay_blank() -> None:
    """Days before the enrollment are not shown as missed."""
    community = Community()
    community.enroll("ada")
    cells = shown(alone(community.engage), "/members/ada").one("div", class_="calendar").all("td")
    told = [cell.one("span").words for cell in cells if cell.all("span")]
    assert set(told) == {"before enrollment", "today: not settled yet, nothing so far", "yet to come"}


def test_the_history_explains_each_line_and_turns_pages() -> None:
    """Each entry is on exactly one page of the history, newest first, in the words of the command line."""
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
    """A late entry is listed when it was posted, and names the day for which it counts."""
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
    """For each state of the Discord account, the page has a sentence and all other parts."""
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
    """For a member without a Discord account, the page says that none is linked."""
    assert "No Discord account linked" in shown(alone(engage()), "/members/m-101").words


def test_points_below_zero_are_drawn_and_told() -> None:
    """Negative points are shown as such in the figure and in the chart's description."""
    community = Community()
    community.enroll("ada")
    community.engage.adjust("ada", points=-1_234, key="fix", reason="a mistake", by="admin")
    page = shown(alone(community.engage), "/members/ada")
    assert page.all("span", class_="big")[0].words == "−1,234"
    assert "From 0 to -1,234 points" in page.one("desc").words


def test_a_chart_that_leaves_entries_out_says_so() -> None:
    """The chart uses the newest 10,000 entries, and says before which day it is not exact."""
    community = Community()
    community.enroll("ada")
    community.award("ada", "benchmark:0", points=7)
    assert "not exact" not in shown(alone(community.engage), "/members/ada").words
    community.now += timedelta(days=1)
    for number in range(10_000):
        community.award("ada", f"benchmark:{number + 1}")
    page = shown(alone(community.engage), "/members/ada")
    assert "before 3 Mar 2026 the line is not exact" in page.words
    assert rows(page.all("details")[0].one("table"))[0][2] == "100,007"


def judged() -> Community:
    """Return a community in which an admin reversed an award, excused a day and recorded a leave."""
    community = Community()
    community.enroll("ada")
    community.sync(ada=1_000)
    community.sync(ada=1_350)
    community.award("ada", "benchmark:1", points=40)
    engage = community.engage
    engage.reverse("benchmark:1", reason="run twice", by="admin-7")
    engage.excuse(community.now.date(), reason="ill", by="admin-7", member_id="ada", note="a private note")
    engage.leave("ada", by="admin-7", reason="said goodbye", note="another private note")
    return community


def test_a_day_says_why_and_what_that_rests_on() -> None:
    """The page of a day shows the arithmetic of its points, and each reversal, excusal and leave with its reason."""
    why = shown(alone(judged().engage), "/members/ada?day=2026-03-02").one("section", id="why")
    assert why.one("p", class_="lead").words.startswith("Mon 2026-03-02 counts: XP rose between")
    words = re.sub(r" ([.,:])", r"\1", why.words)
    for said in (
        "350 XP pay 3 points (300 XP), and 50 XP left over (350 - 300) are carried",
        "Entry 3: +40 points for a benchmark of",
        'entry 3 was taken back by admin-7 at Mon 2026-03-02 09:30 UTC (reason: "run twice")',
        'for this member by admin-7 at Mon 2026-03-02 09:30 UTC (reason: "ill", note: "a private note")',
        'admin-7 had marked the member as left (reason: "said goodbye", note: "another private note")',
    ):
        assert said in words


def test_an_entry_says_why() -> None:
    """Each line of the history links to the explanation of its entry."""
    visitor = alone(judged().engage)
    lines = shown(visitor, "/members/ada").one("table", class_="history").all("a")
    pages = [shown(visitor, line.attributes["href"].partition("#")[0]) for line in lines]
    told = [page.one("section", id="why").one("p", class_="lead").words for page in pages]
    assert [one.partition(" ")[0] for one in told] == ["-40", "+40", "At", "Counting"]


def test_the_story_of_a_streak_is_told_newest_first() -> None:
    """The story lists a streak's growth and end, newest first, and each part links to the explanation of its day."""
    page = shown(alone(engage()), f"/members/{STAR}")
    first, *rest = page.all("ul", class_="story")
    newest, before = first.all("a")[:2]
    assert newest.words == "The streak grew to 12 weekdays between Tue 2026-02-17 and Wed 2026-03-04"
    assert before.words == "The streak of 35 weekdays ended on Mon 2026-02-16"
    assert len(first.all("li")) + sum(len(one.all("li")) for one in rest) == len(engage().story(STAR).events)
    missed = shown(alone(engage()), before.attributes["href"].partition("#")[0]).one("section", id="why")
    assert missed.one("p", class_="lead").words.startswith("The streak of 35 weekdays ended on Mon 2026-02-16:")


def test_a_member_reads_that_an_admin_did_it_and_an_admin_reads_who() -> None:
    """Members read that an admin acted; only admins read which one, and the notes (R27)."""
    engage = judged().engage
    member = mounted(engage, lambda *_: True)
    admin = mounted(engage, lambda *_: True, may_administer=lambda _: True)
    paths = ("members/ada?day=2026-03-02", "members/ada?entry=4", "api/feed", "api/members/ada/why?day=2026-03-02")
    for path in (*paths, "api/members/ada/why?entry=4", "api/members/ada/history", "api/members/ada/events"):
        for_member, for_admin = (one.get(f"{PLACE}/{path}").text for one in (member, admin))
        assert "admin-7" not in for_member
        assert "private note" not in for_member
        assert "an admin" in for_member
        assert "admin-7" in for_admin
        assert "an admin" not in for_admin
    assert "a private note" in admin.get(f"{PLACE}/members/ada?day=2026-03-02").text


@pytest.mark.parametrize("path", ["feed?limit=9", "members/ada/why?entry=4", "members/ada/history?limit=9"])
def test_an_admin_and_a_token_can_ask_for_what_the_member_reads(path: str) -> None:
    """With `as=member`, an admin or a client with the token gets exactly what the member would (R27)."""
    member = mounted(judged().engage, lambda *_: True, token=TOKEN)
    admin = mounted(judged().engage, lambda *_: True, may_administer=lambda _: True)
    for_member = member.get(f"{PLACE}/api/{path}").json()
    for visitor, headers in ((member, BEARER), (admin, {})):
        assert visitor.get(f"{PLACE}/api/{path}", headers=headers).json() != for_member
        assert visitor.get(f"{PLACE}/api/{path}&as=member", headers=headers).json() == for_member
        refused = visitor.get(f"{PLACE}/api/{path}&as=admin", headers=headers)
        assert problem_of(refused) == (422, "invalid-value")


@pytest.mark.parametrize("path", ["?entry=999", "?day=tomorrow"])
def test_why_is_told_of_what_is_there(path: str) -> None:
    """An unknown entry or a malformed day gives an error page instead of an explanation."""
    assert shown(alone(judged().engage), f"/members/ada{path}", 422).one("h1").words == "Bad address"


def test_the_rules_are_a_page_that_every_page_leads_to() -> None:
    """Every page links to the rules, which include what the site's awards earn."""
    visitor = alone(engage())
    for path in ("/", f"/members/{STAR}", "/members?q=a", "/status", "/rules"):
        assert "/rules" in shown(visitor, path).addresses
    words = shown(visitor, "/rules").one("main").words
    for said in (
        "1 point for each 100 XP",
        "A benchmark 50 points",
        "Saturday and Sunday never break it",
        "midnight UTC",
    ):
        assert said in words


def test_times_are_of_the_zone_that_was_chosen() -> None:
    """Times are shown in the chosen zone, and an unknown zone leaves them in UTC."""
    community = Community()
    community.enroll("ada")
    community.award("ada", "late", at=community.now.replace(hour=8) - timedelta(days=1))
    visitor = alone(community.engage)
    tokyo = {"Cookie": "trc_engage_zone=Asia/Tokyo"}
    sent = visitor.ask("POST", "/theme", data={"zone": "Asia/Tokyo", "back": "/rules"})
    assert sent.headers["set-cookie"].startswith('trc_engage_zone="Asia/Tokyo"; HttpOnly')
    assert "set-cookie" not in visitor.ask("POST", "/theme", data={"zone": "Mars/Base"}).headers
    (line,) = rows(read(visitor.get("/members/ada", headers=tokyo).text).one("table", class_="history"))
    assert line[0] == "1 Mar 17:00"
    for zone, day in (("Pacific/Auckland", "1 Mar 21:00"), ("nonsense", "1 Mar 08:00")):
        held = {"Cookie": f"trc_engage_zone={zone}"}
        assert rows(read(visitor.get("/members/ada", headers=held).text).one("table", class_="history"))[0][0] == day
