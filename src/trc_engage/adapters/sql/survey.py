"""One look at all tables but the entries, in which a damaged row or page never hides the rest."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from ...core.audit.breaches import BALANCE, STREAK, UNREADABLE, Breach
from ...core.audit.holdings import Holdings, Rises, Unreadable
from ...core.days import ONE_DAY, Calendar
from ...core.entries import Entry
from ...core.model import DiscordActivity, Member
from ...core.streaks import Streak
from .rows import (
    ACCOUNTS,
    BALANCES,
    ENTRIES,
    EXCUSALS,
    MEMBERS,
    RISES,
    SETTLED_DAYS,
    STREAKS,
    Columns,
    entry_of,
)
from .session import Row, Session

DAMAGED = "the table"
COLUMNS = ", ".join(name for name, _ in ENTRIES.kinds)
LINES = f"SELECT {COLUMNS} FROM entries WHERE position > ? ORDER BY position LIMIT ?"


class Survey:
    """What one session reads; `damage_of` says of an error what is damaged, or None for trouble of another kind."""

    def __init__(self, session: Session, damage_of: Callable[[Exception], str | None]) -> None:
        self._session = session
        self._damage_of = damage_of
        self.unreadable: list[Unreadable] = []

    def rows(self, table: str, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield the rows of a table that can be reached; that there are more, which cannot, is noted."""
        try:
            yield from self._session.execute(statement, values)
        except Exception as error:
            damage = self._damage_of(error)
            if damage is None:
                raise
            self._note(Breach(UNREADABLE, f"table {table}", DAMAGED, f"damaged ({damage})", "readable to its end"))

    def values(self, columns: Columns, *, member: int | None = None, check: str = UNREADABLE) -> Iterator[list[Any]]:
        """Yield the values of every row that can be read; `member` is the column that says whose it is."""
        for row in self.rows(columns.table, columns.statement):
            values = columns.values(row)
            if not isinstance(values, Breach):
                yield values
                continue
            owner = None if member is None else row[member]
            breach = Breach(check, values.subject, values.what, values.found, values.expected)
            self._note(breach, owner if isinstance(owner, str) else None)

    def lines(self, after: int, limit: int) -> list[Entry | Unreadable]:
        """Return the entries above a position, as `Records.lines` does."""
        found: list[Entry | Unreadable] = []
        for row in self.rows("entries", LINES, [after, limit]):
            values = ENTRIES.values(row)
            if isinstance(values, Breach):
                flaw = values
            elif entry := entry_of(values):
                found.append(entry)
                continue
            else:
                flaw = Breach(UNREADABLE, ENTRIES.subject(row), "the XP that explains it", "half there", "whole")
            found.append(Unreadable(flaw, row[2] if isinstance(row[2], str) else None, row[0]))
        return found + self.unreadable

    def holdings(self) -> Holdings:
        """Read everything else."""
        members = [Member(*values) for values in self.values(MEMBERS, member=0)]
        accounts = [DiscordActivity(*values[:11]) for values in self.values(ACCOUNTS, member=2)]
        (last,) = next(self.rows("entries", "SELECT max(position) FROM entries"), (None,))
        balances: dict[str, dict[str, int]] = defaultdict(dict)
        for member_id, source, points in self.values(BALANCES, check=BALANCE):
            balances[member_id][source] = points
        streaks = self._streaks()
        rises = self._rises()
        calendar = self._calendar(members)
        return Holdings(last or 0, members, accounts, balances, streaks, rises, calendar, self.unreadable)

    def _streaks(self) -> list[Streak]:
        """Read the streaks; one that is garbled stands as empty, at its version, so that it can be rebuilt."""
        streaks = []
        for row in self.rows(STREAKS.table, STREAKS.statement):
            values = STREAKS.values(row)
            if isinstance(values, Breach):
                self._note(Breach(STREAK, values.subject, values.what, values.found, values.expected))
                values = [*row[:2], None, 0, 0]
            if isinstance(values[0], str) and isinstance(values[1], int):
                streaks.append(Streak(*values))
        return streaks

    def _rises(self) -> list[Rises]:
        """Read the evidence of Discord; each window is looked at once, however many accounts rose in it."""
        groups: dict[Row, list[Row]] = defaultdict(list)
        owners: dict[Row, Row] = {}
        for day, member_id, account_id, opens_at, closes_at in self.rows(RISES.table, RISES.statement):
            # The same few members again and again: what names them is kept once.
            owner = owners.setdefault((member_id, account_id), (member_id, account_id))
            groups[day, opens_at, closes_at].append(owner)
        rises = []
        for (day, opens_at, closes_at), found in groups.items():
            values = RISES.values((day, "", 0, opens_at, closes_at))
            whole = [account_id for _, account_id in found if type(account_id) is int]
            if not isinstance(values, Breach) and len(whole) == len(found):
                rises.append(Rises(values[0], values[3], values[4], whole))
                continue
            for member_id, account_id in found:
                flaw = RISES.values((day, member_id, account_id, opens_at, closes_at))
                if isinstance(flaw, Breach):
                    self._note(flaw, member_id if isinstance(member_id, str) else None)
        return rises

    def _calendar(self, members: Sequence[Member]) -> Calendar | None:
        """Read the calendar; None if any part of it is garbled."""
        known = len(self.unreadable)
        settled: list[date] = [day for day, _ in self._parts(SETTLED_DAYS)]
        excused: set[date] = set()
        changes = 0
        for change, day, reason, _ in self._parts(EXCUSALS):
            changes = max(change, changes)
            excused = excused - {day} if reason is None else excused | {day}
        if len(self.unreadable) != known or (not settled and any(one.member_id for one in self.unreadable)):
            return None
        first: datetime | None = min((member.enrolled_at for member in members), default=None)
        before = None if first is None else first.date() - ONE_DAY
        return Calendar(max(settled, default=before), frozenset(excused), changes)

    def _parts(self, columns: Columns) -> Iterator[list[Any]]:
        yield from self.values(columns, check="calendar")

    def _note(self, breach: Breach, member_id: str | None = None) -> None:
        self.unreadable.append(Unreadable(breach, member_id))
