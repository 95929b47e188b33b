"""What every store that processes share can do: be opened by many, outlive them, and refuse changes by others."""

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.community import IDS, Community
from support.stores import SHARED, addressed, opened_at
from trc_engage import LedgerFailed

OPENERS = 8


@pytest.fixture(params=SHARED)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a store that does not exist yet."""
    with addressed(request.param, tmp_path) as lent:
        yield lent


@pytest.fixture
def community(address: str) -> Iterator[Community]:
    """Yield a community whose ledger is at the address, with an opening and a gain."""
    with opened_at(address) as ledger:
        yield Community(ledger).begun()


@contextmanager
def stranger(address: str) -> Iterator[Any]:
    """Yield a connection as another program would have it, to the same tables."""
    dsn, is_server, schema = address.rpartition("schema=")
    if is_server:
        with psycopg.connect(dsn[:-1], autocommit=True, options=f"-c search_path={schema}") as connection:
            yield connection
    else:
        with closing(sqlite3.connect(address, isolation_level=None)) as file:
            yield file


@pytest.mark.usefixtures("community")
@pytest.mark.parametrize("statement", ["UPDATE entries SET points = 99", "DELETE FROM entries"])
def test_the_database_itself_keeps_entries(address: str, statement: str) -> None:
    """The database itself refuses that another program changes or deletes an entry (R9)."""
    refusals = (sqlite3.IntegrityError, psycopg.IntegrityError)
    with stranger(address) as connection, pytest.raises(refusals, match="append-only"):
        connection.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE membership_events SET kind = 'left'",
        "UPDATE membership_events SET reason = 'another'",
        "UPDATE membership_events SET actor = NULL, reason = NULL, note = NULL",
        "DELETE FROM membership_events",
    ],
)
def test_the_database_itself_keeps_what_is_on_record(address: str, community: Community, change: str) -> None:
    """The database itself refuses any change of an event (R26), except that its reason and note can be blanked (R9)."""
    community.engage.leave("ada", by="admin-7", reason="a move", note="by phone")
    refusals = (sqlite3.IntegrityError, psycopg.IntegrityError)
    with stranger(address) as connection:
        with pytest.raises(refusals, match="append-only"):
            connection.execute(change)
        connection.execute("UPDATE membership_events SET reason = NULL, note = NULL WHERE kind = 'left'")
    left = community.engage.events("ada")[-1]
    assert (left.actor, left.reason, left.note) == ("admin-7", None, None)


def test_what_was_posted_outlives_the_process(address: str, community: Community) -> None:
    """A store that is opened again has the same history, members and sync state."""
    told = community.engage.history("ada"), community.engage.members(), community.ledger.run_state().sync
    with opened_at(address) as again:
        assert (again.history("ada", limit=50), again.members(), again.run_state().sync) == told


def opened_and_enrolled(address: str, number: int) -> int:
    """Open the store and enroll a member, as one of many; return the process id."""
    with opened_at(address) as ledger:
        Community(ledger).engage.enroll(f"m-{number}", discord_id=str(1_000 + number))
        return os.getpid()


@pytest.mark.parametrize("is_threaded", [False, True], ids=["processes", "threads"])
def test_many_open_a_new_store_at_once(address: str, *, is_threaded: bool) -> None:
    """When many processes or threads open a new store at once, one creates the tables and no member is lost."""
    spawned = multiprocessing.get_context("spawn")
    pool: Executor = ThreadPoolExecutor(OPENERS) if is_threaded else ProcessPoolExecutor(OPENERS, mp_context=spawned)
    with pool:
        list(pool.map(opened_and_enrolled, [address] * 4 * OPENERS, range(4 * OPENERS)))
    with opened_at(address) as ledger:
        assert len(ledger.members()) == 4 * OPENERS


def test_a_forked_worker_uses_connections_of_its_own(community: Community) -> None:
    """A worker that is forked after the store was opened can write, and so can its parent afterwards."""
    context = multiprocessing.get_context("fork")
    worker = context.Process(target=lambda: community.engage.enroll("bo", discord_id=IDS["bo"]))
    worker.start()
    worker.join()
    community.enroll("cy")
    assert (worker.exitcode, [member.member_id for member in community.engage.members()]) == (0, ["ada", "bo", "cy"])


def test_a_newer_store_is_left_alone(address: str, community: Community) -> None:
    """A store with a newer schema is refused and not changed."""
    with stranger(address) as connection:
        is_file = isinstance(connection, sqlite3.Connection)
        connection.execute("PRAGMA user_version = 999" if is_file else "INSERT INTO schema_migrations VALUES (999)")
    with pytest.raises(LedgerFailed, match=r"schema 999.*upgrade trc-engage"):
        opened_at(address)
    assert community.points("ada") == 2


def test_a_closed_ledger_says_so(community: Community) -> None:
    """A closed ledger raises `LedgerFailed` instead of an error of the database."""
    community.ledger.close()  # type: ignore[attr-defined]
    with pytest.raises(LedgerFailed, match="is closed"):
        community.engage.members()
