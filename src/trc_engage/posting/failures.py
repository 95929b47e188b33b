"""How a sync that failed is remembered (R20, R21, R30)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import evolve

from ..core import timing
from ..core.days import in_utc
from ..core.errors import ClaimLost, SourceError
from ..core.ports import Clock, Store
from ..core.postings import Claim, Posting, SyncFailure, SyncState

if TYPE_CHECKING:
    from .sync import How

logger = logging.getLogger(__name__)

OVERTAKEN = (
    "the read took longer than its lease on the store, another run took over, and nothing was changed. The next sync "
    "tries again; if it lasts, see why reads take so long, and whether this machine stands still at times"
)


@contextmanager
def failures_recorded(
    ledger: Store, clock: Clock, how: "How", claim: Claim, state: SyncState, *, asked: str | None
) -> Iterator[None]:
    """Remember a failure, and until when to keep away from the board asked; a wait outlives this process (R21).

    A read whose lease was lost is one too, unless a sync was good since it began; it ends no slot (R30).
    """
    try:
        yield
    except (SourceError, ClaimLost) as raised:
        error = raised if isinstance(raised, SourceError) else SourceError("overtaken", OVERTAKEN)
        now, wait = in_utc("clock", clock()), timing.wait_asked(error)
        error.retry_at = None if wait is None else now + wait
        failure = SyncFailure(now, error.kind, error.message, not how.dry_run, error.retry_at, asked)
        error.lease_lost = error is not raised or not _is_recorded(ledger, failure, how, claim)
        if error.lease_lost and not _is_recorded_without_lease(ledger, failure, state):
            raise
        logger.warning("sync failed (%s): %s", error.kind, error.message)
        if error is raised:
            raise
        raise error from raised


def _is_recorded(ledger: Store, failure: SyncFailure, how: "How", claim: Claim) -> bool:
    """Record a failure with the slot that it ends; tell whether the lease allowed it."""
    try:
        ledger.post(Posting(failure.at, failure=failure, slot=how.end("failed", failure.at), claim=claim))
    except ClaimLost:
        return False
    return True


def _is_recorded_without_lease(ledger: Store, failure: SyncFailure, state: SyncState) -> bool:
    """Record a failure that nobody else may know of; tell whether it counts, or a good sync made up for it."""
    made_up = ledger.sync_state().good_run != state.good_run
    if not made_up or failure.retry_at is not None:
        ledger.post(Posting(failure.at, failure=evolve(failure, counts=failure.counts and not made_up)))
    return not made_up
