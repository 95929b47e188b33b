"""The port `RunBook`: leases, slots, failures, waits, notices, and what a repair of the clock reverts."""

from datetime import datetime
from typing import Any

from attrs import evolve

from support.own_ledgers import InMemory
from trc_engage.adapters.memory import MemoryLedger
from trc_engage.core.posting import SyncFailure
from trc_engage.testing.contracts.ledger import DaysContract
from trc_engage.testing.contracts.members import MembersContract
from trc_engage.testing.contracts.runs import ClockContract, RunsContract

from ..planting import under
from .changes import Changes, cut


class CutsFailures(Changes):
    def change(self, posting: Any) -> Any:
        failure = posting.failure
        return evolve(posting, failure=failure and evolve(failure, at=cut(failure.at)))


class CutsWaits(Changes):
    def change(self, posting: Any) -> Any:
        failure = posting.failure
        until = failure and failure.retry_at and cut(failure.retry_at)
        return evolve(posting, failure=failure and evolve(failure, retry_at=until))


class CutsSlots(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, slot=posting.slot and evolve(posting.slot, at=cut(posting.slot.at)))


class CutsNotices(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, sent=[evolve(one, at=cut(one.at)) for one in posting.sent])


class CutsClaims(MemoryLedger):
    def lease(self, task: str, at: datetime, until: datetime, /) -> Any:
        return super().lease(task, cut(at), cut(until))


class CountsNoRise(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state = super().run_state(slot)
        return evolve(state, rises=dict.fromkeys(state.rises, 0))


class GrantsEveryClaim(MemoryLedger):
    def lease(self, task: str, at: datetime, until: datetime, /) -> Any:
        self._leases.pop(task, None)
        return super().lease(task, at, until)


class ReleasesForAnybody(MemoryLedger):
    def release(self, lease: Any, /) -> None:
        self._leases.pop(lease.task, None)


class EndsASlotTwice(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        if posting.slot is not None:
            self._runs = evolve(self._runs, slots=[end for end in self._runs.slots if end.slot != posting.slot.slot])
        return super().post(posting)


class ForgetsWaits(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state = super().run_state(slot)
        return evolve(state, sync=evolve(state.sync, waits={}))


class CountsEveryFailure(Changes):
    def change(self, posting: Any) -> Any:
        return evolve(posting, failure=posting.failure and evolve(posting.failure, counts=True))


class ForgetsFailedRounds(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        ended = posting.round
        return super().post(posting if ended is None else evolve(posting, round=evolve(ended, error=None)))


class TakesRoundsForSyncs(MemoryLedger):
    def post(self, posting: Any, /) -> Any:
        if posting.round is not None and posting.round.error is not None:
            error = posting.round.error
            posting = evolve(posting, failure=SyncFailure(posting.at, error.kind, error.message, counts=True))
        return super().post(posting)


class CallsTwoEverybody(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state, tracked = super().run_state(slot), self.accounts_to_sync()
        since = min((self._linked_at[account.account_id] for account in tracked), default=None)
        return evolve(state, unseen_since=state.unseen_since or (since if self.never_seen() else None))


class ForgetsSinceWhenNobodyWasSeen(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        return evolve(super().run_state(slot), unseen_since=None)


class SeesNothingAhead(MemoryLedger):
    def ahead(self, at: datetime, /) -> Any:
        return evolve(super().ahead(at), rises={})


class ConfirmsNothing(MemoryLedger):
    def run_state(self, slot: datetime | None = None, /) -> Any:
        state = super().run_state(slot)
        return evolve(state, sync=evolve(state.sync, seen_at=state.sync.good_at))


class RepairsNoDays(MemoryLedger):
    def _bring_back(self, posting: Any) -> None:
        settled = self._settled, self._runs.calendar
        super()._bring_back(posting)
        self._settled, calendar = settled
        self._runs = evolve(self._runs, calendar=calendar)


class RepairsNoEvidence(MemoryLedger):
    def _bring_back(self, posting: Any) -> None:
        rises = self._discord_days
        super()._bring_back(posting)
        self._discord_days = rises


class RepairsNoReadings(MemoryLedger):
    def _bring_back(self, posting: Any) -> None:
        readings = {**self._readings}
        super()._bring_back(posting)
        self._readings = readings


class RenewsForWhoeverAsks(MemoryLedger):
    def renew(self, lease: Any, until: datetime, /) -> None:
        self._leases[lease.task] = evolve(lease, until=until)


class OneRequestForAllTasks(MemoryLedger):
    def keep_request(self, task: str, next_at: datetime, /) -> None:
        super().keep_request("other" if task == "run" else task, next_at)
        super().keep_request(task, next_at)


class KeepsTheLaterRequest(MemoryLedger):
    def keep_request(self, task: str, next_at: datetime, /) -> None:
        super().keep_request(task, max(next_at, self.next_request_at(task) or next_at))


MUTANTS = under(
    "RunBook",
    {
        RunsContract: [
            *(CutsFailures, CutsWaits, CutsSlots, CutsNotices, CutsClaims, GrantsEveryClaim, ReleasesForAnybody),
            *(EndsASlotTwice, ForgetsWaits, CountsEveryFailure, ForgetsFailedRounds, TakesRoundsForSyncs),
            *(RenewsForWhoeverAsks, OneRequestForAllTasks, KeepsTheLaterRequest),
        ],
        DaysContract: [CountsNoRise],
        MembersContract: [CallsTwoEverybody, ForgetsSinceWhenNobodyWasSeen],
        ClockContract: [SeesNothingAhead, ConfirmsNothing, RepairsNoDays, RepairsNoEvidence, RepairsNoReadings],
    },
    "ledger_class",
    InMemory,
)
