"""The right to run: taken, renewed and given back; and a read that is held for as long as pages come (R21, R30)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from attrs import define, field

from ..core.days import in_utc
from ..core.errors import LeaseLost, LedgerBusy, LedgerFailed
from ..core.model import Board
from ..core.ports import Clock, PagedSource, RunBook, XpSource
from ..core.posting import Lease

logger = logging.getLogger(__name__)

TASK = "run"
LEASED_FOR = timedelta(minutes=5)
"""A read renews it as pages come (R30); what outlasts it is noticed before anything is written."""


@contextmanager
def leased(book: RunBook, now: datetime) -> Iterator[Lease]:
    """Hold the claim to work on the store; `LedgerBusy` says who has it."""
    lease = book.lease(TASK, now, now + LEASED_FOR)
    try:
        yield lease
    finally:
        try:
            book.release(lease)
        except (LedgerBusy, LedgerFailed) as error:
            # What was done stands, and the claim ends by itself.
            logger.warning("the claim could not be given back and expires at %s UTC: %s", f"{lease.until:%T}", error)


def renew(book: RunBook, lease: Lease, now: datetime, span: timedelta = LEASED_FOR) -> None:
    """Hold the claim for so long from now; `LeaseLost` if somebody else took over."""
    book.renew(lease, now + span)


RENEWED_AFTER = timedelta(minutes=1)
"""So seldom a lease is renewed, and so much less than it lasts that the slowest request fits in between."""
UNPAGED_FOR = timedelta(minutes=30)
"""How long a read may take of which nothing is heard until it ends."""


def read(source: XpSource, sought: frozenset[str], book: RunBook, lease: Lease, clock: Clock) -> Board:
    """Read the board; raises `LeaseLost` as soon as it shows that somebody else took over."""
    if not isinstance(source, PagedSource):
        renew(book, lease, in_utc("clock", clock()), UNPAGED_FOR)
        return source.read(sought)
    requests = LeasedRequests(book, lease, clock)
    try:
        return source.read_pages(sought, requests)
    finally:
        requests.keep()


@define(eq=False)
class LeasedRequests:
    """The `Requests` of one read."""

    _book: RunBook
    _lease: Lease
    _clock: Clock
    _renewed_at: datetime = field(init=False)
    _free_at: datetime | None = field(default=None, init=False)
    """When the next request may go out; None before the first one has ended."""

    def __attrs_post_init__(self) -> None:
        self._renewed_at = self._lease.taken_at

    def seconds_until_free(self, gap: float) -> float:
        """Return how long to wait for other processes' requests, at most the gap; renew the lease if it is due."""
        now = in_utc("clock", self._clock())
        self._renew(now)
        if self._free_at is not None:
            # Nobody else asks while this read holds the lease.
            return 0.0
        free_at = self._book.next_request_at(self._lease.task)
        seconds = 0.0 if free_at is None else (free_at - now).total_seconds()
        if self._lease.took_over:
            # Whoever held it before was killed, nobody knows how long after a request.
            seconds = max(seconds, gap - (now - self._lease.taken_at).total_seconds())
        # A clock that ran ahead puts nothing off for longer.
        return min(max(seconds, 0.0), gap)

    def ended(self, seconds: float) -> None:
        """Note that a request has ended, and after how many seconds the next may go out."""
        self._free_at = in_utc("clock", self._clock()) + timedelta(seconds=seconds)

    def keep(self) -> None:
        """Record for all processes when the next request may go out."""
        if self._free_at is None:
            return
        try:
            self._book.keep_request(self._lease.task, self._free_at)
        except (LedgerBusy, LedgerFailed) as error:
            # The read stands; and if the store fails altogether, whoever takes over waits for the whole gap.
            logger.debug("when the next request may go out was not recorded: %s", error)

    def _renew(self, now: datetime) -> None:
        if timedelta(0) <= now - self._renewed_at < RENEWED_AFTER:
            return
        try:
            renew(self._book, self._lease, now)
        except LeaseLost:
            raise
        except (LedgerBusy, LedgerFailed) as error:
            # It lasts for some requests more, each of which tries again.
            logger.debug("the lease could not be renewed: %s", error)
        else:
            self._renewed_at = now
