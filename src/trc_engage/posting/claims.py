"""One at work at a time, for the whole store: whoever reads, settles by the clock or sends notices."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from ..core.ports import RunBook
from ..core.postings import Claim

TASK = "run"
CLAIMED_FOR = timedelta(minutes=5)
"""Longer than nearly every read; what outlasts it is noticed before anything is written."""


@contextmanager
def claimed(book: RunBook, now: datetime) -> Iterator[Claim]:
    """Hold the claim to work on the store; `LedgerBusy` says who has it."""
    claim = book.claim(TASK, now, now + CLAIMED_FOR)
    try:
        yield claim
    finally:
        book.release(claim)


def renew(book: RunBook, claim: Claim, now: datetime) -> None:
    """Hold the claim for as long again from now; `ClaimLost` if somebody else took over."""
    book.renew(claim, now + CLAIMED_FOR)
