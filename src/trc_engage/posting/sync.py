"""One sync: gather, decide, apply (R19)."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from attrs import frozen

from ..core import boards, timing, trust
from ..core.days import in_utc
from ..core.decisions import Decision
from ..core.errors import InvalidValue, LedgerBusy, Moved, SourceError
from ..core.model import Board, DiscordActivity, Move, Sought
from ..core.planning import Drops, SyncPlan, plan_adoption, plan_sync
from ..core.ports import Clock, Store, XpSource
from ..core.postings import Claim, Posting, SyncRun, SyncState
from ..core.reports import StreakChange, SyncReport
from ..core.slots import SlotEnd, SlotOutcome
from . import deriving, leases, planned_anew
from .claims import claimed
from .failures import failures_recorded

logger = logging.getLogger(__name__)


@frozen
class How:
    """How a sync is to be done."""

    dry_run: bool = False
    fresh: bool = False
    decision: Decision | None = None
    """It is meant for the board as it is now, so it always reads afresh."""
    slot: datetime | None = None
    """The slot whose sync it is; it ends with it."""
    shown: SyncReport | None = None
    """The dry run on which it was decided; if more would be lost by now, nothing is done (R27)."""

    def end(self, outcome: SlotOutcome, at: datetime) -> SlotEnd | None:
        """Return how the slot ends, if there is one."""
        return None if self.slot is None else SlotEnd(self.slot, outcome, at)

    @property
    def adopts(self) -> bool:
        """Whether the board is meant to be another one (R24)."""
        return self.decision is not None and self.decision.kind == "adopt_board"

    @property
    def drops(self) -> Drops | None:
        """What was decided about falling XP (R10)."""
        if self.decision is None or self.adopts:
            return None
        return "deduct" if self.decision.kind == "accept_drops" else "rebase"


@frozen
class Reading:
    """All that was gathered: a board, whose it is, whom it was to find, and what was known before."""

    board: Board
    board_id: str
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
    with failures_recorded(ledger, clock, how, claim, state, asked=None):
        board_id = _agreed(source, state, how)
    accounts = ledger.accounts_to_sync()
    if not how.fresh and how.decision is None and timing.is_cached(at, state, how.slot):
        return _without_reading(ledger, _cached(accounts, state, at), at, how, claim)
    timing.keep_waiting(state.wait_of(board_id), at)
    if not accounts and not how.adopts:
        return _without_reading(ledger, SyncReport("planned" if how.dry_run else "synced", at), at, how, claim)
    with failures_recorded(ledger, clock, how, claim, state, asked=board_id):
        board = _read(ledger, source, clock, claim, Sought.of(accounts, whole=how.adopts), at)
        return _post(ledger, Reading(board, board_id, accounts, at, state), how, claim)


def _agreed(source: XpSource, state: SyncState, how: How) -> str:
    """Return whose board the source reads, before anything is asked of it: the ledger's, or one to be adopted (R24)."""
    board_id = boards.id_of(source)
    if not how.adopts:
        if why := trust.why_another_board(state.board_id, board_id):
            raise SourceError("distrusted", why)
    elif board_id == state.board_id:
        advice = "the points here are of this board already, so sync without it (a new season is rebase_drops)"
        raise InvalidValue("adopt_board", boards.named(board_id), advice)
    return board_id


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


def _read(ledger: Store, source: XpSource, clock: Clock, claim: Claim, sought: Sought, at: datetime) -> Board:
    """Gather the board; a malformed one, or one from another time, is none (R19, R22)."""
    board = leases.read(source, sought, ledger, claim, clock)
    if malformed := boards.why_malformed(board, sought):
        raise SourceError("malformed", malformed)
    if clocks := trust.why_clocks_differ(at, board.server_at):
        raise SourceError("clock", clocks)
    return board


def _post(ledger: Store, reading: Reading, how: How, claim: Claim) -> SyncReport:
    """Plan and post; if an account moved meanwhile, plan again from the same board (R19)."""
    board, at, state = reading.board, reading.at, reading.state

    def attempt(accounts: Sequence[DiscordActivity]) -> SyncReport:
        plan = _planned(reading, accounts, how)
        if worse := trust.why_more_is_lost(plan, how.shown):
            raise SourceError("distrusted", worse)
        if how.dry_run:
            return _report("planned", plan, reading, moves=plan.moves)
        calendar = ledger.calendar()
        derived = deriving.of_moves(ledger, plan.moves, calendar)
        report = _report("synced", plan, reading, late=derived.changes)
        posting = Posting(
            at,
            moves=plan.moves,
            streaks=derived.streaks,
            calendar=calendar,
            run=SyncRun(report, board.whole, state.good_run, reading.board_id, how.decision),
            slot=how.end("synced", at),
            claim=claim,
        )
        ledger.post(posting)
        _log(report)
        return report

    try:
        return attempt(ledger.linked_accounts() if how.adopts else reading.accounts)
    except Moved:
        return planned_anew(lambda: attempt(_gathered_again(ledger, reading, how)))


def _planned(reading: Reading, accounts: Sequence[DiscordActivity], how: How) -> SyncPlan:
    """Decide what the board means, if it is trusted (R10, R24)."""
    board, at, state = reading.board, reading.at, reading.state
    if how.adopts:
        if why := trust.why_not_adopted(board):
            raise SourceError("distrusted", why)
        return plan_adoption(accounts, {one.account_id for one in reading.accounts}, board, at, state)
    plan = plan_sync(accounts, board, at, state, how.drops)
    if how.decision is None and (distrust := trust.why_distrusted(plan, board, at, state)):
        raise SourceError("distrusted", distrust)
    return plan


def _gathered_again(ledger: Store, reading: Reading, how: How) -> Sequence[DiscordActivity]:
    """Gather again the accounts that the read looked for; those linked or returned since are not among them.

    An adoption is about all that are linked.
    """
    if ledger.sync_state().good_run != reading.state.good_run:
        message = "another sync finished while this one was reading; its reading stands, and this one wrote nothing"
        raise LedgerBusy(message)
    if how.adopts:
        return ledger.linked_accounts()
    looked_for = {account.account_id for account in reading.accounts}
    return [
        account
        for account in ledger.accounts_to_sync()
        if account.account_id in looked_for and (account.window_from is None or account.window_from <= reading.at)
    ]


def _report(
    outcome: Literal["synced", "planned"],
    plan: SyncPlan,
    reading: Reading,
    *,
    late: Sequence[StreakChange] = (),
    moves: Sequence[Move] = (),
) -> SyncReport:
    board = reading.board
    told = {"points": plan.points, "pages": board.pages, "rows": board.rows}
    return SyncReport(outcome, reading.at, **plan.counts, **told, board_id=reading.board_id, late=late, moves=moves)


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
