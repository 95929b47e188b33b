"""Days are settled once each, in order, and only when enough is known (R15, R15a, R16, R22)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from support.community import LEDGERS, MONDAY, Community, opened
from trc_engage import ClockWentBack, InvalidValue, Pending, SettleReport, SourceError, StreakChange
from trc_engage.core import streaks
from trc_engage.core.settlement import Cause, pending_from
from trc_engage.entrypoints.wording import Words
from trc_engage.entrypoints.wording.alerts import describe_pending
from trc_engage.entrypoints.wording.why import answer, proof

ONE_DAY = timedelta(days=1)
MONDAY_ITSELF, TUESDAY, WEDNESDAY, THURSDAY = (MONDAY.date() + number * ONE_DAY for number in range(4))
FIVE = ("ada", "bo", "cy", "dee", "eli")


@pytest.fixture(params=LEDGERS)
def community(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Community]:
    """Yield a community without members, on each ledger."""
    with opened(request.param, tmp_path) as ledger:
        yield Community(ledger)


@pytest.fixture
def five(community: Community) -> Community:
    """Return a community of five who were opened and active on Monday; it is Tuesday, 09:00."""
    community.enroll(*FIVE)
    community.sync(**dict.fromkeys(FIVE, 1_000))
    community.sync(**dict.fromkeys(FIVE, 1_020))
    community.now = MONDAY + ONE_DAY
    return community


def current(community: Community, name: str = "ada") -> int:
    """Return a member's streak, after checking that the stored one equals the recomputed one (R14)."""
    ledger = community.ledger
    active = {one.day for one in ledger.evidence(name, date.min, date.max)}
    stored, calendar = ledger.streak_of(name), ledger.calendar(name)
    assert stored == streaks.recomputed(stored, active, calendar)
    return streaks.current(stored, calendar)


def test_before_anybody_is_enrolled_there_is_nothing_to_settle(community: Community) -> None:
    """The first day that is settled is that of the first enrollment."""
    assert community.engage.settle() == SettleReport()
    community.now += 100 * ONE_DAY
    community.engage.enroll("ada")
    assert community.engage.settle() == SettleReport()
    community.now += ONE_DAY
    assert community.engage.settle().settled == ((MONDAY + 100 * ONE_DAY).date(),)


def test_each_day_is_settled_once_in_order(community: Community) -> None:
    """Each day from the first enrollment is settled once and in order, weekends too, however often settling runs."""
    community.engage.enroll("ada")
    settled: list[date] = []
    for hours in (1, 14, 2, 24, 24, 1, 200, 0, 24, 480, 23, 23, 23):
        community.now += timedelta(hours=hours)
        community.engage.confirm_clock(by="admin", reason="nothing was to do for so long")
        settled += community.engage.settle().settled
    assert settled[0] == MONDAY.date()
    assert settled[-1] == community.now.date() - ONE_DAY
    assert all(later - earlier == ONE_DAY for earlier, later in pairwise(settled))


def test_a_day_is_over_at_midnight(community: Community) -> None:
    """A day can be settled from midnight on, and not a microsecond before."""
    community.engage.enroll("ada")
    community.now = datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC)
    assert community.engage.settle() == SettleReport()
    community.now += timedelta(microseconds=1)
    assert community.engage.settle() == SettleReport((MONDAY_ITSELF,))


def test_it_is_safe_to_repeat(five: Community) -> None:
    """Settling a second time settles no day and changes no streak, calendar or member."""
    five.sync()
    assert five.engage.settle() == SettleReport((MONDAY_ITSELF,))
    before = five.ledger.activity(date.max).streaks, five.ledger.calendar(), five.engage.members()
    assert five.engage.settle() == SettleReport()
    assert (five.ledger.activity(date.max).streaks, five.ledger.calendar(), five.engage.members()) == before


def test_an_award_today_waits_for_no_day(community: Community) -> None:
    """An award on a day that is not over counts toward the streak once that day is settled, not before."""
    community.engage.enroll("ada")
    community.now += ONE_DAY
    community.award("ada", "run")
    community.engage.settle()
    assert current(community) == 0
    community.now += ONE_DAY
    community.engage.settle()
    assert current(community) == 1


def test_a_day_without_a_later_sync_is_pending(five: Community) -> None:
    """A day waits for a good sync that begins after its end, and the message about it names a command."""
    five.trouble = SourceError("down", "no answer")
    with pytest.raises(SourceError):
        five.sync()
    report = five.engage.settle()
    assert report == SettleReport((), (Pending(MONDAY_ITSELF, "no_sync"),))
    (pending,) = report.pending
    assert "Mon 2026-03-02 waits for a good sync that begins after its end; nobody's streak breaks" in pending.why
    assert "See `trc-engage sync`" in describe_pending(pending)
    five.now += ONE_DAY
    assert [(one.day, one.cause) for one in five.engage.settle().pending] == [
        (MONDAY_ITSELF, "no_sync"),
        (TUESDAY, "no_sync"),
    ]
    assert current(five) == 0
    five.trouble = None
    five.sync(ada=1_040)
    assert five.engage.settle() == SettleReport((MONDAY_ITSELF, TUESDAY))


