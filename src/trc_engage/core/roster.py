"""Who is on the server according to a roster: when to ask about whom, and what the answers mean (R25)."""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Literal

from attrs import evolve, frozen

from .days import ONE_DAY
from .errors import RosterError
from .incidents import FailureRun, failed_again
from .model import DiscordActivity
from .records import Check, MembershipEvent, rose_since
from .slots import CLOCK_SLACK, WAIT_MAX, WAIT_MIN, keeps_away, wait_asked

ACTOR = "roster"
"""The actor on record for changes made by a roster (R26)."""
AN_HOUR = timedelta(hours=1)
ROUND_GAP = timedelta(minutes=5)
"""The minimum time between the starts of two rounds."""
ROUND_FOR = timedelta(seconds=50)
"""How long a round asks; with the last answer, it takes a minute at most."""
ROUND_MAX = 50
DAILY_MAX = 30
"""How many daily questions a round may ask, which leaves room for the hourly ones."""
UNKNOWN_MAX = 3
"""How many unknown answers in a row end a round."""
FAILED_GAP = timedelta(minutes=15)
"""How long after a failed round the next one may begin, if no wait was asked for."""

PresenceKind = Literal["present", "gone", "unknown"]


@frozen
class Presence:
    """A roster's answer about one Discord id."""

    kind: PresenceKind
    joined_at: datetime | None = None
    """When a present member joined, if known."""
    why: str = ""
    """Why it is unknown; names no member."""
    wait: timedelta | None = None
    """How long to ask nothing after this answer."""


@frozen
class Round:
    """The record of a round, posted with the answers."""

    at: datetime
    next_at: datetime
    """The earliest start of the next round."""
    checks: Sequence[Check] = ()
    """Only those that changed."""
    error: RosterError | None = None
    """Why it failed."""
    is_clear: bool = False
    """Whether the roster answered clearly and nothing failed, which ends a failure run."""


@frozen
class Contradiction:
    """A member about whom a manual note and the roster disagree."""

    member_id: str
    is_left: bool
    """Whether the note says that the member left; otherwise it says that the member is there."""


@frozen
class RosterState:
    """What the store keeps about rounds."""

    failure_run: FailureRun | None = None
    next_at: datetime | None = None
    """When the next round may begin."""
    contradictions: Sequence["Contradiction"] = ()
    """Where manual notes disagree with the roster, by account id."""

    @property
    def is_known(self) -> bool:
        """Whether there has been any round."""
        return self.next_at is not None or self.failure_run is not None

    def is_due(self, now: datetime) -> bool:
        """Return whether a round may begin."""
        return not keeps_away(self.next_at, now, WAIT_MAX)

    def after(self, ended: Round) -> "RosterState":
        """Return the state after a round; its contradictions are outdated and must be read again."""
        run = self.failure_run
        if ended.error is not None:
            run = failed_again(run, ended.at, ended.error.kind, ended.error.message)
        return RosterState(None if ended.is_clear else run, ended.next_at, self.contradictions)


def next_round_at(now: datetime, error: RosterError | None, wait: timedelta | None) -> datetime:
    """Return when the next round may begin, given the last one's error or the wait it was asked for."""
    if error is not None:
        return now + (wait_asked(error) or FAILED_GAP)
    # A little less than the gap, so that a job that runs every five minutes is never too early.
    return now + max(min(wait or WAIT_MIN, WAIT_MAX), ROUND_GAP - CLOCK_SLACK)


def told(check: Check | None, account: DiscordActivity, guild_id: str, presence: Presence, at: datetime) -> Check:
    """Return the check updated by an answer; a check of another server starts over."""
    if check is None or check.guild_id != guild_id:
        check = Check(account.account_id, guild_id, at)
    check = evolve(check, asked_at=at)
    if presence.kind == "unknown":
        return check
    if presence.kind == "present":
        joined_at = presence.joined_at and min(presence.joined_at, at)
        return evolve(check, present_at=at, joined_at=joined_at, gone_at=None, confirmed_at=None)
    if check.gone_at is None or not check.is_gone(account):
        return evolve(check, gone_at=at, confirmed_at=None)
    return evolve(check, confirmed_at=at) if at - check.gone_at >= AN_HOUR else check


