"""Bugs in how the board is read, and in whether it is trusted."""

from typing import Any

from trc_engage.adapters.boards import client, paging, responses
from trc_engage.adapters.boards.client import Pace
from trc_engage.adapters.boards.paging import Sweeper
from trc_engage.core import boards
from trc_engage.core.errors import SourceError

from .planting import Mutant, always, swap


def _ends_short(take: Any) -> Any:
    length = limit = 0

    def taken(self: Any, number: int, trail: Any) -> Any:
        nonlocal length, limit
        if number and length < limit:
            return paging.Page({}, [], 0, 0)
        found = take(self, number, trail)
        length, limit = found.length, self.limit
        return found

    return taken


def _ends_at_trouble(take: Any) -> Any:
    def taken(self: Any, number: int, trail: Any) -> Any:
        try:
            return take(self, number, trail)
        except SourceError:
            if not number:
                raise
            return paging.Page({}, [], 0, 0)

    return taken


MUTANTS = {
    "a distrusted board is applied": Mutant(always(boards, "why_distrusted", None)),
    "a board's id is ignored": Mutant(always(boards, "why_another_board", None)),
    "clocks that disagree are believed": Mutant(always(boards, "why_clocks_differ", None), seed=3),
    "a short page ends the board": Mutant(swap(Sweeper, "_take", _ends_short)),
    "half a board is taken for a whole one": Mutant(swap(Sweeper, "_take", _ends_at_trouble)),
    "the end is believed at once": Mutant(swap(Sweeper, "_ends_still", lambda _: lambda _self: True)),
    "who was missed was looked for": Mutant(
        swap(Sweeper, "_board", lambda board: lambda self, _missed: board(self, frozenset()))
    ),
    "the gap between requests is forgotten": Mutant(swap(Pace, "await_turn", lambda _: lambda _self: None)),
    "a back-off within the gap is charged": Mutant(
        swap(Pace, "beyond_gap", lambda _: lambda _self, seconds: seconds),
        story="many retries on short pages",
    ),
    "what will not pass is tried again": Mutant(always(client, "_may_pass", True)),  # noqa: FBT003
    "any page is taken": Mutant(always(client, "trouble", None)),
    "a refusal is an outage": Mutant(swap(responses, "_meaning", lambda _: lambda *_answer: ("down", ""))),
}
