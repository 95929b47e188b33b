"""Leaving, returning and mistaken leaves (R6, R6a), with their events (R26)."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from attrs import evolve, frozen

from .days import SATURDAY, Window, days_counted
from .model import DiscordActivity, Evidence, Member, Move, NextReading
from .records import MembershipEvent, Trace

MENDED_MAX = timedelta(days=7)
"""The longest mistaken leave whose days count as active if XP rose; a longer one is excused instead (R6a)."""


@frozen
class Change:
    """A change to one member, and its event."""

    event: MembershipEvent
    move: Move | None = None
    member: Member | None = None
    excused: Sequence[date] = ()
    """The days on which it excuses the member alone (R13a)."""


@frozen
class Absence:
    """The time for which an account is noted as left."""

    left: MembershipEvent
    until: datetime | None
    """Where the window of the next reading begins; None until a return is noted."""

    @classmethod
    def last_of(cls, account: DiscordActivity, events: Iterable[MembershipEvent]) -> "Absence | None":
        """Return an account's last absence; None if it never left or its last leave was undone."""
        last = None
        for event in events:
            if event.account_id != account.account_id:
                continue
            if event.kind == "left":
                last = cls(event, None)
            elif event.kind == "returned" and last is not None:
                last = evolve(last, until=event.window_from or event.at)
            elif event.kind == "never_left":
                last = None
        return last

    def days_unknown(self, now: datetime) -> Sequence[date]:
        """Return its weekdays, if it lasted too long to give them the benefit of the doubt."""
        until = self.until or now
        if until - self.left.at <= MENDED_MAX:
            return ()
        return [day for day in days_counted(self.left.at, until) if day.weekday() < SATURDAY]


def leave(account: DiscordActivity, at: datetime, looked_at: datetime | None, trace: Trace) -> Change | None:
    """Note that a member left; `looked_at` is when a good sync last looked. Return None if that is already noted."""
    if account.status == "left":
        return None
    window_from = None if account.next_reading == "opens" else account.window_from or looked_at
    event = trace.event("left", account.member_id, at, account.account_id)
    event = evolve(event, next_reading=account.next_reading, window_from=window_from)
    return Change(event, Move.of_status(account, "left", account.next_reading))


def rejoin(account: DiscordActivity, at: datetime, trace: Trace, since: datetime | None = None) -> Change | None:
    """Note that a member is back, `since` an instant if known. Return None if the member is not noted as left."""
    if account.status != "left":
        return None
    event = evolve(trace.event("returned", account.member_id, at, account.account_id), window_from=since or at)
    if account.next_reading == "opens":
        return Change(event, Move.of_status(account, "waiting", "opens"))
    is_telling = account.next_reading in {"begins", "rebases"}
    next_reading: NextReading = account.next_reading if is_telling else "returns"
    return Change(event, Move.of_status(account, "tracked", next_reading, since or at))


def never_left(
    account: DiscordActivity, absence: Absence, evidence: Iterable[Evidence], at: datetime, trace: Trace
) -> Change:
    """Undo a leave, as if the account had never left (R6a).

    If no reading has followed, the next reading and the window that the leave recorded are restored. A reading since
    has already paid all XP earned meanwhile, so its posting stands and only the days are corrected.
    """
    event = trace.event("never_left", account.member_id, at, account.account_id)
    kept, unknown = absence.left.next_reading or account.next_reading, absence.days_unknown(at)
    if account.next_reading == "rebases":
        kept = "rebases"
    elif kept == "begins" and unknown:
        # Any amount of XP could have been earned in such a long time (R2a).
        kept = "continues"
    window_from = (absence.until or at) if unknown else absence.left.window_from
    if account.status == "left" and kept == "opens":
        move: Move | None = Move.of_status(account, "waiting", kept)
    elif account.status == "left" or account.window_from == absence.until is not None:
        move = Move.of_status(account, "tracked", kept, window_from)
    elif account.next_reading == "returns":
        move = Move.of_status(account, account.status, kept, account.window_from)
    else:
        # Only the first reading after the return includes the XP of the absence.
        of_return = (account.account_id, absence.until)
        rises = [] if unknown else [one for one in evidence if (one.account_id, one.opens_at) == of_return]
        move = _mended(account, window_from, rises[0]) if rises else None
    return Change(event, move, excused=unknown)


def _mended(account: DiscordActivity, window_from: datetime | None, rise: Evidence) -> Move | None:
    """Make those days active that the reading's window would cover if the account had never left."""
    if window_from is None or rise.closes_at is None:
        return None
    as_it_is = Move.of_status(account, account.status, account.next_reading, account.window_from)
    return evolve(as_it_is, window=Window.between(window_from, rise.closes_at), active=True)
