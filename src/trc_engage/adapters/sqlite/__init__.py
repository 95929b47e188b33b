"""A ledger in one SQLite file.

The SQL shared with other databases is in `..sql`. Read in this order: `schema`, `database`, `ledger`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .database import SqliteViews
    from .ledger import SqliteLedger

__all__ = ["SqliteLedger", "SqliteViews"]


def __getattr__(name: str) -> object:
    """Import lazily, so that a program that only reads does not load what writes."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(".ledger" if name == "SqliteLedger" else ".database", __name__), name)
