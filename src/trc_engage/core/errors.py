"""The errors, one class for each case that a caller can handle."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from attrs import define, field, frozen

ServiceTrouble = Literal["private", "unknown_guild", "rate_limited", "blocked", "malformed", "down"]
"""Troubles of the service itself; the core adds the others."""
SourceTrouble = Literal[ServiceTrouble, "distrusted", "another_board", "clock", "overtaken"]
RosterTrouble = Literal[
    "token", "unknown_guild", "no_access", "rate_limited", "blocked", "malformed", "down", "distrusted"
]
"""Token: wrong or reset. No access: the token's owner is not on the server."""


@frozen(repr=False, eq=False)
class _Shown:
    """A value in a message, whose `repr` is shortened."""

    value: object

    def __repr__(self) -> str:
        return shortened(self.value)

    def __format__(self, form: str) -> str:
        return format(self.value, form)


class EngageError(Exception):
    """Base of every error that this package raises on purpose.

    Its text is the `fact` followed by the `remedy`, if any, which an entry point may replace with its own wording.
    """

    text: ClassVar[str] = ""
    """A format string for the fact, filled with the error's fields; if empty, the fact is the exception's message."""
    remedy: ClassVar[str] = ""

    @property
    def fact(self) -> str:
        """What went wrong."""
        shown = {name: _Shown(value) for name, value in vars(self).items()}
        return self.text.format_map(shown) if self.text else super().__str__()

    def __str__(self) -> str:
        return f"{self.fact}; {self.remedy}" if self.remedy else self.fact


@define(slots=False, repr=False)
class InvalidValue(EngageError, ValueError):
    """An argument is invalid; the message names the field, the value and the remedy."""

    field: str
    value: object
    advice: str

    text = "{field}: {value!r}: {advice}"


@define(slots=False, repr=False)
class AmbiguousMember(EngageError):
    """Several members match, so nothing was done."""

    name: str
    candidates: str
    """Their ids and names."""

    text = "{name!r} could be {candidates}; nothing was done"
    remedy = "give the member's id"


@define(slots=False, repr=False)
class UnknownMember(EngageError):
    """No member has this id."""

    member_id: str

    text = "member {member_id!r} is not enrolled"
    remedy = "check the id or enroll the member first"


@define(slots=False, repr=False)
class NotLinked(EngageError):
    """The member has no linked Discord account."""

    member_id: str

    text = "member {member_id!r} has no linked Discord account"
    remedy = "link one first"


@define(slots=False, repr=False)
class LinkTaken(EngageError):
    """The member or the Discord id is already linked (R7); names the member who holds the link."""

    member_id: str
    discord_id: str

    text = "member {member_id!r} already holds Discord id {discord_id}"
    remedy = "unlink that member first"


@define(slots=False, repr=False)
class KeyReused(EngageError):
    """The key is already used for something else (R8); the message names both contents."""

    key: str
    posted: str
    asked: str

    text = (
        "key {key!r} is already used: it was posted as {posted}, and is now requested as {asked}; nothing was posted: "
        "use another key for something else"
    )


@define(slots=False, repr=False)
class Reversed(EngageError):
    """The award with this key was reversed, so the key cannot be used again (R8)."""

    key: str

    text = "the award with key {key!r} was reversed, and its key is used up; give a new key"


@define(slots=False, repr=False)
class UnknownAward(EngageError):
    """No award has this key."""

    key: str

    text = "there is no award with key {key!r}"
    remedy = "look for it in the member's history (only awards can be reversed; correct an adjustment by another)"


class SourceMissing(EngageError):
    """The `Engage` has no source, so it cannot sync."""

    text = "this Engage has no source and cannot sync; build it with one, as Engage(source=…)"


class OnEventLoop(EngageError):
    """A write was attempted on a thread that runs an event loop, which it would block."""

    text = "this call may wait for other writers, which would block the event loop of this thread"
    remedy = "await it on an AsyncEngage, call it on a thread, or build Engage(allow_event_loop=True)"


class RosterMissing(EngageError):
    """The `Engage` has no roster."""

    text = "this Engage has no roster and cannot tell who is on the server; build it with one, as Engage(roster=…)"


