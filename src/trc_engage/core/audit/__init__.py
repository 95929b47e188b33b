"""The audit of a store: every invariant, for all stores.

`Holdings` has everything but the entries; `Books` folds the entries page by page and keeps only totals; `conclude`
compares the two. Read `books` next, then `checks`.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import date, datetime

from attrs import Factory, define, field, frozen

from ..days import Calendar
from ..errors import shortened
from ..model import DiscordActivity, Member
from ..records import ClockDecision, MembershipEvent
from ..streaks import Streak

UNREADABLE = "unreadable"
BALANCE = "balance"
STREAK = "streak"
NAME = "name"
EVENT = "event"

CHECKS = (
    "integrity",
    "file",
    "schema",
    UNREADABLE,
    "order",
    "entry",
    "key",
    "reversal",
    "chain",
    "account",
    "link",
    "member",
    EVENT,
    "evidence",
    "calendar",
    BALANCE,
    STREAK,
    NAME,
    "run",
    "slot",
    "notice",
    "lease",
)
"""Names of breaches in report order: causes first, consequences last."""

_OF_ENTRIES = frozenset({"integrity", UNREADABLE, "order", "entry", "key", "reversal", "run"})
SPOILS = {
    BALANCE: _OF_ENTRIES | {"chain"},
    STREAK: _OF_ENTRIES | {"evidence", "calendar"},
    NAME: frozenset({"integrity", UNREADABLE, "member"}),
}
"""Breaches that block a rebuild: if entries or evidence are damaged, the derived values may be the only record left."""


def text_of(value: object) -> str:
    """Return a found or expected value as text."""
    if value is None:
        return "nothing"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def of_member(member_id: str) -> str:
    """Return a member as text: by TRC's own id, never by name or Discord id (R9)."""
    return f"member {shortened(member_id)}"


@frozen
class Breach:
    """A broken invariant; it names no person (R9)."""

    check: str
    """One of `CHECKS`, or a store's own."""
    subject: str
    """Where: a member by id, an account by number, an entry by position, a table."""
    what: str
    found: str = field(converter=text_of)
    expected: str = field(converter=text_of)
    """What it must be, or, in a repair, what it is now."""
    member_id: str | None = field(default=None, eq=False)
    """The member whose row cannot be read; None if the id cannot be read either."""
    position: int | None = field(default=None, eq=False)
    """The position of an unreadable entry; None if all later entries are unreadable too."""

    @property
    def message(self) -> str:
        """Return the breach as one sentence."""
        return f"{self.subject}: {self.what} is {self.found}, expected {self.expected}"


Row = tuple[bool, str, object, object]
"""Whether it is wrong, what it is about, what was found, what was expected."""


def breaches(check: str, subject: str, *rows: Row) -> Iterator[Breach]:
    """Yield a breach for each row that is wrong."""
    return (Breach(check, subject, what, found, expected) for is_wrong, what, found, expected in rows if is_wrong)


@frozen
class Audit:
    """The result of an audit."""

    members: int
    accounts: int
    entries: int
    breaches: Sequence[Breach] = ()
    streaks: Sequence[tuple[Streak, Streak]] = ()
    """The streaks that differ from the evidence: stored and recomputed, with the same version."""
    calendar: Calendar | None = None
    """The calendar they were recomputed under."""

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.breaches

    def can_rebuild(self, check: str) -> bool:
        """Return whether balances, streaks or names are broken while the data they derive from is sound."""
        found = {breach.check for breach in self.breaches}
        return check in found and not found & SPOILS[check]


@frozen
class Repair:
    """What was rebuilt, and what an audit finds after it."""

    changes: Sequence[Breach]
    """Each with the value found and the value now."""
    audit: Audit


@frozen
class Rises:
    """The accounts whose XP rose in one window, for one of the days that it counts for (R11, R12)."""

    day: date
    opens_at: datetime
    closes_at: datetime
    account_ids: Sequence[int]


@frozen
class Holdings:
    """Everything but the entries; unreadable rows appear only in `unreadable`."""

    last_position: int
    """The last entry's position in the same snapshot; 0 without entries."""
    members: Sequence[Member]
    accounts: Sequence[DiscordActivity]
    """Including unlinked ones, by account id."""
    balances: Mapping[str, Mapping[str, int]]
    """Points by member id and source."""
    streaks: Sequence[Streak]
    rises: Sequence[Rises]
    calendar: Calendar | None
    """None if it cannot be read."""
    unreadable: Sequence[Breach] = ()
    """The rows that make no valid value."""
    excused: Mapping[date, Set[str]] = Factory(dict)
    """Who is excused alone on which day (R13a)."""
    events: Sequence[MembershipEvent] = ()
    """By number."""
    decisions: Sequence[ClockDecision] = ()
    """About the clock, oldest first."""


@define
class Doubts:
    """Members with unreadable rows, whose other rows are therefore not checked against each other."""

    members: set[str] = Factory(set)
    everyone: bool = False

    def add(self, unreadable: Breach) -> None:
        """Take an unreadable row into account, unless it is derived and can be rebuilt."""
        if unreadable.check != UNREADABLE:
            return
        if unreadable.member_id is None:
            self.everyone = True
        else:
            self.members.add(unreadable.member_id)

    def of(self, member_id: str) -> bool:
        """Return whether a member's facts are incomplete."""
        return self.everyone or member_id in self.members
