"""One sync: gather, decide, apply (R19)."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from attrs import frozen

from ..core import timing, trust
from ..core.days import in_utc
from ..core.errors import LedgerBusy, Moved, SourceError
from ..core.model import Board, DiscordActivity, Move, Sought
from ..core.planning import Drops, SyncPlan, plan_sync
from ..core.ports import Clock, Store, XpSource
from ..core.postings import Claim, Posting, SyncFailure, SyncRun, SyncState
from ..core.reports import StreakChange, SyncReport
from ..core.slots import SlotEnd, SlotOutcome
from . import deriving, planned_anew
from .claims import claimed

logger = logging.getLogger(__name__)


@frozen
class How:
    """How a sync is to be done."""

    dry_run: bool = False
    fresh: bool = False
    drops: Drops | None = None
    """A decision about drops is meant for the board as it is now, so it always reads afresh."""
    slot: datetime | None = None
    """The slot whose sync it is; it ends with it."""

    def end(self, outcome: SlotOutcome, at: datetime) -> SlotEnd | None:
        """Return how the slot ends, if there is one."""
        return None if self.slot is None else SlotEnd(self.slot, outcome, at)


@frozen
class Reading:
    """All that was gathered: a board, whom it was to find, and what was known before."""

    board: Board
    accounts: Sequence[DiscordActivity]
    at: datetime
    state: SyncState


def sync(ledger: Store, source: XpSource, clock: Clock, how: How) -> SyncReport:
    """Read the board and post what it means, one sync at a time for the whole store.

    Raises `SourceError` (recorded as a failure), `ClockWentBack`, `LedgerBusy` and `LedgerFailed`.
    """
    with claimed(ledger, in_utc("clock", clock())) as claim:
        return sync_claimed(ledger, source, clock, how, claim)


def sync_claimed(ledger: Store, source: XpSource, clock: Clock, how: How, claim: Claim) -> SyncReport:
    """Do the same under a claim that is held already; if that is lost meanwhile, nothing is written."""
    state = ledger.sync_state()
    at = timing.not_before(in_utc("clock", clock()), state.seen_at)
    accounts = ledger.accounts_to_sync()
    if not how.fresh and how.drops is None and timing.is_cached(at, state, how.slot):
        return _without_reading(ledger, _cached(accounts, state, at), at, how, claim)
    timing.keep_waiting(state.wait, at)
    if not accounts:
        return _without_reading(ledger, SyncReport("planned" if how.dry_run else "synced", at), at, how, claim)
    try:
        reading = Reading(_read(source, accounts, at), accounts, at, state)
        return _post(ledger, reading, how, claim)
    except SourceError as error:
        _record(ledger, error, in_utc("clock", clock()), how, claim)
        raise


def _without_reading(ledger: Store, report: SyncReport, at: datetime, how: How, claim: Claim) -> SyncReport:
    """End the slot, if it is one's, with what needed no reading."""
    if how.slot is not None:
        ledger.post(Posting(at, slot=how.end("synced", at), claim=claim))
        why = f"the reading of {report.taken_at:%H:%M:%S} answers" if report.outcome == "cached" else "nobody is linked"
        logger.info("synced: nothing to read, %s", why)
    return report


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


def _post(ledger: Store, reading: Reading, how: How, claim: Claim) -> SyncReport:
    """Plan and post; if an account moved meanwhile, plan again from the same board (R19)."""
    board, at, state = reading.board, reading.at, reading.state

    def attempt(accounts: Sequence[DiscordActivity]) -> SyncReport:
        plan = plan_sync(accounts, board, at, state, how.drops)
        if how.drops is None and (distrust := trust.why_distrusted(plan, board, at, state)):
            raise SourceError("distrusted", distrust)
        if how.dry_run:
            return _report("planned", plan, board, at, moves=plan.moves)
        calendar = ledger.calendar()
        derived = deriving.of_moves(ledger, plan.moves, calendar)
        report = _report("synced", plan, board, at, late=derived.changes)
        posting = Posting(
            at,
            moves=plan.moves,
            streaks=derived.streaks,
            calendar=calendar,
            run=SyncRun(report, board.whole, state.good_run),
            slot=how.end("synced", at),
            claim=claim,
        )
        ledger.post(posting)
        _log(report)
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
    outcome: Literal["synced", "planned"],
    plan: SyncPlan,
    board: Board,
    at: datetime,
    *,
    late: Sequence[StreakChange] = (),
    moves: Sequence[Move] = (),
) -> SyncReport:
    return SyncReport(
        outcome, at, **plan.counts, points=plan.points, pages=board.pages, rows=board.rows, late=late, moves=moves
    )


def _record(ledger: Store, error: SourceError, now: datetime, how: How, claim: Claim) -> None:
    """Remember the failure, and until when to keep away; a wait outlives this process (R21)."""
    wait = timing.wait_asked(error)
    error.retry_at = None if wait is None else now + wait
    failure = SyncFailure(now, error.kind, error.message, not how.dry_run, error.retry_at)
    ledger.post(Posting(now, failure=failure, slot=how.end("failed", now), claim=claim))
    logger.warning("sync failed (%s): %s", error.kind, error.message)


def _log(report: SyncReport) -> None:
    told = ", ".join(f"{count:,} {name}" for name, count in report.counts.items() if count)
    logger.info(
        "synced: %+d points; %s; %d rows on %d %s",
        report.points,
        told or "nobody found",
        report.rows,
        report.pages,
        "page" if report.pages == 1 else "pages",
        extra={"points": report.points, **report.counts, "rows": report.rows, "pages": report.pages},
    )
