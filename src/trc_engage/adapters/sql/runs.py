"""The run book: how syncs and slots ended, failures in a row, what admins were sent, and who is at work."""

from datetime import date, datetime

from attrs import evolve

from ...core.errors import Conflict, LeaseLost, LedgerBusy
from ...core.incidents import ChannelState, FailureRun, SentNotice, failed_again
from ...core.membership import UNSEEN_MIN, Check
from ...core.posting import Lease, Posting, RunState, SyncFailure, SyncRun, SyncState
from ...core.reports import COUNTS
from ...core.roster import Contradiction, RosterState, Round
from ...core.settlement import ROSE_THE_DAY_BEFORE_MIN, days_watched
from ...core.slots import SlotEnd, SlotOutcome, Wait
from .database import Connection, Database, Row, SqlStore, stamp
from .owners import has_ended, new_owner
from .queries import NEVER_SEEN, calendar_of
from .roster import CHECK, FORGET_CHECKS

KEEP = """
INSERT INTO {} (scope, failures, since, trouble, message) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (scope) DO UPDATE SET
    failures = excluded.failures, since = excluded.since, trouble = excluded.trouble, message = excluded.message
"""


def failure_run_of(connection: Connection, table: str = "failure_runs") -> FailureRun | None:
    """Read the failures in a row; None if the last run that counts was good."""
    rows = {
        scope: FailureRun(failures, datetime.fromisoformat(since), trouble, message)
        for scope, failures, since, trouble, message in connection.execute(
            f"SELECT scope, failures, since, trouble, message FROM {table}"
        )
    }
    failure_run = rows.get("any")
    return failure_run and evolve(failure_run, urgent=rows.get("urgent"))


def _keep_failures(connection: Connection, table: str, failure_run: FailureRun) -> None:
    for scope, one in (("any", failure_run), ("urgent", failure_run.urgent)):
        if one is not None:
            connection.execute(KEEP.format(table), [scope, one.count, stamp(one.since), one.kind, one.message])


KEEP_CHECK = f"""
ON CONFLICT (account_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in CHECK[1:])}
"""
CONTRADICTED = """
SELECT member_id, status = 'left' FROM roster_checks JOIN discord_activity USING (account_id)
WHERE contradicts AND unlinked_at IS NULL ORDER BY account_id
"""
ROSTER = "roster"


def keep_round(database: Database, connection: Connection, ended: Round) -> None:
    """Write what a round of the roster was told, and how it ended."""
    rows = [
        (one.account_id, one.guild_id, *(at and stamp(at) for at in _instants(one)), one.contradicts)
        for one in ended.checks
    ]
    if rows:
        database.merge(connection, "roster_checks", CHECK, rows, KEEP_CHECK)
        connection.execute(FORGET_CHECKS)
    connection.execute(KEEP_REQUEST, [ROSTER, stamp(ended.next_at)])
    after = RosterState(failure_run_of(connection, "roster_failures")).after(ended)
    if after.failure_run is None:
        connection.execute("DELETE FROM roster_failures")
    else:
        _keep_failures(connection, "roster_failures", after.failure_run)


def _instants(check: Check) -> tuple[datetime | None, ...]:
    return check.asked_at, check.present_at, check.joined_at, check.gone_at, check.confirmed_at


def _roster_state(connection: Connection) -> RosterState:
    row = connection.execute("SELECT next_at FROM requests WHERE task = ?", [ROSTER]).fetchone()
    contradicted = [Contradiction(who, bool(is_left)) for who, is_left in connection.execute(CONTRADICTED)]
    failure_run = failure_run_of(connection, "roster_failures")
    return RosterState(failure_run, row and datetime.fromisoformat(row[0]), contradicted)


NOTE = """
INSERT INTO sent_notices (channel, topic, is_sure, kind, since, at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (channel, topic, is_sure) DO UPDATE SET kind = excluded.kind, since = excluded.since, at = excluded.at
"""

WITHDRAW = "DELETE FROM sent_notices WHERE channel = ? AND topic = ? AND is_sure = ?"

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


def check_lease(connection: Connection, lease: Lease) -> None:
    """Raise `LeaseLost` if somebody else has the lease by now; a transaction that writes holds the lock."""
    held = connection.execute("SELECT 1 FROM leases WHERE task = ? AND owner = ?", [lease.task, lease.owner])
    if held.fetchone() is None:
        raise LeaseLost


def note(database: Database, connection: Connection, posting: Posting, at: str) -> None:
    """Write how a sync and its slot ended, and which notices were sent; raises `Conflict` and `LeaseLost`."""
    if posting.run is not None:
        _succeed(connection, posting.run, at)
    if posting.failure is not None:
        _fail(connection, posting.failure)
    if posting.slot is not None:
        _end(connection, posting.slot)
    if posting.round is not None:
        keep_round(database, connection, posting.round)
    _note_notices(connection, posting)
    for state in posting.channels:
        connection.execute(FORGET_CHANNEL, [state.channel, state.fingerprint])
        if not state.is_plain:
            times = [at and stamp(at) for at in (state.dead_since, state.not_before)]
            connection.execute(KEEP_CHANNEL, [state.channel, state.fingerprint, *times, state.why])


