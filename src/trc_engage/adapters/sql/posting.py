"""`SqlLedger`, and postings in one transaction: entries, accounts, days and streaks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from typing import Any

from attrs import evolve

from ...core.days import Window
from ...core.errors import Conflict, LedgerBusy, LedgerFailed
from ...core.model import DISCORD, SILENT_KINDS, TOMBSTONE, Entry, Link, Move
from ...core.posting import Booking, Posting, booked
from . import Connection, Database, Record, Rows, Statement, inserting, month_of, stamp, succeeding
from .audit import Audited
from .queries import (
    CALENDAR,
    ENTRY,
    EXCUSALS,
    EXCUSED,
    MEMBERS,
    STREAKS,
    Days,
    Facts,
    calendar_of_row,
    entry_of_row,
    latest_revision,
    revision_of_day,
)
from .runs import Clocks, Running, check_lease, note
from .tables import copy, rows_about
from .views import CHANGES, EVENTS, FORGET_CHECKS, Views, replace_words

POST_ENTRIES = """
INSERT INTO entries (
    kind, member_id, source, points, day, at, silent,
    account_id, xp_before, xp_after, baseline_before, baseline_after, reason, actor
)
SELECT
    kind, member_id, :source, points, day, :at, silent,
    account_id, xp_before, xp_total, baseline_before, xp_baseline,
    CASE WHEN kind = :decided THEN :reason END, CASE WHEN kind = :decided THEN :actor END
FROM engage_staged_moves WHERE kind IS NOT NULL
ORDER BY account_id
"""

ADDED = "ON CONFLICT (member_id, source) DO UPDATE SET points = balances.points + excluded.points"
ADDED_TO_MONTH = "ON CONFLICT (month, member_id) DO UPDATE SET points = monthly_balances.points + excluded.points"
POST_BALANCES = f"""
INSERT INTO balances (member_id, source, points)
SELECT member_id, :source, points FROM engage_staged_moves WHERE points <> 0 {ADDED}
"""

POST_MONTHLY_BALANCES = f"""
INSERT INTO monthly_balances (month, member_id, points)
SELECT month, member_id, points FROM engage_staged_moves WHERE points <> 0 {ADDED_TO_MONTH}
"""

POST_EVIDENCE = """
INSERT INTO discord_days (day, member_id, account_id, opens_at, closes_at)
SELECT windows.day, moves.member_id, moves.account_id, windows.opens_at, windows.closes_at
FROM engage_staged_moves AS moves JOIN engage_staged_windows AS windows USING (window_number)
WHERE true
ON CONFLICT DO NOTHING
"""

# The CASE gives `:day` the type of the column.
POST_READINGS = """
INSERT INTO readings (day, account_id, xp)
SELECT CASE WHEN moves.account_id IS NULL THEN moves.day ELSE :day END, moves.account_id, moves.xp_total
FROM engage_staged_moves AS moves JOIN discord_activity AS account USING (account_id)
WHERE moves.xp_total <> account.xp_total OR moves.kind = 'opening'
ON CONFLICT (day, account_id) DO UPDATE SET xp = excluded.xp
"""

MOVE_ACCOUNTS = """
UPDATE discord_activity SET
    version = discord_activity.version + 1,
    status = moves.status,
    next_reading = moves.next_reading,
    xp_posted = CASE WHEN moves.kind IS NULL THEN discord_activity.xp_posted ELSE moves.xp_total END,
    xp_baseline = moves.xp_baseline,
    xp_total = moves.xp_total,
    xp_high = moves.xp_high,
    window_from = moves.window_from,
    rose_at = moves.rose_at
