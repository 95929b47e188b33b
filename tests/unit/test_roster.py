"""Whom the roster is asked for, and what its answers mean (R25): tables, and properties over any answers."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from trc_engage import DiscordActivity, Presence, RosterError
from trc_engage.core.incidents import FailureRun
from trc_engage.core.model import Status
from trc_engage.core.records import Check, EventKind, MembershipEvent
from trc_engage.core.roster import (
    DAILY_MAX,
    ROUND_MAX,
    RosterState,
    Round,
    findings,
    listed,
    next_round_at,
    step_of,
    told,
    whom_to_ask,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GUILD, OTHER_GUILD = "200000000000000001", "200000000000000002"
HERE, GONE, UNKNOWN = Presence("present", NOON - 300 * DAY), Presence("gone"), Presence("unknown", why="a page")


def account(number: int = 1, status: Status = "tracked", *, rose_at: datetime | None = None) -> DiscordActivity:
    """Return an account of member m-NUMBER."""
    member, discord_id = f"m-{number}", str(300000000000000000 + number)
    return DiscordActivity(number, 1, member, discord_id, status, "continues", 0, 0, 0, 0, None, rose_at)


def asked(*answers: tuple[datetime, Presence], of: DiscordActivity | None = None, guild_id: str = GUILD) -> Check:
    """Return what is known after some answers."""
    check: Check | None = None
    for at, presence in answers:
        check = told(check, of or account(), guild_id, presence, at)
    assert check is not None
    return check


def by_account(*checks: Check) -> dict[int, Check]:
    """Return checks by their accounts."""
    return {check.account_id: check for check in checks}


def ids(accounts: Iterable[DiscordActivity]) -> list[int]:
    """Return the numbers of accounts."""
    return [one.account_id for one in accounts]


# What is known after an answer


def test_gone_needs_an_hour_to_be_confirmed() -> None:
    """The first one stands, the next ones within an hour add nothing."""
    check = asked((NOON, GONE), (NOON + HOUR - timedelta(seconds=1), GONE))
    assert (check.gone_at, check.confirmed_at) == (NOON, None)
    assert asked((NOON, GONE), (NOON + HOUR, GONE)).confirmed_at == NOON + HOUR


def test_present_in_between_begins_anew() -> None:
    """Gone, present, gone an hour later is gone once."""
    check = asked((NOON, GONE), (NOON + HOUR / 2, HERE), (NOON + HOUR, GONE))
    assert (check.gone_at, check.confirmed_at) == (NOON + HOUR, None)


def test_present_after_a_confirmed_gone_takes_both_back() -> None:
    """Whoever is there is not gone."""
    check = asked((NOON, GONE), (NOON + HOUR, GONE), (NOON + 2 * HOUR, HERE))
    assert (check.gone_at, check.confirmed_at, check.present_at) == (None, None, NOON + 2 * HOUR)


def test_unknown_changes_nothing_but_when_it_was_asked() -> None:
    """It neither confirms nor denies."""
    before = asked((NOON, GONE))
    after = told(before, account(), GUILD, UNKNOWN, NOON + 2 * HOUR)
    assert after == evolve(before, asked_at=NOON + 2 * HOUR)


def test_a_rise_in_a_window_after_gone_begins_anew() -> None:
    """It proves presence; one whose window opened before proves nothing."""
    proved = account(rose_at=NOON + timedelta(minutes=15))
    later = NOON + HOUR
    assert told(asked((NOON, GONE)), proved, GUILD, GONE, later).gone_at == later
    confirmed = asked((NOON, GONE), (later, GONE))
    again = told(confirmed, proved, GUILD, GONE, NOON + 2 * HOUR)
    assert (again.gone_at, again.confirmed_at) == (NOON + 2 * HOUR, None)
    vague = account(rose_at=NOON - timedelta(minutes=1))
    assert told(asked((NOON, GONE)), vague, GUILD, GONE, later).confirmed_at == later


def test_what_another_server_told_is_forgotten() -> None:
    """Gone there and gone here are not gone twice."""
    there = asked((NOON, GONE), guild_id=OTHER_GUILD)
    here = told(there, account(), GUILD, GONE, NOON + 2 * HOUR)
    assert (here.gone_at, here.confirmed_at, here.guild_id) == (NOON + 2 * HOUR, None, GUILD)


def test_nobody_joins_in_the_future() -> None:
    """A join date to come is held to the answer's instant."""
    assert asked((NOON, Presence("present", NOON + DAY))).joined_at == NOON


