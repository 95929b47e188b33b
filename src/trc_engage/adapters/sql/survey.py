"""Rows taken as they may be after damage by hand: each value is looked at, and one that cannot be is named."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

from attrs import evolve

from ...core.audit.model import BALANCE, EVENT, STREAK, UNREADABLE, Breach, Holdings, Rises
from ...core.days import ONE_DAY, Calendar
from ...core.errors import shortened
from ...core.model import DiscordActivity, Entry, Member
from ...core.records import MembershipEvent
from ...core.streaks import Streak
from .database import Connection, Row, stamp
from .queries import KEY, XP, entry_of
from .tables import TABLES, Column, Table

PERSONAL = frozenset({"name", "discord_id", "key", "reason", "actor", "note"})
"""Columns that may hold what names a person, and are not to be shown."""


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError
    return value


def _flag(value: Any) -> bool:
    if value not in (0, 1) or not isinstance(value, int):
        raise ValueError
    return bool(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004  every flaw of a row is one error
    value.encode()
    return value


def _day(value: Any) -> date:
    day = date.fromisoformat(_text(value))
    if day.isoformat() != value:
        raise ValueError
    return day


def _instant(value: Any) -> datetime:
    """Take the one way in which an instant is written, for texts must sort as instants do."""
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None or stamp(at) != value or at.utcoffset() != UTC.utcoffset(None):
        raise ValueError
    return at


READERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "number": (_whole, "a whole number"),
    "whole": (_whole, "a whole number"),
    "flag": (_flag, "0 or 1"),
    "id": (_text, "a text"),
    "TEXT": (_text, "a text"),
    "day": (_day, "a day such as 2026-03-02"),
    "instant": (_instant, "an instant such as 2026-03-02T09:00:00.000000+00:00"),
}
"""What makes a value of a column's type, raising `ValueError`, and what it expects."""


def _read(column: Column, value: Any) -> Any:
    if value is None and not column.is_required:
        return None
    if column.choices and value not in column.choices:
        raise ValueError
    return READERS[column.type][0](value)


def _expected(column: Column) -> str:
    expected = f"one of {', '.join(sorted(column.choices))}" if column.choices else READERS[column.type][1]
    return expected if column.is_required else f"{expected}, or nothing"


def read(table: Table, row: Row) -> list[Any] | Breach:
    """Return the values of a row, or what is wrong with it."""
    values = []
    for (name, column), value in zip(table.columns.items(), row, strict=True):
        try:
            values.append(_read(column, value))
        except ValueError:
            found = "something else (not shown)" if name in PERSONAL else shortened(value)
            return Breach(UNREADABLE, _subject(table, row), name, found, _expected(column))
    return values


def _subject(table: Table, row: Row) -> str:
    """Say which row is meant, by its key."""
    return f"{table.name} {', '.join(shortened(value) for value in row[: table.keys])}"


def is_half(values: Sequence[Any]) -> bool:
    """Tell whether what explains an entry's XP is half there."""
    account_id, _, xp_after, _, baseline_after = values[XP:KEY]
    return (account_id is None) != (xp_after is None) or (account_id is None) != (baseline_after is None)


DAMAGED = "the table"
ENTRIES = TABLES["entries"]
LINES = f"SELECT {', '.join(ENTRIES.columns)} FROM entries WHERE position > ? ORDER BY position LIMIT ?"


