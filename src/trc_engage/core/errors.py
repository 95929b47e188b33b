"""What can go wrong, one class for each thing that a caller can act on."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

SourceTrouble = Literal[
    "private", "unknown_guild", "rate_limited", "blocked", "malformed", "down", "distrusted", "clock", "overtaken"
]
RosterTrouble = Literal[
    "token", "unknown_guild", "no_access", "rate_limited", "blocked", "malformed", "down", "distrusted"
]
"""Token: it is wrong, or was reset. No access: whoever asks is not on the server."""


class EngageError(Exception):
    """Base of every error that this package raises on purpose.

    Its text is the `fact` and, where there is one, the `remedy`, for which a door may know better words.
    """

    remedy: ClassVar[str] = ""

    @property
    def fact(self) -> str:
        """What is so."""
        return super().__str__()

    def __str__(self) -> str:
        return f"{self.fact}; {self.remedy}" if self.remedy else self.fact


class InvalidValue(EngageError, ValueError):
    """A value handed in cannot be used; the message names the field, the value and the remedy."""

    def __init__(self, field: str, value: object, advice: str) -> None:
        super().__init__(field, value, advice)
        self.field = field
        self.value = value
        self.advice = advice

    @property
    def fact(self) -> str:
        """What is so."""
        return f"{self.field}: {shortened(self.value)}: {self.advice}"


class UnknownMember(EngageError):
    """No member has this id."""

    remedy = "check the id or enrol the member first"

    def __init__(self, member_id: str) -> None:
        super().__init__(member_id)
        self.member_id = member_id

    @property
    def fact(self) -> str:
        """What is so."""
        return f"member {shortened(self.member_id)} is not enrolled"


class NotLinked(EngageError):
    """The member has no linked Discord account."""

    remedy = "link one first"

    def __init__(self, member_id: str) -> None:
        super().__init__(member_id)
        self.member_id = member_id

    @property
    def fact(self) -> str:
        """What is so."""
        return f"member {shortened(self.member_id)} has no linked Discord account"


class LinkTaken(EngageError):
    """A second link was asked for, of a member or of a Discord id (R7); it names who holds the first."""

    remedy = "unlink that member first"

    def __init__(self, member_id: str, discord_id: str) -> None:
        super().__init__(member_id, discord_id)
        self.member_id = member_id
        self.discord_id = discord_id

    @property
    def fact(self) -> str:
        """What is so."""
        return f"member {shortened(self.member_id)} already holds Discord id {self.discord_id}"


class KeyReused(EngageError):
    """A key is used already, for something else (R8); the message names both contents."""

    def __init__(self, key: str, posted: str, asked: str) -> None:
        super().__init__(key, posted, asked)
        self.key = key
        self.posted = posted
        self.asked = asked

    @property
    def fact(self) -> str:
        """What is so."""
        return (
            f"key {shortened(self.key)} is used already: it was posted as {self.posted}, and now asked for as "
            f"{self.asked}; nothing was posted: choose another key for another matter"
        )


class Reversed(EngageError):
    """The award with this key was taken back, and its key is used up (R8)."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    @property
    def fact(self) -> str:
        """What is so."""
        return f"the award with key {shortened(self.key)} was reversed, and its key is used up; give a new key"


class UnknownAward(EngageError):
    """No award has this key."""

    remedy = "look for it in the member's history (only awards can be reversed; correct an adjustment by another)"

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    @property
    def fact(self) -> str:
        """What is so."""
        return f"there is no award with key {shortened(self.key)}"


class SourceMissing(EngageError):
    """A sync was asked of an `Engage` that was built without a source."""

    @property
    def fact(self) -> str:
        """What is so."""
        return "this Engage has no source and cannot sync; build it with one, as Engage(source=…)"


