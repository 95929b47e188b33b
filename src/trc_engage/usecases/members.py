"""Members and their links: enroll, link, unlink, leave, rejoin (R6, R7)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import evolve, field, frozen
from attrs.converters import optional

from ..core.errors import EngageError, LinkTaken, NotLinked, UnknownMember
from ..core.model import DiscordActivity, Link, Member, Move, NextReading
from ..core.ports import Ledger
from ..core.posting import Posting, retry_on_conflict
from ..core.reports import Enrolment, EnrolmentOutcome
from ..core.validation import validate_discord_id, validate_member_id, validate_name, validate_new_member_id


@frozen
class Newcomer:
    """Somebody to enrol; a None says nothing, and so changes nothing."""

    member_id: str = field(converter=validate_member_id)
    discord_id: str | None = field(default=None, converter=optional(validate_discord_id))
    name: str | None = field(default=None, converter=optional(validate_name))


def enroll(ledger: Ledger, newcomer: Newcomer, now: datetime) -> Enrolment:
    """Enrol one member, or bring name and link up to date; raises `LinkTaken`."""
    (result,) = enroll_all(ledger, [newcomer], now)
    if isinstance(result, EngageError):
        raise result
    return result


def enroll_all(
    ledger: Ledger, newcomers: Sequence[Newcomer], now: datetime, *, skip_bad: bool = False
) -> Sequence[Enrolment | LinkTaken]:
    """Enrol many in one posting: all, or with `skip_bad` all but those that cannot be.

    Returns for each newcomer what became of it, or would have; if any is a `LinkTaken` and
    `skip_bad` is off, nothing was written.
    """

    def attempt() -> Sequence[Enrolment | LinkTaken]:
        roll = Roll(ledger, now)
        results = [roll.enroll(newcomer) for newcomer in newcomers]
        if skip_bad or not any(isinstance(result, LinkTaken) for result in results):
            roll.post()
        return results

    return retry_on_conflict(attempt)


class Roll:
    """The members and links of one posting, on top of those that the ledger holds."""

    def __init__(self, ledger: Ledger, now: datetime) -> None:
        self._ledger = ledger
        self._now = now
        self._members: dict[str, Member] = {}
        self._links: dict[str, Link] = {}
        self._linked: dict[str, Link] = {}

    def enroll(self, newcomer: Newcomer) -> Enrolment | LinkTaken:
        """Take one newcomer in, unless the link is taken."""
        known = self._members.get(newcomer.member_id) or self._ledger.member(newcomer.member_id)
        is_linked = newcomer.discord_id is not None and self._is_linked(newcomer.member_id, newcomer.discord_id)
        if isinstance(is_linked, LinkTaken):
            return is_linked
        outcome: EnrolmentOutcome = "unchanged"
        if known is None:
            validate_new_member_id(newcomer.member_id)
            outcome = "enrolled"
            self._members[newcomer.member_id] = Member(newcomer.member_id, newcomer.name, self._now)
        elif known.is_forgotten:
            outcome = "enrolled"
            self._members[newcomer.member_id] = evolve(known, name=newcomer.name, is_forgotten=False)
        elif newcomer.name not in (None, known.name):
            outcome = "updated"
            self._members[newcomer.member_id] = evolve(known, name=newcomer.name)
        if newcomer.discord_id is not None and not is_linked:
            outcome = "linked" if outcome != "enrolled" else outcome
            link = Link(newcomer.member_id, newcomer.discord_id)
            self._links[link.discord_id] = self._linked[link.member_id] = link
        return Enrolment(newcomer.member_id, outcome)

    def _is_linked(self, member_id: str, discord_id: str) -> bool | LinkTaken:
        """Tell whether just this link exists; another one of either side stands in its way (R7)."""
        for held in (
            self._links.get(discord_id) or self._ledger.holder_of(discord_id),
            self._linked.get(member_id) or self._ledger.account_of(member_id),
        ):
            if held is not None:
                same = (held.member_id, held.discord_id) == (member_id, discord_id)
                return same or LinkTaken(held.member_id, held.discord_id)
        return False

    def post(self) -> None:
        """Write what was taken in, if anything."""
        if self._members or self._links:
            self._ledger.post(Posting(self._now, members=[*self._members.values()], links=[*self._links.values()]))


def link(ledger: Ledger, member_id: str, discord_id: str, now: datetime) -> Enrolment:
    """Link a Discord id to an enrolled member; raises `UnknownMember` and `LinkTaken`."""
    newcomer = Newcomer(member_id, discord_id)
    _known(ledger, newcomer.member_id)
    return enroll(ledger, newcomer, now)


def unlink(ledger: Ledger, member_id: str, now: datetime) -> Enrolment:
    """Close the member's account, if there is one; the points stay (R7)."""

    def decide(account: DiscordActivity | None) -> Move | None:
        return None if account is None else Move.of_status(account, "unlinked", account.next_reading)

    return _restate(ledger, member_id, now, "unlinked", decide)


