"""Leases: take, renew, release, and keep one for as long as a read receives pages (R21, R30)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from attrs import Factory, define, evolve, field

from ..core.boards import Board
from ..core.errors import Conflict, LeaseLost, LedgerBusy, LedgerFailed
from ..core.ports import Clock, PagedSource, Store, XpSource
from ..core.posting import Lease, Posting, RunState

logger: logging.Logger = logging.getLogger(__name__)

TASK = "run"
LEASED_FOR = timedelta(minutes=5)
"""A read renews it as pages come (R30); if it expires and another run takes over, nothing is written under it."""


@define(eq=False)
class Run:
    """A run on a store: its state, kept up to date with what it posts."""

    ledger: Store
    lease: Lease | None = None
    slot: datetime | None = None
    """The slot that this run may end."""
    state: RunState = field(default=Factory(lambda self: self.ledger.run_state(self.slot), takes_self=True), init=False)

    def gather(self) -> None:
        """Reload the state."""
        self.state = self.ledger.run_state(self.slot)

    def renew(self, now: datetime, span: timedelta = LEASED_FOR) -> None:
        """Extend the lease to `span` from now; raises `LeaseLost` if another run took over."""
        if self.lease is not None:
            self.ledger.renew(self.lease, now + span)

    def post(self, posting: Posting) -> None:
        """Write a posting under the lease; on `Conflict`, reload the state, which is stale."""
        try:
            self.ledger.post(evolve(posting, lease=self.lease))
        except Conflict:
            self.gather()
            raise
        self.state = self.state.after(posting)


@contextmanager
def leased(ledger: Store, now: datetime, slot: datetime | None = None, *, task: str = TASK) -> Iterator[Run]:
    """Begin a run with the store's lease for a task; raises `LedgerBusy`, which says who has it."""
    lease = ledger.lease(task, now, now + LEASED_FOR)
    try:
        yield Run(ledger, lease, slot)
    finally:
        try:
            ledger.release(lease)
        except (LedgerBusy, LedgerFailed) as error:
            # The work is committed, and the lease will expire.
            logger.warning("the lease could not be given back and expires at %s UTC: %s", f"{lease.until:%T}", error)


RENEWED_AFTER = timedelta(minutes=1)
"""How often a lease is renewed; far shorter than its lifetime, so that even the slowest request fits in between."""
UNPAGED_FOR = timedelta(minutes=30)
"""The time limit of a read that reports no pages."""


def read(source: XpSource, sought: frozenset[str], run: Run, clock: Clock) -> Board:
    """Read the board; raises `LeaseLost` as soon as another run is found to have taken over."""
    if run.lease is None or not isinstance(source, PagedSource):
        run.renew(clock(), UNPAGED_FOR)
        return source.read(sought)
    requests = LeasedRequests(run, run.lease, clock)
    try:
        return source.read_pages(sought, requests)
    finally:
        requests.keep()


@define(eq=False)
class LeasedRequests:
    """The `Requests` of one read."""

    _run: Run
    _lease: Lease
    _clock: Clock
    _renewed_at: datetime = field(default=Factory(lambda self: self._lease.taken_at, takes_self=True), init=False)
    _free_at: datetime | None = field(default=None, init=False)
    """When the next request may go out; None before the first one has ended."""

    def seconds_until_free(self, gap: float) -> float:
        """Return how long to wait for other processes' requests, at most the gap; renew the lease if it is due."""
        now = self._clock()
        self._renew(now)
        if self._free_at is not None:
            # No other process sends requests while this read holds the lease.
            return 0.0
        free_at = self._run.ledger.next_request_at(self._lease.task)
        seconds = 0.0 if free_at is None else (free_at - now).total_seconds()
        if self._lease.took_over:
            # The previous owner was killed at an unknown time after its last request.
            seconds = max(seconds, gap - (now - self._lease.taken_at).total_seconds())
        # A time recorded while the clock ran ahead must not delay requests further.
        return min(max(seconds, 0.0), gap)

    def ended(self, seconds: float) -> None:
        """Note that a request has ended and that the next may go out after `seconds`."""
        self._free_at = self._clock() + timedelta(seconds=seconds)

    def keep(self) -> None:
        """Record for all processes when the next request may go out."""
        if self._free_at is None:
            return
        try:
            self._run.ledger.keep_request(self._lease.task, self._free_at)
        except (LedgerBusy, LedgerFailed) as error:
            # The read is still good; if the store fails altogether, the run that takes over waits for the whole gap.
            logger.debug("when the next request may go out was not recorded: %s", error)

    def _renew(self, now: datetime) -> None:
        if timedelta(0) <= now - self._renewed_at < RENEWED_AFTER:
            return
        try:
            self._run.renew(now)
        except LeaseLost:
            raise
        except (LedgerBusy, LedgerFailed) as error:
            # It lasts for a few more requests, each of which tries again.
            logger.debug("the lease could not be renewed: %s", error)
        else:
            self._renewed_at = now
