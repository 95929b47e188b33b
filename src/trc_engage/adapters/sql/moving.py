"""The moves of a posting, set-wise.

All moves go into one temporary table, which each database fills in its quickest way; entries,
evidence, balances and accounts follow from it with one statement each. Row by row the same would
take several times as long. What the accounts were before goes in as it was read: whoever is at the
same version still is the same.
"""

from collections.abc import Iterator, Mapping, Sequence

from ...core.days import Window
from ...core.decisions import Decision
from ...core.entries import DISCORD, SILENT_KINDS
from ...core.errors import Moved
from ...core.model import Move
from .session import Session, Sessions
from .stamps import month_of, stamp

POST_ENTRIES = """
INSERT INTO entries (
    kind, member_id, source, points, day, at, silent,
    account_id, xp_before, xp_after, baseline_before, baseline_after, reason, actor
)
SELECT
    kind, member_id, :source, points, day, :at, silent,
    account_id, xp_before, xp_total, baseline_before, xp_baseline,
    CASE WHEN kind = :decided THEN :reason END, CASE WHEN kind = :decided THEN :actor END
FROM engage_staged_moves WHERE kind IS NOT NULL
ORDER BY account_id
"""

POST_BALANCES = """
INSERT INTO member_balances (member_id, source, points)
SELECT member_id, :source, points FROM engage_staged_moves WHERE points <> 0
ON CONFLICT (member_id, source) DO UPDATE SET points = member_balances.points + excluded.points
"""

POST_MONTHLY_BALANCES = """
INSERT INTO monthly_balances (month, member_id, points)
SELECT month, member_id, points FROM engage_staged_moves WHERE points <> 0
ON CONFLICT (month, member_id) DO UPDATE SET points = monthly_balances.points + excluded.points
"""

POST_EVIDENCE = """
INSERT INTO discord_days (day, member_id, account_id, opens_at, closes_at)
SELECT windows.day, moves.member_id, moves.account_id, windows.opens_at, windows.closes_at
FROM engage_staged_moves AS moves JOIN engage_staged_windows AS windows USING (window_number)
WHERE true
ON CONFLICT DO NOTHING
"""

MOVE_ACCOUNTS = """
UPDATE discord_activity SET
    version = discord_activity.version + 1,
    status = moves.status,
    next_reading = moves.next_reading,
    xp_posted = CASE WHEN moves.kind IS NULL THEN discord_activity.xp_posted ELSE moves.xp_total END,
    xp_baseline = moves.xp_baseline,
    xp_total = moves.xp_total,
    xp_high = moves.xp_high,
    window_from = moves.window_from
FROM engage_staged_moves AS moves
WHERE discord_activity.account_id = moves.account_id AND discord_activity.version = moves.version
"""


def post_moves(sessions: Sessions, session: Session, moves: Sequence[Move], at: str, decision: Decision | None) -> None:
    """Write what the moves mean; `Moved` if an account is not at the version its move was planned on."""
    decided = {
        "decided": decision and decision.entry_kind,
        "reason": decision and decision.reason,
        "actor": decision and decision.actor,
    }
    windows: dict[Window, int] = {}
    sessions.stage(session, _staged(moves, windows), _days(windows))
    session.execute(POST_ENTRIES, {"source": DISCORD, "at": at, **decided})
    session.execute(POST_BALANCES, {"source": DISCORD})
    session.execute(POST_MONTHLY_BALANCES)
    session.execute(POST_EVIDENCE)
    if session.execute(MOVE_ACCOUNTS).rowcount != len(moves):
        raise Moved


def _days(windows: Mapping[Window, int]) -> Iterator[tuple[int, str, str, str]]:
    """Yield the rows of the windows that leave evidence, once all moves are staged."""
    for window, number in windows.items():
        for day in window.days:
            yield number, day.isoformat(), stamp(window.opens_at), stamp(window.closes_at)


def _staged(moves: Sequence[Move], windows: dict[Window, int]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the moves, numbering the windows that leave evidence."""
    for move in moves:
        account = move.account
        day = move.day and move.day.isoformat()
        yield (
            account.account_id,
            account.version,
            account.member_id,
            move.status,
            move.next_reading,
            move.xp_baseline,
            move.xp_total,
            move.xp_high,
            move.window_from and stamp(move.window_from),
            move.kind,
            None if move.kind == "opening" else account.xp_posted,
            None if move.kind == "opening" else account.xp_baseline,
            move.kind in SILENT_KINDS,
            move.points,
            day,
            day and month_of(day),
            windows.setdefault(move.window, len(windows)) if move.active and move.window else None,
        )