@pytest.mark.parametrize("step", ["unlink", "leave", "forget"])
def test_once_nobody_is_tracked_no_sync_is_waited_for(community: Community, step: str) -> None:
    """A day waits for a sync only while an account is tracked; one that was never read counts too."""
    community.enroll("ada")
    community.now += ONE_DAY
    assert [one.cause for one in community.engage.settle().pending] == ["no_sync"]
    getattr(community.engage, step)("ada")
    assert community.engage.settle() == SettleReport((MONDAY_ITSELF,))


def test_days_of_nobody_wait_for_no_sync(five: Community) -> None:
    """If no account is tracked, every open day is only due, however long ago the last sync was."""
    five.engage.leave_all(FIVE)
    five.now += 3 * ONE_DAY
    assert [one.cause for one in five.engage.status().pending] == ["due"] * 4


def test_a_frozen_board_holds_the_day(five: Community) -> None:
    """If five rose on Monday and none on Tuesday, Tuesday waits for an admin, and later days wait for it (R15a)."""
    five.now += ONE_DAY
    five.sync()
    report = five.engage.settle()
    assert report == SettleReport((MONDAY_ITSELF,), (Pending(TUESDAY, "frozen"),))
    (pending,) = report.pending
    assert pending.why.startswith("Tue 2026-03-03 is suspect: nobody's XP rose, though it did for 5 or more")
    assert "`trc-engage excuse 2026-03-03 --reason … --by …`" in describe_pending(pending)
    assert "`trc-engage settle --accept-quiet 2026-03-03`" in describe_pending(pending)
    five.sync(ONE_DAY)
    held = five.engage.settle().pending
    assert held == (Pending(TUESDAY, "frozen"), Pending(WEDNESDAY, "earlier"))
    assert held[1].why == "Wed 2026-03-04 waits for the day before it"
    assert current(five) == 1


def test_an_admin_may_accept_a_quiet_day(five: Community) -> None:
    """Accepting a quiet day settles that day only, ends the streaks, and makes no later day suspect."""
    five.now += 2 * ONE_DAY
    five.sync()
    assert five.engage.settle(accept_quiet=WEDNESDAY).settled == (MONDAY_ITSELF,)
    assert five.engage.settle(accept_quiet=TUESDAY) == SettleReport((TUESDAY, WEDNESDAY))
    assert current(five) == 0


def test_who_accepts_a_quiet_day_is_on_record(five: Community) -> None:
    """A quiet day that was accepted says by whom and why; accepting a day that did not wait is not recorded."""
    five.now += 2 * ONE_DAY
    five.sync()
    five.engage.settle(accept_quiet=MONDAY_ITSELF, by="admin-7", reason="no reason")
    assert five.ledger.excusals() == []
    five.engage.settle(accept_quiet=TUESDAY, by="admin-7", reason="a slow day")
    (decided,) = five.ledger.excusals("ada")
    assert (decided.day, decided.is_excused, decided.actor, decided.reason) == (TUESDAY, False, "admin-7", "a slow day")
    assert not five.ledger.calendar().is_excused(TUESDAY)
    assert current(five) == 0
    why = five.engage.why("ada")
    quiet = f"confirmed at {five.now:%a %Y-%m-%d %H:%M} UTC that the day was really that quiet"
    assert f'admin-7 {quiet} (reason: "a slow day")' in answer(why, Words())
    assert f"an admin {quiet}" in answer(why, Words(for_admin=False))
    assert why.day is not None
    said = "excusal: confirmed as quiet for everybody by admin-7"
    assert any(line.startswith(said) for line in proof(why.day, Words()))


def test_a_decision_without_a_quiet_day_is_refused(five: Community) -> None:
    """Who decided and why go with the day that they are about."""
    with pytest.raises(InvalidValue, match=r"^by: 'admin-7': give it together with accept_quiet"):
        five.engage.settle(by="admin-7")


def test_an_admin_may_excuse_a_frozen_day(five: Community) -> None:
    """Excusing a frozen day breaks no streak; the next quiet day is compared with Monday and is suspect too."""
    five.now += 2 * ONE_DAY
    five.sync()
    five.engage.settle()
    five.engage.excuse(TUESDAY, reason="MEE6 stood still", by="admin")
    assert five.engage.settle() == SettleReport((TUESDAY,), (Pending(WEDNESDAY, "frozen"),))
    assert current(five) == 1


