"""The `RunBook` port: outcomes of syncs, rounds and slots, sent notices, leases, and clock decisions."""

import os
import secrets
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import evolve

from ...core.days import settled_before
from ...core.errors import Conflict, LeaseLost, LedgerBusy
from ...core.incidents import UNSEEN_MIN, ChannelState, FailureRun, SentNotice
from ...core.posting import Lease, Posting, RunState, SyncFailure, SyncRun, SyncState
from ...core.records import Ahead, ClockDecision
from ...core.reports import COUNTS
from ...core.roster import Contradiction, RosterState
from ...core.settlement import ROSE_THE_DAY_BEFORE_MIN, days_watched
from ...core.slots import SlotEnd, Wait
from ...core.validation import AHEAD_MAX
from . import Connection, Database, Record, Row, Rows, SqlStore, Statement, inserting, replacing, stamp
from .queries import CALENDAR, ENTRY, EXCUSED, NEVER_SEEN, SOUGHT, calendar_of_row, entry_of_row
from .views import CHECKS, FORGET_CHECKS

DECISIONS = Record(ClockDecision, "clock_decisions")
DECIDE = inserting(DECISIONS.table, DECISIONS.columns)
AHEAD = """
SELECT (SELECT count(*) FROM runs WHERE outcome = 'synced' AND at > :at),
    (SELECT count(*) FROM settled_days WHERE settled_at > :at),
    (SELECT max(day) FROM settled_days WHERE settled_at <= :at),
    (SELECT max(at) FROM runs WHERE outcome = 'synced' AND at <= :at),
    (SELECT min(enrolled_at) FROM members),
    (SELECT count(*) FROM members WHERE enrolled_at > :at) + (SELECT count(*) FROM slots WHERE at > :at)
        + (SELECT count(*) FROM clock_decisions
           WHERE at > :at AND number = (SELECT max(number) FROM clock_decisions))
"""
RISES_AHEAD = """
SELECT account_id, min(opens_at), min(linked_at) FROM discord_days JOIN discord_activity USING (account_id)
WHERE closes_at > ? GROUP BY account_id
"""
AWARDS_AHEAD = f"""
{ENTRY} WHERE kind = 'award' AND at > ? AND position NOT IN (SELECT reverses FROM entries WHERE reverses IS NOT NULL)
ORDER BY position
"""
EARLIER = "{0} = CASE WHEN {0} > :at THEN :at ELSE {0} END"
# Failures since the last remaining good sync no longer count. That sync did not look for accounts opened since, so
# their window begins at the link.
BRING_BACK = f"""
UPDATE runs SET outcome = 'undone' WHERE outcome = 'synced' AND at > :at;
UPDATE runs SET counts = false WHERE outcome = 'failed'
    AND run_id > (SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced');
DELETE FROM settled_days WHERE settled_at > :at;
DELETE FROM discord_days WHERE closes_at > :at;
INSERT INTO readings (day, account_id, xp)
    SELECT CASE WHEN false THEN day ELSE :day END, account_id, xp FROM readings AS last
    WHERE day > :day AND NOT EXISTS (
        SELECT 1 FROM readings AS later WHERE later.account_id = last.account_id AND later.day > last.day
    )
    ON CONFLICT (day, account_id) DO UPDATE SET xp = excluded.xp;
DELETE FROM readings WHERE day > :day;
DELETE FROM slots WHERE slot > :at OR at > :at;
DELETE FROM requests WHERE task = 'roster' OR next_at > :at;
DELETE FROM leases WHERE taken_at > :at;
DELETE FROM roster_checks WHERE asked_at > :at;
UPDATE members SET version = version + 1, enrolled_at = :at WHERE enrolled_at > :at;
UPDATE discord_activity SET {EARLIER.format("linked_at")}, {EARLIER.format("unlinked_at")}
    WHERE linked_at > :at OR unlinked_at > :at;
UPDATE discord_activity SET version = version + 1, window_from = linked_at
    WHERE status IN ('tracked', 'absent') AND window_from IS NULL
    AND account_id IN (SELECT account_id FROM entries WHERE kind = 'opening' AND at > :at);
UPDATE discord_activity SET version = version + 1, {EARLIER.format("window_from")}, {EARLIER.format("rose_at")}
    WHERE window_from > :at OR rose_at > :at
"""
DAYS = ("day", "member_id", "account_id", "opens_at", "closes_at")


