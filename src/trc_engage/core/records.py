"""What is kept on record: who did what and why, excused days, rosters, and clocks (R13a, R22, R25, R26)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, TypedDict

from attrs import Factory, evolve, frozen

from .days import Calendar, Window, windows_until
from .model import DiscordActivity, Entry, NextReading

EventKind = Literal["enrolled", "linked", "unlinked", "left", "returned", "never_left", "hidden", "shown", "forgotten"]


class TraceArguments(TypedDict, total=False):
    """The keyword arguments of methods that leave a trace: who did it and why, each a text or None."""

    by: str | None
    reason: str | None
    """The member may read it."""
    note: str | None
    """For admins alone."""


@frozen
class Trace:
    """Who did something and why, as far as they said."""

    actor: str | None = None
    reason: str | None = None
    """The member may read it."""
    note: str | None = None
    """For admins alone."""

    def event(self, kind: EventKind, member_id: str, at: datetime, account_id: int | None = None) -> "MembershipEvent":
        """Return what is kept on record of a change of a member, or of the member's account."""
        return MembershipEvent(0, member_id, kind, at, self.actor, self.reason, self.note, account_id)


@frozen
class MembershipEvent:
    """What was done about a member: no name and no Discord id stands in it (R9, R26)."""

    number: int
    """Orders the events of a store; 0 until it has given one."""
    member_id: str
    kind: EventKind
    at: datetime
    actor: str | None = None
    reason: str | None = None
    note: str | None = None
    account_id: int | None = None
    """The account concerned; of a link the store fills it in, for the account comes of the same posting."""
    next_reading: NextReading | None = None
    """Of a leave: how the account's next reading was to be taken …"""
    window_from: datetime | None = None
    """… and where its window began, so that both can be restored (R6a); of a return, where it begins."""

    def recorded(self, number: int, links: Mapping[str, int]) -> "MembershipEvent":
        """Return the event as it is kept; `links` are the accounts that its posting opens, by member id."""
        account_id = links.get(self.member_id) if self.kind == "linked" else self.account_id
        return evolve(self, number=number, account_id=account_id)

    def forgotten(self) -> "MembershipEvent":
        """Return the event without its texts (R9)."""
        return evolve(self, reason=None, note=None)


@frozen
class Excusal:
    """A day that is excused, or required again, with who decided it and why (R13, R13a, R27)."""

    day: date
    is_excused: bool
    """False: required again."""
    at: datetime
    actor: str
    reason: str | None = None
    """For the member to read; None if none was given, or if it went when the member was forgotten."""
    note: str | None = None
    """For admins alone."""
    member_id: str | None = None
    """Who alone is meant; None for everybody."""
    number: int = 0
    """Orders all of them; 0 before it is stored."""

    def turned(self, calendar: Calendar) -> Calendar:
        """Return everybody's calendar after it: one member's days leave it alone, but for the count of changes."""
        if self.member_id is not None:
            return evolve(calendar, changes=calendar.changes + 1)
        return calendar.turned([self.day], excused=self.is_excused)

    def forgotten(self) -> "Excusal":
        """Return it without what may name its member (R9)."""
        return evolve(self, reason=None, note=None)


def in_force(excusals: Iterable[Excusal]) -> Sequence[Excusal]:
    """Return those that stand, of excusals told oldest first: by day, everybody's before a member's own."""
    last = {(one.day, one.member_id or ""): one for one in excusals}
    return [last[key] for key in sorted(last) if last[key].is_excused]


def excused_alone(excusals: Iterable[Excusal]) -> dict[date, set[str]]:
    """Return who is excused alone on which day, of excusals told oldest first (R13a)."""
    alone: dict[date, set[str]] = {}
    for one in in_force(excusals):
        if one.member_id is not None:
            alone.setdefault(one.day, set()).add(one.member_id)
    return alone


@frozen
class Check:
    """What the roster of a server has told of an account; unknown answers tell nothing."""

    account_id: int
    guild_id: str
    asked_at: datetime
    """When it was last asked, whatever it answered."""
    present_at: datetime | None = None
    """When it last told that the member is there …"""
    joined_at: datetime | None = None
    """… and since when."""
    gone_at: datetime | None = None
    """When it first told that the member is gone, if it has not told otherwise since …"""
    confirmed_at: datetime | None = None
    """… and when it last told so again, at least an hour later."""
    contradicts: bool = False
    """Whether a note made by hand stands against it."""

    @property
    def is_present(self) -> bool:
        """Whether the last clear answer was that the member is there."""
        return self.present_at is not None and self.gone_at is None

    @property
    def is_unclear(self) -> bool:
        """Whether the last answer was unknown."""
        return self.present_at != self.asked_at and self.gone_at is None

    def is_gone(self, account: DiscordActivity) -> bool:
        """Tell whether the last clear answer was that the member is gone, and no rise of XP proves it wrong."""
        return self.gone_at is not None and not rose_since(account, self.gone_at)


def rose_since(account: DiscordActivity, at: datetime) -> bool:
    """Tell whether the member was active in a window that opened then or later: that proves presence."""
    return account.rose_at is not None and account.rose_at >= at


@frozen
class ClockDecision:
    """Who decided about the clock, when and why (R22, R27): the instant counts as seen from then on.

    Confirmed: a leap is right. Repaired: what was done under a clock that ran ahead of that instant is undone.
    """

    kind: Literal["confirmed", "repaired"]
    at: datetime
    actor: str
    reason: str
    position: int = 0
    """The last entry before it; the ledger sets it. Those up to it may be dated later than a repair."""


@frozen
class Ahead:
    """Everything in a ledger that is dated in the future."""

    syncs: int = 0
    """Good syncs that began then."""
    days: int = 0
    """Days that were settled then."""
    settled_through: date | None = None
    """The last day that counts as settled without them; None while nobody is enrolled."""
    good_at: datetime | None = None
    """When the last good sync before it began."""
    rises: Mapping[int, tuple[datetime, datetime]] = Factory(dict)
    """Where the first window opens that closes then, and when it was linked, by account that has any."""
    awards: Sequence[Entry] = ()
    """Awards that stand and are dated then."""
    others: int = 0
    """Enrollments, slots, notices and decisions about the clock of that time."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.syncs or self.days or self.rises or self.awards or self.others)

    def windows(self, now: datetime) -> Mapping[int, Window]:
        """Return the evidence in place of what closes then: as if nobody had looked since the last good sync (R12)."""
        window = windows_until(now)
        return {
            account_id: window(opens_at if opens_at <= now else max(self.good_at or linked_at, linked_at))
            for account_id, (opens_at, linked_at) in self.rises.items()
        }

    def drafts(self, decision: ClockDecision) -> Sequence[Entry]:
        """Return what dates the awards to now: each is taken back, and awarded once more by a key of its own."""
        at, by, drafts = decision.at, decision.actor, list[Entry]()
        for one in self.awards:
            key = f"clock-repair:{one.position}"
            again = evolve(one, position=0, day=at.date(), at=at, key=key, actor=by, booked_at=None)
            drafts += [one.reversal(at, decision.reason, by), again]
        return drafts