@define(slots=False, repr=False)
class SourceError(EngageError):
    """The board could not be read or is not trusted, and nothing changed."""

    kind: SourceTrouble
    message: str
    retry_after: timedelta | None = None
    """The wait that the server asked for."""
    argument: str | None = None
    """The argument of the source or of `sync` that may help, such as `base_url`."""
    retry_at: datetime | None = field(default=None, init=False)
    """Until when this deployment waits before asking again (R21); set by the sync."""
    lease_lost: bool = field(default=False, init=False)
    """Whether another run took over meanwhile and now owns the slot (R30); set by the sync."""

    text = "{message}"


class KeptAway(SourceError):
    """The source asked to wait and the wait is not over: no request was made (R21)."""


@define(slots=False, repr=False)
class RosterError(EngageError):
    """The roster could not be read, and nothing changed; the text contains no secret and names no member."""

    kind: RosterTrouble
    message: str
    retry_after: timedelta | None = None
    """The wait that it asked for."""
    argument: str | None = None
    """The argument of the roster that may help, such as `token`."""

    text = "{message}"


class ReadStopped(EngageError):
    """A read ended because its source was stopped; nothing changed, and it counts as no failure (R20)."""

    text = "the read was stopped before it ended and nothing changed; open a new source to read again"


@define(slots=False, repr=False)
class ClockError(EngageError):
    """The clock of the machine contradicts the times in the ledger (R22)."""

    now: datetime
    seen_at: datetime


class ClockWentBack(ClockError):
    """The current time is before what the ledger has already seen."""

    text = (
        "this machine says {now:%Y-%m-%d %H:%M:%S} UTC, but the ledger's last sync was at "
        "{seen_at:%Y-%m-%d %H:%M:%S} UTC; nothing was read or changed. If this clock is wrong, set it and run again. "
        "If it is right, the store was written under a clock that ran ahead: syncs resume by themselves at that time, "
        "or at once from a backup made before it, or once an admin repairs the ledger's time"
    )


@define(slots=False, repr=False)
class ClockLeapt(ClockError):
    """The current time is far after what the ledger has seen, and nothing confirms it."""

    why: str

    text = (
        "this machine says {now:%Y-%m-%d %H:%M:%S} UTC, more than 7 days after the latest time in the ledger "
        "({seen_at:%Y-%m-%d %H:%M:%S} UTC), and {why}; nothing was synced or settled. If this clock is wrong, set it. "
        "If it is right, the next sync goes on by itself if the board's server tells the same time; otherwise an admin "
        "must confirm it"
    )


class Conflict(EngageError):
    """The data a posting was planned on has changed; nothing was written: plan again."""


class LedgerBusy(EngageError):
    """Another process is using the store; nothing was written: try again later."""


class LeaseLost(LedgerBusy):
    """The lease expired and another process took it; nothing was written."""

    text = (
        "this run took longer than its lease on the store, and another took over; nothing was written, and the "
        "other run does what is due"
    )


@define(slots=False, repr=False)
class AlertFailed(EngageError):
    """A channel did not accept a notice; the next run tries again unless the error says otherwise."""

    message: str
    may_have_arrived: bool = False
    """Whether the channel may have accepted it."""
    is_gone: bool = False
    """The address no longer works and is not used again."""
    retry_after: timedelta | None = None
    """How long the channel asked to be left alone."""
    is_for_all: bool = False
    """The wait applies to every address under the channel's name."""

    text = "{message}"


class LedgerFailed(EngageError):
    """The store could not be opened, read or written; nothing was half-written."""


class StoreMissing(LedgerFailed):
    """There is no store at the address; none was created."""

    remedy = "check its address, and that its disk is mounted, or create it by opening it once"


class StoreOutdated(LedgerFailed):
    """The store has an older schema and was opened without permission to upgrade it."""

    remedy = "bring it up to date by opening it once to write"


def shortened(value: object, limit: int = 60) -> str:
    """Return `repr(value)`, cut in the middle so that an error line stays one line."""
    text = repr(value)
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return f"{text[:head]}…{text[head + 1 - limit :]}"
