"""What a posting leaves in the run book."""

from ...core.errors import ClaimLost, Moved
from ...core.postings import Claim, Posting, SyncFailure, SyncRun
from ...core.reports import COUNTS
from ...core.slots import SlotEnd
from .failures import add_failure, end_failures
from .session import Session
from .stamps import stamp

NOTE = """
INSERT INTO {table} (channel, topic, kind, since, at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (channel, topic) DO UPDATE SET kind = excluded.kind, since = excluded.since, at = excluded.at
"""

FORGET_CHANNEL = "DELETE FROM channels WHERE channel = ? AND fingerprint = ?"
KEEP_CHANNEL = "INSERT INTO channels (channel, fingerprint, dead_since, not_before, why) VALUES (?, ?, ?, ?, ?)"

SUCCEED = f"""
INSERT INTO runs (
    task, outcome, at, {", ".join(COUNTS)}, points, pages, board_rows, whole, board_id, decision, actor, reason
)
VALUES ('sync', 'synced', ?, {", ".join("?" * len(COUNTS))}, ?, ?, ?, ?, ?, ?, ?, ?)
"""

WAIT = """
INSERT INTO waits (board_id, trouble, until) VALUES (?, ?, ?)
ON CONFLICT (board_id) DO UPDATE SET trouble = excluded.trouble, until = excluded.until
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
    _note_notices(session, posting)
    for state in posting.channels:
        session.execute(FORGET_CHANNEL, [state.channel, state.fingerprint])
        if not state.is_plain:
            times = [at and stamp(at) for at in (state.dead_since, state.not_before)]
            session.execute(KEEP_CHANNEL, [state.channel, state.fingerprint, *times, state.why])


def _note_notices(session: Session, posting: Posting) -> None:
    """Write what is about to be sent, and what became of it."""
    for table, notices in (("notices_begun", posting.begun), ("told", posting.told)):
        for one in notices:
            row = [one.channel, one.topic, one.kind, stamp(one.since), stamp(one.at)]
            session.execute(NOTE.format(table=table), row)
    for one in (*posting.told, *posting.withdrawn):
        session.execute("DELETE FROM notices_begun WHERE channel = ? AND topic = ?", [one.channel, one.topic])


def _end(session: Session, end: SlotEnd) -> None:
    row = [stamp(end.slot), end.outcome, stamp(end.at)]
    if not session.execute(
        "INSERT INTO slots (slot, outcome, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row
    ).rowcount:
        raise ClaimLost


def _fail(session: Session, failure: SyncFailure) -> None:
    retry_at, asked = failure.retry_at and stamp(failure.retry_at), failure.board_id
    session.execute(
        "INSERT INTO runs (task, outcome, at, trouble, message, counts, retry_at, board_id) "
        "VALUES ('sync', 'failed', ?, ?, ?, ?, ?, ?)",
        [stamp(failure.at), failure.kind, failure.message, failure.counts, retry_at, asked],
    )
    if failure.counts:
        add_failure(session, failure)
    if asked is None:
        return
    if retry_at is None:
        session.execute("DELETE FROM waits WHERE board_id = ?", [asked])
    else:
        session.execute(WAIT, [asked, failure.kind, retry_at])


def _succeed(session: Session, run: SyncRun, at: str) -> None:
    (last_good,) = session.execute("SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced'").fetchone()
    if last_good != run.follows:
        raise Moved
    report, decision = run.report, run.decision
    row = [at, *report.counts.values(), report.points, report.pages, report.rows, run.whole, run.board_id]
    session.execute(
        SUCCEED, [*row, *((decision.kind, decision.actor, decision.reason) if decision else (None, None, None))]
    )
    if run.adopts:
        session.execute("DELETE FROM waits")
    else:
        session.execute("DELETE FROM waits WHERE board_id IN (?, '')", [run.board_id])
    end_failures(session)