def _note_notices(connection: Connection, posting: Posting) -> None:
    """Write what is about to be sent, and what became of it."""
    for is_sure, notices in ((False, posting.begun), (True, posting.sent)):
        for one in notices:
            connection.execute(NOTE, [one.channel, one.topic, is_sure, one.kind, stamp(one.since), stamp(one.at)])
    for one in (*posting.sent, *posting.withdrawn):
        connection.execute(WITHDRAW, [one.channel, one.topic, False])


def _end(connection: Connection, end: SlotEnd) -> None:
    row = [stamp(end.slot), end.outcome, stamp(end.at)]
    if not connection.execute(
        "INSERT INTO slots (slot, outcome, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row
    ).rowcount:
        raise LeaseLost


def _fail(connection: Connection, failure: SyncFailure) -> None:
    retry_at, asked = failure.retry_at and stamp(failure.retry_at), failure.board_id
    connection.execute(
        "INSERT INTO runs (task, outcome, at, trouble, message, counts, retry_at, board_id) "
        "VALUES ('sync', 'failed', ?, ?, ?, ?, ?, ?)",
        [stamp(failure.at), failure.kind, failure.message, failure.counts, retry_at, asked],
    )
    if failure.counts:
        again = failed_again(failure_run_of(connection), failure.at, failure.kind, failure.message)
        _keep_failures(connection, "failure_runs", again)
    if asked is None:
        return
    if retry_at is None:
        connection.execute("DELETE FROM waits WHERE board_id = ?", [asked])
    else:
        connection.execute(WAIT, [asked, failure.kind, retry_at])


def _succeed(connection: Connection, run: SyncRun, at: str) -> None:
    (last_good,) = connection.execute("SELECT coalesce(max(run_id), 0) FROM runs WHERE outcome = 'synced'").fetchone()
    if last_good != run.follows:
        raise Conflict
    report, decision = run.report, run.decision
    row = [at, *report.counts.values(), report.points, report.pages, report.rows, run.whole, run.board_id]
    connection.execute(
        SUCCEED, [*row, *((decision.kind, decision.actor, decision.reason) if decision else (None, None, None))]
    )
    if run.adopts:
        connection.execute("DELETE FROM waits")
    else:
        connection.execute("DELETE FROM waits WHERE board_id IN (?, '')", [run.board_id])
    connection.execute("DELETE FROM failure_runs")


TRACKED = "SELECT 1 FROM discord_activity WHERE status IN ('waiting', 'tracked', 'absent') LIMIT 1"
SEEN = f"""
SELECT 1 FROM discord_activity WHERE status IN ('waiting', 'tracked', 'absent') AND NOT ({NEVER_SEEN}) LIMIT 1
"""
LINKED_SINCE = """
SELECT linked_at FROM discord_activity WHERE status IN ('waiting', 'tracked', 'absent')
ORDER BY linked_at LIMIT 1 OFFSET ?
"""
GOOD = "SELECT run_id, at FROM runs WHERE outcome = 'synced' ORDER BY run_id DESC LIMIT 1"
ROSE = "SELECT count(*) FROM (SELECT 1 FROM discord_days WHERE day = ? LIMIT ?) AS risen"
SLOTS = """
SELECT slot, outcome, at FROM slots WHERE slot >= ? OR slot = (SELECT max(slot) FROM slots) ORDER BY slot
"""
HELD = "SELECT task, owner, taken_at, until FROM leases"

BOARD = """
SELECT board_id FROM runs WHERE outcome = 'synced' AND board_id IS NOT NULL ORDER BY run_id DESC LIMIT 1
"""

NOTICES = "SELECT channel, topic, kind, since, at, is_sure FROM sent_notices ORDER BY channel, topic"

CHANNELS = """
SELECT channel, fingerprint, dead_since, not_before, why FROM channels ORDER BY channel, fingerprint
"""

KEEP_REQUEST = """
INSERT INTO requests (task, next_at) VALUES (?, ?) ON CONFLICT (task) DO UPDATE SET next_at = excluded.next_at
"""

LEASE = """
INSERT INTO leases (task, owner, taken_at, until) VALUES (?, ?, ?, ?)
ON CONFLICT (task) DO UPDATE SET owner = excluded.owner, taken_at = excluded.taken_at, until = excluded.until
"""


