"""Return values: reports of what was done, and members' standings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, get_args

from attrs import field, frozen

from . import points
from .days import Calendar
from .errors import EngageError, RosterError
from .model import Entry, Evidence, Move, Status
from .records import EventKind
from .streaks import Streak, StreakStanding
from .validation import words_of

if TYPE_CHECKING:
    from .incidents import Notice
    from .settlement import Pending


@frozen
class Tally:
    """The counts of a store."""

    store: str
    """Its address, without a password."""
    size_bytes: int | None
    """None if unknown."""
    members: int
    accounts: Mapping[Status, int]
    """By status, including unlinked ones."""
    entries: int
    never_seen: int = 0
    """Linked accounts that no board has ever shown (R31)."""


EnrollmentOutcome = Literal[EventKind, "updated", "relinked", "unchanged"]
ReceiptOutcome = Literal["awarded", "reversed", "adjusted", "unchanged"]
AccountOutcome = Literal["opened", "gained", "deducted", "rebased", "unchanged", "absent", "missed"]
"""What a sync does to an account."""

COUNTS: tuple[AccountOutcome, ...] = get_args(AccountOutcome)


ChangeCause = Literal["award", "reversal", "window", "excused", "required", "never_left", "repair"]
"""A late award or its reversal; a window of XP that reached back; an excused day or one required again; a mistaken
leave (R6a); or a repair of streaks or of the clock."""


@frozen
class StreakChange:
    """How news of a settled day changed a member's streak (R16)."""

    member_id: str
    current_before: int
    current_after: int
    longest_before: int
    longest_after: int
    cause: ChangeCause
    day: date | None = None
    """The earliest day of the news; None for a repair."""
    at: datetime | None = None
    """When it was posted; None before."""
    entry: int | None = None
    """The position of the entry that caused it, if one did."""
    number: int = 0
    """Orders all changes; 0 before it is posted."""

    @property
    def is_visible(self) -> bool:
        """Whether either length changed."""
        return (self.current_before, self.longest_before) != (self.current_after, self.longest_after)


@frozen
class SyncReport:
    """What one sync did; every account sought is counted once.

    `opened + gained + deducted + rebased + unchanged + absent` are those it looked for; `missed`
    are those it could not look for because the board moved during the read.
    """

    outcome: Literal["synced", "cached", "planned"]
    """Cached: answered from the last good sync without reading. Planned: a dry run."""
    taken_at: datetime
    """When the read began."""
    opened: int = 0
    gained: int = 0
    deducted: int = 0
    rebased: int = 0
    unchanged: int = 0
    absent: int = 0
    missed: int = 0
    points: int = 0
    """Net points of all entries."""
    pages: int = 0
    rows: int = 0
    board_id: str | None = None
    """The id of the board that was read, empty for one without an id; None if none was (R24)."""
    late: Sequence[StreakChange] = ()
    """Streaks that changed because windows reached back into settled days (R16)."""
    moves: Sequence[Move] = ()
    """What would be posted; filled in only in a plan."""

    @property
    def counts(self) -> dict[str, int]:
        """The number of accounts by outcome."""
        return {name: getattr(self, name) for name in COUNTS}


@frozen
class Enrollment:
    """The outcome of a change to a member or link."""

    member_id: str
    outcome: EnrollmentOutcome
    remains: str | None = None
    """After a member was forgotten: where the store may still hold traces, and why."""

    @property
    def changed(self) -> bool:
        """Whether anything happened."""
        return self.outcome != "unchanged"


@frozen
class Receipt:
    """The outcome of an award, reversal or adjustment."""

    outcome: ReceiptOutcome
    entry: Entry
    """The entry, posted now or earlier."""
    late: StreakChange | None = None
    """How the member's streak changed, if the entry's day was already settled (R16)."""

    @property
    def changed(self) -> bool:
        """Whether anything happened."""
        return self.outcome != "unchanged"


@frozen
class SettleReport:
    """Which days were settled, and which are over but pending."""

    settled: tuple[date, ...] = ()
    pending: tuple[Pending, ...] = ()


@frozen
class ExcuseReport:
    """The outcome of excusing days or requiring them again, and the streaks it changed (R13a, R16)."""

    outcome: Literal["excused", "required", "unchanged"]
    """Unchanged: every day was already so."""
    days: Sequence[date]
    """The days that changed."""
    unchanged: Sequence[date] = ()
    member_id: str | None = None
    """The one member it is for; None for everyone."""
    late: Sequence[StreakChange] = ()


@frozen
class ClockReport:
    """The outcome of a clock decision (R22); if planned, what a repair would do."""

    outcome: Literal["confirmed", "planned", "repaired", "unchanged"]
    """Unchanged: nothing is held back, or nothing is dated in the future."""
    at: datetime
    syncs: int = 0
    """Good syncs that no longer count; what they paid stays."""
    days: int = 0
    """Days that become unsettled."""
    accounts: int = 0
    """Accounts whose activity is redated."""
    awards: int = 0
    """Awards that are redated, each by a reversal and a new award."""
    others: int = 0
    """Enrollments, slots and clock decisions."""
    late: Sequence[StreakChange] = ()


@frozen
class ReconcileReport:
    """The outcome of comparing members with a list of who is on the server; members are given by id."""

    outcome: Literal["reconciled", "planned"]
    left: Sequence[str]
    returned: Sequence[str]
    strangers: int
    """How many ids on the list are linked to no member; only their number is kept (R1)."""
    distrusted: str | None = None
    """Why an admin must accept it."""


