"""A ledger in memory: the same promises, no disk.

Read in this order: `state` (what it holds, and what it tells of it), `ledger` (what is written).
"""

from .ledger import MemoryLedger

__all__ = ["MemoryLedger"]
