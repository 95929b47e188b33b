"""What callers are told of what was done."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, get_args

from attrs import frozen

from .entries import Entry
from .errors import EngageError
from .incidents import Notice
from .model import Move
from .settling import Pending

EnrolmentOutcome = Literal[
    "enrolled", "updated", "linked", "unlinked", "left", "returned", "hidden", "shown", "forgotten", "unchanged"
]
ReceiptOutcome = Literal["awarded", "reversed", "adjusted", "unchanged"]
AccountOutcome = Literal["opened", "gained", "deducted", "rebased", "unchanged", "absent", "missed"]
"""What a sync means for one account, by its XP."""

COUNTS: tuple[AccountOutcome, ...] = get_args(AccountOutcome)
"""What a report counts its accounts by."""


@frozen
class StreakChange:
    """How late news changed a member's streak (R16)."""

    member_id: str
    current_before: int
    current_after: int
    longest_before: int
    longest_after: int

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
    """What would be posted; filled in a dry run only."""

    @property
    def counts(self) -> dict[str, int]:
        """How many accounts the sync touched in which way."""
        return {name: getattr(self, name) for name in COUNTS}


@frozen
class Enrolment:
    """What became of a member's enrolment or link."""

    member_id: str
    outcome: EnrolmentOutcome

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
    """What became of an excused day, and which streaks it changed (R16)."""

    day: date
    outcome: Literal["excused", "required", "unchanged"]
    late: Sequence[StreakChange] = ()


@frozen
class RunReport:
    """What one run found due, and did."""

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
