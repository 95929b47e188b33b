"""Whom the roster is asked about, and what its answers mean (R25): tables, and laws for any answers."""

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
    """Return what is known after these answers."""
    check: Check | None = None
    for at, presence in answers:
        check = told(check, of or account(), guild_id, presence, at)
    assert check is not None
    return check


def by_account(*checks: Check) -> dict[int, Check]:
    """Return the checks by the number of their account."""
    return {check.account_id: check for check in checks}


def ids(accounts: Iterable[DiscordActivity]) -> list[int]:
    """Return the numbers of these accounts."""
    return [one.account_id for one in accounts]


# What is known after an answer


def test_gone_needs_an_hour_to_be_confirmed() -> None:
    """`gone` is confirmed by another `gone` an hour later, and not earlier."""
    check = asked((NOON, GONE), (NOON + HOUR - timedelta(seconds=1), GONE))
    assert (check.gone_at, check.confirmed_at) == (NOON, None)
    assert asked((NOON, GONE), (NOON + HOUR, GONE)).confirmed_at == NOON + HOUR


def test_present_in_between_begins_anew() -> None:
    """After `gone` and `present`, the next `gone` is the first one again."""
    check = asked((NOON, GONE), (NOON + HOUR / 2, HERE), (NOON + HOUR, GONE))
    assert (check.gone_at, check.confirmed_at) == (NOON + HOUR, None)


def test_present_after_a_confirmed_gone_takes_both_back() -> None:
    """`present` takes back a `gone` that was confirmed."""
    check = asked((NOON, GONE), (NOON + HOUR, GONE), (NOON + 2 * HOUR, HERE))
    assert (check.gone_at, check.confirmed_at, check.present_at) == (None, None, NOON + 2 * HOUR)


def test_unknown_changes_nothing_but_when_it_was_asked() -> None:
    """`unknown` changes nothing but the time of the last question."""
    before = asked((NOON, GONE))
    after = told(before, account(), GUILD, UNKNOWN, NOON + 2 * HOUR)
    assert after == evolve(before, asked_at=NOON + 2 * HOUR)


def test_a_rise_in_a_window_after_gone_begins_anew() -> None:
    """A rise in a window after `gone` proves presence, so the next `gone` is the first; an earlier window does not."""
    proved = account(rose_at=NOON + timedelta(minutes=15))
    later = NOON + HOUR
    assert told(asked((NOON, GONE)), proved, GUILD, GONE, later).gone_at == later
    confirmed = asked((NOON, GONE), (later, GONE))
    again = told(confirmed, proved, GUILD, GONE, NOON + 2 * HOUR)
    assert (again.gone_at, again.confirmed_at) == (NOON + 2 * HOUR, None)
    vague = account(rose_at=NOON - timedelta(minutes=1))
    assert told(asked((NOON, GONE)), vague, GUILD, GONE, later).confirmed_at == later


def test_what_another_server_told_is_forgotten() -> None:
    """Answers of another server are forgotten, so `gone` there and `gone` here do not confirm each other."""
    there = asked((NOON, GONE), guild_id=OTHER_GUILD)
    here = told(there, account(), GUILD, GONE, NOON + 2 * HOUR)
    assert (here.gone_at, here.confirmed_at, here.guild_id) == (NOON + 2 * HOUR, None, GUILD)


def test_nobody_joins_in_the_future() -> None:
    """A join date in the future is set to the time of the answer."""
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
    """Members are due daily, those who left or may have hourly, and those whose rise proves presence not at all."""
    found = whom_to_ask([who], by_account(check) if check else {}, GUILD, NOON)
    assert bool(found) == is_due


def test_the_gone_come_first_and_the_left_last_by_age() -> None:
    """Those who may be gone come first, those who left last, and within a group the longest unasked come first."""
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
    """A round asks for a five-minute share of the day's questions, up to a maximum."""
    assert len(whom_to_ask([account(n) for n in range(members)], {}, GUILD, NOON)) == expected


