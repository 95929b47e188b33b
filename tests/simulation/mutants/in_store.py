"""Bugs in the ledger and its record of runs, whatever the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from attrs import evolve

from trc_engage.adapters.sql import posting, queries
from trc_engage.adapters.sql.posting import SqlLedger
from trc_engage.core.posting import RunState
from trc_engage.core.slots import SlotEnd
from trc_engage.usecases import awards

from .planting import Mutant, swap, without


def _two_transactions(post: Any) -> Any:
    def posted(self: SqlLedger, posting: Any) -> Any:
        if posting.run is None or not posting.moves:
            return post(self, posting)
        post(self, evolve(posting, run=None, slot=None))
        return post(self, evolve(posting, moves=(), streaks=()))

    return posted


@contextmanager
def _failures_in_memory() -> Iterator[None]:
    """Count failures in memory, where a restart loses them."""
    real_state, real_post = SqlLedger.run_state, SqlLedger.post

    def post(self: Any, posting: Any) -> Any:
        result = real_post(self, posting)
        self.counted = 0 if posting.run else getattr(self, "counted", 0) + bool(posting.failure)
        return result

    def run_state(self: Any, *slot: Any) -> RunState:
        state = real_state(self, *slot)
        count, failure_run = getattr(self, "counted", 0), state.sync.failure_run
        failure_run = evolve(failure_run, count=count) if failure_run and count else None
        return evolve(state, sync=evolve(state.sync, failure_run=failure_run))

    with patch.object(SqlLedger, "post", post), patch.object(SqlLedger, "run_state", run_state):
        yield


@contextmanager
def _key_ignored() -> Iterator[None]:
    real_post, real_booking = awards._post, awards._booking

    def post(ledger: Any, draft: Any, *told: Any) -> Any:
        return real_post(ledger, evolve(draft, key=None) if ledger.booking(draft.key).posted else draft, *told)

    def booking(*of: Any) -> Any:
        return evolve(real_booking(*of), posted=None)

    with patch.object(awards, "_booking", booking), patch.object(awards, "_post", post):
        yield


def _wait_forgotten_by_others(state_of: Any) -> Any:
    """Keep the wait only in the process that was asked to wait."""

    def run_state(self: Any, *slot: Any) -> RunState:
        state: RunState = state_of(self, *slot)
        failures = state.sync.failures
        if not hasattr(self, "knows_from"):
            self.knows_from = failures
        return evolve(state, sync=evolve(state.sync, waits={})) if failures and failures == self.knows_from else state

    return run_state


def _lease_ignored(lease: Any) -> Any:
    def leased(self: Any, *told: Any) -> Any:
        with self._database.transaction() as session:
            session.execute("DELETE FROM leases")
        return lease(self, *told)

    return leased


def _slot_tried_again(slot_end: Any) -> Any:
    def ended(self: Any, slot: Any) -> SlotEnd | None:
        end: SlotEnd | None = slot_end(self, slot)
        return None if end and end.outcome == "failed" else end

    return ended


MUTANTS = {
    "cursor and award in two transactions": Mutant(swap(SqlLedger, "post", _two_transactions), seed=8),
    "failures are counted in memory": Mutant(_failures_in_memory),
    "keys are ignored": Mutant(_key_ignored),
    "a wait is known to one process": Mutant(swap(SqlLedger, "run_state", _wait_forgotten_by_others), seed=6),
    "the lease is ignored": Mutant(swap(SqlLedger, "lease", _lease_ignored)),
    "a reversal leaves the evidence": Mutant(
        swap(
            queries,
            "AWARD_EVIDENCE",
            without("AND NOT EXISTS (SELECT 1 FROM entries WHERE reverses = award.position)"),
        )
    ),
    "a failed slot is tried again": Mutant(swap(RunState, "slot_end", _slot_tried_again)),
    "versions are not checked": Mutant(
        swap(posting, "MOVE_ACCOUNTS", without(" AND discord_activity.version = moves.version")),
    ),
}
