"""The nouns. Frozen values; instants are aware UTC, XP and points are whole numbers."""

from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from typing import Self

from attrs import frozen

from . import points
from .days import Window
from .entries import SyncKind
from .status import NextReading, Status

TOMBSTONE = "forgotten"
"""What stands where the Discord id of somebody forgotten was (R9)."""


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
    """How often the store has written it; a posting stands only on the last."""


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

    @property
    def xp_carried(self) -> int:
        """XP kept for the next point, 0-99."""
        return points.carried(self.xp_total, self.xp_baseline)

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


class Sought(frozenset[str]):
    """The Discord ids that a read looks for.

    `expected` are those whose absence would be news: on the board last time, or yet to be opened.
    A source may spend further requests before it reports one of them missing; the others may well
    be missing for ever. For a plain `frozenset` everyone counts as expected.
    """

    expected: frozenset[str]
    whole: bool = False
    """Whether the board is to be read to its end though everyone is found before it (R24)."""

    @classmethod
    def of(cls, accounts: Sequence[DiscordActivity], *, whole: bool = False) -> Self:
        """Collect whom a sync of these accounts looks for."""
        sought = cls(account.discord_id for account in accounts)
        sought.whole = whole
        sought.expected = frozenset(
            account.discord_id
            for account in accounts
            if account.status == "waiting"
            or (account.status == "tracked" and account.next_reading in {"continues", "rebases"})
        )
        return sought


@frozen
class Board:
    """All readings of one read.

    A source promises: everybody sought is in `readings`, or in `missed`, or absent from a board
    that was read `whole`.
    """

    readings: Mapping[str, int]
    """Total XP by Discord id, of those sought and found."""
    whole: bool
    """Whether it was read to its end; a read may stop early once everyone sought is found."""
    rows: int
    """Distinct members seen on the board, sought or not."""
    pages: int
    """Requests answered with a page."""
    missed: Set[str] = frozenset()
    """Sought and not found on a board that moved while it was read: as good as not looked for."""
    server_at: datetime | None = None
    """What time the server told with its first answer."""


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
    def day(self) -> date | None:
        """The day of the entry: the first that its reading counts for."""
        if self.window is None:
            return None
        return self.window.days[0]
