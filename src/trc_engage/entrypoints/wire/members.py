"""Shapes of members and their membership, of entries, and of what members earn."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self

from ...core import model, reports
from ...core.records import MembershipEvent
from ...core.reports import DiscordStanding, ReceiptOutcome
from ...core.streaks import StreakStanding
from .shape import Shape, Shown


class OfMember(Shape):
    """The base of shapes about one member."""

    member_id: str


class Account(Shape, core=DiscordStanding, fields="xp_total xp_carried xp_to_next_point status"):
    """The linked Discord account, without its id."""

    xp_carried: Annotated[int, Shown("XP carried toward the next point, 0-99.")]


class Link(Shape):
    """A Discord id."""

    discord_id: str


class LinkedAccount(Account, Link):
    """The linked Discord account, for admins."""


class Streak(Shape, core=StreakStanding, fields="current longest active_today at_risk next_milestone"):
    """A member's streak."""

    current: Annotated[int, Shown("Active weekdays in a row, up to the last settled day.")]
    at_risk: Annotated[
        bool, Shown("Whether it will break unless the member earns something, or evidence for an open day arrives.")
    ]


class Known(OfMember, core=reports.Standing, fields="name points points_by_source"):
    """What every view of a member shows."""


class Member(Known):
    """A member's points and streak, as members see them."""

    discord: Account | None
    streak: Streak
    left: Annotated[bool, Shown("Whether the member is recorded as having left Discord.", of="has_left")] = False


class Standing(Known):
    """A member's points and streak, as admins see them."""

    discord: LinkedAccount | None
    streak: Streak | None = None
    left: Annotated[bool, Shown("Whether the member is recorded as having left Discord.", of="has_left")] = False


class Everything(Shape):
    """Everything stored about a member."""

    standing: Standing
    stored: Annotated[dict[str, Sequence[dict[str, Any]]], Shown("The rows, by table.")]


class Standings(Shape):
    """The points and streaks of all members."""

    members: Sequence[Standing]


class MemberRow(
    Known,
    core=reports.Standing,
    fields="discord_id=discord.discord_id status=discord.status xp_total=discord.xp_total "
    "xp_carried=discord.xp_carried streak=streak.current longest_streak=streak.longest hidden=is_hidden "
    "forgotten=is_forgotten",
):
    """A member in an export."""


class MemberItem(OfMember, core=reports.Standing, fields="name points discord hidden=is_hidden forgotten=is_forgotten"):
    """A member in a list, for admins."""

    discord: Account | None


class Members(Shape):
    """A page of members."""

    members: Sequence[MemberItem]
    next_after: Annotated[str | None, Shown("The cursor of the next page; null on the last.")]


class Entry(
    Shape,
    core=model.Entry,
    fields="position kind source points day at silent key reason by=actor reverses booked_at counts_as_activity "
    "xp_before=xp.xp_before xp_after=xp.xp_after xp_carried=xp.carried_after xp_carried_before=xp.carried_before "
    "xp_baseline=xp.baseline_after xp_baseline_before=xp.baseline_before",
):
    """An entry of the ledger."""

    position: Annotated[int, Shown("The entry's place in the ledger, among those of all members.")]
    points: Annotated[int, Shown("Negative if points were taken.")]
    silent: Annotated[bool, Shown("True if nobody should be notified of it.")]
    reverses: Annotated[int | None, Shown("Of a reversal: the position of the award that it takes back.")]
    booked_at: Annotated[datetime | None, Shown("When the award was booked, unless that is when it happened.")]
    counts_as_activity: Annotated[bool, Shown("Whether an award makes its day active; a bonus does not.")]


class FeedEntry(Entry, OfMember):
    """An entry of the ledger, with its member."""


class EntryRow(FeedEntry, core=model.Entry, fields="account_id=xp.account_id"):
    """An entry of the ledger in an export."""


class Entries(Shape):
    """Entries of the ledger."""

    entries: Sequence[Entry]