FROM engage_staged_moves AS moves
WHERE discord_activity.account_id = moves.account_id AND discord_activity.version = moves.version
"""


def post_moves(database: Database, connection: Connection, posting: Posting, at: str) -> None:
    """Write the moves; raises `Conflict` if an account is not at the version its move was planned on."""
    moves, decision = posting.moves, posting.run and posting.run.decision
    decided = {
        "decided": decision and decision.entry_kind,
        "reason": decision and decision.reason,
        "actor": decision and decision.actor,
    }
    windows: dict[Window, int] = {}
    database.stage(connection, _staged(moves, windows), _days(windows))
    connection.execute(POST_ENTRIES, {"source": DISCORD, "at": at, **decided})
    connection.execute(POST_BALANCES, {"source": DISCORD})
    connection.execute(POST_MONTHLY_BALANCES)
    connection.execute(POST_EVIDENCE)
    connection.execute(POST_READINGS, {"day": at[:10]})
    if connection.execute(MOVE_ACCOUNTS).rowcount != len(moves):
        raise Conflict
    if posting.run is None:
        # A sync never unlinks, so its many moves need no search.
        connection.execute(UNLINK, {"at": at})
        connection.execute(FORGET_CHECKS)


def _days(windows: Mapping[Window, int]) -> Iterator[tuple[int, str, str, str]]:
    """Yield the rows of the windows that leave evidence, once all moves are staged."""
    for window, number in windows.items():
        for day in window.days:
            yield number, day.isoformat(), stamp(window.opens_at), stamp(window.closes_at)


def _staged(moves: Sequence[Move], windows: dict[Window, int]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the moves, numbering the windows that leave evidence."""
    for move in moves:
        account = move.account
        day = move.day and move.day.isoformat()
        yield (
            account.account_id,
            account.version,
            account.member_id,
            move.status,
            move.next_reading,
            move.xp_baseline,
            move.xp_total,
            move.xp_high,
            move.window_from and stamp(move.window_from),
            move.rose_at and stamp(move.rose_at),
            move.kind,
            None if move.kind == "opening" else account.xp_posted,
            None if move.kind == "opening" else account.xp_baseline,
            move.kind in SILENT_KINDS,
            move.points,
            day,
            day and month_of(day),
            windows.setdefault(move.window, len(windows)) if move.active and move.window else None,
        )


UNLINK = """
UPDATE discord_activity SET unlinked_at = :at
FROM engage_staged_moves AS moves
WHERE discord_activity.account_id = moves.account_id AND moves.status = 'unlinked'
"""

LINKS = ("member_id", "discord_id", "linked_at")
LINKED_THOUGH_FORGOTTEN = """
SELECT count(*) FROM discord_activity JOIN members USING (member_id) WHERE account_id > ? AND is_forgotten
"""
LINKED_ABOVE = "SELECT member_id, account_id FROM discord_activity WHERE account_id > ?"

IS_MEMBER = "EXISTS (SELECT 1 FROM members WHERE member_id = ?)"
BY_HAND = Record(Entry, "entries", left_out=["xp"])
"""The columns of entries without XP."""
POST_DRAFT = inserting(BY_HAND.table, BY_HAND.columns[1:], "RETURNING position")
ADD_TO_BALANCE = f"INSERT INTO balances (member_id, source, points) VALUES (?, ?, ?) {ADDED}"
ADD_TO_MONTHLY_BALANCE = f"INSERT INTO monthly_balances (month, member_id, points) VALUES (?, ?, ?) {ADDED_TO_MONTH}"
POST_STREAK, POST_LATER_STREAK = inserting(STREAKS.table, STREAKS.columns), succeeding(STREAKS)

POST_CHANGE = inserting(CHANGES.table, CHANGES.columns[:-1])
FEW = 10
# No ON CONFLICT: SQLite would use up a number for each row that is not written.
REACH = """
INSERT INTO lengths_reached (member_id, length, at) SELECT ?, ?, ?
WHERE NOT EXISTS (SELECT 1 FROM lengths_reached WHERE member_id = ? AND length = ?)
"""
SETTLE = inserting("settled_days", ("day", "settled_at"))
PERSONAL_TABLES = ("members", "name_words", "discord_activity", "membership_events", "excusals")
"""The tables from which forgetting a member erases something."""
FORGET = (
    f"UPDATE discord_activity SET discord_id = '{TOMBSTONE}' WHERE member_id = ? AND unlinked_at IS NOT NULL",
    "UPDATE excusals SET reason = NULL, note = NULL WHERE member_id = ?",
    """
    UPDATE membership_events SET reason = NULL, note = NULL
    WHERE member_id = ? AND (reason IS NOT NULL OR note IS NOT NULL)
    """,
)


