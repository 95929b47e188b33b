"""Whether a sync may believe what it read (R10, R22, R24)."""

from datetime import datetime, timedelta

from .boards import named
from .model import Board
from .planning import SyncPlan
from .postings import SyncState
from .reports import SyncReport

LOWERED_MIN = 5
LOWERED_SHARE_MAX = 0.10
ROWS_SHARE_MIN = 0.5
ROWS_REMEMBERED_FOR = timedelta(days=7)
SERVER_CLOCK_SLACK = timedelta(minutes=5)

WAY_OUT = (
    "If the board recovers, nothing ever happened: just wait. If the drop is real, an admin decides: "
    "`trc-engage sync --accept-drops` takes the board as it is and deducts, "
    "`trc-engage sync --rebase-drops` keeps everybody's points (a season reset)"
)


def why_distrusted(plan: SyncPlan, board: Board, at: datetime, state: SyncState) -> str | None:
    """Return why this board is not trusted, with the numbers and the way out; None if it is (R10)."""
    reason = _too_many_lowered(plan) or _too_few_rows(board, at, state)
    return reason and f"{reason}; nothing was changed. {WAY_OUT}"


def _too_many_lowered(plan: SyncPlan) -> str | None:
    lowered = plan.counts["deducted"]
    if lowered < LOWERED_MIN or lowered <= LOWERED_SHARE_MAX * plan.found:
        return None
    return (
        f"the board would lower {lowered:,} of {plan.found:,} members found on it, taking {plan.points_lost:,} points"
    )


def _too_few_rows(board: Board, at: datetime, state: SyncState) -> str | None:
    if not board.whole:
        return None
    rows_before = None
    if state.whole_at is not None and at - state.whole_at <= ROWS_REMEMBERED_FOR:
        rows_before = state.whole_rows
    if board.rows == 0 and rows_before != 0:
        before = "" if rows_before is None else f" (the last one had {rows_before:,} rows)"
        return f"the board is empty{before}"
    if rows_before is not None and board.rows < ROWS_SHARE_MIN * rows_before:
        return f"the board has {board.rows:,} rows, under half of the {rows_before:,} it had before"
    return None


def why_another_board(known: str | None, board_id: str) -> str | None:
    """Return why a source is not to be read: its board is not the ledger's; None if it is or may become it (R24)."""
    if known is None or board_id == known:
        return None
    return (
        f"the source reads {named(board_id)}, but the points here are of {named(known)}, and XP of different boards "
        "cannot be compared; nothing was read or changed. If that is a mistake, set the source right (guild and "
        "address). If the change is meant, an admin adopts the new board: `trc-engage sync --adopt-board` keeps "
        "everybody's points and counts on from what the new board shows"
    )


def why_not_adopted(board: Board) -> str | None:
    """Return why a board cannot be adopted: everybody would begin from what it does not show (R24)."""
    if board.whole and board.rows:
        return None
    flaw = "it is empty" if board.whole else "it was not read to its end"
    return f"the board cannot be adopted, for {flaw}; nothing was changed"


def why_more_is_lost(plan: SyncPlan, shown: SyncReport | None) -> str | None:
    """Return why a decision does not stand: it was made on numbers that have become worse; None if they have not."""
    if shown is None or (plan.counts["absent"] <= shown.absent and plan.points >= shown.points):
        return None
    return (
        f"the board has changed since you were asked: {plan.counts['absent']:,} accounts are not on it now, "
        f"{shown.absent:,} then, and the sync would bring {plan.points:+,} points, {shown.points:+,} then; nothing "
        "was changed. Look at it again and decide anew"
    )


def why_clocks_differ(at: datetime, server_at: datetime | None) -> str | None:
    """Return why this machine's clock and the server's cannot both be right; None if they agree (R22)."""
    if server_at is None or abs(server_at - at) <= SERVER_CLOCK_SLACK:
        return None
    return (
        f"this machine says {at:%Y-%m-%d %H:%M:%S} UTC, but the board's server says "
        f"{server_at:%Y-%m-%d %H:%M:%S} UTC: one of the clocks is wrong; nothing was changed. Compare `date -u` "
        "with a clock you trust and set this machine's (`timedatectl set-ntp true`); if it is right, wait for "
        "the server's to be mended"
    )
