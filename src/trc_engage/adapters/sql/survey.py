"""Rows taken as they may be after damage by hand: each value is looked at, and one that cannot be is named."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, get_args

from attrs import evolve, field, fields, frozen, resolve_types

from ...core.audit.model import BALANCE, STREAK, UNREADABLE, Breach, Holdings, Rises, Unreadable
from ...core.days import ONE_DAY, Calendar
from ...core.errors import shortened
from ...core.model import DiscordActivity, Entry, Member, XpChange
from ...core.streaks import Streak
from .database import Connection, Row, stamp


@frozen
class Kind:
    """What a column may hold."""

    expected: str
    read: Callable[[Any], Any]
    """Makes the value; raises `ValueError`."""


@frozen
class Columns:
    """The columns of a table that an audit reads, in order."""

    table: str
    types: Mapping[str, Any]
    """Names and types; the first ones are the key."""
    keys: int = 1
    kinds: Sequence[Kind] = field(init=False)

    @kinds.default
    def _kinds(self) -> Sequence[Kind]:
        return [_kind_of(one) for one in self.types.values()]

    @property
    def statement(self) -> str:
        """Return what reads all rows, in the order of the key."""
        names = [*self.types]
        return f"SELECT {', '.join(names)} FROM {self.table} ORDER BY {', '.join(names[: self.keys])}"

    def values(self, row: Row) -> list[Any] | Breach:
        """Return the values of a row, or what is wrong with it."""
        try:
            return [kind.read(value) for kind, value in zip(self.kinds, row, strict=True)]
        except ValueError:
            return self._flaw(row)

    def subject(self, row: Row) -> str:
        """Say which row is meant, by its key."""
        return f"{self.table} {', '.join(shortened(value) for value in row[: self.keys])}"

    def _flaw(self, row: Row) -> Breach:
        for name, kind, value in zip(self.types, self.kinds, row, strict=True):
            try:
                kind.read(value)
            except ValueError:
                found = "something else (not shown)" if name in PERSONAL else shortened(value)
                return Breach(UNREADABLE, self.subject(row), name, found, kind.expected)
        return Breach(UNREADABLE, self.subject(row), "the row", "another at each look", "a row that stays")


PERSONAL = frozenset({"name", "discord_id", "key", "reason", "actor"})
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


KINDS = {
    int: Kind("a whole number", _whole),
    bool: Kind("0 or 1", _flag),
    str: Kind("a text", _text),
    date: Kind("a day such as 2026-03-02", _day),
    datetime: Kind("an instant such as 2026-03-02T09:00:00.000000+00:00", _instant),
}


def _kind_of(one: Any) -> Kind:
    """Return what a column of a type may hold."""
    if one in KINDS:
        return KINDS[one]
    parts = get_args(one)
    if type(None) in parts:
        (kind,) = [_kind_of(part) for part in parts if part is not type(None)]
        return Kind(f"{kind.expected}, or nothing", lambda value: None if value is None else kind.read(value))
    names = frozenset(name for part in parts for name in get_args(part) or [part])

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError
        return value

    return Kind(f"one of {', '.join(sorted(names))}", read)


def types_of(value: type) -> dict[str, Any]:
    """Return the columns of a table whose rows are attrs values: the fields' names and types."""
    return {one.name: one.type for one in fields(resolve_types(value))}


_ENTRY, _ORIGIN = types_of(Entry), ("key", "reason", "actor", "reverses")
ENTRIES = Columns(
    "entries",
    {name: one for name, one in _ENTRY.items() if name not in {"xp", *_ORIGIN}}
    | {name: one | None for name, one in types_of(XpChange).items()}
    | {name: _ENTRY[name] for name in _ORIGIN},
)
MEMBERS = Columns("members", types_of(Member))
ACCOUNTS = Columns(
    "discord_activity", types_of(DiscordActivity) | {"linked_at": datetime, "unlinked_at": datetime | None}
)
BALANCES = Columns("balances", {"member_id": str, "source": str, "points": int}, keys=2)
STREAKS = Columns("streaks", types_of(Streak))
RISES = Columns(
    "discord_days",
    {"day": date, "member_id": str, "account_id": int, "opens_at": datetime, "closes_at": datetime},
    keys=3,
)
SETTLED_DAYS = Columns("settled_days", {"day": date, "settled_at": datetime})
EXCUSALS = Columns("excusals", {"change": int, "day": date, "reason": str | None, "at": datetime})


def entry_of(values: Sequence[Any]) -> Entry | None:
    """Make the entry of a row's values; None if what explains its XP is half there."""
    position, kind, member_id, source, points, day, at, silent, account_id, *rest = values
    change, origin = rest[:4], rest[4:]
    if (account_id is None) != (change[1] is None) or (account_id is None) != (change[3] is None):
        return None
    xp = None if account_id is None else XpChange(account_id, *change)
    return Entry(position, kind, member_id, source, points, day, at, silent, xp, *origin)


DAMAGED = "the table"
LINES = f"SELECT {', '.join(ENTRIES.types)} FROM entries WHERE position > ? ORDER BY position LIMIT ?"


class Survey:
    """What one connection reads; `damage_of` says of an error what is damaged, or None for trouble of another kind."""

    def __init__(self, connection: Connection, damage_of: Callable[[Exception], str | None]) -> None:
        self._session = connection
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
            self._note(evolve(values, check=check), owner if isinstance(owner, str) else None)

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
                self._note(evolve(values, check=STREAK))
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