@frozen
class RosterReport:
    """What a round of the roster did, or would do (R25); members are given by id."""

    outcome: Literal["checked", "planned", "failed"]
    at: datetime
    guild_id: str
    asked: int = 0
    unknown: int = 0
    """How many answers were unclear."""
    left: Sequence[str] = ()
    returned: Sequence[str] = ()
    never_left: Sequence[str] = ()
    contradicted: Sequence[str] = ()
    """Those for whom a manual note contradicts the roster."""
    unconfirmed: int = 0
    """How many are gone by their last answer but not noted as left, which takes two, an hour apart, and a good sync."""
    next_at: datetime | None = None
    """The earliest start of the next round."""
    error: RosterError | None = None
    """Why it failed."""


@frozen
class RunReport:
    """What one run did."""

    at: datetime
    outcome: Literal["nothing", "synced", "failed", "waiting", "busy", "stopped"] = "nothing"
    """The outcome of the slot's sync. Nothing: the slot had already ended, or there is no source. Busy: another run
    is under way, or the store is in use. Stopped: the read was stopped."""
    slot: datetime | None = None
    """The slot that this run ended."""
    sync: SyncReport | None = None
    error: EngageError | None = None
    """Why it failed, waited or was busy."""
    settled: tuple[date, ...] = ()
    pending: tuple[Pending, ...] = ()
    delivered: tuple[Notice, ...] = ()
    undelivered: tuple[Notice, ...] = ()
    """Notices that a channel did not accept; the next run tries again."""
    roster: RosterReport | None = None
    """What a round of the roster did; None if none was due."""


Mark = Literal["active", "missed", "not_watched", "excused", "weekend", "pending", "before"]
"""Missed: watched all day, nothing earned. Not watched: nothing known to be earned, but not watched all day.
Pending: not settled, nothing earned so far. Before: earlier than the enrollment."""


@frozen
class DiscordStanding:
    """What a member sees of the linked account."""

    discord_id: str
    status: Status
    xp_total: int
    xp_baseline: int

    @property
    def xp_carried(self) -> int:
        """XP carried toward the next point, 0-99."""
        return points.carried(self.xp_total, self.xp_baseline)

    @property
    def xp_to_next_point(self) -> int:
        """XP needed for the next point, 1-100."""
        return points.XP_PER_POINT - self.xp_carried


@frozen
class Standing:
    """A member's points, account and streak."""

    member_id: str
    name: str | None
    points: int
    points_by_source: Mapping[str, int] = field(factory=dict)
    discord: DiscordStanding | None = None
    streak: StreakStanding | None = None
    """Filled in only when one member is asked for."""
    is_hidden: bool = False
    is_forgotten: bool = False

    @property
    def has_left(self) -> bool:
        """Whether the member is noted as having left Discord."""
        return self.discord is not None and self.discord.status == "left"


@frozen
class Selection:
    """A filter of members; all given conditions must hold."""

    ids: frozenset[str] | None = None
    words: Sequence[str] | None = None
    """Each must be part of a word of the name; an empty sequence selects nobody."""
    status: Status | Literal["none"] | None = None
    """The status of the Discord account linked last; `none` without one."""
    never_seen: bool = False
    """Whether no board has ever shown the linked account (R31)."""

    def picks(self, one: Standing, *, is_unseen: bool) -> bool:
        """Return whether it selects a member."""
        parts, words = self.words, words_of(one.name or "")
        return (
            (self.ids is None or one.member_id in self.ids)
            and (parts is None or (bool(parts) and all(any(part in word for word in words) for part in parts)))
            and self.status in {None, one.discord.status if one.discord else "none"}
            and (is_unseen or not self.never_seen)
        )


ALL = Selection()


@frozen
class Found:
    """A member found by a search."""

    member_id: str
    name: str | None


@frozen
class MemberFacts:
    """What a store knows about one member, from which a `Standing` is made."""

    standing: Standing
    enrolled_at: datetime
    streak: Streak
    calendar: Calendar
    open_days: frozenset[date]
    """Active days that are not settled yet, up to today."""


@frozen
class Rank:
    """A member's place among the visible ones: 1, 1, 3."""

    rank: int
    member_id: str
    name: str | None
    points: int
    streak: int | None = None
    """The length of the current streak, in a ranking by streaks."""
    has_left: bool = False
    """Whether the member is noted as having left Discord."""


@frozen
class MemberDay:
    """One day of one member, and what made it active."""

    day: date
    mark: Mark
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether anything was earned on it."""
        return bool(self.evidence)


@frozen
class Explanation:
    """What some days meant for a member, and the entries that count for them."""

    standing: Standing
    days: Sequence[MemberDay]
    """Oldest first."""
    entries: Sequence[Entry]
    """Newest first."""


def member_day(day: date, evidence: tuple[Evidence, ...], calendar: Calendar, enrolled_on: date) -> MemberDay:
    """Return what a day means for the member's streak (R13-R15)."""
    mark: Mark = "missed"
    if day < enrolled_on and not evidence:
        mark = "before"
    elif not calendar.adds(day):
        mark = "weekend"
    elif evidence:
        mark = "active"
    elif calendar.is_excused(day):
        mark = "excused"
    elif not calendar.is_settled(day):
        mark = "pending"
    return MemberDay(day, mark, evidence)
