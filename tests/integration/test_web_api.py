"""The JSON API returns what the ledger holds, and writes for clients with the token."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from support.community import IDS, Community, opened
from support.hostile_names import HOSTILE_NAMES
from support.visitor import BEARER, Visitor, alone, problem_of
from trc_engage import SourceError
from trc_engage.core.ports import Store
from trc_engage.entrypoints.web import create_app


@pytest.fixture
def community(tmp_path: Path) -> Iterator[Community]:
    """Yield Ada, who has chatted and has an award, and Bo, on a SQLite ledger in a file."""
    with opened("sqlite", tmp_path) as ledger:
        community = Community(ledger)
        community.enroll("ada", "bo")
        community.sync(ada=1_000, bo=1_000)
        community.sync(ada=1_350)
        community.award("ada", "benchmark:1")
        yield community


@pytest.fixture
def visitor(community: Community) -> Visitor:
    """Return a visitor on this machine."""
    return alone(community.engage)


def every_answer(visitor: Visitor) -> Iterator[str]:
    """Yield the answer of every path that reads, with and without the token."""
    one = ["", "/history", "/history?source=discord", "/calendar"]
    many = ["leaderboard?member=ada", "leaderboard?month=2026-03", "earnings", "feed", "status", "openapi.json"]
    for path in [*(f"members/{name}{what}" for name in ("ada", "bo") for what in one), *many]:
        for headers in ({}, BEARER):
            yield json.dumps(visitor.told(f"/api/{path}", headers=headers))


def test_a_summary_tells_points_by_source_the_streak_and_what_comes_next(visitor: Visitor) -> None:
    """The summary has everything that a member's page starts with, in one request."""
    assert visitor.told("/api/members/ada") == {
        "member_id": "ada",
        "name": "Ada",
        "points": 13,
        "points_by_source": {"benchmark": 10, "discord": 3},
        "discord": {"xp_total": 1_350, "xp_carried": 50, "xp_to_next_point": 50, "status": "tracked"},
        "streak": {"current": 0, "longest": 0, "active_today": True, "at_risk": False, "next_milestone": 5},
        "left": False,
    }


def test_no_discord_id_leaves_through_the_api(community: Community, visitor: Visitor) -> None:
    """No answer and no error has a Discord id, with or without the token."""
    taken = visitor.ask("PUT", "/api/members/bo/link", json={"discord_id": IDS["ada"]}, headers=BEARER)
    assert problem_of(taken) == (409, "link-taken")
    community.engage.unlink("bo")
    other = visitor.ask("PUT", "/api/members/bo/link", json={"discord_id": IDS["ada"]}, headers=BEARER)
    assert problem_of(other) == (409, "link-taken")
    for text in [taken.text, other.text, *every_answer(visitor)]:
        assert not any(discord_id in text for discord_id in IDS.values())


@pytest.mark.parametrize("query", ["", "&source=discord", "&source=benchmark", "&source=nothing"])
def test_following_the_cursor_tells_every_entry_once_newest_first(
    community: Community, visitor: Visitor, query: str
) -> None:
    """Following `next_before` gives each entry once, newest first, in full pages, also with a filter by source."""
    for number in range(7):
        community.award("ada", f"more:{number}")
        community.sync(ada=1_500 + 100 * number)
    source = query.removeprefix("&source=")
    entries = community.engage.history("ada", limit=100)
    expected = [entry.position for entry in entries if not source or entry.source == source]
    found, cursor = [], ""
    while True:
        page = visitor.told(f"/api/members/ada/history?limit=3{query}{cursor}")
        found += [entry["position"] for entry in page["entries"]]
        if page["next_before"] is None:
            break
        assert len(page["entries"]) == 3
        cursor = f"&before={page['next_before']}"
    assert expected == found


def test_a_calendar_tells_the_last_26_weeks_or_the_days_named(visitor: Visitor) -> None:
    """The calendar has the last 182 days or those asked for, oldest first, each with the sources it was active by."""
    days = visitor.told("/api/members/ada/calendar")["days"]
    assert (len(days), days[0]["day"], days[-1]["day"]) == (182, "2025-09-02", "2026-03-02")
    assert days[-1] == {"day": "2026-03-02", "mark": "active", "active": True, "sources": ["benchmark", "discord"]}
    week = visitor.told("/api/members/bo/calendar?first=2026-02-27&last=2026-03-01")["days"]
    assert [day["mark"] for day in week] == ["before", "before", "before"]


