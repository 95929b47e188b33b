"""One sync: gather, decide, apply (R19); and the record of a failed one (R20, R21)."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from attrs import evolve, frozen

from ..core import boards, slots
from ..core.boards import Board, Sought
from ..core.errors import Conflict, InvalidValue, LeaseLost, LedgerBusy, SourceError
from ..core.model import Decision, DiscordActivity
from ..core.ports import Clock, Store, XpSource
from ..core.posting import Posting, SyncFailure, SyncRun, SyncState, retry_on_conflict
from ..core.reports import SyncReport
from ..core.slots import SlotEnd, SlotOutcome
from ..core.sync import Drops, plan_adoption, plan_sync
from . import leases, streaks
from .leases import Run, leased

logger: logging.Logger = logging.getLogger(__name__)

OVERTAKEN = (
    "the read took longer than its lease on the store, another run took over, and nothing was changed. The next sync "
    "tries again; if it lasts, see why reads take so long, and whether this machine stands still at times"
)


@contextmanager
def failures_recorded(run: Run, clock: Clock, how: "How", *, asked: str | None) -> Iterator[None]:
    """Record a failure, and the wait that the board asked for, which outlives this process (R21).

    A read whose lease was lost is a failure too, unless a sync was good since it began; it ends no slot (R30).
    """
    followed = run.state.sync.good_run
    try:
        yield
    except (SourceError, LeaseLost) as raised:
        error = raised if isinstance(raised, SourceError) else SourceError("overtaken", OVERTAKEN)
        now, wait = clock(), slots.wait_asked(error)
        error.retry_at = None if wait is None else now + wait
        failure = SyncFailure(now, error.kind, error.message, not how.dry_run, error.retry_at, asked)
        error.lease_lost = error is not raised or not _is_recorded(run, failure, how)
        if error.lease_lost and not _is_recorded_without_lease(run, failure, followed):
            raise
        logger.warning("sync failed (%s): %s", error.kind, error.message)
        if error is raised:
            raise
        raise error from raised


def _is_recorded(run: Run, failure: SyncFailure, how: "How") -> bool:
    """Record a failure with the slot that it ends; return whether the lease was still held."""
    try:
        run.post(Posting(failure.at, failure=failure, slot=how.end("failed", run.state.unleapt(failure.at))))
    except LeaseLost:
        return False
    return True


def _is_recorded_without_lease(run: Run, failure: SyncFailure, followed: int) -> bool:
    """Record a failure without a lease; return whether it counts, which a good sync since then prevents."""
    made_up = run.ledger.run_state().sync.good_run != followed
    if not made_up or failure.retry_at is not None:
        # A wait recorded by another run since then stays in force (R21).
        asked = None if failure.retry_at is None else failure.board_id
        told = evolve(failure, counts=failure.counts and not made_up, board_id=asked)
        run.ledger.post(Posting(failure.at, failure=told))
    return not made_up


@frozen
class How:
    """The options of a sync."""

    dry_run: bool = False
    fresh: bool = False
    decision: Decision | None = None
    """It is about the board as it is now, so the board is always read."""
    slot: datetime | None = None
    """The slot that this sync ends."""
    shown: SyncReport | None = None
    """The dry run that the decision was based on; if more would be lost by now, nothing is done (R27)."""

    def end(self, outcome: SlotOutcome, at: datetime) -> SlotEnd | None:
        """Return how the slot ends, if there is one."""
        return None if self.slot is None else SlotEnd(self.slot, outcome, at)

    @property
    def adopts(self) -> bool:
        """Whether to adopt a different board (R24)."""
        return self.decision is not None and self.decision.kind == "adopt_board"

    @property
    def drops(self) -> Drops | None:
        """What was decided about falling XP (R10)."""
        if self.decision is None or self.adopts:
            return None
        return "deduct" if self.decision.kind == "accept_drops" else "rebase"


@frozen
class Reading:
    """The gathered input: the board and its id, the accounts sought, and the state before."""

    board: Board
    board_id: str
    accounts: Sequence[DiscordActivity]
    at: datetime
    state: SyncState


def sync(ledger: Store, source: XpSource, clock: Clock, how: How) -> SyncReport:
    """Read the board and post what it means, one sync at a time for the whole store.

    Raises `SourceError` (recorded as a failure), `ClockError`, `LedgerBusy` and `LedgerFailed`.
    """
    with leased(ledger, clock()) as run:
        return sync_leased(run, source, clock, how)


def sync_leased(run: Run, source: XpSource, clock: Clock, how: How) -> SyncReport:
    """Sync in a run that already has the lease; if it is lost meanwhile, at most a failure is recorded."""
    state = run.state.sync
    at = slots.not_before(clock(), state.seen_at)
    with failures_recorded(run, clock, how, asked=None):
        board_id = _agreed(source, state, how)
    accounts = run.ledger.accounts_to_sync()
    if not how.fresh and how.decision is None and slots.is_cached(at, state.good_at, how.slot):
        return _without_reading(run, _cached(accounts, state, at), at, how)
    slots.keep_waiting(state.wait_of(board_id), at)
    if not accounts and not how.adopts:
        run.state.instant(at)
        return _without_reading(run, SyncReport("planned" if how.dry_run else "synced", at), at, how)
    with failures_recorded(run, clock, how, asked=board_id):
        board = read_board(run, source, clock, Sought.of(accounts, whole=how.adopts))
        _confirm(run, at, board.server_at)
        return _post(run, Reading(board, board_id, accounts, at, state), how)


def try_board(ledger: Store, source: XpSource, clock: Clock) -> Board:
    """Read the board and store only when the next request may go out (R21); raises as `sync` does."""
    with leased(ledger, clock()) as run:
        board_id = boards.id_of(source)
        slots.keep_waiting(run.state.sync.wait_of(board_id), clock())
        with failures_recorded(run, clock, How(dry_run=True), asked=board_id):
            return read_board(run, source, clock, Sought.of((), whole=True))


def _agreed(source: XpSource, state: SyncState, how: How) -> str:
    """Return the id of the source's board before any request: the ledger's board, or one to be adopted (R24)."""
    board_id = boards.id_of(source)
    if not how.adopts:
        if why := boards.why_another_board(state.board_id, board_id):
            raise SourceError("another_board", why, argument="adopt_board")
    elif board_id == state.board_id:
        advice = "the points here are of this board already, so sync without it (a new season is rebase_drops)"
        raise InvalidValue("adopt_board", boards.named(board_id), advice)
    return board_id


def _without_reading(run: Run, report: SyncReport, at: datetime, how: How) -> SyncReport:
    """End the slot, if there is one, and return a report that needed no reading."""
    if how.slot is not None:
        run.post(Posting(at, slot=how.end("synced", at)))
        recent = f"the reading of {report.taken_at:%H:%M:%S} is recent enough"
        logger.info("synced, nothing read: %s", recent if report.outcome == "cached" else "nobody is linked")
    return report


def _cached(accounts: Sequence[DiscordActivity], state: SyncState, at: datetime) -> SyncReport:
    """Report the last good reading, which the accounts hold."""
    absent = sum(account.status == "absent" for account in accounts)
    waiting = sum(account.status == "waiting" for account in accounts)
    return SyncReport("cached", state.good_at or at, unchanged=len(accounts) - absent - waiting, absent=absent)


def read_board(run: Run, source: XpSource, clock: Clock, sought: Sought) -> Board:
    """Read the board; raises `SourceError` if it is malformed (R19)."""
    board = leases.read(source, sought, run, clock)
    if malformed := boards.why_malformed(board, sought):
        raise SourceError("malformed", malformed)
    return board


def _confirm(run: Run, at: datetime, server_at: datetime | None) -> None:
    """Compare the server's time with ours; without it, a leap is held back (R22)."""
    clocks = boards.why_clocks_differ(at, server_at)
    if clocks is not None or server_at is None:
        run.state.instant(at, *([] if server_at is None else [f"the board's server says {server_at:%F %T} UTC"]))
    if clocks is not None:
        raise SourceError("clock", clocks)


