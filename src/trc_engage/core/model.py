"""The nouns. Frozen values; instants are aware UTC, XP and points are whole numbers."""

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
    """How an account stood before and after an entry.

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
    """Whether nobody is to be notified of it."""
    xp: XpChange | None = None
    """What explains an entry of Discord."""
    key: str | None = None
    """The caller's key, unique in the ledger."""
    reason: str | None = None
    actor: str | None = None
    reverses: int | None = None
    """The position of the award that it takes back."""
    booked_at: datetime | None = None
    """When an award was booked, if that is not when it happened."""
    counts_as_activity: bool = True
    """Whether an award makes its day active: a bonus does not (R17a)."""

    def reversal(self, at: datetime, reason: str, actor: str) -> "Entry":
        """Return what takes this award back, before it has a position."""
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
    """The account whose XP rose …"""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    """… and the window it was earned in."""


DecisionKind = Literal["accept_drops", "rebase_drops", "adopt_board"]
"""Falling XP is deducted; falling XP is a new season; the board is meant to be another one."""


@frozen
class Decision:
    """A decision, and the trace that it leaves (R27)."""

    kind: DecisionKind
    actor: str | None = None
    """Who decided; an adoption always has one."""
    reason: str | None = None

    @property
    def entry_kind(self) -> SyncKind:
        """The kind of the entries that come of it, and bear who decided and why."""
        return "deduction" if self.kind == "accept_drops" else "rebase"


Status = Literal["waiting", "tracked", "absent", "left", "unlinked"]
"""Waiting: not yet opened. Absent: not found on a board that was read whole (R5)."""

NextReading = Literal["opens", "begins", "continues", "returns", "rebases"]
"""How the next reading is to be taken: it opens the account (R2), is the first XP of a zero-XP
record (R2a), continues the meter (R3), follows a return (R6), or is the first of another board,
to which the account is rebased whatever it says (R24)."""

TOMBSTONE = "forgotten"
"""Replaces the Discord id of a forgotten member (R9)."""


@frozen
class Member:
    """A person of TRC, by TRC's own id."""

    member_id: str
    name: str | None
    enrolled_at: datetime
    is_hidden: bool = False
    """Whether the member is left out of leaderboards."""
    is_forgotten: bool = False
    """Whether a tombstone stands where name and Discord id were (R9)."""
    version: int = 0
    """How often the store has written it; a posting must name the current version."""

    def forgotten(self) -> Self:
        """Return the member with a tombstone for the name (R9)."""
        return evolve(self, name=None, is_forgotten=True)


@frozen
class DiscordActivity:
    """An account: one link of one Discord id to one member, with what is known of its XP."""

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
    """The higher of the last two readings: what a rise must pass to be activity (R11a)."""
    xp_posted: int
    """The XP up to which entries tell the story; from there on, less than a point has been earned."""
    window_from: datetime | None = None
    """Where the account's window begins, if not at the last good sync (missed, or returned)."""
    rose_at: datetime | None = None
    """When the window opened in which XP rose last as activity: from then on the member was there (R25)."""

    @property
    def xp_carried(self) -> int:
        """XP kept for the next point, 0-99."""
        return points.carried(self.xp_total, self.xp_baseline)

    @property
    def may_be_unseen(self) -> bool:
        """Whether no board may ever have shown it; then it is so unless one of its entries tells of XP (R31)."""
        xp = (self.xp_baseline, self.xp_total, self.xp_high, self.xp_posted)
        return self.next_reading in {"opens", "begins", "rebases"} and not any(xp)

    def forgotten(self) -> Self:
        """Return the account with a tombstone for its Discord id (R9)."""
        return evolve(self, discord_id=TOMBSTONE)

    @property
    def is_steady(self) -> bool:
        """Whether the same reading once more would leave every field as it is."""
        return (
            self.status == "tracked"
            and self.next_reading == "continues"
            and self.xp_high == self.xp_total
            and self.window_from is None
        )


@frozen
class Link:
    """A link to be made: a new account that waits for its opening."""

    member_id: str
    discord_id: str

    def opened(self, account_id: int) -> DiscordActivity:
        """Return the account that the link opens, which waits for its first reading."""
        return DiscordActivity(account_id, 1, self.member_id, self.discord_id, "waiting", "opens", 0, 0, 0, 0)


@frozen
class Move:
    """One account's step in a posting, from which its entry and its evidence follow."""

    account: DiscordActivity
    """As it was read; the step stands only if its version is still the same."""
    status: Status
    next_reading: NextReading
    xp_baseline: int
    xp_total: int
    xp_high: int
    window_from: datetime | None = None
    kind: SyncKind | None = None
    """The kind of the entry; None where points stay and nothing needs telling."""
    points: int = 0
    window: Window | None = None
    """The window of the reading; it dates the entry."""
    active: bool = False
    """Whether the rise makes the days of the window active (R11)."""

    @classmethod
    def of_status(
        cls, account: DiscordActivity, status: Status, next_reading: NextReading, window_from: datetime | None = None
    ) -> Self:
        """Make the step that leaves the XP alone: no reading, no entry."""
        return cls(account, status, next_reading, account.xp_baseline, account.xp_total, account.xp_high, window_from)

    @property
    def xp_posted(self) -> int:
        """The XP up to which entries tell the story after this step."""
        return self.account.xp_posted if self.kind is None else self.xp_total

    @property
    def rose_at(self) -> datetime | None:
        """When the window opened in which XP rose last as activity, after this step."""
        opens_at = self.window.opens_at if self.active and self.window is not None else None
        return max(filter(None, (opens_at, self.account.rose_at)), default=None)

    @property
    def day(self) -> date | None:
        """The day of the entry: the first that its reading counts for."""
        return None if self.window is None else self.window.days[0]

    @property
    def xp(self) -> XpChange:
        """How the account stood before and stands after this step."""
        account, is_first = self.account, self.kind == "opening"
        xp, baseline = (None, None) if is_first else (account.xp_posted, account.xp_baseline)
        return XpChange(account.account_id, xp, self.xp_total, baseline, self.xp_baseline)

    def entry(self, position: int, at: datetime, decision: Decision | None = None) -> Entry | None:
        """Return the entry that this step becomes, with who decided it and why; None if nothing needs telling."""
        if self.kind is None or self.day is None:
            return None
        what = position, self.kind, self.account.member_id, DISCORD, self.points, self.day, at
        entry = Entry(*what, silent=self.kind in SILENT_KINDS, xp=self.xp)
        if decision is None or decision.entry_kind != self.kind:
            return entry
        return evolve(entry, reason=decision.reason, actor=decision.actor)

    @property
    def account_after(self) -> DiscordActivity:
        """The account as this step leaves it."""
        account = self.account
        known = account.account_id, account.version + 1, account.member_id, account.discord_id
        xp = self.xp_baseline, self.xp_total, self.xp_high, self.xp_posted
        return DiscordActivity(*known, self.status, self.next_reading, *xp, self.window_from, self.rose_at)
