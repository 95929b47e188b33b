"""The `RunBook` port."""

import threading
from collections.abc import Sequence
from datetime import datetime
from itertools import count

from attrs import evolve

from ...core.channels import ChannelState
from ...core.errors import ClaimLost, LedgerBusy
from ...core.incidents import Told
from ...core.postings import Claim, SyncState
from ...core.slots import SlotEnd
from ...core.timing import CLOCK_SLACK
from .state import State

_numbers = count(1)


class Running:
    """Runs, waits, slots, notices and claims."""

    _state: State

    def sync_state(self) -> SyncState:
        """Return what is remembered of earlier syncs."""
        with self._state.lock:
            seen = [at for at in (self._state.sync.good_at, self._state.settled_at) if at is not None]
            return evolve(self._state.sync, seen_at=max(seen, default=None))

    def slot_end(self, slot: datetime, /) -> SlotEnd | None:
        """Return how a slot ended; None as long as it is open."""
        with self._state.lock:
            return self._state.slots.get(slot)

    def last_slot(self) -> SlotEnd | None:
        """Return the latest slot that has ended."""
        with self._state.lock:
            return max(self._state.slots.values(), key=lambda end: end.slot, default=None)

    def told(self) -> Sequence[Told]:
        """Return the last notice of each topic that each channel took."""
        with self._state.lock:
            return [*self._state.told.values()]

    def notices_begun(self) -> Sequence[Told]:
        """Return the notices that were about to be sent, and of which nobody noted what became."""
        with self._state.lock:
            return [*self._state.begun.values()]

    def channels(self) -> Sequence[ChannelState]:
        """Return what is remembered of channels, by channel and fingerprint."""
        with self._state.lock:
            return [state for _, state in sorted(self._state.channels.items())]

    def holder(self, task: str, /) -> Claim | None:
        """Return who has claimed a task, expired or not."""
        with self._state.lock:
            return self._state.claims.get(task)

    def claim(self, task: str, at: datetime, until: datetime, /) -> Claim:
        """Take the right to do a task; `LedgerBusy` says who has it."""
        with self._state.lock:
            held = self._state.claims.get(task)
            if held is not None and held.taken_at - CLOCK_SLACK <= at < held.until:
                message = f"another {task} is at work ({held.owner}), at the latest until {held.until:%H:%M:%S} UTC"
                raise LedgerBusy(message)
            claim = Claim(task, f"thread {threading.get_ident()}, run {next(_numbers)}", at, until)
            self._state.claims[task] = claim
            return evolve(claim, took_over=held is not None)

    def renew(self, claim: Claim, until: datetime, /) -> None:
        """Hold a claim for longer; raises `ClaimLost` if somebody else has it by now."""
        with self._state.lock:
            if not self._state.holds(claim):
                raise ClaimLost
            self._state.claims[claim.task] = evolve(claim, until=until)

    def next_request_at(self, task: str, /) -> datetime | None:
        """Return when the next request to the source may go out, whoever asks."""
        with self._state.lock:
            return self._state.requests.get(task)

    def keep_request(self, task: str, next_at: datetime, /) -> None:
        """Remember when the next request may go out."""
        with self._state.lock:
            self._state.requests[task] = next_at

    def release(self, claim: Claim, /) -> None:
        """Give a claim back; one that was taken over meanwhile is left alone."""
        with self._state.lock:
            if self._state.holds(claim):
                del self._state.claims[claim.task]
