"""What an audit finds, and what a repair changes."""

from collections.abc import Sequence
from datetime import date, datetime

from attrs import field, frozen

from ..days import Calendar
from ..errors import shortened
from ..streaks import Streak

UNREADABLE = "unreadable"
BALANCE = "balance"
STREAK = "streak"
NAME = "name"

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
    "evidence",
    "calendar",
    BALANCE,
    STREAK,
    NAME,
    "run",
    "slot",
    "notice",
    "claim",
)
"""What breaches are called, in the order in which they are told: what is damaged first, what follows from it last."""

_OF_ENTRIES = frozenset({"integrity", UNREADABLE, "order", "entry", "key", "reversal", "run"})
SPOILS = {
    BALANCE: _OF_ENTRIES | {"chain"},
    STREAK: _OF_ENTRIES | {"evidence", "calendar"},
    NAME: frozenset({"integrity", UNREADABLE, "member"}),
}
"""What keeps balances and streaks from being rebuilt: where the entries or the evidence are damaged, what is derived
from them may be the last witness of what they were."""


def told(value: object) -> str:
    """Write a value that was found or expected."""
    if value is None:
        return "nothing"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def of_member(member_id: str) -> str:
    """Write which member is meant: by TRC's own id, never by name or Discord id (R9)."""
    return f"member {shortened(member_id)}"


@frozen
class Breach:
    """Something in a store that is not as it must be; it names no person (R9)."""

    check: str
    """One of `CHECKS`, or a store's own."""
    subject: str
    """Where: a member by id, an account by number, an entry by position, a table."""
    what: str
    found: str = field(converter=told)
    expected: str = field(converter=told)

    @property
    def message(self) -> str:
        """Say it in one sentence."""
        return f"{self.subject}: {self.what} is {self.found}, expected {self.expected}"


@frozen
class Change:
    """Something derived that was rebuilt."""

    check: str
    """Balance, streak or name."""
    subject: str
    what: str
    before: str = field(converter=told)
    after: str = field(converter=told)


@frozen
class Audit:
    """What an audit looked at, and what it found."""

    members: int
    accounts: int
    entries: int
    breaches: Sequence[Breach] = ()
    streaks: Sequence[tuple[Streak, Streak]] = ()
    """The streaks that differ from the evidence: as they are stored, and as it makes them, of the same version."""
    calendar: Calendar | None = None
    """The calendar under which they do."""

    @property
    def is_healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.breaches

    def can_rebuild(self, check: str) -> bool:
        """Tell whether balances, streaks or names are broken while all that they are derived from is sound."""
        found = {breach.check for breach in self.breaches}
        return check in found and not found & SPOILS[check]


@frozen
class Repair:
    """What was rebuilt, and what an audit finds after it."""

    changes: Sequence[Change]
    audit: Audit