def test_a_leaderboard_leaves_out_who_opted_out_and_shows_everybody_the_own_rank(
    community: Community, visitor: Visitor
) -> None:
    """Hidden and forgotten members are not listed, but a member's own rank is given, for all time and for a month."""
    community.enroll("cy")
    community.award("cy", "benchmark:2", points=99, at=community.now - timedelta(days=30))
    community.engage.enroll("gone")
    community.award("gone", "benchmark:3", points=500)
    community.engage.forget("gone")
    community.engage.hide("ada")
    board = visitor.told("/api/leaderboard?member=ada")
    assert [(one["rank"], one["member_id"]) for one in board["ranks"]] == [(1, "cy"), (2, "bo")]
    assert board["own"] == {"rank": 2, "member_id": "ada", "name": "Ada", "points": 13, "left": False}
    march = visitor.told("/api/leaderboard?month=2026-03&limit=1")
    assert (march["month"], march["own"], len(march["ranks"])) == ("2026-03", None, 1)
    community.engage.show("ada")
    assert visitor.told("/api/leaderboard?month=2026-03")["ranks"][0]["member_id"] == "ada"


def test_a_leaderboard_by_streak_counts_settled_days(community: Community, visitor: Visitor) -> None:
    """The leaderboard by streak lists current streaks, and refuses a month or an own rank."""
    assert visitor.told("/api/leaderboard?by=streak")["ranks"] == []
    community.now += timedelta(days=1)
    community.engage.sync()
    community.engage.settle()
    streaks = {one["member_id"]: one["streak"] for one in visitor.told("/api/leaderboard?by=streak")["ranks"]}
    assert streaks["ada"] == visitor.told("/api/members/ada")["streak"]["current"] == 1
    for query in ("by=luck", "by=streak&month=2026-03", "by=streak&member=ada"):
        assert problem_of(visitor.get(f"/api/leaderboard?{query}")) == (422, "invalid-value")


def test_what_earns_points_is_told(visitor: Visitor) -> None:
    """The earnings are our rule for XP and the host's values for awards."""
    assert visitor.told("/api/earnings") == {
        "discord": {"xp": 100, "points": 1},
        "awards": [{"what": "A benchmark", "points": 50}, {"what": "A download", "points": 5}],
    }


def test_a_follower_of_the_feed_misses_nothing(community: Community, visitor: Visitor) -> None:
    """Following the feed gives every entry that may be seen once, even past pages whose members are all hidden."""
    community.engage.hide("ada")
    for headers, members_told in (({}, {"bo"}), (BEARER, {"ada", "bo"})):
        found, after, more = [], 0, True
        while more:
            page = visitor.told(f"/api/feed?limit=1&after={after}", headers=headers)
            found += page["entries"]
            after, more = page["after"], page["more"]
        assert {entry["member_id"] for entry in found} == members_told
        everything = community.engage.feed()
        assert [entry["position"] for entry in found] == [
            entry.position for entry in everything if entry.member_id in members_told
        ]
        assert visitor.told(f"/api/feed?after={after}", headers=headers) == {
            "entries": [],
            "after": everything[-1].position,
            "more": False,
        }


def test_the_status_tells_what_fails_and_what_waits_but_not_where_the_store_is(
    community: Community, visitor: Visitor, tmp_path: Path
) -> None:
    """The status shows failures and troubles, but not the store's path."""
    community.trouble = SourceError("down", "MEE6 answered 502")
    for _ in range(3):
        community.now += timedelta(hours=1)
        community.engage.run_due()
    status = visitor.told("/api/status")
    assert (status["healthy"], status["failures"], status["failing"]["kind"]) == (False, 3, "down")
    assert status["troubles"][0]["meaning"]
    assert str(tmp_path) not in json.dumps(status)
    assert "store" not in status


