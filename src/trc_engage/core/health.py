"""Whether all is well, and what stands open if not."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from .channels import ChannelState
from .incidents import Failing, Trouble
from .postings import Claim, Wait
from .settling import Pending
from .slots import SlotEnd
from .status import Status as AccountStatus

START = "start the daemon (`trc-engage daemon`), or have cron call `trc-engage run-due`"
ENROL = "enrol members (`trc-engage members enroll --help`)"


@frozen
class Need:
    """What is wrong, and what to do about it."""

    what: str
    advice: str


@frozen
class Tally:
    """How much a store holds."""

    store: str
    """Where it is, without any password."""
    size_bytes: int | None
    """None if it has no size that could be told."""
    members: int
    accounts: Mapping[AccountStatus, int]
    """How many there are of each status, unlinked ones included."""
    entries: int


@frozen
class Status:
    """How the system does, as of one instant."""

    at: datetime
    is_attended: bool
    """Whether anything has run what is due of late."""
    troubles: Sequence[Trouble]
    good_at: datetime | None
    """When the last good sync began to read."""
    board_id: str | None
    """Whose board the points are of, empty for one without an id; None before a sync recorded it (R24)."""
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
    shut_channels: tuple[ChannelState, ...] = ()
    """Channels to admins to which nothing is sent: dead ones, and those that asked to be left alone."""

    @property
    def is_healthy(self) -> bool:
        """Whether nothing needs anybody."""
        return not self.needs

    @property
    def needs(self) -> tuple[Need, ...]:
        """What needs somebody, the most urgent first: while nothing runs, nothing else mends itself."""
        needs = [Need(trouble.title, trouble.why) for trouble in self.troubles]
        needs += [
            Need(f"alerts no longer arrive by {one.channel}, since {one.dead_since:%a %Y-%m-%d %H:%M} UTC", one.why)
            for one in self.shut_channels
            if one.dead_since is not None
        ]
        if not self.is_attended:
            needs.insert(0, self._unattended())
        elif not self.tally.members:
            # Perhaps it is not the store that was meant (R31).
            needs.insert(0, Need("nobody is enrolled", ENROL))
        return tuple(needs)

    @property
    def ran_at(self) -> datetime | None:
        """When anything was last seen to run: a slot that ended, or a good sync."""
        ended_at = None if self.last_slot is None else self.last_slot.at
        return max(filter(None, (ended_at, self.good_at)), default=None)

    @property
    def synced_accounts(self) -> int:
        """How many accounts a sync looks for."""
        return sum(self.tally.accounts.get(status, 0) for status in ("waiting", "tracked", "absent"))

    def _unattended(self) -> Need:
        if self.ran_at is not None:
            return Need(f"nothing has run since {self.ran_at:%a %Y-%m-%d %H:%M} UTC", START)
        if not self.tally.members:
            return Need("nobody is enrolled, and nothing has run yet", f"{ENROL}, then {START}")
        return Need("nothing has run yet", START)
