"""The port to the run book, one of the four that make a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .channels import ChannelState
    from .incidents import Told
    from .postings import Claim, SyncState
    from .slots import SlotEnd


class RunBook(Protocol):
    """The running: who is at work, what was tried and how it ended."""

    def sync_state(self) -> SyncState:
        """Return what is remembered of earlier syncs."""
        ...

    def slot_end(self, slot: datetime, /) -> SlotEnd | None:
        """Return how a slot ended; None as long as it is open (R18)."""
        ...

    def last_slot(self) -> SlotEnd | None:
        """Return the latest slot that has ended."""
        ...

    def told(self) -> Sequence[Told]:
        """Return the last notice of each topic that each channel took (R20)."""
        ...

    def notices_begun(self) -> Sequence[Told]:
        """Return the notices that were about to be sent, and of which nobody noted what became (R20)."""
        ...

    def channels(self) -> Sequence[ChannelState]:
        """Return what is remembered of channels, by channel and fingerprint."""
        ...

    def holder(self, task: str, /) -> Claim | None:
        """Return who has claimed a task, expired or not."""
        ...

    def claim(self, task: str, at: datetime, until: datetime, /) -> Claim:
        """Take the right to do a task; `LedgerBusy` says who has it.

        A claim that has expired at `at`, that was taken over two minutes after it (under a clock that ran
        ahead), or whose owner is known to be dead, is taken over, and the new claim says so.
        """
        ...

    def renew(self, claim: Claim, until: datetime, /) -> None:
        """Hold a claim for longer; raises `ClaimLost` if somebody else has it by now."""
        ...

    def next_request_at(self, task: str, /) -> datetime | None:
        """Return when the next request to the source may go out, whoever asks; None before the first (R21)."""
        ...

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        """Remember when the next request may go out."""
        ...

    def release(self, claim: Claim, /) -> None:
        """Give a claim back; one that was taken over meanwhile is left alone."""
        ...