def test_time_never_goes_back(five: Community) -> None:
    """No sync or settlement may precede an earlier one by more than two minutes (R22)."""
    five.sync()
    five.now -= timedelta(minutes=2)
    assert five.engage.settle().settled == (MONDAY_ITSELF,)
    five.now -= timedelta(seconds=1)
    with pytest.raises(ClockWentBack):
        five.engage.settle()
    five.now += 3 * ONE_DAY
    for name in FIVE:
        five.engage.unlink(name)
    five.engage.settle(accept_quiet=TUESDAY)
    five.now -= timedelta(minutes=3)
    with pytest.raises(ClockWentBack):
        five.engage.settle()
    five.enroll("ivy")
    with pytest.raises(ClockWentBack):
        five.engage.sync()


def test_bad_days_are_named(community: Community) -> None:
    """Instants, weekends and blank reasons are refused by the name of the argument, and nothing is excused."""
    engage, saturday = community.engage, date(2026, 3, 7)
    for call in (
        lambda: engage.settle(accept_quiet=MONDAY),
        lambda: engage.excuse(saturday, reason="weekend", by="admin"),
        lambda: engage.excuse(MONDAY, reason="an instant", by="admin"),
        lambda: engage.unexcuse(saturday, by="admin"),
    ):
        with pytest.raises(InvalidValue, match=r"^(days|accept_quiet): "):
            call()
    with pytest.raises(InvalidValue, match="reason: "):
        engage.excuse(MONDAY_ITSELF, reason=" ", by="admin")
    assert community.ledger.calendar().excused == frozenset()


def test_excusing_says_what_it_changed(five: Community) -> None:
    """Excusing a day and undoing it report what they did and, for a settled day, the streaks they changed (R16)."""
    engage = five.engage
    assert (
        engage.excuse(THURSDAY, reason="a holiday", by="admin").outcome,
        engage.unexcuse(THURSDAY, by="admin").outcome,
    ) == (
        "excused",
        "required",
    )
    five.sync(ada=1_040)
    five.sync(ONE_DAY, ada=1_060)
    five.sync(ONE_DAY)
    engage.settle()
    assert [current(five, name) for name in FIVE] == [3, 0, 0, 0, 0]
    report = engage.excuse(TUESDAY, reason="a holiday", by="admin")
    assert (report.outcome, report.late) == ("excused", [])
    report = engage.excuse(WEDNESDAY, reason="a holiday", by="admin")
    assert list(report.late) == [StreakChange(name, 0, 1, 1, 1, "excused", WEDNESDAY) for name in FIVE[1:]]
    assert engage.excuse(WEDNESDAY, reason="again", by="admin").outcome == "unchanged"
    report = engage.unexcuse(WEDNESDAY, by="admin")
    assert report.outcome == "required"
    assert list(report.late) == [StreakChange(name, 1, 0, 1, 1, "required", WEDNESDAY) for name in FIVE[1:]]
    assert engage.unexcuse(WEDNESDAY, by="admin").outcome == "unchanged"


def test_days_are_told_in_their_order(five: Community) -> None:
    """A report lists the days by date, with those that were already excused apart."""
    days = [TUESDAY + number * ONE_DAY for number in (0, 1, 2, 6, 7, 8, 9)]
    five.engage.excuse(*days[4:], reason="a holiday", by="admin")
    report = five.engage.excuse(*days[::-2], *days[::2], *days[1::2], reason="a holiday", by="admin")
    assert (list(report.days), list(report.unchanged)) == (days[:4], days[4:])
    assert [one.day for one in five.ledger.excusals()] == [*days[4:], *days[:4]]


def test_a_sync_tells_which_settled_streaks_it_changed(five: Community) -> None:
    """A sync whose window reaches back to a settled day reports the streaks it changed (R16)."""
    five.missed = {"ada"}
    five.sync(bo=1_040)
    five.sync(ONE_DAY)
    five.engage.settle()
    assert [current(five, "ada"), current(five, "bo")] == [0, 2]
    five.missed = set()
    assert five.sync(ada=1_100).late == [StreakChange("ada", 0, 2, 1, 2, "window", TUESDAY)]
    assert current(five, "ada") == 2


@pytest.mark.parametrize(
    ("cause", "good_at", "causes"),
    [
        ("no_sync", None, ["no_sync", "no_sync", "no_sync"]),
        ("no_sync", MONDAY, ["no_sync", "no_sync", "no_sync"]),
        (None, MONDAY + ONE_DAY, ["due", "no_sync", "no_sync"]),
        (None, MONDAY + 2 * ONE_DAY, ["due", "due", "no_sync"]),
        (None, MONDAY + 3 * ONE_DAY, ["due", "due", "due"]),
        ("frozen", MONDAY + 3 * ONE_DAY, ["frozen", "earlier", "earlier"]),
    ],
)
def test_why_each_day_waits(cause: Cause | None, good_at: datetime | None, causes: list[Cause]) -> None:
    """A day is due if a good sync began after its end, unless the oldest waits for a decision (R15, R15a)."""
    pending = pending_from(MONDAY_ITSELF, MONDAY + 3 * ONE_DAY, cause, good_at)
    assert pending == tuple(map(Pending, (MONDAY_ITSELF, TUESDAY, WEDNESDAY), causes))
