"""What members earned in each month is kept, from the first entry on, also of stores from before it was."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlite_utils import Database

from support.community import Community, opened
from support.postgres import schema, server_dsn
from support.stores import SHARED
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.postgres.schema import MIGRATIONS
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.adapters.sqlite.schema import migrations
from trc_engage.adapters.sqlite.tables import APPLICATION_ID
from trc_engage.core.audit.model import Change
from trc_engage.core.ports import Store
from trc_engage.usecases.audit import audit, audited, repair

FEBRUARY, MARCH, APRIL = date(2024, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
ENTRIES = (
    ("ada", 30, date(2024, 2, 1)),
    ("ada", 7, date(2024, 2, 29)),
    ("bo", -4, date(2024, 2, 29)),
    ("ada", 1, date(2024, 3, 1)),
    ("bo", 20, date(2026, 3, 31)),
    ("ada", 5, date(2026, 3, 2)),
    ("ada", -5, date(2026, 3, 31)),
    ("cy", 3, date(2026, 4, 1)),
)
"""Adjustments by member, points and day."""
EARNED = {
    FEBRUARY: {"ada": 37, "bo": -4, "cy": 0},
    date(2024, 3, 1): {"ada": 1, "bo": 0, "cy": 0},
    date(2026, 2, 1): {"ada": 0, "bo": 0, "cy": 0},
    MARCH: {"ada": 0, "bo": 20, "cy": 0},
    APRIL: {"ada": 0, "bo": 0, "cy": 3},
}
ROWS = (
    *(
        f"INSERT INTO members (member_id, enrolled_at, version) VALUES ('{who}', '2024-02-01T00:00:00.000000+00:00', 1)"  # noqa: S608  our own
        for who in EARNED[MARCH]
    ),
    *(
        "INSERT INTO entries (kind, member_id, source, points, day, at, silent, key, reason, actor) "  # noqa: S608
        f"VALUES ('adjustment', '{who}', 'adjustment', {points}, '{day}', '{day}T09:00:00.000000+00:00', '0', "
        f"'fix:{number}', 'typo', 'me')"
        for number, (who, points, day) in enumerate(ENTRIES)
    ),
    "INSERT INTO balances SELECT member_id, source, sum(points) FROM entries GROUP BY member_id, source",
)
SQLITE_VERSIONS = {1: "m002_slots_and_notices", 2: "m003_monthly_balances"}
"""What came next after each version of the schema."""
EMPTIED = "DELETE FROM monthly_balances"


@contextmanager
def file_of_old(folder: Path, version: int) -> Iterator[Store]:
    """Open a file that an earlier version wrote."""
    path = folder / "engage.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrations.apply(Database(connection), stop_before=SQLITE_VERSIONS[version])
        for statement in (
            *ROWS,
            f"PRAGMA application_id = {APPLICATION_ID}",
            f"PRAGMA user_version = {version}",
        ):
            connection.execute(statement)
    with SqliteLedger.open(path) as ledger:
        yield ledger


@contextmanager
def server_of_old(_folder: Path, version: int) -> Iterator[Store]:
    """Open a schema that an earlier version wrote."""
    with schema() as name:
        with psycopg.connect(server_dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}; SET search_path = {name}; SET timezone = 'America/New_York'")
            connection.execute("CREATE TABLE migrations (version BIGINT PRIMARY KEY)")
            for number, script in enumerate(MIGRATIONS[:version], start=1):
                connection.execute(script)
                connection.execute("INSERT INTO migrations VALUES (%s)", [number])
            for statement in ROWS:
                connection.execute(statement.encode())
        with PostgresLedger.open(server_dsn(), schema=name) as ledger:
            yield ledger


OLD = {"sqlite": file_of_old, "postgres": server_of_old}


@pytest.mark.parametrize("version", SQLITE_VERSIONS)
@pytest.mark.parametrize("old", OLD.values(), ids=OLD)
def test_an_older_store_knows_its_months(
    old: Callable[[Path, int], AbstractContextManager[Store]], version: int, tmp_path: Path
) -> None:
    """Each member's sum of each month is that of the entries, which no upgrade loses, and what comes is added to it."""
    with old(tmp_path, version) as ledger:
        assert {month: earned(ledger, month) for month in EARNED} == EARNED
        assert audit(ledger).breaches == []
        Community(ledger).engage.adjust("ada", points=2, key="fix:new", reason="typo", by="me")
        assert earned(ledger, MARCH) == {"ada": 2, "bo": 20, "cy": 0}
        assert audited(ledger).rebalance() == []


def earned(ledger: Store, month: date) -> dict[str, int]:
    """Return what the leaderboard of a month shows."""
    return {rank.member_id: rank.points for rank in ledger.ranking(month, limit=10)}


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize(("damage", "found"), [("UPDATE monthly_balances SET points = 9", "9"), (EMPTIED, "0")])
def test_a_month_is_made_the_sum_of_its_entries(kind: str, damage: str, found: str, tmp_path: Path) -> None:
    """What does not add up is found, mended and told, before and after; a second repair finds nothing to do."""
    with opened(kind, tmp_path) as lent:
        ledger: Any = lent
        community = Community(ledger)
        community.enroll("ada")
        community.award("ada", "run:1", points=30)
        with ledger._database.transaction() as session:
            session.execute(damage)
        assert [breach.message for breach in audit(ledger).breaches] == [
            f"member 'ada': the balance of 2026-03 is {found}, expected 30, the sum of its entries"
        ]
        mended = repair(ledger, community.now)
        assert mended.changes == [Change("balance", "member 'ada'", "the balance of 2026-03", found, "30")]
        assert (mended.audit.is_healthy, earned(ledger, MARCH)) == (True, {"ada": 30})
        assert repair(ledger, community.now).changes == []