@pytest.mark.parametrize(("ago", "expected"), [([30], 6), ([30, 120], 6), ([120, 30], 6), ([300], 12), ([1], 1)])
def test_a_round_makes_up_for_those_that_were_not_held(ago: list[int], expected: int) -> None:
    """A round's share grows with the time since the last question, up to an hour's."""
    accounts = [account(number) for number in range(288 + len(ago))]
    checks = by_account(*(asked((NOON - timedelta(minutes=one), HERE), of=account(n)) for n, one in enumerate(ago)))
    assert len(whom_to_ask(accounts[:288], checks, GUILD, NOON)) == expected


def test_a_day_of_rounds_asks_for_everybody_once() -> None:
    """Rounds every five minutes ask about each of 4,000 members exactly once a day."""
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
    """A round by hand asks about all who are due, up to the most that a round can take."""
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
    """A member leaves after a second `gone`, if another was there and a good sync since has looked for the account."""
    checks = by_account(*filter(None, (check, witness)))
    found = findings([who, WITNESS], checks, GUILD, good_at)
    assert ids(found.to_leave) == ([1] if leaves else [])


def test_who_is_to_return() -> None:
    """A member noted as left is to return if the last answer is present; others noted as left count for nothing."""
    accounts = [account(1, "left"), account(2, "left"), account(3, "left"), account(4)]
    checks = by_account(*(asked((NOON, told_of), of=one) for one, told_of in zip(accounts, (HERE, GONE), strict=False)))
    found = findings(accounts, checks, GUILD, NOON)
    assert (ids(found.to_return), ids(found.to_leave), found.gone, found.tracked) == ([1], [], 0, 1)


def test_a_list_of_all_who_are_there_tells_who_left_and_who_is_back() -> None:
    """A list of all who are there says who left and who is back; members who are as noted are neither."""
    accounts = [account(1), account(2), account(3, "left"), account(4, "left"), account(5, "absent")]
    found = listed(accounts, {accounts[1].discord_id, accounts[3].discord_id, "300000000000000999"})
    assert (ids(found.to_leave), ids(found.to_return), found.gone, found.tracked) == ([1, 5], [4], 2, 3)


@pytest.mark.parametrize(
    ("gone", "tracked", "is_distrusted"), [(4, 5, False), (5, 50, False), (5, 49, True), (6, 59, True)]
)
def test_too_many_who_left_are_distrusted(gone: int, tracked: int, *, is_distrusted: bool) -> None:
    """Departures are distrusted if they are five or more and more than a tenth of all tracked members."""
    accounts = [account(number) for number in range(tracked)]
    checks = by_account(*(asked((NOON, GONE), of=one) for one in accounts[:gone]))
    why = findings(accounts, checks, GUILD, NOON).why_distrusted
    assert bool(why) == is_distrusted
    assert why is None or f"{gone} of {tracked}" in why


def event(kind: EventKind, at: datetime, actor: str | None) -> MembershipEvent:
    """Return an event of account 1."""
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
    """A note by hand stands until the roster's answer has changed since; otherwise the join date decides."""
    assert step_of(who, check, events) == expected


ANSWERS = st.lists(st.tuples(st.integers(1, 180), st.sampled_from([HERE, GONE, UNKNOWN])), min_size=1, max_size=12)


@given(ANSWERS)
def test_nobody_leaves_who_was_not_gone_twice_an_hour_apart(answers: list[tuple[int, Presence]]) -> None:
    """Whatever the answers, a member leaves only after two `gone` an hour apart without `present` in between."""
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
    """Within a day, a member is asked about again only after an hour, and only after `gone` or `unknown`."""
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
    """A requested wait is kept up to an hour; without one, a failure waits as long as that of a sync."""
    assert next_round_at(NOON, error, wait) - NOON == expected


def test_failures_in_a_row_end_with_a_clear_answer() -> None:
    """A clear answer ends a failure run, and a round without questions does not."""
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
    """A roster is known once it has had a round or a failure."""
    assert state.is_known is is_known


def test_a_wait_of_a_clock_that_ran_ahead_keeps_nobody() -> None:
    """A wait that a clock ahead has recorded is ignored, because no wait is longer than an hour."""
    state = RosterState(next_at=NOON + DAY)
    assert state.is_due(NOON)
    assert not state.is_due(NOON + DAY - HOUR / 2)
    assert state.is_due(NOON + DAY)
