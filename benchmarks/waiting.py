"""What a run costs when nothing is due, compared with the SELECTs that it needs."""

import logging
import sqlite3
import time
from pathlib import Path
from typing import Any

from trc_engage import Board, Engage
from trc_engage.adapters.sqlite import SqliteLedger
from trc_engage.core.posting import Posting
from trc_engage.core.slots import SlotEnd, slot_of

RUNS = 300


class Unread:
    """A board that is not read, since the slot has ended."""

    def read(self, _sought: frozenset[str], /) -> Board:
        """Fail: this run has nothing due."""
        raise AssertionError


def run_nothing_due(path: Path, _accounts: int) -> float:
    """Return how long many runs take that find nothing to do."""
    logging.disable()
    with SqliteLedger.open(path) as ledger:
        engage = _ended(ledger)
        begun = time.perf_counter()
        for _ in range(RUNS):
            engage.run_due()
        return time.perf_counter() - begun


def run_selects(path: Path, _accounts: int) -> float:
    """Return how long the statements that such a run sends take on their own, with all rows fetched."""
    logging.disable()
    sent: list[str] = []
    with SqliteLedger.open(path) as ledger:
        engage = _ended(ledger)
        with ledger._database.connection() as connection:  # noqa: SLF001  to hear what it is asked
            lent: Any = connection
            lent.set_trace_callback(sent.append)
        engage.run_due()
    raw = sqlite3.connect(path, isolation_level=None)
    begun = time.perf_counter()
    for _ in range(RUNS):
        for statement in sent:
            raw.execute(statement).fetchall()
    return time.perf_counter() - begun


def _ended(ledger: SqliteLedger) -> Engage:
    """Return an `Engage` a moment after the last sync, whose slot has ended, with no day left to settle."""
    now = ledger.run_state().sync.good_at
    assert now is not None
    engage = Engage(ledger=ledger, source=Unread(), clock=lambda: now)
    if ledger.run_state(slot_of(now)).slot_end(slot_of(now)) is None:
        ledger.post(Posting(now, slot=SlotEnd(slot_of(now), "synced", now)))
    return engage
