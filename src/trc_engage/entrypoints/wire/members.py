"""Shapes of members, of the ledger and of what is done with them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Self

from ...core.membership import EventKind
from ...core.model import Kind, Status
from ...core.reports import ChangeCause, EnrollmentOutcome, Mark, ReceiptOutcome
from .shape import Shape, Shown


class OfMember(Shape):
    """What is one member's."""

    member_id: str


class Account(Shape):
    """The linked account; its Discord id is left out."""

    xp_total: int
    xp_carried: Annotated[int, Shown("XP kept for the next point, 0-99.")]
    xp_to_next_point: int
    status: Status


class Link(Shape):
    """A Discord id."""

    discord_id: str


class LinkedAccount(Account, Link):
    """The linked account, for admins."""


class Streak(Shape):
    """A member's streak."""

    current: Annotated[int, Shown("Active weekdays in a row, up to the last settled day.")]
    longest: int
    active_today: bool
    at_risk: Annotated[bool, Shown("It breaks unless something is done today, or comes to light.")]
    next_milestone: int | None


class Member(OfMember):
    """Where a member stands, for members to see."""

    name: str | None
    points: int
    points_by_source: Mapping[str, int]
    discord: Account | None
    streak: Streak
    left: Annotated[bool, Shown("Noted as having left Discord.", of="has_left")] = False


class Standing(OfMember):
    """Where a member stands, for admins."""

    name: str | None
    points: int
    points_by_source: Mapping[str, int]
    discord: LinkedAccount | None
    streak: Streak | None = None
    left: Annotated[bool, Shown("Noted as having left Discord.", of="has_left")] = False


class Standings(Shape):
    """Where all members stand."""

    members: Sequence[Standing]


class MemberRow(OfMember):
    """A member in an export."""

    name: str | None
    points: int
    points_by_source: Mapping[str, int]
    discord_id: Annotated[str | None, Shown(of="discord.discord_id")]
    status: Annotated[Status | None, Shown(of="discord.status")]
    xp_total: Annotated[int | None, Shown(of="discord.xp_total")]
    xp_carried: Annotated[int | None, Shown(of="discord.xp_carried")]
    hidden: Annotated[bool, Shown(of="is_hidden")]
    forgotten: Annotated[bool, Shown(of="is_forgotten")]


class MemberItem(OfMember):
    """A member in a list, for admins."""

    name: str | None
    points: int
    discord: Account | None
    hidden: Annotated[bool, Shown(of="is_hidden")]
    forgotten: Annotated[bool, Shown(of="is_forgotten")]


class Members(Shape):
    """A page of members."""

    members: Sequence[MemberItem]
    next_after: Annotated[str | None, Shown("The cursor of the next page; null on the last.")]


class Entry(Shape):
    """A line of the ledger."""

    position: Annotated[int, Shown("Orders all entries of all members.")]
    kind: Kind
    source: str
    points: Annotated[int, Shown("Signed.")]
    day: date
    at: datetime
    silent: Annotated[bool, Shown("Nobody is to be notified of it.")]
    key: str | None
    reason: str | None
    by: Annotated[str | None, Shown(of="actor")]
    reverses: Annotated[int | None, Shown("The position of the award that it takes back.")]
    booked_at: Annotated[datetime | None, Shown("When an award was booked, if that is not when it happened.")]
    counts_as_activity: Annotated[bool, Shown("Whether an award makes its day active; a bonus does not.")]
    xp_before: Annotated[int | None, Shown(of="xp.xp_before")]
    xp_after: Annotated[int | None, Shown(of="xp.xp_after")]
    xp_carried: Annotated[int | None, Shown(of="xp.carried_after")]
    xp_carried_before: Annotated[int | None, Shown(of="xp.carried_before")]
    xp_baseline: Annotated[int | None, Shown(of="xp.baseline_after")]
    xp_baseline_before: Annotated[int | None, Shown(of="xp.baseline_before")]


class FeedEntry(Entry, OfMember):
    """A line of the ledger, and whose it is."""


class EntryRow(FeedEntry):
    """A line of the ledger in an export."""

    account_id: Annotated[int | None, Shown(of="xp.account_id")]


