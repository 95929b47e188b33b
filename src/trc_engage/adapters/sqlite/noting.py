"""What a posting leaves in the run book."""

import sqlite3

from ...core.errors import ClaimLost, Moved
from ...core.postings import Claim, Posting, SyncFailure, SyncRun
from ...core.slots import SlotEnd
from .stamps import stamp

TELL = """
INSERT INTO told (channel, topic, kind, since, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET kind = excluded.kind, since = excluded.since, at = excluded.at
"""


def check_claim(connection: sqlite3.Connection, claim: Claim | None) -> None:
    """Raise `ClaimLost` if somebody else has the claim by now; whoever writes here holds the lock."""
    if claim is None:
        return
    held = connection.execute("SELECT 1 FROM claims WHERE task = ? AND owner = ?", [claim.task, claim.owner])
    if held.fetchone() is None:
        raise ClaimLost


def note(connection: sqlite3.Connection, posting: Posting, at: str) -> None:
    """Write how a sync and its slot ended, and what was told; raises `Moved` and `ClaimLost`."""
    if posting.run is not None:
        _succeed(connection, posting.run, at)
    if posting.failure is not None:
        _fail(connection, posting.failure)
    if posting.slot is not None:
        _end(connection, posting.slot)
    for told in posting.told:
        connection.execute(TELL, [told.channel, told.topic, told.kind, stamp(told.since), stamp(told.at)])


def _end(connection: sqlite3.Connection, end: SlotEnd) -> None:
    row = [stamp(end.slot), end.outcome, stamp(end.at)]
    if not connection.execute("INSERT INTO slots VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount:
        raise ClaimLost


def _fail(connection: sqlite3.Connection, failure: SyncFailure) -> None:
    connection.execute(
        "INSERT INTO runs (task, outcome, at, trouble, message, counts, retry_at) "
        "VALUES ('sync', 'failed', ?, ?, ?, ?, ?)",
        [
            stamp(failure.at),
            failure.kind,
            failure.message,
            failure.counts,
            failure.retry_at and stamp(failure.retry_at),
        ],
    )


def _succeed(connection: sqlite3.Connection, run: SyncRun, at: str) -> None:
    (last_good,) = connection.execute("SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced'").fetchone()
    if last_good != run.follows:
        raise Moved
    report = run.report
    connection.execute(
        "INSERT INTO runs (task, outcome, at, opened, gained, deducted, rebased, unchanged, absent, missed, "
        "points, pages, board_rows, whole) VALUES ('sync', 'synced', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            at,
            report.opened,
            report.gained,
            report.deducted,
            report.rebased,
            report.unchanged,
            report.absent,
            report.missed,
            report.points,
            report.pages,
            report.rows,
            run.whole,
        ],
    )
