"""Records: membership events, excusals, roster checks and clock decisions (R13a, R22, R25, R26)."""

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
    """Visible to the member."""
    note: str | None
    """For admins only."""


@frozen
class Trace:
    """Who did something and why, if given."""

    actor: str | None = None
    reason: str | None = None
    """Visible to the member."""
    note: str | None = None
    """For admins only."""

    def event(self, kind: EventKind, member_id: str, at: datetime, account_id: int | None = None) -> "MembershipEvent":
        """Return the event of a change to a member or the member's account."""
        return MembershipEvent(0, member_id, kind, at, self.actor, self.reason, self.note, account_id)


@frozen
class MembershipEvent:
    """A recorded change to a member; contains no name and no Discord id (R9, R26)."""

    number: int
    """Orders the events of a store; 0 before it is stored."""
    member_id: str
    kind: EventKind
    at: datetime
    actor: str | None = None
    reason: str | None = None
    note: str | None = None
    account_id: int | None = None
    """The account concerned; for a link, the store fills it in, because the same posting opens the account."""
    next_reading: NextReading | None = None
    """For a leave: how the account's next reading was to be taken, so that it can be restored (R6a)."""
    window_from: datetime | None = None
    """For a leave: where the window began, so that it can be restored (R6a); for a return: where it begins."""

    def recorded(self, number: int, links: Mapping[str, int]) -> "MembershipEvent":
        """Return the event as stored; `links` are the accounts that its posting opens, by member id."""
        account_id = links.get(self.member_id) if self.kind == "linked" else self.account_id
        return evolve(self, number=number, account_id=account_id)

    def forgotten(self) -> "MembershipEvent":
        """Return the event without its texts (R9)."""
        return evolve(self, reason=None, note=None)


@frozen
class Excusal:
    """A decision that a day is excused or required, with actor and reason (R13, R13a, R15a, R27)."""

    day: date
    is_excused: bool
    """False: required again, or required although nobody's XP rose on it (R15a)."""
    at: datetime
    actor: str
    reason: str | None = None
    """Visible to the member; None if none was given, or if it was erased when the member was forgotten."""
    note: str | None = None
    """For admins only."""
    member_id: str | None = None
    """The one member it is for; None for everyone."""
    number: int = 0
    """Orders all excusals; 0 before it is stored."""

    def turned(self, calendar: Calendar) -> Calendar:
        """Return everyone's calendar after it; an excusal of one member only increments `changes`."""
        if self.member_id is not None:
            return evolve(calendar, changes=calendar.changes + 1)
        return calendar.turned([self.day], excused=self.is_excused)

    def forgotten(self) -> "Excusal":
        """Return it without the texts, which may name its member (R9)."""
        return evolve(self, reason=None, note=None)


def in_force(excusals: Iterable[Excusal]) -> Sequence[Excusal]:
    """Return the excusals in force, of all excusals oldest first: by day, everyone's before a member's own."""
    last = {(one.day, one.member_id or ""): one for one in excusals}
    return [last[key] for key in sorted(last) if last[key].is_excused]


def confirmed(excusals: Iterable[Excusal]) -> Sequence[Excusal]:
    """Return those, of all excusals oldest first, that require a day which was not excused (R15a)."""
    last: dict[tuple[date, str | None], bool] = {}
    found = []
    for one in excusals:
        if not one.is_excused and not last.get((one.day, one.member_id)):
            found.append(one)
        last[one.day, one.member_id] = one.is_excused
    return found


def excused_alone(excusals: Iterable[Excusal]) -> dict[date, set[str]]:
    """Return who is excused alone on which day, from all excusals oldest first (R13a)."""
    alone: dict[date, set[str]] = {}
    for one in in_force(excusals):
        if one.member_id is not None:
            alone.setdefault(one.day, set()).add(one.member_id)
    return alone


@frozen
class Check:
    """What the roster of a server has answered about an account; an unknown answer changes only `asked_at`."""

    account_id: int
    guild_id: str
    asked_at: datetime
    """When it was last asked, whatever it answered."""
    present_at: datetime | None = None
    """When it last answered that the member is present."""
    joined_at: datetime | None = None
    """When the member joined, according to that answer."""
    gone_at: datetime | None = None
    """When it first answered that the member is gone; None if it has answered otherwise since."""
    confirmed_at: datetime | None = None
    """When it last confirmed `gone_at`, at least an hour later."""
    contradicts: bool = False
    """Whether a manual note contradicts it."""

    @property
    def is_present(self) -> bool:
        """Whether the last clear answer was that the member is present."""
        return self.present_at is not None and self.gone_at is None

    @property
    def is_unclear(self) -> bool:
        """Whether the last answer was unknown."""
        return self.present_at != self.asked_at and self.gone_at is None

    def is_gone(self, account: DiscordActivity) -> bool:
        """Return whether the last clear answer was that the member is gone, and no rise of XP since disproves it."""
        return self.gone_at is not None and not rose_since(account, self.gone_at)


def rose_since(account: DiscordActivity, at: datetime) -> bool:
    """Return whether the member was active in a window that opened at `at` or later, which proves presence."""
    return account.rose_at is not None and account.rose_at >= at


@frozen
class ClockDecision:
    """A decision about the clock, after which its instant counts as seen (R22, R27).

    Confirmed: a leap is right. Repaired: what was done under a clock that ran ahead of the instant is undone.
    """

    kind: Literal["confirmed", "repaired"]
    at: datetime
    actor: str
    reason: str
    position: int = 0
    """The last entry before it, set by the ledger; entries up to it may be dated later than a repair."""


@frozen
class Ahead:
    """Everything in a ledger that is dated after an instant."""

    syncs: int = 0
    """Good syncs that began after it."""
    days: int = 0
    """Days that were settled after it."""
    settled_through: date | None = None
    """The last day that counts as settled without those days; None while nobody is enrolled."""
    good_at: datetime | None = None
    """When the last good sync up to the instant began."""
    rises: Mapping[int, tuple[datetime, datetime]] = Factory(dict)
    """By account with windows that close after it: where the first of them opens, and when it was linked."""
    awards: Sequence[Entry] = ()
    """Unreversed awards that are dated more than two minutes after it."""
    others: int = 0
    """Enrollments and slots dated after it, and the last clock decision if it is."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.syncs or self.days or self.rises or self.awards or self.others)

    def windows(self, now: datetime) -> Mapping[int, Window]:
        """Return the windows that replace those, as if no sync had looked since the last good one (R12)."""
        window = windows_until(now)
        return {
            account_id: window(opens_at if opens_at <= now else max(self.good_at or linked_at, linked_at))
            for account_id, (opens_at, linked_at) in self.rises.items()
        }

    def drafts(self, decision: ClockDecision) -> Sequence[Entry]:
        """Return drafts that move the awards to now: for each a reversal, and an award with a new key."""
        at, by, drafts = decision.at, decision.actor, list[Entry]()
        for one in self.awards:
            key = f"clock-repair:{one.position}"
            again = evolve(one, position=0, day=at.date(), at=at, key=key, actor=by, booked_at=None)
            drafts += [one.reversal(at, decision.reason, by), again]
        return drafts
