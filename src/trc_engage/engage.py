"""`Engage`: what a web app holds in its hand."""

from collections.abc import Sequence

from .core.days import in_utc
from .core.errors import InvalidValue, LinkTaken, SourceMissing, UnknownMember
from .core.fields import checked_limit, checked_member_id, checked_position
from .core.model import Entry, Standing
from .core.planning import Drops
from .core.ports import Clock, Store, XpSource
from .core.reports import Enrolment, SyncReport
from .posting import enrolling
from .posting import sync as syncing
from .posting.enrolling import Newcomer


class Engage:
    """Members, their XP and their points, over a ledger and a source of your choice.

    Safe to share between threads and processes as far as its ledger is; the ledgers that come with
    this package are. Without a source it never reads a board, but does all else. Every method may
    raise `LedgerBusy`, `LedgerFailed` and, for values that cannot be used, `InvalidValue`.
    """

    def __init__(self, *, ledger: Store, source: XpSource | None = None, clock: Clock) -> None:
        self._ledger = ledger
        self._source = source
        self._clock = clock

    def enroll(self, member_id: str, *, discord_id: str | None = None, name: str | None = None) -> Enrolment:
        """Enrol a member, or bring name and link up to date; raises `LinkTaken` (R7)."""
        return enrolling.enroll(self._ledger, Newcomer(member_id, discord_id, name), in_utc("clock", self._clock()))

    def enroll_all(self, newcomers: Sequence[Newcomer], *, skip_bad: bool = False) -> Sequence[Enrolment | LinkTaken]:
        """Enrol many in one posting; if any link is taken nothing is written, unless `skip_bad`."""
        return enrolling.enroll_all(self._ledger, newcomers, in_utc("clock", self._clock()), skip_bad=skip_bad)

    def link(self, member_id: str, discord_id: str) -> Enrolment:
        """Link a Discord id to a member; raises `UnknownMember` and `LinkTaken` (R7)."""
        return enrolling.link(self._ledger, member_id, discord_id, in_utc("clock", self._clock()))

    def unlink(self, member_id: str) -> Enrolment:
        """Close the member's account; the points stay (R7). Raises `UnknownMember`."""
        return enrolling.unlink(self._ledger, member_id, in_utc("clock", self._clock()))

    def leave(self, member_id: str) -> Enrolment:
        """Note that the member left Discord (R6); raises `UnknownMember` and `NotLinked`."""
        return enrolling.leave(self._ledger, member_id, in_utc("clock", self._clock()))

    def rejoin(self, member_id: str) -> Enrolment:
        """Note that the member is back on Discord (R6); raises `UnknownMember` and `NotLinked`."""
        return enrolling.rejoin(self._ledger, member_id, in_utc("clock", self._clock()))

    def sync(
        self,
        *,
        dry_run: bool = False,
        fresh: bool = False,
        accept_drops: bool = False,
        rebase_drops: bool = False,
    ) -> SyncReport:
        """Read the board and post what it means (R1-R7, R10, R19, R21, R22).

        Within five minutes of the last good reading it answers from that one, unless `fresh`. A board
        that would lower many members is refused, unless an admin decides: `accept_drops` deducts,
        `rebase_drops` keeps the points. Raises `SourceError`, `ClockWentBack`, `SourceMissing`.
        """
        if self._source is None:
            raise SourceMissing
        if accept_drops and rebase_drops:
            raise InvalidValue("rebase_drops", rebase_drops, "decide for either accept_drops or rebase_drops")
        drops: Drops | None = "rebase" if rebase_drops else "deduct" if accept_drops else None
        return syncing.sync(self._ledger, self._source, self._clock, dry_run=dry_run, fresh=fresh, drops=drops)

    def standing(self, member_id: str) -> Standing:
        """Return where a member stands; raises `UnknownMember`."""
        standing = self._ledger.standing(checked_member_id(member_id))
        if standing is None:
            raise UnknownMember(member_id)
        return standing

    def members(self) -> Sequence[Standing]:
        """Return where every member stands, by member id."""
        return self._ledger.members()

    def history(self, member_id: str, *, limit: int = 50, before: int | None = None) -> Sequence[Entry]:
        """Return a member's entries, newest first, those below position `before`; raises `UnknownMember`."""
        if before is not None:
            checked_position("before", before)
        if self._ledger.member(checked_member_id(member_id)) is None:
            raise UnknownMember(member_id)
        return self._ledger.history(member_id, limit=checked_limit(limit), before=before)

    def feed(self, *, after: int = 0, limit: int = 500) -> Sequence[Entry]:
        """Return everyone's entries above position `after`, oldest first.

        Who has seen a position never later finds a new entry at or below it (R23): keep the last
        position you handled, and ask for what comes after.
        """
        return self._ledger.feed(after=checked_position("after", after), limit=checked_limit(limit))