def post(database: Database, connection: Connection, posting: Posting) -> Sequence[int]:
    """Write a posting inside the connection's transaction; return its drafts' positions. Raises `Conflict`."""
    at = stamp(posting.at)
    _check(connection, posting)
    if posting.is_of_a_run:
        note(database, connection, posting, at)
    _keep_versions(database, connection, MEMBERS, posting.members)
    if posting.members:
        renamed = [one.member_id for one in posting.members if one.version]
        named = [(one.member_id, one.name) for one in posting.members if not one.is_forgotten]
        replace_words(database, connection, renamed, named)
    if posting.moves:
        post_moves(database, connection, posting, at)
    links = _link(database, connection, posting.links, at)
    if forgotten := [(one.member_id,) for one in posting.members if one.is_forgotten]:
        for statement in FORGET:
            connection.executemany(statement, forgotten)
    _keep(database, connection, EVENTS, [EVENTS.row(event.recorded(0, links))[1:] for event in posting.events])
    if posting.drafts:
        positions = _append(connection, posting)
    else:
        positions = []
        _keep_versions(database, connection, STREAKS, posting.streaks)
    if posting.changes or posting.reached:
        _keep_changes(database, connection, posting, positions)
    if posting.settlement is not None:
        connection.execute(SETTLE, [posting.settlement.day.isoformat(), at])
    _keep(database, connection, EXCUSALS, [EXCUSALS.row(one)[:-1] for one in posting.excusals])
    return positions


def _check(connection: Connection, posting: Posting) -> None:
    """Raise `Conflict` if the calendar or the evidence has changed since planning, `LeaseLost` without the lease."""
    if posting.lease is not None:
        check_lease(connection, posting.lease)
    if posting.repeats:
        raise Conflict
    if posting.calendar is not None and (posting.clock or not posting.drafts):
        _check_calendar(posting, connection.execute(CALENDAR))
    settlement = posting.settlement
    if settlement is not None and revision_of_day(connection, settlement.day) != settlement.revision:
        raise Conflict
    if posting.revision is not None and latest_revision(connection) != posting.revision:
        raise Conflict


def _check_calendar(posting: Posting, found: Rows) -> None:
    now, planned = calendar_of_row(found.fetchone()), posting.calendar
    if planned is not None and (now.settled_through, now.changes) != (planned.settled_through, planned.changes):
        raise Conflict


def _append(connection: Connection, posting: Posting) -> Sequence[int]:
    """Write drafts and the few streaks that go with them, and return the drafts' positions.

    The calendar is checked here to save a round trip, except in a repair, which has changed it by now.
    """
    drafts, streaks = posting.drafts, posting.streaks
    booked = [_booked(draft, posting.at) for draft in drafts]
    first, later = _versioned(STREAKS, streaks)
    written = [*((POST_STREAK, row) for row in first), *((POST_LATER_STREAK, STREAKS.successor(row)) for row in later)]
    statements = [*chain.from_iterable(booked), *written]
    with _conflict_if_broken(connection):
        calendar, *found = connection.execute_all([(CALENDAR, ()), *statements])
    # The first statement of each draft returns its position. Read every one: an unread row keeps SQLite from
    # committing or rolling back.
    positions = [int(found[number * len(booked[0])].fetchone()[0]) for number in range(len(drafts))]
    if posting.clock is None:
        _check_calendar(posting, calendar)
    if any(one.rowcount != 1 for one in found[len(statements) - len(streaks) :]):
        raise Conflict
    return positions


def _booked(draft: Entry, at: datetime) -> Sequence[Statement]:
    """Return the statements that write a draft."""
    day = draft.day.isoformat()
    return (
        (POST_DRAFT, BY_HAND.row(booked(draft, 0, at))[1:]),
        (ADD_TO_BALANCE, [draft.member_id, draft.source, draft.points]),
        (ADD_TO_MONTHLY_BALANCE, [month_of(day), draft.member_id, draft.points]),
    )


