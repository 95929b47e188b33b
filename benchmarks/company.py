"""An app's own transaction and event loop: a joined award and `AsyncEngage`, each compared with the bare statements."""

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import measured
import psycopg
from serving import SOMEBODY, connected_to, statements_of_standing

from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.aio import AsyncEngage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AWARDS = 300
STANDINGS = 2_000
REQUESTS = 200

ENTRY = """
INSERT INTO trc_engage.entries (kind, member_id, source, points, day, at, silent, key)
VALUES ('award', %s, 'benchmark', 5, '2026-03-02', '2026-03-02T09:00Z', false, %s) RETURNING position
"""
BALANCE = """
INSERT INTO trc_engage.balances (member_id, source, points) VALUES (%s, 'benchmark', 5)
ON CONFLICT (member_id, source) DO UPDATE SET points = balances.points + 5
"""
MONTHLY = """
INSERT INTO trc_engage.monthly_balances (month, member_id, points) VALUES ('2026-03-01', %s, 5)
ON CONFLICT (month, member_id) DO UPDATE SET points = monthly_balances.points + 5
"""


def build(dsn: str) -> None:
    """Make a store with a member."""
    with PostgresLedger.open(dsn) as ledger:
        Engage(ledger=ledger, clock=lambda: NOW).enroll(SOMEBODY)


def joined_awards(_store: Path, _accounts: int) -> float:
    """Award on an app's connection, with a commit for each award."""
    with psycopg.connect(os.environ["BENCH_DSN"]) as connection:
        engage = Engage(ledger=PostgresLedger.open(connection=connection), clock=lambda: NOW)
        connection.commit()

        def award(key: str) -> None:
            engage.award(SOMEBODY, source="benchmark", points=5, key=key, at=NOW)
            connection.commit()

        return _each(award)


def raw_awards(_store: Path, _accounts: int) -> float:
    """Write the same rows by hand, on the same connection."""
    with psycopg.connect(os.environ["BENCH_DSN"]) as connection:

        def award(key: str) -> None:
            connection.execute(ENTRY, [SOMEBODY, key]).fetchone()
            connection.execute(BALANCE, [SOMEBODY])
            connection.execute(MONTHLY, [SOMEBODY])
            connection.commit()

        return _each(award)


def _each(award: Callable[[str], None]) -> float:
    name = time.time_ns()
    for number in range(20):
        award(f"warm:{name}:{number}")

    def all_of_them() -> None:
        for number in range(AWARDS):
            award(f"run:{name}:{number}")

    return measured.timed(all_of_them)


def async_standings(store: Path, _accounts: int) -> float:
    """Await `standing`, one call after another."""
    with SqliteLedger.open(store) as ledger:
        return asyncio.run(_awaited(_ours(ledger)))


def thread_selects(store: Path, _accounts: int) -> float:
    """Await the same SELECTs with `asyncio.to_thread`."""
    select = _theirs(store)
    return asyncio.run(_awaited(lambda: asyncio.to_thread(select)))


async def _awaited(ask: Callable[[], Awaitable[Any]]) -> float:
    for _ in range(100):
        await ask()
    gc.collect()
    begun = time.perf_counter()
    for _ in range(STANDINGS):
        await ask()
    return time.perf_counter() - begun


def async_blocked(store: Path, _accounts: int) -> float:
    """Return for how long the loop was blocked while 200 requests awaited `standing` at once, repeatedly."""
    with SqliteLedger.open(store) as ledger:
        return asyncio.run(_blocked(_ours(ledger)))


def thread_blocked(store: Path, _accounts: int) -> float:
    """Return the same for the SELECTs with `asyncio.to_thread`."""
    select = _theirs(store)
    return asyncio.run(_blocked(lambda: asyncio.to_thread(select)))


async def _blocked(ask: Callable[[], Awaitable[Any]]) -> float:
    """Return the longest time between two turns of a task that is always ready: the median of ten crowds."""

    async def beat(gaps: list[float]) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    await asyncio.gather(*(ask() for _ in range(REQUESTS)))
    found = []
    for _ in range(10):
        gc.collect()
        gaps: list[float] = []
        beating = asyncio.create_task(beat(gaps))
        await asyncio.gather(*(ask() for _ in range(REQUESTS)))
        beating.cancel()
        found.append(max(gaps))
    return sorted(found)[len(found) // 2]


def _ours(ledger: SqliteLedger) -> Callable[[], Awaitable[Any]]:
    points = AsyncEngage(Engage(ledger=ledger, clock=lambda: NOW))
    return lambda: points.standing(SOMEBODY)


def _theirs(store: Path) -> Callable[[], None]:
    """Return a function that runs the statements of a `standing` on a connection of its thread."""
    statements, connected = statements_of_standing(store), connected_to(store)

    def select() -> None:
        connection = connected()
        for statement in statements:
            connection.execute(statement, {"me": SOMEBODY}).fetchall()

    return select
