"""A thread-safe leaderboard, and the form in which a service returns it."""

import random
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import attrgetter, getitem
from threading import RLock
from typing import Any

from attrs import evolve, frozen

from ..core.validation import validate_discord_id

XP_PER_MESSAGE = (15, 25)
XP_USUAL = 20
"""What a message earns on average."""
XP_PAUSE = timedelta(seconds=60)
"""How long further messages earn nothing after one that earned XP."""


@frozen
class Row:
    """One person on the Discord server, as its bot knows them."""

    discord_id: str
    username: str
    discriminator: str
    avatar: str | None
    xp: int
    message_count: int
    """Messages that earned XP."""
    is_ranked: bool
    """Whether XP was ever earned: only then are they on the board."""
    is_here: bool = True
    """Whether they are on the Discord server; people who leave stay on the board."""
    earned_at: datetime | None = None
    """When a message last earned XP."""


@frozen(eq=False)
class Snapshot:
    """The whole board at one moment, in the order in which it is served."""

    rows: tuple[Row, ...]

    def page(self, page: int, limit: int) -> tuple[Row, ...]:
        """Return a page's rows; none past the end."""
        return self.rows[page * limit : (page + 1) * limit]


class Leaderboard:
    """The people of one Discord server and their XP; `rate` multiplies what their messages earn.

    Except for `join`, methods raise `ValueError` for an id that has not joined.
    """

    def __init__(self, clock: Callable[[], datetime], seed: int = 0) -> None:
        self.rate: float = 1.0
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311  chance, not secrecy
        self._rows: dict[str, Row] = {}
        self._snapshot: Snapshot | None = None
        self._lock = RLock()

    def join(self, discord_id: str, *, username: str | None = None, xp: int = 0, avatar: str | None = None) -> None:
        """Add a person to the server, or bring one back with the XP as it was.

        `xp` is what a new person has already earned; with none they are not on the board yet.
        """
        with self._lock:
            row = self._rows.get(validate_discord_id(discord_id))
            if row is None:
                self._put(_newcomer(discord_id, username, xp, avatar))
                return
            if xp:
                raise ValueError(f"{discord_id} is known already, with {row.xp} XP; use give() or remove()")
            self._put(evolve(row, username=row.username if username is None else username, is_here=True))

    def leave(self, discord_id: str) -> None:
        """Remove a person from the server; their row stays on the board."""
        with self._lock:
            self._put(evolve(self._row(discord_id), is_here=False))

    def post(self, discord_id: str, messages: int = 1) -> int:
        """Write messages now; return the XP gained: the first one earns, and none for 60 s after it."""
        with self._lock:
            row, at = self._row(discord_id), self._clock()
            if not row.is_here:
                raise ValueError(f"{discord_id} left the server and cannot post; join() first")
            if messages < 1 or (row.earned_at is not None and at - row.earned_at < XP_PAUSE):
                return 0
            gained = round(self._chance.randint(*XP_PER_MESSAGE) * self.rate)
            if gained > 0:
                earned = evolve(row, xp=row.xp + gained, message_count=row.message_count + 1, is_ranked=True)
                self._put(evolve(earned, earned_at=at))
            return gained

    def give(self, discord_id: str, xp: int) -> None:
        """Add XP as an admin."""
        with self._lock:
            row = self._row(discord_id)
            self._put(evolve(row, xp=max(0, row.xp + xp), is_ranked=row.is_ranked or xp > 0))

    def remove(self, discord_id: str, xp: int) -> None:
        """Take XP away as an admin; never below 0, and the row stays."""
        self.give(discord_id, -xp)

    def reset_member(self, discord_id: str) -> None:
        """Reset one person's XP, as an admin: the row disappears from the board."""
        with self._lock:
            self._put(_unranked(self._row(discord_id)))

    def reset(self) -> None:
        """Reset everyone's XP, as an admin: the board is empty."""
        with self._lock:
            self._rows = {discord_id: _unranked(row) for discord_id, row in self._rows.items()}
            self._snapshot = None

    def load(self, page: Mapping[str, Any]) -> None:
        """Load every row of a real page's `players`."""
        with self._lock:
            for player in page["players"]:
                row = _loaded(player)
                self._rows[row.discord_id] = row
            self._snapshot = None

    def xp(self, discord_id: str) -> int:
        """Return a person's XP, on the board or not."""
        with self._lock:
            return self._row(discord_id).xp

    def rows(self) -> list[tuple[str, int]]:
        """Return id and XP of everyone on the board, in the order in which they are served."""
        return [(row.discord_id, row.xp) for row in self.snapshot().rows]

    def snapshot(self) -> Snapshot:
        """Return the board as it is now: by XP, highest first; ties in the order of joining."""
        with self._lock:
            if self._snapshot is None:
                ranked = [row for row in self._rows.values() if row.is_ranked]
                ranked.sort(key=attrgetter("xp"), reverse=True)
                self._snapshot = Snapshot(tuple(ranked))
            return self._snapshot

    def _row(self, discord_id: str) -> Row:
        row = self._rows.get(discord_id)
        if row is None:
            raise ValueError(f"{discord_id} never joined; join() first")
        return row

    def _put(self, row: Row) -> None:
        self._rows[row.discord_id] = row
        self._snapshot = None