# Whom to ask


@pytest.mark.parametrize(
    ("who", "check", "is_due"),
    [
        (account(), None, True),
        (account(), asked((NOON - DAY, HERE)), True),
        (account(), asked((NOON - DAY + HOUR, HERE)), False),
        (account(status="waiting"), None, True),
        (account(status="absent"), asked((NOON - DAY, HERE)), True),
        (account(status="left"), asked((NOON - HOUR, GONE)), True),
        (account(status="left"), asked((NOON - HOUR + timedelta(minutes=3), GONE)), False),
        (account(), asked((NOON - HOUR, GONE)), True),
        (account(), asked((NOON - HOUR / 2, GONE)), False),
        (account(), asked((NOON - HOUR, UNKNOWN)), True),
        (account(), asked((NOON - HOUR / 2, UNKNOWN)), False),
        (account(), asked((NOON - 3 * HOUR, HERE), (NOON - 2 * HOUR, UNKNOWN)), True),
        (account(rose_at=NOON - HOUR), asked((NOON - 2 * HOUR, UNKNOWN)), False),
        (account(rose_at=NOON - HOUR), None, True),
        (account(rose_at=NOON - HOUR), asked((NOON - 2 * DAY, HERE)), False),
        (account(rose_at=NOON - DAY), asked((NOON - 2 * DAY, HERE)), False),
        (account(rose_at=NOON - 2 * DAY), asked((NOON - 2 * DAY - HOUR, HERE)), True),
        (account(rose_at=NOON - 2 * DAY - HOUR), asked((NOON - 3 * DAY, HERE)), True),
        (account(rose_at=NOON - HOUR), asked((NOON - 2 * HOUR, GONE)), False),
        (account(rose_at=NOON - 3 * HOUR), asked((NOON - 2 * HOUR, GONE)), True),
        (account(), asked((NOON - HOUR, HERE), guild_id=OTHER_GUILD), True),
        (account(), asked((NOON + 40 * DAY, HERE)), True),
        (account(), asked((NOON + timedelta(minutes=2), HERE)), False),
        (account(), asked((NOON + timedelta(minutes=2, seconds=1), HERE)), True),
    ],
)
def test_who_is_due(who: DiscordActivity, check: Check | None, *, is_due: bool) -> None:
    """Once a day; once an hour who left or may have; nobody whose rise proves presence since the last check."""
    found = whom_to_ask([who], by_account(check) if check else {}, GUILD, NOON)
    assert bool(found) == is_due


def test_the_gone_come_first_and_the_left_last_by_age() -> None:
    """What may be noted soon is worth most; nobody is starved by number."""
    left = [account(n, "left") for n in (1, 2)]
    there = [account(n) for n in (3, 4)]
    gone = [account(n) for n in (5, 6)]
    checks = by_account(
        asked((NOON - 2 * HOUR, GONE), of=left[0]),
        asked((NOON - 3 * HOUR, GONE), of=left[1]),
        asked((NOON - 26 * HOUR, HERE), of=there[0]),
        asked((NOON - 27 * HOUR, HERE), of=there[1]),
        asked((NOON - 2 * HOUR, GONE), of=gone[0]),
        asked((NOON - 3 * HOUR, GONE), of=gone[1]),
    )
    found = whom_to_ask([*left, *there, *gone], checks, GUILD, NOON, spread=False)
    assert ids(found) == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(("members", "expected"), [(12, 1), (288, 1), (289, 2), (4_000, 14), (100_000, DAILY_MAX)])
def test_the_daily_questions_are_spread(members: int, expected: int) -> None:
    """A round takes its share of a day, the first one of five minutes."""
    assert len(whom_to_ask([account(n) for n in range(members)], {}, GUILD, NOON)) == expected