class History(OfMember):
    """A page of a member's entries."""

    entries: Sequence[Entry]
    next_before: Annotated[int | None, Shown("The cursor of the next page; null on the last.")]


class Feed(Shape):
    """A page of everyone's entries."""

    entries: Annotated[Sequence[FeedEntry], Shown("Oldest first.")]
    after: Annotated[int, Shown("The cursor of the next page, even if this one is empty.")]
    more: Annotated[bool, Shown("Whether there are more entries already.")]


class CalendarDay(Shape, core=reports.MemberDay, fields="day mark active=is_active"):
    """How a day counts for a streak."""

    sources: Annotated[Sequence[str], Shown(of=lambda day: sorted({one.source for one in day.evidence}))]


class Calendar(OfMember):
    """How days count for a member's streak."""

    days: Annotated[Sequence[CalendarDay], Shown("Oldest first.")]


class Evidence(Shape, core=model.Evidence, fields="source position opens_at closes_at"):
    """What makes a day active."""


class Rank(Shape, core=reports.Rank, fields="rank member_id name points"):
    """A place on the leaderboard."""

    rank: Annotated[int, Shown("Equal members share a rank: 1, 1, 3.")]
    streak: Annotated[int | None, Shown("The current streak, on a leaderboard by streak.")] = None
    left: Annotated[bool, Shown("Whether the member is recorded as having left Discord.", of="has_left")] = False


class Leaderboard(Shape):
    """The top of the leaderboard, and a member's own rank if one was requested."""

    month: Annotated[str | None, Shown("Null for all time.")]
    ranks: Sequence[Rank]
    own: Rank | None

    @classmethod
    def of_month(cls, month: date | None, ranks: Sequence[object], own: object | None) -> Self:
        """Fill the shape for a month, or for all time if it is None."""
        return cls.of(month=month and f"{month:%Y-%m}", ranks=ranks, own=own)


class Enrollment(Shape, core=reports.Enrollment, fields="member_id outcome"):
    """The outcome of enrolling or linking a member."""

    remains: Annotated[str | None, Shown("Where the store may still hold data of a forgotten member.")] = None


class Event(Shape, core=MembershipEvent, fields="number kind at by reason note account_id"):
    """A membership event, such as a link or a leave."""

    number: Annotated[int, Shown("The event's place among those of all members.")]
    by: Annotated[str | None, Shown("Who did it; null if nobody said.", of="actor")]
    note: Annotated[str | None, Shown("For admins only.")]


class EventRow(Event, OfMember):
    """A membership event in an export."""


class Events(OfMember):
    """The membership events of a member."""

    events: Annotated[Sequence[Event], Shown("Oldest first.")]


class Milestone(OfMember):
    """A length that a member's longest streak has reached."""

    number: Annotated[int, Shown("The milestone's place among all; it never changes.")]
    milestone_id: Annotated[str, Shown("Member and threshold; use it as the key of a bonus.")]
    threshold: Annotated[int, Shown("In weekdays.")]


class Milestones(Shape):
    """A page of milestones."""

    milestones: Sequence[Milestone]
    after: Annotated[int, Shown("The cursor of the next page, even if this one is empty.")]


class StreakChange(
    OfMember, core=reports.StreakChange, fields="current_before current_after longest_before longest_after cause"
):
    """How late news about a settled day changed a streak."""

    day: Annotated[date | None, Shown("The earliest day that the news is about.")]


class Receipt(Shape):
    """The outcome of an award, a reversal or an adjustment."""

    outcome: Annotated[ReceiptOutcome, Shown("`unchanged` if it had been posted before.")]
    member_id: str
    points: Annotated[int, Shown("The member's points now.")]
    entry: Entry
    late: StreakChange | None


class Rate(Shape):
    """How many points an amount of XP earns."""

    xp: int
    points: int


class Earning(Shape):
    """Something that earns points, in words for members."""

    what: str
    points: int


class Earnings(Shape):
    """What earns points."""

    discord: Rate
    awards: Sequence[Earning]
