"""Rows taken as they may be after damage by hand: each value is looked at, and one that cannot be is named."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, get_args

from attrs import frozen

from ...core.audit.breaches import UNREADABLE, Breach
from ...core.entries import Entry, HandKind, SyncKind, XpChange
from ...core.errors import shortened
from ...core.status import NextReading, Status
from .session import Row
from .stamps import stamp


@frozen
class Kind:
    """What a column may hold."""

    expected: str
    read: Callable[[Any], Any]
    """Makes the value; raises `ValueError`."""
    is_personal: bool = False
    """Whether it may hold what names a person, and is not to be shown."""


@frozen
class Columns:
    """The columns of a table that an audit reads, in order."""

    table: str
    kinds: Sequence[tuple[str, Kind]]
    """Names and kinds; the first ones are the key."""
    keys: int = 1

    @property
    def statement(self) -> str:
        """Return what reads all rows, in the order of the key."""
        names = [name for name, _ in self.kinds]
        return f"SELECT {', '.join(names)} FROM {self.table} ORDER BY {', '.join(names[: self.keys])}"

    def values(self, row: Row) -> list[Any] | Breach:
        """Return the values of a row, or what is wrong with it."""
        try:
            return [kind.read(value) for (_, kind), value in zip(self.kinds, row, strict=True)]
        except ValueError:
            return self._flaw(row)

    def subject(self, row: Row) -> str:
        """Say which row is meant, by its key."""
        return f"{self.table} {', '.join(shortened(value) for value in row[: self.keys])}"

    def _flaw(self, row: Row) -> Breach:
        for (name, kind), value in zip(self.kinds, row, strict=True):
            try:
                kind.read(value)
            except ValueError:
                found = "something else (not shown)" if kind.is_personal else shortened(value)
                return Breach(UNREADABLE, self.subject(row), name, found, kind.expected)
        return Breach(UNREADABLE, self.subject(row), "the row", "another at each look", "a row that stays")


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


def one_of(names: Iterable[str]) -> Kind:
    """Return the kind of a column that holds one of these names."""
    known = frozenset(names)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError
        return value

    return Kind(f"one of {', '.join(sorted(known))}", read)


def optional(kind: Kind) -> Kind:
    """Return the kind of a column that may be empty."""
    return Kind(
        f"{kind.expected}, or nothing", lambda value: None if value is None else kind.read(value), kind.is_personal
    )


WHOLE = Kind("a whole number", _whole)
FLAG = Kind("0 or 1", _flag)
TEXT = Kind("a text", _text)
PERSONAL = Kind("a text", _text, is_personal=True)
DAY = Kind("a day such as 2026-03-02", _day)
INSTANT = Kind("an instant such as 2026-03-02T09:00:00.000000+00:00", _instant)

ENTRIES = Columns(
    "entries",
    (
        ("position", WHOLE),
        ("kind", one_of((*get_args(SyncKind), *get_args(HandKind)))),
        ("member_id", TEXT),
        ("source", TEXT),
        ("points", WHOLE),
        ("day", DAY),
        ("at", INSTANT),
        ("silent", FLAG),
        ("account_id", optional(WHOLE)),
        ("xp_before", optional(WHOLE)),
        ("xp_after", optional(WHOLE)),
        ("baseline_before", optional(WHOLE)),
        ("baseline_after", optional(WHOLE)),
        ("key", optional(PERSONAL)),
        ("reason", optional(PERSONAL)),
        ("actor", optional(PERSONAL)),
        ("reverses", optional(WHOLE)),
    ),
)
MEMBERS = Columns(
    "members",
    (
        ("member_id", TEXT),
        ("name", optional(PERSONAL)),
        ("enrolled_at", INSTANT),
        ("is_hidden", FLAG),
        ("is_forgotten", FLAG),
        ("version", WHOLE),
    ),
)
ACCOUNTS = Columns(
    "discord_activity",
    (
        ("account_id", WHOLE),
        ("version", WHOLE),
        ("member_id", TEXT),
        ("discord_id", PERSONAL),
        ("status", one_of(get_args(Status))),
        ("next_reading", one_of(get_args(NextReading))),
        ("xp_baseline", WHOLE),
        ("xp_total", WHOLE),
        ("xp_high", WHOLE),
        ("xp_posted", WHOLE),
        ("window_from", optional(INSTANT)),
        ("linked_at", INSTANT),
        ("unlinked_at", optional(INSTANT)),
    ),
)
BALANCES = Columns("member_balances", (("member_id", TEXT), ("source", TEXT), ("points", WHOLE)), keys=2)
STREAKS = Columns(
    "streaks",
    (("member_id", TEXT), ("version", WHOLE), ("last", optional(DAY)), ("length", WHOLE), ("longest", WHOLE)),
)
RISES = Columns(
    "discord_days",
    (("day", DAY), ("member_id", TEXT), ("account_id", WHOLE), ("opens_at", INSTANT), ("closes_at", INSTANT)),
    keys=3,
)
SETTLED_DAYS = Columns("settled_days", (("day", DAY), ("settled_at", INSTANT)))
EXCUSALS = Columns("excusals", (("change", WHOLE), ("day", DAY), ("reason", optional(TEXT)), ("at", INSTANT)))


def entry_of(values: Sequence[Any]) -> Entry | None:
    """Make the entry of a row's values; None if what explains its XP is half there."""
    position, kind, member_id, source, points, day, at, silent, account_id, *rest = values
    change, origin = rest[:4], rest[4:]
    if (account_id is None) != (change[1] is None) or (account_id is None) != (change[3] is None):
        return None
    xp = None if account_id is None else XpChange(account_id, *change)
    return Entry(position, kind, member_id, source, points, day, at, silent, xp, *origin)
