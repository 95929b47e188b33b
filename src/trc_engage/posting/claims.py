"""One at work at a time, for the whole store: whoever reads, settles by the clock or sends notices."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from ..core.errors import LedgerBusy, LedgerFailed
from ..core.postings import Claim
from ..core.run_book import RunBook

logger = logging.getLogger(__name__)

TASK = "run"
CLAIMED_FOR = timedelta(minutes=5)
"""A read renews it as pages come (R30); what outlasts it is noticed before anything is written."""


@contextmanager
def claimed(book: RunBook, now: datetime) -> Iterator[Claim]:
    """Hold the claim to work on the store; `LedgerBusy` says who has it."""
    claim = book.claim(TASK, now, now + CLAIMED_FOR)
    try:
        yield claim
    finally:
        try:
            book.release(claim)
        except (LedgerBusy, LedgerFailed) as error:
            # What was done stands, and the claim ends by itself.
            logger.warning("the claim could not be given back and expires at %s UTC: %s", f"{claim.until:%T}", error)


def renew(book: RunBook, claim: Claim, now: datetime, span: timedelta = CLAIMED_FOR) -> None:
    """Hold the claim for so long from now; `ClaimLost` if somebody else took over."""
    book.renew(claim, now + span)
