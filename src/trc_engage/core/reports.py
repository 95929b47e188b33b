"""Return values: what was done, and where members stand."""

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
    """How much a store holds."""

    store: str
    """Where it is, without any password."""
    size_bytes: int | None
    """None if its size is not known."""
    members: int
    accounts: Mapping[Status, int]
    """How many there are of each status, unlinked ones included."""
    entries: int
    never_seen: int = 0
    """Linked accounts that no board has ever shown (R31)."""


EnrollmentOutcome = Literal[EventKind, "updated", "relinked", "unchanged"]
ReceiptOutcome = Literal["awarded", "reversed", "adjusted", "unchanged"]
AccountOutcome = Literal["opened", "gained", "deducted", "rebased", "unchanged", "absent", "missed"]
"""What a sync means for one account, by its XP."""

COUNTS: tuple[AccountOutcome, ...] = get_args(AccountOutcome)
"""What a report counts its accounts by."""


ChangeCause = Literal["award", "reversal", "window", "excused", "required", "never_left", "repair"]
"""A late award, or one taken back; a window of XP that reached back; an excusal, or its undoing; a leave that was a
mistake (R6a); or the doctor."""


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
    """The earliest day that the news was of; None for the doctor's."""
    at: datetime | None = None
    """When it was posted; None before."""
    entry: int | None = None
    """The position of the entry that caused it, if one did."""
    number: int = 0
    """Orders all of them; 0 before it is posted."""

    @property
    def is_visible(self) -> bool:
        """Whether anything differs."""
        return (self.current_before, self.longest_before) != (self.current_after, self.longest_after)


@frozen
class SyncReport:
    """What one sync did: every account sought is counted once, by its XP.

    `opened + gained + deducted + rebased + unchanged + absent` are those it looked for; `missed`
    are those it could not look for because the board moved under the read.
    """

    outcome: Literal["synced", "cached", "planned"]
    """Cached: answered from the last good reading, nothing was read. Planned: a dry run."""
    taken_at: datetime
    """When the reading began."""
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
    """Whose board was read, empty for one without an id; None if none was (R24)."""
    late: Sequence[StreakChange] = ()
    """Streaks that changed because windows reached back into settled days (R16)."""
    moves: Sequence[Move] = ()
    """What would be posted; filled in a plan only."""

    @property
    def counts(self) -> dict[str, int]:
        """How many accounts the sync touched in which way."""
        return {name: getattr(self, name) for name in COUNTS}


@frozen
class Enrollment:
    """What became of a member's enrollment or link."""

    member_id: str
    outcome: EnrollmentOutcome
    remains: str | None = None
    """After a forgetting: where the store may still hold traces of what was erased, and why."""

    @property
    def changed(self) -> bool:
        """Whether anything happened."""
        return self.outcome != "unchanged"


@frozen
class Receipt:
    """What became of an award, a reversal or an adjustment."""

    outcome: ReceiptOutcome
    entry: Entry
    """The entry that stands, posted now or the first time."""
    late: StreakChange | None = None
    """How the member's streak changed, if the entry's day was settled already (R16)."""

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
    """What became of days that were excused or required again, and which streaks that changed (R13a, R16)."""

    outcome: Literal["excused", "required", "unchanged"]
    """Unchanged: each of the days was that already."""
    days: Sequence[date]
    """Those that changed."""
    unchanged: Sequence[date] = ()
    member_id: str | None = None
    """Who alone is meant; None for everybody."""
    late: Sequence[StreakChange] = ()


@frozen
class ClockReport:
    """What became of a decision about the clock (R22), or, if planned, what a repair would do."""

    outcome: Literal["confirmed", "planned", "repaired", "unchanged"]
    """Unchanged: nothing is held back, or nothing lies ahead."""
    at: datetime
    syncs: int = 0
    """Good syncs that are none any more; what they paid stays."""
    days: int = 0
    """Days that are unsettled."""
    accounts: int = 0
    """Accounts whose activity is dated anew."""
    awards: int = 0
    """Awards that are dated anew, by a reversal and an award each."""
    others: int = 0
    """Enrollments, slots and decisions about the clock."""
    late: Sequence[StreakChange] = ()


