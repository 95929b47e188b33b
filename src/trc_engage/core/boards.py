"""What a source may return (R24): whose board it reads, and a board that says what it must."""

from collections.abc import Mapping, Set
from datetime import datetime

from .errors import SourceError, shortened
from .model import Board

XP_MAX = 2**53
"""More than anybody earns; beyond it JSON no longer tells whole numbers apart."""
BOARD_ID_LENGTH_MAX = 200
SHOWN_BELOW = 10**30
_NOTHING_CHANGED = "nothing was changed. Correct the source"


def id_of(source: object) -> str:
    """Return the id of the board that a source reads, empty if it says none; a malformed one is a `SourceError`."""
    board_id = getattr(source, "board_id", None)
    if board_id is None:
        return ""
    if not isinstance(board_id, str) or len(board_id) > BOARD_ID_LENGTH_MAX or not board_id.isprintable():
        message = (
            f"the source's board_id is {_shown(board_id)}, but must be a text of at most {BOARD_ID_LENGTH_MAX} "
            f"printable characters; {_NOTHING_CHANGED}"
        )
        raise SourceError("malformed", message)
    return board_id


def named(board_id: str | None) -> str:
    """Return how a board is called in a sentence."""
    return f"board {board_id}" if board_id else "a board without an id"


def why_malformed(board: object, sought: frozenset[str]) -> str | None:
    """Return why what a source returned is no board of those sought; None if it is one.

    Whole columns are looked at, not rows: every sync of everybody passes here.
    """
    if not isinstance(board, Board):
        flaw: str | None = f"{_shown(board)} instead of a Board"
    else:
        flaw = _flaw_of_readings(board, sought) or _flaw_of_counts(board)
        if flaw is None:
            return _why_half(board, sought)
    return flaw and f"the source returned {flaw}; {_NOTHING_CHANGED}"


def _why_half(board: Board, sought: frozenset[str]) -> str | None:
    """Half a board is none (R19)."""
    lacking = 0 if board.whole else len(sought) - len(board.readings) - len(board.missed)
    if not lacking:
        return None
    return (
        f"the source stopped before the end of the board with {lacking:,} of {len(sought):,} accounts "
        "not found; nothing was changed. It must read on until everyone is found or the board ends"
    )


def _flaw_of_readings(board: Board, sought: frozenset[str]) -> str | None:
    # What a source says it returns is no promise.
    readings: object = board.readings
    missed: object = board.missed
    if not isinstance(readings, Mapping):
        return f"a board whose readings are {_shown(readings)}, but must map Discord ids to XP"
    if not isinstance(missed, Set):
        return f"a board whose missed are {_shown(missed)}, but must be a set of Discord ids"
    # A Discord id is a text as sought, which no number equals; whose it is, is not told (R1).
    if not sought.issuperset(readings) or not sought.issuperset(missed):
        return "a board that names Discord ids which were not sought"
    if missed and not missed.isdisjoint(readings):
        return "a board on which the same Discord id is both read and missed"
    xp = readings.values()
    if not set(map(type, xp)) <= {int} or min(xp, default=0) < 0 or max(xp, default=0) > XP_MAX:
        flawed = next(one for one in xp if type(one) is not int or not 0 <= one <= XP_MAX)
        return f"a board with {_shown(flawed)} as XP, which must be a whole number from 0 to {XP_MAX:,}"
    return None


def _flaw_of_counts(board: Board) -> str | None:
    is_whole: object = board.whole
    if type(is_whole) is not bool:
        return f"a board whose whole is {_shown(is_whole)}, but must be True or False"
    for name, count in (("rows", board.rows), ("pages", board.pages)):
        if type(count) is not int or not 0 <= count <= XP_MAX:
            return f"a board with {_shown(count)} {name}, which must be a whole number from 0 on"
    if board.rows < len(board.readings):
        return f"a board of {board.rows:,} rows with {len(board.readings):,} readings"
    at: object = board.server_at
    if at is not None and (not isinstance(at, datetime) or at.utcoffset() is None):
        return f"a board whose server_at is {_shown(at)}, but must be an instant with its timezone"
    return None


def _shown(value: object) -> str:
    """Return a plain value, and of any other only what it is: it may name people, or be too long to be shown."""
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < SHOWN_BELOW):
        return shortened(value)
    return f"{'an' if type(value).__name__[0] in 'aeiou' else 'a'} {type(value).__name__}"
