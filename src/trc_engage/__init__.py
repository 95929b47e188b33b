"""Turn XP into points on an append-only ledger, exactly once, and count active weekdays in a row as a streak.

Start at `Engage`. Pass it a ledger from `trc_engage.adapters` (`memory`, `sqlite`, `postgres`) and an XP source
(`mee6`, `lurkr`), or your own: any class with the methods of `trc_engage.ports`. On an event loop, use
`trc_engage.aio.AsyncEngage`; `trc_engage.upkeep.Upkeep` runs what is due. Every error is an `EngageError` whose
message says what to do.

>>> from datetime import UTC, datetime
>>> from trc_engage import Engage
>>> from trc_engage.adapters.memory import MemoryLedger
>>> engage = Engage(ledger=MemoryLedger(), clock=lambda: datetime.now(UTC))
>>> engage.enroll("m-1", name="Ada").outcome
'enrolled'
>>> engage.award("m-1", source="benchmark", points=50, key="run:991", at=datetime.now(UTC)).outcome
'awarded'
>>> engage.standing("m-1").points
50

The public names are loaded on first use, so importing the package costs almost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .public import *  # noqa: F403

    __version__: str


def __getattr__(name: str) -> object:
    """Load the public names on first use and return one."""
    if name == "__version__":
        found: object = import_module("importlib.metadata").version("trc-engage")
    elif name == "__all__":
        found = _public()
    elif name in _public():
        found = getattr(import_module(".public", __name__), name)
    else:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    globals()[name] = found
    return found


def _public() -> list[str]:
    return sorted(name for name in vars(import_module(".public", __name__)) if not name.startswith("_"))


def __dir__() -> list[str]:
    return [*_public(), "__version__"]
