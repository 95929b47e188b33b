"""What is asked of the tables to tell why: what members did, how days were excused, and what changed streaks."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import date, datetime

from ...core.days import ONE_DAY
from ...core.model import Decision, Entry
from ...core.records import Excusal, MembershipEvent
from ...core.reports import StreakChange
from ...core.story import GoodRun
from ...core.streaks import Milestone
from .database import Record, SqlStore, stamp
from .queries import ENTRY, entry_of_row

EVENTS = Record(MembershipEvent, "membership_events")
EXCUSALS = Record(Excusal, "excusals")
CHANGES = Record(StreakChange, "streak_changes")
LENGTHS = Record(Milestone, "lengths_reached", threshold="length")
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
            rows = connection.execute(f"{CHANGES.select} WHERE member_id = ? ORDER BY number", [member_id])
            return [CHANGES.value(row) for row in rows]

    def lengths_reached(self, lengths: Set[int], /, *, after: int, limit: int) -> Sequence[Milestone]:
        among = f"WHERE number > ? AND length IN ({', '.join('?' * len(lengths)) or 'NULL'}) ORDER BY number LIMIT ?"
        with self._database.connection() as connection:
            rows = connection.execute(f"{LENGTHS.select} {among}", [after, *lengths, limit])
            return [LENGTHS.value(row) for row in rows]

    def events(self, member_id: str | None, /, *, after: int = 0, limit: int = 10_000) -> Sequence[MembershipEvent]:
        mine = [] if member_id is None else [member_id]
        among = f"WHERE {'member_id = ? AND' if mine else ''} number > ? ORDER BY number LIMIT ?"
        with self._database.connection() as connection:
            rows = connection.execute(f"{EVENTS.select} {among}", [*mine, after, limit])
            return [EVENTS.value(row) for row in rows]

    def excusals(self, member_id: str | None = None, /) -> Sequence[Excusal]:
        mine = [] if member_id is None else [member_id]
        among = "WHERE member_id IS NULL OR member_id = ?" if mine else ""
        with self._database.connection() as connection:
            rows = connection.execute(f"{EXCUSALS.select} {among} ORDER BY number", mine)
            return [EXCUSALS.value(row) for row in rows]
