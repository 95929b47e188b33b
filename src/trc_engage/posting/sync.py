"""One sync: gather, decide, apply (R19)."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from attrs import evolve, frozen

from ..core import timing, trust
from ..core.days import in_utc
from ..core.errors import LedgerBusy, Moved, SourceError
from ..core.model import Board, DiscordActivity, Move, Sought
from ..core.planning import Drops, SyncPlan, plan_sync
from ..core.ports import Clock, Store, XpSource
from ..core.postings import Posting, SyncFailure, SyncRun, SyncState
from ..core.reports import SyncReport
from . import deriving, planned_anew

CLAIMED_FOR = timedelta(minutes=5)
"""Longer than nearly every read; one that outlasts it is still fenced by `SyncRun.follows`."""

logger = logging.getLogger(__name__)


@frozen
class Reading:
    """All that was gathered: a board, whom it was to find, and what was known before."""

    board: Board
    accounts: Sequence[DiscordActivity]
    at: datetime
    state: SyncState


def sync(
    ledger: Store,
    source: XpSource,
    clock: Clock,
    *,
    dry_run: bool = False,
    fresh: bool = False,
    drops: Drops | None = None,
) -> SyncReport:
    """Read the board and post what it means, one sync at a time for the whole store.

    A decision about drops is meant for the board as it is now, so it always reads afresh. Raises
    `SourceError` (recorded as a failure), `ClockWentBack`, `LedgerBusy` and `LedgerFailed`.
    """
    now = in_utc("clock", clock())
    claim = ledger.claim("sync", now, now + CLAIMED_FOR)
    try:
        state = ledger.sync_state()
        at = timing.not_before(now, state.seen_at)
        accounts = ledger.accounts_to_sync()
        if not fresh and drops is None and timing.is_cached(at, state):
            return _cached(accounts, state, at)
        timing.keep_waiting(state.wait, at)
        if not accounts:
            return SyncReport("planned" if dry_run else "synced", at)
        try:
            reading = Reading(_read(source, accounts, at), accounts, at, state)
            return _post(ledger, reading, dry_run=dry_run, drops=drops)
        except SourceError as error:
            _record(ledger, error, in_utc("clock", clock()), counts=not dry_run)
            raise
    finally:
        ledger.release(claim)


def _cached(accounts: Sequence[DiscordActivity], state: SyncState, at: datetime) -> SyncReport:
    """Answer from the last good reading, which is what the accounts hold."""
    absent = sum(account.status == "absent" for account in accounts)
    waiting = sum(account.status == "waiting" for account in accounts)
    unchanged = len(accounts) - absent - waiting
    return SyncReport("cached", state.good_at or at, unchanged=unchanged, absent=absent)


def _read(source: XpSource, accounts: Sequence[DiscordActivity], at: datetime) -> Board:
    """Gather the board; half a board, or one from another time, is none (R19, R22)."""
    sought = Sought.of(accounts)
    board = source.read(sought)
    if clocks := trust.why_clocks_differ(at, board.server_at):
        raise SourceError("clock", clocks)
    if not board.whole and (lacking := sought - board.readings.keys() - board.missed):
        message = (
            f"the source stopped before the end of the board with {len(lacking):,} of {len(sought):,} accounts "
            "not found; nothing was changed. It must read on until everyone is found or the board ends"
        )
        raise SourceError("malformed", message)
    return board


def _post(ledger: Store, reading: Reading, *, dry_run: bool, drops: Drops | None) -> SyncReport:
    """Plan and post; if an account moved meanwhile, plan again from the same board (R19)."""
    board, at, state = reading.board, reading.at, reading.state

    def attempt(accounts: Sequence[DiscordActivity]) -> SyncReport:
        plan = plan_sync(accounts, board, at, state, drops)
        if drops is None and (distrust := trust.why_distrusted(plan, board, at, state)):
            raise SourceError("distrusted", distrust)
        if dry_run:
            return _report("planned", plan, board, at, plan.moves)
        calendar = ledger.calendar()
        derived = deriving.of_moves(ledger, plan.moves, calendar)
        report = evolve(_report("synced", plan, board, at), late=derived.changes)
        run = SyncRun(report, board.whole, state.good_run)
        ledger.post(Posting(at, moves=plan.moves, streaks=derived.streaks, calendar=calendar, run=run))
        logger.info("synced: %+d points, %d rows in %d pages", report.points, report.rows, report.pages)
        return report

    try:
        return attempt(reading.accounts)
    except Moved:
        return planned_anew(lambda: attempt(_still_sought(ledger, reading)))


def _still_sought(ledger: Store, reading: Reading) -> Sequence[DiscordActivity]:
    """Gather again the accounts that the read looked for; those linked or returned since are not among them."""
    if ledger.sync_state().good_run != reading.state.good_run:
        message = "another sync finished while this one was reading; its reading stands, and this one wrote nothing"
        raise LedgerBusy(message)
    looked_for = {account.account_id for account in reading.accounts}
    return [
        account
        for account in ledger.accounts_to_sync()
        if account.account_id in looked_for and (account.window_from is None or account.window_from <= reading.at)
    ]


def _report(
    outcome: Literal["synced", "planned"], plan: SyncPlan, board: Board, at: datetime, moves: Sequence[Move] = ()
) -> SyncReport:
    return SyncReport(
        outcome,
        at,
        opened=plan.opened,
        gained=plan.gained,
        deducted=plan.deducted,
        rebased=plan.rebased,
        unchanged=plan.unchanged,
        absent=plan.absent,
        missed=plan.missed,
        points=plan.points,
        pages=board.pages,
        rows=board.rows,
        moves=moves,
    )


def _record(ledger: Store, error: SourceError, now: datetime, *, counts: bool) -> None:
    """Remember the failure, and until when to keep away; a wait outlives this process (R21)."""
    wait = timing.wait_asked(error)
    error.retry_at = None if wait is None else now + wait
    ledger.record_failure(SyncFailure(now, error.kind, error.message, counts, error.retry_at))
    logger.warning("sync failed (%s): %s", error.kind, error.message)
