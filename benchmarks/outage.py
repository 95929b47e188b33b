"""A long outage: stores whose syncs have failed for this many days, and what a run costs then."""

import logging
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from trc_engage import Board, Engage, SourceError
from trc_engage.adapters.sqlite import SqliteLedger

SLOT = timedelta(minutes=15)
RUNS = 20
FAILED = "INSERT INTO runs (task, outcome, at, trouble, message, counts) VALUES ('sync', 'failed', ?, 'down', 'no', 1)"
KEPT = "INSERT INTO failure_runs VALUES ('sync', 'any', ?, ?, 'down', 'no')"


class Down:
    """A board that cannot be read."""

    def read(self, _sought: frozenset[str], /) -> Board:
        """Fail at once."""
        raise SourceError("down", "no")


def build(path: Path, days: int) -> None:
    """Let every slot of the last days fail, after a good sync."""
    now = datetime.now(UTC)
    began = now - timedelta(days=days)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE members SET enrolled_at = ?", [_stamp(began)])
    connection.execute("UPDATE runs SET at = ?", [_stamp(began)])
    rows = ([_stamp(began + number * SLOT)] for number in range(days * 96))
    connection.executemany(FAILED, rows)
    connection.execute(KEPT, [days * 96, _stamp(began)])
    connection.commit()
    connection.close()


def failing_run(path: Path, _days: int) -> float:
    """Run what is due, slot by slot, while the board is down."""
    now = datetime.now(UTC)
    logging.disable()
    with SqliteLedger.open(path) as ledger:
        begun = time.perf_counter()
        for number in range(RUNS):
            Engage(ledger=ledger, source=Down(), clock=partial(_later, now, number)).run_due()
        return time.perf_counter() - begun


def _later(now: datetime, slots: int) -> datetime:
    return now + slots * SLOT


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
