"""What a store holds beside its entries, complete, as of one instant."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from attrs import Factory, define, frozen

from ..days import Calendar
from ..model import DiscordActivity, Member
from ..streaks import Streak
from .breaches import UNREADABLE, Breach


@frozen
class Rises:
    """The accounts whose XP rose in one window, and one of the days that it counts for (R11, R12)."""

    day: date
    opens_at: datetime
    closes_at: datetime
    account_ids: Sequence[int]


@frozen
class Unreadable:
    """A row that no value can be made of."""

    breach: Breach
    member_id: str | None = None
    """Whose it is; None if that cannot be read either."""
    position: int | None = None
    """Of an entry; None if it and all that follow cannot be read."""


@frozen
class Holdings:
    """All but the entries; rows that cannot be read are left out of the rest."""

    last_position: int
    """The last entry's at the same instant, 0 if there is none."""
    members: Sequence[Member]
    accounts: Sequence[DiscordActivity]
    """Unlinked ones included, by account id."""
    balances: Mapping[str, Mapping[str, int]]
    """Points by member id and source."""
    streaks: Sequence[Streak]
    rises: Sequence[Rises]
    calendar: Calendar | None
    """None if it cannot be read."""
    unreadable: Sequence[Unreadable] = ()


@define
class Doubts:
    """Whose facts are incomplete, because some of the rows cannot be read: the rest is not held against them."""

    members: set[str] = Factory(set)
    everyone: bool = False

    def add(self, unreadable: Unreadable) -> None:
        """Take one row into account; what is derived can be rebuilt, and leaves no doubt."""
        if unreadable.breach.check != UNREADABLE:
            return
        if unreadable.member_id is None:
            self.everyone = True
        else:
            self.members.add(unreadable.member_id)

    def of(self, member_id: str) -> bool:
        """Tell whether a member's facts are incomplete."""
        return self.everyone or member_id in self.members
