"""Members and their links: enroll, link, unlink, leave, rejoin (R6, R7)."""

from collections.abc import Callable, Iterator, Sequence, Set
from datetime import date, datetime

from attrs import evolve, field, frozen
from attrs.converters import optional

from ..core import membership, roster as core_roster
from ..core.errors import EngageError, InvalidValue, LinkTaken, NotLinked, RosterError, UnknownMember
from ..core.membership import Change
from ..core.model import DiscordActivity, Link, Member, Move
from ..core.ports import Ledger, Store
from ..core.posting import Posting, retry_on_conflict
from ..core.records import EventKind, Excusal, MembershipEvent, Trace
from ..core.reports import Enrollment, EnrollmentOutcome, ReconcileReport
from ..core.roster import Step
from ..core.validation import validate_discord_id, validate_member_id, validate_name, validate_new_member_id
from . import streaks


@frozen
class Newcomer:
    """Someone to enroll; None leaves a field unchanged."""

    member_id: str = field(converter=validate_member_id)
    discord_id: str | None = field(default=None, converter=optional(validate_discord_id))
    name: str | None = field(default=None, converter=optional(validate_name))


def enroll(ledger: Ledger, newcomer: Newcomer, now: datetime, trace: Trace) -> Enrollment:
    """Enroll one member, or update the name and link; raises `LinkTaken`."""
    (result,) = enroll_all(ledger, [newcomer], now, trace)
    if isinstance(result, EngageError):
        raise result
    return result


def enroll_all(
    ledger: Ledger,
    newcomers: Sequence[Newcomer],
    now: datetime,
    trace: Trace,
    *,
    skip_bad: bool = False,
    dry_run: bool = False,
) -> Sequence[Enrollment | LinkTaken]:
    """Enroll many in one posting: all or none, or with `skip_bad` all whose link is free; a dry run posts nothing.

    Returns the outcome for each newcomer; if any is a `LinkTaken` and `skip_bad` is off, nothing was written.
    """

    def attempt() -> Sequence[Enrollment | LinkTaken]:
        roll = Roll(ledger, now, trace)
        results = [roll.enroll(newcomer) for newcomer in newcomers]
        if any(isinstance(result, LinkTaken) for result in results):
            roll = Roll(ledger, now, trace, newcomers)
            results = [roll.enroll(newcomer) for newcomer in newcomers]
        if not dry_run and (skip_bad or not any(isinstance(result, LinkTaken) for result in results)):
            roll.post()
        return results

    return retry_on_conflict(attempt)


class Roll:
    """The members and links of one posting, on top of those in the ledger."""

    def __init__(self, ledger: Ledger, now: datetime, trace: Trace, anew: Sequence[Newcomer] = ()) -> None:
        self._ledger = ledger
        self._now = now
        self._trace = trace
        self._events: list[MembershipEvent] = []
        self._members: dict[str, Member] = {}
        self._links: dict[str, Link] = {}
        self._linked: dict[str, Link] = {}
        self._freed = dict(self._unseen(anew)) if anew else {}

    def _unseen(self, newcomers: Sequence[Newcomer]) -> Iterator[tuple[str, DiscordActivity]]:
        """Yield accounts that may be replaced, by member: no board ever showed them, so no XP is lost (R7)."""
        unseen = {*self._ledger.never_seen()}
        for newcomer in newcomers:
            if newcomer.discord_id is not None and newcomer.member_id in unseen:
                account = self._ledger.account_of(newcomer.member_id)
                if account is not None and account.discord_id != newcomer.discord_id:
                    yield newcomer.member_id, account

    def enroll(self, newcomer: Newcomer) -> Enrollment | LinkTaken:
        """Add a newcomer, unless the link is taken."""
        member_id, discord_id, name = newcomer.member_id, newcomer.discord_id, newcomer.name
        known = self._members.get(member_id) or self._ledger.member(member_id)
        is_linked = discord_id is None or self._is_linked(member_id, discord_id)
        if isinstance(is_linked, LinkTaken):
            return is_linked
        outcome: EnrollmentOutcome = "unchanged"
        if known is None or known.is_forgotten:
            if known is None:
                validate_new_member_id(member_id)
            member = known or Member(member_id, name, self._now)
            self._members[member_id] = evolve(member, name=name, is_forgotten=False)
            outcome = self._record("enrolled", member_id)
        elif name not in (None, known.name):
            self._members[member_id] = evolve(known, name=name)
            outcome = "updated"
        if discord_id is not None and not is_linked:
            freed = self._freed.get(member_id)
            if freed is not None:
                self._events.append(self._trace.event("unlinked", member_id, self._now, freed.account_id))
            self._links[discord_id] = self._linked[member_id] = Link(member_id, discord_id)
            linked = self._record("linked", member_id)
            outcome = outcome if outcome == "enrolled" else "relinked" if freed else linked
        return Enrollment(member_id, outcome)

    def _is_linked(self, member_id: str, discord_id: str) -> bool | LinkTaken:
        """Return whether exactly this link exists, or `LinkTaken` if either side has another (R7)."""
        for held in (
            self._links.get(discord_id) or self._ledger.holder_of(discord_id),
            self._linked.get(member_id) or self._ledger.account_of(member_id),
        ):
            if held is not None and held not in self._freed.values():
                same = (held.member_id, held.discord_id) == (member_id, discord_id)
                return same or LinkTaken(held.member_id, held.discord_id)
        return False

    def _record(self, kind: EventKind, member_id: str) -> EventKind:
        self._events.append(self._trace.event(kind, member_id, self._now))
        return kind

    def post(self) -> None:
        """Post the members and links, if there are any."""
        freed = [account for member_id, account in self._freed.items() if member_id in self._linked]
        moves = [Move.of_status(account, "unlinked", account.next_reading) for account in freed]
        if self._members or self._links:
            self._ledger.post(
                Posting(self._now, [*self._members.values()], moves, [*self._links.values()], self._events)
            )


