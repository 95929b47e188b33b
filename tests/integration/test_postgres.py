"""What only a server can do: have many clients, belong to somebody else, end a connection."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import psycopg
import pytest

from support.community import IDS, Community
from support.postgres import schema, server_dsn
from trc_engage import Board, Engage, LedgerBusy, LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger


@pytest.fixture
def place() -> Iterator[str]:
    """Name a schema for a store."""
    with schema() as name:
        yield name


@pytest.fixture
def community(place: str) -> Iterator[Community]:
    """Keep the community's ledger in the schema, with an opening and a gain in it."""
    with PostgresLedger.open(server_dsn(), schema=place) as ledger:
        yield Community(ledger).begun()


@pytest.fixture
def stranger(place: str) -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection of another program, which knows of our schema."""
    with psycopg.connect(server_dsn(), autocommit=True, options=f"-c search_path={place}") as connection:
        yield connection


@pytest.mark.usefixtures("community")
@pytest.mark.parametrize("statement", ["TRUNCATE entries CASCADE", "TRUNCATE members CASCADE"])
def test_entries_are_not_truncated(stranger: psycopg.Connection[Any], statement: str) -> None:
    """Nor with all that refers to a table (R9)."""
    with pytest.raises(psycopg.IntegrityError, match="append-only"):
        stranger.execute(statement)


def test_two_schemas_are_two_stores(community: Community) -> None:
    """In the same database."""
    with schema() as other, PostgresLedger.open(server_dsn(), schema=other) as ledger:
        assert ledger.members() == []
    assert len(community.engage.members()) == 1


class Rising:
    """A board on which everybody has earned more with every look."""

    def __init__(self, ids: dict[str, str]) -> None:
        self.ids = ids
        self.looks = count(1)

    def read(self, _sought: frozenset[str], /) -> Board:
        """Answer as a source."""
        xp = 130 * next(self.looks)
        return Board(dict.fromkeys(self.ids.values(), xp), whole=True, rows=30, pages=1)


def insisted(act: Any, *values: Any, **options: Any) -> Any:
    """Do something until the store is not busy."""
    while True:
        try:
            return act(*values, **options)
        except LedgerBusy:
            continue


def test_many_threads_at_once_leave_exact_sums(community: Community) -> None:
    """Awards, the same from two threads, syncs and settlements meet; each award is paid once, each XP too."""
    names = list(IDS)
    community.enroll(*names)
    engage = Engage(ledger=community.ledger, source=Rising(IDS), clock=lambda: community.now)
    insisted(engage.sync, fresh=True)

    def work(number: int) -> None:
        for step, name in enumerate(names):
            insisted(engage.award, name, source="run", points=3, key=f"{number // 2}:{step}", at=community.now)
            if step % 4 == number % 4:
                insisted(engage.sync, fresh=True)
            insisted(engage.settle)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    entries = engage.feed(limit=10_000)
    assert [entry.position for entry in entries] == list(range(1, len(entries) + 1))
    for standing in engage.members():
        mine = [entry for entry in entries if entry.member_id == standing.member_id]
        assert standing.points_by_source["run"] == 4 * 3 == sum(entry.points for entry in mine if entry.key)
        assert standing.points == sum(entry.points for entry in mine)
    assert engage.audit().breaches == []


def test_a_store_in_use_is_busy(place: str, community: Community, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes for too long makes other writers busy, not broken; readers do not wait."""
    monkeypatch.setattr("trc_engage.adapters.postgres.database.WAIT_SECONDS", 0.05)
    with (
        psycopg.connect(server_dsn()) as connection,
        PostgresLedger.open(server_dsn(), schema=place) as impatient,
    ):
        Community(PostgresLedger.open(connection=connection, schema=place)).award("ada", "held")
        with pytest.raises(LedgerBusy, match="another writer holds it for too long"):
            Community(impatient).enroll("bo")
        assert len(impatient.members()) == 1
        connection.rollback()
        Community(impatient).enroll("bo")
    assert len(community.engage.members()) == 2


def test_all_connections_lent_is_busy(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool makes no more than it may."""
    monkeypatch.setattr("trc_engage.adapters.postgres.database.WAIT_SECONDS", 0.05)
    with (
        PostgresLedger.open(server_dsn(), schema=place, pool_size=1) as ledger,
        ledger._database.connection(),
        pytest.raises(LedgerBusy, match="all 1 connections"),
    ):
        ledger.members()


def test_a_foreign_schema_is_left_alone(place: str, stranger: psycopg.Connection[Any]) -> None:
    """Another program's schema does not get our tables; an empty one that was given to us does."""
    stranger.execute(f"CREATE SCHEMA {place}; CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(LedgerFailed, match="tables of another program"):
        PostgresLedger.open(server_dsn(), schema=place)
    tables = stranger.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [place])
    assert tables.fetchall() == [("theirs",)]
    stranger.execute("DROP TABLE theirs")
    PostgresLedger.open(server_dsn(), schema=place).close()


def test_looking_makes_and_writes_nothing(place: str, community: Community) -> None:
    """A store that is only looked at is there already, and cannot be written to."""
    with pytest.raises(LedgerFailed, match="there is no store"):
        PostgresLedger.open_read_only(server_dsn(), schema="engage_nowhere")
    with PostgresLedger.open_read_only(server_dsn(), schema=place) as looked_at:
        assert looked_at.members() == community.ledger.members()
        with pytest.raises(LedgerFailed, match="read-only"):
            Community(looked_at).enroll("bo")


def test_a_role_that_may_not_is_told_what_it_needs(place: str, stranger: psycopg.Connection[Any]) -> None:
    """A store is not laid out by whoever was not given the right."""
    stranger.execute("DROP ROLE IF EXISTS engage_poor; CREATE ROLE engage_poor LOGIN")
    with pytest.raises(LedgerFailed, match=r"permission denied.*grant this role"):
        PostgresLedger.open(psycopg.conninfo.make_conninfo(server_dsn(), user="engage_poor"), schema=place)


def test_a_connection_that_was_ended_is_replaced(community: Community, stranger: psycopg.Connection[Any]) -> None:
    """By an admin or a firewall, while nobody used it."""
    stranger.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE application_name = 'trc-engage' AND state = 'idle'"
    )
    assert community.points("ada") == 2
    community.award("ada", "after")
