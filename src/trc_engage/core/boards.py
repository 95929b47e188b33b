"""What a source returns, and whether it is trusted (R10, R24)."""

from collections.abc import Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Self

from attrs import frozen

from .errors import SourceError, shortened
from .incidents import NAMES, UNNAMED
from .model import DiscordActivity
from .posting import SyncState
from .reports import SyncReport


class Sought(frozenset[str]):
    """The Discord ids that a read looks for.

    `expected` are the ids that should be on the board: they were last time, or have not been opened yet.
    A source may make extra requests before it reports one of them missing. In a plain `frozenset`, every id
    is expected.
    """

    expected: frozenset[str]
    whole: bool = False
    """Whether to read the board to its end even if everyone is found earlier (R24)."""

    @classmethod
    def of(cls, accounts: Sequence[DiscordActivity], *, whole: bool = False) -> Self:
        """Return the ids that a sync of these accounts looks for."""
        sought = cls(account.discord_id for account in accounts)
        sought.whole = whole
        sought.expected = frozenset(
            account.discord_id
            for account in accounts
            if account.status == "waiting"
            or (account.status == "tracked" and account.next_reading in {"continues", "rebases"})
        )
        return sought


@frozen
class Board:
    """The result of one read.

    Every id sought must be in `readings`, in `missed`, or absent from a board that was read `whole`.
    """

    readings: Mapping[str, int]
    """Total XP by Discord id, of those sought and found."""
    whole: bool
    """Whether it was read to its end; a read may stop early once everyone sought is found."""
    rows: int
    """Distinct people seen on the board, sought or not."""
    pages: int
    """Requests answered with a page."""
    missed: Set[str] = frozenset()
    """Sought but not found on a board that moved during the read, so treated as not looked for."""
    server_at: datetime | None = None
    """The server's time, from its first answer."""


XP_MAX = 2**53
"""More than anyone can earn; larger JSON numbers lose precision."""
BOARD_ID_LENGTH_MAX = 200
SHOWN_BELOW = 10**30
_NOTHING_CHANGED = "nothing was changed. Fix the source"


def id_of(source: object) -> str:
    """Return the id of the source's board, empty if it has none; raises `SourceError` if it is malformed."""
    board_id = getattr(source, "board_id", None)
    if board_id is None:
        return ""
    if not isinstance(board_id, str) or len(board_id) > BOARD_ID_LENGTH_MAX or not board_id.isprintable():
        message = (
            f"the source's board_id is {shown(board_id)}, but must be a text of at most {BOARD_ID_LENGTH_MAX} "
            f"printable characters; {_NOTHING_CHANGED}"
        )
        raise SourceError("malformed", message)
    return board_id


def source_name(source: object) -> str:
    """Return a source's name for messages: its own `name`, if it has one."""
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and name and name.isprintable() else UNNAMED


def named(board_id: str | None) -> str:
    """Return a board's name for a sentence."""
    return f"board {board_id}" if board_id else "a board without an id"


def why_malformed(board: object, sought: frozenset[str]) -> str | None:
    """Return why a source's result is not a valid board for those sought; None if it is.

    Checks whole columns rather than rows, because every reading of every sync passes through here.
    """
    if not isinstance(board, Board):
        return f"the source returned {shown(board)} instead of a Board; {_NOTHING_CHANGED}"
    if flaw := _flaw_of_readings(board, sought) or _flaw_of_counts(board):
        return f"the source returned {flaw}; {_NOTHING_CHANGED}"
    # A partial board is not accepted (R19).
    lacking = 0 if board.whole else len(sought) - len(board.readings) - len(board.missed)
    return (
        None
        if not lacking
        else (
            f"the source stopped before the end of the board with {lacking:,} of {len(sought):,} accounts "
            "not found; nothing was changed. It must read on until everyone is found or the board ends"
        )
    )


def _flaw_of_readings(board: Board, sought: frozenset[str]) -> str | None:
    # A source may return anything, whatever its annotations say.
    readings: object = board.readings
    missed: object = board.missed
    if not isinstance(readings, Mapping):
        return f"a board whose readings are {shown(readings)}, but must map Discord ids to XP"
    if not isinstance(missed, Set):
        return f"a board whose missed are {shown(missed)}, but must be a set of Discord ids"
    # Ids are compared as text, so a number never matches. The message does not name the id (R1).
    if not sought.issuperset(readings) or not sought.issuperset(missed):
        return "a board that names Discord ids which were not sought"
    if missed and not missed.isdisjoint(readings):
        return "a board on which the same Discord id is both read and missed"
    xp = readings.values()
    if not set(map(type, xp)) <= {int} or min(xp, default=0) < 0 or max(xp, default=0) > XP_MAX:
        flawed = next(one for one in xp if type(one) is not int or not 0 <= one <= XP_MAX)
        return f"a board with {shown(flawed)} as XP, which must be a whole number from 0 to {XP_MAX:,}"
    return None


