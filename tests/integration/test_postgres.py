"""What only a PostgreSQL store can meet: many clients, schemas of other programs, and connections that are ended."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import psycopg
import pytest

from support.community import IDS, Community
from support.postgres import schema, server_dsn
from trc_engage import Board, Engage, InvalidValue, LedgerBusy, LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger


@pytest.fixture
def place() -> Iterator[str]:
    """Return the name of a schema that is dropped after the test."""
    with schema() as name:
        yield name


@pytest.fixture
def community(place: str) -> Iterator[Community]:
    """Yield a community whose ledger is in the schema, with an opening and a gain."""
    with PostgresLedger.open(server_dsn(), schema=place) as ledger:
        yield Community(ledger).begun()


@pytest.fixture
def stranger(place: str) -> Iterator[psycopg.Connection[Any]]:
    """Yield another program's connection, whose search path is our schema."""
    with psycopg.connect(server_dsn(), autocommit=True, options=f"-c search_path={place}") as connection:
        yield connection


@pytest.mark.usefixtures("community")
@pytest.mark.parametrize("statement", ["TRUNCATE entries CASCADE", "TRUNCATE members CASCADE"])
def test_entries_are_not_truncated(stranger: psycopg.Connection[Any], statement: str) -> None:
    """Entries cannot be truncated, not even by truncating a table that they refer to (R9)."""
    with pytest.raises(psycopg.IntegrityError, match="append-only"):
        stranger.execute(statement)


def test_two_schemas_are_two_stores(community: Community) -> None:
    """Two schemas in the same database are two separate stores."""
    with schema() as other, PostgresLedger.open(server_dsn(), schema=other) as ledger:
        assert ledger.members() == []
    assert len(community.engage.members()) == 1


class Rising:
    """A board on which every member has more XP with each read."""

    def __init__(self, ids: dict[str, str]) -> None:
        self.ids = ids
        self.looks = count(1)

    def read(self, _sought: frozenset[str], /) -> Board:
        """Answer as a source."""
        xp = 130 * next(self.looks)
        return Board(dict.fromkeys(self.ids.values(), xp), whole=True, rows=30, pages=1)


def insisted(act: Any, *values: Any, **options: Any) -> Any:
    """Repeat a call until the store is not busy."""
    while True:
        try:
            return act(*values, **options)
        except LedgerBusy:
            continue


def test_many_threads_at_once_leave_exact_sums(community: Community) -> None:
    """Awards, syncs and settlements of 8 threads pay each award and each XP once, and leave no gap in positions."""
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
    """A writer that holds the store too long makes other writers fail with `LedgerBusy`; readers do not wait."""
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
    """When every connection of the pool is in use, the next call fails with `LedgerBusy`."""
    monkeypatch.setattr("trc_engage.adapters.postgres.database.WAIT_SECONDS", 0.05)
    with (
        PostgresLedger.open(server_dsn(), schema=place, pool_size=1) as ledger,
        ledger._database.connection(),
        pytest.raises(LedgerBusy, match="all 1 connections"),
    ):
        ledger.members()


def test_a_foreign_schema_is_left_alone(place: str, stranger: psycopg.Connection[Any]) -> None:
    """A schema with another program's tables is refused and left as it was; an empty one is used."""
    stranger.execute(f"CREATE SCHEMA {place}; CREATE TABLE theirs (id INTEGER)")
    with pytest.raises(LedgerFailed, match="tables of another program"):
        PostgresLedger.open(server_dsn(), schema=place)
    tables = stranger.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [place])
    assert tables.fetchall() == [("theirs",)]
    stranger.execute("DROP TABLE theirs")
    PostgresLedger.open(server_dsn(), schema=place).close()


def test_looking_makes_and_writes_nothing(place: str, community: Community) -> None:
    """Opening read-only creates no store, and refuses to write to one that exists."""
    with pytest.raises(LedgerFailed, match="there is no store"):
        PostgresLedger.open_read_only(server_dsn(), schema="engage_nowhere")
    with PostgresLedger.open_read_only(server_dsn(), schema=place) as looked_at:
        assert looked_at.members() == community.ledger.members()
        with pytest.raises(LedgerFailed, match="read-only"):
            Community(looked_at).enroll("bo")


def test_a_role_that_may_not_is_told_what_it_needs(place: str, stranger: psycopg.Connection[Any]) -> None:
    """A role that may not create the store gets an error that says what to grant."""
    stranger.execute("DROP ROLE IF EXISTS engage_poor; CREATE ROLE engage_poor LOGIN")
    with pytest.raises(LedgerFailed, match=r"permission denied.*grant this role"):
        PostgresLedger.open(psycopg.conninfo.make_conninfo(server_dsn(), user="engage_poor"), schema=place)


def test_a_connection_that_was_ended_is_replaced(community: Community, stranger: psycopg.Connection[Any]) -> None:
    """A pooled connection that an admin or a firewall ended while it was idle is replaced without an error."""
    stranger.execute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE application_name = 'trc-engage' AND state = 'idle'"
    )
    assert community.points("ada") == 2
    community.award("ada", "after")


def test_an_address_beside_a_connection_is_refused_unseen() -> None:
    """An address given together with a connection is refused instead of being ignored, and is not shown."""
    with pytest.raises(InvalidValue, match=r"^dsn: '…': leave it out if you give a connection") as caught:
        PostgresLedger.open("postgresql://ada:secret@host/engage", connection=object())  # type: ignore[call-overload]
    assert "secret" not in str(caught.value)
