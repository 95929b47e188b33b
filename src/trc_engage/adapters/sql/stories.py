"""What is asked of the tables to tell why: what members did, how days were excused, and what changed streaks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from attrs import evolve

from ...core.days import ONE_DAY, Excusal
from ...core.errors import Conflict
from ...core.membership import MembershipEvent
from ...core.model import Decision, Entry
from ...core.reports import StreakChange
from ...core.story import GoodRun
from ...core.streaks import Milestone
from .database import Connection, Database, Row, SqlStore, stamp
from .queries import ENTRY, entry_of_row

if TYPE_CHECKING:
    # Half of what `show` would load for nothing.
    from ...core.posting import Posting

EXCUSALS = "SELECT day, is_excused, at, actor, reason, note, member_id, number FROM excusals"
CHANGES = """
SELECT member_id, current_before, current_after, longest_before, longest_after, cause, day, at, entry, number
FROM streak_changes WHERE member_id = ? ORDER BY number
"""
LENGTHS = """
SELECT member_id, length, at, number FROM lengths_reached
WHERE number > ? AND length IN ({lengths}) ORDER BY number LIMIT ?
"""


EVENTS = """
SELECT number, member_id, kind, at, actor, reason, note, account_id, next_reading, window_from
FROM membership_events WHERE {condition} number > :after ORDER BY number LIMIT :limit
"""


SYNC_BEFORE = "(SELECT at FROM runs WHERE outcome = 'synced' AND at < entries.at ORDER BY at DESC LIMIT 1)"
RESETS = f"""
{ENTRY.replace("FROM entries", f", {SYNC_BEFORE} FROM entries")}
WHERE member_id = ? AND kind IN ('opening', 'rebase') ORDER BY position
"""
GOOD_RUNS = "SELECT at, missed, decision, actor, reason FROM runs WHERE outcome = 'synced'"
SETTLED = "SELECT day, settled_at FROM settled_days WHERE day BETWEEN ? AND ? ORDER BY day"
OPENED_ON = "SELECT day FROM entries WHERE account_id = ? AND kind = 'opening' ORDER BY position LIMIT 1"
READING = "SELECT xp FROM readings WHERE day = ? AND account_id = ?"


class Stories(SqlStore):
    """The part of the `Views` port that tells why."""

    def resets(self, member_id: str, /) -> Sequence[tuple[Entry, datetime | None]]:
        with self._database.snapshot() as connection:
            rows = connection.execute(RESETS, [member_id]).fetchall()
        return [(entry_of_row(row[:-1]), row[-1] and datetime.fromisoformat(row[-1])) for row in rows]

    def good_runs(self, since: datetime, until: datetime, /) -> Sequence[GoodRun]:
        with self._database.snapshot() as connection:
            rows = [
                *connection.execute(f"{GOOD_RUNS} AND at < ? ORDER BY at DESC LIMIT 1", [stamp(since)]),
                *connection.execute(f"{GOOD_RUNS} AND at >= ? AND at < ? ORDER BY at", [stamp(since), stamp(until)]),
                *connection.execute(f"{GOOD_RUNS} AND at >= ? ORDER BY at LIMIT 1", [stamp(until)]),
            ]
        return [
            GoodRun(datetime.fromisoformat(at), missed, Decision(*decided) if decided[0] else None)
            for at, missed, *decided in rows
        ]

    def settled(self, first_day: date, last_day: date, /) -> Mapping[date, datetime]:
        with self._database.connection() as connection:
            rows = connection.execute(SETTLED, [first_day.isoformat(), last_day.isoformat()])
            return {date.fromisoformat(day): datetime.fromisoformat(at) for day, at in rows}

    def xp_read(self, account_ids: Collection[int], day: date, /) -> int | None:
        with self._database.snapshot() as connection:
            for account_id in sorted(account_ids, reverse=True):
                opened = connection.execute(OPENED_ON, [account_id]).fetchone()
                on = day
                # Day by day, as the key begins with the day; most often it is one of the last.
                while opened and on >= date.fromisoformat(opened[0]):
                    if row := connection.execute(READING, [on.isoformat(), account_id]).fetchone():
                        return int(row[0])
                    on -= ONE_DAY
        return None

    def streak_changes(self, member_id: str, /) -> Sequence[StreakChange]:
        with self._database.connection() as connection:
            return [_change(*row) for row in connection.execute(CHANGES, [member_id])]

    def lengths_reached(self, lengths: Set[int], /, *, after: int, limit: int) -> Sequence[Milestone]:
        statement = LENGTHS.format(lengths=", ".join("?" * len(lengths)) or "NULL")
        with self._database.connection() as connection:
            rows = connection.execute(statement, [after, *lengths, limit])
            return [Milestone(who, length, datetime.fromisoformat(at), number) for who, length, at, number in rows]

    def events(self, member_id: str | None, /, *, after: int = 0, limit: int = 10_000) -> Sequence[MembershipEvent]:
        condition = "" if member_id is None else "member_id = :member AND"
        values = {"member": member_id, "after": after, "limit": limit}
        with self._database.connection() as connection:
            return [_event(row) for row in connection.execute(EVENTS.format(condition=condition), values)]

    def excusals(self, member_id: str | None = None, /) -> Sequence[Excusal]:
        condition = "" if member_id is None else "WHERE member_id IS NULL OR member_id = ?"
        with self._database.connection() as connection:
            rows = connection.execute(
                f"{EXCUSALS} {condition} ORDER BY number", [] if member_id is None else [member_id]
            )
            return [_excusal(*row) for row in rows]


def _excusal(day: str, is_excused: int, at: str, *rest: Any) -> Excusal:
    return Excusal(date.fromisoformat(day), bool(is_excused), datetime.fromisoformat(at), *rest)


def _change(*row: Any) -> StreakChange:
    *told, day, at, entry, number = row
    change = StreakChange(*told)
    at = datetime.fromisoformat(at)
    return evolve(change, day=day and date.fromisoformat(day), at=at, entry=entry, number=number)


def _event(row: tuple[Any, ...]) -> MembershipEvent:
    at, window_from = datetime.fromisoformat(row[3]), row[9] and datetime.fromisoformat(row[9])
    values = [*row[:3], at, *row[4:9], window_from]
    return MembershipEvent(*values)


CHANGE_COLUMNS = (
    *("member_id", "current_before", "current_after", "longest_before", "longest_after"),
    *("cause", "day", "at", "entry"),
)
CHANGE = f"INSERT INTO streak_changes ({', '.join(CHANGE_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
FEW = 10
# No ON CONFLICT: SQLite would count a number for each row that is not written.
REACH = """
INSERT INTO lengths_reached (member_id, length, at) SELECT ?, ?, ?
WHERE NOT EXISTS (SELECT 1 FROM lengths_reached WHERE member_id = ? AND length = ?)
"""
EXCUSAL_COLUMNS = ("day", "is_excused", "at", "actor", "reason", "note", "member_id")
EVENT_COLUMNS = ("member_id", "kind", "at", "actor", "reason", "note", "account_id", "next_reading", "window_from")
BLANK_EVENTS = """
UPDATE membership_events SET reason = NULL, note = NULL
WHERE member_id = ? AND (reason IS NOT NULL OR note IS NOT NULL)
"""
BLANK_EXCUSALS = "UPDATE excusals SET reason = NULL, note = NULL WHERE member_id = ?"


def keep_changes(database: Database, connection: Connection, posting: Posting, positions: Sequence[int]) -> None:
    """Keep how streaks changed, and which lengths they reached; `Conflict` if a member is unknown."""
    changes = [
        (
            *(one.member_id, one.current_before, one.current_after, one.longest_before, one.longest_after),
            *(one.cause, one.day and one.day.isoformat(), one.at and stamp(one.at), one.entry),
        )
        for one in posting.changes_posted(positions)
    ]
    pairs = [(one.member_id, one.threshold) for one in posting.reached]
    reached = [(*pair, stamp(posting.at), *pair) for pair in pairs]
    try:
        if len(changes) + len(reached) <= FEW:
            # Those of an award, in one round trip.
            together = [(CHANGE, row) for row in changes] + [(REACH, row) for row in reached]
            connection.execute_all(together)
            return
        _keep(database, connection, "streak_changes", CHANGE_COLUMNS, changes)
        connection.executemany(REACH, reached)
    except connection.IntegrityError as error:
        raise Conflict from error


def keep_excusals(database: Database, connection: Connection, excusals: Sequence[Excusal]) -> None:
    """Keep how days were excused; `Conflict` if a member is unknown."""
    rows = [
        (one.day.isoformat(), one.is_excused, stamp(one.at), one.actor, one.reason, one.note, one.member_id)
        for one in excusals
    ]
    _keep(database, connection, "excusals", EXCUSAL_COLUMNS, rows)


def keep_events(
    database: Database, connection: Connection, events: Sequence[MembershipEvent], links: Mapping[str, int]
) -> None:
    """Keep events on record; `Conflict` if a member or an account is unknown."""
    rows = [
        (
            *(one.member_id, one.kind, stamp(one.at), one.actor, one.reason, one.note),
            *(one.account_id, one.next_reading, one.window_from and stamp(one.window_from)),
        )
        for one in (event.recorded(0, links) for event in events)
    ]
    _keep(database, connection, "membership_events", EVENT_COLUMNS, rows)


def _keep(
    database: Database,
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Row],
) -> None:
    try:
        if rows:
            database.merge(connection, table, columns, rows, "")
    except connection.IntegrityError as error:
        raise Conflict from error
