"""A ledger in memory: the same promises, no disk.

Read in this order: `state`, `facts`, `posting`, `running`, `views`, `audit`, `ledger`.
"""

from .ledger import MemoryLedger

__all__ = ["MemoryLedger"]
