"""The search by name is fast, blocks no award, and reveals no member whom the visitor may not see."""

import sqlite3
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from time import perf_counter

import pytest

from support.command import Operator
from support.community import MONDAY, Community
from support.postgres import opened_postgres
from support.visitor import Visitor, alone
from trc_engage import Engage
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.ports import Store
from trc_engage.entrypoints.web import create_app
from trc_engage.usecases.members import Newcomer

VISITORS, SEARCHES = 40, 5
AWARDED_EVERY_SECONDS = 0.02
FIRST = ("Ada", "Grace", "Margaret", "Katherine", "Edsger", "Barbara", "Donald", "Radia")


def named(count: int) -> list[Newcomer]:
    """Return this many newcomers, with a first name that many share and a last name of their own."""
    return [Newcomer(f"m-{number}", None, f"{FIRST[number % len(FIRST)]} Of{number:06}") for number in range(count)]


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty store of each kind that has an index of names."""
    if request.param == "postgres":
        with opened_postgres() as opened:
            yield opened
    else:
        with SqliteLedger.open(tmp_path / "engage.db") as opened_file:
            yield opened_file


def test_no_award_waits_for_a_search(ledger: Store) -> None:
    """While 40 visitors search among 5,000 members, no award takes 5 s, half the time that it would wait for a lock."""
    engage = Engage(ledger=ledger, clock=lambda: MONDAY)
    engage.enroll_all(named(5_000))
    visitor, stop, waits = alone(engage), threading.Event(), list[float]()

    def searching(number: int) -> None:
        for turn in range(SEARCHES):
            found = visitor.get("/members", params={"q": FIRST[(number + turn) % len(FIRST)][:3]})
            assert found.status_code == 200
            assert "25 found" in found.text

    def awarding() -> None:
        while not stop.wait(AWARDED_EVERY_SECONDS):
            began = perf_counter()
            engage.award("m-1", source="benchmark", points=1, key=f"k{len(waits)}", at=MONDAY)
            waits.append(perf_counter() - began)

    with ThreadPoolExecutor(VISITORS + 1) as pool:
        awards = pool.submit(awarding)
        try:
            list(pool.map(searching, range(VISITORS)))
        finally:
            stop.set()
        awards.result()
    assert len(waits) > 1
    assert max(waits) < 5


def test_a_search_of_100_000_members_takes_no_memory(tmp_path: Path) -> None:
    """Searches among 100,000 members stay below 4 MB of memory, because no more is read than is shown."""
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        engage = Engage(ledger=ledger, clock=lambda: MONDAY)
        engage.enroll_all(named(100_000))
        visitor = alone(engage)
        visitor.get("/members?q=ada")
        tracemalloc.start()
        try:
            for asked in ("a", "ada", "o", "ada of0", "of099999", "nobody at all", "m-77"):
                assert visitor.get("/members", params={"q": asked}).status_code in {200, 303}
            assert tracemalloc.get_traced_memory()[1] < 4_000_000
        finally:
            tracemalloc.stop()


def test_the_hook_is_asked_about_those_who_were_found_alone() -> None:
    """The hook is asked once about each member found, for one page at most, and may write meanwhile."""
    community, asked = Community(), list[str]()
    community.engage.enroll_all(named(400))

    def may_see(_: object, member_id: str) -> bool:
        asked.append(member_id)
        community.engage.award(member_id, source="asked", points=1, key=f"{len(asked)}", at=MONDAY)
        return False

    visitor = Visitor(create_app(community.engage, may_see=may_see))
    for query, count in (("ada", 26), ("ada of000000", 1), ("m-7", 1), ("nobody", 0)):
        asked.clear()
        visitor.get("/members", params={"q": query})
        assert (len(asked), len(set(asked))) == (count, count)


PATHS = (
    "/members?q={}",
    "/members/{}",
    "/members/{}?before=x",
    "/?month=all&member={}",
    "/api/members/{}",
    "/api/members/{}/history?limit=x",
    "/api/members/{}/calendar?first=x",
    "/api/leaderboard?member={}",
)


@pytest.mark.parametrize("path", PATHS)
def test_whom_one_may_not_see_is_like_nobody(path: str) -> None:
    """A hidden member's id or Discord id gives the same status, headers and text as an unknown one."""
    community = Community()
    community.engage.enroll("seen", discord_id="80351110224670001", name="Bo")
    community.engage.enroll("ada-1", discord_id="80351110224670002", name="Ada")
    visitor = Visitor(create_app(community.engage, may_see=lambda _, member_id: member_id == "seen"))
    for theirs, nobodys in (("ada-1", "eve-1"), ("80351110224670002", "80351110224670003")):
        hidden, nobody = visitor.get(path.format(theirs)), visitor.get(path.format(nobodys))
        assert (hidden.status_code, hidden.text.replace(theirs, nobodys)) == (nobody.status_code, nobody.text)
        same = {"etag", "content-length"}
        assert {*hidden.headers.items()} - {*nobody.headers.items()} <= {
            (k, hidden.headers[k]) for k in same & {*hidden.headers}
        }
    assert visitor.get("/members?q=80351110224670001").headers["location"] == "/members/seen"