class Clocks(SqlStore):
    """The clock queries of the `RunBook` port."""

    def ahead(self, at: datetime, /) -> Ahead:
        with self._database.snapshot() as connection:
            self._database.extend_timeout(connection)
            syncs, days, settled, good_at, first, others = connection.execute(AHEAD, {"at": stamp(at)}).fetchone()
            rows = connection.execute(RISES_AHEAD, [stamp(at)]).fetchall()
            awards = [entry_of_row(row) for row in connection.execute(AWARDS_AHEAD, [stamp(at + AHEAD_MAX)])]
        first_at = first and min(datetime.fromisoformat(first), at)
        through = date.fromisoformat(settled) if settled else settled_before(first_at)
        rises = {
            number: (datetime.fromisoformat(opens), datetime.fromisoformat(linked)) for number, opens, linked in rows
        }
        return Ahead(syncs, days, through, good_at and datetime.fromisoformat(good_at), rises, awards, others)


def decide(database: Database, connection: Connection, posting: Posting, decision: ClockDecision) -> None:
    """Record a decision; a repair also removes what is dated after its instant."""
    at = stamp(posting.at)
    if decision.kind == "repaired":
        database.extend_timeout(connection)
        for statement in BRING_BACK.split(";"):
            connection.execute(statement, {"at": at, "day": at[:10]})
        members = dict(connection.execute("SELECT account_id, member_id FROM discord_activity").fetchall())
        rows = [
            (day.isoformat(), members[account_id], account_id, stamp(window.opens_at), stamp(window.closes_at))
            for account_id, window in posting.evidence.items()
            for day in window.days
        ]
        if rows:
            database.merge(connection, "discord_days", DAYS, rows, "ON CONFLICT DO NOTHING")
    (position,) = connection.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()
    connection.execute(DECIDE, DECISIONS.row(evolve(decision, position=position)))


SYNC, ROSTER = "sync", "roster"
SLOTS = Record(SlotEnd, "slots")
LEASES = Record(Lease, "leases", left_out=["took_over"])
NOTICES = Record(SentNotice, "sent_notices")
CHANNELS = Record(ChannelState, "channels")
FAILURES = Record(FailureRun, "failure_runs", left_out=["urgent"], count="failures", kind="trouble")

SMALL: Mapping[str, Sequence[str]] = {
    "waits": ("board_id", "trouble", "until"),
    "failure_runs": ("task", "scope", *FAILURES.columns),
    "sent_notices": NOTICES.columns,
    "channels": CHANNELS.columns,
}
"""Small tables that are rewritten from the core's state after a posting."""


def _kept(state: RunState) -> Mapping[str, Sequence[Row]]:
    """Return the rows of the small tables for a state."""
    runs = {SYNC: state.sync.failure_run, ROSTER: state.roster.failure_run}
    failed = [(task, scope, one) for task, run in runs.items() for scope, one in scopes(run)]
    notices = ((True, state.notices_sent), (False, state.notices_begun))
    return {
        "waits": [(board_id, one.kind, stamp(one.until)) for board_id, one in state.sync.waits.items()],
        "failure_runs": [(task, scope, *FAILURES.row(one)) for task, scope, one in failed],
        "sent_notices": [(*NOTICES.row(one)[:-1], is_sure) for is_sure, found in notices for one in found],
        "channels": [tuple(CHANNELS.row(one)) for one in state.channels],
    }


def scopes(run: FailureRun | None) -> Sequence[tuple[str, FailureRun]]:
    """Return a failure run by the scope it is stored under, and its urgent failures by theirs."""
    named = (("any", run), ("urgent", run and run.urgent))
    return [(scope, one) for scope, one in named if one is not None]


