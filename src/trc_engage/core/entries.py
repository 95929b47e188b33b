"""The lines of the ledger, and what shows that somebody was active."""

from datetime import date, datetime
from typing import Literal

from attrs import frozen

from . import points

SyncKind = Literal["opening", "gain", "deduction", "rebase"]
HandKind = Literal["award", "reversal", "adjustment"]
Kind = SyncKind | HandKind
SILENT_KINDS: frozenset[str] = frozenset({"opening", "rebase"})
DISCORD = "discord"
"""The source that only a sync may post to."""
ADJUSTMENT = "adjustment"
"""The source of what an admin adds or takes by hand."""


@frozen
class XpChange:
    """How an account stood before and after an entry.

    `before` is the `after` of the account's entry above, so that each line can be checked from the
    one above it: where the baseline stays, points and `carried_after` are what `points.convert` makes
    of `carried_before` and the XP in between. An opening has nothing before it.
    """

    account_id: int
    xp_before: int | None
    xp_after: int
    baseline_before: int | None
    baseline_after: int

    @property
    def carried_before(self) -> int | None:
        """XP carried before, 0-99; None at an opening."""
        if self.xp_before is None or self.baseline_before is None:
            return None
        return points.carried(self.xp_before, self.baseline_before)

    @property
    def carried_after(self) -> int:
        """XP carried after, 0-99."""
        return points.carried(self.xp_after, self.baseline_after)


@frozen
class Entry:
    """An immutable line of the ledger; `position` orders all of them (R23)."""

    position: int
    kind: Kind
    member_id: str
    source: str
    points: int
    day: date
    at: datetime
    silent: bool
    """Whether nobody is to be notified of it."""
    xp: XpChange | None = None
    """What explains an entry of Discord."""
    key: str | None = None
    """What its caller named it, once for ever."""
    reason: str | None = None
    actor: str | None = None
    reverses: int | None = None
    """The position of the award that it takes back."""


@frozen
class Evidence:
    """What makes a day active: an unreversed award, or a rise of XP with the window that it was earned in (R11)."""

    day: date
    source: str
    position: int | None = None
    """The award's entry."""
    account_id: int | None = None
    """The account whose XP rose …"""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    """… and the window it was earned in."""