def test_an_id_that_one_may_not_see_hides_nobody_of_that_name() -> None:
    """A hidden member whose id is searched for does not hide another member with that name."""
    community = Community()
    community.engage.enroll("ada", name="Somebody")
    community.engage.enroll("seen", name="Ada")
    visitor = Visitor(create_app(community.engage, may_see=lambda _, member_id: member_id == "seen"))
    assert visitor.get("/members?q=ada").headers["location"] == "/members/seen"


def test_the_hook_may_be_slow_and_nobody_waits(tmp_path: Path) -> None:
    """Awards are booked while a search waits for a slow hook."""
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        engage = Engage(ledger=ledger, clock=lambda: MONDAY)
        engage.enroll_all(named(50))
        thinking, done = threading.Event(), threading.Event()

        def may_see(*_: object) -> bool:
            thinking.set()
            return done.wait(10)

        visitor = Visitor(create_app(engage, may_see=may_see))
        with ThreadPoolExecutor(1) as pool:
            search = pool.submit(visitor.get, "/members?q=ada")
            assert thinking.wait(10)
            assert engage.award("m-1", source="benchmark", points=1, key="k", at=MONDAY).outcome == "awarded"
            done.set()
            assert search.result().status_code == 200


def test_what_is_forgotten_stands_in_no_file(tmp_path: Path) -> None:
    """After a member is forgotten, no part of the name is in the store's file (R9)."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "m-1", "--name", "Rumpelstilzchen Unique")
    operator.call("members", "forget", "m-1", "--yes")
    assert b"umpelstilz" not in (tmp_path / "engage.db").read_bytes()


def test_the_doctor_rebuilds_the_words(tmp_path: Path) -> None:
    """The doctor reports wrong words of names without showing a name, and `--repair` makes the search right again."""
    operator = Operator(tmp_path)
    operator.call("members", "enroll", "m-1", "--name", "Ada Lovelace")
    with closing(sqlite3.connect(tmp_path / "engage.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM name_words")
        connection.execute("INSERT INTO name_words VALUES ('bob', 'm-1'), ('zoe', 'm-2')")
    told = operator.call("doctor")
    assert told.code != 0
    assert "Lovelace" not in told.out + told.err
    assert operator.call("doctor", "--repair").code == 0
    with SqliteLedger.open(tmp_path / "engage.db") as ledger:
        assert [one.member_id for one in ledger.find("lovelace", limit=5)] == ["m-1"]
        assert list(ledger.find("bob", limit=5)) == []


def test_the_memory_ledger_finds_as_the_others_do(ledger: Store) -> None:
    """The memory ledger finds the same members in the same order as the databases, for various beginnings of words."""
    memory = MemoryLedger()
    for store in (ledger, memory):
        Engage(ledger=store, clock=lambda: MONDAY).enroll_all(named(60))
    for text in ("a", "m", "o", "of", "of00000", "g o", "o g", "of000001 m", "z", "m-1", ""):
        for limit in (1, 7, 100):
            assert list(ledger.find(text, limit=limit)) == list(memory.find(text, limit=limit))