def _post(run: Run, reading: Reading, how: How) -> SyncReport:
    """Plan and post; if an account changed meanwhile, plan again from the same board (R19)."""
    board, at = reading.board, reading.at

    def attempt(accounts: Sequence[DiscordActivity]) -> SyncReport:
        plan = evolve(_planned(reading, accounts, how), board_id=reading.board_id)
        if worse := boards.why_more_is_lost(plan, how.shown):
            raise SourceError("distrusted", worse)
        if how.dry_run:
            return plan
        calendar = run.state.calendar
        derived = streaks.of_moves(run.ledger, plan.moves, calendar)
        report = evolve(plan, outcome="synced", late=derived.changes, moves=())
        # Without a drop there is nothing to accept, and nothing to record.
        is_decided = how.adopts or plan.deducted or plan.rebased
        posting = Posting(
            at,
            moves=plan.moves,
            calendar=calendar,
            run=SyncRun(
                report, board.whole, reading.state.good_run, reading.board_id, how.decision if is_decided else None
            ),
            slot=how.end("synced", at),
        )
        run.post(derived.posted_with(posting))
        _log(report)
        return report

    try:
        return attempt(run.ledger.linked_accounts() if how.adopts else reading.accounts)
    except Conflict:
        return retry_on_conflict(lambda: attempt(_gathered_again(run, reading, how)))


def _planned(reading: Reading, accounts: Sequence[DiscordActivity], how: How) -> SyncReport:
    """Plan what the board means; raises `SourceError` if it is not trusted (R10, R24)."""
    board, at, state = reading.board, reading.at, reading.state
    if how.adopts:
        if why := boards.why_not_adopted(board):
            raise SourceError("distrusted", why)
        looked_for = {one.account_id for one in reading.accounts}
        return plan_adoption(accounts, looked_for, board, at, state)
    plan = plan_sync(accounts, board, at, state, how.drops)
    if how.decision is None and (distrust := boards.why_distrusted(plan, board, at, state)):
        raise SourceError("distrusted", distrust, argument="accept_drops")
    return plan


def _gathered_again(run: Run, reading: Reading, how: How) -> Sequence[DiscordActivity]:
    """Reload the accounts that the read looked for, without those linked or returned since; to adopt, all linked."""
    if run.state.sync.good_run != reading.state.good_run:
        raise LedgerBusy(
            "another sync finished while this one was reading; its reading stands, and this one wrote nothing"
        )
    if how.adopts:
        return run.ledger.linked_accounts()
    looked_for = {account.account_id for account in reading.accounts}
    return [
        account
        for account in run.ledger.accounts_to_sync()
        if account.account_id in looked_for and (account.window_from is None or account.window_from <= reading.at)
    ]


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