@pytest.mark.parametrize(("ago", "expected"), [([30], 6), ([30, 120], 6), ([120, 30], 6), ([300], 12), ([1], 1)])
def test_a_round_makes_up_for_those_that_were_not_held(ago: list[int], expected: int) -> None:
    """Its share grows with the time since anybody was asked for last, up to an hour."""
    accounts = [account(number) for number in range(288 + len(ago))]
    checks = by_account(*(asked((NOON - timedelta(minutes=one), HERE), of=account(n)) for n, one in enumerate(ago)))
    assert len(whom_to_ask(accounts[:288], checks, GUILD, NOON)) == expected


def test_a_day_of_rounds_asks_for_everybody_once() -> None:
    """4,000 members, a round every five minutes: each is asked for once, none twice."""
    accounts = [account(number) for number in range(4_000)]
    checks: dict[int, Check] = {}
    counts = [0] * 4_000
    now = NOON
    while now < NOON + DAY:
        for one in whom_to_ask(accounts, checks, GUILD, now):
            counts[one.account_id] += 1
            checks[one.account_id] = told(checks.get(one.account_id), one, GUILD, HERE, now)
        now += timedelta(minutes=5)
    assert set(counts) == {1}


def test_by_hand_all_who_are_due_are_asked_for() -> None:
    """Up to what fits into a minute."""
    accounts = [account(number) for number in range(200)]
    assert len(whom_to_ask(accounts[:20], {}, GUILD, NOON, spread=False)) == 20
    assert len(whom_to_ask(accounts, {}, GUILD, NOON, spread=False)) == ROUND_MAX
    gone = by_account(*(asked((NOON - 2 * HOUR, GONE), of=one) for one in accounts[:30]))
    assert len(whom_to_ask(accounts, gone, GUILD, NOON, spread=False)) == ROUND_MAX


# What the answers mean

TWICE = ((NOON - 2 * HOUR, GONE), (NOON - HOUR, GONE))
WITNESS = account(99)
IS_THERE = asked((NOON - 2 * HOUR, HERE), of=WITNESS)


@pytest.mark.parametrize(
    ("who", "check", "witness", "good_at", "leaves"),
    [
        (account(), asked(*TWICE), IS_THERE, NOON, True),
        (account(), asked(TWICE[0]), IS_THERE, NOON, False),
        (account(), asked(*TWICE), None, NOON, False),
        (account(), asked(*TWICE), asked((NOON - 9 * HOUR, HERE), of=WITNESS), NOON, False),
        (account(), asked(*TWICE), evolve(IS_THERE, guild_id=OTHER_GUILD), NOON, False),
        (account(), asked(*TWICE), evolve(IS_THERE, gone_at=NOON), NOON, False),
        (account(), asked(*TWICE), asked((NOON - 3 * HOUR, HERE), of=WITNESS), NOON, True),
        (account(), asked(*TWICE), IS_THERE, NOON - 3 * HOUR, False),
        (account(), asked(*TWICE), IS_THERE, NOON - 2 * HOUR, False),
        (account(), asked(*TWICE), IS_THERE, None, False),
        (evolve(account(), window_from=NOON - 3 * HOUR), asked(*TWICE), IS_THERE, NOON, False),
        (account(rose_at=NOON - HOUR), asked(*TWICE), IS_THERE, NOON, False),
        (account(), asked(*TWICE, guild_id=OTHER_GUILD), IS_THERE, NOON, False),
        (account(status="left"), asked(*TWICE), IS_THERE, NOON, False),
    ],
)
def test_who_is_to_leave(
    who: DiscordActivity, check: Check, witness: Check | None, good_at: datetime | None, *, leaves: bool
) -> None:
    """Gone twice, somebody known to be there, and a good sync since that looked for the account."""
    checks = by_account(*filter(None, (check, witness)))
    found = findings([who, WITNESS], checks, GUILD, good_at)
    assert ids(found.to_leave) == ([1] if leaves else [])


