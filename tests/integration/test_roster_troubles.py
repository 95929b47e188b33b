"""In every trouble of Discord, over real sockets, no member is recorded as left and the token appears nowhere."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from support.community import IDS, NAMES
from support.whos_there import Attended, attended
from trc_engage.testing.answers import Answer, Trouble
from trc_engage.testing.discord import TROUBLES

MEMBERS = NAMES
GONE = "gone"
"""The one trouble that looks the same as a real leave."""
HARMLESS = {"clock_off", "no_date", "slow", "no_user"}
"""Troubles in which the answer is still usable."""


def answering(status: int, body: Any, *headers: tuple[str, str]) -> Trouble:
    """Return a trouble that answers with this status and body, which is JSON unless it is bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Trouble.answering("more", "more", Answer(status, raw).having(*headers))


def member(**fields: Any) -> Trouble:
    """Return a trouble that answers with a member object with these fields."""
    return answering(200, {"joined_at": "2024-05-01T10:00:00+00:00", "roles": [], **fields})


LIMITED = {"message": "You are being rate limited.", "retry_after": 5, "global": False}
MORE: dict[str, Trouble] = {
    **{
        f"code {code!r}": answering(404, {"message": "Not Found", "code": code})
        for code in (0, 10_003, 10_008, 50_035, -1, True, None, [10_007], {"code": 10_007}, "10013", 10**40)
    },
    "code NaN": answering(404, b'{"message": "?", "code": NaN}'),
    "gone with another status": answering(400, {"message": "Unknown Member", "code": 10_007}),
    "gone with 200": answering(200, {"message": "Unknown Member", "code": 10_007}),
    "gone with 500": answering(500, {"message": "Unknown Member", "code": 10_007}),
    "deep": answering(404, b"[" * 50_000),
    "half": answering(200, b'{"user": {"id": "3'),
    "latin": answering(200, b'{"user": {"id": "\xe9"}}'),
    "nothing there": answering(204, b""),
    "forbidden without a code": answering(403, {"message": "Forbidden"}),
    "forbidden otherwise": answering(403, {"message": "Missing Permissions", "code": 50_013}),
    "moved for good": answering(301, b"", ("Location", "https://elsewhere.example/")),
    "moved with the method": answering(308, b"", ("Location", "//elsewhere.example")),
    "a teapot": answering(418, b"short and stout"),
    "limited without a word": answering(429, b""),
    "limited backwards": answering(429, {**LIMITED, "retry_after": -5}, ("Retry-After", "-5")),
    "limited by a text": answering(429, {**LIMITED, "retry_after": "soon"}, ("Retry-After", "soon")),
    "limited by a date": answering(429, LIMITED, ("Retry-After", "Wed, 21 Oct 2099 07:28:00 GMT")),
    "limited for ever": answering(429, {**LIMITED, "retry_after": 1e300}),
    "limited by true": answering(429, {**LIMITED, "retry_after": True}),
    "limited by NaN": answering(429, b'{"retry_after": NaN}'),
    "a user who is a list": member(user=[]),
    "an id that is a number": member(user={"id": int(IDS["ada"])}),
    "an id with a blank": member(user={"id": f" {IDS['ada']}"}),
    "roles that are no list": member(user=None, roles="all"),
    "no protocol": Trouble.raw("more", b"hello\r\n\r\n"),
    "an endless head": Trouble.raw("more", b"HTTP/1.1 404 Not Found\r\n" + b"X: y\r\n" * 20_000),
    "a broken chunk": Trouble.raw("more", b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "early hints only": Trouble.raw("more", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a long status": Trouble.raw("more", b"HTTP/1.1 4040 Not Found\r\n\r\n"),
}
ALL: dict[str, Trouble] = {**TROUBLES, **MORE}


@pytest.fixture
def community() -> Iterator[Attended]:
    """Yield nine members who are on the server and were seen there by the roster."""
    with attended() as community:
        community.server.slow_seconds, community.server.drip_seconds = 0.01, 0.05
        community.begin(*MEMBERS)
        yield community


def facts(community: Attended) -> tuple[object, ...]:
    """Return the entries, accounts and events, which no trouble may change."""
    ledger = community.ledger
    accounts = [(one.account_id, one.status, one.xp_total, one.window_from) for one in ledger.linked_accounts()]
    return ledger.feed(after=0, limit=1_000), accounts, [ledger.events(name) for name in MEMBERS]


@pytest.mark.parametrize("name", [name for name in ALL if name != GONE])
def test_nobody_leaves_by_a_trouble(community: Attended, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """Two days of a trouble change none of the facts, and a member who really leaves afterwards is recorded once."""
    before = facts(community)
    asked = len(community.server.requests)
    community.server.trouble(ALL[name])
    with caplog.at_level(0):
        community.go_on(hours=50, minutes=120)
    assert facts(community) == before
    assert len(community.server.requests) > asked
    shown = f"{caplog.text} {community.engage.status()} {community.inbox.notices} {community.roster!r}"
    assert community.server.token not in shown
    told = community.inbox.titles
    assert bool(told) == (name not in HARMLESS), told
    community.server.recover()
    community.leave("ada")
    community.go_on(hours=26, minutes=30)
    assert [event.kind for event in community.noted()] == ["left"]
    assert community.status_of("ada") == "left"
    assert all(title.startswith("All clear") for title in community.inbox.titles[len(told) :])


def test_who_was_gone_by_mistake_has_never_left(community: Attended) -> None:
    """If Discord denies knowing anyone for two days, at most two leaves are recorded, and all are taken back later."""
    before = facts(community)[:2]
    community.server.trouble(GONE)
    community.go_on(hours=50, minutes=30)
    noted = community.noted()
    assert len(noted) <= 2
    assert "too many would have left" in community.inbox.titles[0]
    community.server.recover()
    community.go_on(hours=26, minutes=30)
    assert facts(community)[:2] == before
    assert [one.kind for one in community.noted()] == [kind for _ in noted for kind in ("left", "never_left")]
    community.chat("ada", 500)
    community.run()
    assert community.points("ada") == 5


@pytest.mark.parametrize(
    ("trouble", "kind"), [("token", "token"), ("rate_limited", "rate_limited"), ("no_access", "no_access")]
)
def test_a_round_ends_where_asking_helps_no_more(community: Attended, trouble: str, kind: str) -> None:
    """A token, access or rate-limit error ends the round as failed: answers so far are kept, no one else is asked."""
    community.now += timedelta(days=1)
    community.server.trouble(trouble, after=4)
    asked = len(community.server.requests)
    report = community.engage.check_roster()
    assert (report.outcome, report.asked, len(community.server.requests) - asked) == ("failed", 4, 5)
    assert report.error is not None
    assert report.error.kind == kind
    assert sum(check.asked_at == community.now for check in community.ledger.checks()) == 4


def test_a_wait_is_kept_by_the_store_and_never_slept_through(community: Attended) -> None:
    """No round asks within a wait that Discord asked for, or sleeps through it; afterwards all members are asked."""
    community.now += timedelta(days=1)
    community.server.trouble("rate_limited_global", times=1)
    community.engage.check_roster()
    asked = len(community.server.requests)
    for seconds in (1, 59, 29):
        community.now += timedelta(seconds=seconds)
        assert community.engage.check_roster().asked == 0
    assert len(community.server.requests) == asked
    community.now += timedelta(seconds=1)
    assert community.engage.check_roster().asked == len(MEMBERS)
    assert max(community.paused, default=0) <= 2


def test_the_limits_that_the_headers_tell_are_kept(community: Attended) -> None:
    """With five requests in ten minutes allowed, none is refused and every member is asked in the end."""
    community.now += timedelta(days=1)
    asked = len(community.server.requests)
    community.server.limit(5, per_seconds=600)
    community.go_on(hours=1, minutes=1)
    later = community.server.requests[asked:]
    assert [request.answered for request in later] == [200] * len(MEMBERS)
    assert set(community.server.asked_for[-len(later) :]) == set(IDS.values())


def test_requests_keep_a_second_apart() -> None:
    """Requests of a round are at least a second apart."""
    with attended(gap=1.0) as community:
        community.begin(*MEMBERS)
        assert len(community.paused) == len(MEMBERS) - 1
        assert all(0.9 < seconds <= 1.25 for seconds in community.paused)


def test_a_wrong_server_is_an_empty_one_and_nobody_leaves(community: Attended) -> None:
    """A bot that looks at another server, where no member is, records no leaves, and the admin is alerted."""
    community.server.guild_id = "200000000000000009"
    community.server.members.clear()
    other = type(community.roster).open(
        community.server.guild_id, token=community.server.token, base_url=community.server.url, gap=0
    )
    community.engage = community.using(other)
    with other:
        community.go_on(hours=50, minutes=30)
    assert not community.noted()
    assert "too many would have left" in community.inbox.titles[0]


def test_a_roster_that_is_stopped_ends_its_round(community: Attended) -> None:
    """A stopped roster ends its round without an error, and the run still syncs."""
    community.now += timedelta(days=1)
    community.roster.stop()
    report = community.run()
    assert report.roster is not None
    assert (report.outcome, report.roster.asked, report.roster.error) == ("synced", 0, None)
