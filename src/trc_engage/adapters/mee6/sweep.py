"""Sweeping a board that moves: paging to its empty page, and again where somebody may have been passed over.

The sort is live and the paging is by offset. Whoever rises past a page boundary between two
requests is missed, and pushes a row that was seen already onto the next page: a duplicate proves
that the board moved.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from attrs import Factory, define, field

from ...core.model import Board
from .answer import Answer
from .page import Page, malformed, parsed

LIMIT_MAX = 1_000
PAGES_FEW = 10
"""After more pages than these a limit is learnt anew: that costs two requests, and a wrong one many."""
SWEEPS_MAX = 3
REPEATS_MAX = 3

logger = logging.getLogger(__name__)


@define(eq=False)
class _Trail:
    """The rows that one sweep has seen, and what they betray."""

    rows: set[str]
    """The rows of all sweeps so far; those of the first one are its own as well."""
    moved: bool = False
    """Whether an id stood on two pages."""
    _seen: set[str] = Factory(lambda self: set() if self.rows else self.rows, takes_self=True)
    _repeats: int = 0

    def follow(self, page: Page) -> None:
        """Take in the next page."""
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
    """One read under way."""

    guild_id: str
    sought: frozenset[str]
    fetch: Callable[[int, int], Answer]
    """Returns the answer that holds the page of this number and limit."""
    on_page: Callable[[int, int], object] | None
    pages_max: int
    limit: int
    """Rows asked for with each page."""
    limit_known: int = Factory(lambda self: self.limit, takes_self=True)
    """The limit to begin the next read with."""
    _clamped: bool = field(default=False, init=False)
    _readings: dict[str, int] = field(factory=dict, init=False)
    _rows: set[str] = field(factory=set, init=False)
    _pages: int = field(default=0, init=False)
    _page_last: int = field(default=0, init=False)
    _whole: bool = field(default=False, init=False)
    _server_at: datetime | None = field(default=None, init=False)

    def board(self) -> Board:
        """Read until everybody sought is found, or is known to be absent, or cannot be told.

        The first sweep looks for everyone; a further one only for those whose absence would be news.
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
        """Page on until everyone wanted is found or the board ends; tell whether it moved meanwhile."""
        trail = _Trail(self._rows)
        number = length_first = 0
        while not self._has(wanted):
            page = self._take(number, trail)
            if page.length == 0:
                self._whole = True
                break
            if number == 0:
                length_first = page.length
                self._doubt_limit(length_first)
            elif number == 1 and self._clamps(length_first, page.length):
                trail = _Trail(self._rows)
                number = 0
                continue
            number += 1
        return trail.moved

    def _has(self, wanted: frozenset[str]) -> bool:
        """Tell whether everyone wanted is found; it is asked after every page, so counting comes first."""
        if not self._whole and getattr(self.sought, "whole", False):
            return False
        return len(self._readings) >= len(wanted) and wanted <= self._readings.keys()

    def _clamps(self, length_first: int, length_second: int) -> bool:
        """Take rows after a short page 0 as a server that clamps, and ask for pages of such a length from now on.

        It is at least that of the longer page: a stale page 0 may be shorter than what the server would give.
        Once in a read: a server that merely leaves rows out would shrink the pages without end.
        """
        if self._clamped or length_first >= self.limit:
            return False
        self._clamped = True
        self.limit = self.limit_known = min(max(length_first, length_second), self.limit)
        return True

    def _doubt_limit(self, length_first: int) -> None:
        """Forget a limit that was learnt from the length of page 0 if page 0 is shorter still."""
        if self._clamped and length_first < self.limit:
            self.limit_known = LIMIT_MAX

    def _ends_still(self) -> bool:
        """Ask for the empty page that ended the sweep once more."""
        return self._take(self._page_last, _Trail(self._rows)).length == 0

    def _take(self, number: int, trail: _Trail) -> Page:
        """Fetch a page and keep its readings, the newer over the older."""
        if number >= self.pages_max or len(self._rows) > self.pages_max * LIMIT_MAX:
            raise malformed(f"the board has no end within {self.pages_max:,} pages")
        answer = self.fetch(number, self.limit)
        page = parsed(answer.body, self.guild_id, self.sought, thoroughly=self._pages == 0)
        if self._pages == 0:
            self._server_at = answer.told_at
        self._pages += 1
        self._page_last = number
        self._readings.update(page.readings)
        trail.follow(page)
        if page.unusable:
            logger.info("page %d: %d of %d rows skipped", number, page.unusable, page.length)
        if self.on_page is not None:
            self.on_page(self._pages, len(self._rows))
        return page

    def _board(self, missed: frozenset[str]) -> Board:
        if self._pages > PAGES_FEW:
            self.limit_known = LIMIT_MAX
        return Board(self._readings, self._whole, len(self._rows), self._pages, missed, self._server_at)
