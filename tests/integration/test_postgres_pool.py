"""A store behind a pool that changes connections with each transaction, beside an app with tables of the same names."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from time import monotonic
from typing import Any

import psycopg
import pytest

from support.community import IDS, Community
from support.locks import until_waiting
from support.pgbouncer import Pooled, pooled, state
from trc_engage import Board, Engage, LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.postgres.connection import Address
from trc_engage.adapters.sql.tables import TABLES

SECONDS = float(os.environ.get("TRC_ENGAGE_POOL_SECONDS", "8"))
LIKE_OURS = (
    *TABLES,
    "schema_migrations",
    "staged_moves",
    "engage_staged_moves",
    "orders",
)
"""The names of the app's tables."""


@pytest.fixture(scope="module")
def database() -> Iterator[Pooled]:
    """Yield a pool and a database in which an app has created its tables."""
    with pooled(LIKE_OURS) as lent:
        yield lent


@pytest.fixture
def place() -> str:
    """Return the name of a schema that does not exist yet."""
    return f"engage_{os.urandom(4).hex()}"


class Rising:
    """A board on which every member has more XP with each read."""

    looks = count(1)

    def read(self, _sought: frozenset[str], /) -> Board:
        """Answer as a source."""
        return Board(dict.fromkeys(IDS.values(), 130 * next(self.looks)), whole=True, rows=30, pages=1)


class App:
    """A web app behind the same pool, with tables of its own and awards within its own transactions."""

    def __init__(self, database: Pooled, place: str) -> None:
        self.database = database
        self.place = place
        self.lock = threading.Lock()
        self.written = 0
        self.seen: set[Any] = set()

    def work(self, until: float, *, joins: bool) -> None:
        """Write to each table and look at the connection's settings, over and over until this time."""
        numbers = count()
        with self.database.connect() as connection:
            while monotonic() < until:
                with connection.transaction():
                    for name in LIKE_OURS:
                        connection.execute(f"INSERT INTO {name} (n) VALUES (1)".encode())  # noqa: S608  our own names
                    if joins:
                        joined = Community(PostgresLedger.open(connection=connection, schema=self.place))
                        assert joined.points("ada") is not None
                        joined.award("ada", f"joined:{threading.get_ident()}:{next(numbers)}", points=1)
                        connection.execute("INSERT INTO staged_moves (n) SELECT 0 FROM entries LIMIT 1")
                        connection.execute("DELETE FROM staged_moves WHERE n = 0")
                with self.lock:
                    self.written += 1
                self.seen.add(state(connection))
                connection.execute("UPDATE members SET n = n WHERE id % 7 = 0")

    def rows(self) -> set[Any]:
        """Return the set of the tables' sums: one value if all tables have equally many rows."""
        with psycopg.connect(self.database.direct) as connection:
            sums = [f"SELECT sum(n) FROM {name}".encode() for name in LIKE_OURS]  # noqa: S608  our own names
            return {connection.execute(sum_of_one).fetchone() for sum_of_one in sums}


def test_nothing_of_ours_meets_the_app_and_nothing_of_its_meets_us(database: Pooled, place: str) -> None:
    """Beside awards, reads and syncs of 8 threads, the app's rows and settings are its own, and our books are exact."""
    with psycopg.connect(database.direct, autocommit=True) as alone:
        expected = state(alone)
    app, awarded, syncing = App(database, place), count(), threading.Lock()
    with PostgresLedger.open(database.dsn, schema=place) as ledger:
        community = Community(ledger).begun()
        community.enroll(*(name for name in IDS if name != "ada"))
        engage = Engage(ledger=ledger, source=Rising(), clock=lambda: community.now)
        until = monotonic() + SECONDS

        def work(number: int) -> int:
            names, paid = list(IDS), 0
            while monotonic() < until:
                name = names[paid % len(names)]
                key = f"run:{number}:{next(awarded)}"
                for outcome in ("awarded", "unchanged"):
                    made = engage.award(name, source="run", points=3, key=key, at=community.now)
                    assert made.outcome == outcome
                paid += 1
                engage.standing(name)
                engage.leaderboard()
                assert engage.history(name)[0].points is not None
                if number % 2:
                    # Of two syncs at once, one would be busy.
                    with syncing:
                        engage.sync(fresh=True)
            return paid

        with ThreadPoolExecutor(11) as pool:
            apps = [pool.submit(app.work, until, joins=joins) for joins in (True, True, False)]
            paid = sum(pool.map(work, range(8)))
            for one in apps:
                one.result()
        assert app.seen == {expected}
        assert app.rows() == {(app.written,)}
        entries = ledger.feed(after=0, limit=1_000_000)
        assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
        assert sum(entry.points for entry in entries if entry.source == "run") == 3 * paid
        assert sum(member.points for member in engage.members()) == sum(entry.points for entry in entries)
        assert engage.audit().breaches == []
    print(f"{SECONDS:.0f} s: {paid} awards, {app.written} transactions of the app, {len(entries)} entries")  # noqa: T201  for -s