def _flaw_of_counts(board: Board) -> str | None:
    is_whole: object = board.whole
    if type(is_whole) is not bool:
        return f"a board whose whole is {shown(is_whole)}, but must be True or False"
    for name, count in (("rows", board.rows), ("pages", board.pages)):
        if type(count) is not int or not 0 <= count <= XP_MAX:
            return f"a board with {shown(count)} {name}, which must be a whole number from 0 on"
    if board.rows < len(board.readings):
        return f"a board of {board.rows:,} rows with {len(board.readings):,} readings"
    at: object = board.server_at
    if at is not None and (not isinstance(at, datetime) or at.utcoffset() is None):
        return f"a board whose server_at is {shown(at)}, but must be an instant with its timezone"
    return None


def shown(value: object) -> str:
    """Return a plain value as text, otherwise only its type: other values may name people or be too long."""
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < SHOWN_BELOW):
        return shortened(value)
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"


LOWERED_MIN = 5
LOWERED_SHARE_MAX = 0.10
ROWS_SHARE_MIN = 0.5
ROWS_REMEMBERED_FOR = timedelta(days=7)
SERVER_CLOCK_SLACK = timedelta(minutes=5)

WAY_OUT = (
    "If the board recovers, nothing is lost: just wait. If the drop is real, an admin decides: accepting "
    "it takes the board as it is and deducts points; rebasing it keeps everybody's points (a season reset)"
)


def why_distrusted(plan: SyncReport, board: Board, at: datetime, state: SyncState) -> str | None:
    """Return why this board is not trusted, with numbers and a remedy; None if it is (R10)."""
    reason = _too_many_lowered(plan, len(board.readings)) or _too_few_rows(board, at, state)
    return reason and f"{reason}; nothing was changed. {WAY_OUT}"


def _too_many_lowered(plan: SyncReport, found: int) -> str | None:
    if plan.deducted < LOWERED_MIN or plan.deducted <= LOWERED_SHARE_MAX * found:
        return None
    lost = -sum(move.points for move in plan.moves if move.points < 0)
    return f"the board would lower {plan.deducted:,} of {found:,} members found on it, taking {lost:,} points"


def _too_few_rows(board: Board, at: datetime, state: SyncState) -> str | None:
    if not board.whole:
        return None
    is_remembered = state.whole_at is not None and at - state.whole_at <= ROWS_REMEMBERED_FOR
    rows_before = state.whole_rows if is_remembered else None
    if board.rows == 0 and rows_before != 0:
        before = "" if rows_before is None else f" (the last one had {rows_before:,} rows)"
        return f"the board is empty{before}"
    if rows_before is not None and board.rows < ROWS_SHARE_MIN * rows_before:
        return f"the board has {board.rows:,} rows, under half of the {rows_before:,} it had before"
    return None


def why_another_board(known: str | None, board_id: str) -> str | None:
    """Return why a source must not be read, if its board is not the ledger's; None if it is, or the first (R24)."""
    if known is None or board_id == known:
        return None
    return (
        f"{NAMES['another_board']}: {named(board_id)}, but the points here come from {named(known)}, and XP of "
        "different boards cannot be compared; nothing was read or changed. If that is a mistake, correct the source "
        "(guild and address). If the change is meant, an admin adopts the new board: this keeps everybody's points and "
        "counts on from what the new board shows"
    )


def why_not_adopted(board: Board) -> str | None:
    """Return why a board cannot be adopted, if it is empty or not whole; None if it can (R24)."""
    if board.whole and board.rows:
        return None
    flaw = "it is empty" if board.whole else "it was not read to its end"
    return f"the board cannot be adopted, because {flaw}; nothing was changed"


def why_more_is_lost(plan: SyncReport, shown: SyncReport | None) -> str | None:
    """Return why a decision no longer applies, if more would be lost now than was shown; None if it still does."""
    if shown is None or (plan.absent <= shown.absent and plan.points >= shown.points):
        return None
    return (
        f"the board has changed since you were asked: {plan.absent:,} accounts are not on it now, "
        f"{shown.absent:,} then, and the sync would bring {plan.points:+,} points, {shown.points:+,} then; nothing "
        "was changed. Look at it again and decide again"
    )


def why_clocks_differ(at: datetime, server_at: datetime | None) -> str | None:
    """Return why this machine's clock and the server's cannot both be right; None if they agree (R22)."""
    if server_at is None or abs(server_at - at) <= SERVER_CLOCK_SLACK:
        return None
    return (
        f"this machine says {at:%Y-%m-%d %H:%M:%S} UTC, but the board's server says "
        f"{server_at:%Y-%m-%d %H:%M:%S} UTC: one of the clocks is wrong; nothing was changed. Compare this "
        "machine's with one you trust and set it; if it is right, wait for the server's to be fixed"
    )