@pytest.mark.parametrize("path", ["members/ada", "members/ada/history", "members/ada/calendar", "leaderboard", "feed"])
def test_what_has_not_changed_is_not_sent_again(community: Community, visitor: Visitor, path: str) -> None:
    """A client that sends the ETag of the last answer gets a 304 until something changes."""
    first = visitor.get(f"/api/{path}")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = visitor.get(f"/api/{path}", headers={"If-None-Match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    community.award("ada", "benchmark:new")
    changed = visitor.get(f"/api/{path}", headers={"If-None-Match": tag})
    if path.endswith("calendar"):
        assert changed.status_code == 304
    else:
        assert (changed.status_code, changed.headers["etag"] == tag) == (200, False)


AWARD = {"source": "benchmark", "points": 5, "key": "k", "at": "2026-03-02T09:00:00Z"}
BY_HAND = {"key": "k", "reason": "a reason", "by": "admin-7"}
WRITES: list[tuple[str, str, Any, int, str]] = [
    ("POST", "members/bo/awards", AWARD, 201, "awarded"),
    ("POST", "members/bo/adjustments", {**BY_HAND, "points": -5}, 201, "adjusted"),
    ("POST", "reversals", {**BY_HAND, "key": "benchmark:1"}, 201, "reversed"),
    ("PUT", "members/new", {"name": "New", "discord_id": IDS["cy"]}, 200, "enrolled"),
    ("PUT", "members/bo", {"name": "Robert"}, 200, "updated"),
    ("DELETE", "members/bo/link", None, 200, "unlinked"),
    ("POST", "members/bo/leave", None, 200, "left"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "outcome"), WRITES)
def test_writing_twice_is_writing_once(
    visitor: Visitor, method: str, path: str, body: Any, status: int, outcome: str
) -> None:
    """A write that is sent again gives 200 and `unchanged`, and adds no entry."""
    first = visitor.ask(method, f"/api/{path}", json=body, headers=BEARER)
    assert (first.status_code, first.json()["outcome"]) == (status, outcome)
    assert first.headers["cache-control"] == "no-store"
    feed = visitor.told("/api/feed", headers=BEARER)
    again = visitor.ask(method, f"/api/{path}", json=body, headers=BEARER)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert visitor.told("/api/feed", headers=BEARER) == feed


def test_members_are_listed_as_admins_choose(visitor: Visitor, community: Community) -> None:
    """Members can be picked by name, status and never having been seen, page by page."""
    community.engage.enroll("m-1", name="Bo Diddley", discord_id="401")
    community.engage.hide("m-1")
    community.engage.enroll("m-2", name="Zoe Bodkin")

    def listed(query: str, after: str = "") -> list[str]:
        found = visitor.told(f"/api/members?{query}&after={after}", headers=BEARER)
        rest = found["next_after"]
        return [one["member_id"] for one in found["members"]] + (listed(query, rest) if rest else [])

    for size in ("", "&limit=1"):
        assert listed(f"name=BOD{size}") == ["m-2"]
        assert {"m-1", "m-2"} <= {*listed(f"name=bo{size}")}
        assert listed(f"name=bo%20zoe{size}") == ["m-2"]
        assert listed(f"never_seen=1{size}") == ["m-1"]
        assert listed(f"name=bo&status=none{size}") == ["m-2"]
        assert listed(f"name=!{size}") == []
    for query in ("status=gone", "never_seen=2", "never_seen=yes"):
        assert problem_of(visitor.get(f"/api/members?{query}", headers=BEARER)) == (422, "invalid-value")


def test_a_page_of_the_feed_asks_once_for_its_members(community: Community) -> None:
    """A page of the feed takes two calls to the store, however many members are on it, and leaves out hidden ones."""
    asked: list[object] = []

    class Counted:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            return getattr(community.ledger, name)

    for member_id in ("cy", "di"):
        community.engage.enroll(member_id)
    for member_id in ("ada", "bo", "cy", "di"):
        community.award(member_id, f"feed:{member_id}")
    community.engage.hide("di")
    app = create_app(community.engage.on(cast("Store", Counted())), may_see=lambda *_: True)
    told = Visitor(app).told("/api/feed?limit=500")
    assert {"ada", "bo", "cy"} == {one["member_id"] for one in told["entries"]}
    assert sorted(map(str, asked)) == ["feed", "members"]


def test_a_member_leaves_returns_and_is_linked_anew(visitor: Visitor, community: Community) -> None:
    """A member can leave, return, be unlinked and be linked to another Discord id through the API."""
    steps = [
        ("POST", "leave", None, "left"),
        ("POST", "rejoin", None, "returned"),
        ("DELETE", "link", None, "unlinked"),
        ("PUT", "link", {"discord_id": IDS["dee"]}, "linked"),
    ]
    for method, what, body, outcome in steps:
        response = visitor.ask(method, f"/api/members/ada/{what}", json=body, headers=BEARER)
        assert (response.status_code, response.json()) == (200, {"member_id": "ada", "outcome": outcome})
    discord = community.engage.standing("ada").discord
    assert discord
    assert (discord.discord_id, discord.status) == (IDS["dee"], "waiting")


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_a_hostile_name_comes_back_as_it_was_in_an_answer_that_nothing_takes_for_more(
    visitor: Visitor, name: str
) -> None:
    """A hostile name is returned unchanged in pure ASCII JSON, with headers that forbid sniffing and scripts."""
    sent = visitor.ask("PUT", "/api/members/ada", json={"name": name}, headers=BEARER)
    assert sent.status_code == 200
    for path in ("members/ada", "leaderboard?member=ada"):
        response = visitor.get(f"/api/{path}")
        told = response.json()
        assert name == (told["name"] if path == "members/ada" else told["own"]["name"])
        assert response.content.isascii()
        assert response.headers["content-type"] == "application/json"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_month_and_a_day_at_the_end_of_all_calendars_are_no_crash(visitor: Visitor) -> None:
    """A month or day at the very end of the calendar is refused; one far in the future is answered."""
    assert visitor.get("/api/leaderboard?month=2999-12").status_code == 200
    assert visitor.get("/api/members/ada/calendar?first=2999-12-01&last=2999-12-31").status_code == 200
    assert problem_of(visitor.get("/api/leaderboard?month=9999-12")) == (422, "invalid-value")
    last = date.max.isoformat()
    assert problem_of(visitor.get(f"/api/members/ada/calendar?last={last}")) == (422, "invalid-value")


SAID: dict[str, tuple[str, str, Any, str]] = {
    "a missing field": ("POST", "members/bo/awards", {**AWARD, "at": ...}, "at: it is missing"),
    "a flag as a text": (
        "POST",
        "members/bo/awards",
        {**AWARD, "counts_as_activity": "no"},
        "counts_as_activity: 'no': give true or false",
    ),
    "a truth as points": ("POST", "members/bo/awards", {**AWARD, "points": True}, "points: true: give a whole number"),
    "null as a key": ("POST", "members/bo/awards", {**AWARD, "key": None}, "key: null: give text of 1 to 200"),
    "a list as a body": ("POST", "members/bo/awards", [1], "body: it must be a JSON object"),
    "another century": (
        "POST",
        "members/bo/awards",
        {**AWARD, "at": "1999-03-02T09:00:00Z"},
        "give a time in the years 2000 to 2999",
    ),
    "no zone": (
        "POST",
        "members/bo/awards",
        {**AWARD, "at": "2026-03-02T09:00:00"},
        "it has no zone; give a time with its zone",
    ),
    "days backwards": (
        "GET",
        "members/ada/calendar?first=2026-03-03&last=2026-03-02",
        None,
        "last: '2026-03-02': give a day from 2026-03-03 on",
    ),
    "neither 0 nor 1": ("GET", "members?never_seen=2", None, "never_seen: '2': give 0 or 1"),
    "no position": ("GET", "feed?after=-1", None, "after: '-1': give a whole number from 0 on"),
    "a weekend": (
        "POST",
        "excusals",
        {"days": ["2026-03-07"], "by": "a", "reason": "b"},
        "days: '2026-03-07': Saturdays",
    ),
}


@pytest.mark.parametrize(("method", "path", "body", "says"), SAID.values(), ids=SAID)
def test_a_problem_names_what_was_sent_as_it_was_sent(
    visitor: Visitor, method: str, path: str, body: Any, says: str
) -> None:
    """The detail names the request's own parameter, shows a value as in JSON, and says what to send."""
    sent = {name: one for name, one in body.items() if one is not ...} if isinstance(body, dict) else body
    options = {} if sent is None else {"json": sent}
    problem = visitor.ask(method, f"/api/{path}", headers=BEARER, **options).json()
    assert (problem["status"], says in problem["detail"]) == (422, True), problem
    assert problem["field"] == says.partition(":")[0] or problem["field"] == "at"


def test_an_award_says_who_gave_it(visitor: Visitor) -> None:
    """`by` of an award is recorded, as in `Engage.award`; without it nobody is."""
    given = visitor.ask("POST", "/api/members/bo/awards", json={**AWARD, "by": "admin-7"}, headers=BEARER)
    assert (given.status_code, given.json()["entry"]["by"]) == (201, "admin-7")
