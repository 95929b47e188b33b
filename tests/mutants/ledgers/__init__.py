"""Ledgers that break one promise each: the reference ledger, except for what the name of the class says."""

from trc_engage.testing import LedgerContract

PARTS = LedgerContract.__bases__
"""Accessed before one of them is imported; otherwise a failing assert would not show its values."""

from ..planting import Planted  # noqa: E402
from . import facts, posting, records, runs, views  # noqa: E402

MUTANTS: list[Planted] = [*facts.MUTANTS, *posting.MUTANTS, *runs.MUTANTS, *views.MUTANTS, *records.MUTANTS]
