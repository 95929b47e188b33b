"""A sync of a crowd in PostgreSQL, and the floor: raw COPY and merge of the same rows, written as SQL."""

import os
import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import crowd
import population
import psycopg
from measured import timed

from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger

RISE_MIN, RISE_MAX = 15, 375
"""How much XP a quarter of an hour brings."""

MOVES = """
CREATE TEMP TABLE moves (
    account_id BIGINT, member_id TEXT COLLATE "C", xp_before BIGINT, xp_after BIGINT, baseline BIGINT, points BIGINT
) ON COMMIT DROP
"""
MERGES = (
    "ANALYZE moves",
    """
    INSERT INTO entries (kind, member_id, source, points, day, at, silent,
        account_id, xp_before, xp_after, baseline_before, baseline_after)
    SELECT 'gain', member_id, 'discord', points, %(day)s, %(at)s, false,
        account_id, xp_before, xp_after, baseline, baseline
    FROM moves WHERE points <> 0
    """,
    """
    INSERT INTO balances (member_id, source, points)
    SELECT member_id, 'discord', points FROM moves WHERE points <> 0
    ON CONFLICT (member_id, source) DO UPDATE SET points = balances.points + excluded.points
    """,
    """
    INSERT INTO monthly_balances (month, member_id, points) SELECT %(month)s, member_id, points FROM moves
    WHERE points <> 0
    ON CONFLICT (month, member_id) DO UPDATE SET points = monthly_balances.points + excluded.points
    """,
    """
    INSERT INTO discord_days (day, member_id, account_id, opens_at, closes_at)
    SELECT %(day)s, member_id, account_id, %(opened)s, %(at)s FROM moves
    """,
    """
    UPDATE discord_activity SET version = version + 1, xp_total = moves.xp_after, xp_high = moves.xp_after,
        xp_posted = CASE WHEN moves.points = 0 THEN discord_activity.xp_posted ELSE moves.xp_after END
    FROM moves WHERE discord_activity.account_id = moves.account_id
    """,
    """
    INSERT INTO runs (task, outcome, at, opened, gained, deducted, rebased, unchanged, absent, missed,
        points, pages, board_rows, whole)
    SELECT 'sync', 'synced', %(at)s, 0, count(*), 0, 0, 0, 0, 0, sum(points), 1, count(*), true FROM moves
    """,
)

SETTLED_AT = datetime(2026, 3, 3, 0, 5, tzinfo=UTC)
DAY_OVER = """
INSERT INTO discord_days (day, member_id, account_id, opens_at, closes_at)
SELECT %(day)s, member_id, account_id, %(at)s, %(at)s FROM discord_activity;
"""
READ_SINCE = """
INSERT INTO runs (task, outcome, at, gained, board_rows, whole) VALUES ('sync', 'synced', %(end)s, 0, 1, true)
"""
NEXT_STREAKS = """
SELECT account.member_id, coalesce(streaks.version, 0) + 1, %(day)s, 1, greatest(1, longest)
FROM discord_activity AS account LEFT JOIN streaks USING (member_id) ORDER BY member_id
"""
STREAKS = "CREATE TEMP TABLE new (LIKE streaks) ON COMMIT DROP"
MERGE_STREAKS = """
INSERT INTO streaks SELECT * FROM new ON CONFLICT (member_id) DO UPDATE SET
    version = excluded.version, last = excluded.last, length = excluded.length, longest = excluded.longest
"""

Rise = tuple[int, str, int, int, int, int]


def crowd_sync(_store: Path, _accounts: int) -> float:
    """Sync through `Engage` when everyone's XP rose, from a board in memory to the commit."""
    with psycopg.connect(_dsn()) as connection:
        xp = {discord_id: after for discord_id, (_, _, _, after, _, _) in _rises(connection)}
    source = population.FixedSource(population.board_of(xp))
    with PostgresLedger.open(_dsn()) as ledger:
        engage = Engage(ledger=ledger, source=source, clock=lambda: population.SYNCED_AT)
        seconds = timed(engage.sync)
        gained = ledger.run_state().sync.good_at
    if gained != population.SYNCED_AT:
        raise RuntimeError(gained)
    return seconds


def crowd_merge(_store: Path, _accounts: int) -> float:
    """Copy the rows of the same sync, prepared as text, and merge them in one transaction."""
    with psycopg.connect(_dsn()) as connection:
        rows = _text(rise for _, rise in _rises(connection))
    day = population.SYNCED_AT.date()
    values = {
        "opened": population.OPENED_AT,
        "at": population.SYNCED_AT,
        "day": day,
        "month": day.replace(day=1),
    }
    with psycopg.connect(_dsn(), autocommit=True) as connection:
        connection.execute(f"SET search_path = {crowd.SCHEMA}, pg_temp")

        def write() -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(MOVES)
                with cursor.copy("COPY moves FROM STDIN") as copy:
                    copy.write(rows)
                for statement in MERGES:
                    cursor.execute(statement, values if "%" in statement else None)

        return timed(write)


def crowd_settle(_store: Path, _accounts: int) -> float:
    """Settle, through `Engage`, a weekday on which every account was active."""
    _end_the_day()
    with PostgresLedger.open(_dsn()) as ledger:
        engage = Engage(ledger=ledger, clock=lambda: SETTLED_AT)
        settled: list[date] = []
        seconds = timed(lambda: settled.extend(engage.settle().settled))
    if settled != [population.SYNCED_AT.date()]:
        raise RuntimeError(settled)
    return seconds


def crowd_streaks(_store: Path, _accounts: int) -> float:
    """Copy the streaks of the same day, prepared as text, and merge them in one transaction."""
    _end_the_day()
    with psycopg.connect(_dsn(), autocommit=True) as connection:
        connection.execute(f"SET search_path = {crowd.SCHEMA}, pg_temp")
        found = connection.execute(NEXT_STREAKS, {"day": population.SYNCED_AT.date()}).fetchall()
        rows = _text(found)

        def write() -> None:
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(STREAKS)
                with cursor.copy("COPY new FROM STDIN") as copy:
                    copy.write(rows)
                cursor.execute(MERGE_STREAKS)

        return timed(write)


def _end_the_day() -> None:
    """Let everyone be active on the day of the sync, and record a good sync after it."""
    values = {"day": population.SYNCED_AT.date(), "at": population.SYNCED_AT, "end": SETTLED_AT.replace(minute=0)}
    with psycopg.connect(_dsn(), autocommit=True) as connection:
        connection.execute(f"SET search_path = {crowd.SCHEMA}")
        connection.execute(DAY_OVER, values)
        connection.execute(READ_SINCE, values)
        connection.execute("VACUUM (ANALYZE) discord_days")
        connection.execute("CHECKPOINT")


def _text(rows: Iterable[Sequence[object]]) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def _rises(connection: psycopg.Connection[Any]) -> Iterator[tuple[str, Rise]]:
    """Yield the Discord id of every account, and how it moves."""
    chance = random.Random(1)
    accounts = connection.execute(
        f"SELECT discord_id, account_id, member_id, xp_total, xp_baseline FROM {crowd.SCHEMA}.discord_activity "
        "ORDER BY account_id"
    )
    for discord_id, account_id, member_id, xp, baseline in accounts:
        after = xp + chance.randint(RISE_MIN, RISE_MAX)
        points = (after - baseline) // 100 - (xp - baseline) // 100
        yield discord_id, (account_id, member_id, xp, after, baseline, points)


def _dsn() -> str:
    return os.environ["BENCH_DSN"]
