"""What a posting leaves in the run book."""

from ...core.errors import ClaimLost, Moved
from ...core.postings import Claim, Posting, SyncFailure, SyncRun
from ...core.reports import COUNTS
from ...core.slots import SlotEnd
from .failures import add_failure, end_failures
from .session import Session
from .stamps import stamp

TELL = """
INSERT INTO told (channel, topic, kind, since, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (channel, topic) DO UPDATE SET kind = excluded.kind, since = excluded.since, at = excluded.at
"""

SUCCEED = f"""
INSERT INTO runs (task, outcome, at, {", ".join(COUNTS)}, points, pages, board_rows, whole)
VALUES ('sync', 'synced', ?, {", ".join("?" * len(COUNTS))}, ?, ?, ?, ?)
"""


def check_claim(session: Session, claim: Claim | None) -> None:
    """Raise `ClaimLost` if somebody else has the claim by now; whoever writes here holds the lock."""
    if claim is None:
        return
    held = session.execute("SELECT 1 FROM claims WHERE task = ? AND owner = ?", [claim.task, claim.owner])
    if held.fetchone() is None:
        raise ClaimLost


def note(session: Session, posting: Posting, at: str) -> None:
    """Write how a sync and its slot ended, and what was told; raises `Moved` and `ClaimLost`."""
    if posting.run is not None:
        _succeed(session, posting.run, at)
    if posting.failure is not None:
        _fail(session, posting.failure)
    if posting.slot is not None:
        _end(session, posting.slot)
    for told in posting.told:
        session.execute(TELL, [told.channel, told.topic, told.kind, stamp(told.since), stamp(told.at)])


def _end(session: Session, end: SlotEnd) -> None:
    row = [stamp(end.slot), end.outcome, stamp(end.at)]
    if not session.execute(
        "INSERT INTO slots (slot, outcome, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row
    ).rowcount:
        raise ClaimLost


def _fail(session: Session, failure: SyncFailure) -> None:
    session.execute(
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
    if failure.counts:
        add_failure(session, failure)


def _succeed(session: Session, run: SyncRun, at: str) -> None:
    (last_good,) = session.execute("SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced'").fetchone()
    if last_good != run.follows:
        raise Moved
    report = run.report
    row = [at, *report.counts.values(), report.points, report.pages, report.rows, run.whole]
    session.execute(SUCCEED, row)
    end_failures(session)