def whom_to_ask(
    accounts: Iterable[DiscordActivity],
    checks: Mapping[int, Check],
    guild_id: str,
    now: datetime,
    *,
    spread: bool = True,
) -> Sequence[DiscordActivity]:
    """Return which linked accounts a round asks about: at most `ROUND_MAX`.

    First those whose *gone* needs confirming, then those due daily (hourly after an unknown answer), spread over the
    day's rounds, then those noted as left. Within each group, the longest unasked come first.
    """
    groups: dict[str, list[tuple[datetime, int, DiscordActivity]]] = {"gone": [], "there": [], "left": []}
    there = 0
    asked_last = None
    for account in accounts:
        check = checks.get(account.account_id)
        check = None if check is None or check.guild_id != guild_id else check
        asked_at = _LONG_AGO if check is None else check.asked_at
        if check is not None:
            asked_last = max(asked_last or asked_at, asked_at)
        is_gone = check is not None and check.is_gone(account)
        group = "left" if account.status == "left" else "gone" if is_gone else "there"
        there += group == "there"
        if check is None or _is_due(account, check, now, is_hourly=group != "there"):
            groups[group].append((asked_at, account.account_id, account))
    since_last = min(max(now - (asked_last or now), ROUND_GAP), AN_HOUR)
    quota = min(-(there * -since_last // ONE_DAY), DAILY_MAX) if spread else ROUND_MAX
    gone, due, left = (sorted(groups[name])[: quota if name == "there" else None] for name in groups)
    return [account for _, _, account in (*gone, *due, *left)][:ROUND_MAX]


_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)


def _is_due(account: DiscordActivity, check: Check, now: datetime, *, is_hourly: bool) -> bool:
    """Return whether to ask again; a rise of XP answers for the day it falls in."""
    waited = now - check.asked_at
    if waited < -CLOCK_SLACK:
        # The last question was dated by a clock that ran ahead.
        return True
    if is_hourly or (check.is_unclear and not rose_since(account, check.asked_at)):
        return waited >= AN_HOUR
    days = waited // ONE_DAY
    return days > 0 and not rose_since(account, check.asked_at + (days - 1) * ONE_DAY)


GONE_MIN = 5
GONE_SHARE_MAX = 0.10


@frozen
class Findings:
    """What all answers mean together, before the events on record are considered."""

    to_leave: Sequence[DiscordActivity]
    to_return: Sequence[DiscordActivity]
    gone: int
    """How many are gone by their last answers but not noted as left."""
    tracked: int
    """How many accounts are not noted as left."""

    @property
    def why_distrusted(self) -> str | None:
        """Why the roster is not trusted, with numbers and a remedy; None if it is."""
        if self.gone < GONE_MIN or self.gone <= GONE_SHARE_MAX * self.tracked:
            return None
        return (
            f"the roster says that {self.gone:,} of {self.tracked:,} members have left; nothing was changed. Compare "
            "its server's id with the one that you mean. If they really have left, an admin accepts the departures"
        )


def listed(accounts: Iterable[DiscordActivity], present: Set[str]) -> "Findings":
    """Return the findings from a list of all Discord ids on the server."""
    known = [*accounts]
    gone = [account for account in known if account.status != "left" and account.discord_id not in present]
    back = [account for account in known if account.status == "left" and account.discord_id in present]
    return Findings(gone, back, len(gone), sum(account.status != "left" for account in known))


def findings(
    accounts: Iterable[DiscordActivity], checks: Mapping[int, Check], guild_id: str, good_at: datetime | None
) -> Findings:
    """Return the findings from the last answers; `good_at` is when the last good sync began to read.

    A leave needs *gone* twice, another member known to be there at the time (from the roster's answer or a later rise
    of XP), and a good sync since the first *gone* that looked for the account and so paid all XP earned before.
    """
    to_leave, to_return = [], []
    gone = tracked = 0
    seen_at = _LONG_AGO
    for account in accounts:
        check = checks.get(account.account_id)
        tracked += account.status != "left"
        if check is None or check.guild_id != guild_id:
            continue
        if check.is_present and check.present_at is not None:
            seen_at = max(seen_at, check.present_at, account.rose_at or _LONG_AGO)
        if account.status == "left":
            if check.is_present:
                to_return.append(account)
        elif check.is_gone(account) and check.gone_at is not None:
            gone += not check.contradicts
            looked_at = account.window_from or good_at
            if check.confirmed_at is not None and looked_at is not None and looked_at > check.gone_at:
                to_leave.append((check.gone_at, account))
    leaving = [account for gone_at, account in to_leave if seen_at >= gone_at - AN_HOUR]
    return Findings(leaving, to_return, gone, tracked)


Step = Literal["leave", "return", "never_left", "contradicted"]


def step_of(account: DiscordActivity, check: Check, events: Iterable[MembershipEvent]) -> Step | None:
    """Decide about an account that is to leave or return, given its events.

    A manual note makes it a contradiction, except that a leave is news if the roster answered *present* since the note.
    """
    mine = [one for one in events if one.account_id == account.account_id and one.kind in _OF_PRESENCE]
    last = mine[-1] if mine else None
    if account.status != "left":
        is_agreed = last is None or last.actor == ACTOR or last.kind == "left"
        was_there = check.present_at is not None and last is not None and check.present_at >= last.at
        return "leave" if is_agreed or was_there else "contradicted"
    if last is None or check.present_at is None or check.present_at <= last.at:
        return None
    if last.actor != ACTOR:
        return "contradicted"
    return "never_left" if check.joined_at is not None and check.joined_at < last.at else "return"


_OF_PRESENCE = frozenset({"left", "returned", "never_left"})
