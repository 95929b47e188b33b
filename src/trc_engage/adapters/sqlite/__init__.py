"""A ledger in one SQLite file.

Read in this order: `schema`, `database`, `facts`, `posting`, `running`, `views`, `ledger`.
"""

from .ledger import SqliteLedger

__all__ = ["SqliteLedger"]
