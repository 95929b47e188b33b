"""`MemoryLedger`: the store ports without a disk; `ledger` is to be read as the example for a ledger of your own."""

from .ledger import MemoryLedger as MemoryLedger
