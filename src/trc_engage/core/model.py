"""The nouns, as frozen values. Instants are aware UTC; XP and points are whole numbers."""

from datetime import date, datetime
from typing import Literal, Self

from attrs import evolve, frozen

from . import points
from .days import Window

SyncKind = Literal["opening", "gain", "deduction", "rebase"]
HandKind = Literal["award", "reversal", "adjustment"]
Kind = SyncKind | HandKind
SILENT_KINDS: frozenset[str] = frozenset({"opening", "rebase"})
DISCORD = "discord"
"""The source that only a sync may post to."""
ADJUSTMENT = "adjustment"
"""The source of an admin's adjustments."""


@frozen
class XpChange:
    """An account's XP and baseline before and after an entry.

    `before` equals the `after` of the account's previous entry, so each line can be checked against the
    one above it: unless the baseline moves, points and `carried_after` are `points.convert(carried_before, gained)`.
    An opening has no `before`.
    """

    account_id: int
    xp_before: int | None
    xp_after: int
    baseline_before: int | None
    baseline_after: int

    @property
    def carried_before(self) -> int | None:
        """XP carried before, 0-99; None at an opening."""
        if self.xp_before is None or self.baseline_before is None:
            return None
        return points.carried(self.xp_before, self.baseline_before)

    @property
    def carried_after(self) -> int:
        """XP carried after, 0-99."""
        return points.carried(self.xp_after, self.baseline_after)


@frozen
class Entry:
    """An immutable line of the ledger; `position` orders all of them (R23)."""

    position: int
    kind: Kind
    member_id: str
    source: str
    points: int
    day: date
    at: datetime
    silent: bool
    """Whether it is not announced to anyone."""
    xp: XpChange | None = None
    """Explains an entry of a sync."""
    key: str | None = None
    """The caller's key, unique in the ledger."""
    reason: str | None = None
    actor: str | None = None
    reverses: int | None = None
    """The position of the award that it reverses."""
    booked_at: datetime | None = None
    """When an award was booked, if not when it happened."""
    counts_as_activity: bool = True
    """Whether an award makes its day active; a bonus does not (R17a)."""

    def reversal(self, at: datetime, reason: str, actor: str) -> "Entry":
        """Return the draft that reverses this award."""
        now = evolve(self, position=0, at=at, key=None, reason=reason, actor=actor, booked_at=None)
        return evolve(now, kind="reversal", points=-self.points, reverses=self.position)


@frozen
class Evidence:
    """What makes a day active: an unreversed award, or a rise of XP with the window that it was earned in (R11)."""

    day: date
    source: str
    position: int | None = None
    """The award's entry."""
    account_id: int | None = None
    """The account whose XP rose between `opens_at` and `closes_at`."""
    opens_at: datetime | None = None
    closes_at: datetime | None = None


DecisionKind = Literal["accept_drops", "rebase_drops", "adopt_board"]
"""In order: deduct falling XP; rebase falling XP, for a new season; take another board as the ledger's."""


@frozen
class Decision:
    """An admin's decision about a board, and its trace (R27)."""

    kind: DecisionKind
    actor: str | None = None
    """Who decided; an adoption always has one."""
    reason: str | None = None

    @property
    def entry_kind(self) -> SyncKind:
        """The kind of its entries, which record actor and reason."""
        return "deduction" if self.kind == "accept_drops" else "rebase"


Status = Literal["waiting", "tracked", "absent", "left", "unlinked"]
"""Waiting: not yet opened. Absent: not found on a board that was read to its end (R5)."""

NextReading = Literal["opens", "begins", "continues", "returns", "rebases"]
"""What the next reading does: it opens the account (R2), is the first XP of a zero-XP record (R2a), continues the
count (R3), follows a return (R6), or is the first of another board, to which the account is always rebased (R24)."""

TOMBSTONE = "forgotten"
"""Replaces the Discord id of a forgotten member (R9)."""


@frozen
class Member:
    """A person, by TRC's own id."""

    member_id: str
    name: str | None
    enrolled_at: datetime
    is_hidden: bool = False
    """Whether the member is left out of leaderboards."""
    is_forgotten: bool = False
    """Whether name and Discord id have been erased (R9)."""
    version: int = 0
    """How often the store has written it; a posting must name the current version."""

    def forgotten(self) -> Self:
        """Return the member without the name (R9)."""
        return evolve(self, name=None, is_forgotten=True)


