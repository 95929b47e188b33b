"""Settling and standings: stores with a year of evidence, and what is measured on them."""

import gc
import random
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import population

from trc_engage import Engage
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.days import Calendar
from trc_engage.core.streaks import Streak, advance_all

FIRST_DAY = date(2025, 1, 6)
DAYS = 350
WEEKDAYS = 250
ACTIVE_SHARE = 0.1
STANDINGS = 2_000

RAW_UPSERT = """
INSERT INTO streaks (member_id, version, last, length, longest) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET version = excluded.version, last = excluded.last,
    length = excluded.length, longest = excluded.longest
"""

RECOMPUTE = """
WITH counted AS (
    SELECT member_id, day, day_number - row_number() OVER (PARTITION BY member_id ORDER BY day) AS island
    FROM (SELECT DISTINCT member_id, day, day_number FROM evidence)
), islands AS (SELECT member_id, island, count(*) AS length, max(day) AS last FROM counted GROUP BY ALL)
SELECT member_id, max(length) AS longest, max_by(length, last) AS length, max(last) AS last FROM islands GROUP BY ALL
"""


def weekdays() -> list[date]:
    """Return the weekdays of the year."""
    days = [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]
    return [day for day in days if day.weekday() < 5]


def active_on(day: date, accounts: int) -> list[int]:
    """Return the account ids of a different random tenth for each day."""
    return sorted(random.Random(day.toordinal()).sample(range(1, accounts + 1), round(accounts * ACTIVE_SHARE)))


def build_year(path: Path, accounts: int) -> None:
    """Give a store of this many accounts a year of evidence, settled up to the last weekday but one."""
    *settled, last = weekdays()
    calendar = Calendar(settled[-1])
    streaks: dict[int, Streak] = {}
    connection = sqlite3.connect(path)
    connection.execute("UPDATE members SET enrolled_at = ?", [f"{FIRST_DAY}T00:00:00.000000+00:00"])
    for day in (*settled, last):
        connection.executemany("INSERT INTO discord_days VALUES (?, ?, ?, ?, ?)", _evidence(day, accounts))
        if day != last:
            for account_id in active_on(day, accounts):
                known = streaks.get(account_id) or Streak(f"member-{account_id - 1:06}", 1)
                (streaks[account_id],) = advance_all([known], day, calendar)
    connection.executemany("INSERT INTO streaks VALUES (?, ?, ?, ?, ?)", map(_row, streaks.values()))
    through = [FIRST_DAY + timedelta(days=n) for n in range((last - FIRST_DAY).days)]
    connection.executemany("INSERT INTO settled_days VALUES (?, ?)", [(str(day), _at(day)) for day in through])
    connection.execute(
        "INSERT INTO runs (task, outcome, at, board_rows, whole) VALUES ('sync', 'synced', ?, 1, 1)",
        [_at(last + timedelta(days=1))],
    )
    connection.execute("DELETE FROM runs WHERE at > ?", [_at(last + timedelta(days=1))])
    connection.commit()
    connection.close()


def settle(store: Path, _accounts: int) -> float:
    """Settle the last weekday through `Engage`."""
    now = datetime.combine(weekdays()[-1] + timedelta(days=1), datetime.min.time(), UTC) + timedelta(minutes=5)
    with SqliteLedger.open(store) as ledger:
        engage = Engage(ledger=ledger, clock=lambda: now)
        gc.collect()
        begun = time.perf_counter()
        report = engage.settle()
        seconds = time.perf_counter() - begun
    if len(report.settled) != 1:
        raise RuntimeError(report)
    return seconds


def raw_upserts(store: Path, accounts: int) -> float:
    """Upsert one prepared row for each active member, in one transaction."""
    last = weekdays()[-1]
    rows = [(f"member-{account_id - 1:06}", 2, str(last), 1, 3) for account_id in active_on(last, accounts)]
    connection = sqlite3.connect(store, isolation_level=None)
    for pragma in population.PRAGMAS:
        connection.execute(pragma)
    begun = time.perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(RAW_UPSERT, rows)
    connection.execute("COMMIT")
    seconds = time.perf_counter() - begun
    connection.close()
    return seconds


def recompute(store: Path, _accounts: int) -> float:
    """Recompute everyone's streaks with DuckDB from all evidence in its memory."""
    import duckdb  # noqa: PLC0415

    connection = sqlite3.connect(store)
    number = {str(day): index for index, day in enumerate(weekdays())}
    rows = connection.execute("SELECT day, account_id FROM discord_days").fetchall()
    connection.close()
    table = {
        "member_id": [account_id for _, account_id in rows],
        "day": [day for day, _ in rows],
        "day_number": [number[day] for day, _ in rows],
    }
    with duckdb.connect() as memory:
        memory.execute("CREATE TABLE evidence (member_id INTEGER, day DATE, day_number INTEGER)")
        path = store.with_suffix(".csv")
        path.write_text("\n".join(",".join(map(str, row)) for row in zip(*table.values(), strict=True)))
        memory.execute(f"COPY evidence FROM '{path}'")
        path.unlink()
        begun = time.perf_counter()
        memory.execute(RECOMPUTE).fetchall()
        return time.perf_counter() - begun


def build_history(path: Path, entries: int) -> None:
    """Give the members of a store this many awards, spread evenly."""
    connection = sqlite3.connect(path)
    members = [member_id for (member_id,) in connection.execute("SELECT member_id FROM members ORDER BY member_id")]
    chance = random.Random(entries)
    rows = (
        ("award", chance.choice(members), "benchmark", 5, str(day), _at(day), f"key-{number}")
        for number in range(entries)
        for day in [FIRST_DAY + timedelta(days=chance.randrange(DAYS))]
    )
    connection.executemany(
        "INSERT INTO entries (kind, member_id, source, points, day, at, silent, key) VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
        rows,
    )
    connection.execute(
        "INSERT OR REPLACE INTO balances SELECT member_id, source, sum(points) FROM entries GROUP BY member_id, source"
    )
    connection.execute(
        "INSERT OR REPLACE INTO monthly_balances "
        "SELECT month, member_id, sum(points) FROM points_by_month GROUP BY month, member_id"
    )
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()


def standing(store: Path, _accounts: int) -> float:
    """Ask for the standings of random members, many times."""
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with SqliteLedger.open(store) as ledger:
        engage = Engage(ledger=ledger, clock=lambda: now)
        members = [member.member_id for member in engage.members()]
        asked = random.Random(1).choices(members, k=STANDINGS)
        begun = time.perf_counter()
        for member_id in asked:
            engage.standing(member_id)
        return time.perf_counter() - begun


def _evidence(day: date, accounts: int) -> Iterator[tuple[str, str, int, str, str]]:
    return (
        (str(day), f"member-{account_id - 1:06}", account_id, _at(day), _at(day))
        for account_id in active_on(day, accounts)
    )


def _row(streak: Streak) -> tuple[object, ...]:
    return (streak.member_id, streak.version, str(streak.last), streak.length, streak.longest)


def _at(day: date) -> str:
    return f"{day}T00:00:00.000000+00:00"
