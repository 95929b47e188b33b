"""What was done under a clock that ran ahead, and what undoes it (R22)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from attrs import Factory, evolve, frozen

from .days import Window, windows_until
from .model import ClockDecision, Entry


@frozen
class Ahead:
    """What a ledger holds of a time that is still to come."""

    syncs: int = 0
    """Good syncs that began then."""
    days: int = 0
    """Days that were settled then."""
    settled_through: date | None = None
    """The last day that counts as settled without them; None while nobody is enrolled."""
    good_at: datetime | None = None
    """When the last good sync before it began."""
    rises: Mapping[int, tuple[datetime, datetime]] = Factory(dict)
    """Where the first window opens that closes then, and when it was linked, by account that has any."""
    awards: Sequence[Entry] = ()
    """Awards that stand and are dated then."""
    others: int = 0
    """Enrollments, slots, notices and decisions about the clock of that time."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.syncs or self.days or self.rises or self.awards or self.others)

    def windows(self, now: datetime) -> Mapping[int, Window]:
        """Return the evidence in place of what closes then: as if nobody had looked since the last good sync (R12)."""
        window = windows_until(now)
        return {
            account_id: window(opens_at if opens_at <= now else max(self.good_at or linked_at, linked_at))
            for account_id, (opens_at, linked_at) in self.rises.items()
        }

    def drafts(self, decision: ClockDecision) -> Sequence[Entry]:
        """Return what dates the awards to now: each is taken back, and awarded once more by a key of its own."""
        at, by, drafts = decision.at, decision.actor, list[Entry]()
        for one in self.awards:
            key = f"clock-repair:{one.position}"
            again = evolve(one, position=0, day=at.date(), at=at, key=key, actor=by, booked_at=None)
            drafts += [one.reversal(at, decision.reason, by), again]
        return drafts
