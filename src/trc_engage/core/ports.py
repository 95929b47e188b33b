"""The ports: what the core needs of the world, as small promises with the errors they may raise.

Ports return complete values, never generators. Every method of the three store ports may raise
`LedgerBusy` (somebody holds the store; try later) and `LedgerFailed` (it cannot be read or
written); a call that raised has changed nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from attrs import frozen

from .errors import SourceTrouble
from .model import Board, DiscordActivity, DiscordDay, Entry, Link, Member, Move, Standing
from .reports import SyncReport


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
    failures: int = 0
    """Failures in a row (R20)."""
    wait: Wait | None = None


@frozen
class SyncRun:
    """The record of a good sync, posted with what it changed."""

    report: SyncReport
    whole: bool
    follows: int
    """`SyncState.good_run` when it was planned."""


@frozen
class SyncFailure:
    """The record of a sync that failed."""

    at: datetime
    kind: SourceTrouble
    message: str
    counts: bool
    """Whether it counts towards the alert; a dry run does not (R20)."""
    retry_at: datetime | None = None


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
    run: SyncRun | None = None


@frozen
class Claim:
    """The right to do one task, until it expires or is released."""

    task: str
    owner: str
    until: datetime


class XpSource(Protocol):
    """Where XP is read."""

    def read(self, sought: frozenset[str], /) -> Board:
        """Read the board until everyone sought is found or it ends.

        `sought` may be a `Sought`, which says whose absence would be news. Raises `SourceError`
        if the board cannot be read whole: half a board is none; `ReadStopped` if it was given up.
        """
        ...


class Clock(Protocol):
    """What time it is."""

    def __call__(self) -> datetime:
        """Return the present instant, timezone-aware."""
        ...


class Ledger(Protocol):
    """The facts. Entries are appended, never changed or deleted (R9)."""

    def member(self, member_id: str, /) -> Member | None:
        """Return the member with this id."""
        ...

    def account_of(self, member_id: str, /) -> DiscordActivity | None:
        """Return the member's account that is not unlinked; there is at most one (R7)."""
        ...

    def holder_of(self, discord_id: str, /) -> DiscordActivity | None:
        """Return the account, not unlinked, that holds this Discord id; there is at most one (R7)."""
        ...

    def accounts_to_sync(self) -> Sequence[DiscordActivity]:
        """Return every account that is waiting, tracked or absent, by account id."""
        ...

    def discord_days(self, member_id: str, first_day: date, last_day: date, /) -> Sequence[DiscordDay]:
        """Return what shows that the member was active on Discord from day to day, oldest first (R11)."""
        ...

    def post(self, posting: Posting, /) -> None:
        """Write a posting in one transaction.

        Positions rise in the order of commits, without a reader ever finding a new entry below
        one it has seen (R23). Raises `Moved` if an account is no longer at the version its move was
        planned on, if a link's id is taken or its member unknown, or if another good sync was
        posted since `run.follows`.
        """
        ...


class RunBook(Protocol):
    """The running: who is at work, what was tried and how it ended."""

    def sync_state(self) -> SyncState:
        """Return what is remembered of earlier syncs."""
        ...

    def record_failure(self, failure: SyncFailure, /) -> None:
        """Remember that a sync failed, and how long to keep away."""
        ...

    def claim(self, task: str, at: datetime, until: datetime, /) -> Claim:
        """Take the right to do a task; `LedgerBusy` says who has it.

        A claim that has expired at `at`, or whose owner is known to be dead, is taken over.
        """
        ...

    def release(self, claim: Claim, /) -> None:
        """Give a claim back; one that was taken over meanwhile is left alone."""
        ...


class Views(Protocol):
    """What people read."""

    def standing(self, member_id: str, /) -> Standing | None:
        """Return where a member stands."""
        ...

    def members(self) -> Sequence[Standing]:
        """Return where every member stands, by member id."""
        ...

    def history(self, member_id: str, /, *, limit: int, before: int | None = None) -> Sequence[Entry]:
        """Return a member's entries, newest first, those below position `before`."""
        ...

    def feed(self, *, after: int, limit: int) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first (R23)."""
        ...


class Store(Ledger, RunBook, Views, Protocol):
    """A store: all three in one."""