class Survey:
    """What one connection reads; `damage_of` says of an error what is damaged, or None for trouble of another kind."""

    def __init__(self, connection: Connection, damage_of: Callable[[Exception], str | None]) -> None:
        self._connection = connection
        self._damage_of = damage_of
        self.unreadable: list[Breach] = []

    def rows(self, table: str, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield the rows of a table that can be reached; that there are more, which cannot, is noted."""
        try:
            yield from self._connection.execute(statement, values)
        except Exception as error:
            damage = self._damage_of(error)
            if damage is None:
                raise
            self._note(Breach(UNREADABLE, f"table {table}", DAMAGED, f"damaged ({damage})", "readable to its end"))

    def raw(self, table: Table) -> Iterator[Row]:
        """Yield the rows of a whole table as they are, in the order of the key."""
        names = [*table.columns]
        keys = ", ".join(names[: table.keys])
        return self.rows(table.name, f"SELECT {', '.join(names)} FROM {table.name} ORDER BY {keys}")

    def values(self, name: str, *, member: int | None = None, check: str = UNREADABLE) -> Iterator[list[Any]]:
        """Yield the values of every row that can be read; `member` is the column that says whose it is."""
        for row in self.raw(TABLES[name]):
            values = read(TABLES[name], row)
            if isinstance(values, Breach):
                self._note(evolve(values, check=check), None if member is None else row[member])
            else:
                yield values

    def lines(self, after: int, limit: int) -> list[Entry | Breach]:
        """Return the entries above a position, as `Records.lines` does."""
        found: list[Entry | Breach] = []
        for row in self.rows("entries", LINES, [after, limit]):
            values = read(ENTRIES, row)
            line = values if isinstance(values, Breach) else entry_of(values)
            if not isinstance(values, Breach) and is_half(values):
                line = Breach(UNREADABLE, _subject(ENTRIES, row), "the XP that explains it", "half there", "whole")
            if isinstance(line, Breach):
                line = evolve(line, member_id=_if_text(row[2]), position=row[0])
            found.append(line)
        return found + self.unreadable

    def holdings(self) -> Holdings:
        """Read everything else."""
        members = [Member(*values) for values in self.values("members", member=0)]
        accounts = [DiscordActivity(*values[:12]) for values in self.values("discord_activity", member=2)]
        (last,) = next(self.rows("entries", "SELECT max(position) FROM entries"), (None,))
        balances: dict[str, dict[str, int]] = defaultdict(dict)
        for member_id, source, points in self.values("balances", check=BALANCE):
            balances[member_id][source] = points
        streaks = self._streaks()
        rises = self._rises()
        calendar, excused = self._calendar(members)
        events = [MembershipEvent(*values) for values in self.values("membership_events", member=1, check=EVENT)]
        return Holdings(
            last or 0, members, accounts, balances, streaks, rises, calendar, self.unreadable, excused, events
        )

    def _streaks(self) -> list[Streak]:
        """Read the streaks; one that is garbled stands as empty, at its version, so that it can be rebuilt."""
        streaks = []
        for row in self.raw(TABLES["streaks"]):
            values = read(TABLES["streaks"], row)
            if isinstance(values, Breach):
                self._note(evolve(values, check=STREAK))
                values = [*row[:2], None, 0, 0]
            if isinstance(values[0], str) and isinstance(values[1], int):
                streaks.append(Streak(*values))
        return streaks

    def _rises(self) -> list[Rises]:
        """Read the evidence of Discord; each window is looked at once, however many accounts rose in it."""
        groups: dict[Row, list[Row]] = defaultdict(list)
        owners: dict[Row, Row] = {}
        table = TABLES["discord_days"]
        for day, member_id, account_id, opens_at, closes_at in self.raw(table):
            # The same few members again and again: what names them is kept once.
            owner = owners.setdefault((member_id, account_id), (member_id, account_id))
            groups[day, opens_at, closes_at].append(owner)
        rises = []
        for (day, opens_at, closes_at), found in groups.items():
            values = read(table, (day, "", 0, opens_at, closes_at))
            whole = [account_id for _, account_id in found if type(account_id) is int]
            if not isinstance(values, Breach) and len(whole) == len(found):
                rises.append(Rises(values[0], values[3], values[4], whole))
                continue
            for member_id, account_id in found:
                flaw = read(table, (day, member_id, account_id, opens_at, closes_at))
                if isinstance(flaw, Breach):
                    self._note(flaw, member_id)
        return rises

    def _calendar(self, members: Sequence[Member]) -> tuple[Calendar | None, dict[date, set[str]]]:
        """Read the calendar, None if any part of it is garbled, and who is excused alone on which day."""
        known = len(self.unreadable)
        settled: list[date] = [day for day, _ in self.values("settled_days", check="calendar")]
        excused: dict[date, set[str]] = defaultdict(set)
        changes = 0
        for number, day, is_excused, *_, member_id in self.values("excusals", check="calendar"):
            changes = max(number, changes)
            (excused[day].add if is_excused else excused[day].discard)(member_id or "")
        everybody = frozenset(day for day, who in excused.items() if "" in who)
        alone = {day: others for day, who in excused.items() if (others := who - {""})}
        if len(self.unreadable) != known or (not settled and any(one.member_id for one in self.unreadable)):
            return None, alone
        first: datetime | None = min((member.enrolled_at for member in members), default=None)
        before = None if first is None else first.date() - ONE_DAY
        return Calendar(max(settled, default=before), everybody, changes), alone

    def _note(self, breach: Breach, member_id: object = None) -> None:
        self.unreadable.append(evolve(breach, member_id=_if_text(member_id)))


def _if_text(value: object) -> str | None:
    return value if isinstance(value, str) else None
