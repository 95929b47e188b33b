"""Whether all is well, and what stands open if not."""

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from .incidents import Failing, Trouble
from .postings import Claim, Wait
from .settling import Pending
from .slots import SlotEnd
from .views import Tally


@frozen
class Status:
    """How the system does, as of one instant."""

    at: datetime
    is_attended: bool
    """Whether anything has run what is due of late."""
    troubles: Sequence[Trouble]
    good_at: datetime | None
    """When the last good sync began to read."""
    failing: Failing | None
    wait: Wait | None
    """A wait that the source asked for and that is not over."""
    pending: tuple[Pending, ...]
    last_slot: SlotEnd | None
    lease: Claim | None
    """Who is at work; None if nobody is."""
    next_sync_at: datetime
    next_settlement_at: datetime
    tally: Tally

    @property
    def is_healthy(self) -> bool:
        """Whether nothing needs anybody."""
        return self.is_attended and not self.troubles