class SourceError(EngageError):
    """The board could not be read or is not trusted, and nothing changed.

    `kind` says which trouble; `retry_after` is the wait that the server asked for, `argument` the one
    of the source or of `sync` that may help, such as `base_url`. `retry_at`, the instant until which this deployment
    keeps away from it (R21), is set by the sync; so is `lease_lost`: another run took over meanwhile,
    and the slot is left to it (R30).
    """

    def __init__(
        self,
        kind: SourceTrouble,
        message: str,
        retry_after: timedelta | None = None,
        *,
        argument: str | None = None,
    ) -> None:
        super().__init__(kind, message, retry_after)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.argument = argument
        self.retry_at: datetime | None = None
        self.lease_lost = False

    @property
    def fact(self) -> str:
        """What is so."""
        return self.message


class KeptAway(SourceError):
    """The source had asked to be left alone for a while, and was: nothing was requested (R21)."""


class RosterError(EngageError):
    """The roster cannot tell of anybody, and nothing changed; the text holds no secret and names no member.

    `retry_after` is the wait that it asked for, `argument` the one of the roster that may help, such as `token`.
    """

    def __init__(
        self,
        kind: RosterTrouble,
        message: str,
        retry_after: timedelta | None = None,
        *,
        argument: str | None = None,
    ) -> None:
        super().__init__(kind, message, retry_after)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.argument = argument

    @property
    def fact(self) -> str:
        """What is so."""
        return self.message


class ReadStopped(EngageError):
    """A read was given up because its source was stopped; nothing changed, and no failure is counted (R20)."""

    @property
    def fact(self) -> str:
        """What is so."""
        return "the read was stopped before it ended and nothing changed; open a new source to read again"


class ClockWentBack(EngageError):
    """The present time lies before what the ledger has already seen (R22)."""

    def __init__(self, now: datetime, seen_at: datetime) -> None:
        super().__init__(now, seen_at)
        self.now = now
        self.seen_at = seen_at

    @property
    def fact(self) -> str:
        """What is so."""
        return (
            f"this machine says {self.now:%Y-%m-%d %H:%M:%S} UTC, but the ledger's last sync was at "
            f"{self.seen_at:%Y-%m-%d %H:%M:%S} UTC; nothing was read or changed. If this clock is wrong, set "
            "it and run again. If it is right, the store was written under a clock that ran ahead: syncs resume "
            "by themselves at that time, or at once from a backup made before it"
        )


class Conflict(EngageError):
    """What a posting was planned on has changed meanwhile; nothing was written: plan again."""


class LedgerBusy(EngageError):
    """Somebody else is at work on the store; nothing was written: try again later."""


class LeaseLost(LedgerBusy):
    """The lease on the store ran out and somebody else took it; nothing was written."""

    @property
    def fact(self) -> str:
        """What is so."""
        return (
            "this run took longer than its lease on the store, and another took over; nothing was written: "
            "what the other finds due it does"
        )


class AlertFailed(EngageError):
    """A channel did not take a notice; it is tried again with the next run, unless the error says otherwise.

    `may_have_arrived`: nobody can tell whether it was taken. `is_gone`: the channel's address takes nothing
    any more, and is not used again. `retry_after`: how long the channel asked to be left alone;
    `is_for_all`: and all others of its name with it.
    """

    def __init__(
        self,
        message: str,
        *,
        may_have_arrived: bool = False,
        is_gone: bool = False,
        retry_after: timedelta | None = None,
        is_for_all: bool = False,
    ) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        self.is_gone = is_gone
        self.retry_after = retry_after
        self.is_for_all = is_for_all


class LedgerFailed(EngageError):
    """The store could not be opened, read or written; nothing was half-written."""


class StoreMissing(LedgerFailed):
    """There is no store where one was to be, or no longer; none was made."""


class StoreOutdated(LedgerFailed):
    """The store was laid out by an older version, and was opened in a way that does not bring it up to date."""


def shortened(value: object, limit: int = 60) -> str:
    """Return `repr(value)`, cut in the middle so that an error line stays one line."""
    text = repr(value)
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return f"{text[:head]}…{text[head + 1 - limit :]}"
