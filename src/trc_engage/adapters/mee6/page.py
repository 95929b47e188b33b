"""One page of the leaderboard: bytes -> readings, strictly."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Never

from attrs import frozen
from cattrs import Converter

from ...core.errors import SourceError, shortened

XP_MAX = 2**53
"""Beyond it a JSON number may have lost precision on its way."""
VALUES_MAX = 1_000_000
"""Many times what a page tells; the smallest of them take thirty times their bytes in memory."""
UNUSABLE_MAX = 3
UNUSABLE_SHARE_MAX = 0.01

_NEEDED = ("guild", "players", "id", "xp")
_DISCORD_ID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


@frozen
class Page:
    """What one page says."""

    readings: Mapping[str, int]
    """Total XP by Discord id, of those sought."""
    ids: Sequence[str]
    """The Discord ids of all rows that can be used, in their order."""
    length: int
    """Rows of the page, usable or not."""
    unusable: int
    """Rows that were skipped."""


@frozen
class _Guild:
    id: str


@frozen
class _Leaderboard:
    """The part of the answer that has not changed since 2018."""

    guild: _Guild
    players: list[object]


def parsed(body: bytes | bytearray, guild_id: str, sought: frozenset[str], *, thoroughly: bool = False) -> Page:
    """Return the page that an answer holds.

    `SourceError` (malformed) if it is no page of this guild's board, if more than 3 rows and more
    than 1 % of them cannot be used, or if one of them is of somebody sought. `thoroughly` refuses
    what is told twice as well; it takes a third as long again, so once in a read must do.
    """
    board = _structured(_loaded(body, _told_once if thoroughly else None))
    if board.guild.id != guild_id:
        other = repr(board.guild.id) if _DISCORD_ID.fullmatch(board.guild.id) else "that is no id"
        raise malformed(f"the board is of guild {other}, but guild {guild_id!r} was asked for")
    readings, ids, unusable = _rows(board.players, sought)
    for row in unusable:
        if _is_of(row, sought):
            raise malformed(f"the row of a member who is sought cannot be used: {_essence(row)}")
    if len(unusable) > max(UNUSABLE_MAX, UNUSABLE_SHARE_MAX * len(board.players)):
        raise malformed(
            f"{len(unusable):,} of {len(board.players):,} rows cannot be used, such as {_essence(unusable[0])}"
        )
    return Page(readings, ids, len(board.players), len(unusable))


def malformed(what: str) -> SourceError:
    """Return the error for an answer that is no leaderboard."""
    return SourceError(
        "malformed",
        f"MEE6's answer cannot be used: {what}. The next sync tries again; if it lasts, "
        "MEE6 has changed its API: look for a newer trc-engage",
    )


def _loaded(body: bytes | bytearray, to_object: Callable[[list[tuple[str, object]]], object] | None) -> object:
    # Counted only where there is room for so many.
    if len(body) >= VALUES_MAX and body.count(b",") >= VALUES_MAX:
        raise malformed(f"it holds more than {VALUES_MAX:,} values")
    try:
        return json.loads(body, parse_constant=_refuse, object_pairs_hook=to_object)
    except (ValueError, RecursionError) as error:
        raise malformed(f"it is no sound JSON ({type(error).__name__}: {shortened(str(error))})") from error


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")


def _told_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse an object that tells what is needed twice, for nobody knows which of the two is true."""
    told = dict(pairs)
    if len(told) < len(pairs):
        keys = [key for key, _ in pairs]
        for key in _NEEDED:
            if keys.count(key) > 1:
                raise ValueError(f"{key} is told twice")
    return told


def _structured(document: object) -> _Leaderboard:
    try:
        return _CONVERTER.structure(document, _Leaderboard)
    except (KeyError, TypeError, ValueError) as error:
        raise malformed(f"it is not a leaderboard ({type(error).__name__}: {shortened(str(error))})") from error


def _text(value: object, _: type) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {_shown(value)}")
    return value


def _list(value: object, _: type) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {_shown(value)}")
    return value


_CONVERTER = Converter(detailed_validation=False)
_CONVERTER.register_structure_hook(str, _text)
_CONVERTER.register_structure_hook_func(lambda kind: kind == list[object], _list)


def _rows(players: Sequence[object], sought: frozenset[str]) -> tuple[dict[str, int], list[str], list[object]]:
    """Return the readings of those sought, the ids of all, and the rows that cannot be used."""
    unusable: list[object] = []
    columns = _columns(players)
    if columns is None:
        usable: list[object] = []
        for row in players:
            (unusable if _columns([row]) is None else usable).append(row)
        columns = _columns(usable) or ([], [])
    ids, xp = columns
    readings = {discord_id: total for discord_id, total in zip(ids, xp, strict=True) if discord_id in sought}
    return readings, ids, unusable


def _columns(rows: Sequence[Any]) -> tuple[list[str], list[int]] | None:
    """Return the ids and the XP of rows, or None if any of them cannot be used.

    All rows of a board of 100,000 pass here, hence whole columns instead of cattrs.
    """
    try:
        ids, xp = [], []
        for row in rows:
            ids.append(row["id"])
            xp.append(row["xp"])
        # The types themselves, because True is an int as well.
        sound = set(map(type, xp)) <= {int} and min(xp, default=0) >= 0 and max(xp, default=0) <= XP_MAX
        return (ids, xp) if sound and all(map(_DISCORD_ID.fullmatch, ids)) else None
    except (KeyError, TypeError):
        return None


def _is_of(row: object, sought: frozenset[str]) -> bool:
    """Tell whether a row is of somebody sought, even if its id came as a number."""
    discord_id = row.get("id") if isinstance(row, dict) else None
    return isinstance(discord_id, str | int) and str(discord_id) in sought


def _essence(row: object) -> str:
    """Return what is wrong with a row but not whose it is: the message is kept, and ids are not (R1, R9)."""
    if not isinstance(row, dict):
        return f"a {type(row).__name__}"
    return f"its id is a {type(row.get('id')).__name__}, its xp is {_shown(row.get('xp'))}"


def _shown(value: object) -> str:
    """Return a plain value, and of any other only what it is: it may name people, or be too deep to be shown."""
    if value is None or isinstance(value, int | float):
        return shortened(value)
    return f"a {type(value).__name__}"