LEFT_BEHIND = (
    "SET search_path = public",
    "SET search_path = pg_temp, public",
    "SET default_transaction_read_only = on",
    "SET default_transaction_isolation = serializable",
    "SET ROLE engage_rude",
    "SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = iso_8601",
    "SET bytea_output = escape; SET standard_conforming_strings = off; SET escape_string_warning = on",
    "SET client_min_messages = debug1",
    "CREATE TEMP TABLE IF NOT EXISTS members (id INT); CREATE TEMP TABLE IF NOT EXISTS staged_moves (id INT)",
    "PREPARE _pg3_0 AS SELECT 1; PREPARE _pg3_1 AS SELECT 1",
)


@pytest.mark.parametrize("left", LEFT_BEHIND)
def test_what_others_left_on_a_connection_is_no_matter(left: str, place: str) -> None:
    """The store works whatever a connection's previous user has set on it, and those settings are kept."""
    with pooled(LIKE_OURS, size=1) as database, PostgresLedger.open(database.dsn, schema=place) as ledger:
        community = Community(ledger)
        with database.connect() as rude:
            rude.execute(left.encode())
            before = state(rude)
            community.begun()
            assert community.award("ada", "run").outcome == "awarded"
            assert (community.points("ada"), community.engage.leaderboard()[0].points) == (12, 12)
            assert community.engage.audit().breaches == []
            assert state(rude) == before
        with psycopg.connect(database.direct) as connection:
            assert connection.execute("SELECT count(*) FROM public.members").fetchone() == (0,)


def test_a_store_is_laid_out_for_many_at_once_behind_a_pool(database: Pooled, place: str) -> None:
    """When 8 clients open a new store at once, one creates the tables and the others wait for it."""

    def opened(number: int) -> None:
        with PostgresLedger.open(database.dsn, schema=place) as ledger:
            Community(ledger).engage.enroll(f"m-{number}", discord_id=str(1_000 + number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(opened, range(8)))
    with PostgresLedger.open_read_only(database.dsn, schema=place) as ledger:
        assert len(ledger.members()) == 8
        with pytest.raises(LedgerFailed, match="read-only"):
            Community(ledger).enroll("bo")


def test_prepared_statements_are_kept_only_where_they_are_asked_for(database: Pooled, place: str) -> None:
    """Statements are prepared only with `prepare`; behind a pool that fails, with the advice to open without it."""
    prepared = "SELECT count(*) > 0 FROM pg_prepared_statements"
    for prepare, dsn in ((False, database.dsn), (True, database.direct)):
        with PostgresLedger.open(dsn, schema=place, prepare=prepare, pool_size=1) as ledger:
            community = Community(ledger)
            community.engage.enroll(f"m-{prepare}", discord_id=str(1_000 + prepare))
            for _ in range(20):
                ledger.members()
                ledger.run_state()
            with ledger._database.connection() as session:
                assert session.execute(prepared).fetchone() == (prepare,)
    told = set()
    with PostgresLedger.open(database.dsn, schema=place, prepare=True) as ledger, ThreadPoolExecutor(8) as pool:

        def read(_: int) -> str:
            try:
                for _number in range(20):
                    ledger.members()
            except LedgerFailed as error:
                return str(error)
            except ValueError:
                # A statement that another connection prepared under the same name may have answered.
                return ""
            return ""

        told = {message for message in pool.map(read, range(16)) if message}
    assert any("open the store without `prepare`" in message for message in told)
    assert not any("backup" in message for message in told)


WAITED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory' AND now() - state_change > '0.1 s'"


@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_a_limit_that_was_left_behind_is_not_ours(place: str, limit: str) -> None:
    """A timeout that another user left on the connection does not end a wait for another writer."""
    with (
        pooled([], size=1) as narrow,
        PostgresLedger.open(narrow.dsn, schema=place) as ledger,
        psycopg.connect(narrow.direct, autocommit=True) as looker,
        psycopg.connect(narrow.direct) as holder,
        ThreadPoolExecutor(1) as pool,
    ):
        community = Community(ledger).begun()
        with narrow.connect() as rude:
            rude.execute(f"SET {limit} = '50ms'".encode())
        holder.execute("SELECT pg_advisory_xact_lock(%s)", [Address.parse(narrow.dsn, place).lock_key])
        waiting = pool.submit(community.award, "ada", "late")
        until_waiting(looker, 1, WAITED)
        holder.rollback()
        assert waiting.result().outcome == "awarded"
