"""Ledgers that break one promise each: the reference ledger, but for what the name of the class says."""

from trc_engage.testing import LedgerContract

PARTS = LedgerContract.__bases__
"""Asked for before one of them is imported, or a failing assert would not show its values."""

from ..planting import Planted  # noqa: E402
from . import facts, posting, records, runs, views  # noqa: E402

MUTANTS: list[Planted] = [*facts.MUTANTS, *posting.MUTANTS, *runs.MUTANTS, *views.MUTANTS, *records.MUTANTS]
