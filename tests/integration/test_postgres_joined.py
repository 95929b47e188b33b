"""An award joined to the web app's own transaction is committed with it or not at all."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from support.community import Community
from support.locks import until_waiting
from support.postgres import opened_postgres, server_dsn
from trc_engage import Conflict, LedgerFailed
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.aio import AsyncEngage
from trc_engage.core.posting import Posting, drafted


@pytest.fixture
def community() -> Iterator[Community]:
    """Yield a community whose ledger is in a schema, with an opening and a gain."""
    with opened_postgres() as ledger:
        yield Community(ledger).begun()


@pytest.fixture
def place(community: Community) -> str:
    """Return the schema's name."""
    place: str = community.ledger._database._address.schema  # type: ignore[attr-defined]
    return place


def test_an_award_is_committed_with_the_callers_transaction(place: str, community: Community) -> None:
    """The app's row and our award are committed or rolled back together, and the app's settings stay as they were."""
    with psycopg.connect(server_dsn(), options="-c TimeZone=Asia/Tokyo -c DateStyle=SQL,DMY") as connection:
        connection.execute("CREATE TEMP TABLE runs (score INTEGER)")
        connection.commit()
        joined = PostgresLedger.open(connection=connection, schema=place)
        for end, expected in ((connection.rollback, 0), (connection.commit, 1)):
            connection.execute("INSERT INTO runs VALUES (991)")
            app = Community(joined)
            app.award("ada", "run:991")
            assert (app.points("ada"), community.points("ada")) == (12, 2)
            end()
            assert len([one for one in community.engage.feed(limit=9) if one.key]) == expected
            assert connection.execute("SELECT count(*) FROM runs").fetchone() == (expected,)
            path = connection.execute("SHOW search_path").fetchone()
            assert (path, connection.execute("SHOW lock_timeout").fetchone()) == (('"$user", public',), ("0",))
        assert joined.history("ada", limit=9) == community.ledger.history("ada", limit=9)


def test_an_award_that_fails_leaves_the_callers_transaction_as_it_was(place: str, community: Community) -> None:
    """After a failed award the caller can go on in the transaction, and what was done in it before is committed."""
    with psycopg.connect(server_dsn()) as connection:
        connection.execute("CREATE TEMP TABLE theirs (score INTEGER)")
        joined = Community(PostgresLedger.open(connection=connection, schema=place))
        stray = drafted("award", "nobody", "benchmark", 5, joined.now.date(), joined.now, key="stray")
        with pytest.raises(Conflict):
            joined.ledger.post(Posting(joined.now, drafts=[stray]))
        assert joined.award("ada", "fits").outcome == "awarded"
        connection.execute("INSERT INTO theirs VALUES (1)")
    assert [entry.key for entry in community.engage.feed(limit=9)] == [None, None, "fits"]


def test_without_a_transaction_each_call_is_committed_by_itself(place: str, community: Community) -> None:
    """On a connection in autocommit, each call is committed by itself."""
    with psycopg.connect(server_dsn(), autocommit=True) as connection:
        Community(PostgresLedger.open(connection=connection, schema=place)).award("ada", "alone")
        assert community.engage.history("ada")[0].key == "alone"


@pytest.mark.parametrize("meanwhile", [False, True])
def test_a_transaction_that_cannot_see_others_is_not_joined(
    place: str, community: Community, *, meanwhile: bool
) -> None:
    """A REPEATABLE READ transaction is refused, since a check on its old snapshot could let an award be paid twice."""
    with psycopg.connect(server_dsn()) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        joined = PostgresLedger.open(connection=connection, schema=place)
        if meanwhile:
            community.award("ada", "late")
        with pytest.raises(LedgerFailed, match=r"REPEATABLE READ.*READ COMMITTED"):
            Community(joined).award("ada", "late")
        connection.rollback()
    assert len(community.engage.feed(limit=9)) == 2 + meanwhile


def test_a_transaction_that_has_failed_is_not_joined(place: str, community: Community) -> None:
    """A failed transaction, a closed ledger and a schema without a store are each refused with the remedy."""
    with psycopg.connect(server_dsn()) as connection:
        with pytest.raises(LedgerFailed, match="there is no store"):
            PostgresLedger.open(connection=connection, schema="engage_nowhere")
        joined = PostgresLedger.open(connection=connection, schema=place)
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1 / 0")
        with pytest.raises(LedgerFailed, match="roll it back first"):
            joined.members()
        connection.rollback()
        assert joined.members() == community.ledger.members()
        joined.close()
        with pytest.raises(LedgerFailed, match="is closed"):
            joined.members()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_positions_rise_in_the_order_of_commits(place: str, community: Community) -> None:
    """A second award waits until the first is committed, so that positions in the feed rise in commit order (R23)."""
    community.engage.enroll("bo")
    with (
        psycopg.connect(server_dsn()) as connection,
        psycopg.connect(server_dsn(), autocommit=True) as looker,
        ThreadPoolExecutor(1) as pool,
    ):
        joined = PostgresLedger.open(connection=connection, schema=place)
        Community(joined).award("ada", "first")
        second = pool.submit(community.award, "bo", "second")
        until_waiting(looker)
        assert [entry.position for entry in community.engage.feed(limit=9)] == [1, 2]
        connection.commit()
        second.result()
    assert [(entry.position, entry.key) for entry in community.engage.feed(limit=9)[2:]] == [
        (3, "first"),
        (4, "second"),
    ]


def test_an_event_loop_goes_on_beside_an_award_that_is_not_committed(place: str, community: Community) -> None:
    """While an award waits for another transaction's commit, the event loop serves other calls."""

    async def run(connection: psycopg.Connection[Any]) -> None:
        async with AsyncEngage(community.engage) as points:
            second = points.award("ada", source="benchmark", points=5, key="second", at=community.now)
            task = asyncio.create_task(second)
            told = [(await points.standing("ada")).points for _ in range(20)]
            assert (told, task.done()) == ([2] * 20, False)
            connection.commit()
            assert (await task).outcome == "awarded"
            assert [entry.key for entry in await points.feed()][-2:] == ["first", "second"]

    with psycopg.connect(server_dsn()) as connection:
        Community(PostgresLedger.open(connection=connection, schema=place)).award("ada", "first")
        asyncio.run(run(connection))


def test_no_position_is_left_out(place: str, community: Community) -> None:
    """A rolled-back award leaves no gap in positions, so a gap would show a lost entry (R9)."""
    with psycopg.connect(server_dsn()) as connection:
        Community(PostgresLedger.open(connection=connection, schema=place)).award("ada", "withdrawn")
        connection.rollback()
    community.award("ada", "stands")
    assert [entry.position for entry in community.engage.feed(limit=9)] == [1, 2, 3]