def link(ledger: Ledger, member_id: str, discord_id: str, now: datetime, trace: Trace) -> Enrollment:
    """Link a Discord id to an enrolled member; raises `UnknownMember` and `LinkTaken`."""
    newcomer = Newcomer(member_id, discord_id)
    _known(ledger, newcomer.member_id)
    return enroll(ledger, newcomer, now, trace)


def unlink(ledger: Ledger, member_id: str, now: datetime, trace: Trace) -> Enrollment:
    """Close the member's account, if there is one; the points stay (R7)."""

    def decide(member: Member) -> Change | None:
        account = ledger.account_of(member.member_id)
        if account is None:
            return None
        move = Move.of_status(account, "unlinked", account.next_reading)
        return Change(trace.event("unlinked", member.member_id, now, account.account_id), move)

    return change(ledger, [member_id], now, decide)[0]


def leave(ledger: Store, member_ids: Sequence[str], now: datetime, trace: Trace) -> Sequence[Enrollment]:
    """Note that members left Discord, all or none: the last XP is kept and no longer synced (R6)."""
    return change(ledger, member_ids, now, lambda member: _left(ledger, _account(ledger, member), now, trace))


def _left(ledger: Store, account: DiscordActivity, now: datetime, trace: Trace) -> Change | None:
    # Read after the account, so that a sync in between that moved it causes a conflict.
    return membership.leave(account, now, ledger.run_state().sync.good_at, trace)


def rejoin(
    ledger: Ledger, member_ids: Sequence[str], now: datetime, trace: Trace, *, never_left: bool = False
) -> Sequence[Enrollment]:
    """Note that members are back on Discord, all or none: syncing continues from the XP that was kept (R6).

    With `never_left`, their last leaves were mistakes and are undone (R6a).
    """

    def decide(member: Member) -> Change | None:
        account = _account(ledger, member)
        if not never_left:
            return membership.rejoin(account, now, trace)
        events = ledger.events(member.member_id)
        undone = _undone(ledger, account, events, now, trace)
        if undone or any((event.account_id, event.kind) == (account.account_id, "never_left") for event in events):
            return undone
        raise InvalidValue(
            "member_id", member.member_id, "never_left undoes a leave, and this member's account has none"
        )

    return change(ledger, member_ids, now, decide)


def _undone(
    ledger: Ledger, account: DiscordActivity, events: Sequence[MembershipEvent], now: datetime, trace: Trace
) -> Change | None:
    """Undo an account's last leave (R6a); None if none is on record."""
    absence = membership.Absence.last_of(account, events)
    if absence is None:
        return None
    evidence = ledger.evidence(account.member_id, date.min, date.max)
    return membership.never_left(account, absence, evidence, now, trace)


def noted(
    ledger: Store, account: DiscordActivity, step: Step, now: datetime, trace: Trace, joined_at: datetime | None
) -> Enrollment:
    """Note what a roster reported about an account, unless the account has changed meanwhile."""

    def decide(member: Member) -> Change | None:
        current = ledger.account_of(member.member_id)
        if current is None or (current.account_id, current.status) != (account.account_id, account.status):
            return None
        if step == "leave":
            return _left(ledger, current, now, trace)
        undone = _undone(ledger, current, ledger.events(member.member_id), now, trace) if step == "never_left" else None
        return undone or membership.rejoin(current, now, trace, joined_at)

    return change(ledger, [account.member_id], now, decide)[0]