def test_who_is_to_return() -> None:
    """Of those noted as left, whoever is there by the last answer; the others stay, and count for nothing else."""
    accounts = [account(1, "left"), account(2, "left"), account(3, "left"), account(4)]
    checks = by_account(*(asked((NOON, told_of), of=one) for one, told_of in zip(accounts, (HERE, GONE), strict=False)))
    found = findings(accounts, checks, GUILD, NOON)
    assert (ids(found.to_return), ids(found.to_leave), found.gone, found.tracked) == ([1], [], 0, 1)


def test_a_list_of_all_who_are_there_tells_who_left_and_who_is_back() -> None:
    """Whoever is as noted is none of both."""
    accounts = [account(1), account(2), account(3, "left"), account(4, "left"), account(5, "absent")]
    found = listed(accounts, {accounts[1].discord_id, accounts[3].discord_id, "300000000000000999"})
    assert (ids(found.to_leave), ids(found.to_return), found.gone, found.tracked) == ([1, 5], [4], 2, 3)


@pytest.mark.parametrize(
    ("gone", "tracked", "is_distrusted"), [(4, 5, False), (5, 50, False), (5, 49, True), (6, 59, True)]
)
def test_too_many_who_left_are_distrusted(gone: int, tracked: int, *, is_distrusted: bool) -> None:
    """Five or more, and more than a tenth of all tracked, by their last answers."""
    accounts = [account(number) for number in range(tracked)]
    checks = by_account(*(asked((NOON, GONE), of=one) for one in accounts[:gone]))
    why = findings(accounts, checks, GUILD, NOON).why_distrusted
    assert bool(why) == is_distrusted
    assert why is None or f"{gone} of {tracked}" in why


def event(kind: EventKind, at: datetime, actor: str | None) -> MembershipEvent:
    """Return what is on record of account 1."""
    return MembershipEvent(1, "m-1", kind, at, actor, account_id=1)


LEFT = account(status="left")
RETURNED_AFTER = asked((NOON, Presence("present", NOON - HOUR)))
NEVER_GONE = asked((NOON, Presence("present", NOON - 300 * DAY)))


@pytest.mark.parametrize(
    ("who", "check", "events", "expected"),
    [
        (account(), asked(*TWICE), [], "leave"),
        (account(), asked(*TWICE), [event("returned", NOON - 9 * DAY, "roster")], "leave"),
        (account(), asked(*TWICE), [event("returned", NOON - DAY, "admin-7")], "contradicted"),
        (account(), asked(*TWICE), [event("never_left", NOON - DAY, None)], "contradicted"),
        (account(), asked((NOON - 9 * HOUR, HERE), *TWICE), [event("returned", NOON - DAY, "admin-7")], "leave"),
        (account(), asked((NOON - DAY, HERE), *TWICE), [event("returned", NOON - DAY, "admin-7")], "leave"),
        (account(), asked(*TWICE), [event("left", NOON - DAY, "admin-7")], "leave"),
        (LEFT, RETURNED_AFTER, [event("left", NOON - 2 * HOUR, "roster")], "return"),
        (LEFT, RETURNED_AFTER, [event("left", NOON - HOUR, "roster")], "return"),
        (LEFT, NEVER_GONE, [event("left", NOON, "roster")], None),
        (LEFT, NEVER_GONE, [event("left", NOON - 2 * HOUR, "roster")], "never_left"),
        (LEFT, asked((NOON, Presence("present"))), [event("left", NOON - 2 * HOUR, "roster")], "return"),
        (LEFT, NEVER_GONE, [event("left", NOON - 2 * HOUR, "admin-7")], "contradicted"),
        (LEFT, NEVER_GONE, [event("left", NOON - 2 * HOUR, None)], "contradicted"),
        (LEFT, NEVER_GONE, [event("left", NOON + HOUR, "admin-7")], None),
        (LEFT, NEVER_GONE, [], None),
        (LEFT, NEVER_GONE, [evolve(event("left", NOON - HOUR, "roster"), account_id=2)], None),
    ],
)
def test_what_is_on_record_decides(
    who: DiscordActivity, check: Check, events: Sequence[MembershipEvent], expected: str | None
) -> None:
    """A note made by hand stands until the roster has told something else since; a join date decides about the rest."""
    assert step_of(who, check, events) == expected


