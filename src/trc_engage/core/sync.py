"""What one sync would do, account by account (R2-R6, R11a)."""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from typing import Literal

from . import points
from .boards import Board
from .days import Window, windows_until
from .model import DiscordActivity, Move, NextReading, Status, SyncKind
from .posting import SyncState
from .reports import AccountOutcome, SyncReport

Drops = Literal["deduct", "rebase"]
"""An admin's decision about falling XP (R10)."""

Step = tuple[AccountOutcome | None, Move | None]
"""The outcome for an account, None if the read did not seek it, and its move, None if nothing changes."""

XP_PER_MINUTE_MAX = 100
XP_UNSUSPECTED = 1_500


def plan_sync(
    accounts: Sequence[DiscordActivity], board: Board, at: datetime, state: SyncState, drops: Drops | None = None
) -> SyncReport:
    """Return the report of the planned sync, with a move for each account that changes.

    `at` is when the read began, `drops` the admin's decision about falling XP.
    """
    steps: list[Step] = []
    unmoved = 0
    looked_at = state.good_at or at
    window_from = windows_until(at)
    for account in accounts:
        xp = board.readings.get(account.discord_id)
        if xp == account.xp_total and account.is_steady:
            unmoved += 1
            continue
        if xp is None and account.discord_id in board.missed:
            steps.append(_missed(account, looked_at))
        elif account.next_reading == "opens":
            steps.append(("opened", _opening(account, xp, window_from(at))))
        elif xp is None:
            steps.append(_unseen(account, window_from(at), drops))
        else:
            steps.append(_read(account, xp, window_from(account.window_from or looked_at), drops))
    return _planned(steps, board, at, unmoved)


def plan_adoption(
    accounts: Iterable[DiscordActivity], looked_for: Set[int], board: Board, at: datetime, state: SyncState
) -> SyncReport:
    """Return the planned adoption of another board for every linked account; no points change (R24).

    `looked_for` are the account ids that the read sought; the next reading rebases all others.
    """
    steps: list[Step] = []
    looked_at = state.good_at or at
    window = Window.between(at, at)
    for account in accounts:
        xp = board.readings.get(account.discord_id)
        if account.account_id not in looked_for or account.status == "left":
            steps.append((None, _to_be_rebased(account, account.window_from)))
        elif xp is None and account.discord_id in board.missed:
            steps.append(("missed", _to_be_rebased(account, account.window_from or looked_at)))
        else:
            steps.append(_adopted(account, xp, window))
    return _planned(steps, board, at)


def _planned(steps: Sequence[Step], board: Board, at: datetime, unmoved: int = 0) -> SyncReport:
    """Sum up the steps; `unmoved` accounts have none."""
    moves = [move for _, move in steps if move is not None]
    counts: Counter[str] = Counter(outcome for outcome, _ in steps if outcome is not None)
    counts["unchanged"] += unmoved
    told = {"points": sum([move.points for move in moves]), "pages": board.pages, "rows": board.rows}
    return SyncReport("planned", at, **counts, **told, board_id=None, late=(), moves=moves)


def _adopted(account: DiscordActivity, xp: int | None, window: Window) -> Step:
    """Take the first reading of another board, which says nothing about what was earned."""
    if account.next_reading == "opens":
        return "opened", _opening(account, xp, window)
    if xp is None:
        return "absent", _rebase(account, 0, "begins", window)
    return "rebased", _rebase(account, xp, "continues", window)


def _to_be_rebased(account: DiscordActivity, window_from: datetime | None) -> Move | None:
    """Mark an account whose stored XP is from another board, so that its next reading rebases it."""
    return None if account.next_reading == "opens" else _restated(account, account.status, window_from, "rebases")


def _opening(account: DiscordActivity, xp: int | None, window: Window) -> Move:
    """Open an account: the XP read is the baseline, and one that is not on the board opens at zero (R2)."""
    baseline = xp or 0
    next_reading: NextReading = "begins" if xp is None else "continues"
    return Move(account, "tracked", next_reading, baseline, baseline, baseline, None, "opening", 0, window)


def _read(account: DiscordActivity, xp: int, window: Window, drops: Drops | None) -> Step:
    """Take a reading of an open account (R2a, R3, R4, R6, R24)."""
    fell = xp < account.xp_total
    is_new_meter = account.next_reading == "rebases" or _is_history(account, xp, window)
    if is_new_meter or (fell and (account.next_reading == "returns" or drops == "rebase")):
        return "rebased", _rebase(account, xp, "continues", Window.between(window.closes_at, window.closes_at))
    change, _ = points.convert(account.xp_carried, xp - account.xp_total)
    kind: SyncKind | None = None if not change else "deduction" if fell else "gain"
    high, active = max(xp, account.xp_total), xp > account.xp_high
    move = Move(account, "tracked", "continues", account.xp_baseline, xp, high, None, kind, change, window, active)
    return "deducted" if fell else "gained" if xp > account.xp_total else "unchanged", move


def _is_history(account: DiscordActivity, xp: int, window: Window) -> bool:
    """Return whether XP could not have been earned in its window, so an earlier board missed it (R2a)."""
    if account.next_reading != "begins":
        return False
    minutes = (window.closes_at - window.opens_at) / timedelta(minutes=1)
    return xp > max(XP_UNSUSPECTED, XP_PER_MINUTE_MAX * minutes)


def _rebase(account: DiscordActivity, xp: int, next_reading: NextReading, window: Window) -> Move:
    """Shift baseline and XP by the same amount, so that points and carried XP stay (R6)."""
    baseline = account.xp_baseline + xp - account.xp_total
    return Move(account, "tracked", next_reading, baseline, xp, xp, None, "rebase", 0, window)


def _unseen(account: DiscordActivity, window: Window, drops: Drops | None) -> Step:
    """Keep the XP of an account that is not on the board (R5).

    In a season reset (`drops="rebase"`), accounts that vanish are rebased to a zero-XP record: with the old XP, their
    first message of the new season would cause a deduction. If they vanished by mistake, R2a rebases them back. The
    same holds for accounts that are not on an adopted board (R24).
    """
    if account.next_reading == "begins":
        return "unchanged", _restated(account, account.status, None)
    vanishes = drops == "rebase" and account.next_reading == "continues" and account.status == "tracked"
    if account.next_reading == "rebases" or vanishes:
        return "rebased", _rebase(account, 0, "begins", window)
    return "absent", _restated(account, "absent", None)


def _missed(account: DiscordActivity, looked_at: datetime) -> Step:
    """Keep the start of the window of an account that this sync could not look for."""
    is_open = account.next_reading != "opens"
    return "missed", _restated(account, account.status, account.window_from or looked_at) if is_open else None


def _restated(
    account: DiscordActivity, status: Status, window_from: datetime | None, next_reading: NextReading | None = None
) -> Move | None:
    to = status, next_reading or account.next_reading, window_from
    return None if to == (account.status, account.next_reading, account.window_from) else Move.of_status(account, *to)
