"""What a database does to a process: its disk is full, it is busy, or it restarts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trc_engage.core.errors import LedgerBusy, LedgerFailed

from ..coverage import FAILS
from ..process import Fate, Process

if TYPE_CHECKING:
    from ..life import Life

ERRORS: Mapping[str, LedgerBusy | LedgerFailed] = {
    "full": LedgerFailed("database or disk is full"),
    "busy": LedgerBusy("database is locked"),
    "restart": LedgerBusy("the connection was lost as it was to be committed"),
}


def fate_of_store(life: Life, process: Process, transactions: int) -> Fate:
    """Return how one of a process's next transactions fails, if it does; none of it is written."""
    name = next((one for one in ERRORS if life.weather.strikes(one)), None)
    if name is None:
        return ()
    return lambda: _fail(life, process, name), life.random.randint(1, transactions), "begin"


def _fail(life: Life, process: Process, name: str) -> None:
    life.coverage.meets(FAILS[name])
    process.fail(ERRORS[name], is_cut=name == "restart")
    life.note(process.name, FAILS[name])
    life.befell.add(FAILS[name])