@frozen
class DiscordActivity:
    """An account: one link of one Discord id to one member, with its XP."""

    account_id: int
    version: int
    member_id: str
    discord_id: str
    status: Status
    next_reading: NextReading
    xp_baseline: int
    """The XP from which points are counted."""
    xp_total: int
    """The last reading."""
    xp_high: int
    """The higher of the last two readings, which a rise must exceed to be activity (R11a)."""
    xp_posted: int
    """The XP after the last entry; points have not changed since."""
    window_from: datetime | None = None
    """Where the account's window begins, if not at the last good sync (missed or returned)."""
    rose_at: datetime | None = None
    """When the latest window opened in which XP rose as activity, which proves presence (R25)."""

    @property
    def xp_carried(self) -> int:
        """XP carried toward the next point, 0-99."""
        return points.carried(self.xp_total, self.xp_baseline)

    @property
    def may_be_unseen(self) -> bool:
        """Whether it is possible that no board has ever shown it; certain if no entry of it has XP either (R31)."""
        xp = (self.xp_baseline, self.xp_total, self.xp_high, self.xp_posted)
        return self.next_reading in {"opens", "begins", "rebases"} and not any(xp)

    def forgotten(self) -> Self:
        """Return the account with a tombstone for its Discord id (R9)."""
        return evolve(self, discord_id=TOMBSTONE)

    @property
    def is_steady(self) -> bool:
        """Whether a repeated reading would change no field."""
        return (
            self.status == "tracked"
            and self.next_reading == "continues"
            and self.xp_high == self.xp_total
            and self.window_from is None
        )


@frozen
class Link:
    """A link to make: a new account that waits for its opening."""

    member_id: str
    discord_id: str

    def opened(self, account_id: int) -> DiscordActivity:
        """Return the new account, which waits for its first reading."""
        return DiscordActivity(account_id, 1, self.member_id, self.discord_id, "waiting", "opens", 0, 0, 0, 0)


@frozen
class Move:
    """One account's step in a posting, from which its entry and evidence follow."""

    account: DiscordActivity
    """As it was read; the step applies only if its version is still the same."""
    status: Status
    next_reading: NextReading
    xp_baseline: int
    xp_total: int
    xp_high: int
    window_from: datetime | None = None
    kind: SyncKind | None = None
    """The kind of the entry; None if the step needs no entry."""
    points: int = 0
    window: Window | None = None
    """The window of the reading, which dates the entry."""
    active: bool = False
    """Whether the rise makes the days of the window active (R11)."""

    @classmethod
    def of_status(
        cls, account: DiscordActivity, status: Status, next_reading: NextReading, window_from: datetime | None = None
    ) -> Self:
        """Return a step that leaves the XP unchanged: no reading, no entry."""
        return cls(account, status, next_reading, account.xp_baseline, account.xp_total, account.xp_high, window_from)

    @property
    def xp_posted(self) -> int:
        """The XP after the account's last entry, this step's included."""
        return self.account.xp_posted if self.kind is None else self.xp_total

    @property
    def rose_at(self) -> datetime | None:
        """The account's `rose_at` after this step."""
        opens_at = self.window.opens_at if self.active and self.window is not None else None
        return max(filter(None, (opens_at, self.account.rose_at)), default=None)

    @property
    def day(self) -> date | None:
        """The day of the entry: the first one that its reading counts for."""
        return None if self.window is None else self.window.days[0]

    @property
    def xp(self) -> XpChange:
        """The account's XP and baseline before and after this step."""
        account, is_first = self.account, self.kind == "opening"
        xp, baseline = (None, None) if is_first else (account.xp_posted, account.xp_baseline)
        return XpChange(account.account_id, xp, self.xp_total, baseline, self.xp_baseline)

    def entry(self, position: int, at: datetime, decision: Decision | None = None) -> Entry | None:
        """Return the entry of this step, with the decision's actor and reason; None if it needs no entry."""
        if self.kind is None or self.day is None:
            return None
        what = position, self.kind, self.account.member_id, DISCORD, self.points, self.day, at
        entry = Entry(*what, silent=self.kind in SILENT_KINDS, xp=self.xp)
        if decision is None or decision.entry_kind != self.kind:
            return entry
        return evolve(entry, reason=decision.reason, actor=decision.actor)

    @property
    def account_after(self) -> DiscordActivity:
        """The account after this step."""
        account = self.account
        known = account.account_id, account.version + 1, account.member_id, account.discord_id
        xp = self.xp_baseline, self.xp_total, self.xp_high, self.xp_posted
        return DiscordActivity(*known, self.status, self.next_reading, *xp, self.window_from, self.rose_at)