def reconcile(
    ledger: Store, present: Set[str], now: datetime, trace: Trace, *, dry_run: bool, accept: bool
) -> ReconcileReport:
    """Note who left and who is back, from a list of all ids on the server; a mass departure is refused (R25)."""

    def attempt() -> ReconcileReport:
        accounts = ledger.linked_accounts()
        found = core_roster.listed(accounts, present)
        left, returned = ([one.member_id for one in some] for some in (found.to_leave, found.to_return))
        strangers = len(present - {account.discord_id for account in accounts})
        if dry_run:
            return ReconcileReport("planned", left, returned, strangers, found.why_distrusted)
        if found.why_distrusted and not accept:
            raise RosterError("distrusted", found.why_distrusted, argument="accept_departures")
        looked_at = ledger.run_state().sync.good_at
        changes = [membership.leave(account, now, looked_at, trace) for account in found.to_leave]
        changes += [membership.rejoin(account, now, trace) for account in found.to_return]
        if made := [change for change in changes if change is not None]:
            ledger.post(_posting(ledger, now, made))
        return ReconcileReport("reconciled", left, returned, strangers)

    return retry_on_conflict(attempt)


def hide(ledger: Ledger, member_id: str, now: datetime, trace: Trace, *, hidden: bool) -> Enrollment:
    """Hide a member from leaderboards, or show the member again; raises `UnknownMember`."""

    def decide(member: Member) -> Change | None:
        if member.is_hidden == hidden:
            return None
        event = trace.event("hidden" if hidden else "shown", member.member_id, now)
        return Change(event, member=evolve(member, is_hidden=hidden))

    return change(ledger, [member_id], now, decide)[0]


def forget(ledger: Ledger, member_id: str, now: datetime, trace: Trace) -> Enrollment:
    """Replace a member's name and Discord ids by a tombstone; entries and sums stay (R9). Raises `UnknownMember`."""

    def decide(member: Member) -> Change | None:
        if member.is_forgotten:
            return None
        account = ledger.account_of(member.member_id)
        move = None if account is None else Move.of_status(account, "unlinked", account.next_reading)
        return Change(trace.event("forgotten", member.member_id, now), move, member.forgotten())

    return change(ledger, [member_id], now, decide)[0]


def change(
    ledger: Ledger, member_ids: Sequence[str], now: datetime, decide: Callable[[Member], Change | None]
) -> Sequence[Enrollment]:
    """Post what `decide` returns for each member, in one posting; None leaves the member unchanged."""

    def attempt() -> Sequence[Enrollment]:
        changes = {member_id: decide(_known(ledger, member_id)) for member_id in member_ids}
        made = [change for change in changes.values() if change is not None]
        if made:
            ledger.post(_posting(ledger, now, made))
        return [Enrollment(who, "unchanged" if one is None else one.event.kind) for who, one in changes.items()]

    return retry_on_conflict(attempt)


def _posting(ledger: Ledger, now: datetime, changes: Sequence[Change]) -> Posting:
    """Return one posting of all changes, with the streaks recomputed for days now active or excused (R16)."""
    moves = [change.move for change in changes if change.move is not None]
    posting = Posting(
        now,
        members=[change.member for change in changes if change.member is not None],
        moves=moves,
        events=[change.event for change in changes],
    )
    if not any(change.excused or (change.move and change.move.active) for change in changes):
        return posting
    calendar = ledger.calendar()
    posting = streaks.of_moves(ledger, moves, calendar, "never_left").posted_with(evolve(posting, calendar=calendar))
    for event, unknown in ((change.event, change.excused) for change in changes if change.excused):
        own = ledger.calendar(event.member_id)
        days = [day for day in unknown if day not in own.alone]
        texts = (event.actor or "unknown", event.reason, event.note, event.member_id)
        excusals = [Excusal(day, True, now, *texts) for day in days]  # noqa: FBT003
        if days:
            posting = streaks.of_excusal(ledger, own, days, excusals[0]).posted_with(posting)
            posting = evolve(posting, excusals=[*posting.excusals, *excusals])
    return posting


def _account(ledger: Ledger, member: Member) -> DiscordActivity:
    account = ledger.account_of(member.member_id)
    if account is None:
        raise NotLinked(member.member_id)
    return account


def _known(ledger: Ledger, member_id: str) -> Member:
    member = ledger.member(validate_member_id(member_id))
    if member is None:
        raise UnknownMember(member_id)
    return member
