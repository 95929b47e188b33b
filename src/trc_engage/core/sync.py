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
"""What an admin decided about falling XP (R10)."""

Step = tuple[AccountOutcome | None, Move | None]
"""What a board means for an account, unless the read did not seek it, and what is done about it."""

XP_PER_MINUTE_MAX = 100
XP_UNSUSPECTED = 1_500


def plan_sync(
    accounts: Sequence[DiscordActivity], board: Board, at: datetime, state: SyncState, drops: Drops | None = None
) -> SyncReport:
    """Decide what the board means for each account: the report of a sync that is planned, with its moves.

    `at` is the instant at which the read began, `drops` the admin's decision about falling XP.
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
    """Decide what another board means for every linked account: nobody's points move (R24).

    `looked_for` are the account ids that the read sought; all others are rebased by their next reading.
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
    """Sum up the steps; those that have not moved need none."""
    moves = [move for _, move in steps if move is not None]
    counts: Counter[str] = Counter(outcome for outcome, _ in steps if outcome is not None)
    counts["unchanged"] += unmoved
    told = {"points": sum([move.points for move in moves]), "pages": board.pages, "rows": board.rows}
    return SyncReport("planned", at, **counts, **told, board_id=None, late=(), moves=moves)


def _adopted(account: DiscordActivity, xp: int | None, window: Window) -> Step:
    """Take the first reading of another board, which says nothing of what was earned."""
    if account.next_reading == "opens":
        return "opened", _opening(account, xp, window)
    if xp is None:
        return "absent", _rebase(account, 0, "begins", window)
    return "rebased", _rebase(account, xp, "continues", window)


def _to_be_rebased(account: DiscordActivity, window_from: datetime | None) -> Move | None:
    """Remember that what is known of an account's XP is of another board."""
    return None if account.next_reading == "opens" else _restated(account, account.status, window_from, "rebases")


def _opening(account: DiscordActivity, xp: int | None, window: Window) -> Move:
    """R2: the XP read is the baseline; a member who is not on the board opens with a zero-XP record."""
    baseline = xp or 0
    next_reading: NextReading = "begins" if xp is None else "continues"
    return Move(account, "tracked", next_reading, baseline, baseline, baseline, None, "opening", 0, window)


def _read(account: DiscordActivity, xp: int, window: Window, drops: Drops | None) -> Step:
    """Take a reading of an account that is open (R2a, R3, R4, R6, R24)."""
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
    """R2a: XP that could not have been earned in its window was missed by an earlier board."""
    if account.next_reading != "begins":
        return False
    minutes = (window.closes_at - window.opens_at) / timedelta(minutes=1)
    return xp > max(XP_UNSUSPECTED, XP_PER_MINUTE_MAX * minutes)


def _rebase(account: DiscordActivity, xp: int, next_reading: NextReading, window: Window) -> Move:
    """Move baseline and XP by the same amount, so that points and carried XP stay (R6)."""
    baseline = account.xp_baseline + xp - account.xp_total
    return Move(account, "tracked", next_reading, baseline, xp, xp, None, "rebase", 0, window)


def _unseen(account: DiscordActivity, window: Window, drops: Drops | None) -> Step:
    """Keep the XP of an account that is not on the board (R5).

    In a season reset (`drops="rebase"`) those who vanish with it are rebased too, to a zero-XP
    record: kept XP would turn their first message of the new season into a deduction. Should they
    have vanished by mistake, R2a rebases them back. The same holds for accounts that are not on an adopted board (R24).
    """
    if account.next_reading == "begins":
        return "unchanged", _restated(account, account.status, None)
    vanishes = drops == "rebase" and account.next_reading == "continues" and account.status == "tracked"
    if account.next_reading == "rebases" or vanishes:
        return "rebased", _rebase(account, 0, "begins", window)
    return "absent", _restated(account, "absent", None)


def _missed(account: DiscordActivity, looked_at: datetime) -> Step:
    """Remember where the window begins of an account that this sync could not look for."""
    is_open = account.next_reading != "opens"
    return "missed", _restated(account, account.status, account.window_from or looked_at) if is_open else None


def _restated(
    account: DiscordActivity, status: Status, window_from: datetime | None, next_reading: NextReading | None = None
) -> Move | None:
    to = status, next_reading or account.next_reading, window_from
    return None if to == (account.status, account.next_reading, account.window_from) else Move.of_status(account, *to)