def _versioned(record: Record[Any], values: Iterable[Any]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return rows with incremented versions: those new to the store, and those that replace a version."""
    rows, version = [record.row(one) for one in values], record.columns.index("version")
    first, later = [row for row in rows if not row[version]], [row for row in rows if row[version]]
    for row in rows:
        row[version] += 1
    return first, later


@contextmanager
def _conflict_if_broken(connection: Connection) -> Iterator[None]:
    """Raise `Conflict` if a constraint is violated by a duplicate or a missing reference."""
    try:
        yield
    except connection.IntegrityError as error:
        raise Conflict from error


def _keep(database: Database, connection: Connection, record: Record[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, which the store numbers; raises `Conflict` for a duplicate or a missing reference."""
    columns = [name for name in record.columns if name != "number"]
    if rows:
        with _conflict_if_broken(connection):
            database.merge(connection, record.table, columns, rows, "")


def _keep_versions(database: Database, connection: Connection, record: Record[Any], values: Iterable[Any]) -> None:
    """Write values with incremented versions; raises `Conflict` if one is not at the version it was planned on."""
    first, later = _versioned(record, values)
    _keep(database, connection, record, first)
    if later and database.succeed(connection, record, later) != len(later):
        raise Conflict


def _keep_changes(database: Database, connection: Connection, posting: Posting, positions: Sequence[int]) -> None:
    """Write streak changes and lengths reached; raises `Conflict` if a member is unknown."""
    changes = [CHANGES.row(one)[:-1] for one in posting.changes_posted(positions)]
    pairs = [(one.member_id, one.threshold) for one in posting.reached]
    reached = [(*pair, stamp(posting.at), *pair) for pair in pairs]
    with _conflict_if_broken(connection):
        if len(changes) + len(reached) <= FEW:
            # An award needs only one round trip.
            connection.execute_all([(POST_CHANGE, row) for row in changes] + [(REACH, row) for row in reached])
        else:
            _keep(database, connection, CHANGES, changes)
            connection.executemany(REACH, reached)


def _link(database: Database, connection: Connection, links: Sequence[Link], at: str) -> Mapping[str, int]:
    """Open the links' accounts and return their ids by member; raises `Conflict` if a link does not fit."""
    if not links:
        return {}
    (last,) = connection.execute("SELECT coalesce(max(account_id), 0) FROM discord_activity").fetchone()
    rows = [(link.member_id, link.discord_id, at) for link in links]
    with _conflict_if_broken(connection):
        database.merge(connection, "discord_activity", LINKS, rows, "")
    (forgotten,) = connection.execute(LINKED_THOUGH_FORGOTTEN, [last]).fetchone()
    if forgotten:
        raise Conflict
    return dict(connection.execute(LINKED_ABOVE, [last]).fetchall())


class SqlLedger(Facts, Days, Running, Clocks, Views, Audited):
    """The store ports on any database."""

    def booking(self, key: str, member_id: str | None = None, /) -> Booking:
        asked = ((f"{CALENDAR}, {IS_MEMBER}", [member_id]), (EXCUSED, [None]), (f"{ENTRY} WHERE key = ?", [key]))
        with self._database.snapshot() as connection:
            state, excusals, found = connection.execute_all(asked)
            *row, is_member = state.fetchone()
            booking = Booking(calendar_of_row(row, excusals), bool(is_member))
            if posted := found.fetchone():
                reversal = connection.execute(f"{ENTRY} WHERE reverses = ?", [posted[0]]).fetchone()
                return evolve(booking, posted=entry_of_row(posted), reversal=reversal and entry_of_row(reversal))
        return booking

    def post(self, posting: Posting, /) -> Sequence[Entry]:
        with self._database.transaction() as connection:
            positions = post(self._database, connection, posting)
        return [booked(draft, position, posting.at) for draft, position in zip(posting.drafts, positions, strict=True)]

    def everything_about(self, member_id: str, /) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return every stored row of a member and the member's accounts, by table."""
        with self._database.snapshot() as connection:
            self._database.extend_timeout(connection)
            return {table.name: rows for table, rows in rows_about(connection, member_id)}

    def wipe(self) -> str | None:
        """Wipe erased data from the store's unused space too; return where it may remain, and why (R9)."""
        try:
            self._database.wipe(PERSONAL_TABLES)
        except (LedgerBusy, LedgerFailed) as error:
            return f"the unused space of the store may still hold what was erased ({error})"
        return None

    def fill_from(self, other: "SqlLedger", /) -> None:
        """Copy everything from another store in one transaction; raises `LedgerFailed` if this one is not empty."""
        copy(other._database, self._database)  # noqa: SLF001  one of our own kind
