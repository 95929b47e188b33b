"""Read a board that moves while it is read: check each page strictly and combine the pages."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import getitem, itemgetter
from typing import Any, Never

from attrs import Factory, define, field, frozen

from ...core.boards import XP_MAX, Board, shown
from ...core.errors import shortened
from ...core.validation import DISCORD_ID
from .responses import Answer, Service, malformed, structured

VALUES_MAX = 1_000_000
"""Many times the values of a page; in memory, the smallest take thirty times their bytes."""
UNUSABLE_MAX = 3
UNUSABLE_SHARE_MAX = 0.01


@frozen
class _Page:
    """The parts of a page, unchecked, by `Service`'s names."""

    rows: list[Any]
    guild: str


@frozen
class Page:
    """The content of one page."""

    readings: Mapping[str, int]
    """Total XP by Discord id, of those sought."""
    ids: Sequence[str]
    """The Discord ids of all usable rows, in order."""
    length: int
    """The number of rows, usable or not."""
    unusable: int
    """The number of rows skipped."""


def parsed(
    service: Service, body: bytes | bytearray, guild_id: str, sought: frozenset[str], *, thoroughly: bool = False
) -> Page:
    """Return the page in an answer.

    Raises `SourceError` (malformed) if it is not a page of this guild's board, if more than 3 rows and more
    than 1 % of them are unusable, or if an unusable row is of someone sought. `thoroughly` also rejects
    duplicate keys; it takes a third longer, so it is done once per read.
    """
    document = _loaded(body, _told_once(service) if thoroughly else None)
    told = guild_id if service.guild is None else _part(document, service.guild)
    found = {"rows": _part(document, service.rows), "guild": told}
    page = structured(_Page, found, "it is not a leaderboard", rows=service.rows, guild=str(service.guild))
    if page.guild != guild_id:
        other = repr(told) if DISCORD_ID.fullmatch(page.guild) else "something that is not an id"
        raise malformed(f"the board belongs to guild {other}, but guild {guild_id!r} was requested")
    rows = page.rows
    readings, ids, unusable = _rows(rows, service, sought)
    for row in unusable:
        if _is_of(row, service, sought):
            raise malformed(f"the row of a linked member cannot be used: {_essence(row, service)}")
    if len(unusable) > max(UNUSABLE_MAX, UNUSABLE_SHARE_MAX * len(rows)):
        raise malformed(
            f"{len(unusable):,} of {len(rows):,} rows cannot be used, such as {_essence(unusable[0], service)}"
        )
    return Page(readings, ids, len(rows), len(unusable))


def _loaded(body: bytes | bytearray, to_object: Callable[[list[tuple[str, object]]], object] | None) -> object:
    # Counting is needed only if the body is long enough for so many.
    if len(body) >= VALUES_MAX and body.count(b",") >= VALUES_MAX:
        raise malformed(f"it holds more than {VALUES_MAX:,} values")
    try:
        return json.loads(body, parse_constant=_refuse, object_pairs_hook=to_object)
    except (ValueError, RecursionError) as error:
        raise malformed(f"it is not valid JSON ({type(error).__name__}: {shortened(str(error))})") from error


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")


def _told_once(service: Service) -> Callable[[list[tuple[str, object]]], dict[str, object]]:
    """Reject an object with a duplicate needed key: either value could be the right one."""
    needed = {key for path in (service.guild, service.rows, service.id, service.xp) if path for key in path.split(".")}

    def to_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        told = dict(pairs)
        if len(told) < len(pairs):
            keys = [key for key, _ in pairs]
            for key in needed:
                if keys.count(key) > 1:
                    raise ValueError(f"{key} is given twice")
        return told

    return to_object


def _getter(path: str) -> Callable[[Any], Any]:
    keys = path.split(".")
    return itemgetter(path) if len(keys) == 1 else lambda document: reduce(getitem, keys, document)


def _rows(
    rows: Sequence[object], service: Service, sought: frozenset[str]
) -> tuple[dict[str, int], list[str], list[object]]:
    """Return the readings of those sought, the ids of all usable rows, and the unusable rows."""
    unusable: list[object] = []
    columns = _columns(rows, service)
    if columns is None:
        usable: list[object] = []
        for row in rows:
            (unusable if _columns([row], service) is None else usable).append(row)
        columns = _columns(usable, service) or ([], [])
    ids, xp = columns
    readings = {discord_id: total for discord_id, total in zip(ids, xp, strict=True) if discord_id in sought}
    return readings, ids, unusable


def _columns(rows: Sequence[Any], service: Service) -> tuple[list[str], list[int]] | None:
    """Return the ids and the XP of rows, or None if any row is unusable.

    Every row of a board passes through here, perhaps 100,000, so it checks whole columns and does not use cattrs.
    """
    try:
        ids, xp = list(map(_getter(service.id), rows)), list(map(_getter(service.xp), rows))
        # Compare types, because True is an int too.
        sound = set(map(type, xp)) <= {int} and min(xp, default=0) >= 0 and max(xp, default=0) <= XP_MAX
        return (ids, xp) if sound and all(map(DISCORD_ID.fullmatch, ids)) else None
    except (KeyError, TypeError):
        return None


def _is_of(row: object, service: Service, sought: frozenset[str]) -> bool:
    """Return whether a row is of someone sought, even if its id is a number."""
    discord_id = _part(row, service.id)
    return isinstance(discord_id, str | int) and str(discord_id) in sought


def _essence(row: object, service: Service) -> str:
    """Describe an unusable row without its id, because messages are stored and ids must not be (R1, R9)."""
    if not isinstance(row, dict):
        return f"a {type(row).__name__}"
    return f"its id is a {type(_part(row, service.id)).__name__}, its xp is {shown(_part(row, service.xp))}"