def _newcomer(discord_id: str, username: str | None, xp: int, avatar: str | None) -> Row:
    """Make a row; earlier XP is taken to come from average messages."""
    name = f"user {discord_id[-4:]}" if username is None else username
    return Row(discord_id, name, discord_id[-4:].zfill(4), avatar, xp, xp // XP_USUAL, xp > 0)


def _loaded(player: Mapping[str, Any]) -> Row:
    """Make a row from a real page; fields that its year did not have are made up."""
    discord_id, xp = validate_discord_id(player["id"]), player["xp"]
    return Row(
        discord_id,
        player.get("username", ""),
        player.get("discriminator", "0"),
        player.get("avatar"),
        xp,
        player.get("message_count", xp // XP_USUAL),
        is_ranked=True,
    )


def _unranked(row: Row) -> Row:
    return evolve(row, xp=0, message_count=0, is_ranked=False, earned_at=None)


def level_at(xp: int) -> int:
    """Return the level that this much XP has reached.

    >>> level_at(99), level_at(100), level_at(1_263_590)
    (0, 1, 86)
    """
    # The XP of level l is more than 5/3 l³, which bounds the search.
    highest = int((0.6 * xp) ** (1 / 3)) + 1
    return bisect_right(range(highest + 1), xp, key=xp_to_reach) - 1


def xp_to_reach(level: int) -> int:
    """Return the XP at which a level begins: the sum of `xp_needed` below it."""
    return 5 * (level - 1) * level * (2 * level - 1) // 6 + 25 * level * (level - 1) + 100 * level


def xp_needed(level: int) -> int:
    """Return the XP from one level to the next."""
    return 5 * level * level + 50 * level + 100


@frozen
class Dialect:
    """How a service shows a board; a source's `Service`, which explains these fields, can be used instead."""

    path: str
    rows: str
    id: str = "id"
    xp: str = "xp"
    guild: str | None = None
    page: str = "page"
    page_first: int = 0
    counts_rows: bool = False
    limit: str | None = "limit"
    page_size: int = 1_000
    token_header: str = "Authorization"  # noqa: S105  the header's name
    token_form: str = "{}"  # noqa: S105
    limits: str | None = None


def plain_page(dialect: Any, guild_id: str, rows: Sequence[Row]) -> Any:
    """Return a minimal page: username, id and XP of each row, and the guild if pages name it."""
    told: list[dict[str, Any]] = []
    for row in rows:
        told.append({"username": row.username})
        put(told[-1], dialect.id, row.discord_id)
        put(told[-1], dialect.xp, row.xp)
    if not dialect.rows:
        return told
    page: dict[str, Any] = {}
    put(page, dialect.rows, told)
    if dialect.guild is not None:
        put(page, dialect.guild, guild_id)
    return page


def got(document: Any, path: str) -> Any:
    """Return the value at a path of keys."""
    return reduce(getitem, filter(None, path.split(".")), document)


def put(document: dict[str, Any], path: str, value: object) -> None:
    """Write a value at a path of keys."""
    *before, last = path.split(".")
    for key in before:
        document = document.setdefault(key, {})
    document[last] = value