ANSWERS = st.lists(st.tuples(st.integers(1, 180), st.sampled_from([HERE, GONE, UNKNOWN])), min_size=1, max_size=12)


@given(ANSWERS)
def test_nobody_leaves_who_was_not_gone_twice_an_hour_apart(answers: list[tuple[int, Presence]]) -> None:
    """Whatever is told in between: since the last time present, two were gone with an hour between."""
    check, now = None, NOON
    gone: list[datetime] = []
    for minutes, presence in answers:
        now += timedelta(minutes=minutes)
        check = told(check, account(), GUILD, presence, now)
        gone = [] if presence is HERE else [*gone, now] if presence is GONE else gone
        witness = evolve(IS_THERE, present_at=now)
        found = findings([account(), WITNESS], by_account(check, witness), GUILD, now + HOUR)
        assert bool(found.to_leave) == bool(gone and gone[-1] - gone[0] >= HOUR)


@given(ANSWERS, st.integers(0, 400))
def test_an_ordinary_member_is_asked_for_once_a_day(answers: list[tuple[int, Presence]], minutes: int) -> None:
    """And within an hour of the last question nobody is."""
    check, now = None, NOON
    for span, presence in answers:
        now += timedelta(minutes=span)
        check = told(check, account(), GUILD, presence, now)
    assert check is not None
    due = whom_to_ask([account()], {1: check}, GUILD, now + timedelta(minutes=minutes))
    assert bool(due) == (minutes >= 60 and (check.is_unclear or check.is_gone(account())))


# When the next round begins


@pytest.mark.parametrize(
    ("error", "wait", "expected"),
    [
        (None, None, timedelta(minutes=3)),
        (None, timedelta(minutes=20), timedelta(minutes=20)),
        (None, timedelta(days=9), HOUR),
        (RosterError("token", "no"), None, timedelta(minutes=15)),
        (RosterError("rate_limited", "no"), None, timedelta(minutes=15)),
        (RosterError("blocked", "no"), None, HOUR),
        (RosterError("rate_limited", "no", timedelta(minutes=2)), None, timedelta(minutes=2)),
        (RosterError("rate_limited", "no", timedelta.max), None, HOUR),
    ],
)
def test_a_wait_is_kept(error: RosterError | None, wait: timedelta | None, expected: timedelta) -> None:
    """Between a second and an hour; without one, as a sync keeps away."""
    assert next_round_at(NOON, error, wait) - NOON == expected


def test_failures_in_a_row_end_with_a_clear_answer() -> None:
    """A round that asked for nobody ends nothing."""
    state = RosterState()
    for minutes in (0, 15):
        at = NOON + timedelta(minutes=minutes)
        state = state.after(Round(at, at + HOUR, error=RosterError("down", "no")))
    assert state.failure_run is not None
    assert (state.failure_run.count, state.failure_run.since) == (2, NOON)
    assert state.after(Round(NOON, NOON)).failure_run is not None
    assert state.after(Round(NOON, NOON, is_clear=True)).failure_run is None


@pytest.mark.parametrize(
    ("state", "is_known"),
    [
        (RosterState(), False),
        (RosterState().after(Round(NOON, NOON + HOUR)), True),
        (RosterState(failure_run=FailureRun(1, NOON, "down", "no")), True),
    ],
)
def test_a_roster_is_known_after_its_first_round(state: RosterState, *, is_known: bool) -> None:
    """A store that never had one says nothing of it; a clock's repair leaves the failures alone."""
    assert state.is_known is is_known


def test_a_wait_of_a_clock_that_ran_ahead_keeps_nobody() -> None:
    """No wait is longer than an hour."""
    state = RosterState(next_at=NOON + DAY)
    assert state.is_due(NOON)
    assert not state.is_due(NOON + DAY - HOUR / 2)
    assert state.is_due(NOON + DAY)