SMALL_READS: Sequence[Statement] = [
    (f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1, 2", ()) for table, columns in SMALL.items()
]


def _remembered(
    small: Iterable[Rows], sync: Mapping[str, Any] = {}, roster: Mapping[str, Any] = {}, **known: Any
) -> RunState:
    """Return the state from the rows of the small tables and other known fields."""
    waits, failures, notices, channels = small
    runs = {(task, scope): FAILURES.value(row) for task, scope, *row in failures}
    in_a_row = {
        task: evolve(run, urgent=runs.get((task, "urgent"))) for (task, scope), run in runs.items() if scope == "any"
    }
    found = [NOTICES.value(row) for row in notices]
    asked = {board_id: Wait(kind, datetime.fromisoformat(until)) for board_id, kind, until in waits}
    return RunState(
        SyncState(failure_run=in_a_row.get(SYNC), waits=asked, **sync),
        notices_sent=[one for one in found if one.is_sure],
        notices_begun=[one for one in found if not one.is_sure],
        channels=[CHANNELS.value(row) for row in channels],
        roster=RosterState(in_a_row.get(ROSTER), **roster),
        **known,
    )


SUCCEED = inserting(
    "runs",
    (
        *("task", "outcome", "at", *COUNTS, "points", "pages", "board_rows", "whole", "board_id"),
        *("decision", "actor", "reason"),
    ),
)
FAIL = inserting("runs", ("task", "outcome", "at", "trouble", "message", "counts", "retry_at", "board_id"))
END = inserting(SLOTS.table, SLOTS.columns, "ON CONFLICT DO NOTHING")
KEEP_REQUEST = inserting("requests", ("task", "next_at"), replacing(("task", "next_at")))


def check_lease(connection: Connection, lease: Lease) -> None:
    """Raise `LeaseLost` if another run has the lease; the writing transaction holds the lock."""
    held = connection.execute("SELECT 1 FROM leases WHERE task = ? AND owner = ?", [lease.task, lease.owner])
    if held.fetchone() is None:
        raise LeaseLost


def note(database: Database, connection: Connection, posting: Posting, at: str) -> None:
    """Write the outcomes of a sync, round and slot, and the notices; raises `Conflict` and `LeaseLost`."""
    if posting.clock is not None:
        decide(database, connection, posting, posting.clock)
    if posting.run is not None:
        _succeed(connection, posting.run, at)
    if posting.failure is not None:
        _fail(connection, posting.failure)
    if posting.slot is not None and not connection.execute(END, SLOTS.row(posting.slot)).rowcount:
        raise LeaseLost
    if posting.round is not None:
        connection.execute(KEEP_REQUEST, [ROSTER, stamp(posting.round.next_at)])
        if checks := [CHECKS.row(one) for one in posting.round.checks]:
            database.merge(connection, CHECKS.table, CHECKS.columns, checks, replacing(CHECKS.columns))
            connection.execute(FORGET_CHECKS)
    before = _remembered(connection.execute_all(SMALL_READS))
    kept, after = _kept(before), _kept(before.after(posting))
    for table, columns in SMALL.items():
        if kept[table] != after[table]:
            connection.execute(f"DELETE FROM {table}")
            connection.executemany(inserting(table, columns), after[table])


def _succeed(connection: Connection, run: SyncRun, at: str) -> None:
    (last_good,) = connection.execute("SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced'").fetchone()
    if last_good != run.follows:
        raise Conflict
    report, decision = run.report, run.decision
    row = [SYNC, "synced", at, *report.counts.values(), report.points, report.pages, report.rows, run.whole]
    decided = (decision.kind, decision.actor, decision.reason) if decision else (None, None, None)
    connection.execute(SUCCEED, [*row, run.board_id, *decided])


def _fail(connection: Connection, failure: SyncFailure) -> None:
    row = [SYNC, "failed", stamp(failure.at), failure.kind, failure.message, failure.counts]
    connection.execute(FAIL, [*row, failure.retry_at and stamp(failure.retry_at), failure.board_id])


TRACKED = f"SELECT 1 FROM discord_activity WHERE {SOUGHT}"
FOLLOWED = f"""
SELECT EXISTS ({TRACKED}), CASE WHEN NOT EXISTS ({TRACKED} AND NOT ({NEVER_SEEN})) THEN (
    SELECT linked_at FROM discord_activity WHERE {SOUGHT} ORDER BY linked_at LIMIT 1 OFFSET {UNSEEN_MIN - 1}
) END
"""
GOOD = "SELECT run_id, at FROM runs WHERE outcome = 'synced' ORDER BY run_id DESC LIMIT 1"
WHOLE = "SELECT at, board_rows FROM runs WHERE whole ORDER BY run_id DESC LIMIT 1"
LATEST = f"""
SELECT (SELECT coalesce(max(run_id), 0) FROM runs),
    (SELECT max(settled_at) FROM settled_days),
    (SELECT at FROM {DECISIONS.table} ORDER BY number DESC LIMIT 1),
    (SELECT board_id FROM runs WHERE outcome <> 'failed' AND board_id IS NOT NULL ORDER BY run_id DESC LIMIT 1)
"""
ROSE = "SELECT count(*) FROM (SELECT 1 FROM discord_days WHERE day = ? LIMIT ?) AS risen"
ENDS = f"{SLOTS.select} WHERE slot >= ? OR slot = (SELECT max(slot) FROM slots) ORDER BY slot"
CONTRADICTED = """
SELECT member_id, status = 'left' FROM roster_checks JOIN discord_activity USING (account_id)
WHERE contradicts AND unlinked_at IS NULL ORDER BY account_id
"""
NEXT_AT = "SELECT next_at FROM requests WHERE task = ?"
STATE: Sequence[Statement] = [
    *((CALENDAR, ()), (EXCUSED, [None]), (GOOD, ()), (WHOLE, ()), (LATEST, ()), (FOLLOWED, ())),
    *((f"{LEASES.select} ORDER BY task", ()), (CONTRADICTED, ()), (NEXT_AT, [ROSTER])),
]

TAKE = inserting(LEASES.table, LEASES.columns, replacing(LEASES.columns))


class Running(SqlStore):
    """The `RunBook` port."""

    def run_state(self, slot: datetime | None = None, /) -> RunState:
        with self._database.snapshot() as connection:
            ends, state, excusals, good, whole, latest, followed, leases, contradicted, next_at, *small = (
                connection.execute_all([(ENDS, [slot and stamp(slot)]), *STATE, *SMALL_READS])
            )
            calendar = calendar_of_row(state.fetchone(), excusals)
            tracks_anyone, unseen_since = followed.fetchone()
            return _remembered(
                small,
                sync=_synced(good.fetchone(), whole.fetchone(), latest.fetchone()),
                roster={
                    "next_at": _instant(next_at.fetchone()),
                    "contradictions": [Contradiction(who, bool(is_left)) for who, is_left in contradicted],
                },
                calendar=calendar,
                unseen_since=unseen_since and datetime.fromisoformat(unseen_since),
                tracks_anyone=bool(tracks_anyone),
                rises=_rises(connection, days_watched(calendar)),
                slots=[SLOTS.value(row) for row in ends],
                leases=[LEASES.value(row) for row in leases],
            )

    def lease(self, task: str, at: datetime, until: datetime, /) -> Lease:
        lease = Lease(task, new_owner(), at, until)
        with self._database.transaction() as connection:
            row = connection.execute(f"{LEASES.select} WHERE task = ?", [task]).fetchone()
            held = row and LEASES.value(row)
            if held and not self._is_gone(held.owner) and not held.is_free(at):
                raise LedgerBusy(
                    f"another {task} is at work since {held.taken_at:%F %T} UTC ({held.owner}); nothing was read or "
                    f"changed: try again, at the latest after {held.until:%F %T} UTC"
                )
            self._hold(lease.owner)
            connection.execute(TAKE, LEASES.row(lease))
        return evolve(lease, took_over=held is not None)

    def renew(self, lease: Lease, until: datetime, /) -> None:
        with self._database.transaction() as connection:
            still = connection.execute(
                "UPDATE leases SET until = ? WHERE task = ? AND owner = ?", [stamp(until), lease.task, lease.owner]
            )
            if not still.rowcount:
                raise LeaseLost

    def next_request_at(self, task: str, /) -> datetime | None:
        with self._database.connection() as connection:
            return _instant(connection.execute(NEXT_AT, [task]).fetchone())

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        with self._database.transaction() as connection:
            connection.execute(KEEP_REQUEST, [task, stamp(next_at)])

    def release(self, lease: Lease, /) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE task = ? AND owner = ?", [lease.task, lease.owner])
        self._let_go(lease.owner)

    def _hold(self, owner: str) -> None:
        """Hold what shows other processes that a lease's owner is alive."""

    def _let_go(self, owner: str) -> None:
        """Release what `_hold` holds."""

    def _is_gone(self, owner: str) -> bool:
        """Return whether a lease's owner is known to have ended."""
        return has_ended(owner)


def _synced(good: Row | None, whole: Row | None, latest: Row) -> Mapping[str, Any]:
    """Return fields of `SyncState` from the rows of `GOOD`, `WHOLE` and `LATEST`."""
    last_run, settled_at, decided_at, board_id = latest
    good_run, good_at = good or (0, None)
    whole_at, whole_rows = whole or (None, None)
    seen_at = max((datetime.fromisoformat(at) for at in (good_at, settled_at, decided_at) if at), default=None)
    return {
        "good_run": good_run,
        "good_at": good_at and datetime.fromisoformat(good_at),
        "seen_at": seen_at,
        # The board of an undone sync is dated in the future.
        "whole_at": min(datetime.fromisoformat(whole_at), seen_at) if whole_at and seen_at else None,
        "whole_rows": whole_rows,
        "board_id": board_id,
        "last_run": last_run,
    }


def _rises(connection: Connection, days: Sequence[date]) -> Mapping[date, int]:
    """Count the accounts that rose on each day, up to the number that matters."""
    found = connection.execute_all([(ROSE, [day.isoformat(), ROSE_THE_DAY_BEFORE_MIN]) for day in days])
    return {day: int(rows.fetchone()[0]) for day, rows in zip(days, found, strict=True)}


def _instant(row: Row | None) -> datetime | None:
    return None if row is None else datetime.fromisoformat(row[0])


# A lease's owner: a random name with what can later prove that its process has ended.

PROC = Path("/proc")
UNKNOWN = ""
START_FIELD = 19
"""The index of a process's start time in /proc/PID/stat, after its name."""


def new_owner() -> str:
    """Return a unique name, as host:process:token."""
    pid = os.getpid()
    token = ".".join([secrets.token_hex(8), _machine(), _started(pid)])
    return f"{socket.gethostname()}:{pid}:{token}"


def has_ended(owner: str) -> bool:
    """Return whether a process is known to have ended.

    Only its own PID namespace can tell: in another, its number may be free or taken while it is alive.
    """
    host, pid, token = owner.rsplit(":", 2)
    _, _, rest = token.partition(".")
    machine, _, started = rest.partition(".")
    if host != socket.gethostname() or UNKNOWN in (machine, started) or machine != _machine() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    # The number may have been reused; a service may be unable to see when other users' processes started.
    return _started(int(pid)) not in {started, UNKNOWN}


def _machine() -> str:
    """Return an id of this boot and PID namespace; empty if unknown."""
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text()
        return sha256(f"{boot}{(PROC / 'self/ns/pid').stat().st_ino}".encode()).hexdigest()[:8]
    return UNKNOWN


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; empty if unknown."""
    with suppress(OSError):
        return (PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()[START_FIELD]
    return UNKNOWN
