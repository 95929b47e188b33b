"""The example app as it is started by hand, with real processes, real HTTP and a store on disk."""

import re
import runpy
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from support.command import ADA
from support.running_app import EXAMPLE, IMPATIENT, ROOT, SECONDS_MAX, running
from trc_engage import (
    Engage,
    EngageError,
    InvalidValue,
    KeyReused,
    LedgerBusy,
    LedgerFailed,
    LinkTaken,
    UnknownMember,
)
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.testing.mee6 import Mee6Server


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Return the path for a store."""
    return str(tmp_path / "engage.db")


def test_the_readme_tells_how_to_start_it() -> None:
    """The README's command installs the extra that the app needs, and starts the file that is tested here."""
    found = re.search(r"pip install '\.\[(\w+)\]' && \.venv/bin/python (\S+)", (ROOT / "README.md").read_text())
    assert found is not None
    assert (found[1], ROOT / found[2]) == ("web", EXAMPLE)


def test_it_mounts_the_pages(store: str) -> None:
    """The app redirects `/` to the leaderboard, which links to members' pages, and hides private members."""
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        app.send("PUT", "/members/ada", name="Ada")
        app.send("PUT", "/members/private-bo", name="Bo")
        app.send("POST", "/benchmarks", member_id="ada", points=50, key="benchmark:1")
        app.send("POST", "/benchmarks", member_id="private-bo", points=40, key="benchmark:2")
        with app.client() as client:
            board = client.get("/", follow_redirects=True)
            assert (board.url.path, "A benchmark" in board.text) == ("/points/", True)
            assert re.findall(r'href="/points/members/([^"]*)"', board.text) == ["ada"]
            pages = [client.get(f"/points/{path}") for path in ("members/ada", "status", "members/private-bo")]
        assert [page.status_code for page in pages] == [200, 200, 404]
        assert app.get("/points/api/members/ada")["points"] == 50


def test_it_serves_without_mee6(store: str) -> None:
    """Without a board, awards, standings, history, leaderboard and feed work."""
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        enrolled = {"member_id": "ada", "outcome": "enrolled", "remains": None}
        assert app.send("PUT", "/members/ada", name="Ada").json() == enrolled
        app.send("PUT", "/members/bo", name="Bo")
        app.send("POST", "/benchmarks", member_id="ada", points=50, key="benchmark:1", at="2026-03-02T09:00:00Z")
        app.send("POST", "/benchmarks", member_id="bo", points=70, key="benchmark:2")
        standing = app.get("/members/ada")
        assert (standing["points"], standing["points_by_source"]) == (50, {"benchmark": 50})
        assert app.get("/members/bo")["streak"]["active_today"]
        assert [entry["day"] for entry in app.get("/members/ada/history?limit=1")] == ["2026-03-02"]
        assert [rank["member_id"] for rank in app.get("/leaderboard")] == ["bo", "ada"]
        assert [rank["points"] for rank in app.get("/leaderboard?month=2026-03")] == [50, 0]
        assert [entry["position"] for entry in app.get("/feed?after=1")] == [2]


def test_a_benchmark_that_is_sent_again_pays_once(store: str) -> None:
    """A benchmark that is sent again gets 200 instead of 201 and pays once; with other points it is a conflict."""
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        app.send("PUT", "/members/ada")
        once = {"member_id": "ada", "points": 50, "key": "benchmark:1"}
        answers = [app.send("POST", "/benchmarks", **once) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 200, 200]
        assert {answer.json()["entry"]["position"] for answer in answers} == {1}
        other = app.send("POST", "/benchmarks", **{**once, "points": 51})
        assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
        assert (other.json()["title"], app.get("/members/ada")["points"]) == ("KeyReused", 50)


