"""Bugs that write nothing wrong, but keep something from ever ending."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from trc_engage.adapters.boards.paging import Sweeper
from trc_engage.adapters.sql import posting
from trc_engage.core import slots
from trc_engage.core.incidents import ChannelState
from trc_engage.core.posting import Lease
from trc_engage.usecases import leases

from .planting import Mutant, always, swap

FOR_EVER = timedelta(days=10_000)


def _keeps_what_it_learnt(board: Any) -> Any:
    def made(self: Any, missed: Any) -> Any:
        found, self.limit_known = board(self, missed), self.limit
        return found

    return made


CALM = {
    "a short page is asked for ever after": Mutant(
        swap(Sweeper, "_board", _keeps_what_it_learnt), seed=4, story="reads of many minutes"
    ),
    "the lease of the dead lasts for ever": Mutant(
        lambda: patch.object(leases, "LEASED_FOR", FOR_EVER), story="killed while an alert goes out"
    ),
    "a month adds what was taken back": Mutant(
        swap(posting, "ADD_TO_MONTHLY_BALANCE", lambda sql: sql.replace("excluded.points", "abs(excluded.points)"))
    ),
}
"""Bugs that only the calm shows."""
MUTANTS = CALM | {
    "a webhook that asked to wait is left alone for ever": Mutant(
        swap(ChannelState, "is_shut", lambda _: lambda self, _now: not self.is_plain), story="a webhook that dies"
    ),
    "a wait is never over": Mutant(swap(slots, "is_kept_away", lambda _: lambda wait, _now: wait is not None)),
    "a lease is never given back": Mutant(always(Lease, "is_free", False)),  # noqa: FBT003
}
