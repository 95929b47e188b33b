"""What is handed to a store, and what a store remembers."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from attrs import Factory, field, frozen

from .days import Calendar, SlotEnd
from .errors import SourceTrouble
from .incidents import ChannelState, FailureRun, SentNotice
from .model import Decision, HandKind, Link, Member, Move
from .reports import SyncReport
from .streaks import Streak


@frozen
class Wait:
    """A request to keep away from the source."""

    kind: SourceTrouble
    until: datetime


@frozen
class SyncState:
    """What the store remembers of earlier syncs."""

    good_run: int = 0
    """The number of the last good sync's run, 0 before the first; a posting says which it followed."""
    good_at: datetime | None = None
    """When the last good sync began to read."""
    whole_at: datetime | None = None
    """When the last board that was read to its end began to be read …"""
    whole_rows: int | None = None
    """… and how many rows it had."""
    seen_at: datetime | None = None
    """The latest sync or settlement: time must not go back behind it (R22)."""
    failure_run: FailureRun | None = None
    board_id: str | None = None
    """Whose board the ledger's XP is of; empty for a board without an id, None before any was recorded (R24)."""
    waits: Mapping[str, Wait] = Factory(dict)
    """The last request to keep away of each board; that of "" may have been any board's."""

    def wait_of(self, board_id: str | None) -> Wait | None:
        """Return how long to keep away from a board, None being whichever is to be read."""
        known = self.waits.values() if board_id is None else (self.waits.get(board_id), self.waits.get(""))
        return max(filter(None, known), key=lambda wait: wait.until, default=None)

    @property
    def wait(self) -> Wait | None:
        """How long to keep away from the ledger's own board."""
        return self.wait_of(self.board_id)

    @property
    def failures(self) -> int:
        """How many syncs failed in a row (R20)."""
        return 0 if self.failure_run is None else self.failure_run.count


@frozen
class SyncRun:
    """The record of a good sync, posted with what it changed."""

    report: SyncReport
    whole: bool
    follows: int
    """`SyncState.good_run` when it was planned."""
    board_id: str = ""
    """Whose board it was (R24)."""
    decision: Decision | None = None
    """What an admin decided about it."""

    @property
    def adopts(self) -> bool:
        """Whether the board takes another's place."""
        return self.decision is not None and self.decision.kind == "adopt_board"


@frozen
class SyncFailure:
    """The record of a sync that failed."""

    at: datetime
    kind: SourceTrouble
    message: str
    counts: bool
    """Whether it counts towards the alert; a dry run does not (R20)."""
    retry_at: datetime | None = None
    board_id: str | None = ""
    """Whose board was asked; None if none was, and then waits stand as they are."""


@frozen
class Draft:
    """An entry that somebody asked for, before it has a position (R8)."""

    kind: HandKind
    member_id: str
    source: str
    points: int
    day: date
    at: datetime
    key: str | None = None
    reason: str | None = None
    actor: str | None = None
    reverses: int | None = None


@frozen
class Settlement:
    """A day that is decided, once (R15)."""

    day: date
    revision: int
    """`DayRecord.revision` when it was planned."""


@frozen
class Excusal:
    """A day that is excused, or required again (R13)."""

    day: date
    reason: str | None
    """None: required again."""
    revision: int | None = None
    """`Ledger.revision` when all streaks were derived anew for it."""


@frozen
class Lease:
    """The right to do one task, until it expires or is released."""

    task: str
    owner: str
    taken_at: datetime
    until: datetime
    took_over: bool = field(default=False, eq=False)
    """Whether somebody had it before who never gave it back; known to the one who took it only."""


@frozen
class Posting:
    """What is to be written: all of it or nothing."""

    at: datetime
    members: Sequence[Member] = ()
    """Members to enrol, or to bring up to date."""
    moves: Sequence[Move] = ()
    """At most one for each account."""
    links: Sequence[Link] = ()
    """Accounts to open, once the moves have freed their ids."""
    drafts: Sequence[Draft] = ()
    """Awards, reversals, adjustments."""
    streaks: Sequence[Streak] = ()
    """Streaks as they become, at the versions they were planned on; at most one for each member."""
    calendar: Calendar | None = None
    """The calendar that evidence and streaks were planned on."""
    run: SyncRun | None = None
    failure: SyncFailure | None = None
    slot: SlotEnd | None = None
    settlement: Settlement | None = None
    excusal: Excusal | None = None
    told: Sequence[SentNotice] = ()
    """Notices that were delivered."""
    begun: Sequence[SentNotice] = ()
    """Notices that are about to be sent: on record before they are, for whoever sends may be killed."""
    withdrawn: Sequence[SentNotice] = ()
    """Notices that were begun, and certainly not taken."""
    channels: Sequence[ChannelState] = ()
    """What is to be remembered of channels; a plain state is forgotten."""
    lease: Lease | None = None
    """The claim under which it was planned; if that was lost, nothing is written."""