class Entries(Shape):
    """Lines of the ledger."""

    entries: Sequence[Entry]


class History(OfMember):
    """A page of a member's entries."""

    entries: Sequence[Entry]
    next_before: Annotated[int | None, Shown("The cursor of the next page; null on the last.")]


class Feed(Shape):
    """A page of everyone's entries."""

    entries: Annotated[Sequence[FeedEntry], Shown("Oldest first.")]
    after: Annotated[int, Shown("The cursor of the next page, also where this one is empty.")]
    more: Annotated[bool, Shown("There are more already.")]


class CalendarDay(Shape):
    """What a day meant for a streak."""

    day: date
    mark: Mark
    active: Annotated[bool, Shown(of="is_active")]
    sources: Annotated[Sequence[str], Shown(of=lambda day: sorted({one.source for one in day.evidence}))]


class Calendar(OfMember):
    """What each of some days meant for a member's streak."""

    days: Annotated[Sequence[CalendarDay], Shown("Oldest first.")]


class Evidence(Shape):
    """What makes a day active."""

    source: str
    position: int | None
    opens_at: datetime | None
    closes_at: datetime | None


class Rank(Shape):
    """A place on the leaderboard."""

    rank: Annotated[int, Shown("1, 1, 3 …")]
    member_id: str
    name: str | None
    points: int
    streak: Annotated[int | None, Shown("The current streak, on a leaderboard by streak.")] = None
    left: Annotated[bool, Shown("Noted as having left Discord.", of="has_left")] = False


class Leaderboard(Shape):
    """The top of the leaderboard, and a member's own rank if one was requested."""

    month: Annotated[str | None, Shown("Null for all time.")]
    ranks: Sequence[Rank]
    own: Rank | None

    @classmethod
    def of_month(cls, month: date | None, ranks: Sequence[object], own: object | None) -> Self:
        """Say who leads in a month, or with None of all time."""
        return cls.of(month=month and f"{month:%Y-%m}", ranks=ranks, own=own)


class Enrollment(OfMember):
    """What became of a member's enrollment or link."""

    outcome: EnrollmentOutcome


class Event(Shape):
    """What was done about a member, such as a link or a leave."""

    number: Annotated[int, Shown("Orders all events of all members.")]
    kind: EventKind
    at: datetime
    by: Annotated[str | None, Shown("Null if nobody said so.", of="actor")]
    reason: str | None
    note: Annotated[str | None, Shown("For admins only.")]
    account_id: int | None


class EventRow(Event, OfMember):
    """What was done about a member, in an export."""


class Events(OfMember):
    """What was done about a member."""

    events: Annotated[Sequence[Event], Shown("Oldest first.")]


class Milestone(OfMember):
    """A length that a member's longest streak has reached."""

    number: Annotated[int, Shown("Orders them; once told, one stands for ever.")]
    milestone_id: Annotated[str, Shown("Member and threshold: a key for a bonus.")]
    threshold: Annotated[int, Shown("In weekdays.")]


class Milestones(Shape):
    """A page of milestones."""

    milestones: Sequence[Milestone]
    after: Annotated[int, Shown("The cursor of the next page, also where this one is empty.")]


class StreakChange(OfMember):
    """How news of a settled day changed a streak."""

    current_before: int
    current_after: int
    longest_before: int
    longest_after: int
    cause: ChangeCause
    day: Annotated[date | None, Shown("The earliest day that the news was of.")]


class Receipt(Shape):
    """What became of an award, a reversal or an adjustment."""

    outcome: Annotated[ReceiptOutcome, Shown("Unchanged: it was posted before, and stands.")]
    member_id: str
    points: Annotated[int, Shown("The member's points now.")]
    entry: Entry
    late: StreakChange | None


class Rate(Shape):
    """So much XP earns so many points."""

    xp: int
    points: int


class Earning(Shape):
    """One thing that earns points, for members to read."""

    what: str
    points: int


class Earnings(Shape):
    """What earns points."""

    discord: Rate
    awards: Sequence[Earning]