def test_whoever_asks_for_what_cannot_be_is_told(store: str) -> None:
    """Unknown members, taken Discord ids and unusable values are refused, and no entry is booked."""
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        app.send("PUT", "/members/ada", discord_id=ADA)
        award = {"member_id": "ada", "points": 50, "key": "benchmark:1"}
        assert app.send("GET", "/members/eve").status_code == 404
        assert app.send("GET", "/members/eve/history").status_code == 404
        assert app.send("POST", "/benchmarks", **{**award, "member_id": "eve"}).status_code == 404
        assert app.send("PUT", "/members/bo", discord_id=ADA).json()["title"] == "LinkTaken"
        for wrong in ({"points": 0}, {"points": "50"}, {"key": None}, {"at": "yesterday"}, {"at": "2026-03-02"}):
            answer = app.send("POST", "/benchmarks", **{**award, **wrong})
            assert (answer.status_code, answer.json()["title"]) == (422, "InvalidValue")
        for path in ("/feed?after=-1", "/feed?after=x", "/leaderboard?month=March", "/members/ada/history?limit=0"):
            assert app.send("GET", path).status_code == 422
        with app.client() as client:
            assert [client.post("/benchmarks", content=sent).status_code for sent in (b"", b"[]", b"\xff")] == [422] * 3
        assert app.get("/feed") == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnknownMember("ada"), 404),
        (KeyReused("key", "one", "other"), 409),
        (LinkTaken("ada", ADA), 409),
        (InvalidValue("points", 0, "give more"), 422),
        (LedgerBusy("try again"), 503),
        (LedgerFailed("the disk is full"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, EngageError) else str(value),
)
def test_every_error_of_the_core_becomes_a_problem(error: EngageError, status: int) -> None:
    """The app's handler gives each error its status, and asks to retry only if the store is busy."""
    answer = runpy.run_path(str(EXAMPLE))["problem"](None, error)
    assert (answer.status_code, "retry-after" in answer.headers) == (status, status == 503)


def test_streaks_are_settled_while_it_runs(store: str) -> None:
    """At its start the app settles days that are over, and an award for a settled day still extends the streak."""
    now = datetime.now(UTC)
    with SqliteLedger.open(store) as ledger:
        Engage(ledger=ledger, clock=lambda: now - timedelta(days=21)).enroll("ada")
    days = [now - timedelta(days=ago) for ago in range(14, 0, -1)]
    weekdays = [day for day in days if day.weekday() < 5]
    with running(str(EXAMPLE), TRC_ENGAGE_STORE=store) as app:
        for at in weekdays[:5]:
            app.send("POST", "/benchmarks", member_id="ada", points=1, key=f"run:{at:%F}", at=at.isoformat())
        app.until("/members/ada", lambda standing: standing["streak"]["longest"] == 5)
        for at in weekdays[5:]:
            app.send("POST", "/benchmarks", member_id="ada", points=1, key=f"run:{at:%F}", at=at.isoformat())
        assert app.get("/members/ada")["streak"]["longest"] == 10


def test_a_board_is_read_when_asked_for(store: str, server: Mee6Server) -> None:
    """XP from before the first sync pays nothing, and XP that is earned later is paid by the next sync."""
    with running("-c", IMPATIENT, store, server.guild_id, server.url, "") as app:
        app.send("PUT", "/members/ada", discord_id=ADA)
        assert app.send("POST", "/sync").status_code == 202
        (opening,) = app.until("/feed", len)
        assert (opening["kind"], opening["silent"], opening["points"]) == ("opening", True, 0)
        server.board.give(ADA, 250)
        app.send("POST", "/sync")
        (gain,) = app.until(f"/feed?after={opening['position']}", len)
        assert (gain["points"], app.get("/members/ada")["points"]) == (2, 2)


def test_it_ends_promptly_though_it_reads(store: str, server: Mee6Server) -> None:
    """The app ends while a read hangs, because the shutdown stops the read."""
    with SqliteLedger.open(store) as ledger:
        Engage(ledger=ledger, clock=lambda: datetime.now(UTC)).enroll("ada", discord_id=ADA)
    reading, go_on = Event(), Event()

    def hold(_page: int) -> None:
        reading.set()
        assert go_on.wait(SECONDS_MAX)

    server.between_pages = hold
    settings = {"TRC_ENGAGE_STORE": store, "TRC_ENGAGE_GUILD_ID": server.guild_id, "TRC_ENGAGE_MEE6_URL": server.url}
    with running(str(EXAMPLE), **settings) as app:
        assert reading.wait(SECONDS_MAX)
        assert app.stop() == -signal.SIGTERM
        assert "upkeep: stopped" in "".join(app.told)
    go_on.set()
