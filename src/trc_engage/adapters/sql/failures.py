"""Failures in a row: kept as they stand after each run, so that however many there are, two rows are read (R20)."""

from datetime import datetime

from attrs import evolve

from ...core.incidents import Failing, failed_again
from ...core.postings import SyncFailure
from .session import Session
from .stamps import stamp

FROM_RUNS = """
SELECT tally.scope, tally.failures, first_of.at, last_of.trouble, last_of.message
FROM (
    SELECT 'any' AS scope, count(*) AS failures, min(run_id) AS first_id, max(run_id) AS last_id FROM runs
    WHERE counts AND run_id > (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced')
    UNION ALL
    SELECT 'urgent', count(*), min(run_id), max(run_id) FROM runs
    WHERE counts AND trouble IN ('distrusted', 'clock')
        AND run_id > (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced')
) AS tally
JOIN runs AS first_of ON first_of.run_id = tally.first_id
JOIN runs AS last_of ON last_of.run_id = tally.last_id
"""
"""What the runs themselves say of the failures in a row: every one of them is read."""

KEEP = """
INSERT INTO failure_runs (scope, failures, since, trouble, message) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope) DO UPDATE SET
    failures = excluded.failures, since = excluded.since, trouble = excluded.trouble, message = excluded.message
"""


def failing_of(session: Session) -> Failing | None:
    """Read the failures in a row; None if the last run that counts was good."""
    rows = {
        scope: Failing(failures, datetime.fromisoformat(since), trouble, message)
        for scope, failures, since, trouble, message in session.execute(
            "SELECT scope, failures, since, trouble, message FROM failure_runs"
        )
    }
    failing = rows.get("any")
    return failing and evolve(failing, urgent=rows.get("urgent"))


def add_failure(session: Session, failure: SyncFailure) -> None:
    """Count one more."""
    failing = failed_again(failing_of(session), failure.at, failure.kind, failure.message)
    for scope, one in (("any", failing), ("urgent", failing.urgent)):
        if one is not None:
            session.execute(KEEP, [scope, one.count, stamp(one.since), one.kind, one.message])


def end_failures(session: Session) -> None:
    """Note that a sync was good."""
    session.execute("DELETE FROM failure_runs")