def _part(row: object, path: str) -> object:
    """Return the value at a path of keys, or None; everything for an empty path."""
    try:
        return _getter(path)(row) if path else row
    except (KeyError, TypeError):
        return None


PAGES_FEW = 10
"""After a read of more pages, the limit is learned again: that costs two requests, a wrong limit many."""
SWEEPS_MAX = 3
REPEATS_MAX = 3

logger: logging.Logger = logging.getLogger(__name__)


@define(eq=False)
class _Sweep:
    """The rows seen by one sweep, and whether the board moved."""

    rows: set[str]
    """The rows of all sweeps so far; the first sweep uses it as its own."""
    moved: bool = False
    """Whether an id appeared on two pages."""
    _seen: set[str] = Factory(lambda self: set() if self.rows else self.rows, takes_self=True)
    _repeats: int = 0

    def follow(self, page: Page) -> None:
        """Add the next page."""
        rows_before = len(self._seen)
        self._seen.update(page.ids)
        rows_new = len(self._seen) - rows_before
        if self._seen is not self.rows:
            self.rows.update(page.ids)
        if rows_new < len(page.ids):
            self.moved = self.moved or rows_new < len(set(page.ids))
        self._repeats = self._repeats + 1 if page.ids and not rows_new else 0
        if self._repeats == REPEATS_MAX:
            raise malformed("its pages repeat each other")


@define(eq=False)
class Sweeper:
    """A read in progress."""

    service: Service
    guild_id: str
    sought: frozenset[str]
    fetch: Callable[[int, int], Answer]
    """Returns the answer with the page of a number and limit."""
    on_page: Callable[[int, int], object] | None
    pages_max: int
    limit: int
    """Rows requested per page."""
    limit_known: int = Factory(lambda self: self.limit, takes_self=True)
    """The limit for the next read to begin with."""
    _clamped: bool = field(default=False, init=False)
    _readings: dict[str, int] = field(factory=dict, init=False)
    _rows: set[str] = field(factory=set, init=False)
    _pages: int = field(default=0, init=False)
    _page_last: int = field(default=0, init=False)
    _whole: bool = field(default=False, init=False)
    _server_at: datetime | None = field(default=None, init=False)

    def board(self) -> Board:
        """Read until everyone sought is found or known to be absent, or the sweeps are used up.

        The first sweep looks for everyone; further ones only for those expected on the board.
        """
        expected: frozenset[str] = getattr(self.sought, "expected", self.sought)
        wanted = self.sought
        for _ in range(SWEEPS_MAX):
            moved = self._sweep(wanted)
            wanted = expected
            if self._has(expected) or (not moved and self._ends_still()):
                return self._board(frozenset())
        return self._board(expected - self._readings.keys())

    def _sweep(self, wanted: frozenset[str]) -> bool:
        """Read pages until everyone wanted is found or the board ends; return whether it moved meanwhile."""
        sweep = _Sweep(self._rows)
        number = length_first = 0
        while not self._has(wanted):
            page = self._take(number, sweep)
            if page.length == 0:
                self._whole = True
                break
            if number == 0:
                length_first = page.length
                self._doubt_limit(length_first)
            elif number == 1 and self._clamps(length_first, page.length):
                sweep = _Sweep(self._rows)
                number = 0
                continue
            number += 1
        return sweep.moved

    def _has(self, wanted: frozenset[str]) -> bool:
        """Return whether everyone wanted is found; called after every page, so it compares counts first."""
        if not self._whole and getattr(self.sought, "whole", False):
            return False
        return len(self._readings) >= len(wanted) and wanted <= self._readings.keys()

    def _clamps(self, length_first: int, length_second: int) -> bool:
        """Take rows after a short page 0 as a sign that the server clamps the limit, and adopt its page length.

        That is the longer of the two pages', because a stale page 0 may be shorter than what the server would give.
        Done once per read: a server that merely leaves out rows would shrink the pages without end.
        """
        if self._clamped or self.service.limit is None or length_first >= self.limit:
            return False
        self._clamped = True
        self.limit = self.limit_known = min(max(length_first, length_second), self.limit)
        return True

    def _doubt_limit(self, length_first: int) -> None:
        """Forget a limit learned from the first pages if page 0 is now even shorter."""
        if self._clamped and length_first < self.limit:
            self.limit_known = self.service.page_size

    def _ends_still(self) -> bool:
        """Return whether the page that ended the sweep is still empty."""
        return self._take(self._page_last, _Sweep(self._rows)).length == 0

    def _take(self, number: int, sweep: _Sweep) -> Page:
        """Fetch a page and keep its readings; newer ones replace older ones."""
        if number >= self.pages_max or len(self._rows) > self.pages_max * self.service.page_size:
            raise malformed(f"the board did not end within {self.pages_max:,} pages")
        answer = self.fetch(number, self.limit)
        page = parsed(self.service, answer.body, self.guild_id, self.sought, thoroughly=self._pages == 0)
        if self._pages == 0:
            self._server_at = answer.server_at
        self._pages += 1
        self._page_last = number
        self._readings.update(page.readings)
        sweep.follow(page)
        if page.unusable:
            logger.info("page %d: %d of %d rows skipped", number, page.unusable, page.length)
        if self.on_page is not None:
            self.on_page(self._pages, len(self._rows))
        return page

    def _board(self, missed: frozenset[str]) -> Board:
        if self._pages > PAGES_FEW:
            self.limit_known = self.service.page_size
        return Board(self._readings, self._whole, len(self._rows), self._pages, missed, self._server_at)
