"""What people ask about a crowd in PostgreSQL: standings, pages of history, the leaderboard of a month."""

import os
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import crowd
import psycopg
from measured import timed

from trc_engage import Engage
from trc_engage.adapters.postgres import PostgresLedger

ASKED = 500
SCANS = 5
PAGE = 50
TOP = 25
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MONTH_ENDS = date(2026, 2, 28)
OF_THE_MONTH = f"FROM {crowd.SCHEMA}.entries WHERE day BETWEEN '{crowd.MONTH}' AND '{MONTH_ENDS}'"
SCAN = f"SELECT sum(points) {OF_THE_MONTH}"


def crowd_standing(_store: Path, members: int) -> float:
    """Ask for the standings of random members, many times."""
    return _asked(members, lambda engage, member_id: engage.standing(member_id))


def crowd_history(_store: Path, members: int) -> float:
    """Ask for the newest page of random members' history, many times."""
    return _asked(members, lambda engage, member_id: engage.history(member_id, limit=PAGE))


def crowd_month(_store: Path, _members: int) -> float:
    """Ask for the leaderboard of the last whole month."""
    with PostgresLedger.open(os.environ["BENCH_DSN"]) as ledger:
        engage = Engage(ledger=ledger, clock=lambda: NOW)
        engage.leaderboard(month=crowd.MONTH, limit=TOP)
        return timed(lambda: [engage.leaderboard(month=crowd.MONTH, limit=TOP) for _ in range(SCANS)])


def crowd_scan(_store: Path, _members: int) -> float:
    """Read the month's points from an index that contains them, into one sum."""
    with psycopg.connect(os.environ["BENCH_DSN"], autocommit=True) as connection:
        connection.execute(SCAN)
        return timed(lambda: [connection.execute(SCAN).fetchone() for _ in range(SCANS)])


def _asked(members: int, ask: Callable[[Engage, str], object]) -> float:
    chance = random.Random(1)
    asked = [f"member-{chance.randrange(members):08}" for _ in range(ASKED)]
    with PostgresLedger.open(os.environ["BENCH_DSN"]) as ledger:
        engage = Engage(ledger=ledger, clock=lambda: NOW)
        ask(engage, asked[0])

        def work() -> None:
            for member_id in asked:
                ask(engage, member_id)

        return timed(work)