def leave(ledger: Ledger, member_id: str, now: datetime) -> Enrolment:
    """Note that the member left Discord: the last XP is kept, and not synced any more (R6)."""

    def decide(account: DiscordActivity | None) -> Move | None:
        if account is None:
            raise NotLinked(member_id)
        return None if account.status == "left" else Move.of_status(account, "left", account.next_reading)

    return _restate(ledger, member_id, now, "left", decide)


def rejoin(ledger: Ledger, member_id: str, now: datetime) -> Enrolment:
    """Note that the member is back on Discord: syncing goes on from the XP that was kept (R6)."""

    def decide(account: DiscordActivity | None) -> Move | None:
        if account is None:
            raise NotLinked(member_id)
        if account.status != "left":
            return None
        if account.next_reading == "opens":
            return Move.of_status(account, "waiting", "opens")
        is_telling = account.next_reading in {"begins", "rebases"}
        next_reading: NextReading = account.next_reading if is_telling else "returns"
        return Move.of_status(account, "tracked", next_reading, window_from=now)

    return _restate(ledger, member_id, now, "returned", decide)


def hide(ledger: Ledger, member_id: str, now: datetime, *, hidden: bool) -> Enrolment:
    """Leave a member out of the leaderboards, or show him there again; raises `UnknownMember`."""

    def attempt() -> Enrolment:
        member = _known(ledger, member_id)
        if member.is_hidden == hidden:
            return Enrolment(member_id, "unchanged")
        ledger.post(Posting(now, members=[evolve(member, is_hidden=hidden)]))
        return Enrolment(member_id, "hidden" if hidden else "shown")

    return retry_on_conflict(attempt)


def forget(ledger: Ledger, member_id: str, now: datetime) -> Enrolment:
    """Put a tombstone where name and Discord ids were; entries and sums stay (R9). Raises `UnknownMember`."""

    def attempt() -> Enrolment:
        member = _known(ledger, member_id)
        if member.is_forgotten:
            return Enrolment(member_id, "unchanged")
        account = ledger.account_of(member_id)
        moves = [] if account is None else [Move.of_status(account, "unlinked", account.next_reading)]
        ledger.post(Posting(now, members=[evolve(member, name=None, is_forgotten=True)], moves=moves))
        return Enrolment(member_id, "forgotten")

    return retry_on_conflict(attempt)


def _restate(
    ledger: Ledger,
    member_id: str,
    now: datetime,
    outcome: EnrolmentOutcome,
    decide: Callable[[DiscordActivity | None], Move | None],
) -> Enrolment:
    """Post the step that `decide` makes of the member's account; None leaves it as it is."""

    def attempt() -> Enrolment:
        _known(ledger, member_id)
        move = decide(ledger.account_of(member_id))
        if move is None:
            return Enrolment(member_id, "unchanged")
        ledger.post(Posting(now, moves=[move]))
        return Enrolment(member_id, outcome)

    return retry_on_conflict(attempt)


def _known(ledger: Ledger, member_id: str) -> Member:
    member = ledger.member(validate_member_id(member_id))
    if member is None:
        raise UnknownMember(member_id)
    return member