class Running(SqlStore):
    """The `RunBook` port."""

    def _hold(self, owner: str) -> None:
        """Keep what shows others that whoever holds a lease still lives."""

    def _let_go(self, owner: str) -> None:
        """Give that back."""

    def _is_gone(self, owner: str) -> bool:
        """Return whether whoever holds a lease is known to have ended."""
        return has_ended(owner)

    def run_state(self, slot: datetime | None = None, /) -> RunState:
        with self._database.snapshot() as connection:
            calendar = calendar_of(connection)
            notices = [_notice(row) for row in connection.execute(NOTICES)]
            return RunState(
                _sync_state(connection),
                calendar,
                _unseen_since(connection),
                connection.execute(TRACKED).fetchone() is not None,
                {day: _rose(connection, day) for day in days_watched(calendar)},
                [_slot_end(row) for row in connection.execute(SLOTS, [slot and stamp(slot)])],
                [_lease(row) for row in connection.execute(f"{HELD} ORDER BY task")],
                [one for one in notices if one.is_sure],
                [one for one in notices if not one.is_sure],
                [_channel(row) for row in connection.execute(CHANNELS)],
                _roster_state(connection),
            )

    def lease(self, task: str, at: datetime, until: datetime, /) -> Lease:
        lease = Lease(task, new_owner(), at, until)
        with self._database.transaction() as connection:
            held = _held(connection, task)
            if held and not self._is_gone(held.owner) and not held.is_free(at):
                raise LedgerBusy(
                    f"another {task} is at work since {held.taken_at:%F %T} UTC ({held.owner}); nothing was read or "
                    f"changed: try again, at the latest after {held.until:%F %T} UTC"
                )
            self._hold(lease.owner)
            connection.execute(LEASE, [task, lease.owner, stamp(at), stamp(until)])
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
            row = connection.execute("SELECT next_at FROM requests WHERE task = ?", [task]).fetchone()
        return row and datetime.fromisoformat(row[0])

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        with self._database.transaction() as connection:
            connection.execute(KEEP_REQUEST, [task, stamp(next_at)])

    def release(self, lease: Lease, /) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE task = ? AND owner = ?", [lease.task, lease.owner])
        self._let_go(lease.owner)


def _sync_state(connection: Connection) -> SyncState:
    good = connection.execute(GOOD).fetchone()
    whole = connection.execute("SELECT at, board_rows FROM runs WHERE whole ORDER BY run_id DESC LIMIT 1").fetchone()
    board = connection.execute(BOARD).fetchone()
    waits = connection.execute("SELECT board_id, trouble, until FROM waits").fetchall()
    (settled_at,) = connection.execute("SELECT max(settled_at) FROM settled_days").fetchone()
    (last_run,) = connection.execute("SELECT coalesce(max(run_id), 0) FROM runs").fetchone()
    good_at = good and datetime.fromisoformat(good[1])
    return SyncState(
        good_run=good[0] if good else 0,
        good_at=good_at,
        seen_at=max(filter(None, (good_at, settled_at and datetime.fromisoformat(settled_at))), default=None),
        whole_at=whole and datetime.fromisoformat(whole[0]),
        whole_rows=whole and whole[1],
        failure_run=failure_run_of(connection),
        board_id=board and board[0],
        waits={board_id: Wait(kind, datetime.fromisoformat(until)) for board_id, kind, until in waits},
        last_run=last_run,
    )


def _unseen_since(connection: Connection) -> datetime | None:
    if connection.execute(SEEN).fetchone():
        return None
    row = connection.execute(LINKED_SINCE, [UNSEEN_MIN - 1]).fetchone()
    return row and datetime.fromisoformat(row[0])


def _rose(connection: Connection, day: date) -> int:
    (rose,) = connection.execute(ROSE, [day.isoformat(), ROSE_THE_DAY_BEFORE_MIN]).fetchone()
    return int(rose)


def _notice(row: Row) -> SentNotice:
    channel, topic, kind, since, at, is_sure = row
    return SentNotice(channel, topic, kind, datetime.fromisoformat(since), datetime.fromisoformat(at), bool(is_sure))


def _channel(row: Row) -> ChannelState:
    channel, fingerprint, dead_since, not_before, why = row
    dead_at, free_at = (at and datetime.fromisoformat(at) for at in (dead_since, not_before))
    return ChannelState(channel, fingerprint, dead_at, free_at, why)


def _held(connection: Connection, task: str) -> Lease | None:
    row = connection.execute(f"{HELD} WHERE task = ?", [task]).fetchone()
    return row and _lease(row)


def _lease(row: Row) -> Lease:
    task, owner, taken_at, until = row
    return Lease(task, owner, datetime.fromisoformat(taken_at), datetime.fromisoformat(until))


def _slot_end(row: tuple[str, SlotOutcome, str]) -> SlotEnd:
    slot, outcome, at = row
    return SlotEnd(datetime.fromisoformat(slot), outcome, datetime.fromisoformat(at))