@frozen
class ReconcileReport:
    """What became of comparing the members with a list of who is on the server; members are named by their ids."""

    outcome: Literal["reconciled", "planned"]
    left: Sequence[str]
    returned: Sequence[str]
    strangers: int
    """How many on the list are linked to nobody: only their number is kept (R1)."""
    distrusted: str | None = None
    """Why it takes an admin's word."""


@frozen
class RosterReport:
    """What a round of the roster did, or would do (R25); members are named by their ids."""

    outcome: Literal["checked", "planned", "failed"]
    at: datetime
    guild_id: str
    asked: int = 0
    unknown: int = 0
    """How many answers were not clear."""
    left: Sequence[str] = ()
    returned: Sequence[str] = ()
    never_left: Sequence[str] = ()
    contradicted: Sequence[str] = ()
    """About whom a note made by hand stands against the roster."""
    unconfirmed: int = 0
    """How many are gone by their last answers and not noted as left: it takes two, an hour apart, and a good sync."""
    next_at: datetime | None = None
    """Before then nobody is asked for."""
    error: RosterError | None = None
    """Why it failed."""


@frozen
class RunReport:
    """What one run did."""

    at: datetime
    outcome: Literal["nothing", "synced", "failed", "waiting", "busy", "stopped"] = "nothing"
    """What became of the slot's sync. Nothing: the slot had ended already, or there is no source. Busy: somebody
    else is at work, or holds the store. Stopped: the read was given up."""
    slot: datetime | None = None
    """The slot that this run ended."""
    sync: SyncReport | None = None
    error: EngageError | None = None
    """Why it failed, waited or was busy."""
    settled: tuple[date, ...] = ()
    pending: tuple[Pending, ...] = ()
    delivered: tuple[Notice, ...] = ()
    undelivered: tuple[Notice, ...] = ()
    """Notices that a channel did not take; they are tried again with the next run."""
    roster: RosterReport | None = None
    """What a round of the roster did; None if none was due."""


Mark = Literal["active", "missed", "not_watched", "excused", "weekend", "pending", "before"]
"""Missed: watched wholly, and nothing rose. Not watched: nothing is known to have been earned, and it was not watched
wholly. Pending: not settled, and nothing earned so far. Before: earlier than the enrollment."""


@frozen
class DiscordStanding:
    """What a member sees of the linked account."""

    discord_id: str
    status: Status
    xp_total: int
    xp_baseline: int

    @property
    def xp_carried(self) -> int:
        """XP kept for the next point, 0-99."""
        return points.carried(self.xp_total, self.xp_baseline)

    @property
    def xp_to_next_point(self) -> int:
        """XP missing to the next point, 1-100."""
        return points.XP_PER_POINT - self.xp_carried


@frozen
class Standing:
    """Where a member stands."""

    member_id: str
    name: str | None
    points: int
    points_by_source: Mapping[str, int] = field(factory=dict)
    discord: DiscordStanding | None = None
    streak: StreakStanding | None = None
    """Filled in for one member at a time only."""
    is_hidden: bool = False
    is_forgotten: bool = False

    @property
    def has_left(self) -> bool:
        """Whether the member is noted as having left Discord."""
        return self.discord is not None and self.discord.status == "left"


@frozen
class Selection:
    """A filter of members: all given conditions must hold."""

    ids: frozenset[str] | None = None
    words: Sequence[str] | None = None
    """Each is a part of a word of the name; none at all pick nobody."""
    status: Status | Literal["none"] | None = None
    """Of the Discord account that was linked last; `none` without one."""
    never_seen: bool = False
    """Whether no board has ever shown the linked account (R31)."""

    def picks(self, one: Standing, *, is_unseen: bool) -> bool:
        """Tell whether a member is meant."""
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
    """Somebody who was searched for."""

    member_id: str
    name: str | None


@frozen
class MemberFacts:
    """What a store knows of one member, from which a `Standing` is made."""

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
    """The length of the current streak, where it decides the place."""
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
    """What each of some days meant for a member, and the entries that count for them."""

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
