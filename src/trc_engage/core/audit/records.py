"""The port of what is audited: all that a store holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..ports import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..entries import Entry
    from .breaches import Breach, Change
    from .holdings import Holdings, Unreadable


class Records(Protocol):
    """All that a store holds, to be audited; what cannot be read is told, and never keeps the rest from being read.

    A store may do without: nothing but `Engage.audit` and `Engage.repair` asks for it.
    """

    def holdings(self) -> Holdings:
        """Return all but the entries, as of one instant; rows that cannot be read are left out and named."""
        ...

    def lines(self, *, after: int, limit: int) -> Sequence[Entry | Unreadable]:
        """Return everyone's entries above position `after`, oldest first, and which of them cannot be read.

        If one of them cannot even be told from those behind it, it has no position and is the last.
        """
        ...

    def irregularities(self) -> Sequence[Breach]:
        """Return what only the store itself can see: damage to its files and tables, keys that stand twice."""
        ...

    def rebalance(self) -> Sequence[Change]:
        """Make every balance the sum of its entries, in one transaction, and return which were not."""
        ...

    def reword(self) -> Sequence[Change]:
        """Make what names are found by anew from the names, in one transaction, and return of whom it differed."""
        ...


class AuditedStore(Store, Records, Protocol):
    """A store that the doctor can look at."""
